//! Balances and sums: does opening balance + booked lines lead to the closing balance?

use mizan_ledger::{Day, Money};

use super::model::{LineStatus, Problem, Statement, StatementKind, StatementLine};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BalanceKind {
    /// OPBD, `:60F:`.
    Opening,
    /// PRCD: the closing balance of the statement before.
    PreviousClosing,
    /// CLBD, `:62F:`.
    Closing,
    /// ITBD, `:60M:` and `:62M:`: between two pages, or so far today.
    Interim,
    /// CLAV, OPAV, ITAV, FWAV, `:64:`, `:65:`: what may be drawn; no part of the identity.
    Available,
    Other,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balance {
    pub kind: BalanceKind,
    /// As printed: `OPBD`, `:62F:`.
    pub code: String,
    /// Negative when the account is overdrawn.
    pub amount: Money,
    pub day: Option<Day>,
}

/// Sums over the booked lines, kept while reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    pub booked: u64,
    /// Pending and information lines: listed, not summed.
    pub unbooked: u64,
    /// Unsigned sums in the statement's currency; none until a line or a balance tells the currency.
    pub credits: Option<Money>,
    pub debits: Option<Money>,
    /// Booked lines labelled with another currency than the statement's. ISO 20022 has the entry's amount in
    /// the account's currency, so their number is summed as printed and the statement does not close.
    pub foreign: u64,
    /// Lines left out because their money could not be read, or did not fit into the sums.
    pub unread: u64,
}

impl Statement {
    /// The balance the booked lines start from: the opening one, else the previous closing one, else the
    /// interim balance that begins a further page.
    pub fn opening(&self) -> Option<&Balance> {
        self.balance(BalanceKind::Opening).or_else(|| self.balance(BalanceKind::PreviousClosing)).or_else(
            || {
                self.interim()
                    .filter(|_| self.kind == StatementKind::EndOfDay && self.interims_expected() > 0)
            },
        )
    }

    /// The balance the booked lines lead to. The interim balance of an intraday report is none: entries may
    /// be listed that it does not hold yet.
    pub fn closing(&self) -> Option<&Balance> {
        if let Some(closing) = self.balance(BalanceKind::Closing) {
            return Some(closing);
        }
        let opens_with_interim =
            self.balance(BalanceKind::Opening).or(self.balance(BalanceKind::PreviousClosing)).is_none();
        if self.kind != StatementKind::EndOfDay {
            return None;
        }
        self.in_currency(BalanceKind::Interim).nth(usize::from(opens_with_interim))
    }

    /// Whether opening balance + booked lines = closing balance, to the minor unit. `None` when a balance is
    /// missing (an intraday report, a notification); `Some(false)` also when a line could not be summed.
    pub fn closes(&self) -> Option<bool> {
        let (opening, closing) = (self.opening()?.amount, self.closing()?.amount);
        let totals = &self.totals;
        if totals.foreign > 0 || totals.unread > 0 {
            return Some(false);
        }
        Some(self.led_to(opening) == Some(closing))
    }

    /// The closing balance less what the opening balance and the booked lines lead to; above zero when credits are
    /// missing among the lines. `None` when it cannot be said.
    pub fn difference(&self) -> Option<Money> {
        let (opening, closing) = (self.opening()?.amount, self.closing()?.amount);
        closing.checked_sub(self.led_to(opening)?).ok()
    }

    fn led_to(&self, opening: Money) -> Option<Money> {
        let zero = Money::zero(opening.currency());
        let credited = opening.checked_add(self.totals.credits.unwrap_or(zero)).ok()?;
        credited.checked_sub(self.totals.debits.unwrap_or(zero)).ok()
    }

    /// What to tell when the balances contradict the lines.
    pub(super) fn gap(&self, place: String) -> Option<Problem> {
        if self.closes() != Some(false) {
            return None;
        }
        let (opening, closing) = (self.opening()?.amount, self.closing()?.amount);
        let sum = |sum: Option<Money>| sum.map_or_else(|| "0".to_owned(), Money::amount);
        let what = format!(
            "opening {} + credits {} - debits {} does not lead to closing {}",
            opening.amount(),
            sum(self.totals.credits),
            sum(self.totals.debits),
            closing.amount()
        );
        Some(Problem { place, what, touches_money: true })
    }

    fn balance(&self, kind: BalanceKind) -> Option<&Balance> {
        self.in_currency(kind).next()
    }

    fn interim(&self) -> Option<&Balance> {
        self.balance(BalanceKind::Interim)
    }

    /// An interim balance may open the page only if another balance is left to close it.
    fn interims_expected(&self) -> usize {
        let interims = self.in_currency(BalanceKind::Interim).count();
        if self.balance(BalanceKind::Closing).is_some() { interims } else { interims.saturating_sub(1) }
    }

    fn in_currency(&self, kind: BalanceKind) -> impl Iterator<Item = &Balance> {
        self.balances.iter().filter(move |balance| {
            balance.kind == kind && self.currency.is_none_or(|currency| balance.amount.currency() == currency)
        })
    }

    /// Takes a line into the sums.
    pub(super) fn count(&mut self, line: &StatementLine) {
        if line.status != LineStatus::Booked {
            self.totals.unbooked += 1;
            return;
        }
        let currency = *self.currency.get_or_insert(line.amount.currency());
        let totals = &mut self.totals;
        totals.booked += 1;
        let mut amount = line.amount;
        if amount.currency() != currency {
            totals.foreign += 1;
            match Money::parse_padded(&amount.amount(), currency) {
                Ok(same_number) => amount = same_number,
                Err(_) => return,
            }
        }
        let zero = Money::zero(currency);
        let sums = if amount.is_negative() { &mut totals.debits } else { &mut totals.credits };
        let unsigned = if amount.is_negative() { amount.checked_neg() } else { Ok(amount) };
        match unsigned.and_then(|unsigned| sums.unwrap_or(zero).checked_add(unsigned)) {
            Ok(sum) => *sums = Some(sum),
            Err(_) => totals.unread += 1,
        }
    }
}
