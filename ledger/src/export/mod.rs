//! The book as plain text that independent programs check: journals for hledger and beancount, balances as JSON
//! and CSV.
//!
//! A journal covers effective dates from one day to another: opening balances, every entry by effective date
//! and then by its number, and at the end an assertion of every balance, so that the checking program agrees
//! with the book to the last digit or says where it does not.

mod balances;
mod beancount;
mod hledger;
mod text;

use std::io;

pub use balances::{balances_csv, balances_json};
pub use beancount::Beancount;
pub use hledger::Hledger;

use crate::account::{AccountCode, Class};
use crate::balance::AccountBalance;
use crate::entry::Entry;
use crate::{Day, Instant, Money};

/// The days of a journal, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub from: Day,
    pub to: Day,
}

/// An entry with its place, as a journal prints it.
#[derive(Debug, Clone, Copy)]
pub struct Placed<'a> {
    pub seq: i64,
    pub recorded_at: Instant,
    pub reverses_seq: Option<i64>,
    pub entry: &'a Entry,
}

/// A format of journals: written from head to closing, entries in between in the order of their days.
pub trait Journal: Send + Sync {
    /// Declarations, and the balances at the end of the day before as an entry of that day.
    fn head(
        &self,
        out: &mut dyn io::Write,
        book: &str,
        span: Span,
        opening: &[AccountBalance],
    ) -> io::Result<()>;
    fn entry(&self, out: &mut dyn io::Write, placed: Placed<'_>) -> io::Result<()>;
    /// What every balance is at the end of the last day.
    fn closing(&self, out: &mut dyn io::Write, span: Span, closing: &[AccountBalance]) -> io::Result<()>;
}

/// Debits less credits, as journals count.
fn net(row: &AccountBalance) -> Money {
    Money::new(row.balance.net_minor(), row.account.currency)
}

fn signed(line: &crate::Line) -> Money {
    Money::new(line.signed_minor(), line.money().currency())
}

/// The class as the root of account names.
const fn root_of(class: Class) -> &'static str {
    match class {
        Class::Asset => "assets",
        Class::Liability => "liabilities",
        Class::Equity => "equity",
        Class::Income => "income",
        Class::Expense => "expenses",
        Class::Memo => "memo",
    }
}

/// `liabilities:agency:psi:payable`.
fn colon_name(class: Class, code: &AccountCode) -> String {
    let mut name = root_of(class).to_owned();
    for segment in code.segments() {
        name.push(':');
        name.push_str(segment);
    }
    name
}
