//! What happened on one account: by the order of recording, and by effective date.

use sqlx::PgConnection;

use super::outcome::BookError;
use super::{Book, rows};
use crate::account::AccountKey;
use crate::balance::{Balance, BalanceOverflow};
use crate::{Day, EntryId, Instant};

/// The most lines a statement gives at once.
pub const STATEMENT_LINES_MAX: i64 = 10_000;

/// A line of an account with what an auditor asks next: which entry, of what kind, about which business object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountLine {
    pub seq: i64,
    pub line_no: i16,
    pub entry_id: EntryId,
    pub kind: String,
    pub source_ref: String,
    pub effective_on: Day,
    pub recorded_at: Instant,
    /// Debit positive, credit negative.
    pub amount_minor: i64,
    /// The place among the lines of the account, from 1, in the order of recording.
    pub account_seq: i64,
    /// Debits less credits after this line, in the order of recording.
    pub balance_after_minor: i64,
}

/// An account over effective dates. Lines come by effective date, then in the order of recording: a line that
/// was posted late stands on its day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    pub account: AccountKey,
    pub from: Day,
    pub to: Day,
    /// Before the first day.
    pub opening: Balance,
    /// After the last day.
    pub closing: Balance,
    pub lines: Vec<AccountLine>,
}

/// Why there is no statement.
#[derive(Debug, thiserror::Error)]
pub enum StatementError {
    #[error("the account was never opened")]
    NoSuchAccount,
    #[error("more than {STATEMENT_LINES_MAX} lines: ask for fewer days")]
    TooManyLines,
    #[error(transparent)]
    Book(#[from] BookError),
}

impl From<sqlx::Error> for StatementError {
    fn from(error: sqlx::Error) -> Self {
        Self::Book(error.into())
    }
}

impl From<BalanceOverflow> for StatementError {
    fn from(overflow: BalanceOverflow) -> Self {
        Self::Book(BookError::corrupt(overflow))
    }
}

impl Book {
    /// The lines of an account in the order of recording, after entry `after_seq` (0 for the first).
    pub async fn account_lines(
        &self,
        conn: &mut PgConnection,
        account: &AccountKey,
        after_seq: i64,
        limit: i64,
    ) -> Result<Vec<AccountLine>, StatementError> {
        let account_id = self.account_id(conn, account).await?;
        Ok(sqlx::query_as!(
            AccountLine,
            "select l.seq, l.line_no, e.id as entry_id, e.kind, e.source_ref, l.effective_on, e.recorded_at,
                 l.amount_minor, l.account_seq, l.balance_after_minor
               from ledger.lines l join ledger.entries e on e.book_id = l.book_id and e.seq = l.seq
               where l.account_id = $1 and l.seq > $2 order by l.seq, l.line_no limit $3",
            account_id,
            after_seq,
            limit.min(STATEMENT_LINES_MAX),
        )
        .fetch_all(conn)
        .await?)
    }

    /// The statement of an account from one effective date to another, both included.
    pub async fn statement(
        &self,
        conn: &mut PgConnection,
        account: &AccountKey,
        from: Day,
        to: Day,
    ) -> Result<Statement, StatementError> {
        let account_id = self.account_id(conn, account).await?;
        let opening = self.balance_through(conn, account_id, from.previous()).await?;
        // Daily totals tell between which entries the lines of these days are: an index range on the account.
        let lines = sqlx::query_as!(
            AccountLine,
            "with span as (
                 select min(first_seq) as first_seq, max(last_seq) as last_seq from ledger.daily_totals
                 where account_id = $1 and effective_on between $2 and $3
               )
               select l.seq, l.line_no, e.id as entry_id, e.kind, e.source_ref, l.effective_on, e.recorded_at,
                 l.amount_minor, l.account_seq, l.balance_after_minor
               from ledger.lines l join ledger.entries e on e.book_id = l.book_id and e.seq = l.seq
               where l.account_id = $1 and l.seq between (select first_seq from span) and (select last_seq from span)
                 and l.effective_on between $2 and $3
               order by l.effective_on, l.seq, l.line_no limit $4",
            account_id,
            from as _,
            to as _,
            STATEMENT_LINES_MAX.saturating_add(1),
        )
        .fetch_all(conn)
        .await?;
        if i64::try_from(lines.len()).is_ok_and(|count| count > STATEMENT_LINES_MAX) {
            return Err(StatementError::TooManyLines);
        }
        let closing = lines.iter().try_fold(opening, |balance, line| balance.after(line.amount_minor))?;
        Ok(Statement { account: account.clone(), from, to, opening, closing, lines })
    }

    /// The balance of an account at the end of an effective date, whenever its lines were posted.
    pub async fn balance_on(
        &self,
        conn: &mut PgConnection,
        account: &AccountKey,
        day: Day,
    ) -> Result<Balance, StatementError> {
        let account_id = self.account_id(conn, account).await?;
        self.balance_through(conn, account_id, day).await
    }

    /// Debits less credits of an account as the book stood at an instant, whatever was posted later.
    pub async fn balance_at(
        &self,
        conn: &mut PgConnection,
        account: &AccountKey,
        at: Instant,
    ) -> Result<i64, StatementError> {
        let account_id = self.account_id(conn, account).await?;
        // The last entry recorded by then, inside the first batch that was recorded after it.
        let balance = sqlx::query_scalar!(
            r#"with batch as (
                 select first_seq, last_seq from ledger.batches
                 where book_id = $1 and recorded_at > $3 and last_seq >= first_seq order by recorded_at limit 1
               ), until as (
                 select coalesce(
                   (select max(seq) from ledger.entries, batch
                    where book_id = $1 and seq between first_seq and last_seq and recorded_at <= $3),
                   (select first_seq - 1 from batch), 9223372036854775807) as seq
               )
               select balance_after_minor from ledger.lines
               where account_id = $2 and seq <= (select seq from until) order by seq desc, line_no desc limit 1"#,
            self.0.id,
            account_id,
            at as _,
        )
        .fetch_optional(conn)
        .await?;
        Ok(balance.unwrap_or(0))
    }

    async fn balance_through(
        &self,
        conn: &mut PgConnection,
        account_id: i64,
        day: Day,
    ) -> Result<Balance, StatementError> {
        let row = sqlx::query!(
            r#"select coalesce(sum(debits_minor), 0)::bigint as "debits!", coalesce(sum(credits_minor), 0)::bigint as "credits!"
               from ledger.daily_totals where account_id = $1 and effective_on <= $2"#,
            account_id,
            day as _,
        )
        .fetch_one(conn)
        .await?;
        Ok(Balance::new(row.debits, row.credits).ok_or_else(|| BookError::corrupt("a daily total"))?)
    }

    async fn account_id(&self, conn: &mut PgConnection, account: &AccountKey) -> Result<i64, StatementError> {
        rows::find_account(conn, self.0.id, account).await?.ok_or(StatementError::NoSuchAccount)
    }
}
