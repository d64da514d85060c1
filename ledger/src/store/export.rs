//! The journal of a span of days, streamed out of one snapshot.

use std::io;

use sqlx::{Connection, PgConnection};

use super::Book;
use super::outcome::BookError;
use crate::Day;
use crate::export::{Journal, Placed, Span};

/// Entries are read in portions of this many.
const ENTRIES_PER_PORTION: i64 = 1_000;

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Exported {
    pub entries: u64,
    pub lines: u64,
    pub accounts: u64,
}

/// Why a journal was not written to its end.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error(transparent)]
    Book(#[from] BookError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl From<sqlx::Error> for ExportError {
    fn from(error: sqlx::Error) -> Self {
        Self::Book(error.into())
    }
}

impl Book {
    /// Writes the journal of all entries effective in `span`. `conn` must not be in a transaction; any role
    /// that may read will do. Memory does not grow with the book.
    pub async fn export(
        &self,
        conn: &mut PgConnection,
        format: &dyn Journal,
        span: Span,
        out: &mut (dyn io::Write + Send),
    ) -> Result<Exported, ExportError> {
        let mut tx = conn.begin_with("begin isolation level repeatable read read only").await?;
        let opening = self.balances_on(&mut tx, span.from.previous()).await?;
        format.head(out, self.name(), span, &opening)?;
        let mut exported = Exported { accounts: opening.iter().map(|_| 1_u64).sum(), ..Exported::default() };
        for (day, first, last) in self.days(&mut tx, span).await? {
            let mut after = first.saturating_sub(1);
            loop {
                let seqs = self.seqs_of(&mut tx, day, after, last).await?;
                let Some(end) = seqs.last() else { break };
                after = *end;
                for recorded in self.entries_at(&mut tx, &seqs).await? {
                    exported.entries = exported.entries.saturating_add(1);
                    let lines = recorded.entry.lines().iter().map(|_| 1_u64).sum();
                    exported.lines = exported.lines.saturating_add(lines);
                    let (seq, recorded_at, reverses_seq) =
                        (recorded.seq, recorded.recorded_at, recorded.reverses_seq);
                    format.entry(out, Placed { seq, recorded_at, reverses_seq, entry: &recorded.entry })?;
                }
            }
        }
        format.closing(out, span, &self.balances_on(&mut tx, span.to).await?)?;
        tx.rollback().await?;
        Ok(exported)
    }

    /// From the first effective day of any entry to the last; None while the book is empty.
    pub async fn span(&self, conn: &mut PgConnection) -> Result<Option<Span>, BookError> {
        let row = sqlx::query!(
            "select min(d.effective_on) as first, max(d.effective_on) as last
             from ledger.daily_totals d join ledger.accounts a on a.id = d.account_id where a.book_id = $1",
            self.0.id,
        )
        .fetch_one(conn)
        .await?;
        Ok(row.first.zip(row.last).map(|(from, to)| Span { from, to }))
    }

    /// The days of the span that have entries, with the first and last number of them.
    async fn days(&self, conn: &mut PgConnection, span: Span) -> Result<Vec<(Day, i64, i64)>, BookError> {
        let rows = sqlx::query!(
            r#"select d.effective_on, min(d.first_seq) as "first!", max(d.last_seq) as "last!"
               from ledger.daily_totals d join ledger.accounts a on a.id = d.account_id
               where a.book_id = $1 and d.effective_on between $2 and $3
               group by d.effective_on order by d.effective_on"#,
            self.0.id,
            span.from as _,
            span.to as _,
        )
        .fetch_all(conn)
        .await?;
        Ok(rows.into_iter().map(|row| (row.effective_on, row.first, row.last)).collect())
    }

    async fn seqs_of(
        &self,
        conn: &mut PgConnection,
        day: Day,
        after: i64,
        last: i64,
    ) -> Result<Vec<i64>, BookError> {
        Ok(sqlx::query_scalar!(
            "select seq from ledger.entries
             where book_id = $1 and seq > $2 and seq <= $3 and effective_on = $4 order by seq limit $5",
            self.0.id,
            after,
            last,
            day as _,
            ENTRIES_PER_PORTION,
        )
        .fetch_all(conn)
        .await?)
    }
}
