//! Why a signed request is refused, and how that is told to its sender.

use mizan_ledger::Instant;

use crate::http::problem::{Code, Problem};

/// How far `created` may lie from the hub's clock, in seconds, either way.
pub const CLOCK_TOLERANCE_SECONDS: i64 = 300;

/// The reason of a refusal; each has a [`Code`] of its own.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the request carries no Signature-Input and Signature headers")]
    Missing,
    #[error("{0}")]
    Malformed(String),
    #[error("{0}")]
    ComponentsMissing(String),
    #[error("created {created} is more than 300 seconds away from the hub's clock, {now}")]
    Stale { created: i64, now: i64 },
    #[error("expires {expires} lies before the hub's clock, {now}")]
    Expired { expires: i64, now: i64 },
    #[error("the request has a body and no Content-Digest with sha-256 or sha-512")]
    DigestMissing,
    #[error("Content-Digest is not the digest of the bytes received")]
    DigestMismatch,
    #[error("no active key has the keyid {keyid}")]
    KeyUnknown { keyid: String },
    #[error("the signature does not fit the signature base under this key")]
    Invalid,
    #[error("the key is registered for {registered}, the signature says {presented}")]
    AlgorithmMismatch { registered: &'static str, presented: String },
}

impl Refusal {
    pub fn code(&self) -> Code {
        match self {
            Self::Missing => Code::SignatureMissing,
            Self::Malformed(_) => Code::SignatureMalformed,
            Self::ComponentsMissing(_) => Code::SignatureComponentsMissing,
            Self::Stale { .. } => Code::SignatureStale,
            Self::Expired { .. } => Code::SignatureExpired,
            Self::DigestMissing => Code::DigestMissing,
            Self::DigestMismatch => Code::DigestMismatch,
            Self::KeyUnknown { .. } => Code::KeyUnknown,
            Self::Invalid => Code::SignatureInvalid,
            Self::AlgorithmMismatch { .. } => Code::AlgorithmMismatch,
        }
    }
}

/// A refused signature. `base` is what the hub would have signed, known once the headers were readable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{refusal}")]
pub struct SignatureError {
    pub refusal: Refusal,
    pub base: Option<String>,
}

impl From<Refusal> for SignatureError {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, base: None }
    }
}

impl SignatureError {
    /// No presented signature names an active key; `keyid` is the first one presented.
    pub fn key_unknown(keyid: &str) -> Self {
        Refusal::KeyUnknown { keyid: keyid.to_owned() }.into()
    }

    /// The answer in live mode: 401 with the code that names the reason.
    pub fn problem(&self) -> Problem {
        Problem::new(self.refusal.code()).detail(self.refusal.to_string())
    }

    /// The answer in test mode, which also shows what should have been signed and the hub's clock.
    pub fn explained(&self, now: Instant) -> Problem {
        self.problem().with("signature_base", self.base.clone()).with("server_time", now.to_string())
    }
}
