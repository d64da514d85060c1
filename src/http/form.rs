//! Reading of the forms that browsers send, as a handler's argument.

use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use serde::de::DeserializeOwned;

use super::problem::{Code, Problem};

/// As [`axum::extract::Form`], but what cannot be read is refused with a [`Problem`], which is told in both languages.
#[derive(Debug, Clone, Copy)]
pub struct Form<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Form<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let read = axum::extract::Form::<T>::from_request(request, state).await;
        let axum::extract::Form(read) = read.map_err(|refusal| {
            let code = match refusal.status() {
                StatusCode::UNSUPPORTED_MEDIA_TYPE => Code::UnsupportedMediaType,
                StatusCode::PAYLOAD_TOO_LARGE => Code::BodyTooLarge,
                _ => Code::ValidationFailed,
            };
            Problem::new(code).detail(refusal.body_text())
        })?;
        Ok(Self(read))
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::header::CONTENT_TYPE;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Choice {
        channel: String,
    }

    async fn read(media_type: &str, body: impl Into<Body>) -> Result<String, Code> {
        let request = Request::post("/").header(CONTENT_TYPE, media_type).body(body.into());
        let read = Form::<Choice>::from_request(request.expect("a request"), &()).await;
        read.map(|Form(choice)| choice.channel).map_err(|problem| problem.code)
    }

    #[tokio::test]
    async fn a_form_is_read_or_refused_with_a_code() {
        let form = "application/x-www-form-urlencoded";
        assert_eq!(read(form, "channel=card").await, Ok("card".to_owned()));
        assert_eq!(read(form, "").await, Err(Code::ValidationFailed));
        assert_eq!(read(form, "channel=a&channel=b").await, Err(Code::ValidationFailed));
        assert_eq!(read("application/json", "{}").await, Err(Code::UnsupportedMediaType));
        assert_eq!(read(form, vec![b'a'; 3 << 20]).await, Err(Code::BodyTooLarge));
    }
}
