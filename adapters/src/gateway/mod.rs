//! Card gateways: one folder per dialect, `mod.rs` for the calls and `wire.rs` for what is on the wire.
//!
//! ```text
//! start ──► page (the payer pays there) ──► notice ──► verify ──► Authentic | Hint | Refused
//!   └── Unknown ──► query the order ──► NotKnown | Open | Expired | Decided
//! refund ──► taken ──► notice or query ──► refunded | failed
//! settlement report ──► gross, cost, net per payment ──► the net line on the bank statement
//! ```
//!
//! Invariants:
//! - the payer's return to us proves nothing; only a verified notice or a query answer is a fact;
//! - silence is never a refusal: see [`crate::outcome::Outcome`].

mod cost;
pub mod hosted;

pub use cost::ContractCost;
