//! Attempts: one try to pay an intent on one channel. A live attempt holds the bill.
//!
//! ```text
//! created ─► redirected ─► captured ─► reversed      (the poster, from a notice)
//!    │           ├─► declined · abandoned
//!    └───────────┴─► unknown ─query─► captured | declined | abandoned | reversed
//! ```
//! Money is a fact: a capture ends an attempt that had been given up too, and a reversal one whose capture nobody told.

pub mod service;
pub mod store;
