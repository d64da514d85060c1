use mizan_ledger::{EntryId, Instant, Money};
use serde::Serialize;
use serde_json::Value;

use crate::fault::Fault;
use crate::ids::{AttemptId, IntentId};

/// What a fact means to us, whatever the rail calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Meaning {
    Money,
    Declined,
    Refunded,
    RefundFailed,
    Reversed,
    Information,
}

impl Meaning {
    const ALL: [Self; 6] =
        [Self::Money, Self::Declined, Self::Refunded, Self::RefundFailed, Self::Reversed, Self::Information];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Money => "money",
            Self::Declined => "declined",
            Self::Refunded => "refunded",
            Self::RefundFailed => "refund_failed",
            Self::Reversed => "reversed",
            Self::Information => "information",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|meaning| meaning.as_str() == text)
    }
}

/// Which way the news came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    Callback,
    Query,
    Statement,
    Report,
}

impl Source {
    const ALL: [Self; 4] = [Self::Callback, Self::Query, Self::Statement, Self::Report];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Callback => "callback",
            Self::Query => "query",
            Self::Statement => "statement",
            Self::Report => "report",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.as_str() == text)
    }
}

/// An outside fact as the channel's reader understood it, with the bytes it came in.
#[derive(Debug, Clone)]
pub struct NewNotice {
    pub channel: String,
    /// The rail's transaction id.
    pub transaction: String,
    /// The rail's own word.
    pub status: String,
    pub meaning: Meaning,
    pub source: Source,
    /// What the rail says it is for: our order, a bill number, an RF reference.
    pub reference: Option<String>,
    pub money: Money,
    pub original_transaction: Option<String>,
    pub reason: Option<String>,
    /// The identity of the money itself, the same whichever way the news comes.
    pub money_key: String,
    pub occurred_at: Instant,
    pub raw: Vec<u8>,
    pub headers: Value,
}

/// What became of a fact at the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    New,
    /// The same fact again: acknowledged, nothing new.
    Duplicate,
    /// Another money under a known id: kept beside the first, never applied.
    Altered,
}

/// A stored fact.
#[derive(Debug, Clone, Serialize)]
pub struct Notice {
    /// Its place in the order of arrival.
    pub n: i64,
    pub channel: String,
    pub transaction: String,
    pub status: String,
    pub meaning: Meaning,
    pub source: Source,
    pub reference: Option<String>,
    pub money: Money,
    pub original_transaction: Option<String>,
    pub reason: Option<String>,
    pub money_key: String,
    pub occurred_at: Instant,
    /// The id of the entry it will cause, minted with it: a replay finds the stored outcome.
    pub entry: EntryId,
    /// The id under which it goes to suspense when the book refuses the first.
    pub fallback_entry: EntryId,
}

impl Notice {
    /// The attempt that it names as our order.
    pub fn order(&self) -> Option<AttemptId> {
        self.reference.as_deref()?.parse().ok()
    }

    /// The key of the money that it names beside its own, as a chargeback may.
    pub fn original_key(&self) -> Option<String> {
        self.original_transaction.as_ref().map(|name| format!("{}:{name}", self.channel))
    }

    /// The names of the money that it takes back: none when it takes none.
    pub fn taken_keys(&self) -> Vec<String> {
        let takes = self.meaning == Meaning::Reversed;
        let names = || self.original_key().into_iter().chain([self.money_key.clone()]);
        if takes { names().collect() } else { Vec::new() }
    }

    /// The name of the fact in breaks, which is told once.
    pub fn fact(&self) -> String {
        format!("{}:{}:{}", self.channel, self.transaction, self.status)
    }

    /// Whether the parsed facts are the same: bill, amount, currency, direction, original id. Never bytes.
    pub fn same_facts(&self, other: &NewNotice) -> bool {
        self.money == other.money
            && self.reference == other.reference
            && self.meaning == other.meaning
            && self.original_transaction == other.original_transaction
    }
}

/// What claimed a money key.
#[derive(Debug, Clone)]
pub struct First {
    pub n: i64,
    pub money: Money,
    /// None also when its notice is of this batch.
    pub intent: Option<IntentId>,
}

/// Why a notice is not applied again.
#[derive(Debug, thiserror::Error)]
pub enum InboxError {
    #[error("there is no such notice")]
    NotFound,
    #[error("the notice does not stand aside: it is {0}")]
    NotAside(String),
    #[error(transparent)]
    Fault(#[from] Fault),
}

crate::service_error!(InboxError);

/// A notice that the poster takes up again.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = NoticeApplied)]
pub struct TakenUp {
    pub notice: i64,
    /// Why it stood aside.
    pub stood_aside: Option<String>,
}
