//! The books of the hub: which accounts there are, and what every business event enters in them.
//!
//! ```text
//! business event ─► rules::<event>(voucher, what happened) ─► Entry ─► tx.post ─► ledger
//!                        │
//!                      chart: one constructor per account, one name in either language
//! ```
//! The hub is an agent. What a payer paid stands on the asset side where the money is (a channel owes it, a drawer
//! holds it, a bank account has it) and on the liability side whose it is (an agency, its tax office, the treasury,
//! nobody yet: suspense). Only what the hub keeps or bears itself is a result. Money on its way stands on clearing
//! accounts ([`Kind::is_clearing`]), which return to zero; what is left on them are open items, listed one by one.
//!
//! Everything here is pure. No rule knows a balance: limits are asked by the book when the entry is posted, and
//! which part of a payment stands where is told by the caller.

pub mod chart;
pub mod rules;
mod slug;

pub use chart::{Described, Kind, describe};
pub use rules::{
    Beneficiary, CostBearer, Difference, Exemption, Parked, Payment, Place, RailCost, Returned, RuleError,
    Share, Stage, Voucher,
};
pub use slug::{NotASlug, Slug};
