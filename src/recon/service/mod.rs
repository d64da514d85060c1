//! The use cases of reconciliation, one file each.

mod import;
mod overdue;
mod reconcile;
mod refunds;
mod reports;

use mizan_ledger::Entry;

pub use import::import;
pub use overdue::{explain_suspense, open_overdue};
pub use reconcile::{Step, match_lines, match_silent};
pub use reports::{Told, not_told, told};

use crate::fault::Fault;
use crate::tx::Tx;

/// Facts are entered, whatever the book thinks of them: a refusal is a fault, and takes everything back.
async fn post(tx: &mut Tx, entries: &[Entry]) -> Result<(), Fault> {
    if entries.is_empty() {
        return Ok(());
    }
    let outcomes = tx.post(entries).await?;
    match outcomes.iter().find_map(|outcome| outcome.refusal()) {
        Some(refusal) => Err(Fault::Other(format!("the book refused an entry: {refusal}"))),
        None => Ok(()),
    }
}
