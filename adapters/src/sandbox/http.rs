//! What every handler needs: who calls, a body within its limits, JSON errors, and the two faults of the API.

use std::sync::Arc;

use axum::body::{Bytes, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use subtle::{Choice, ConstantTimeEq};

use super::faults::ApiFault;
use super::refusal::Refusal;
use super::world::{Shared, World};

const JSON_BYTES_MAX: usize = 64 * 1024;
/// Payment files are the greatest thing the sandbox takes.
pub const FILE_BYTES_MAX: usize = 5 * 1024 * 1024;

pub type App = Arc<Shared>;

/// The merchant whose API key came with the request.
#[derive(Debug)]
pub struct Caller(pub String);

impl FromRequestParts<App> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let header = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let given = header.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default().as_bytes();
        // Every key is compared, each in constant time.
        let mut caller = None;
        for merchant in &app.config.merchants {
            let same: Choice = merchant.api_key.expose_secret().as_bytes().ct_eq(given);
            if bool::from(same) {
                caller = Some(Self(merchant.id.clone()));
            }
        }
        caller.ok_or_else(|| {
            Refusal::new(StatusCode::UNAUTHORIZED, "unauthorized", "a known API key is needed")
        })
    }
}

/// A JSON body; unknown members are refused.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &App) -> Result<Self, Refusal> {
        let bytes = body_bytes(request, JSON_BYTES_MAX).await?;
        serde_json::from_slice(&bytes).map(Self).map_err(|error| Refusal::bad("bad_json", error.to_string()))
    }
}

/// A file as the body.
#[derive(Debug)]
pub struct FileBody(pub Bytes);

impl FromRequest<App> for FileBody {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &App) -> Result<Self, Refusal> {
        body_bytes(request, FILE_BYTES_MAX).await.map(Self)
    }
}

/// The query as a form; unknown names are refused.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<App> for Query<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let query = axum::extract::Query::<T>::from_request_parts(parts, app).await;
        query.map(|query| Self(query.0)).map_err(|error| Refusal::bad("bad_query", error.body_text()))
    }
}

/// The named parts of the path.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for Path<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let path = axum::extract::Path::<T>::from_request_parts(parts, app).await;
        path.map(|path| Self(path.0)).map_err(|error| Refusal::bad("bad_path", error.body_text()))
    }
}

async fn body_bytes(request: Request, most: usize) -> Result<Bytes, Refusal> {
    let too_large =
        || Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", format!("at most {most} bytes"));
    let announced =
        request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > most) {
        return Err(too_large());
    }
    // Only length and a broken connection can fail here, and nobody hears the answer to the second.
    to_bytes(request.into_body(), most).await.map_err(|_| too_large())
}

/// Carries out one call under the API fault in force for it.
pub async fn answer<R: IntoResponse>(
    app: &App,
    fault: impl FnOnce(&World) -> ApiFault,
    act: impl FnOnce(&mut World) -> Result<R, Refusal>,
) -> Result<Response, Refusal> {
    let (fault, answer) = app.with(|world| {
        let fault = fault(world);
        (fault, (fault != ApiFault::Error500).then(|| act(world)))
    });
    match (fault, answer) {
        (ApiFault::Silent, _) => {
            // Nothing is answered until the caller gives up (which drops this call) or the sandbox stops.
            app.stopped().await;
            Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", "the sandbox stops"))
        }
        (_, Some(answer)) => answer.map(IntoResponse::into_response),
        (_, None) => Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "nothing was done")),
    }
}

pub async fn no_such_place() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "no_such_place", "see the manual for what is here")
}

pub async fn no_such_method() -> Refusal {
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "no_such_method", "see the manual for what can be done here")
}
