//! The feed: every event of a portal, in order, complete, by dense `position`.
//!
//! ```text
//! Tx.emit ─► events (position null, order n) ─► publisher: position per portal ─► GET /v1/events, webhooks
//! ```
//! Order is `n`, drawn after the object's lock, never a UUID or a clock. The publisher is one at a time on any
//! number of hubs, so a reader who has seen position p has seen all before it.

pub mod store;

use serde_json::Value;

use crate::ids::PortalId;

/// A fact of the past with the full resource as of then.
#[derive(Debug, Clone)]
pub struct NewEvent {
    pub portal: PortalId,
    /// `payment_intent.paid`
    pub kind: &'static str,
    /// The resource's id.
    pub object: String,
    /// Grows with every change of the object: an older version never overwrites a newer.
    pub object_version: i32,
    pub body: Value,
}
