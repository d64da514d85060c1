//! The offline checker: derives everything again from entries and lines, and names every difference.
//!
//! ```text
//! batches in order ─> walk ─> at the end
//!   chain, roots        running balances, limits         balances, daily totals, outcomes, reversals,
//!   events              periods, outcomes, reversals     head, checkpoints, strays, triggers
//! ```
//!
//! It reads one snapshot, so it may run beside posting; it trusts no trigger and no derived row.

mod end;
mod rows;
mod walk;

use sqlx::{Connection, PgConnection};

use super::outcome::BookError;
use super::{Book, Head};
use walk::Walk;

/// Entries are read in portions of about this many.
const ENTRIES_PER_PORTION: i64 = 8_192;
const BATCHES_PER_PORTION: i64 = 1_024;
/// A ruined book differs everywhere: beyond this, differences are only counted.
const DIFFERENCES_KEPT: usize = 1_000;

/// What was compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// The triggers that guard the tables are there and on.
    Guards,
    /// Batches are numbered without gaps and continue each other.
    Batches,
    /// The root of a batch is that of its leaves, or of its event.
    Root,
    /// The hash of a batch follows from its root and the hash before.
    Chain,
    /// A published checkpoint names a hash of this chain.
    Checkpoint,
    /// An event of the book can be applied.
    Event,
    /// Entries are numbered without gaps, one per place.
    Seq,
    /// A leaf is the hash of its entry.
    Leaf,
    /// Times of recording strictly increase.
    RecordedAt,
    /// An entry has the lines it says, numbered from 1, none zero.
    Lines,
    /// The lines of an entry sum to zero per currency.
    ZeroSum,
    /// An effective date lies in the entry's period.
    Period,
    /// A line is in the currency of its account, an account of this book that is open.
    Account,
    /// Running balances and numbers of an account's lines.
    RunningBalance,
    /// No balance passes a limit after any entry.
    Limit,
    /// Each entry id has one outcome, accepted exactly with its entry.
    Outcome,
    /// A reversal mirrors an entry once.
    Reversal,
    /// A balance is the fold of its lines, and all balances of a currency sum to zero.
    Balance,
    /// Daily totals are the lines by effective date.
    DailyTotals,
    /// The head of the book is its last batch.
    Head,
}

/// One place where the book is not what its entries say.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Difference {
    pub check: Check,
    /// Where, as `entry 17` or `agency/psi/payable JOD`.
    pub at: String,
    pub detail: String,
}

/// What a run of the checker saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub head: Head,
    pub batches: u64,
    pub events: u64,
    pub entries: u64,
    pub lines: u64,
    pub refusals: u64,
    pub accounts: u64,
    /// The first thousand, in the order in which they were found.
    pub differences: Vec<Difference>,
    pub differences_count: u64,
}

impl Report {
    pub fn is_clean(&self) -> bool {
        self.differences_count == 0
    }
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    pub entries_done: i64,
    pub entries_total: i64,
}

impl Book {
    /// Checks the whole book in one snapshot of now. `conn` must not be in a transaction; any role that may read
    /// will do.
    ///
    /// # Errors
    /// Only where the book cannot be read. What is wrong with it stands in the report.
    pub async fn verify(
        &self,
        conn: &mut PgConnection,
        progress: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<Report, BookError> {
        let mut tx = conn.begin_with("begin isolation level repeatable read read only").await?;
        let report = self.verify_within(&mut tx, progress).await?;
        tx.rollback().await?;
        Ok(report)
    }

    /// As [`Book::verify`], in the caller's transaction, whose snapshot must not move while others post.
    pub async fn verify_within(
        &self,
        conn: &mut PgConnection,
        progress: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<Report, BookError> {
        let head = self.head(&mut *conn).await?;
        let mut walk = Walk::new(&self.0.name, head.clone(), rows::accounts(&mut *conn, self.0.id).await?);
        end::guards(&mut *conn, &mut walk).await?;
        let mut last_batch = 0;
        loop {
            let batches = rows::batches(&mut *conn, self.0.id, last_batch, BATCHES_PER_PORTION).await?;
            let portion = portion_of(&batches);
            let Some((first, last)) = portion.first().zip(portion.last()) else { break };
            let span = (first.first_seq, last.last_seq);
            let entries = rows::entries(&mut *conn, self.0.id, span).await?;
            let lines = rows::lines(&mut *conn, self.0.id, span).await?;
            let originals = rows::originals(&mut *conn, self.0.id, &entries).await?;
            walk.portion(portion, &entries, &lines, &originals);
            last_batch = last.no;
            progress(Progress { entries_done: last.last_seq, entries_total: head.seq });
        }
        end::compare(conn, self.0.id, &mut walk).await?;
        Ok(walk.report)
    }
}

/// As many batches as hold a portion of entries, at least one.
fn portion_of(batches: &[rows::Batch]) -> &[rows::Batch] {
    let Some(first) = batches.first() else { return batches };
    let end = first.first_seq.saturating_add(ENTRIES_PER_PORTION);
    let fitting = batches.iter().take_while(|batch| batch.last_seq < end).count();
    batches.get(..fitting.max(1)).unwrap_or(batches)
}
