//! POST /channels/{channel}/callback: the door for outside parties, each in its own dialect.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::json;

use super::door::{Received, receive};
use crate::app::App;
use crate::http::json::collect;
use crate::http::path::Path;
use crate::http::problem::{Code, Problem};

/// A callback is a few kilobytes; more is no callback.
const CALLBACK_BYTES_MAX: usize = 64 << 10;

pub fn router() -> Router<App> {
    Router::new().route("/channels/{channel}/callback", post(callback))
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
        Some(Received::Refused(why)) => {
            tracing::warn!(channel = %instance, why, "callback refused");
            let body = Json(json!({ "error": "refused", "message": why }));
            Ok((StatusCode::UNAUTHORIZED, body).into_response())
        }
    }
}
