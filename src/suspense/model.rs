use mizan_ledger::{EntryId, Instant, Money};
use serde::Serialize;

use crate::breaks::Category;
use crate::ids::{IntentId, SuspenseId};

/// Whether money of this cause is to go back: it is known whose payment it was, and that the payment does not take it.
/// What nobody knows yet waits for a person, and so does what its channel has taken back.
pub fn goes_back(cause: Category) -> bool {
    matches!(
        cause,
        Category::DuplicateMoney
            | Category::LateMoney
            | Category::AmountOver
            | Category::AmountUnder
            | Category::Currency
    )
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
    /// The subject of that break.
    pub break_subject: String,
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
    #[serde(skip)]
    pub break_subject: String,
    pub intent: Option<IntentId>,
    pub money_key: Option<String>,
    pub created_at: Instant,
}
