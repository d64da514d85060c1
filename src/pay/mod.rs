//! The payer's page: what is to be paid and why, how it can be paid, and what became of it. In Arabic and English,
//! without script. And the public page that verifies a receipt.
//!
//! ```text
//! GET /pay/{token} ─ choose ─► POST /pay/{token} ─► the provider's page ─► GET /pay/{token}/return
//! GET /r/{code}    the receipt, checked again with the hub's key
//! ```
//! The payer's return proves nothing: the page shows what the hub knows.

pub mod api;
mod page;

pub use api::refused;
