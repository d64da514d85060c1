//! The feed: every event of a portal, in order, complete, by dense `position`.
//!
//! ```text
//! Tx.emit ─► events (position null, order n) ─► publisher: position per portal ─► GET /v1/events, webhooks
//! ```
//! Order is `n`, drawn after the object's lock, never a UUID or a clock. The publisher is one at a time on any
//! number of hubs, so a reader who has seen position p has seen all before it. Events are kept for ever unless
//! `events_kept_days` says otherwise; who comes back too late is told so, never given a feed with a hole.

pub mod api;
mod model;
pub mod publisher;
pub mod store;

pub use model::{Event, EventView, NewEvent, Published, TYPES, is_type};
