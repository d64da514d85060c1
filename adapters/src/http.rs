//! One way out: an HTTP client per outside party, with its limits, trust and silence about secrets.
//!
//! Own rustls with ring; no redirects (a redirected POST may act twice), no proxy from the environment (where
//! bytes go is configuration), no repetition of any kind (whether to ask again is the hub's decision).
//! Logged are party, call, status, size and duration: never addresses with queries, headers or bodies.

use std::fmt;
use std::time::{Duration, Instant as Stopwatch};

use bytes::{Bytes, BytesMut};
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Certificate, Client, ClientBuilder, Identity, Method, RequestBuilder, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// Answers to calls about a single thing.
pub const ANSWER_BYTES_MAX: usize = 256 * 1024;
/// Files and day reports.
pub const FILE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// How one outside party is reached.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointSettings {
    /// `https://...`; plain `http` is allowed on the loopback only.
    pub base_url: String,
    /// Sent as `Authorization: Bearer`.
    pub api_key: SecretString,
    #[serde(default = "five_seconds")]
    pub connect_timeout_ms: u64,
    /// From the first step to the last byte of the answer.
    #[serde(default = "twenty_seconds")]
    pub timeout_ms: u64,
    /// Certificates to trust instead of the system's, in PEM.
    #[serde(default)]
    pub trusted_roots_pem: Option<String>,
    /// Our certificate and key for mutual TLS, in PEM.
    #[serde(default)]
    pub identity_pem: Option<SecretString>,
}

fn five_seconds() -> u64 {
    5_000
}

fn twenty_seconds() -> u64 {
    20_000
}

/// A setting with which no safe client can be made.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    #[error("base_url is not an absolute http(s) address without user, query or fragment")]
    BaseUrl,
    #[error("base_url must be https; plain http is allowed on the loopback only")]
    NotEncrypted,
    #[error("api_key cannot stand in a header")]
    ApiKey,
    #[error("trusted_roots_pem holds no certificate that can be read")]
    TrustedRoots,
    #[error("identity_pem holds no certificate with its key that can be read")]
    Identity,
    #[error("the client cannot be made: {0}")]
    Client(#[source] reqwest::Error),
}

/// A client of one outside party.
pub struct Endpoint {
    client: Client,
    base: Url,
    authorization: HeaderValue,
}

/// A whole answer, whatever its status.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lost {
    /// No connection came about: not one byte of the request has left.
    NotSent(String),
    /// The request has left, wholly or in part, and no whole answer came back.
    Unanswered(String),
}

impl Endpoint {
    pub fn new(settings: &EndpointSettings) -> Result<Self, EndpointError> {
        let base = base_url(&settings.base_url)?;
        let bearer = format!("Bearer {}", settings.api_key.expose_secret());
        let mut authorization = HeaderValue::from_str(&bearer).map_err(|_| EndpointError::ApiKey)?;
        authorization.set_sensitive(true);
        let client = trust(Client::builder(), settings, base.scheme() == "https")?
            .connect_timeout(Duration::from_millis(settings.connect_timeout_ms))
            .timeout(Duration::from_millis(settings.timeout_ms))
            // Shorter than servers keep a connection open: a request on one just closed would be Unknown.
            .pool_idle_timeout(Duration::from_secs(4))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .user_agent("mizan")
            .build()
            .map_err(EndpointError::Client)?;
        Ok(Self { client, base, authorization })
    }

    /// A request to the path made of `segments` (each encoded on its own) under the base address.
    pub fn request(
        &self,
        method: Method,
        segments: &[&str],
        query: &[(&str, &str)],
        accept: &'static str,
    ) -> RequestBuilder {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.client
            .request(method, url)
            .header(AUTHORIZATION, self.authorization.clone())
            .header(ACCEPT, HeaderValue::from_static(accept))
    }

    /// Sends a request and takes in its whole answer, at most `bytes_max` of it. `call` names it in the log.
    pub async fn exchange(
        &self,
        call: &'static str,
        request: RequestBuilder,
        bytes_max: usize,
    ) -> Result<Answer, Lost> {
        let started = Stopwatch::now();
        let exchanged = exchange(request, bytes_max).await;
        let party = self.base.host_str().unwrap_or_default();
        let ms = started.elapsed().as_millis();
        match &exchanged {
            Ok(answer) => {
                tracing::debug!(party, call, status = answer.status.as_u16(), bytes = answer.body.len(), ms);
            }
            Err(lost) => tracing::warn!(party, call, %lost, ms),
        }
        exchanged
    }
}

async fn exchange(request: RequestBuilder, bytes_max: usize) -> Result<Answer, Lost> {
    let mut response = request.send().await.map_err(|error| lost(&error))?;
    let too_large = || Lost::Unanswered(format!("the answer is larger than {bytes_max} bytes"));
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| lost(&error))? {
        if body.len() + chunk.len() > bytes_max {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    let headers = std::mem::take(response.headers_mut());
    Ok(Answer { status: response.status(), headers, body: body.freeze() })
}

fn lost(error: &reqwest::Error) -> Lost {
    // `is_connect` holds only while the connection (name, TCP, TLS) is made. A request that failed on a
    // connection taken from the pool may have been read over there.
    if error.is_connect() || error.is_builder() {
        return Lost::NotSent(root_cause(error));
    }
    if error.is_timeout() {
        return Lost::Unanswered("no whole answer in time".to_owned());
    }
    Lost::Unanswered(root_cause(error))
}

/// The innermost reason: it names no address, unlike the outer layers.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

fn base_url(text: &str) -> Result<Url, EndpointError> {
    let url = Url::parse(text).map_err(|_| EndpointError::BaseUrl)?;
    let plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    let host = url.host_str().ok_or(EndpointError::BaseUrl)?;
    match url.scheme() {
        _ if !plain => Err(EndpointError::BaseUrl),
        "https" => Ok(url),
        "http" if is_loopback(host) => Ok(url),
        "http" => Err(EndpointError::NotEncrypted),
        _ => Err(EndpointError::BaseUrl),
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The system's roots or the given ones; on plain http none, so that a machine without certificates can still
/// run the sandbox.
fn trust(
    mut client: ClientBuilder,
    settings: &EndpointSettings,
    encrypted: bool,
) -> Result<ClientBuilder, EndpointError> {
    // A provider installed earlier by the process stays in place.
    drop(rustls::crypto::ring::default_provider().install_default());
    if !encrypted {
        return Ok(client.tls_certs_only([]));
    }
    client = client.https_only(true).tls_version_min(reqwest::tls::Version::TLS_1_2);
    if let Some(pem) = &settings.trusted_roots_pem {
        let roots = Certificate::from_pem_bundle(pem.as_bytes()).map_err(|_| EndpointError::TrustedRoots)?;
        if roots.is_empty() {
            return Err(EndpointError::TrustedRoots);
        }
        client = client.tls_certs_only(roots);
    }
    if let Some(pem) = &settings.identity_pem {
        let identity = Identity::from_pem(pem.expose_secret().as_bytes());
        client = client.identity(identity.map_err(|_| EndpointError::Identity)?);
    }
    Ok(client)
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSent(why) => write!(f, "not sent: {why}"),
            Self::Unanswered(why) => write!(f, "no answer: {why}"),
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(base_url: &str) -> EndpointSettings {
        EndpointSettings {
            base_url: base_url.to_owned(),
            api_key: "example-key".into(),
            connect_timeout_ms: 1_000,
            timeout_ms: 1_000,
            trusted_roots_pem: None,
            identity_pem: None,
        }
    }

    #[test]
    fn money_never_travels_in_the_clear() {
        for refused in [
            "http://bank.example/v1",
            "http://10.0.0.1/v1",
            "http://localhost.example/",
            "ftp://127.0.0.1/",
            "bank.example",
            "",
            "https://user:secret@bank.example/",
            "https://bank.example/?key=secret",
            "https://bank.example/#part",
        ] {
            assert!(Endpoint::new(&settings(refused)).is_err(), "{refused}");
        }
        for taken in ["http://127.0.0.1:1/v1", "http://[::1]:1/", "http://localhost:1"] {
            assert!(Endpoint::new(&settings(taken)).is_ok(), "{taken}");
        }
    }

    #[test]
    fn certificates_that_cannot_be_read_are_refused() {
        let mut roots = settings("https://bank.example/");
        roots.trusted_roots_pem = Some("not a certificate".to_owned());
        assert!(matches!(Endpoint::new(&roots), Err(EndpointError::TrustedRoots)));
        let mut identity = settings("https://bank.example/");
        identity.identity_pem = Some("not a key".into());
        assert!(matches!(Endpoint::new(&identity), Err(EndpointError::Identity)));
    }

    #[test]
    fn settings_are_read_strictly_and_have_sensible_timeouts() {
        let read = |text: &str| serde_json::from_str::<EndpointSettings>(text);
        let settings =
            read(r#"{"base_url": "https://bank.example/", "api_key": "example-key"}"#).expect("reads");
        assert_eq!((settings.connect_timeout_ms, settings.timeout_ms), (5_000, 20_000));
        assert!(
            read(r#"{"base_url": "https://bank.example/", "api_key": "example-key", "timeout": 1}"#).is_err()
        );
    }

    #[test]
    fn secrets_are_not_shown() {
        let endpoint = Endpoint::new(&settings("http://127.0.0.1:1/v1")).expect("loopback");
        let request = endpoint.request(Method::GET, &["x"], &[], "*/*");
        assert!(!format!("{endpoint:?} {request:?} {:?}", settings("x")).contains("example-key"));
    }

    #[test]
    fn every_segment_stays_one_segment() {
        let endpoint = Endpoint::new(&settings("http://127.0.0.1:1/v1/")).expect("loopback");
        let request = endpoint.request(Method::GET, &["orders", "a/../b?c"], &[("q", "d&e=f")], "*/*");
        let url = request.build().expect("builds").url().to_string();
        assert_eq!(url, "http://127.0.0.1:1/v1/orders/a%2F..%2Fb%3Fc?q=d%26e%3Df");
    }
}
