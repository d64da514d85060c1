//! One try: sign, connect to an address that may be connected to, send, take in the beginning of the answer.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use mizan_ledger::Instant;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Certificate, Client, ClientBuilder, Response};

use super::delivery::{ANSWER_BYTES_MAX, Contents, Outcome, Parcel};
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
            Some(pem) => Certificate::from_pem_bundle(pem.as_bytes())
                .ok()
                .filter(|roots| !roots.is_empty())
                .ok_or(SenderError::TrustedRoots)?,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Mode;

    async fn resolved(mode: Mode, host: &str) -> Result<Vec<SocketAddr>, String> {
        let mut config = Config { mode, ..Config::default() };
        config.webhooks.hosts = vec![host.to_owned()];
        let judged = Judged(Policy::new(&config).expect("no networks"));
        let name = host.parse::<Name>().expect("a name");
        judged.resolve(name).await.map(Iterator::collect).map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn a_listed_name_that_leads_inside_gives_no_address() {
        assert_eq!(resolved(Mode::Live, "localhost").await, Err(Refused::Address.to_string()));
        let loopback = resolved(Mode::Test, "localhost").await.expect("the loopback");
        assert!(!loopback.is_empty() && loopback.iter().all(|address| address.ip().is_loopback()));
    }

    async fn beginning_of(body: impl Into<Vec<u8>>) -> String {
        beginning(Response::from(axum::http::Response::new(body.into()))).await
    }

    #[tokio::test]
    async fn the_beginning_of_any_answer_is_text_for_the_database() {
        assert_eq!(beginning_of("").await, "");
        assert_eq!(beginning_of("x".repeat(5_000)).await, "x".repeat(1_024));
        assert_eq!(beginning_of("a\0b").await, "a\u{fffd}b");
        assert_eq!(beginning_of([0xff, b'a']).await, "\u{fffd}a");
        assert!(beginning_of(format!("x{}", "ش".repeat(600))).await.ends_with("ش\u{fffd}"));
    }

    #[test]
    fn settings_that_cannot_work_are_refused_at_the_start() {
        let with = |change: fn(&mut Config)| {
            let mut config = Config::default();
            change(&mut config);
            Sender::new(&config).map(drop)
        };
        let roots = with(|config| config.webhooks.trusted_roots_pem = Some("no certificate".to_owned()));
        assert!(matches!(roots, Err(SenderError::TrustedRoots)), "{roots:?}");
        let networks = with(|config| config.webhooks.networks = vec!["everywhere".to_owned()]);
        assert!(matches!(networks, Err(SenderError::Networks(_))), "{networks:?}");
        assert!(with(|_| {}).is_ok());
    }
}
