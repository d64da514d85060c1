//! One function per business event: what happened in, a balanced [`Entry`](mizan_ledger::entry::Entry) out.
//!
//! - [`collect`]: payments, parts, exemptions, withdrawn confirmations; [`instalments`]: parts that count at once;
//! - [`suspense`]: money that fits nothing yet;
//! - [`bank`]: what a statement shows first; [`channel`]: settlements and their costs;
//! - [`refund`], [`payout`], [`dispute`]: the ways out; [`cash`]: drawers, safes, deposits, cheques;
//! - [`own`]: transfers between our own accounts, write-offs.
//!
//! The name of the function is the `kind` of its entry. An amount of zero leaves no line, an amount below zero is
//! refused unless said otherwise, and lines of the same account and side are one line. A rule refuses what does not
//! add up and names both sides of the comparison; it never panics.

mod draft;
mod terms;

pub mod bank;
pub mod cash;
pub mod channel;
pub mod collect;
pub mod dispute;
pub mod instalments;
pub mod own;
pub mod payout;
pub mod refund;
pub mod suspense;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod story;
#[cfg(test)]
mod testing;

pub use draft::RuleError;
pub use terms::{
    Beneficiary, CostBearer, Difference, Exemption, Parked, Payment, Place, RailCost, Returned, Share, Stage,
    Voucher,
};
