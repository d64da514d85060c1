//! Jobs: rows enqueued in the `Tx` for anything that leaves the building or waits.
//!
//! ```text
//! enqueue (Tx) ─► ready ─claim (lease, attempt+1)─► done
//!                   ▲            │ failed: later, with growing pauses
//!                   └────────────┘ after the last attempt: dead, and a break says so ─person─► ready
//! ```
//! One live job per (kind, subject): asked for once more it is done once, or again after the try that is under way. When it
//! is done, so is what was given up of it before, and the break ends. A worker that dies loses its lease and another claims
//! the job; whoever writes a result does so `where id and attempt = mine`.

pub mod api;
pub mod given_up;
pub mod store;
pub mod worker;

use mizan_ledger::Instant;
use serde_json::Value;

/// Work asked for by a transaction.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// `refund.submit`, `statement.read`, ...
    pub kind: &'static str,
    /// The object it is about; a second live job of the kind for it is not made.
    pub subject: String,
    pub body: Value,
    /// Not before.
    pub run_at: Option<Instant>,
}

impl NewJob {
    pub fn now(kind: &'static str, subject: impl ToString) -> Self {
        Self { kind, subject: subject.to_string(), body: Value::Object(serde_json::Map::new()), run_at: None }
    }

    pub fn at(self, run_at: Instant) -> Self {
        Self { run_at: Some(run_at), ..self }
    }
}

/// A job claimed by this worker.
#[derive(Debug, Clone)]
pub struct Job {
    pub id: i64,
    pub kind: String,
    pub subject: String,
    pub body: Value,
    pub attempt: i32,
}

/// Attempts after which a job is dead and somebody must look.
pub const ATTEMPTS_MAX: i32 = 20;

/// The pause before the next attempt: 1, 2, 4 ... seconds, at most ten minutes.
pub fn pause_seconds(attempt: i32) -> i64 {
    1_i64.checked_shl(u32::try_from(attempt - 1).unwrap_or(0).min(10)).unwrap_or(600).min(600)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_ten_minutes() {
        assert_eq!([1, 2, 3, 11, 20].map(pause_seconds), [1, 2, 4, 600, 600]);
    }
}
