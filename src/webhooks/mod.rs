//! Webhooks: events on their way to a portal's own endpoints, signed after Standard Webhooks.
//!
//! ```text
//! publisher ─► waiting ─claim (lease, attempt+1)─► sent ─2xx─► delivered ─┐
//!                 ▲ ▲                               │                     │ replay
//!                 │ └──────later, growing pauses────┤                     │
//!                 │                       3 days ───┴─► failed ───────────┤
//!                 └───────────────────────────────────────────────────────┘
//! ```
//! At least once, in no promised order: a receiver goes by the event's id, its position and the resource's
//! version. The id stays over all tries, the timestamp does not. An endpoint that fails is tried with one delivery
//! at a time, after growing pauses, on connections that sound endpoints do not need; after 3 days without one
//! success it is disabled. What an endpoint missed stands in the feed, and a replay sends it again.
//!
//! Locks: endpoints before deliveries; deliveries by endpoint, then event.

pub mod api;
mod delivery;
pub mod jobs;
mod model;
pub mod sender;
pub mod service;
pub mod signing;
mod store;
mod target;
mod view;

pub use delivery::{Delivery, DeliveryState, Outcome, Parcel, Tried};
pub use model::{DisabledReason, Endpoint, EndpointState, WebhookError};
pub use target::{Policy, Refused};
