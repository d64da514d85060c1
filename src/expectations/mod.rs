//! Expectations: money we say will be seen at the bank. Born with the entry, met by a statement line or a
//! channel's settlement, in the same transaction as the entry that moves it.
//!
//! ```text
//! open ─► met · withdrawn (reversed before the bank saw it)
//! ```
//! The open expectations of a channel are, one by one, what its receivable consists of: that is the day's proof.

mod model;
pub mod store;

pub use model::{Expectation, Keys, Kind, Met, NewExpectation};
