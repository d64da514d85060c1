//! What holds for any file whatever, read to the end or refused.

use mizan_adapters::statement::{Event, Limits, LineStatus, Refused, Statement, open};
use mizan_ledger::Money;

/// Small caps, so that the fuzzer reaches them.
pub const LIMITS: Limits =
    Limits { file_bytes: 64 << 10, entry_bytes: 16 << 10, token_bytes: 4 << 10, depth: 24, attributes: 8 };

/// Reads a file and checks every event against the ones before.
pub fn read(bytes: &[u8]) -> Result<(), Refused> {
    let mut reader = open(bytes, LIMITS)?;
    let mut current: Option<Sums> = None;
    let outcome = reader.by_ref().try_for_each(|event| {
        match event? {
            Event::Opened(_) => {
                assert!(current.replace(Sums::default()).is_none(), "a statement opens inside another");
            }
            Event::Line(line) => {
                let sums = current.as_mut().expect("a line stands inside a statement");
                assert!(line.ordinal > sums.last, "lines are numbered upwards");
                sums.last = line.ordinal;
                if line.status == LineStatus::Booked {
                    sums.booked += 1;
                    sums.amounts.push(line.amount);
                }
                assert!(line.texts().all(|text| !text.is_empty() && text.len() <= 16 << 10));
            }
            Event::Problem(problem) => assert!(!problem.place.is_empty() && !problem.what.is_empty()),
            Event::Closed(statement) => {
                current.take().expect("only an open statement closes").compare(&statement);
            }
        }
        Ok(())
    });
    assert!(reader.next().is_none() || outcome.is_ok(), "nothing follows a refusal");
    assert!(!reader.format().is_empty() && !reader.encoding().is_empty());
    if outcome.is_ok() {
        assert!(current.is_none(), "the file ended inside a statement");
    }
    outcome
}

#[derive(Default)]
struct Sums {
    last: u64,
    booked: u64,
    amounts: Vec<Money>,
}

impl Sums {
    /// The sums of the reader, computed a second time and in wider numbers.
    fn compare(&self, statement: &Statement) {
        assert_eq!(self.booked, statement.totals.booked);
        if statement.totals.unread > 0 || statement.totals.foreign > 0 {
            assert_ne!(statement.closes(), Some(true), "a line is missing from the sums");
            return;
        }
        let total: i128 = self.amounts.iter().map(|amount| i128::from(amount.minor())).sum();
        if let (Some(opening), Some(closing)) = (statement.opening(), statement.closing()) {
            let leads = i128::from(opening.amount.minor()) + total == i128::from(closing.amount.minor());
            let fits = opening.amount.currency() == closing.amount.currency();
            if statement.closes() == Some(true) {
                assert!(leads && fits, "{statement:?}");
            }
        } else {
            assert_eq!(statement.closes(), None);
        }
    }
}
