//! `/v1/refunds` for portals, `/v1/finance/refunds` for staff.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use futures::future::BoxFuture;
use mizan_ledger::Id;
use serde::Deserialize;

use super::body::{self, DecisionBody, RedirectBody, RefundBody};
use super::model::{PortalState, Refund, RefundError, RefundSource, RefundState};
use super::service::{self, Decision};
use super::store::{self, Filter};
use super::view::{self, RefundView, StaffView};
use super::{attempts, files};
use crate::access::Scope;
use crate::app::App;
use crate::fault::Fault;
use crate::http::call::Call;
use crate::http::once::Answer;
use crate::http::page::{Cursor, Page, PageRequest};
use crate::http::problem::{Code, Faults, FieldCode, FieldError, Problem};
use crate::http::query::Params;
use crate::ids::{PortalId, RefundId};
use crate::tx::Tx;

pub fn router() -> Router<App> {
    Router::new()
        .route("/v1/refunds", post(request).get(search))
        .route("/v1/refunds/{id}", get(find))
        .route("/v1/refunds/{id}/cancel", post(withdraw))
        .route("/v1/finance/refunds", post(request_by_staff).get(search_by_staff))
        .route("/v1/finance/refunds/{id}", get(find_by_staff))
        .route("/v1/finance/refunds/{id}/approve", post(approve))
        .route("/v1/finance/refunds/{id}/refuse", post(refuse))
        .route("/v1/finance/refunds/{id}/cancel", post(cancel))
        .route("/v1/finance/refunds/{id}/withdraw", post(withdraw_by_staff))
        .route("/v1/finance/refunds/{id}/payee", post(redirect))
        .route("/v1/finance/refunds/{id}/send-again", post(send_again))
        .route("/v1/finance/refunds/{id}/give-up", post(give_up))
        .merge(files::api::router())
}

fn refund_id(text: &str) -> Result<RefundId, Problem> {
    text.parse().map_err(|_| Problem::new(Code::NotFound))
}

async fn request(State(app): State<App>, call: Call) -> Result<Answer, Problem> {
    let portal = call.portal(&Scope::RefundsWrite)?;
    let new = call.json::<RefundBody>()?.read(Some(portal))?;
    app.once(&call, StatusCode::CREATED, &new, |tx, new| {
        Box::pin(async move { service::request(tx, new).await.map(|refund| to_portal(tx, &refund)) })
    })
    .await
}

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
    view::for_staff(tx.hub(), refund, Vec::new())
}

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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
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

async fn search(
    State(app): State<App>,
    Params(search): Params<Search>,
    call: Call,
) -> Result<Json<Page<RefundView>>, Problem> {
    let portal = call.portal(&Scope::RefundsRead)?;
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

async fn request_by_staff(State(app): State<App>, call: Call) -> Result<Answer, Problem> {
    call.person(&Scope::RefundRequest)?;
    let new = call.json::<RefundBody>()?.read(None)?;
    app.once(&call, StatusCode::CREATED, &new, |tx, new| {
        Box::pin(async move { service::request(tx, new).await.map(|refund| to_staff(tx, &refund)) })
    })
    .await
}

async fn search_by_staff(
    State(app): State<App>,
    Params(search): Params<Search>,
    call: Call,
) -> Result<Json<Page<StaffView>>, Problem> {
    call.person(&Scope::FinanceRead)?;
    listed(&app, &search, None, |refund| view::for_staff(&app.hub, &refund, Vec::new())).await
}

async fn find_by_staff(
    State(app): State<App>,
    Path(id): Path<String>,
    call: Call,
) -> Result<Json<StaffView>, Problem> {
    call.person(&Scope::FinanceRead)?;
    let id = refund_id(&id)?;
    let mut conn = app.pool.acquire().await.map_err(Fault::from)?;
    let refund = store::find(&mut conn, id).await?.ok_or(Problem::new(Code::NotFound))?;
    let instructions = attempts::store::page_of(&mut conn, id).await?;
    Ok(Json(view::for_staff(&app.hub, &refund, instructions)))
}

/// A use case in which an approver decides.
type Decide = for<'t> fn(&'t mut Tx, &'t Decision) -> BoxFuture<'t, Result<Refund, RefundError>>;

async fn decide(app: &App, call: &Call, decision: &Decision, decide: Decide) -> Result<Answer, Problem> {
    app.once(call, StatusCode::OK, decision, move |tx, decision| {
        Box::pin(async move { decide(tx, decision).await.map(|refund| to_staff(tx, &refund)) })
    })
    .await
}

async fn approve(State(app): State<App>, Path(id): Path<String>, call: Call) -> Result<Answer, Problem> {
    call.person(&Scope::Approve)?;
    let decision = call.json::<DecisionBody>()?.read(refund_id(&id)?)?;
    decide(&app, &call, &decision, |tx, decision| Box::pin(service::approve(tx, decision))).await
}

async fn refuse(State(app): State<App>, Path(id): Path<String>, call: Call) -> Result<Answer, Problem> {
    call.person(&Scope::Approve)?;
    let decision = call.json::<DecisionBody>()?.read_with_note(refund_id(&id)?)?;
    decide(&app, &call, &decision, |tx, decision| Box::pin(service::refuse(tx, decision))).await
}

async fn cancel(State(app): State<App>, Path(id): Path<String>, call: Call) -> Result<Answer, Problem> {
    call.person(&Scope::Approve)?;
    let decision = call.json::<DecisionBody>()?.read(refund_id(&id)?)?;
    decide(&app, &call, &decision, |tx, decision| Box::pin(service::cancel(tx, decision))).await
}

async fn send_again(State(app): State<App>, Path(id): Path<String>, call: Call) -> Result<Answer, Problem> {
    call.person(&Scope::Approve)?;
    let decision = call.json::<DecisionBody>()?.read(refund_id(&id)?)?;
    decide(&app, &call, &decision, |tx, decision| Box::pin(service::send_again(tx, decision))).await
}

async fn give_up(State(app): State<App>, Path(id): Path<String>, call: Call) -> Result<Answer, Problem> {
    call.person(&Scope::Approve)?;
    let decision = call.json::<DecisionBody>()?.read_with_note(refund_id(&id)?)?;
    decide(&app, &call, &decision, |tx, decision| Box::pin(service::give_up(tx, decision))).await
}

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
            RefundError::NoAccount(_) => Self::new(Code::ChannelUnavailable),
            RefundError::SamePerson => Self::new(Code::SamePerson),
            RefundError::AlreadyDecided { state } => {
                Self::new(Code::AlreadyDecided).with("stage", state.as_str())
            }
            RefundError::NotApprovable { state } => {
                Self::new(Code::RefundNotApprovable).with("stage", state.as_str())
            }
            RefundError::NotCancelable { state, .. } => {
                Self::new(Code::RefundNotCancelable).with("stage", state.as_str())
            }
            RefundError::Illegal(illegal) => {
                Self::new(Code::RefundNotApprovable).with("stage", illegal.state.as_str())
            }
            RefundError::Fault(fault) => return fault.into(),
        };
        problem.detail(detail)
    }
}
