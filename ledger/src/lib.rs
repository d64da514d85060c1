//! Money, time and ids (the vocabulary every package shares) and the double-entry book.
//!
//! ```text
//! Money ── Currency          Entry ── Line ── Account
//!   │                          │
//! Rate (named rounding)      Book (PostgreSQL, feature `pg`): batches, balances, hash chain
//! ```
//!
//! Invariants:
//! - money is a whole number of minor units with a currency; nothing converts implicitly, nothing is a float;
//! - this crate knows no HTTP and no agency, only accounts by code.
#![deny(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::float_arithmetic,
    clippy::indexing_slicing
)]
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, reason = "tests compute in the open"))]

#[cfg(feature = "pg")]
#[doc(hidden)]
pub mod pg;

/// Without the `pg` feature an id has no column.
#[cfg(not(feature = "pg"))]
#[doc(hidden)]
#[macro_export]
macro_rules! id_in_sql {
    ($name:ident) => {};
}

pub mod currency;
pub mod id;
pub mod money;
pub mod rate;
pub mod time;

pub use currency::Currency;
pub use id::{EntryId, Id};
pub use money::{Money, MoneyError};
pub use rate::{Rate, Rounding};
pub use time::{Calendar, Clock, Day, Instant, ManualClock, SystemClock, Zone};
