//! The sandbox's own clock. It shows what it was set to, and then runs or stands.

use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

/// Whether the clock moves between two settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pace {
    /// It goes on with the time that really passes.
    #[default]
    Running,
    /// It stands until `/control/clock` sets it: for tests.
    Standing,
}

/// A clock that can be set.
#[derive(Debug)]
pub struct Clock {
    shown: Timestamp,
    set: Instant,
    pace: Pace,
}

impl Clock {
    pub fn new(shown: Timestamp, pace: Pace) -> Self {
        Self { shown, set: Instant::now(), pace }
    }

    pub fn set(&mut self, shown: Timestamp) {
        *self = Self::new(shown, self.pace);
    }

    /// The time, to the whole second.
    pub fn now(&self) -> Timestamp {
        let passed = match self.pace {
            Pace::Running => {
                SignedDuration::from_secs(i64::try_from(self.set.elapsed().as_secs()).unwrap_or(0))
            }
            Pace::Standing => SignedDuration::ZERO,
        };
        self.shown.saturating_add(passed).unwrap_or(self.shown)
    }
}
