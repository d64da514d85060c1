//! The report of one file: what `mizan statement check` prints, one JSON line per file.
//!
//! When is a file `ok`? When nothing in it would stop its money from being taken in:
//!
//! - it was not refused;
//! - no statement fails to close: `closes` is true, or null because the format or the bank gives no two balances
//!   (intraday reports, notifications), which is no fault of the file;
//! - no problem touches money: an amount, sign, currency or status that could not be read as the standard has it
//!   puts the sums in doubt even where no balance contradicts them, and a reference that cannot be one, what the money
//!   is known by.
//!
//! Everything else (a day that does not exist, details or a summary that do not add up to their entries) is shown as
//! a problem and leaves the file `ok`: the money is right, and a person can see what is odd.

use std::io::Read;

use mizan_ledger::{Currency, Money};
use serde::Serialize;

use super::model::{Problem, Refused, Statement};
use super::reader::{Event, Limits, open};

/// At most this many problems are listed; a last one then tells how many more there were.
pub const PROBLEMS_MAX: usize = 1_000;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    pub file: String,
    /// `camt.053.001.08`, `MT940`; null when not even that could be told.
    pub format: Option<String>,
    pub encoding: Option<&'static str>,
    /// Empty when the file was refused: nothing of it may be used.
    pub statements: Vec<CheckedStatement>,
    pub problems: Vec<Problem>,
    pub ok: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckedStatement {
    pub id: Option<String>,
    pub account: Option<String>,
    pub currency: Option<Currency>,
    /// Signed decimal text in the statement's currency.
    pub opening: Option<String>,
    pub closing: Option<String>,
    /// Booked entries.
    pub lines: u64,
    /// Unsigned sums of the booked entries.
    pub credits: String,
    pub debits: String,
    pub closes: Option<bool>,
}

/// Reads a file through and reports on it. Nothing is kept but the report, whatever the size of the file.
pub fn check(name: &str, source: impl Read) -> CheckReport {
    let mut report = CheckReport {
        file: name.to_owned(),
        format: None,
        encoding: None,
        statements: Vec::new(),
        problems: Vec::new(),
        ok: true,
    };
    let mut problems = 0_usize;
    if let Err(refused) = report.read(source, &mut problems) {
        report.statements.clear();
        report.ok = false;
        report.problems.push(Problem {
            place: refused.place,
            what: format!("refused: {}", refused.cause),
            touches_money: true,
        });
    }
    if let Some(more) = problems.checked_sub(PROBLEMS_MAX).filter(|more| *more > 0) {
        let what = format!("{more} more problems are not listed");
        report.problems.push(Problem { place: "the file".to_owned(), what, touches_money: false });
    }
    report
}

impl CheckReport {
    fn read(&mut self, source: impl Read, problems: &mut usize) -> Result<(), Refused> {
        let mut reader = open(source, Limits::default())?;
        let outcome = reader.by_ref().try_for_each(|event| {
            match event? {
                Event::Opened(_) | Event::Line(_) => {}
                Event::Problem(problem) => {
                    *problems += 1;
                    self.ok &= !problem.touches_money;
                    if *problems <= PROBLEMS_MAX {
                        self.problems.push(problem);
                    }
                }
                Event::Closed(statement) => {
                    self.ok &= statement.closes() != Some(false);
                    self.statements.push(CheckedStatement::of(&statement));
                }
            }
            Ok(())
        });
        self.format = Some(reader.format());
        self.encoding = Some(reader.encoding());
        outcome
    }
}

impl CheckedStatement {
    fn of(statement: &Statement) -> Self {
        let sum = |sum: Option<Money>| match (sum, statement.currency) {
            (Some(sum), _) => sum.amount(),
            (None, Some(currency)) => Money::zero(currency).amount(),
            (None, None) => "0".to_owned(),
        };
        Self {
            id: statement.id.clone(),
            account: statement.account.clone(),
            currency: statement.currency,
            opening: statement.opening().map(|balance| balance.amount.amount()),
            closing: statement.closing().map(|balance| balance.amount.amount()),
            lines: statement.totals.booked,
            credits: sum(statement.totals.credits),
            debits: sum(statement.totals.debits),
            closes: statement.closes(),
        }
    }
}
