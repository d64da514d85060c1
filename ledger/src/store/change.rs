//! Changes of the book besides entries: limits, closing of accounts, periods. Each is an event in the hash
//! chain, a batch of its own without entries; the database applies it when it is appended.

use serde_json::json;
use sqlx::PgConnection;

use super::outcome::BookError;
use super::rows::{self, BatchRow};
use super::{Book, Head, Turn};
use crate::account::AccountKey;
use crate::{Day, Instant, chain};

/// How far an accounting period is closed. Periods close in order and reopen in the opposite one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PeriodStatus {
    /// Takes entries.
    Open,
    /// Takes none, but may be opened again by one step.
    SoftClosed,
    /// Its trial balance stands. Back to soft closed only as a reopening.
    Closed,
    /// For ever.
    Sealed,
}

impl PeriodStatus {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::SoftClosed => "soft_closed",
            Self::Closed => "closed",
            Self::Sealed => "sealed",
        }
    }
}

/// A change that is no entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// New limits of an account, signed on its normal side; `None` lifts one. Its balance must be within.
    Limits {
        account: AccountKey,
        floor_minor: Option<i64>,
        ceiling_minor: Option<i64>,
    },
    /// No entry may name the account any more. It must stand at zero.
    CloseAccount {
        account: AccountKey,
    },
    ReopenAccount {
        account: AccountKey,
    },
    /// The period that starts on this day gets another status.
    Period {
        starts_on: Day,
        status: PeriodStatus,
    },
}

/// Why a change was not made. The transaction is spoilt: roll back.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    #[error("the account was never opened")]
    NoSuchAccount,
    #[error("the balance is beyond the new limit")]
    BeyondLimit,
    #[error("the account is not at zero")]
    NotAtZero,
    #[error("periods close in order and reopen in the opposite one")]
    PeriodOrder,
    #[error("it is so already, or cannot become so")]
    NoSuchChange,
    #[error(transparent)]
    Book(#[from] BookError),
}

impl ChangeError {
    fn from_database(error: sqlx::Error) -> Self {
        let rule = error.as_database_error().and_then(|error| error.constraint());
        match rule {
            Some("book_events_account_check") => Self::NoSuchAccount,
            Some("balances_floor_check" | "balances_ceiling_check") => Self::BeyondLimit,
            Some("accounts_closed_at_zero_check") => Self::NotAtZero,
            Some("periods_order_check") => Self::PeriodOrder,
            Some("book_events_change_check") => Self::NoSuchChange,
            _ => Self::Book(BookError::Database(error)),
        }
    }
}

impl Change {
    fn kind(&self) -> &'static str {
        match self {
            Self::Limits { .. } => "limits",
            Self::CloseAccount { .. } | Self::ReopenAccount { .. } => "account_status",
            Self::Period { .. } => "period_status",
        }
    }

    fn body(&self) -> String {
        let status = |account: &AccountKey, status: &str| json!({"account": account.code, "currency": account.currency, "status": status});
        let body = match self {
            Self::Limits { account, floor_minor, ceiling_minor } => json!({
                "account": account.code, "currency": account.currency,
                "floor_minor": floor_minor, "ceiling_minor": ceiling_minor,
            }),
            Self::CloseAccount { account } => status(account, "closed"),
            Self::ReopenAccount { account } => status(account, "open"),
            Self::Period { starts_on, status } => {
                json!({"starts_on": starts_on.to_string(), "status": status.as_str()})
            }
        };
        body.to_string()
    }
}

impl Book {
    /// Makes a change in the caller's transaction, as [`Book::post`] posts: turn first, then only appends.
    /// `actor` as in an entry. Gives the head after it.
    pub async fn change(
        &self,
        turn: &Turn,
        conn: &mut PgConnection,
        now: Instant,
        actor: &str,
        change: &Change,
    ) -> Result<Head, ChangeError> {
        if !self.gave(turn) {
            return Err(BookError::ForeignTurn.into());
        }
        let (head, _, _) = rows::lock_head(conn, self.0.id).await?;
        let (kind, body) = (change.kind(), change.body());
        let no = head.batch.saturating_add(1);
        let recorded_at = head.next_instant(now);
        let root = chain::event_leaf(&self.0.name, no, recorded_at, kind, actor, &body);
        let first_seq = head.seq.saturating_add(1);
        let hash = chain::batch_hash(&self.0.name, no, first_seq, head.seq, &root, &head.hash);
        let batch = BatchRow { no, first_seq, last_seq: head.seq, root, hash, recorded_at };
        rows::insert_batch(conn, self.0.id, &batch).await?;
        rows::insert_event(conn, self.0.id, no, kind, actor, &body)
            .await
            .map_err(ChangeError::from_database)?;
        Ok(Head { seq: head.seq, batch: no, hash, at: recorded_at })
    }
}
