//! GET /console/payments: payments by any number a person holds.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::channel;
use crate::app::App;
use crate::console::officer::Officer;
use crate::console::shell::{Stop, page};
use crate::http::query::Query;
use crate::intents::search;
use crate::recon::store as recon;

/// Payments on one page.
const PAYMENTS_MAX: i64 = 50;

#[derive(Debug, Deserialize)]
pub struct Asked {
    q: Option<String>,
}

pub async fn show(
    State(app): State<App>,
    officer: Officer,
    Query(asked): Query<Asked>,
) -> Result<Response, Stop> {
    let question = asked.q.unwrap_or_default().trim().to_owned();
    let mut look = app.snapshot().await?;
    let found = search::find(&mut look, &app.hub.config, &question, PAYMENTS_MAX).await?;
    let keys = search::money_keys(&app.hub.config, &question);
    let lines = recon::find_by_money_keys(&mut look, &keys, PAYMENTS_MAX).await?;
    // A line of which nothing waits is what became of it: the payment itself.
    let is_settled = lines.iter().all(|line| line.settlement.is_none() && line.suspense.is_none());
    if let [only] = &found[..]
        && !question.is_empty()
        && is_settled
    {
        return Ok(Redirect::to(&format!("/console/payments/{}", only.id)).into_response());
    }
    let rows: Vec<Value> = found
        .iter()
        .map(|one| {
            json!({
                "id": one.id, "state": one.state, "bill_number": one.bill_number.grouped(),
                "external_reference": one.external_reference, "amount": one.amount, "paid": one.paid,
                "receipt": one.receipt, "created_at": one.created_at,
            })
        })
        .collect();
    let lines: Vec<Value> = lines
        .iter()
        .map(|line| {
            let via = line.channel.as_deref().map(|code| channel(&app, code));
            json!({ "line": line, "channel": via })
        })
        .collect();
    page(&app, &officer, "payments.html", json!({ "q": question, "rows": rows, "lines": lines }))
}
