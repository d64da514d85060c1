//! Suspense: money that is here and not yet applied, listed item by item, so that the suspense accounts can be
//! proved. An item is used up by applying it to an intent or by a refund.

mod model;
pub mod store;

pub use model::{Item, NewItem, goes_back};

use crate::ids::SuspenseId;
use crate::queue::NewJob;

/// The job that proposes to give an item back the way it came; another person approves.
pub const PROPOSE_REFUND: &str = "refund.propose";

/// Asks for a proposal to give the item back.
pub fn propose_refund(item: SuspenseId) -> NewJob {
    NewJob::now(PROPOSE_REFUND, item)
}
