//! The HTTP contract: who calls, what a request must carry, how an answer reads.
//!
//! - [`signature`]: signed requests (RFC 9421 in one profile, RFC 9530 digests);
//! - [`idempotency`]: the key and the fingerprint of a request that changes something;
//! - [`problem`] and [`codes`]: refusals as `application/problem+json`, with stable codes in two languages;
//! - [`json`], [`form`], [`query`] and [`path`]: strict reading of bodies and parameters; [`page`]: lists in pages;
//! - [`openapi`] and [`docs`]: the document that the handlers write, and its pages;
//! - [`call`] and [`once`]: an authenticated request, and how a writing one runs once; [`together`]: how several of a
//!   kind do in one transaction; [`router`]: all of it together;
//! - [`language`]: Arabic or English, as the client asks; [`url`]: where a payer's browser may be sent.

pub mod address;
pub mod call;
pub mod codes;
pub mod docs;
pub mod form;
pub mod health;
pub mod idempotency;
pub mod json;
pub mod language;
pub mod once;
pub mod openapi;
pub mod pace;
pub mod page;
pub mod path;
pub mod problem;
pub mod query;
pub mod router;
pub mod signature;
mod store;
pub mod together;
mod tree;
pub mod url;
