//! The inbox: the only door for outside news of money. Stored raw, acknowledged, applied later by the poster.
//!
//! ```text
//! callback · query · statement · report ─► take ─► waiting ─poster─► applied
//!                                            │         └─ cannot be applied ─► set_aside (break) ─person─► waiting
//!                                            └─ same id, other money ─► altered (break, never applied)
//! ```
//! The identity of a fact is channel + the rail's transaction id + status. One money has one `money_key`, whichever
//! way the news came; it is claimed before anything is posted. Late, duplicate and unknown money is money too: it
//! goes to suspense with a break, it is never refused and never lost.

pub mod api;
pub mod door;
pub mod jobs;
mod model;
mod posting;
pub mod service;
pub mod store;
pub mod sweeper;

pub use model::{InboxError, Meaning, NewNotice, Notice, Source, Taken, TakenUp};
