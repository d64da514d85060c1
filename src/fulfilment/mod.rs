//! What became of a service that was paid: its agency reports it, line by line.
//!
//! ```text
//! paid ─► delivered ─► what was held for it is the agency's, and no longer refundable
//!   │         └─ correction with a reason ─► rejected
//!   ├───► rejected ──► what is never given back is the agency's; a refund of the rest is proposed
//!   └───► silence ───► released after its days by the clock, with the break `paid_not_delivered`
//! ```
//! Only the agency of a line reports it (scope `fulfil:<agency>`). Direct money is not held here: the report counts for
//! refunds, and releases nothing.

pub mod api;
pub mod jobs;
mod model;
pub mod service;
mod view;

pub use model::{Report, Reported};
