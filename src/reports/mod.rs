//! Reports: what finance reads. The day's proof says, per currency, whether everything ties.
//!
//! ```text
//! book (entries)  ─► opening + movements = closing ─┐
//!                                                   ├─► compared account by account ─► tied, or which account is off
//! open items, listed one by one ────────────────────┘
//!   channels: expectations · banks: statements · agencies: priced lines less refunds · the rest: suspense items,
//!   refunds and part payments
//! ```
//! The two sides are read from different tables, and neither is computed from the other: an item too few, a statement
//! changed by hand or an entry too many shows as an unexplained amount at its account.

pub mod api;
mod bank;
mod model;
mod movement;
pub mod portal;
pub mod service;
mod store;
#[cfg(test)]
mod tests;
pub mod text;
pub mod treasury;
pub mod view;
mod weigh;

pub use bank::{BankDay, Seen};
pub use model::{BookAccount, CurrencyProof, Facts, Line, Listed, Moved, Note, OpenBreaks, Part, Proof};
pub use movement::{Movement, Section, Word};
pub use service::Asked;
