//! Receipts: what the payer holds as proof. Numbered without a gap, signed, never deleted.
//!
//! ```text
//! issued ─► credited_part ─► credited      provisional ─► confirmed | conflicted ─► credited
//! ```
//! The body is a text of lines; Ed25519 signs exactly these bytes, so that anyone with the hub's published key can
//! check a receipt without the hub. The short public code leads to the page that verifies it.

pub mod api;
mod model;
pub mod service;
pub mod store;

pub use model::{NewReceipt, Receipt, ReceiptLine};
