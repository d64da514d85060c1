//! `/v1/webhook-endpoints`: where a portal hears its events.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use mizan_ledger::Id as _;
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::delivery::{DeliveryState, TEST_TYPE};
use super::model::{DisabledReason, EndpointState, WebhookError};
use super::service::{self, Change, NewEndpoint, Replay, SecretsChange};
use super::signing::WebhookSecret;
use super::store;
use super::target::{Policy, Refused};
use super::view::{
    ChangeBody, DeliveryView, EndpointView, OpenBody, ReplayBody, ReplayView, SecretsBody, StateBody,
    TestView,
};
use crate::access::Scope;
use crate::app::App;
use crate::events::is_type;
use crate::fault::Fault;
use crate::http::call::Call;
use crate::http::once::Answer;
use crate::http::openapi::Refusals;
use crate::http::page::{Cursor, Page, PageRequest};
use crate::http::path::Path;
use crate::http::problem::{Code, Faults, FieldCode, FieldError, Problem};
use crate::ids::{PortalId, WebhookId};

pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(open, list))
        .routes(routes!(find, change, delete))
        .routes(routes!(test))
        .routes(routes!(replay))
        .routes(routes!(deliveries))
}

/// Register an endpoint. Its secret is shown once.
///
/// Refuses with `webhook_limit_reached`, `validation_failed`.
#[utoipa::path(post, path = "/v1/webhook-endpoints", tag = "webhooks", request_body = OpenBody, responses((status = CREATED, body = EndpointView), Refusals))]
async fn open(State(app): State<App>, call: Call) -> Result<Answer, Problem> {
    let portal = call.portal(&Scope::WebhooksWrite)?;
    let body: OpenBody = call.json()?;
    let mut faults = Faults::default();
    check_url(&app, &mut faults, &body.url)?;
    check_types(&mut faults, &body.types);
    faults.finish()?;
    let secret = WebhookSecret::generate(&app.hub.entropy);
    let new = NewEndpoint { portal, url: body.url, types: body.types, secret };
    let answer = app
        .once(&call, StatusCode::CREATED, &new, |tx, new| {
            Box::pin(async move {
                let endpoint = service::open(tx, new).await?;
                Ok::<_, WebhookError>(EndpointView::new(&endpoint, tx.hub()))
            })
        })
        .await?;
    Ok(answer.showing("", "secret", new.secret.reveal().expose_secret())?)
}

fn check_url(app: &App, faults: &mut Faults, url: &str) -> Result<(), Problem> {
    let policy = Policy::new(&app.hub.config).map_err(|error| Fault::Other(error.to_string()))?;
    let checked = policy.target(url).map(drop).map_err(|refused| match refused {
        Refused::Form | Refused::NotEncrypted => FieldCode::NotAUrl,
        Refused::Host | Refused::Address => FieldCode::NotRegistered,
    });
    faults.check("/url", checked);
    Ok(())
}

fn check_types(faults: &mut Faults, types: &[String]) {
    if types.len() > crate::events::TYPES.len() {
        faults.add("/types", FieldCode::TooMany);
        return;
    }
    for (place, kind) in types.iter().enumerate() {
        if !is_type(kind) {
            faults.add(format!("/types/{place}"), FieldCode::NotAllowed);
        }
    }
}

/// The portal's endpoints.
#[utoipa::path(get, path = "/v1/webhook-endpoints", tag = "webhooks", responses((status = OK, body = Page<EndpointView>), Refusals))]
async fn list(State(app): State<App>, call: Call) -> Result<Json<Page<EndpointView>>, Problem> {
    let portal = call.portal(&Scope::WebhooksWrite)?;
    let mut conn = app.pool.acquire().await.map_err(Fault::from)?;
    let endpoints = store::page(&mut conn, portal).await?;
    let data = endpoints.iter().map(|endpoint| EndpointView::new(endpoint, &app.hub)).collect();
    Ok(Json(Page { data, next_cursor: None }))
}

/// The caller and the endpoint in the path.
fn named(call: &Call, id: &str) -> Result<(PortalId, WebhookId), Problem> {
    let portal = call.portal(&Scope::WebhooksWrite)?;
    Ok((portal, id.parse().map_err(|_| Problem::new(Code::NotFound))?))
}

/// Read an endpoint.
///
/// Refuses with `not_found`.
#[utoipa::path(get, path = "/v1/webhook-endpoints/{id}", tag = "webhooks", params(("id" = String, Path)), responses((status = OK, body = EndpointView), Refusals))]
async fn find(
    State(app): State<App>,
    Path(id): Path<String>,
    call: Call,
) -> Result<Json<EndpointView>, Problem> {
    let (portal, id) = named(&call, &id)?;
    let mut conn = app.pool.acquire().await.map_err(Fault::from)?;
    let endpoint = store::find(&mut conn, portal, id).await?.ok_or(Problem::new(Code::NotFound))?;
    Ok(Json(EndpointView::new(&endpoint, &app.hub)))
}

/// Change an endpoint, or rotate its secret: two sign until the old one is dropped.
///
/// Refuses with `webhook_limit_reached`, `not_found`, `validation_failed`.
#[utoipa::path(patch, path = "/v1/webhook-endpoints/{id}", tag = "webhooks", params(("id" = String, Path)), request_body = ChangeBody, responses((status = OK, body = EndpointView), Refusals))]
async fn change(State(app): State<App>, Path(id): Path<String>, call: Call) -> Result<Answer, Problem> {
    let (portal, id) = named(&call, &id)?;
    let body: ChangeBody = call.json()?;
    let mut faults = Faults::default();
    if let Some(url) = &body.url {
        check_url(&app, &mut faults, url)?;
    }
    check_types(&mut faults, body.types.as_deref().unwrap_or_default());
    faults.finish()?;
    let secret = WebhookSecret::generate(&app.hub.entropy);
    let asked = Change {
        portal,
        id,
        url: body.url,
        types: body.types,
        state: body.state.map(|state| match state {
            StateBody::Enabled => EndpointState::Enabled,
            StateBody::Disabled => EndpointState::Disabled(DisabledReason::Asked),
        }),
        secrets: body.secrets.map(|secrets| match secrets {
            SecretsBody::Rotate => SecretsChange::Rotate(secret.clone()),
            SecretsBody::DropOld => SecretsChange::DropOld,
        }),
    };
    let answer = app
        .once(&call, StatusCode::OK, &asked, |tx, asked| {
            Box::pin(async move {
                let endpoint = service::change(tx, asked).await?;
                Ok::<_, WebhookError>(EndpointView::new(&endpoint, tx.hub()))
            })
        })
        .await?;
    match body.secrets {
        Some(SecretsBody::Rotate) => Ok(answer.showing("", "secret", secret.reveal().expose_secret())?),
        _ => Ok(answer),
    }
}

/// Delete an endpoint.
///
/// Refuses with `not_found`.
#[utoipa::path(delete, path = "/v1/webhook-endpoints/{id}", tag = "webhooks", params(("id" = String, Path)), responses((status = OK, body = EndpointView), Refusals))]
async fn delete(State(app): State<App>, Path(id): Path<String>, call: Call) -> Result<Answer, Problem> {
    let asked = named(&call, &id)?;
    app.once(&call, StatusCode::OK, &asked, |tx, asked| {
        Box::pin(async move {
            let endpoint = service::delete(tx, asked).await?;
            Ok::<_, WebhookError>(EndpointView::new(&endpoint, tx.hub()))
        })
    })
    .await
}

/// Queue a test message.
///
/// Refuses with `not_found`.
#[utoipa::path(post, path = "/v1/webhook-endpoints/{id}/test", tag = "webhooks", params(("id" = String, Path)), responses((status = ACCEPTED, body = TestView), Refusals))]
async fn test(State(app): State<App>, Path(id): Path<String>, call: Call) -> Result<Answer, Problem> {
    let asked = named(&call, &id)?;
    let answer = app
        .once(&call, StatusCode::ACCEPTED, &asked, |tx, asked| {
            Box::pin(async move {
                let (id, event) = service::test(tx, asked).await?;
                Ok::<_, WebhookError>(TestView { id, event, kind: TEST_TYPE })
            })
        })
        .await?;
    app.wake.webhooks.notify_one();
    Ok(answer)
}

/// Queue events of the feed once more.
///
/// Refuses with `events_gone`, `not_found`, `validation_failed`.
#[utoipa::path(post, path = "/v1/webhook-endpoints/{id}/replay", tag = "webhooks", params(("id" = String, Path)), request_body = ReplayBody, responses((status = ACCEPTED, body = ReplayView), Refusals))]
async fn replay(State(app): State<App>, Path(id): Path<String>, call: Call) -> Result<Answer, Problem> {
    let (portal, id) = named(&call, &id)?;
    let body: ReplayBody = call.json()?;
    let mut faults = Faults::default();
    if body.after < 0 {
        faults.add("/after", FieldCode::OutOfRange);
    }
    if body.until.is_some_and(|until| until <= body.after) {
        faults.add("/until", FieldCode::OutOfRange);
    }
    faults.finish()?;
    let asked = Replay { portal, id, after: body.after, until: body.until };
    let answer = app
        .once(&call, StatusCode::ACCEPTED, &asked, |tx, asked| {
            Box::pin(async move {
                let replayed = service::replay(tx, asked).await?;
                let view = ReplayView { queued: replayed.queued, next_after: replayed.next_after };
                Ok::<_, WebhookError>(view)
            })
        })
        .await?;
    app.wake.webhooks.notify_one();
    Ok(answer)
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Search {
    limit: Option<u32>,
    cursor: Option<String>,
    state: Option<String>,
}

/// What became of the messages, newest first.
#[utoipa::path(get, path = "/v1/webhook-endpoints/{id}/deliveries", tag = "webhooks", params(("id" = String, Path), Search), responses((status = OK, body = Page<DeliveryView>), Refusals))]
async fn deliveries(
    State(app): State<App>,
    Path(id): Path<String>,
    call: Call,
) -> Result<Json<Page<DeliveryView>>, Problem> {
    let (portal, id) = named(&call, &id)?;
    let search: Search = call.query()?;
    let page = PageRequest::new(search.limit, search.cursor.as_deref())?;
    let state = match search.state.as_deref() {
        None => None,
        Some(text) => Some(DeliveryState::parse(text).ok_or_else(|| {
            Problem::new(Code::QueryInvalid).field(FieldError::new("/state", FieldCode::NotAllowed))
        })?),
    };
    let mut conn = app.pool.acquire().await.map_err(Fault::from)?;
    store::find(&mut conn, portal, id).await?.ok_or(Problem::new(Code::NotFound))?;
    let before = page.after.map(|cursor| cursor.id);
    let rows = store::page_deliveries(&mut conn, id, state, before, page.rows_to_read()).await?;
    let listed = Page::from_rows(
        rows,
        page,
        |delivery| Cursor { at: delivery.queued_at, id: delivery.id.uuid() },
        DeliveryView::from,
    );
    Ok(Json(listed))
}

impl From<WebhookError> for Problem {
    fn from(error: WebhookError) -> Self {
        let detail = error.to_string();
        let problem = match error {
            WebhookError::NotFound => Self::new(Code::NotFound),
            WebhookError::TooManyEndpoints | WebhookError::TwoSecrets => Self::new(Code::WebhookLimitReached),
            WebhookError::EventsGone { pruned } => Self::new(Code::EventsGone).with("after", pruned),
            WebhookError::Fault(fault) => return fault.into(),
        };
        problem.detail(detail)
    }
}
