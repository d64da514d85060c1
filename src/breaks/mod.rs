//! Breaks: everything that does not tie, in one queue with one word.
//!
//! ```text
//! open ─► assigned ─► proposed ─► approved ─► resolved ─► reopened
//!   └──────────┴─ self_resolved (the missing item came) · superseded
//! ```
//! One break per (category, subject): a rerun or a second file updates it, never doubles it.

mod model;
pub mod store;

pub use model::{Break, Category, NewBreak};
