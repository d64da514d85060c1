//! How often a password may be tried, of one login from one address: who guesses from elsewhere locks nobody out. Memory
//! is bounded: pairs share a fixed number of buckets.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use sha2::{Digest, Sha256};
use tokio::sync::{Semaphore, SemaphorePermit};

/// At once, and then one more each [`PAUSE`].
pub const TRIES: u32 = 8;
const PAUSE: Duration = Duration::from_secs(60);
/// Hashing a password costs memory on purpose; so many at once.
const HASHED_AT_ONCE: usize = 2;

#[derive(Debug, Clone)]
pub struct Tries {
    by_bucket: Arc<DefaultKeyedRateLimiter<u16>>,
    hashing: Arc<Semaphore>,
}

impl Default for Tries {
    fn default() -> Self {
        let burst = NonZeroU32::new(TRIES).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::with_period(PAUSE).expect("a minute is longer than nothing").allow_burst(burst);
        Self {
            by_bucket: Arc::new(RateLimiter::keyed(quota)),
            hashing: Arc::new(Semaphore::new(HASHED_AT_ONCE)),
        }
    }
}

impl Tries {
    /// Counts a try of this login from this address. False when there were too many.
    pub fn take(&self, login: &str, from: Option<IpAddr>) -> bool {
        let pair = format!("{login} {}", from.map(|address| address.to_string()).unwrap_or_default());
        let hash = Sha256::digest(pair);
        self.by_bucket.check_key(&u16::from_be_bytes([hash[0], hash[1]])).is_ok()
    }

    /// A place to hash in.
    pub async fn place(&self) -> Option<SemaphorePermit<'_>> {
        self.hashing.acquire().await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_tried_so_often_from_one_address() {
        let (tries, stranger) = (Tries::default(), Some(IpAddr::from([192, 0, 2, 7])));
        for _ in 0..TRIES {
            assert!(tries.take("reconciler", stranger));
        }
        assert!(!tries.take("reconciler", stranger));
        assert!(tries.take("approver", stranger));
        assert!(tries.take("reconciler", Some(IpAddr::from([192, 0, 2, 8]))));
    }
}
