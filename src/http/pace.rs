//! How many requests a key may make: so many each second, and so many at once after a pause.

use std::fmt;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::problem::{Code, Problem};
use crate::config::Limits;

/// Of known keys alone: a request is counted once its signature is right.
pub struct Pace {
    by_key: DefaultKeyedRateLimiter<String>,
    clock: DefaultClock,
}

impl Pace {
    pub fn new(limits: &Limits) -> Self {
        let quota = Quota::per_second(limits.requests_per_second).allow_burst(limits.burst);
        Self { by_key: RateLimiter::keyed(quota), clock: DefaultClock::default() }
    }

    /// Counts a request of this key; `rate_limited` when there were too many.
    pub fn take(&self, key_id: &str) -> Result<(), Problem> {
        self.by_key.check_key(&key_id.to_owned()).map_err(|early| {
            let wait = early.wait_time_from(self.clock.now());
            Problem::new(Code::RateLimited)
                .retry_after(u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1))
        })
    }
}

impl fmt::Debug for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pace")
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    #[test]
    fn a_key_that_asks_too_often_waits_and_another_does_not() {
        let limits =
            Limits { requests_per_second: NonZeroU32::MIN, burst: NonZeroU32::MIN, ..Limits::default() };
        let pace = Pace::new(&limits);
        assert!(pace.take("test_one").is_ok());
        let refused = pace.take("test_one").unwrap_err();
        assert_eq!(refused.code, Code::RateLimited);
        assert!(pace.take("test_other").is_ok());
    }
}
