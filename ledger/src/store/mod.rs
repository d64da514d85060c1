//! The book on PostgreSQL.
//!
//! ```text
//! turn ── lock head ── known ids ── balances ──> decide ──> batch ── lines ── entries ── commit
//!                                               (pure)       the database checks each, and all at commit
//! ```
//!
//! A batch is one transaction and a constant number of statements, however many entries it has. Whoever posts
//! holds the head row of the book until commit: that gives dense sequence numbers in commit order, the hash
//! chain, running balances and limits without races. So nothing but appends may follow [`Book::post`] in its
//! transaction, and a process lets one session at a time ask for the head: [`Book::turn`].

mod change;
mod checkpoint;
mod decide;
mod export;
mod outcome;
mod post;
mod read;
mod rows;
mod statement;
mod verify;

use std::fmt;
use std::sync::{Arc, RwLock};

use jiff::SignedDuration;
use sqlx::PgPool;
use tokio::sync::{Mutex, OwnedMutexGuard};

pub use change::{Change, ChangeError, PeriodStatus};
pub use checkpoint::PROOF_LINKS_MAX;
pub use export::{ExportError, Exported};
pub use outcome::{BookError, Outcome, Refusal};
pub use read::RecordedEntry;
pub use statement::{AccountLine, STATEMENT_LINES_MAX, Statement, StatementError};
pub use verify::{Check, Difference, Progress, Report};

use crate::Instant;
use crate::chain::Hash;

/// The most entries of one batch.
pub const ENTRIES_MAX: usize = 512;
/// The most lines of one batch.
pub const BATCH_LINES_MAX: usize = 2_048;

/// A handle on one book. Cheap to clone; open each book once per process.
#[derive(Clone)]
pub struct Book(Arc<Inner>);

struct Inner {
    id: i32,
    name: String,
    /// Fair: turns are given in the order they are asked for.
    turn: Arc<Mutex<()>>,
    /// The periods as of a version of the head row.
    periods: RwLock<decide::Periods>,
}

/// The right to post, for one session of this process. Keep it until after the commit.
#[derive(Debug)]
pub struct Turn(OwnedMutexGuard<()>);

/// Where a book stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The number of entries.
    pub seq: i64,
    /// The number of batches.
    pub batch: i64,
    /// The hash of the last batch.
    pub hash: Hash,
    /// When the last batch was recorded.
    pub at: Instant,
}

impl Head {
    /// The time of what is recorded next: `now`, or just after the last where the clock stands behind.
    pub(crate) fn next_instant(&self, now: Instant) -> Instant {
        now.max(self.at.plus(SignedDuration::from_micros(1)))
    }
}

impl Book {
    /// Opens the book of this name, which is made when there is none.
    pub async fn open(pool: &PgPool, name: &str) -> Result<Self, BookError> {
        let mut conn = pool.acquire().await?;
        let id = rows::find_or_insert_book(&mut conn, name).await?;
        Ok(Self(Arc::new(Inner {
            id,
            name: name.to_owned(),
            turn: Arc::default(),
            periods: RwLock::default(),
        })))
    }

    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Whether the turn is one of this book's.
    fn gave(&self, turn: &Turn) -> bool {
        Arc::ptr_eq(OwnedMutexGuard::mutex(&turn.0), &self.0.turn)
    }

    /// Waits for this process's turn to post.
    pub async fn turn(&self) -> Turn {
        Turn(Arc::clone(&self.0.turn).lock_owned().await)
    }
}

impl fmt::Debug for Book {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Book({})", self.0.name)
    }
}
