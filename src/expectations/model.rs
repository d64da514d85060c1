use mizan_ledger::{Day, EntryId, Money};

use crate::ids::{ExpectationId, IntentId, RefundId};

/// What kind of money is expected. The sign is in the amount: positive comes in, negative goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A payment the channel holds for us.
    Payment,
    /// A refund that leaves our bank account.
    Refund,
    /// A refund that the channel keeps back from its next settlement.
    NettedRefund,
    Payout,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Refund => "refund",
            Self::NettedRefund => "netted_refund",
            Self::Payout => "payout",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Payment, Self::Refund, Self::NettedRefund, Self::Payout]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

/// To be born with an entry.
#[derive(Debug, Clone)]
pub struct NewExpectation {
    pub kind: Kind,
    pub channel: String,
    /// The bank account (its name in the books) where the money will be seen.
    pub account: String,
    pub money: Money,
    /// What the channel will keep of it by contract; zero when it keeps nothing.
    pub cost: Money,
    /// The rail's transaction id.
    pub transaction: Option<String>,
    /// Our own reference on the rail: bill number, EndToEndId.
    pub reference: Option<String>,
    pub money_key: Option<String>,
    pub intent: Option<IntentId>,
    pub refund: Option<RefundId>,
    pub born_on: Day,
    /// The last day on which it is not yet late.
    pub due_on: Day,
}

/// Money not yet seen.
#[derive(Debug, Clone)]
pub struct Expectation {
    pub id: ExpectationId,
    pub kind: Kind,
    pub channel: String,
    pub account: String,
    pub money: Money,
    pub cost: Money,
    pub transaction: Option<String>,
    pub reference: Option<String>,
    pub money_key: Option<String>,
    pub intent: Option<IntentId>,
    pub refund: Option<RefundId>,
    pub born_on: Day,
    pub due_on: Day,
}

/// What showed an expected money.
#[derive(Debug, Clone)]
pub struct Met {
    pub expectation: ExpectationId,
    /// None for a settlement of zero, which shows no line.
    pub statement_line: Option<i64>,
    pub settlement: Option<String>,
    pub entry: EntryId,
}

/// By what expectations are looked for.
#[derive(Debug, Clone, Default)]
pub struct Keys {
    pub money_keys: Vec<String>,
    pub references: Vec<String>,
    /// Channel and the rail's transaction id.
    pub transactions: Vec<(String, String)>,
}
