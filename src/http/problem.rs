//! Refusals as the outside hears them: `application/problem+json` (RFC 9457) with a stable [`Code`].
//!
//! A handler returns a [`Problem`]; it knows neither the client's language nor the request's id. [`speak`], the
//! layer around all routes, writes the answer once more with both.

use axum::extract::Request;
use axum::http::header::{CONTENT_LANGUAGE, CONTENT_TYPE, RETRY_AFTER, VARY, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::{Map, Value, json};

pub use super::codes::{Code, FieldCode, Retry};
use super::language::Language;

/// Where the request's id stands, in and out.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// One fault of one field of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// JSON pointer (RFC 6901) into the body; for a query parameter, `/` and its name.
    pub pointer: String,
    pub code: FieldCode,
}

impl FieldError {
    pub fn new(pointer: impl Into<String>, code: FieldCode) -> Self {
        Self { pointer: pointer.into(), code }
    }
}

/// A refusal on its way out.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    pub code: Code,
    /// One English sentence about this very request, for the developer at the other end.
    pub detail: Option<String>,
    pub errors: Vec<FieldError>,
    /// Seconds until it makes sense to ask again.
    pub retry_after: Option<u32>,
    /// Further members, such as `payment_intent` beside `reference_in_use`.
    pub members: Map<String, Value>,
}

impl Problem {
    pub fn new(code: Code) -> Self {
        Self { code, detail: None, errors: Vec::new(), retry_after: None, members: Map::new() }
    }

    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    #[must_use]
    pub fn field(mut self, error: FieldError) -> Self {
        self.errors.push(error);
        self
    }

    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Adds a member; the standard ones cannot be replaced.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    pub fn status(&self) -> StatusCode {
        self.code.status()
    }

    /// The body. `type` is a path on this hub, whose page explains every code.
    pub fn to_json(&self, language: Language, request_id: Option<&str>) -> Value {
        let mut body = self.members.clone();
        body.insert("type".into(), json!(format!("/v1/errors#{}", self.code.slug())));
        body.insert("title".into(), json!(self.code.title(language)));
        body.insert("status".into(), json!(self.status().as_u16()));
        body.insert("code".into(), json!(self.code.slug()));
        body.insert("retry".into(), json!(self.code.retry().slug()));
        body.insert("detail".into(), json!(self.detail));
        body.insert("request_id".into(), json!(request_id));
        let errors = self.errors.iter().map(|error| {
            json!({
                "field": error.pointer,
                "code": error.code.slug(),
                "title": error.code.title(language),
            })
        });
        body.insert("errors".into(), Value::Array(errors.collect()));
        Value::Object(body)
    }

    /// The whole answer.
    pub fn answer(&self, language: Language, request_id: Option<&str>) -> Response {
        let body = Bytes::from(self.to_json(language, request_id).to_string());
        let mut response = (self.status(), body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, PROBLEM_JSON);
        headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
        headers.insert(VARY, HeaderValue::from_static("accept-language"));
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status() == StatusCode::UNAUTHORIZED {
            // RFC 9110 section 11.6.1 asks for a challenge on every 401.
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Signature realm=\"mizan\""));
        }
        response
    }
}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}

/// In Arabic and without the request's id, until [`speak`] writes it again.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.answer(Language::default(), None);
        response.extensions_mut().insert(self);
        response
    }
}

/// Middleware: writes a handler's [`Problem`] in the language the client asks for, with the request's id.
/// Headers that others added to the answer stay.
pub async fn speak(request: Request, next: Next) -> Response {
    let language = Language::accepted(request.headers());
    let id = request.headers().get(&REQUEST_ID).and_then(|id| id.to_str().ok()).map(str::to_owned);
    let mut response = next.run(request).await;
    let Some(problem) = response.extensions_mut().remove::<Problem>() else { return response };
    let written = problem.answer(language, id.as_deref());
    let (mut parts, _) = response.into_parts();
    let (new_parts, body) = written.into_parts();
    parts.headers.extend(new_parts.headers);
    // The length is that of the Arabic text; the server writes the right one.
    parts.headers.remove(axum::http::header::CONTENT_LENGTH);
    Response::from_parts(parts, body)
}

/// Collects every fault of a request before it is refused, so that a client mends all at once.
#[derive(Debug, Default)]
pub struct Faults(Vec<FieldError>);

impl Faults {
    pub fn add(&mut self, pointer: impl Into<String>, code: FieldCode) {
        self.0.push(FieldError::new(pointer, code));
    }

    /// Keeps a good value, notes a bad one.
    pub fn check<T>(&mut self, pointer: &str, result: Result<T, FieldCode>) -> Option<T> {
        result.map_err(|code| self.add(pointer, code)).ok()
    }

    /// Notes a text that is not one line of 1 to `chars_max` printable characters.
    pub fn text(&mut self, pointer: &str, value: &str, chars_max: usize) {
        if value.trim().is_empty() {
            self.add(pointer, FieldCode::Empty);
        } else if value.chars().count() > chars_max {
            self.add(pointer, FieldCode::TooLong);
        } else if value.chars().any(|letter| letter.is_control() || turns_the_line(letter)) {
            self.add(pointer, FieldCode::Invalid);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// # Errors
    /// `validation_failed` with every fault, if there is one.
    pub fn finish(self) -> Result<(), Problem> {
        if self.0.is_empty() {
            return Ok(());
        }
        Err(Problem { errors: self.0, ..Problem::new(Code::ValidationFailed) })
    }
}

/// Breaks a line, or makes text around it read in another order than it stands: what an officer sees would not be
/// what was sent. (The marks of direction that Arabic beside Latin needs, U+061C, U+200E and U+200F, are not among them.)
fn turns_the_line(letter: char) -> bool {
    matches!(letter, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::http::header::ACCEPT_LANGUAGE;
    use axum::routing::get;
    use tower::ServiceExt as _;

    use super::*;

    async fn ask(language: &'static str) -> (Response<()>, Value) {
        let refuse = || async {
            Problem::new(Code::ReferenceInUse)
                .detail("the reference C-1 has a live intent")
                .field(FieldError::new("/external_reference", FieldCode::Required))
                .with("payment_intent", "pi_1")
                .with("code", "forged")
        };
        let app = Router::new().route("/", get(refuse)).layer(axum::middleware::from_fn(speak));
        let request =
            Request::builder().uri("/").header(ACCEPT_LANGUAGE, language).header(REQUEST_ID, "req-1");
        let response = app.oneshot(request.body(Body::empty()).expect("a request")).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 10_000).await.expect("a body");
        (Response::from_parts(parts, ()), serde_json::from_slice(&bytes).expect("JSON"))
    }

    #[tokio::test]
    async fn a_problem_speaks_the_clients_language_and_names_the_request() {
        let (response, body) = ask("en").await;
        assert_eq!(response.status(), StatusCode::CONFLICT);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
        assert_eq!(response.headers()[CONTENT_LANGUAGE], "en");
        assert_eq!(
            body,
            json!({
                "type": "/v1/errors#reference_in_use",
                "title": "The reference already has a live payment intent",
                "status": 409,
                "code": "reference_in_use",
                "retry": "never",
                "detail": "the reference C-1 has a live intent",
                "request_id": "req-1",
                "payment_intent": "pi_1",
                "errors": [{
                    "field": "/external_reference",
                    "code": "required",
                    "title": "The field is required",
                }],
            })
        );
        let (response, body) = ask("fr").await;
        assert_eq!(response.headers()[CONTENT_LANGUAGE], "ar");
        assert_eq!(body["title"], Code::ReferenceInUse.title(Language::Arabic));
        assert_eq!(body["code"], "reference_in_use", "the code has no language");
    }

    #[test]
    fn a_401_carries_a_challenge_and_a_429_the_pause() {
        let response = Problem::new(Code::SignatureMissing).into_response();
        assert!(response.headers().contains_key(WWW_AUTHENTICATE));
        let response = Problem::new(Code::RateLimited).retry_after(7).into_response();
        assert_eq!(response.headers()[RETRY_AFTER], "7");
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let mut faults = Faults::default();
        assert_eq!(faults.check("/a", Ok(1)), Some(1));
        assert_eq!(faults.check::<i32>("/b", Err(FieldCode::TooLong)), None);
        faults.add("/c", FieldCode::Unknown);
        let problem = faults.finish().expect_err("two faults");
        assert_eq!(problem.code, Code::ValidationFailed);
        assert_eq!(problem.errors.len(), 2);
        assert_eq!(Faults::default().finish(), Ok(()));
    }
}
