//! What is ours to mend: a fault is logged once at the boundary and answered with 500 or 503, without detail.
//! A refusal, which is for the caller, is an error type of each slice.

use mizan_ledger::store::BookError;

/// Something failed that the caller can do nothing about.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    #[error("book: {0}")]
    Book(#[from] BookError),
    /// A row that cannot be a model is never defaulted.
    #[error("row {id} of {table} is corrupt: column {column}")]
    Corrupt { table: &'static str, column: &'static str, id: String },
    #[error("json: {0}")]
    Json(#[from] serde_json::Error),
    #[error("money: {0}")]
    Money(#[from] mizan_ledger::MoneyError),
    #[error("cryptography: {0}")]
    Crypto(&'static str),
    /// The price list changed between two looks of one request; the unit of work runs again.
    #[error("the catalogue or the keys changed meanwhile")]
    Stale,
    #[error("{0}")]
    Other(String),
}

impl Fault {
    pub fn corrupt(table: &'static str, column: &'static str, id: impl ToString) -> Self {
        Self::Corrupt { table, column, id: id.to_string() }
    }

    /// Whether the same unit of work may succeed when run again: a serialization failure, a deadlock, a lock
    /// timeout, or a cache that went stale.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Stale => true,
            Self::Database(error) => transient(error),
            Self::Book(error) => database(error).is_some_and(transient),
            _ => false,
        }
    }

    /// Whether the database could not be reached at all.
    pub fn is_unavailable(&self) -> bool {
        let unreachable = |error: &sqlx::Error| {
            matches!(error, sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed)
        };
        match self {
            Self::Database(error) => unreachable(error),
            Self::Book(error) => database(error).is_some_and(unreachable),
            _ => false,
        }
    }
}

fn database(error: &BookError) -> Option<&sqlx::Error> {
    match error {
        BookError::Database(error) => Some(error),
        _ => None,
    }
}

/// SQLSTATE 40001 serialization_failure, 40P01 deadlock_detected, 55P03 lock_not_available.
fn transient(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(error) = error else { return false };
    error.code().is_some_and(|code| matches!(code.as_ref(), "40001" | "40P01" | "55P03"))
}

/// The name of the constraint that refused a statement, if that is what happened: refusals are mapped by it.
pub fn constraint(error: &sqlx::Error) -> Option<&str> {
    let sqlx::Error::Database(error) = error else { return None };
    error.constraint()
}
