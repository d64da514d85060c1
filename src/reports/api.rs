//! `/v1/finance/reports`: the day's proof, and the treasury's allocation list.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use mizan_ledger::Day;
use serde::Deserialize;

use super::service::{self, Asked};
use super::treasury::{self, Allocation};
use super::view::{self, ProofView};
use crate::access::Scope;
use crate::app::App;
use crate::http::call::Call;
use crate::http::problem::Problem;
use crate::http::query::Params;

pub fn router() -> Router<App> {
    Router::new()
        .route("/v1/finance/reports/daily", get(daily))
        .route("/v1/finance/reports/treasury", get(treasury))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Search {
    date: Day,
}

async fn daily(
    State(app): State<App>,
    Params(search): Params<Search>,
    call: Call,
) -> Result<Json<ProofView>, Problem> {
    call.require(&Scope::FinanceRead)?;
    let mut look = app.snapshot().await?;
    let asked = Asked {
        book: &app.hub.book,
        calendar: &app.hub.calendar,
        banks: &app.hub.config.banks,
        day: search.date,
    };
    let proof = service::daily(&mut look, &asked).await?;
    drop(look);
    Ok(Json(view::daily(&proof)))
}

async fn treasury(
    State(app): State<App>,
    Params(search): Params<Search>,
    call: Call,
) -> Result<Json<Allocation>, Problem> {
    call.require(&Scope::FinanceRead)?;
    let mut look = app.snapshot().await?;
    Ok(Json(treasury::daily(&mut look, &app.hub, search.date).await?))
}
