//! Customers and control: `/control`. Whoever reaches the sandbox may use it.

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value, json};

use super::bank::Transfer;
use super::faults::Faults;
use super::folder;
use super::http::{App, Body};
use super::refusal::Refusal;
use super::text::{is_name, is_reference, is_text};
use super::world::money;

pub fn routes() -> Router<App> {
    Router::new()
        .route("/transfers", post(transfer))
        .route("/debits", post(debit))
        .route("/reversals", post(reverse))
        .route("/day", post(close_day))
        .route("/clock", post(set_clock))
        .route("/faults", post(set_faults))
        .route("/state", get(state))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TransferBody {
    to: String,
    amount: String,
    currency: String,
    reference: Option<String>,
    #[serde(default)]
    text: String,
    payer: Option<String>,
}

async fn transfer(State(app): State<App>, Body(body): Body<TransferBody>) -> Result<Json<Value>, Refusal> {
    let amount = money(&body.amount, &body.currency)?;
    let reference = body.reference.as_deref().is_none_or(is_reference);
    if !reference || !is_text(&body.text, 280) || !body.payer.as_deref().is_none_or(is_name) {
        let message =
            "reference has 1-35, text at most 280, payer 1-70 characters; none has control characters";
        return Err(Refusal::senseless("bad_text", message));
    }
    let TransferBody { to, reference, text, payer, .. } = body;
    let bank_reference = app.with(|world| world.receive(Transfer { to, amount, reference, text, payer }))?;
    Ok(Json(json!({"bank_reference": bank_reference})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DebitBody {
    account: String,
    amount: String,
    currency: String,
    text: String,
}

async fn debit(State(app): State<App>, Body(body): Body<DebitBody>) -> Result<Json<Value>, Refusal> {
    let amount = money(&body.amount, &body.currency)?;
    if !is_text(&body.text, 280) {
        return Err(Refusal::senseless(
            "bad_text",
            "text has at most 280 characters and no control characters",
        ));
    }
    let bank_reference = app.with(|world| world.charge(&body.account, amount, &body.text))?;
    Ok(Json(json!({"bank_reference": bank_reference})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReversalBody {
    merchant: String,
    order: String,
}

async fn reverse(State(app): State<App>, Body(body): Body<ReversalBody>) -> Result<Json<Value>, Refusal> {
    if app.config.merchant(&body.merchant).is_none() {
        return Err(Refusal::unknown("unknown_merchant", &body.merchant));
    }
    let transaction = app.with(|world| world.reverse(&body.merchant, &body.order))?;
    Ok(Json(json!({"transaction": transaction})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DayBody {
    close: Date,
}

async fn close_day(State(app): State<App>, Body(body): Body<DayBody>) -> Result<Json<Value>, Refusal> {
    let files = folder::close_day(&app, body.close).await?;
    Ok(Json(json!({"closed": body.close, "files": files})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockBody {
    now: Timestamp,
}

async fn set_clock(State(app): State<App>, Body(body): Body<ClockBody>) -> Json<Value> {
    app.with(|world| world.clock.set(body.now));
    Json(json!({"now": body.now}))
}

async fn set_faults(State(app): State<App>, Body(faults): Body<Faults>) -> Result<Json<Faults>, Refusal> {
    if !faults.within_limits() {
        return Err(Refusal::senseless(
            "bad_faults",
            "at most an hour of delay and a thousand orders in a list",
        ));
    }
    Ok(Json(app.with(|world| {
        world.kept.faults = faults;
        world.kept.faults.clone()
    })))
}

async fn state(State(app): State<App>) -> Json<Value> {
    Json(app.with(|world| {
        let totals_hold = world.totals_hold();
        let mut state = world.write_down();
        state["totals_hold"] = totals_hold.into();
        state
    }))
}
