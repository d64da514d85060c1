//! GET /console/breaks: what does not tie.

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::breaks::{Category, store};
use crate::console::detail;
use crate::console::officer::Officer;
use crate::console::shell::{Stop, page};
use crate::http::query::Query;
use crate::ids::BreakId;

/// Breaks on one page.
const BREAKS_MAX: usize = 100;

#[derive(Debug, Deserialize)]
pub struct Asked {
    category: Option<String>,
    /// `all` shows the resolved ones too.
    show: Option<String>,
    before: Option<String>,
}

pub async fn show(
    State(app): State<App>,
    officer: Officer,
    Query(asked): Query<Asked>,
) -> Result<Response, Stop> {
    let category: Option<Category> = asked.category.as_deref().and_then(|text| text.parse().ok());
    let all = asked.show.as_deref() == Some("all");
    let before: Option<BreakId> = asked.before.as_deref().and_then(|text| text.parse().ok());
    let now = app.clock.now();
    let mut look = app.snapshot().await?;
    let limit = i64::try_from(BREAKS_MAX).unwrap_or(i64::MAX);
    let found = store::page(&mut look, !all, category, before, limit).await?;
    let open = store::find_open_totals(&mut look, now).await?;
    let mut categories: Vec<Category> = open.iter().map(|one| one.category).chain(category).collect();
    categories.sort();
    categories.dedup();
    let categories: Vec<Value> = categories.into_iter().map(named).collect();
    let next = (found.len() == BREAKS_MAX).then(|| found.last().map(|last| last.id)).flatten();
    let rows: Vec<Value> = found
        .iter()
        .map(|one| {
            let language = officer.session.language;
            let detail = detail::parts(&one.detail, one.money, language, &app.hub.config.zone);
            let late = one.resolved_at.is_none() && one.due_at <= now;
            json!({ "item": one, "category": named(one.category), "late": late, "detail": detail })
        })
        .collect();
    let values = json!({
        "rows": rows, "category": category, "categories": categories, "all": all, "next": next,
    });
    page(&app, &officer, "breaks.html", values)
}

fn named(category: Category) -> Value {
    json!({ "code": category, "ar": category.name_ar(), "en": category.name_en() })
}
