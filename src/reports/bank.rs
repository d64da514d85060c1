//! What the statements say of a bank account, put on its line. Pure.

use mizan_ledger::{Currency, Day, Money, MoneyError};

use super::model::{Line, Listed, Note};

/// A statement that stands aside.
#[derive(Debug, Clone)]
pub struct Aside {
    pub reason: String,
    /// What it says was in the account.
    pub closing: Option<Money>,
}

/// What is known of a bank account of ours from its statements.
#[derive(Debug, Clone)]
pub struct BankDay {
    /// `bank/<name>`.
    pub account: String,
    pub currency: Currency,
    /// The statement that proves the day: its own, or of a day without one that of the last business day before it. Banks
    /// give none on other days.
    pub proved_from: Day,
    /// Of the last accepted statement of the day or before.
    pub last: Option<Seen>,
    /// A statement of the day that is not accepted.
    pub quarantined: Option<Aside>,
    /// What was in the account before its first statement.
    pub brought_forward: Money,
    /// Openings less the closings before them: zero where the statements chain.
    pub gap: Money,
    /// What the statements of the day say they moved, less their lines.
    pub lines_missing: Money,
    /// Lines up to the day whose entries belong to a later one.
    pub entered_later: Listed,
    /// Lines up to the day without an entry.
    pub not_entered: Listed,
    /// Lines of a later statement whose entries belong to the day or before: of a day off, of which banks give none.
    pub shown_later: Listed,
    /// Refunds and payouts that will leave this account, by kind.
    pub in_flight: Vec<(String, Listed)>,
}

/// The balance a statement ended with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    pub on: Day,
    pub closing: Money,
}

impl Line {
    /// Puts what the statements say on the line of a bank account.
    pub(super) fn show_bank(&mut self, bank: &BankDay, day: Day) -> Result<(), MoneyError> {
        let of_day = bank.last.filter(|seen| seen.on == day);
        let of_earlier = bank.last.filter(|seen| seen.on >= bank.proved_from);
        let mut is_shown = true;
        match (of_day, of_earlier, &bank.quarantined) {
            (Some(seen), ..) => self.listed = seen.closing,
            (None, _, Some(aside)) => {
                self.listed = aside.closing.unwrap_or(self.listed);
                is_shown = false;
            }
            (None, Some(seen), None) => {
                self.listed = seen.closing;
                self.notes.push(Note::StatementOf { day: seen.on });
            }
            (None, ..) => {
                self.notes.push(Note::NoStatement { last: bank.last.map(|seen| seen.on) });
                is_shown = false;
            }
        }
        // Also beside an accepted one: banks write the pages of a day as statements of their own.
        if let Some(aside) = &bank.quarantined {
            self.notes.push(Note::Quarantined { reason: aside.reason.clone() });
        }
        if is_shown {
            self.items = 1;
            self.listed = self.listed.checked_sub(bank.brought_forward)?;
            self.listed = self.listed.checked_sub(bank.entered_later.amount)?;
            self.listed = self.listed.checked_add(bank.shown_later.amount)?;
        }
        self.compare()?;
        // A hole in the chain shows in the closing too, unless something hides it.
        for (amount, note) in [
            (bank.gap, Note::Gap { amount: bank.gap }),
            (bank.lines_missing, Note::LinesMissing { amount: bank.lines_missing }),
        ] {
            if !amount.is_zero() {
                self.notes.push(note);
                self.unexplained = if self.unexplained.is_zero() { amount } else { self.unexplained };
            }
        }
        self.note_bank_items(bank);
        Ok(())
    }

    fn note_bank_items(&mut self, bank: &BankDay) {
        if !bank.brought_forward.is_zero() {
            self.notes.push(Note::BroughtForward { amount: bank.brought_forward });
        }
        let Listed { amount, items, .. } = bank.entered_later;
        if items > 0 {
            self.notes.push(Note::EnteredLater { amount, items });
        }
        let Listed { amount, items, .. } = bank.shown_later;
        if items > 0 {
            self.notes.push(Note::ShownLater { amount, items });
        }
        let Listed { amount, items, .. } = bank.not_entered;
        if items > 0 {
            self.notes.push(Note::NotEntered { amount, items });
        }
        for (what, Listed { amount, items, .. }) in &bank.in_flight {
            self.notes.push(Note::InFlight { what: what.clone(), amount: *amount, items: *items });
        }
    }
}
