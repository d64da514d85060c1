//! Channel: what an outside party can do, as a struct of optional capabilities.
//!
//! The hub asks a channel only for what it has; a rail without refunds simply carries `None`. Values going in
//! and out are plain (money, instants, days, references as text); the dialect stays inside the adapter.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use mizan_ledger::{Currency, Day, Instant, Money};
use reqwest::header::HeaderMap;
use serde::{Deserialize, Serialize};

use crate::outcome::Outcome;
use crate::payment_file::StatusReport;

/// One configured instance of an outside party. Capabilities it lacks are `None`.
#[derive(Clone, Default)]
pub struct Channel {
    /// The name in configuration, in money keys and in `/channels/{instance}`: `card`.
    pub instance: String,
    pub collect: Option<Arc<dyn Collect>>,
    pub refund: Option<Arc<dyn Refund>>,
    pub notices: Option<Arc<dyn Notices>>,
    pub query: Option<Arc<dyn Query>>,
    pub settlements: Option<Arc<dyn Settlements>>,
    pub pay_out: Option<Arc<dyn PayOut>>,
    pub statements: Option<Arc<dyn Statements>>,
}

/// Starts the payer on the way to pay.
pub trait Collect: Send + Sync {
    /// Opens a payment page. The same collection again (same order and money) answers the same page.
    fn start(&self, collection: Collection) -> BoxFuture<'_, Outcome<Started>>;
}

/// Gives money back the way it came.
pub trait Refund: Send + Sync {
    /// Orders a refund. `Accepted` means taken, not paid: the notice, the query or the statement says how it
    /// ended. The same order again (same reference and money) changes nothing over there.
    fn refund(&self, order: RefundOrder) -> BoxFuture<'_, Outcome<RefundTaken>>;
}

/// Reads what the party tells us unasked.
pub trait Notices: Send + Sync {
    /// Judges a notice at the door: pure, total over any bytes, in constant time where a secret is compared.
    fn verify(&self, headers: &HeaderMap, body: &[u8]) -> Verdict;
}

/// Answers what became of something we started.
pub trait Query: Send + Sync {
    /// Where the collection with this order (our reference) stands.
    fn order(&self, order: String) -> BoxFuture<'_, Outcome<OrderState>>;
    /// Where the refund with this reference (ours) stands.
    fn refund(&self, refund: String) -> BoxFuture<'_, Outcome<RefundState>>;
}

/// Reports what the party paid to us, payment by payment.
pub trait Settlements: Send + Sync {
    /// The settlements of one day of the party: None while that day is still open, an empty list if it had none.
    fn settlements(&self, day: Day) -> BoxFuture<'_, Outcome<Option<Vec<Settlement>>>>;
}

/// Takes files of payment orders.
pub trait PayOut: Send + Sync {
    /// Hands over a payment file as written; the answer is the party's own reference of the file, also of one that it
    /// says it already has. When it does not say under which, that is `Unknown`, never `Rejected`: its orders may be on
    /// their way.
    fn submit(&self, file: Bytes) -> BoxFuture<'_, Outcome<String>>;
    /// Whether the party knows a file again by its `MsgId` and carries it out once: then one that it did not answer may be
    /// handed over again.
    fn refuses_repeats(&self) -> bool;
    /// What became of the orders of a file.
    fn status(&self, file: String) -> BoxFuture<'_, Outcome<FileStatus>>;
}

/// Hands out account statements.
pub trait Statements: Send + Sync {
    /// The statement file of an account for one day; None while that day is still open.
    fn statement(&self, account: String, day: Day) -> BoxFuture<'_, Outcome<Option<StatementFile>>>;
}

/// Of the texts a payer sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    Ar,
    En,
}

/// What is to be collected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collection {
    /// Our reference: the attempt's id. Unique per merchant for ever.
    pub order: String,
    /// A positive amount.
    pub money: Money,
    pub description_ar: String,
    pub description_en: String,
    pub language: Language,
    /// Where the payer's browser returns to. The return proves nothing.
    pub return_url: String,
    /// Where notices are sent.
    pub callback_url: String,
}

/// A payment page that waits for the payer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// The party's name of the session.
    pub session: String,
    /// Where the payer's browser is sent.
    pub page_url: String,
    pub expires_at: Instant,
}

/// What is to be given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundOrder {
    /// Our reference: the refund's id. Unique per merchant for ever.
    pub refund: String,
    /// The party's transaction id of the payment.
    pub transaction: String,
    /// A positive amount.
    pub money: Money,
}

/// The party has taken a refund order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundTaken {
    /// The party's transaction id of the refund.
    pub transaction: String,
}

/// What a notice, or the answer to a query, says happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Meaning {
    Captured,
    Declined,
    Refunded,
    RefundFailed,
    Reversed,
    /// Something this adapter does not know: kept and acknowledged, never money.
    Other,
}

/// One fact about money, told by an outside party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The party's transaction id. With the channel's instance and the status it identifies the fact.
    pub transaction: String,
    /// The party's own word for what happened.
    pub status: String,
    pub meaning: Meaning,
    /// Our reference: the order of a payment, the refund of a refund.
    pub reference: String,
    /// Always positive; the meaning says the direction.
    pub money: Money,
    /// The payment a refund or a reversal belongs to, by the party's transaction id.
    pub original_transaction: Option<String>,
    /// Why it was declined or failed, in the party's word.
    pub reason: Option<String>,
    pub occurred_at: Instant,
}

/// What the door makes of a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Proved to come from the party, unaltered.
    Authentic(Notice),
    /// Plausible but not proved (a weak scheme): ask the party before anything is posted.
    Hint(Notice),
    /// Not a notice of this channel. Answered in the channel's dialect, counted, not stored as a fact.
    Refused(Refusal),
}

/// Why a notice was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the notice carries no signature")]
    Unsigned,
    #[error("the signature does not belong to these bytes")]
    WrongSignature,
    /// Signed by the party, and still not in its documented form: an alarm, not an attack.
    #[error("the notice cannot be read: {0}")]
    Unreadable(String),
    #[error("the notice is for another merchant")]
    AnotherMerchant,
}

/// Where a collection stands at the party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderState {
    /// The party has never heard of the order: it will not be paid unless it is started (again).
    NotKnown,
    /// The page waits for the payer.
    Open,
    /// The page's time is over without a payment.
    Expired,
    /// Captured, declined or reversed: the fact, in the form in which a notice tells it.
    Decided(Notice),
}

/// Where a refund stands at the party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundState {
    /// The party has not heard of the refund, so far: a request still under way may arrive. The same order may
    /// be given again, as its reference makes the two one; never one under another reference.
    NotKnown,
    /// Taken, not yet decided.
    Pending {
        transaction: String,
    },
    Refunded {
        transaction: String,
    },
    Failed {
        transaction: String,
        reason: Option<String>,
    },
}

/// One net payment of the party to us, with its parts. The numbers are the party's; the hub checks them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// The party's id of the settlement: it stands in the text of the bank line.
    pub reference: String,
    pub currency: Currency,
    pub gross: Money,
    pub refunds: Money,
    pub costs: Money,
    /// What arrives at the bank; negative when refunds and costs exceed the captures.
    pub net: Money,
    pub items: Vec<SettlementItem>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettlementKind {
    Payment,
    Refund,
}

/// One payment or refund inside a settlement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettlementItem {
    pub transaction: String,
    /// Our reference: the order of a payment, the refund of a refund. A refund item with the order and the
    /// transaction of a payment is its reversal.
    pub reference: String,
    pub kind: SettlementKind,
    /// The amount paid or given back, positive.
    pub gross: Money,
    /// What the party keeps for it.
    pub cost: Money,
}

impl SettlementItem {
    /// What the item adds to the net: positive for a payment, negative for a refund; None if out of range.
    pub fn net(&self) -> Option<Money> {
        let signed = match self.kind {
            SettlementKind::Payment => self.gross,
            SettlementKind::Refund => self.gross.checked_neg().ok()?,
        };
        signed.checked_sub(self.cost).ok()
    }
}

/// The answer about a payment file: its bytes, to be kept, and what they say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileStatus {
    pub raw: Bytes,
    pub report: StatusReport,
}

/// A statement as a file, to be read by the statement readers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementFile {
    pub name: String,
    pub raw: Bytes,
}

impl Collection {
    /// The description in the payer's language.
    pub fn description(&self) -> &str {
        match self.language {
            Language::Ar => &self.description_ar,
            Language::En => &self.description_en,
        }
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let capabilities = [
            ("collect", self.collect.is_some()),
            ("refund", self.refund.is_some()),
            ("notices", self.notices.is_some()),
            ("query", self.query.is_some()),
            ("settlements", self.settlements.is_some()),
            ("pay_out", self.pay_out.is_some()),
            ("statements", self.statements.is_some()),
        ];
        let names = capabilities.iter().filter(|(_, has)| *has).map(|(name, _)| name);
        write!(f, "Channel {} ", self.instance)?;
        f.debug_list().entries(names).finish()
    }
}
