use std::collections::{BTreeMap, BTreeSet};

use mizan_adapters::channel::{Settlement, StatementFile};
use mizan_ledger::{Calendar, Clock, Currency, Day, Instant, ManualClock, Money};

use super::accounts::{Fact, News};
use super::bank::{Account, Order as BankOrder};
use crate::config::Bank;
use crate::simulation::dice::Dice;

/// The instances of the card channel in the example deployment: the first pays into our accounts, the second pays an
/// agency itself.
pub(in crate::simulation) const MERCHANTS: [&str; 2] = ["card", "card-health"];

/// The outside as it is, whatever the hub believes.
#[derive(Debug)]
pub struct World {
    pub(super) dice: Dice,
    pub(super) clock: ManualClock,
    pub(super) calendar: Calendar,
    /// No new faults: what is under way comes to its end.
    pub(super) calm: bool,
    /// The open day of bank and gateway, always a business day.
    pub(super) day: Day,
    pub(super) accounts: Vec<Account>,
    pub(super) pages: BTreeMap<String, Page>,
    pub(super) refunds: BTreeMap<String, CardRefund>,
    pub(super) reports: BTreeMap<(&'static str, Day), Vec<Settlement>>,
    /// Callbacks under way, not in order.
    pub(super) mail: Vec<Letter>,
    /// Orders of payment files, by our reference of each.
    pub(super) orders: BTreeMap<String, BankOrder>,
    /// Taken payment files: our reference, and the references of their orders.
    pub(super) taken: BTreeMap<String, Vec<String>>,
    /// Accounts and days of which the bank gave two statements that differ.
    pub(super) contradicted: BTreeSet<(String, Day)>,
    /// Statements that nobody has handed over yet.
    pub(super) files: Vec<StatementFile>,
    pub(super) serial: u64,
    pub(super) moments: u64,
    /// What went wrong, by its name.
    pub(super) faults: BTreeMap<&'static str, u64>,
}

/// A payment page at the gateway.
#[derive(Debug, Clone)]
pub(super) struct Page {
    pub merchant: &'static str,
    pub money: Money,
    pub opened_at: Instant,
    pub state: PageState,
    /// The most that an authentic callback told, when one told of other money than was captured.
    pub told: Option<Money>,
    /// That the card's bank took it back.
    pub taken_back: News,
}

#[derive(Debug, Clone)]
pub(super) enum PageState {
    Open,
    Expired,
    Declined { transaction: String, at: Instant },
    Captured { transaction: String, at: Instant, settled: bool, reversed: bool },
}

/// A refund that the gateway has taken.
#[derive(Debug, Clone)]
pub(super) struct CardRefund {
    pub merchant: &'static str,
    pub money: Money,
    pub transaction: String,
    pub original: String,
    pub state: RefundEnd,
    pub settled: bool,
    /// When it was ordered, and when the hub was told that it had failed.
    pub taken: u64,
    pub denied: Option<u64>,
    /// That it was carried out.
    pub done: News,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RefundEnd {
    Pending,
    Done,
    Failed,
}

/// A callback on its way.
#[derive(Debug, Clone)]
pub(super) struct Letter {
    pub merchant: &'static str,
    pub raw: Vec<u8>,
    pub not_before: Instant,
    /// What it says, when it is authentic and true to itself.
    pub fact: Option<Fact>,
}

/// What a payer does on the gateway's page.
#[derive(Debug, Clone, Copy)]
pub enum Decision {
    Approve,
    Decline,
    /// He closes the window.
    GoAway,
}

impl World {
    pub(super) fn new(seed: u64, clock: ManualClock, calendar: Calendar, banks: &[Bank]) -> Self {
        let day = calendar.business_day_from(calendar.day_of(clock.now()));
        Self {
            dice: Dice::new(seed, 2),
            clock,
            calendar,
            calm: false,
            day,
            accounts: banks.iter().map(Account::new).collect(),
            pages: BTreeMap::new(),
            refunds: BTreeMap::new(),
            reports: BTreeMap::new(),
            mail: Vec::new(),
            orders: BTreeMap::new(),
            taken: BTreeMap::new(),
            contradicted: BTreeSet::new(),
            files: Vec::new(),
            serial: 0,
            moments: 0,
            faults: BTreeMap::new(),
        }
    }

    pub fn day(&self) -> Day {
        self.day
    }

    pub fn faults(&self) -> &BTreeMap<&'static str, u64> {
        &self.faults
    }

    pub fn calm_down(&mut self) {
        self.calm = true;
    }

    pub(super) fn now(&self) -> Instant {
        self.clock.now()
    }

    pub(super) fn next_name(&mut self, prefix: &str) -> String {
        self.serial += 1;
        format!("{prefix}{:07}", self.serial)
    }

    /// Whether this goes wrong now; counted when it does.
    pub(super) fn errs(&mut self, percent: u64, name: &'static str) -> bool {
        let errs = !self.calm && self.dice.chance(percent);
        if errs {
            *self.faults.entry(name).or_default() += 1;
        }
        errs
    }

    /// Takes a callback out of the mail; None when none may arrive yet.
    pub fn take_letter(&mut self) -> Option<(usize, &'static str, Vec<u8>)> {
        let now = self.now();
        let due: Vec<usize> =
            (0..self.mail.len()).filter(|at| self.mail[*at].not_before <= now || self.calm).collect();
        let at = *self.dice.pick(&due)?;
        let Letter { merchant, raw, .. } = self.mail[at].clone();
        Some((at, merchant, raw))
    }

    /// The callback was answered: it is not sent again.
    pub fn letter_arrived(&mut self, at: usize) {
        if let Some(fact) = self.mail.remove(at).fact {
            self.told(&fact);
        }
    }

    /// A statement to be handed over, not always the oldest.
    pub fn take_file(&mut self) -> Option<(usize, StatementFile)> {
        let at = if self.calm { 0 } else { self.dice.place(self.files.len())? };
        Some((at, self.files.get(at)?.clone()))
    }

    pub fn file_arrived(&mut self, at: usize) {
        self.files.remove(at);
    }

    /// What stood on the account when its last day was closed, by its name in the books.
    pub fn closings(&self) -> impl Iterator<Item = (&str, Money)> {
        self.accounts.iter().map(|account| (account.name.as_str(), account.closing()))
    }

    pub(super) fn account_in(&mut self, currency: Currency) -> Option<&mut Account> {
        self.accounts.iter_mut().find(|account| account.currency == currency)
    }
}

/// What the laws ask of it.
impl World {
    /// The money that was captured, by the key under which the hub knows it.
    pub fn captured(&self) -> BTreeSet<String> {
        let captured = self.pages.values().filter_map(|page| match &page.state {
            PageState::Captured { transaction, .. } => Some(format!("{}:{transaction}", page.merchant)),
            _ => None,
        });
        captured.collect()
    }

    /// Whether the bank contradicted itself about an account (its code in the book) on a day.
    pub fn is_contradicted(&self, code: &str, day: Day) -> bool {
        code.strip_prefix("bank/").is_some_and(|name| self.contradicted.contains(&(name.to_owned(), day)))
    }

    /// The days whose statements were written.
    pub fn closed_days(&self) -> Vec<Day> {
        self.reports.keys().filter(|(merchant, _)| *merchant == MERCHANTS[0]).map(|(_, day)| *day).collect()
    }
}
