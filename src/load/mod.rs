//! Load: signed payments pressed through a hub, every call timed, and every payment counted again afterwards.
//!
//! ```text
//!  client ── POST /v1/quotes ── POST /v1/payment-intents ─────────────────────────► hub
//!         ── POST /pay/{token}, when the payer goes there ────────────────────────► hub ── session ──► gateway (ours)
//!         ── POST /channels/{channel}/callback, signed as the gateway signs ───────► hub: inbox, poster, books
//! ```
//!
//! The gateway answers at once and keeps nothing, so that the hub is what is measured. Closed loop: so many
//! clients, each with one payment at a time. Open loop: payments begin at fixed moments whatever became of the
//! earlier ones, and a call's time counts from the moment it was due.

mod deployment;
mod gateway;
mod goods;
mod hook;
mod measure;
mod payment;
mod pressing;
mod proof;

pub use deployment::Deployment;
pub use gateway::Gateway;
pub use goods::{Accounts, baskets};
pub use payment::{CHANNEL, Target, Way};
pub use pressing::{Outcome, Plan, press};
