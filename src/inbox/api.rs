//! POST /channels/{channel}/callback: the door for outside parties, each in its own dialect; and what staff do with what came
//! through it.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::door::{Received, Refusal, receive};
use super::model::{InboxError, TakenUp};
use super::service;
use crate::access::Scope;
use crate::app::App;
use crate::http::call::Call;
use crate::http::json::collect;
use crate::http::once::Answer;
use crate::http::openapi::Refusals;
use crate::http::path::Path;
use crate::http::problem::{Code, Problem};

/// A callback is a few kilobytes; more is no callback.
const CALLBACK_BYTES_MAX: usize = 64 << 10;

pub fn router() -> Router<App> {
    Router::new().route("/channels/{channel}/callback", post(callback))
}

pub fn finance() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(apply))
}

/// Apply a notice that stands aside, after the cause is gone.
///
/// The poster takes it up again within a second. Cannot it be applied this time either, it stands aside once more, and its
/// break is open again. Refuses with `already_decided` when it does not stand aside, `not_found`.
#[utoipa::path(post, path = "/v1/finance/notices/{n}/apply", tag = "finance", params(("n" = i64, Path)), responses((status = OK, body = TakenUp), Refusals))]
async fn apply(State(app): State<App>, Path(n): Path<i64>, call: Call) -> Result<Answer, Problem> {
    call.require(&Scope::Reconcile)?;
    app.once(&call, StatusCode::OK, &n, |tx, n| Box::pin(service::apply_again(tx, n))).await
}

impl From<InboxError> for Problem {
    fn from(error: InboxError) -> Self {
        let detail = error.to_string();
        match error {
            InboxError::NotFound => Self::new(Code::NotFound).detail(detail),
            InboxError::NotAside(_) => Self::new(Code::AlreadyDecided).detail(detail),
            InboxError::Fault(fault) => fault.into(),
        }
    }
}

/// Verified and read at the door, stored raw, acknowledged; the poster applies it.
async fn callback(
    State(app): State<App>,
    Path(instance): Path<String>,
    request: Request<Body>,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let raw = collect(body, CALLBACK_BYTES_MAX).await?;
    match receive(&app, &instance, &parts.headers, &raw).await? {
        None => Err(Problem::new(Code::NotFound)),
        Some(Received::Taken(taken)) => {
            tracing::debug!(channel = %instance, ?taken, "callback");
            Ok(StatusCode::NO_CONTENT.into_response())
        }
        Some(Received::Hint) => Ok(StatusCode::ACCEPTED.into_response()),
        Some(Received::Refused(refusal)) => {
            tracing::warn!(channel = %instance, %refusal, "callback refused");
            let body = Json(json!({ "error": "refused", "message": refusal.to_string() }));
            Ok((status_of(&refusal), body).into_response())
        }
    }
}

/// Whose signature is right does not look for the fault in the keys.
fn status_of(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::Unsigned | Refusal::WrongSignature => StatusCode::UNAUTHORIZED,
        Refusal::AnotherMerchant => StatusCode::FORBIDDEN,
        Refusal::Unreadable(_) => StatusCode::UNPROCESSABLE_ENTITY,
    }
}
