//! The eight serial digits of bill numbers: drawn from the database by the block, given out one by one. What is left
//! of a block when the hub stops is never given: serials have gaps.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use sqlx::PgConnection;

use super::store;
use crate::fault::Fault;

/// Two million restarts with a whole block lost at each would use up the serials.
const BLOCK: i32 = 50;

/// The serials that this process has drawn and not given out.
#[derive(Debug, Default)]
pub struct Serials(Mutex<VecDeque<u32>>);

impl Serials {
    /// The next serial.
    ///
    /// # Errors
    /// When the database cannot be asked, or all 99,999,999 serials are given out.
    pub async fn draw(&self, conn: &mut PgConnection) -> Result<u32, Fault> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        if let Some(serial) = kept {
            return Ok(serial);
        }
        let mut block: VecDeque<u32> = store::next_serials(conn, BLOCK).await?.into();
        let serial = block.pop_front().ok_or(Fault::Stale)?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).append(&mut block);
        Ok(serial)
    }
}
