//! The end of a day: the gateway settles, orders leave, statements are fixed, the next day opens and what came
//! back is booked on it.

use jiff::civil::Date;

use super::amount::Amount;
use super::bank::{Account, Statement};
use super::books::Party;
use super::refusal::Refusal;
use super::world::World;

impl World {
    /// Closes the open day.
    pub fn close_day(&mut self, day: Date) -> Result<(), Refusal> {
        if day < self.kept.day {
            return Err(Refusal::conflict("day_closed", "this day is closed already"));
        }
        if day > self.kept.day {
            let message = format!("the open day is {}; days are closed one after the other", self.kept.day);
            return Err(Refusal::conflict("day_not_open", message));
        }
        let Ok(next) = day.tomorrow() else {
            return Err(Refusal::senseless("bad_date", "there is no day after this one"));
        };
        self.settle_held_refunds();
        self.settle();
        let coming_back = self.send_orders();
        self.book_wrong_amount();
        self.fix_statements();
        self.kept.day = next;
        self.take_back(coming_back);
        if self.totals_hold() {
            Ok(())
        } else {
            let status = axum::http::StatusCode::INTERNAL_SERVER_ERROR;
            Err(Refusal::new(status, "books_broken", "the sandbox's own totals do not hold"))
        }
    }

    /// The fault `statement_amount`: the first fitting credit is booked with another amount than was sent.
    fn book_wrong_amount(&mut self) {
        let Some(text) = self.kept.faults.statement_amount.clone() else { return };
        let day = self.kept.day;
        let named = self.kept.faults.statement_account.as_deref();
        for account in self.kept.bank.accounts.iter_mut().filter(|account| is_named(account, named)) {
            let Some(extra) = Amount::parse_signed(&text, account.currency) else { continue };
            let credit = account
                .lines
                .iter_mut()
                .find(|line| line.amount.minor > 0 && line.amount.plus(extra).minor > 0);
            if let Some(line) = credit {
                line.amount = line.amount.plus(extra);
                let party = Party::Account(account.account.clone());
                self.kept.books.post(day, Party::Outside, party, extra, "booked with a wrong amount");
                self.kept.faults.statement_amount = None;
                return;
            }
        }
    }

    fn fix_statements(&mut self) {
        let (day, now) = (self.kept.day, self.now());
        let faults = &mut self.kept.faults;
        for account in &mut self.kept.bank.accounts {
            let mut lines = std::mem::take(&mut account.lines);
            let omitted = if is_named(account, faults.statement_account.as_deref()) && !lines.is_empty() {
                std::mem::take(&mut faults.omit_statement_line).min(lines.len())
            } else {
                0
            };
            let closing = lines.iter().fold(account.opening, |sum, line| sum.plus(line.amount));
            let left_out = lines.drain(..omitted).collect();
            let opening = std::mem::replace(&mut account.opening, closing);
            let sequence = account.statements.len() + 1;
            account.statements.push(Statement {
                sequence,
                day,
                opening,
                closing,
                lines,
                left_out,
                created_at: now,
            });
        }
    }
}

/// Statement faults are for the account they name, or for the first they fit.
fn is_named(account: &Account, named: Option<&str>) -> bool {
    named.is_none_or(|named| named == account.account)
}
