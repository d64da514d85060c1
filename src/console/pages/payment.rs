//! GET /console/payments/{id}: one payment from its price to the bank.

use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};

use super::{channel, notice};
use crate::app::App;
use crate::console::officer::Officer;
use crate::console::shell::{Stop, page};
use crate::expectations::store::reading as expected;
use crate::http::path::Path;
use crate::ids::IntentId;
use crate::inbox::store::reading as notices;
use crate::intents::{attempts, view};
use crate::receipts;
use crate::refunds::{self, RefundSource};

pub async fn show(
    State(app): State<App>,
    officer: Officer,
    Path(id): Path<String>,
) -> Result<Response, Stop> {
    let id: IntentId = id.parse().map_err(|_| Stop::NotFound)?;
    let mut look = app.snapshot().await?;
    let payment = view::find(&mut look, &app.hub, id).await?.ok_or(Stop::NotFound)?;
    let told = notices::page_of_intent(&mut look, id).await?;
    let mut entries = notice::posted(&app, &mut look, &told).await?;
    let expected = expected::page_of_intent(&mut look, id).await?;
    for met in expected.iter().filter_map(|one| one.entry) {
        if let Some(found) = app.hub.book.entry(&mut look, met).await? {
            entries.push(notice::shown(&found));
        }
    }
    let tries: Vec<Value> = attempts::store::page_of(&mut look, &[id])
        .await?
        .iter()
        .map(|one| {
            json!({
                "id": one.id, "channel": channel(&app, &one.channel), "state": one.state, "amount": one.amount,
                "transaction": one.transaction, "failure": one.failure, "created_at": one.created_at,
            })
        })
        .collect();
    let receipt = match &payment.receipt {
        Some(link) => receipts::service::find(&mut look, &link.number).await?,
        None => None,
    };
    let receipt = receipt.map(|one| {
        json!({ "number": one.number, "code": one.code, "state": one.state, "credited": one.credited, "issued_at": one.issued_at })
    });
    let told: Vec<Value> = told
        .iter()
        .map(|one| json!({ "notice": one, "channel": channel(&app, &one.notice.channel) }))
        .collect();
    let expected: Vec<Value> =
        expected.iter().map(|one| json!({ "item": one, "channel": channel(&app, &one.channel) })).collect();
    let given_back: Vec<Value> = refunds::service::page_of(&mut look, RefundSource::Intent(id))
        .await?
        .iter()
        .map(|one| json!({ "id": one.id, "amount": one.amount, "stage": one.state, "reason": one.reason }))
        .collect();
    let values = json!({
        "refunds": given_back, "payment": payment, "attempts": tries, "notices": told, "entries": entries, "expected": expected,
        "receipt": receipt,
    });
    page(&app, &officer, "payment.html", values)
}
