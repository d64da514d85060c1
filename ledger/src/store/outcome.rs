//! What becomes of an entry, and what can go wrong with a batch.

use serde::{Deserialize, Serialize};

use crate::account::{AccountKey, Class};
use crate::{Day, EntryId, Instant, Money};

/// What became of an entry. The same id gives the same outcome for ever, refusals included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is in the book. `replayed`: it was before this batch already.
    Accepted { seq: i64, recorded_at: Instant, replayed: bool },
    /// It is not, and never will be under this id. `replayed` as above.
    Refused { refusal: Refusal, replayed: bool },
}

impl Outcome {
    pub fn is_accepted(&self) -> bool {
        matches!(self, Self::Accepted { .. })
    }

    /// The refusal, if it is one.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Accepted { .. } => None,
            Self::Refused { refusal, .. } => Some(refusal),
        }
    }

    /// The same outcome, told again.
    pub(crate) fn again(&self) -> Self {
        match self.clone() {
            Self::Accepted { seq, recorded_at, .. } => Self::Accepted { seq, recorded_at, replayed: true },
            Self::Refused { refusal, .. } => Self::Refused { refusal, replayed: true },
        }
    }
}

/// Why the book refused an entry, in the order in which the rules are asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Refusal {
    /// The one refusal that is not stored: the id keeps the outcome of its first content.
    #[error("the id was used for other content")]
    Conflict,
    #[error("{effective_on} is more than a day ahead")]
    InFuture { effective_on: Day },
    #[error("the period of {effective_on} is not open")]
    PeriodNotOpen { effective_on: Day },
    #[error("{original} is not in the book")]
    OriginalUnknown { original: EntryId },
    #[error("{original} is a reversal itself")]
    OriginalIsReversal { original: EntryId },
    #[error("{original} was reversed before, by entry {by_seq}")]
    AlreadyReversed { original: EntryId, by_seq: i64 },
    #[error("the lines do not mirror {original}")]
    NotItsMirror { original: EntryId },
    #[error("{account} is closed")]
    AccountClosed { account: AccountKey },
    #[error("the sums of {account} would leave the range of 64 bits")]
    Overflow { account: AccountKey },
    /// Signed on the account's normal side.
    #[error("{account} would fall to {}, below its floor of {}", on(.account, .balance_minor), on(.account, .floor_minor))]
    BelowFloor { account: AccountKey, balance_minor: i64, floor_minor: i64 },
    #[error("{account} would rise to {}, above its ceiling of {}", on(.account, .balance_minor), on(.account, .ceiling_minor))]
    AboveCeiling { account: AccountKey, balance_minor: i64, ceiling_minor: i64 },
}

fn on(account: &AccountKey, minor: &i64) -> Money {
    Money::new(*minor, account.currency)
}

/// Why nothing of a batch could be posted: a fault of the caller's program or of the database, never an
/// answer about an entry. Roll back.
#[derive(Debug, thiserror::Error)]
pub enum BookError {
    #[error(
        "a batch has at most {} entries and {} lines, not {entries} and {lines}",
        super::ENTRIES_MAX,
        super::BATCH_LINES_MAX
    )]
    BatchTooLarge { entries: usize, lines: usize },
    #[error(
        "{account} was opened as {opened_class} of {opened_agency:?}, and is now named as {class} of {agency:?}"
    )]
    AccountMismatch {
        account: AccountKey,
        class: Class,
        agency: Option<String>,
        opened_class: Class,
        opened_agency: Option<String>,
    },
    #[error("the turn is of another book")]
    ForeignTurn,
    /// Periods of other lengths leave a hole there: open one by hand.
    #[error("no period holds {effective_on}, and its month overlaps another period")]
    NoPeriod { effective_on: Day },
    #[error("{what} is not as the book wrote it")]
    Corrupt { what: String },
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl BookError {
    pub(crate) fn corrupt(what: impl std::fmt::Display) -> Self {
        Self::Corrupt { what: what.to_string() }
    }
}
