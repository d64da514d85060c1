//! GET /console/channels/{channel}/{currency}: what a channel owes, item by item.

use axum::extract::State;
use axum::response::Response;
use mizan_ledger::{Currency, Money};
use serde_json::json;

use super::channel;
use crate::app::App;
use crate::console::officer::Officer;
use crate::console::shell::{Stop, page};
use crate::expectations::store::reading::page_owed;
use crate::fault::Fault;
use crate::http::path::Path;

/// Items on one page.
const ITEMS_MAX: i64 = 500;

pub async fn show(
    State(app): State<App>,
    officer: Officer,
    Path((code, currency)): Path<(String, String)>,
) -> Result<Response, Stop> {
    let currency: Currency = currency.parse().map_err(|_| Stop::NotFound)?;
    if !app.hub.config.channels.contains_key(&code) {
        return Err(Stop::NotFound);
    }
    let mut look = app.snapshot().await?;
    let items = page_owed(&mut look, &code, currency, ITEMS_MAX).await?;
    let total = Money::sum(currency, items.iter().map(|item| item.money)).map_err(Fault::from)?;
    let today = app.clock.now().day_in(&app.hub.config.zone).to_string();
    let full = i64::try_from(items.len()).is_ok_and(|count| count == ITEMS_MAX);
    let values = json!({
        "channel": channel(&app, &code), "currency": currency, "items": items, "total": total, "today": today,
        "full": full,
    });
    page(&app, &officer, "owed.html", values)
}
