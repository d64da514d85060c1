//! Breaks: everything that does not tie, in one queue with one word.
//!
//! ```text
//! open ─► proposed ─► resolved ─► reopened
//!   └────────┴─ self_resolved (the missing item came) · superseded
//! ```
//! What no news will end, two people end: one proposes what it was, another approves.
//!
//! One break per (category, subject): a rerun or a second file updates it, never doubles it.

pub mod api;
mod model;
mod service;
pub mod store;

pub use model::{Break, BreakError, Category, NewBreak};
