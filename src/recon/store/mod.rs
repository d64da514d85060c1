//! Rows of statements, their lines, and what channels say they settled.

mod chain;
mod files;
mod found;
mod lines;
mod overdue;
mod settlements;
mod statements;

pub use chain::{
    Junction, find_junction, find_next, find_position, find_repeated, find_told_before, page_day_come,
    page_even_gaps, update_accepted, update_altered, update_keys, update_place, update_position,
    update_quarantined, update_superseded,
};
pub use files::{find_file, find_file_statements, insert_file};
pub use found::{FoundLine, find_by_money_keys};
pub use lines::{
    Credit, Debit, Decided, OpenLine, ShownLine, count_open_lines, find_credits, lock_open_lines,
    page_debits, page_lines, update_lines,
};
pub use overdue::{
    Explained, ExplainedLine, Overdue, lock_explained, lock_explained_debits, lock_explained_lines,
    page_explained_refunds, page_overdue,
};
pub use settlements::{
    find_items, find_told, find_untold_since, insert_settlement, insert_wanted, lock_one, lock_reported,
    page_direct, page_explained, page_silent, page_wanted, update_matched, update_not_told, update_told,
};
pub use statements::{
    FirstTold, NewStatement, exists, find_first_told, insert_lines, insert_statement, is_altered_known, page,
};

use sqlx::PgConnection;

use crate::fault::Fault;

/// Reconciliation stands in one line: imports and matching take this turn before anything else and wait for it, so
/// that a position is continued by one statement and a line is decided by one run. Nothing is locked before it.
pub async fn take_turn(conn: &mut PgConnection) -> Result<(), Fault> {
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended('mizan reconciliation', 0))")
        .execute(conn)
        .await?;
    Ok(())
}
