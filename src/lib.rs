//! Mizan, the hub: pricing, payments, reconciliation, refunds and settlement behind one signed API.

pub mod books;
pub mod http;
#[cfg(test)]
#[path = "../tests/judges/mod.rs"]
mod judges;
pub mod localpg;
pub mod webhooks;
