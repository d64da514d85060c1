//! All routes and the layers around them.

use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_LANGUAGE, CONTENT_LENGTH, VARY};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;

use super::problem::{self, Code, Problem, REQUEST_ID};
use super::{docs, health, openapi};
use crate::app::App;
use crate::fault::Fault;
use crate::ids::RequestId;
use crate::{
    access, breaks, catalogue, console, events, fulfilment, inbox, intents, pay, queue, quoting, receipts,
    recon, refunds, reports, webhooks,
};

/// The calls of the API, each with its entry in the document.
fn calls() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(openapi::base())
        .merge(catalogue::api::router())
        .merge(quoting::api::router())
        .merge(intents::api::router())
        .merge(receipts::api::router())
        .merge(refunds::api::router())
        .merge(events::api::router())
        .merge(webhooks::api::router())
        .merge(fulfilment::api::router())
        .merge(recon::api::router())
        .merge(breaks::api::router())
        .merge(inbox::api::finance())
        .merge(queue::api::router())
        .merge(reports::api::router())
        .merge(access::api::router())
        .merge(health::router())
}

/// The document of the API, as `/v1/openapi.json` serves it.
pub fn document() -> utoipa::openapi::OpenApi {
    openapi::finish(calls().into_openapi())
}

/// The whole hub as one service.
pub fn router(app: App) -> Router {
    let (calls, document) = calls().split_for_parts();
    calls
        .merge(inbox::api::router())
        .merge(pay::api::router())
        .merge(console::router())
        .merge(docs::routes(&openapi::finish(document)))
        .fallback(|| async { Problem::new(Code::NotFound) })
        .method_not_allowed_fallback(|| async { Problem::new(Code::MethodNotAllowed) })
        .layer(CatchPanicLayer::custom(|_| Problem::new(Code::Internal).into_response()))
        .layer(middleware::from_fn_with_state(app.clone(), finish))
        .layer(middleware::from_fn(page))
        .layer(middleware::from_fn(problem::speak))
        .layer(middleware::from_fn_with_state(app.clone(), name))
        .with_state(app)
}

/// Gives every request an id, in and out.
async fn name(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let id: RequestId = app.hub.entropy.id(app.clock.now());
    let value = HeaderValue::from_str(&id.to_string()).unwrap_or(HeaderValue::from_static("req"));
    request.headers_mut().insert(REQUEST_ID, value.clone());
    let mut response = next.run(request).await;
    response.headers_mut().insert(REQUEST_ID, value);
    response
}

/// Under these paths people read pages: whatever is refused there, by a handler, a reader of forms or the router itself,
/// is told on a page of that room in both languages.
async fn page(request: Request, next: Next) -> Response {
    let room = request.uri().path().split('/').nth(1);
    let refused: fn(&Problem) -> Response = match room {
        Some("console") => console::refused,
        Some("pay" | "r") => pay::refused,
        _ => return next.run(request).await,
    };
    let mut response = next.run(request).await;
    let Some(problem) = response.extensions_mut().remove::<Problem>() else { return response };
    let (mut parts, _) = response.into_parts();
    let (told, body) = refused(&problem).into_parts();
    // What others added stays, such as the methods that are allowed.
    parts.headers.extend(told.headers);
    parts.headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static("ar, en"));
    parts.headers.remove(VARY);
    parts.headers.remove(CONTENT_LENGTH);
    Response::from_parts(parts, body)
}

/// A writing request ends whether or not its client stays: it runs in the hub's own tasks.
async fn finish(State(app): State<App>, request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return next.run(request).await;
    }
    let work = app.tasks.spawn(async move { next.run(request).await });
    match tokio::time::timeout(REQUEST_TIME_MAX, work).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => {
            tracing::error!(%error, "a request's task ended early");
            Problem::new(Code::Internal).into_response()
        }
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, Problem::new(Code::Unavailable)).into_response(),
    }
}

const REQUEST_TIME_MAX: Duration = Duration::from_secs(60);

/// A fault is logged here, once, and tells nothing outside.
impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        if fault.is_unavailable() || fault.is_transient() {
            tracing::warn!(%fault, "unavailable");
            return Self::new(Code::Unavailable).retry_after(1);
        }
        tracing::error!(%fault, "fault");
        Self::new(Code::Internal)
    }
}
