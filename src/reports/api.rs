//! `/v1/finance/reports`: the day's proof, and the treasury's allocation list. `/v1/reports`: a portal's own day.

use axum::Json;
use axum::extract::State;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName};
use axum::response::{IntoResponse as _, Response};
use mizan_ledger::Day;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::portal::{self, PortalDay};
use super::service::{self, Asked};
use super::text;
use super::treasury::{self, Allocation};
use super::view::{self, ProofView};
use crate::access::Scope;
use crate::app::App;
use crate::http::call::Call;
use crate::http::openapi::Refusals;
use crate::http::problem::Problem;

pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(daily)).routes(routes!(treasury)).routes(routes!(portal_daily))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Search {
    date: Day,
}

/// Beside a proof as text: `true` or `false`, what `tied` is in JSON.
pub const TIED: HeaderName = HeaderName::from_static("mizan-tied");

/// The day's proof: the books against what is listed, per currency and account.
///
/// With `Accept: text/plain` as people read it, in the language of `Accept-Language`; the header `mizan-tied` says then
/// what `tied` does here.
#[utoipa::path(get, path = "/v1/finance/reports/daily", tag = "finance", params(Search), responses((status = OK, body = ProofView), Refusals))]
async fn daily(State(app): State<App>, call: Call) -> Result<Response, Problem> {
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
    if !wants_text(&call.headers) {
        return Ok(Json(view::daily(&proof)).into_response());
    }
    let tied = if proof.ties() { "true" } else { "false" };
    let headers = [(CONTENT_TYPE, "text/plain; charset=utf-8"), (TIED, tied)];
    Ok((headers, text::daily(&proof, call.language)).into_response())
}

fn wants_text(headers: &HeaderMap) -> bool {
    headers.get(ACCEPT).is_some_and(|accept| accept.as_bytes().starts_with(b"text/plain"))
}

/// This portal's own day, per currency and service.
///
/// A day is one of the hub's zone. A payment stands on the day of its event `payment_intent.paid`, a refund on the day of
/// its `refund.succeeded`, which the bank's statement decides.
#[utoipa::path(get, path = "/v1/reports/daily", tag = "payments", params(Search), responses((status = OK, body = PortalDay), Refusals))]
async fn portal_daily(State(app): State<App>, call: Call) -> Result<Json<PortalDay>, Problem> {
    let portal = call.portal(&Scope::ReportsRead)?;
    let search: Search = call.query()?;
    let asked = portal::Asked {
        portal,
        day: search.date,
        zone: &app.hub.calendar.zone,
        live: app.hub.config.mode.is_live(),
    };
    let mut look = app.snapshot().await?;
    Ok(Json(portal::daily(&mut look, asked).await?))
}

/// What the treasury is owed of a day, by agency and general-ledger code.
#[utoipa::path(get, path = "/v1/finance/reports/treasury", tag = "finance", params(Search), responses((status = OK, body = Allocation), Refusals))]
async fn treasury(State(app): State<App>, call: Call) -> Result<Json<Allocation>, Problem> {
    call.require(&Scope::FinanceRead)?;
    let search: Search = call.query()?;
    let mut look = app.snapshot().await?;
    Ok(Json(treasury::daily(&mut look, &app.hub, search.date).await?))
}
