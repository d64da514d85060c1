//! One try: sign, connect to an address that may be connected to, send, take in the beginning of the answer.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use mizan_ledger::Instant;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Certificate, Client, ClientBuilder, Response};

use super::model::{ANSWER_BYTES_MAX, Contents, Outcome, Parcel};
use super::signing;
use super::target::{Policy, Refused};
use crate::config::Config;

/// Why no webhook can be sent at all.
#[derive(Debug, thiserror::Error)]
pub enum SenderError {
    #[error("webhooks.networks: {0}")]
    Networks(#[from] super::target::NotANetwork),
    #[error("webhooks.trusted_roots_pem holds no certificate that can be read")]
    TrustedRoots,
    #[error("the client cannot be made: {0}")]
    Client(#[from] reqwest::Error),
}

/// The client of all webhooks. No redirects (they would lead past the check of the address), no proxy from the
/// environment, no repetition (when to try again is decided from rows).
#[derive(Debug)]
pub struct Sender {
    client: Client,
    policy: Policy,
    timeout: Duration,
}

impl Sender {
    pub fn new(config: &Config) -> Result<Self, SenderError> {
        // A provider installed earlier by the process stays in place.
        drop(rustls::crypto::ring::default_provider().install_default());
        let policy = Policy::new(config)?;
        let roots = match &config.webhooks.trusted_roots_pem {
            Some(pem) => {
                Certificate::from_pem_bundle(pem.as_bytes()).map_err(|_| SenderError::TrustedRoots)?
            }
            None => Vec::new(),
        };
        let timeout = Duration::from_millis(config.webhooks.timeout_ms);
        let builder = || {
            Client::builder()
                .dns_resolver(Judged(policy.clone()))
                .timeout(timeout)
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .no_proxy()
                .referer(false)
                .user_agent("mizan")
        };
        let trusting = |builder: ClientBuilder| {
            builder.tls_version_min(reqwest::tls::Version::TLS_1_2).tls_certs_merge(roots)
        };
        let client = match trusting(builder()).build() {
            // A machine without certificates can still run a test deployment on its loopback.
            Err(_) if !config.mode.is_live() => builder().tls_certs_only([]).build(),
            built => built,
        }?;
        Ok(Self { client, policy, timeout })
    }

    /// Tries a delivery once, in at most the configured time. `now` goes into the signature.
    pub async fn send(&self, parcel: &Parcel, now: Instant) -> Outcome {
        let (id, body, secrets) = match &parcel.contents {
            Contents::Signed { id, body, secrets } => (id, body, secrets),
            Contents::Missing(why) => return Outcome::NotSent { why: (*why).to_owned() },
        };
        // Again: what is allowed may have changed since the portal named the URL.
        let url = match self.policy.target(&parcel.url) {
            Ok(url) => url,
            Err(refused) => return Outcome::Unanswered { why: refused.to_string() },
        };
        let request = self
            .client
            .post(url)
            .headers(signing::sign(&id.to_string(), now, body, secrets))
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .body(Bytes::copy_from_slice(body));
        match request.send().await {
            Ok(response) => {
                Outcome::Answered { status: response.status().as_u16(), answer: beginning(response).await }
            }
            Err(error) => Outcome::Unanswered { why: self.explain(&error) },
        }
    }

    fn explain(&self, error: &reqwest::Error) -> String {
        if error.is_timeout() {
            return format!("no answer within {} ms", self.timeout.as_millis());
        }
        // The innermost reason: the outer layers repeat the URL.
        let mut cause: &dyn std::error::Error = error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        cause.to_string()
    }
}

/// The first bytes of a body as text. A body that breaks off does not change what its status said.
async fn beginning(mut response: Response) -> String {
    let mut bytes = BytesMut::new();
    while bytes.len() < ANSWER_BYTES_MAX {
        match response.chunk().await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) | Err(_) => break,
        }
    }
    bytes.truncate(ANSWER_BYTES_MAX);
    // PostgreSQL's text has no place for NUL.
    String::from_utf8_lossy(&bytes).replace('\0', "\u{fffd}")
}

/// Resolves a name once and hands on only addresses that were judged: the connection is made to these very
/// addresses, so a name that changes its mind between check and use gains nothing.
struct Judged(Policy);

impl Resolve for Judged {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = self.0.clone();
        Box::pin(async move {
            let host = name.as_str();
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host, 0)).await?.collect();
            let allowed: Vec<SocketAddr> =
                found.into_iter().filter(|address| policy.judge(host, address.ip()).is_ok()).collect();
            if allowed.is_empty() {
                return Err(Refused::Address.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}
