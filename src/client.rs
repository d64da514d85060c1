//! A signing client of the API: for `mizan call`, the demo, the load tool and the tests.

use std::fmt;
use std::sync::Arc;

use axum::http::header::{ACCEPT, ACCEPT_LANGUAGE};
use axum::http::{HeaderMap, HeaderValue, Method, Uri};
use mizan_ledger::Clock;
use serde_json::Value;

use crate::entropy::Entropy;
use crate::http::idempotency::IDEMPOTENCY_KEY;
use crate::http::signature::{Message, SigningKey, sign};

/// Signs each request with one key and sends it to one hub.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    /// Without a slash at the end.
    base: String,
    key: Arc<SigningKey>,
    key_id: String,
    clock: Arc<dyn Clock>,
    entropy: Entropy,
    language: &'static str,
    accept: &'static str,
}

/// What the hub answered.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
    /// Null when the answer is not JSON.
    pub json: Value,
    /// The text that was signed.
    pub signature_base: String,
}

/// The request could not be made, signed or sent.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("{0}")]
    Address(String),
    #[error("the request cannot be signed: {0}")]
    Unsignable(String),
    #[error("no answer: {0}")]
    NoAnswer(#[from] reqwest::Error),
}

impl Client {
    pub fn new(base: &str, key_id: &str, key: SigningKey, clock: Arc<dyn Clock>, entropy: Entropy) -> Self {
        // Adapters of the same process may have chosen the provider already; it is the same one.
        drop(rustls::crypto::ring::default_provider().install_default());
        Self {
            http: reqwest::Client::new(),
            base: base.trim_end_matches('/').to_owned(),
            key: Arc::new(key),
            key_id: key_id.to_owned(),
            clock,
            entropy,
            language: "en",
            accept: "application/json",
        }
    }

    /// The same client, whose answers speak to people in this language: `ar` or `en`. English at first, because who
    /// reads what a tool prints is a developer.
    #[must_use]
    pub fn in_language(&self, tag: &'static str) -> Self {
        Self { language: tag, ..self.clone() }
    }

    /// The same client, which asks for answers of this media type where the hub has several.
    #[must_use]
    pub fn accepting(&self, media_type: &'static str) -> Self {
        Self { accept: media_type, ..self.clone() }
    }

    pub async fn get(&self, path: &str) -> Result<Reply, ClientError> {
        self.send(Method::GET, path, "application/json", Vec::new(), None).await
    }

    /// A writing request under a fresh idempotency key.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Reply, ClientError> {
        let key = self.entropy.token::<26>();
        self.post_once(path, body, &key).await
    }

    /// A writing request under this idempotency key.
    pub async fn post_once(&self, path: &str, body: &Value, key: &str) -> Result<Reply, ClientError> {
        self.send(Method::POST, path, "application/json", body.to_string().into_bytes(), Some(key)).await
    }

    /// A request with any method and body. `key` is its idempotency key.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        content_type: &'static str,
        body: Vec<u8>,
        key: Option<&str>,
    ) -> Result<Reply, ClientError> {
        let url = format!("{}{path}", self.base);
        let uri: Uri = url.parse().map_err(|_| ClientError::Address(format!("{url} is not an address")))?;
        let mut headers = HeaderMap::new();
        if let Some(key) = key {
            let value = HeaderValue::from_str(&format!("\"{key}\""))
                .map_err(|_| ClientError::Unsignable("the idempotency key is not printable".to_owned()))?;
            headers.insert(IDEMPOTENCY_KEY, value);
        }
        let nonce = self.entropy.token::<16>();
        let message = Message::outgoing(&method, &uri, &headers);
        let signed = sign(&message, &body, &self.key, &self.key_id, self.clock.now(), Some(&nonce))
            .map_err(|refusal| ClientError::Unsignable(refusal.to_string()))?;
        headers.extend(signed.headers);
        headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static(self.language));
        headers.insert(ACCEPT, HeaderValue::from_static(self.accept));
        headers.insert("content-type", HeaderValue::from_static(content_type));
        let response = self.http.request(method, &url).headers(headers).body(body).send().await?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let bytes = response.bytes().await?.to_vec();
        let json = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Ok(Reply { status, headers, bytes, json, signature_base: signed.base })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({} as {})", self.base, self.key_id)
    }
}
