//! Mizan, the hub: pricing, payments, reconciliation, refunds and settlement behind one signed API.

pub mod http;
pub mod webhooks;
