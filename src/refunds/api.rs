//! `/v1/refunds` for portals, `/v1/finance/refunds` for staff.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use futures::future::BoxFuture;
use mizan_ledger::Id;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::{self, DecisionBody, RedirectBody, RefundBody};
use super::model::{Refund, RefundError, RefundSource};
use super::service::{self, Decision};
use super::state::{PortalState, RefundState};
use super::store::{self, Filter};
use super::view::{self, More, RefundView, StaffView};
use super::{files, pay_ins};
use crate::access::Scope;
use crate::app::App;
use crate::fault::Fault;
use crate::http::call::Call;
use crate::http::once::Answer;
use crate::http::openapi::Refusals;
use crate::http::page::{Cursor, Page, PageRequest};
use crate::http::path::Path;
use crate::http::problem::{Code, Faults, FieldCode, FieldError, Problem};
use crate::ids::{PortalId, RefundId};
use crate::tx::Tx;

pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(request, search))
        .routes(routes!(find))
        .routes(routes!(withdraw))
        .routes(routes!(request_by_staff, search_by_staff))
        .routes(routes!(find_by_staff))
        .routes(routes!(approve))
        .routes(routes!(refuse))
        .routes(routes!(cancel))
        .routes(routes!(withdraw_by_staff))
        .routes(routes!(redirect))
        .routes(routes!(send_again))
        .routes(routes!(propose_denial))
        .routes(routes!(deny))
        .routes(routes!(propose_give_up))
        .routes(routes!(give_up))
        .routes(routes!(refuse_proposal))
        .merge(files::api::router())
        .merge(pay_ins::api::router())
}

fn refund_id(text: &str) -> Result<RefundId, Problem> {
    text.parse().map_err(|_| Problem::new(Code::NotFound))
}

/// Ask for money to be given back; staff approve.
///
/// `refundable` is what you believe is left; `source` a payment or an item of `unapplied`. Refuses with `over_refund`,
/// `refundable_mismatch`, `payment_reversed`, `wrong_currency`, `channel_unavailable`, `not_found`, `validation_failed`.
#[utoipa::path(post, path = "/v1/refunds", tag = "refunds", request_body = RefundBody, responses((status = CREATED, body = RefundView), Refusals))]
async fn request(State(app): State<App>, call: Call) -> Result<Answer, Problem> {
    let portal = call.portal(&Scope::RefundsWrite)?;
    let new = call.json::<RefundBody>()?.read(Some(portal))?;
    app.once(&call, StatusCode::CREATED, &new, |tx, new| {
        Box::pin(async move { service::request(tx, new).await.map(|refund| to_portal(tx, &refund)) })
    })
    .await
}

/// Take a request back before it is decided.
///
/// Refuses with `refund_not_cancelable`, `not_found`.
#[utoipa::path(post, path = "/v1/refunds/{id}/cancel", tag = "refunds", params(("id" = String, Path)), responses((status = OK, body = RefundView), Refusals))]
async fn withdraw(State(app): State<App>, Path(id): Path<String>, call: Call) -> Result<Answer, Problem> {
    call.portal(&Scope::RefundsWrite)?;
    let id = refund_id(&id)?;
    app.once(&call, StatusCode::OK, &id, |tx, id| {
        Box::pin(async move { service::withdraw(tx, id).await.map(|refund| to_portal(tx, &refund)) })
    })
    .await
}

fn to_portal(tx: &Tx, refund: &Refund) -> RefundView {
    view::for_portal(tx.hub(), refund)
}

fn to_staff(tx: &Tx, refund: &Refund) -> StaffView {
    view::for_staff(tx.hub(), refund, More::default())
}

/// Read a refund.
///
/// Refuses with `not_found`.
#[utoipa::path(get, path = "/v1/refunds/{id}", tag = "refunds", params(("id" = String, Path)), responses((status = OK, body = RefundView), Refusals))]
async fn find(
    State(app): State<App>,
    Path(id): Path<String>,
    call: Call,
) -> Result<Json<RefundView>, Problem> {
    let portal = call.portal(&Scope::RefundsRead)?;
    let id = refund_id(&id)?;
    let mut conn = app.pool.acquire().await.map_err(Fault::from)?;
    let refund = store::find(&mut conn, id).await?.filter(|refund| refund.portal == Some(portal));
    let refund = refund.ok_or(Problem::new(Code::NotFound))?;
    Ok(Json(view::for_portal(&app.hub, &refund)))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Search {
    limit: Option<u32>,
    cursor: Option<String>,
    /// `pending`, `succeeded`, `failed` or `canceled`.
    state: Option<String>,
    /// Staff: the state as it is.
    stage: Option<String>,
    source: Option<String>,
}

impl Search {
    fn read(&self, portal: Option<PortalId>) -> Result<(Filter, PageRequest), Problem> {
        let page = PageRequest::new(self.limit, self.cursor.as_deref())?;
        let mut faults = Faults::default();
        let mut filter = Filter { portal, ..Filter::default() };
        if let Some(text) = &self.state {
            let state = PortalState::parse(text).ok_or(FieldCode::NotAllowed);
            filter.states = faults.check("/state", state).map_or_else(Vec::new, PortalState::states);
        }
        if let Some(text) = &self.stage {
            let known = RefundState::parse(text).filter(|_| portal.is_none() && self.state.is_none());
            filter.states.extend(faults.check("/stage", known.ok_or(FieldCode::NotAllowed)));
        }
        let source = self.source.as_deref().map(body::source);
        match source.and_then(|source| faults.check("/source", source)) {
            Some(RefundSource::Intent(id)) => filter.intent = Some(id),
            Some(RefundSource::Suspense(id)) => filter.suspense_item = Some(id),
            None => {}
        }
        faults.finish()?;
        Ok((filter, page))
    }
}

/// Search refunds, newest first.
#[utoipa::path(get, path = "/v1/refunds", tag = "refunds", params(Search), responses((status = OK, body = Page<RefundView>), Refusals))]
async fn search(State(app): State<App>, call: Call) -> Result<Json<Page<RefundView>>, Problem> {
    let portal = call.portal(&Scope::RefundsRead)?;
    let search: Search = call.query()?;
    listed(&app, &search, Some(portal), |refund| view::for_portal(&app.hub, &refund)).await
}

async fn listed<V>(
    app: &App,
    search: &Search,
    portal: Option<PortalId>,
    view: impl FnMut(Refund) -> V,
) -> Result<Json<Page<V>>, Problem> {
    let (filter, page) = search.read(portal)?;
    let mut conn = app.pool.acquire().await.map_err(Fault::from)?;
    let before = page.after.map(|cursor| RefundId::from_uuid(cursor.id));
    let refunds = store::page(&mut conn, &filter, before, page.rows_to_read()).await?;
    let key = |refund: &Refund| Cursor { at: refund.created_at, id: refund.id.uuid() };
    Ok(Json(Page::from_rows(refunds, page, key, view)))
}

/// Ask for a refund on behalf of a payer.
///
/// Refuses with `over_refund`, `refundable_mismatch`, `payment_reversed`, `wrong_currency`, `channel_unavailable`,
/// `validation_failed`.
#[utoipa::path(post, path = "/v1/finance/refunds", tag = "finance", request_body = RefundBody, responses((status = CREATED, body = StaffView), Refusals))]
async fn request_by_staff(State(app): State<App>, call: Call) -> Result<Answer, Problem> {
    call.person(&Scope::RefundRequest)?;
    let new = call.json::<RefundBody>()?.read(None)?;
    app.once(&call, StatusCode::CREATED, &new, |tx, new| {
        Box::pin(async move { service::request(tx, new).await.map(|refund| to_staff(tx, &refund)) })
    })
    .await
}

/// Search refunds of all portals, newest first.
#[utoipa::path(get, path = "/v1/finance/refunds", tag = "finance", params(Search), responses((status = OK, body = Page<StaffView>), Refusals))]
async fn search_by_staff(State(app): State<App>, call: Call) -> Result<Json<Page<StaffView>>, Problem> {
    call.person(&Scope::FinanceRead)?;
    let search: Search = call.query()?;
    listed(&app, &search, None, |refund| view::for_staff(&app.hub, &refund, More::default())).await
}

/// Read a refund with its instructions.
///
/// Refuses with `not_found`.
#[utoipa::path(get, path = "/v1/finance/refunds/{id}", tag = "finance", params(("id" = String, Path)), responses((status = OK, body = StaffView), Refusals))]
async fn find_by_staff(
    State(app): State<App>,
    Path(id): Path<String>,
    call: Call,
) -> Result<Json<StaffView>, Problem> {
    call.person(&Scope::FinanceRead)?;
    let id = refund_id(&id)?;
    let mut conn = app.pool.acquire().await.map_err(Fault::from)?;
    let refund = store::find(&mut conn, id).await?.ok_or(Problem::new(Code::NotFound))?;
    let more = service::more(&mut conn, id).await?;
    Ok(Json(view::for_staff(&app.hub, &refund, more)))
}

/// A use case in which a person decides.
type Decide = for<'t> fn(&'t mut Tx, &'t Decision) -> BoxFuture<'t, Result<Refund, RefundError>>;

async fn decide(app: &App, call: &Call, decision: &Decision, decide: Decide) -> Result<Answer, Problem> {
    app.once(call, StatusCode::OK, decision, move |tx, decision| {
        Box::pin(async move { decide(tx, decision).await.map(|refund| to_staff(tx, &refund)) })
    })
    .await
}

/// Approve what another person asked for.
///
/// Refuses with `same_person`, `already_decided`, `refund_not_approvable`, `over_refund`, `payment_reversed`.
#[utoipa::path(post, path = "/v1/finance/refunds/{id}/approve", tag = "finance", params(("id" = String, Path)), request_body = DecisionBody, responses((status = OK, body = StaffView), Refusals))]
async fn approve(State(app): State<App>, Path(id): Path<String>, call: Call) -> Result<Answer, Problem> {
    call.person(&Scope::Approve)?;
    let decision = call.json::<DecisionBody>()?.read(refund_id(&id)?)?;
    decide(&app, &call, &decision, |tx, decision| Box::pin(service::approve(tx, decision))).await
}

/// Refuse, and say why.
///
/// Refuses with `same_person`, `already_decided`.
#[utoipa::path(post, path = "/v1/finance/refunds/{id}/refuse", tag = "finance", params(("id" = String, Path)), request_body = DecisionBody, responses((status = OK, body = StaffView), Refusals))]
async fn refuse(State(app): State<App>, Path(id): Path<String>, call: Call) -> Result<Answer, Problem> {
    call.person(&Scope::Approve)?;
    let decision = call.json::<DecisionBody>()?.read_with_note(refund_id(&id)?)?;
    decide(&app, &call, &decision, |tx, decision| Box::pin(service::refuse(tx, decision))).await
}

/// Cancel an approved refund that has not left, or one that failed or came back and whose payment was taken back.
///
/// Refuses with `refund_not_cancelable`, `same_person`.
#[utoipa::path(post, path = "/v1/finance/refunds/{id}/cancel", tag = "finance", params(("id" = String, Path)), request_body = DecisionBody, responses((status = OK, body = StaffView), Refusals))]
async fn cancel(State(app): State<App>, Path(id): Path<String>, call: Call) -> Result<Answer, Problem> {
    call.person(&Scope::Approve)?;
    let decision = call.json::<DecisionBody>()?.read(refund_id(&id)?)?;
    decide(&app, &call, &decision, |tx, decision| Box::pin(service::cancel(tx, decision))).await
}

/// Send a failed refund again, under a new reference.
///
/// Refuses with `same_person`, `refund_not_approvable`, `payment_reversed`.
#[utoipa::path(post, path = "/v1/finance/refunds/{id}/send-again", tag = "finance", params(("id" = String, Path)), request_body = DecisionBody, responses((status = OK, body = StaffView), Refusals))]
async fn send_again(State(app): State<App>, Path(id): Path<String>, call: Call) -> Result<Answer, Problem> {
    call.person(&Scope::Approve)?;
    let decision = call.json::<DecisionBody>()?.read(refund_id(&id)?)?;
    decide(&app, &call, &decision, |tx, decision| Box::pin(service::send_again(tx, decision))).await
}

/// Refuse what another person proposed of this refund, saying why: that it was not carried out, or that it is given up. It
/// stands as it did before.
///
/// Refuses with `same_person`, `refund_not_approvable` when nothing is proposed.
#[utoipa::path(post, path = "/v1/finance/refunds/{id}/proposal/refuse", tag = "finance", params(("id" = String, Path)), request_body = DecisionBody, responses((status = OK, body = StaffView), Refusals))]
async fn refuse_proposal(
    State(app): State<App>,
    Path(id): Path<String>,
    call: Call,
) -> Result<Answer, Problem> {
    call.person(&Scope::Approve)?;
    let decision = call.json::<DecisionBody>()?.read_with_note(refund_id(&id)?)?;
    decide(&app, &call, &decision, |tx, decision| Box::pin(service::refuse_proposal(tx, decision))).await
}

/// Propose that an instruction was not carried out that is unknown, or that is overdue, because the bank or channel says so.
///
/// Refuses with `refund_not_approvable`.
#[utoipa::path(post, path = "/v1/finance/refunds/{id}/not-carried-out", tag = "finance", params(("id" = String, Path)), request_body = DecisionBody, responses((status = OK, body = StaffView), Refusals))]
async fn propose_denial(
    State(app): State<App>,
    Path(id): Path<String>,
    call: Call,
) -> Result<Answer, Problem> {
    call.person(&Scope::RefundRequest)?;
    let decision = call.json::<DecisionBody>()?.read_with_note(refund_id(&id)?)?;
    decide(&app, &call, &decision, |tx, decision| Box::pin(service::propose_denial(tx, decision))).await
}

/// Agree that it was not carried out, as another person proposed: it has failed and may be sent again.
///
/// Refuses with `same_person`, `refund_not_approvable`.
#[utoipa::path(post, path = "/v1/finance/refunds/{id}/not-carried-out/approve", tag = "finance", params(("id" = String, Path)), request_body = DecisionBody, responses((status = OK, body = StaffView), Refusals))]
async fn deny(State(app): State<App>, Path(id): Path<String>, call: Call) -> Result<Answer, Problem> {
    call.person(&Scope::Approve)?;
    let decision = call.json::<DecisionBody>()?.read(refund_id(&id)?)?;
    decide(&app, &call, &decision, |tx, decision| Box::pin(service::deny(tx, decision))).await
}

/// Propose to give up, because no way to the payer was found.
///
/// Refuses with `refund_not_approvable`, `payment_reversed`.
#[utoipa::path(post, path = "/v1/finance/refunds/{id}/give-up", tag = "finance", params(("id" = String, Path)), request_body = DecisionBody, responses((status = OK, body = StaffView), Refusals))]
async fn propose_give_up(
    State(app): State<App>,
    Path(id): Path<String>,
    call: Call,
) -> Result<Answer, Problem> {
    call.person(&Scope::RefundRequest)?;
    let decision = call.json::<DecisionBody>()?.read_with_note(refund_id(&id)?)?;
    decide(&app, &call, &decision, |tx, decision| Box::pin(service::propose_give_up(tx, decision))).await
}

/// Agree to give up what another person proposed so.
///
/// Refuses with `same_person`, `refund_not_approvable`, `payment_reversed`.
#[utoipa::path(post, path = "/v1/finance/refunds/{id}/give-up/approve", tag = "finance", params(("id" = String, Path)), request_body = DecisionBody, responses((status = OK, body = StaffView), Refusals))]
async fn give_up(State(app): State<App>, Path(id): Path<String>, call: Call) -> Result<Answer, Problem> {
    call.person(&Scope::Approve)?;
    let decision = call.json::<DecisionBody>()?.read(refund_id(&id)?)?;
    decide(&app, &call, &decision, |tx, decision| Box::pin(service::give_up(tx, decision))).await
}

/// Take a request of one's own back.
///
/// Refuses with `refund_not_cancelable`.
#[utoipa::path(post, path = "/v1/finance/refunds/{id}/withdraw", tag = "finance", params(("id" = String, Path)), responses((status = OK, body = StaffView), Refusals))]
async fn withdraw_by_staff(
    State(app): State<App>,
    Path(id): Path<String>,
    call: Call,
) -> Result<Answer, Problem> {
    call.person(&Scope::RefundRequest)?;
    let id = refund_id(&id)?;
    app.once(&call, StatusCode::OK, &id, |tx, id| {
        Box::pin(async move { service::withdraw(tx, id).await.map(|refund| to_staff(tx, &refund)) })
    })
    .await
}

/// Name another account for a refund that failed or came back.
///
/// Refuses with `refund_not_approvable`, `payment_reversed`, `funds_missing`, `validation_failed`.
#[utoipa::path(post, path = "/v1/finance/refunds/{id}/payee", tag = "finance", params(("id" = String, Path)), request_body = RedirectBody, responses((status = OK, body = StaffView), Refusals))]
async fn redirect(State(app): State<App>, Path(id): Path<String>, call: Call) -> Result<Answer, Problem> {
    call.person(&Scope::RefundRequest)?;
    let asked = call.json::<RedirectBody>()?.read(refund_id(&id)?)?;
    app.once(&call, StatusCode::OK, &asked, |tx, asked| {
        Box::pin(async move { service::redirect(tx, asked).await.map(|refund| to_staff(tx, &refund)) })
    })
    .await
}

impl From<RefundError> for Problem {
    fn from(error: RefundError) -> Self {
        let detail = error.to_string();
        let refundable = |money: mizan_ledger::Money| serde_json::json!(money);
        let invalid =
            |field: String, code| Self::new(Code::ValidationFailed).field(FieldError::new(field, code));
        let problem = match error {
            RefundError::NotFound => Self::new(Code::NotFound),
            RefundError::OverRefund { refundable: left } => {
                Self::new(Code::OverRefund).with("refundable", refundable(left))
            }
            RefundError::RefundableMismatch { refundable: left } => {
                Self::new(Code::RefundableMismatch).with("refundable", refundable(left))
            }
            RefundError::WrongCurrency { .. } => Self::new(Code::WrongCurrency),
            RefundError::Component { place, .. } => {
                invalid(format!("/components/{place}"), FieldCode::NotAllowed)
            }
            RefundError::PayeeMissing => invalid("/payee".to_owned(), FieldCode::Required),
            RefundError::OwnAccount => invalid("/payee/iban".to_owned(), FieldCode::NotAllowed),
            RefundError::NoAccount(_) => Self::new(Code::ChannelUnavailable),
            RefundError::SamePerson => Self::new(Code::SamePerson),
            RefundError::AlreadyDecided { state } => {
                Self::new(Code::AlreadyDecided).with("stage", state.as_str())
            }
            RefundError::NotApprovable { state }
            | RefundError::Leaving { state }
            | RefundError::NotDeniable { state }
            | RefundError::ToldAsDone { state }
            | RefundError::CarriedOut { state } => {
                Self::new(Code::RefundNotApprovable).with("stage", state.as_str())
            }
            RefundError::NotProposed => Self::new(Code::RefundNotApprovable),
            RefundError::PaymentReversed => Self::new(Code::PaymentReversed),
            RefundError::NotCancelable { state, .. } => {
                Self::new(Code::RefundNotCancelable).with("stage", state.as_str())
            }
            RefundError::AlreadyProposed => Self::new(Code::AlreadyProposed),
            RefundError::PayInDecided { state } => Self::new(Code::AlreadyDecided).with("stage", state),
            RefundError::FundsMissing { agency } => Self::new(Code::FundsMissing).with("agency", agency),
            RefundError::Illegal(illegal) => {
                Self::new(Code::RefundNotApprovable).with("stage", illegal.state.as_str())
            }
            RefundError::Fault(fault) => return fault.into(),
        };
        problem.detail(detail)
    }
}
