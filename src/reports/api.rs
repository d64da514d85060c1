//! `/v1/finance/reports`: the day's proof, and the treasury's allocation list.

use axum::Json;
use axum::extract::State;
use mizan_ledger::Day;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::service::{self, Asked};
use super::treasury::{self, Allocation};
use super::view::{self, ProofView};
use crate::access::Scope;
use crate::app::App;
use crate::http::call::Call;
use crate::http::openapi::Refusals;
use crate::http::problem::Problem;

pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(daily)).routes(routes!(treasury))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Search {
    date: Day,
}

/// The day's proof: the books against what is listed, per currency and account.
#[utoipa::path(get, path = "/v1/finance/reports/daily", tag = "finance", params(Search), responses((status = OK, body = ProofView), Refusals))]
async fn daily(State(app): State<App>, call: Call) -> Result<Json<ProofView>, Problem> {
    call.require(&Scope::FinanceRead)?;
    let search: Search = call.query()?;
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

/// What the treasury is owed of a day, by agency and general-ledger code.
#[utoipa::path(get, path = "/v1/finance/reports/treasury", tag = "finance", params(Search), responses((status = OK, body = Allocation), Refusals))]
async fn treasury(State(app): State<App>, call: Call) -> Result<Json<Allocation>, Problem> {
    call.require(&Scope::FinanceRead)?;
    let search: Search = call.query()?;
    let mut look = app.snapshot().await?;
    Ok(Json(treasury::daily(&mut look, &app.hub, search.date).await?))
}
