//! Attempts: one try to pay an intent on one channel. A live attempt holds the bill.
//!
//! ```text
//! created ─► redirected ─► captured      (money: the poster, from a notice)
//!    │           ├─► declined · abandoned
//!    └───────────┴─► unknown ─query─► captured | declined | abandoned
//! ```

pub mod service;
pub mod store;
