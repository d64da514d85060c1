//! GET /console/refunds: money to be given back, those first that wait for a person.

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{named, source_link};
use crate::app::App;
use crate::console::officer::Officer;
use crate::console::shell::{Stop, page};
use crate::http::query::Query;
use crate::ids::RefundId;
use crate::refunds::service::{Filter, page as page_of_refunds};
use crate::refunds::{Refund, RefundState};

/// Refunds on one page.
const REFUNDS_MAX: usize = 100;

/// Those that wait: for an approval, for funds, or for somebody to send or give them up.
const WAITING: [RefundState; 4] =
    [RefundState::Requested, RefundState::AwaitingFunds, RefundState::Failed, RefundState::Returned];

#[derive(Debug, Deserialize)]
pub struct Asked {
    /// `all` shows the others too.
    show: Option<String>,
    before: Option<String>,
}

pub async fn show(
    State(app): State<App>,
    officer: Officer,
    Query(asked): Query<Asked>,
) -> Result<Response, Stop> {
    let all = asked.show.as_deref() == Some("all");
    let before: Option<RefundId> = asked.before.as_deref().and_then(|text| text.parse().ok());
    let filter = Filter { states: if all { Vec::new() } else { WAITING.to_vec() }, ..Filter::default() };
    let mut look = app.snapshot().await?;
    let limit = i64::try_from(REFUNDS_MAX).unwrap_or(i64::MAX);
    let found = page_of_refunds(&mut look, &filter, before, limit).await?;
    let names = named(&mut look, found.iter().map(|one| one.requested_by.clone())).await?;
    let next = (found.len() == REFUNDS_MAX).then(|| found.last().map(|last| last.id)).flatten();
    let row = |one: &Refund| {
        let source = one.source.to_string();
        json!({
            "id": one.id, "amount": one.amount, "stage": one.state, "reason": one.reason,
            "requested_by": names(&one.requested_by), "own": one.requested_by == officer.actor().as_str(),
            "created_at": one.created_at, "link": source_link(&source), "source": source,
        })
    };
    let rows: Vec<Value> = found.iter().map(row).collect();
    page(&app, &officer, "refunds.html", json!({ "rows": rows, "all": all, "next": next }))
}
