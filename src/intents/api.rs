//! `/v1/payment-intents`: open, read, search, cancel.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use mizan_ledger::{Id, Instant};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::{Asked, IntentBody};
use super::model::{IntentError, IntentState, NewIntent};
use super::view::{self, IntentView};
use super::{service, store};
use crate::access::Scope;
use crate::app::App;
use crate::fault::Fault;
use crate::http::call::Call;
use crate::http::once::Answer;
use crate::http::openapi::Refusals;
use crate::http::page::{Cursor, Page, PageRequest};
use crate::http::path::Path;
use crate::http::problem::{Code, Faults, FieldCode, FieldError, Problem};
use crate::http::together::Together;
use crate::ids::IntentId;

/// Payments that wait to be opened.
pub type Waiting = Together<NewIntent>;

pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(open, search)).routes(routes!(find)).routes(routes!(cancel))
}

/// Open a payment: on a quote, or priced and opened in one call.
///
/// Send the payer to `pay_url`. At most one live intent stands for an external reference and purpose. Refuses with
/// `reference_in_use`, `quote_not_found`, `quote_expired`, `quote_used`, `no_tariff`, `validation_failed`,
/// `channel_unavailable` when no channel can carry it.
#[utoipa::path(post, path = "/v1/payment-intents", tag = "payments", request_body = IntentBody, responses((status = CREATED, body = IntentView), Refusals))]
async fn open(State(app): State<App>, call: Call) -> Result<Answer, Problem> {
    let portal = call.portal(&Scope::IntentsWrite)?;
    let asked = call.json::<IntentBody>()?.read(portal, &app, &call).await?;
    let Asked { intent, lines } = asked;
    let Some(lines) = lines else {
        return app
            .once_together(&app.intents, (call, intent), StatusCode::CREATED, |tx, all| {
                Box::pin(service::open_all(tx, all))
            })
            .await;
    };
    app.once(&call, StatusCode::CREATED, &(intent, lines), |tx, (intent, lines)| {
        Box::pin(service::open_with_lines(tx, intent, lines))
    })
    .await
}

/// Read a payment.
///
/// Refuses with `not_found`.
#[utoipa::path(get, path = "/v1/payment-intents/{id}", tag = "payments", params(("id" = String, Path)), responses((status = OK, body = IntentView), Refusals))]
async fn find(
    State(app): State<App>,
    Path(id): Path<String>,
    call: Call,
) -> Result<Json<IntentView>, Problem> {
    let portal = call.portal(&Scope::IntentsRead)?;
    let id: IntentId = id.parse().map_err(|_| Problem::new(Code::NotFound))?;
    let mut conn = app.pool.acquire().await.map_err(Fault::from)?;
    let intent = store::find(&mut conn, id).await?.filter(|intent| intent.portal == portal);
    intent.ok_or(Problem::new(Code::NotFound))?;
    let view = view::find(&mut conn, &app.hub, id).await?;
    view.map(Json).ok_or(Problem::new(Code::NotFound))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Search {
    limit: Option<u32>,
    cursor: Option<String>,
    state: Option<String>,
    external_reference: Option<String>,
    created_from: Option<String>,
    created_to: Option<String>,
}

/// Search payments, newest first.
#[utoipa::path(get, path = "/v1/payment-intents", tag = "payments", params(Search), responses((status = OK, body = Page<IntentView>), Refusals))]
async fn search(State(app): State<App>, call: Call) -> Result<Json<Page<IntentView>>, Problem> {
    let portal = call.portal(&Scope::IntentsRead)?;
    let search: Search = call.query()?;
    let page = PageRequest::new(search.limit, search.cursor.as_deref())?;
    let mut faults = Faults::default();
    let state = search.state.as_deref().and_then(|text| {
        let state = IntentState::parse(text).ok_or(FieldCode::NotAllowed);
        faults.check("/state", state)
    });
    let mut instant = |pointer, text: Option<&str>| {
        text.and_then(|text| faults.check(pointer, text.parse::<Instant>().map_err(|_| FieldCode::NotATime)))
    };
    let created_from = instant("/created_from", search.created_from.as_deref());
    let created_to = instant("/created_to", search.created_to.as_deref());
    faults.finish()?;
    let filter = store::Filter {
        portal: Some(portal),
        state,
        external_reference: search.external_reference,
        created_from,
        created_to,
    };
    let mut conn = app.pool.acquire().await.map_err(Fault::from)?;
    let before = page.after.map(|cursor| IntentId::from_uuid(cursor.id));
    let intents = store::page(&mut conn, &filter, before, page.rows_to_read()).await?;
    let views = view::page(&mut conn, &app.hub, intents).await?;
    let at = |view: &IntentView| Cursor { at: view.created_at, id: view.id.uuid() };
    Ok(Json(Page::from_rows(views, page, at, |view| view)))
}

/// Cancel a payment that nobody has begun to pay.
///
/// Refuses with `intent_not_cancelable`, `attempt_in_progress`, `not_found`.
#[utoipa::path(post, path = "/v1/payment-intents/{id}/cancel", tag = "payments", params(("id" = String, Path)), responses((status = OK, body = IntentView), Refusals))]
async fn cancel(State(app): State<App>, Path(id): Path<String>, call: Call) -> Result<Answer, Problem> {
    let portal = call.portal(&Scope::IntentsWrite)?;
    let id: IntentId = id.parse().map_err(|_| Problem::new(Code::NotFound))?;
    app.once(&call, StatusCode::OK, &(portal, id), |tx, asked| Box::pin(service::cancel(tx, asked))).await
}

impl From<IntentError> for Problem {
    fn from(error: IntentError) -> Self {
        let detail = error.to_string();
        let problem = match error {
            IntentError::NotFound => Self::new(Code::NotFound),
            IntentError::ReferenceInUse { intent, state } => Self::new(Code::ReferenceInUse)
                .with("payment_intent", intent.to_string())
                .with("state", state.as_str()),
            IntentError::Quote(quote) => return quote.into(),
            IntentError::Fault(fault) => return fault.into(),
            IntentError::ReturnUrlNotRegistered => Self::new(Code::ValidationFailed)
                .field(FieldError::new("/return_url", FieldCode::NotRegistered)),
            IntentError::UnknownChannel(_) => Self::new(Code::ValidationFailed)
                .field(FieldError::new("/channels", FieldCode::UnknownChannel)),
            IntentError::ChannelUnavailable { .. } | IntentError::NoChannel { .. } => {
                Self::new(Code::ChannelUnavailable)
            }
            IntentError::AttemptInProgress { .. } => Self::new(Code::AttemptInProgress).retry_after(60),
            IntentError::NotCancelable { .. } => Self::new(Code::IntentNotCancelable),
            IntentError::NotPayable { .. } => Self::new(Code::IntentNotPayable),
        };
        problem.detail(detail)
    }
}
