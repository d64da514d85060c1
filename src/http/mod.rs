//! The HTTP contract: who calls, what a request must carry, how an answer reads.
//!
//! - [`signature`]: signed requests (RFC 9421 in one profile, RFC 9530 digests);
//! - [`idempotency`]: the key and the fingerprint of a request that changes something;
//! - [`problem`] and [`codes`]: refusals as `application/problem+json`, with stable codes in two languages;
//! - [`json`] and [`query`]: strict reading of bodies and parameters; [`page`]: lists in pages;
//! - [`openapi`] and [`docs`]: the document that the handlers write, and its pages;
//! - [`language`]: Arabic or English, as the client asks.

pub mod codes;
pub mod docs;
pub mod idempotency;
pub mod json;
pub mod language;
pub mod openapi;
pub mod page;
pub mod problem;
pub mod query;
pub mod signature;
mod tree;
