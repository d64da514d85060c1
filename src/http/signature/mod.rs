//! Signed requests: HTTP Message Signatures (RFC 9421) in one fixed profile, with Content-Digest (RFC 9530).
//!
//! Covered: `@method`; `@authority`, `@path` and, when there is a query, `@query`, or `@target-uri` for the
//! three; `content-digest` whenever there is a body; `idempotency-key` on everything but GET, HEAD and OPTIONS.
//! Parameters: `created` (within 300 seconds) and `keyid`; `nonce`, `expires`, `tag` and `alg` may stand there.
//! Algorithms: `hmac-sha256` and `ed25519`, chosen by the registered key.
//!
//! ```text
//! parse(headers) -> [Presented]   the caller looks up the keys; the first known keyid decides
//! verify(presented, message, body, key, now) -> Ok | SignatureError -> Problem (401)
//! sign(message, body, key, keyid, created, nonce) -> headers to add
//! ```

mod base;
mod digest;
mod error;
#[cfg(test)]
mod judged;
mod keys;
mod sign;
pub(super) mod structured;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;
mod verify;

pub use base::Message;
pub use digest::{CONTENT_DIGEST, content_digest};
pub use error::{CLOCK_TOLERANCE_SECONDS, Refusal, SignatureError};
pub use keys::{NotAKey, SigningKey, VerifyKey};
pub use sign::{Signed, sign};
pub use verify::{Presented, SIGNATURE, SIGNATURE_INPUT, SIGNATURES_MAX, parse, verify};
