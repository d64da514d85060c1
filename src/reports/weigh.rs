//! One currency: accounts and lists are laid beside each other, and custody is judged. Pure.

use std::collections::BTreeMap;

use mizan_ledger::{Class, Currency, Money, MoneyError};

use super::model::{BookAccount, CurrencyProof, Facts, Line, Note, Part, unsigned};
use super::movement::Section;
use crate::books::{Kind, describe};

/// Compares what the books of a currency say with what is listed.
pub(super) fn of_currency(facts: &Facts, currency: Currency) -> Result<CurrencyProof, MoneyError> {
    let mut lines = Lines { currency, of: BTreeMap::new() };
    let accounts = || facts.accounts.iter().filter(|account| account.opening.currency() == currency);
    for account in accounts() {
        if let Some((section, name)) = place(&account.code) {
            lines.of(section, &name).add(section, account)?;
        }
    }
    for listed in facts.listed.iter().filter(|listed| listed.amount.currency() == currency) {
        if let Some((section, name)) = place(&listed.account) {
            let line = lines.of(section, &name);
            line.listed = line.listed.checked_add(listed.amount)?;
            line.items += listed.items;
        }
    }
    for ((section, _), line) in &mut lines.of {
        if *section != Section::Banks {
            line.compare()?;
        }
    }
    for gone in facts.unexpected.iter().filter(|gone| gone.amount.currency() == currency) {
        if let Some((section, name)) = place(&gone.account) {
            let note = Note::NotExpected { amount: gone.amount, items: gone.items };
            lines.of(section, &name).notes.push(note);
        }
    }
    for bank in facts.banks.iter().filter(|bank| bank.currency == currency) {
        lines.of(Section::Banks, &bank.account).show_bank(bank, facts.day)?;
    }
    for ((section, name), line) in &mut lines.of {
        // An account in the book that no configured bank keeps has no statement.
        if *section == Section::Banks && !facts.banks.iter().any(|bank| bank.account == *name) {
            line.compare()?;
            line.notes.push(Note::NoStatement { last: None });
        }
    }
    let [channels, banks, agencies] =
        [Section::Channels, Section::Banks, Section::Agencies].map(|section| lines.part(section));
    let (channels, banks, agencies) = (channels?, banks?, agencies?);
    let custody = lines.part(Section::Custody)?;
    let mut proof = CurrencyProof { currency, channels, banks, agencies, custody, alarms: Vec::new() };
    Custody::weigh(&proof, accounts())?.judge(&mut proof)?;
    Ok(proof)
}

struct Lines {
    currency: Currency,
    of: BTreeMap<(Section, String), Line>,
}

impl Lines {
    fn of(&mut self, section: Section, name: &str) -> &mut Line {
        let currency = self.currency;
        let new = || Line::new(name.to_owned(), currency);
        self.of.entry((section, name.to_owned())).or_insert_with(new)
    }

    fn part(&self, section: Section) -> Result<Part, MoneyError> {
        let lines = self.of.iter().filter(|((of, _), line)| *of == section && !line.is_empty());
        Part::of(self.currency, lines.map(|(_, line)| line.clone()).collect())
    }
}

/// On which line an account stands: agencies have one each. None for what is not proved.
fn place(code: &str) -> Option<(Section, String)> {
    let agency = || code.splitn(3, '/').take(2).collect::<Vec<_>>().join("/");
    match describe(code).map(|described| described.kind) {
        Some(kind) => match Section::of(kind)? {
            Section::Agencies => Some((Section::Agencies, agency())),
            section => Some((section, code.to_owned())),
        },
        None if code.starts_with("agency/") && code.matches('/').count() == 1 => {
            Some((Section::Agencies, code.to_owned()))
        }
        // Not of this chart: shown, and not explained by anything.
        None => Some((Section::Custody, code.to_owned())),
    }
}

/// Law L31: bank and cash cover everything owed whose money has arrived.
struct Custody {
    /// Bank and cash.
    held: Money,
    /// Owed by the book, less what channels, sponsors and disputes have not brought.
    owed_by_book: Money,
    /// The same by the lists.
    owed_listed: Money,
    /// The hub's own costs and losses less its fees: below zero when it earned.
    own: Money,
    /// Agencies' payables below zero, without sign.
    negative: Money,
    /// What covers them: advances and reserves.
    cover: Money,
}

impl Custody {
    fn weigh<'a>(
        proof: &CurrencyProof,
        accounts: impl Iterator<Item = &'a BookAccount>,
    ) -> Result<Self, MoneyError> {
        let zero = Money::zero(proof.currency);
        let mut custody = Self {
            held: proof.banks.book,
            owed_by_book: proof.agencies.book.checked_sub(proof.channels.book)?,
            owed_listed: proof.agencies.listed.checked_sub(proof.channels.listed)?,
            own: zero,
            negative: zero,
            cover: zero,
        };
        for line in &proof.custody.lines {
            custody.add_line(line)?;
        }
        for account in accounts {
            custody.add_account(account)?;
        }
        Ok(custody)
    }

    fn add_line(&mut self, line: &Line) -> Result<(), MoneyError> {
        let kind = describe(&line.account).map(|described| described.kind);
        match kind {
            Some(Kind::OwnTransfers | Kind::Drawer | Kind::Safe | Kind::Transit | Kind::Cheques) => {
                self.held = self.held.checked_add(line.closing)?;
            }
            Some(Kind::SponsorReceivable | Kind::DisputeClaims) => {
                self.owed_by_book = self.owed_by_book.checked_sub(line.closing)?;
                self.owed_listed = self.owed_listed.checked_sub(line.listed)?;
            }
            Some(kind) if kind.class() == Class::Liability => {
                self.owed_by_book = self.owed_by_book.checked_add(line.closing)?;
                self.owed_listed = self.owed_listed.checked_add(line.listed)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn add_account(&mut self, account: &BookAccount) -> Result<(), MoneyError> {
        let closing = account.closing()?;
        match describe(&account.code).map(|described| described.kind) {
            Some(Kind::HubCosts | Kind::HubLosses | Kind::Rounding) => {
                self.own = self.own.checked_add(closing)?;
            }
            Some(Kind::HubFees) => self.own = self.own.checked_sub(closing)?,
            Some(Kind::AgencyPayable) if closing.is_negative() => {
                self.negative = self.negative.checked_add(unsigned(closing)?)?;
            }
            Some(Kind::AgencyReserve | Kind::TreasuryFloat) => {
                self.cover = self.cover.checked_add(closing)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Sets the figures of custody: what is held against what is owed, and what of a shortfall nothing explains.
    fn judge(self, proof: &mut CurrencyProof) -> Result<(), MoneyError> {
        let own_costs = at_least_zero(self.own);
        // Cash that is short and money that left unexplained are claims, and pay nobody.
        let explained = self.held.checked_add(own_costs)?;
        let shortfall = at_least_zero(self.owed_by_book.checked_sub(explained)?);
        let not_covered = at_least_zero(self.negative.checked_sub(self.cover)?);
        let custody = &mut proof.custody;
        (custody.book, custody.listed) = (self.held, self.owed_listed);
        custody.unexplained = custody.unexplained.checked_add(shortfall)?.checked_add(not_covered)?;
        let incomplete = |note: &Note| matches!(note, Note::NoStatement { .. } | Note::Quarantined { .. });
        if proof.banks.lines.iter().any(|line| line.notes.iter().any(incomplete)) {
            proof.alarms.push(Note::DayIncomplete);
        }
        for line in proof.banks.lines.iter().filter(|line| line.closing.is_negative()) {
            let note = Note::BelowZero { account: line.account.clone(), amount: line.closing };
            proof.alarms.push(note);
        }
        for (amount, note) in [
            (shortfall, Note::Shortfall { amount: shortfall }),
            (not_covered, Note::NotCovered { amount: not_covered }),
            (own_costs, Note::OwnCosts { amount: own_costs }),
        ] {
            if !amount.is_zero() {
                proof.alarms.push(note);
            }
        }
        Ok(())
    }
}

fn at_least_zero(money: Money) -> Money {
    if money.is_negative() { Money::zero(money.currency()) } else { money }
}
