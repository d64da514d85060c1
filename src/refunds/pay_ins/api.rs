//! `/v1/finance/refunds/{id}/pay-ins` and `/v1/finance/pay-ins`: what agencies paid in.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use mizan_ledger::Money;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::service::{self, Decision, Proposal};
use super::{PayIn, store};
use crate::access::Scope;
use crate::app::App;
use crate::fault::Fault;
use crate::http::call::Call;
use crate::http::once::Answer;
use crate::http::openapi::Refusals;
use crate::http::path::Path;
use crate::http::problem::{Code, Faults, FieldCode, Problem};
use crate::ids::{PayInId, RefundId, SuspenseId};

const NOTE_CHARS_MAX: usize = 500;

pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(propose, listed)).routes(routes!(approve)).routes(routes!(refuse))
}

fn refund_id(text: &str) -> Result<RefundId, Problem> {
    text.parse().map_err(|_| Problem::new(Code::NotFound))
}

/// Money in suspense that was paid in for a refund.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPayIn {
    /// An item in suspense that came by a bank statement: `su_...`.
    item: String,
    /// All of it, or what the refund asks for if that is less, when none is given.
    amount: Option<Money>,
}

impl NewPayIn {
    fn read(self, refund: RefundId) -> Result<Proposal, Problem> {
        let mut faults = Faults::default();
        let item = faults.check("/item", self.item.parse::<SuspenseId>().map_err(|_| FieldCode::NotAnId));
        faults.finish()?;
        let item = item.ok_or(Problem::new(Code::NotFound))?;
        Ok(Proposal { refund, item, amount: self.amount })
    }
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct PayIns {
    data: Vec<PayIn>,
}

/// What was paid in for a refund, and what one person takes for it.
#[utoipa::path(get, path = "/v1/finance/refunds/{id}/pay-ins", tag = "finance", params(("id" = String, Path)), responses((status = OK, body = PayIns), Refusals))]
async fn listed(State(app): State<App>, Path(id): Path<String>, call: Call) -> Result<Json<PayIns>, Problem> {
    call.person(&Scope::FinanceRead)?;
    let id = refund_id(&id)?;
    let mut conn = app.pool.acquire().await.map_err(Fault::from)?;
    Ok(Json(PayIns { data: store::page_of(&mut conn, id).await? }))
}

/// Say that an item in suspense is what an agency paid in for a refund; another person decides.
///
/// What names the refund's own reference for paying in is taken by itself. Refuses with `refund_not_approvable`,
/// `over_refund`, `wrong_currency`, `already_proposed`, `not_found`, `validation_failed`.
#[utoipa::path(post, path = "/v1/finance/refunds/{id}/pay-ins", tag = "finance", params(("id" = String, Path)), request_body = NewPayIn, responses((status = CREATED, body = PayIn), Refusals))]
async fn propose(State(app): State<App>, Path(id): Path<String>, call: Call) -> Result<Answer, Problem> {
    call.person(&Scope::Reconcile)?;
    let proposal = call.json::<NewPayIn>()?.read(refund_id(&id)?)?;
    app.once(&call, StatusCode::CREATED, &proposal, |tx, proposal| Box::pin(service::propose(tx, proposal)))
        .await
}

/// What is said with a decision.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct PayInDecision {
    note: Option<String>,
}

fn read(call: &Call, id: &str, needs_note: bool) -> Result<Decision, Problem> {
    let pay_in: PayInId = id.parse().map_err(|_| Problem::new(Code::NotFound))?;
    let body = call.json::<PayInDecision>()?;
    let mut faults = Faults::default();
    match &body.note {
        Some(note) => faults.text("/note", note, NOTE_CHARS_MAX),
        None if needs_note => faults.add("/note", FieldCode::Required),
        None => {}
    }
    faults.finish()?;
    Ok(Decision { pay_in, note: body.note })
}

/// Agree with what another person took for paid in: the refund goes on.
///
/// Refuses with `same_person`, `already_decided`, `over_refund`, `refund_not_approvable`, `not_found`.
#[utoipa::path(post, path = "/v1/finance/pay-ins/{id}/approve", tag = "finance", params(("id" = String, Path)), request_body = PayInDecision, responses((status = OK, body = PayIn), Refusals))]
async fn approve(State(app): State<App>, Path(id): Path<String>, call: Call) -> Result<Answer, Problem> {
    call.person(&Scope::Approve)?;
    let decision = read(&call, &id, false)?;
    app.once(&call, StatusCode::OK, &decision, |tx, decision| Box::pin(service::approve(tx, decision))).await
}

/// Say no, and why: the item waits in suspense as before.
///
/// Refuses with `same_person`, `already_decided`, `not_found`.
#[utoipa::path(post, path = "/v1/finance/pay-ins/{id}/refuse", tag = "finance", params(("id" = String, Path)), request_body = PayInDecision, responses((status = OK, body = PayIn), Refusals))]
async fn refuse(State(app): State<App>, Path(id): Path<String>, call: Call) -> Result<Answer, Problem> {
    call.person(&Scope::Approve)?;
    let decision = read(&call, &id, true)?;
    app.once(&call, StatusCode::OK, &decision, |tx, decision| Box::pin(service::refuse(tx, decision))).await
}
