//! Mizan, the hub: pricing, payments, reconciliation, refunds and settlement behind one signed API.

pub mod books;
pub mod catalogue;
pub mod http;
#[cfg(test)]
#[path = "../tests/judges/mod.rs"]
mod judges;
pub mod localpg;
pub mod quoting;
pub mod webhooks;
