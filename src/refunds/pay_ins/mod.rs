//! What agencies pay in, so that the hub can transfer a refund of money that it does not hold.
//!
//! ```text
//! bank line with the refund's reference ─────────────────────────► entered ─► the refund is asked for again
//! bank line without it ─► suspense ─► proposed (by one) ─► entered (by another) · refused
//! ```
//! The agency cites the refund's own reference: a creditor reference of ISO 11649, so that a mistyped one is noticed and
//! sixteen characters, all that some banks give back, hold it. What is paid in is the agency's, whoever it was for: it
//! is entered on `agency/<a>/payable`, from where the refund is taken.

pub mod api;
mod model;
pub mod service;
pub mod store;

pub use model::{PayIn, State, awaited_from, reference, serial_of};
