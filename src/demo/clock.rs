use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use mizan_ledger::{Clock, Instant, SystemClock};

/// The machine's clock, set back while the story tells of days before.
#[derive(Debug, Clone, Default)]
pub struct StoryClock {
    seconds_back: Arc<AtomicI64>,
}

impl StoryClock {
    pub fn set_back(&self, seconds: i64) {
        self.seconds_back.store(seconds, Ordering::SeqCst);
    }
}

impl Clock for StoryClock {
    fn now(&self) -> Instant {
        SystemClock.now().plus_seconds(-self.seconds_back.load(Ordering::SeqCst))
    }
}
