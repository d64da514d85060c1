//! Suspense: money that is here and not yet applied, listed item by item, so that the suspense accounts can be
//! proved. An item is used up by applying it to an intent or by a refund.

pub mod store;

use mizan_ledger::{EntryId, Instant, Money};
use serde::Serialize;

use crate::ids::{IntentId, SuspenseId};
use crate::queue::NewJob;

/// The job that proposes to give an item back the way it came; another person approves.
pub const PROPOSE_REFUND: &str = "refund.propose";

/// Asks for a proposal to give the item back.
pub fn propose_refund(item: SuspenseId) -> NewJob {
    NewJob::now(PROPOSE_REFUND, item)
}

/// Money that arrived and fits nothing.
#[derive(Debug, Clone)]
pub struct NewItem {
    pub id: SuspenseId,
    /// The suspense account's own name: `suspense/<w>/credits`.
    pub account: String,
    pub money: Money,
    /// Why it is here: the category of its break.
    pub cause: String,
    pub notice: Option<i64>,
    pub statement_line: Option<i64>,
    pub intent: Option<IntentId>,
    pub money_key: Option<String>,
    pub entry: EntryId,
}

/// An item with something left.
#[derive(Debug, Clone, Serialize)]
pub struct Item {
    pub id: SuspenseId,
    pub account: String,
    pub left: Money,
    pub cause: String,
    pub intent: Option<IntentId>,
    pub money_key: Option<String>,
    pub created_at: Instant,
}
