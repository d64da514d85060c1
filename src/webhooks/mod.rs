//! Webhooks: events on their way to a portal's own endpoint, signed after Standard Webhooks.

pub mod signing;
