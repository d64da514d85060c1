//! Money, time and ids (the vocabulary every package shares) and the double-entry book.
//!
//! ```text
//! Money ── Currency          Entry ── Line ── Account
//!   │                          │
//! Rate (named rounding)      Book (PostgreSQL, feature `pg`): batches, balances, hash chain
//! ```
//!
//! A chart module builds [`Account`] values, a rule turns a business fact into an [`Entry`], and a unit of work
//! posts a batch of them, last thing before its commit:
//!
//! ```
//! use mizan_ledger::{Account, Class, Currency, Entry, EntryDraft, EntryId, Id, Line, Money};
//!
//! let jod = |minor| Money::new(minor, Currency::JOD);
//! let receivable = Account::new("channel/bills/receivable".parse()?, Class::Asset, Currency::JOD);
//! let payable = Account::new("agency/psi/payable".parse()?, Class::Liability, Currency::JOD)
//!     .of_agency("psi")
//!     .with_floor(0);
//! let entry = Entry::new(EntryDraft {
//!     id: EntryId::from_uuid(uuid::Uuid::from_u128(1)), // minted with the fact, stored before posting
//!     kind: "payment_taken".into(),
//!     effective_on: "2026-03-15".parse()?,
//!     actor: "job:poster".into(),
//!     source_ref: "pi_01936f2c5b7a7c3e8f1a2b3c4d5e6f70".into(),
//!     meta: serde_json::Map::new(),
//!     lines: vec![Line::debit(receivable, jod(12_500)), Line::credit(payable, jod(12_500))],
//! })?; // refused unless debits equal credits, per currency
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! ```text
//! let book = Book::open(&pool, "main").await?;                     // once per process
//!
//! let turn = book.turn().await;                                    // before the transaction's last step
//! let outcomes = book.post(&turn, &mut tx, now, &entries).await?;  // accounts and periods open by themselves
//! tx.commit().await?;                                              // only appends since the post
//! drop(turn);
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

// The type names in sqlx.toml begin with the crate's name, for the tests too.
#[cfg(feature = "pg")]
extern crate self as mizan_ledger;

pub mod account;
pub mod balance;
pub mod chain;
pub mod checkpoint;
pub mod currency;
pub mod entry;
pub mod export;
pub mod id;
pub mod money;
pub mod rate;
#[cfg(feature = "schema")]
pub mod schema;
#[cfg(feature = "pg")]
pub mod store;
pub mod time;

pub use account::{Account, AccountCode, AccountKey, Class, Side};
pub use balance::{AccountBalance, Balance};
pub use entry::{Entry, EntryDraft, EntryError, Line, ReversalDraft};
#[cfg(feature = "pg")]
pub use store::{Book, BookError, Outcome, Refusal, Turn};

pub use currency::Currency;
pub use id::{EntryId, Id};
pub use money::{Money, MoneyError};
pub use rate::{Rate, Rounding};
pub use time::{Calendar, Clock, Day, Instant, ManualClock, SystemClock, Zone};
