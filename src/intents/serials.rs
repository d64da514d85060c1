//! The eight serial digits of bill numbers: drawn from the database by the block, given out one by one. What is left
//! of a block when the hub stops is never given: serials have gaps.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sqlx::PgConnection;

use super::store;
use crate::fault::Fault;

/// Two million restarts with a whole block lost at each would use up the serials.
const BLOCK: i32 = 50;

/// The serials that this process has drawn and not given out.
#[derive(Debug, Default)]
pub struct Serials(Mutex<VecDeque<u32>>);

impl Serials {
    /// The next serials, as many as asked for.
    ///
    /// # Errors
    /// When the database cannot be asked, or all 99,999,999 serials are given out.
    pub async fn draw(&self, conn: &mut PgConnection, count: usize) -> Result<Vec<u32>, Fault> {
        let mut drawn = self.take(count);
        let missing = count - drawn.len();
        if missing > 0 {
            let block = BLOCK.max(i32::try_from(missing).map_err(|_| Fault::Stale)?);
            let serials = store::next_serials(conn, block).await?;
            self.kept().extend(serials);
            drawn.append(&mut self.take(missing));
        }
        Ok(drawn)
    }

    /// Up to so many of those that are kept.
    fn take(&self, count: usize) -> Vec<u32> {
        let mut kept = self.kept();
        let count = count.min(kept.len());
        kept.drain(..count).collect()
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
