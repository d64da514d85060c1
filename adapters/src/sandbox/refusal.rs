//! What is answered to a request that is not carried out: `{"error": "<slug>", "message": "<text>"}`.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// A refused request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub status: StatusCode,
    pub slug: &'static str,
    pub message: String,
}

impl Refusal {
    pub fn new(status: StatusCode, slug: &'static str, message: impl Into<String>) -> Self {
        Self { status, slug, message: message.into() }
    }

    /// 400: the request cannot be read.
    pub fn bad(slug: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, slug, message)
    }

    /// 404: what it names does not exist.
    pub fn unknown(slug: &'static str, name: &str) -> Self {
        let name: String = name.chars().take(60).collect();
        Self::new(StatusCode::NOT_FOUND, slug, format!("{name} is not known here"))
    }

    /// 409: it contradicts what has already happened.
    pub fn conflict(slug: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, slug, message)
    }

    /// 422: it can be read and makes no sense.
    pub fn senseless(slug: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, slug, message)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = serde_json::json!({"error": self.slug, "message": self.message});
        (self.status, Json(body)).into_response()
    }
}
