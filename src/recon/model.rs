//! Statements: what they are identified by, and which of them are taken as the truth about an account.

use mizan_adapters::statement::{self, Refused, StatementKind};
use mizan_ledger::{Currency, Day, Instant, Money};
use serde::Serialize;

use crate::config::{Bank, account_number};
use crate::fault::Fault;
use crate::ids::{StatementFileId, StatementId};

/// Why a file is not taken in.
#[derive(Debug, thiserror::Error)]
pub enum ReconError {
    #[error("{0}")]
    Unreadable(#[from] Refused),
    #[error(transparent)]
    Fault(#[from] Fault),
}

crate::service_error!(ReconError);

/// Which way a file came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileSource {
    Upload,
    Folder,
}

impl FileSource {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Upload => "upload",
            Self::Folder => "folder",
        }
    }
}

/// What the import of a file did.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = StatementFile)]
pub struct Imported {
    pub id: StatementFileId,
    pub file: String,
    pub format: String,
    pub encoding: String,
    /// The same bytes came before: nothing was added.
    pub known: bool,
    pub statements: Vec<ImportedStatement>,
    #[schema(value_type = Vec<Object>)]
    pub problems: Vec<statement::Problem>,
}

impl Imported {
    /// Whether everything in it is taken as the truth: nothing was quarantined.
    pub fn is_clean(&self) -> bool {
        self.statements.iter().all(|one| one.outcome != Taken::Quarantined)
    }
}

#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ImportedStatement {
    /// None when it added nothing.
    pub id: Option<StatementId>,
    pub account: String,
    pub reference: String,
    pub period_on: Option<Day>,
    pub lines: u64,
    pub outcome: Taken,
    pub reason: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = StatementOutcome)]
pub enum Taken {
    Accepted,
    /// The same statement was accepted before.
    Known,
    Quarantined,
    /// Of the day after the hub's own: it is judged when its day has come.
    Waiting,
    /// An intraday report or a notification: no statement of record.
    Ignored,
}

/// Why a statement is not taken as the truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    UnknownAccount,
    NoDay,
    /// Of a day that has not come.
    FutureDay,
    NoBalances,
    DoesNotClose,
    /// An amount, sign or status in it could not be read as the standard has it.
    Doubtful,
    /// Another content under the identity of an accepted statement.
    Altered,
    /// It does not begin where the last accepted statement of the account ended.
    Gap,
    /// It lists money that an accepted statement listed.
    Repeats,
}

impl Cause {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnknownAccount => "unknown_account",
            Self::NoDay => "no_day",
            Self::FutureDay => "future_day",
            Self::NoBalances => "no_balances",
            Self::DoesNotClose => "does_not_close",
            Self::Doubtful => "doubtful",
            Self::Altered => "altered",
            Self::Gap => "gap",
            Self::Repeats => "repeats",
        }
    }
}

/// What is decided about a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    Accepted,
    /// Of a day that left the balance as it was, and it came after the next one, which continued without it: directly after the
    /// statement of this place, or before all others.
    Between(Option<i64>),
    Known,
    /// Its day has not come, and will be the next.
    Waits(String),
    Ignored(String),
    Quarantined(Cause, String),
}

/// How far an account is known: the last accepted statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    pub closing: Money,
    pub through_on: Day,
}

impl Position {
    /// Why a statement of this day does not continue the account, if it does not.
    pub fn gap(self, account: &str, period_on: Day, opening: Option<Money>) -> Option<String> {
        let Self { closing, through_on } = self;
        if period_on < through_on {
            return Some(format!("{account} is known through {through_on} already"));
        }
        let opening = opening.filter(|opening| *opening != closing)?;
        Some(format!(
            "it opens with {opening}, but the last accepted statement, of {through_on}, closed with {closing}"
        ))
    }
}

/// The head of a statement as it is kept: what it is identified by and the facts it is judged on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    pub kind: StatementKind,
    /// The account as printed, without spaces, in capitals.
    pub number: String,
    pub currency: Option<Currency>,
    /// The bank's own name for the statement, with its sequence and page.
    pub reference: String,
    pub sequence: Option<i64>,
    pub period_on: Option<Day>,
    pub opening: Option<Money>,
    pub closing: Option<Money>,
    pub closes: Option<bool>,
    /// The closing balance less what the lines lead to, where that can be said.
    pub difference: Option<Money>,
    pub lines: u64,
    /// SHA-256 over balances and booked lines.
    pub content: [u8; 32],
    /// The first problem that puts its sums in doubt.
    pub doubt: Option<String>,
}

impl Summary {
    /// The bank account of ours that it is about. Banks print an account with its BIC before a slash (MT `:25:`) or
    /// with the currency behind it.
    pub fn bank<'a>(&self, banks: &'a [Bank]) -> Option<&'a Bank> {
        let number = self.number.rsplit('/').next().unwrap_or(&self.number);
        banks.iter().find(|bank| {
            let ours = account_number(&bank.account);
            let tail = number.strip_prefix(ours.as_str());
            tail.is_some_and(|tail| tail.is_empty() || tail == bank.currency.code())
                && self.currency.is_none_or(|currency| currency == bank.currency)
        })
    }

    /// What moved came to nothing, and nothing about it is in doubt.
    pub fn is_even(&self) -> bool {
        self.closes == Some(true) && self.opening == self.closing && self.doubt.is_none()
    }

    /// Judges it, given what is known about its account. `same` tells whether an statement of the same
    /// identity that is accepted or waits has the same content.
    pub fn judge(
        &self,
        bank: Option<&Bank>,
        position: Option<Position>,
        same: Option<bool>,
        today: Day,
    ) -> Standing {
        let quarantined = |cause, reason: String| Standing::Quarantined(cause, reason);
        let what = match self.kind {
            StatementKind::EndOfDay => None,
            StatementKind::Intraday => Some("an intraday report"),
            StatementKind::Notification => Some("a notification"),
        };
        if let Some(what) = what {
            return Standing::Ignored(format!("{what}: only end-of-day statements are booked"));
        }
        let Some(bank) = bank else {
            let currency = self.currency.map_or(String::new(), |currency| format!(" in {currency}"));
            let reason = format!("no bank account {}{currency} stands in the configuration", self.number);
            return quarantined(Cause::UnknownAccount, reason);
        };
        match same {
            Some(true) => return Standing::Known,
            Some(false) => {
                let reason = format!("statement {} came before with other content", self.reference);
                return quarantined(Cause::Altered, reason);
            }
            None => {}
        }
        let Some(period_on) = self.period_on else {
            return quarantined(Cause::NoDay, "it tells no day".to_owned());
        };
        if period_on > today.next() {
            let reason = format!("it is of {period_on}, a day that has not come");
            return quarantined(Cause::FutureDay, reason);
        }
        match self.closes {
            None => {
                let reason = "an opening or a closing balance is missing".to_owned();
                return quarantined(Cause::NoBalances, reason);
            }
            Some(false) => {
                let reason = "the opening balance and the booked lines do not lead to the closing balance";
                return quarantined(Cause::DoesNotClose, reason.to_owned());
            }
            Some(true) => {}
        }
        if let Some(doubt) = &self.doubt {
            return quarantined(Cause::Doubtful, format!("its money is in doubt: {doubt}"));
        }
        // A bank further east may be a day ahead: what it shows counts on no day that the book knows yet, and more of the
        // day before may come.
        if period_on > today {
            return Standing::Waits(format!("it is of {period_on}, and is taken in when that day has come"));
        }
        match position.and_then(|position| position.gap(&bank.name, period_on, self.opening)) {
            Some(why) => quarantined(Cause::Gap, why),
            None => Standing::Accepted,
        }
    }
}

/// A statement as staff see it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Statement {
    pub id: StatementId,
    pub file: StatementFileId,
    /// The account's name in the books; the number as printed when it is none of ours.
    pub account: String,
    pub number: String,
    pub reference: String,
    pub sequence: Option<i64>,
    pub period_on: Option<Day>,
    pub opening: Option<Money>,
    pub closing: Option<Money>,
    pub lines: i64,
    pub state: String,
    pub cause: Option<String>,
    pub reason: Option<String>,
    pub created_at: Instant,
}
