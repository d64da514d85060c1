//! What is ours to mend: a fault is logged once at the boundary and answered with 500 or 503, without detail.
//! A refusal, which is for the caller, is an error type of each slice.

use std::borrow::Cow;

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

    /// Whether the same unit of work may succeed when run again: a serialization failure, a deadlock, a time
    /// limit, or a cache that went stale.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Stale => true,
            Self::Database(error) => transient(error),
            Self::Book(error) => database(error).is_some_and(transient),
            _ => false,
        }
    }

    /// Whether the database could not be reached, or serves nobody now.
    pub fn is_unavailable(&self) -> bool {
        match self {
            Self::Database(error) => unavailable(error),
            Self::Book(error) => database(error).is_some_and(unavailable),
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

fn transient(error: &sqlx::Error) -> bool {
    state_of(error).is_some_and(|state| is_transient_state(&state))
}

fn unavailable(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed)
        || state_of(error).is_some_and(|state| is_unavailable_state(&state))
}

fn state_of(error: &sqlx::Error) -> Option<Cow<'_, str>> {
    let sqlx::Error::Database(error) = error else { return None };
    error.code()
}

/// SQLSTATEs (PostgreSQL 15, appendix A) of work that may succeed when run again: 40001 serialization_failure, 40P01
/// deadlock_detected, 55P03 lock_not_available, 57014 query_canceled (by a time limit or a person), 25P03
/// idle_in_transaction_session_timeout.
fn is_transient_state(state: &str) -> bool {
    matches!(state, "40001" | "40P01" | "55P03" | "57014" | "25P03")
}

/// SQLSTATEs of a server that serves nobody now, whatever is asked of it: class 08 (the connection), class 53 (disk,
/// memory or connections are used up), class 58 (the system beneath it), 57P01 admin_shutdown, 57P02 crash_shutdown,
/// 57P03 cannot_connect_now, 57P05 idle_session_timeout, 25006 read_only_sql_transaction (a standby until it is promoted).
/// None of them says anything about the money in question.
fn is_unavailable_state(state: &str) -> bool {
    ["08", "53", "58"].iter().any(|class| state.starts_with(class))
        || matches!(state, "57P01" | "57P02" | "57P03" | "57P05" | "25006")
}

/// The name of the constraint that refused a statement, if that is what happened: refusals are mapped by it.
pub fn constraint(error: &sqlx::Error) -> Option<&str> {
    let sqlx::Error::Database(error) = error else { return None };
    error.constraint()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_by_itself_is_told_from_what_a_person_must_decide() {
        for state in ["40001", "40P01", "55P03", "57014", "25P03"] {
            assert!(is_transient_state(state) && !is_unavailable_state(state), "{state}");
        }
        for state in [
            "08000", "08006", "53000", "53100", "53200", "53300", "58000", "58030", "57P01", "57P02",
            "57P03", "57P05", "25006",
        ] {
            assert!(is_unavailable_state(state) && !is_transient_state(state), "{state}");
        }
        // A constraint, a number out of range, a missing right, a corrupted page: another try would say the same.
        for state in
            ["23505", "23514", "22003", "42501", "42P01", "P0001", "XX001", "25P02", "57000", "57P04"]
        {
            assert!(!is_transient_state(state) && !is_unavailable_state(state), "{state}");
        }
    }

    #[test]
    fn a_database_out_of_reach_is_unavailable() {
        assert!(Fault::Database(sqlx::Error::PoolTimedOut).is_unavailable());
        assert!(Fault::Book(BookError::Database(sqlx::Error::PoolClosed)).is_unavailable());
        assert!(!Fault::Database(sqlx::Error::RowNotFound).is_unavailable());
        assert!(Fault::Stale.is_transient() && !Fault::Stale.is_unavailable());
    }
}
