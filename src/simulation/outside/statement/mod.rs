//! A day of an account as its bank writes it.

mod camt053;
mod mt940;

use mizan_adapters::channel::StatementFile;
use mizan_ledger::Day;

use super::bank::{Account, Line};

/// `closing` is in minor units; `edition` tells two writings of one day apart.
pub(super) fn write(
    account: &Account,
    day: Day,
    lines: &[Line],
    closing: i64,
    edition: &str,
) -> StatementFile {
    if account.writes_mt940 {
        mt940::write(account, day, lines, closing, edition)
    } else {
        camt053::write(account, day, lines, closing, edition)
    }
}
