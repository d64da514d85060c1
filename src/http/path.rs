//! Reading of the named parts of a path, as a handler's argument.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::problem::Problem;

/// As [`axum::extract::Path`], but what cannot be read is empty, which names nothing: who calls is asked first, and only
/// then answered with `not_found`.
#[derive(Debug, Clone, Copy)]
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Default + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        // PostgreSQL keeps no text with a zero character, so it names nothing either.
        if parts.uri.path().contains("%00") {
            return Ok(Self(T::default()));
        }
        let read = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        Ok(Self(read.map_or_else(|_| T::default(), |axum::extract::Path(read)| read)))
    }
}
