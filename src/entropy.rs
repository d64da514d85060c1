//! Randomness and new ids: from the machine, or from a seed in the simulation and in tests.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use mizan_ledger::{Id, Instant};
use ring::rand::{SecureRandom, SystemRandom};
use sha2::{Digest, Sha256};
use uuid::Builder;

#[derive(Clone)]
pub struct Entropy(Source);

#[derive(Clone)]
enum Source {
    System(SystemRandom),
    /// SHA-256 in counter mode over the seed: repeatable, never used in production.
    Seeded(Arc<Mutex<(u64, u64)>>),
}

impl Entropy {
    pub fn system() -> Self {
        Self(Source::System(SystemRandom::new()))
    }

    pub fn seeded(seed: u64) -> Self {
        Self(Source::Seeded(Arc::new(Mutex::new((seed, 0)))))
    }

    pub fn fill(&self, bytes: &mut [u8]) {
        match &self.0 {
            Source::System(random) => {
                random.fill(bytes).expect("the operating system gives randomness");
            }
            Source::Seeded(state) => {
                for chunk in bytes.chunks_mut(32) {
                    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
                    state.1 += 1;
                    let mut hash = Sha256::new();
                    hash.update(state.0.to_be_bytes());
                    hash.update(state.1.to_be_bytes());
                    chunk.copy_from_slice(&hash.finalize()[..chunk.len()]);
                }
            }
        }
    }

    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// A new UUIDv7 id of the given instant (RFC 9562 section 5.7: milliseconds, then random).
    pub fn id<T: Id>(&self, now: Instant) -> T {
        let millis = u64::try_from(now.timestamp().as_millisecond()).unwrap_or(0);
        T::from_uuid(Builder::from_unix_timestamp_millis(millis, &self.bytes()).into_uuid())
    }

    /// A token of `N` random bytes in lower-case base 32 without look-alikes, safe in a URL and on paper.
    pub fn token<const N: usize>(&self) -> String {
        const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";
        self.bytes::<N>().iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect()
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Source::System(_) => "Entropy(system)",
            Source::Seeded(_) => "Entropy(seeded)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::IntentId;

    #[test]
    fn the_same_seed_gives_the_same_ids() {
        let now: Instant = "2026-11-22T08:00:00Z".parse().unwrap();
        let ids = |seed| {
            let entropy = Entropy::seeded(seed);
            [entropy.id::<IntentId>(now), entropy.id::<IntentId>(now)]
        };
        assert_eq!(ids(7), ids(7));
        assert_ne!(ids(7), ids(8));
        assert_ne!(ids(7)[0], ids(7)[1]);
        assert_eq!(ids(7)[0].uuid().get_version_num(), 7);
    }

    #[test]
    fn a_token_has_one_letter_a_byte() {
        assert_eq!(Entropy::seeded(1).token::<26>().len(), 26);
    }
}
