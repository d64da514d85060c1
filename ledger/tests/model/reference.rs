//! The reference model: maps, big integers, and the rules in the order the book promises.

use std::collections::BTreeMap;

use mizan_ledger::store::{Change, PeriodStatus};
use mizan_ledger::{AccountKey, Day, Entry, EntryId, Instant, Side, Zone};

/// An outcome without its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    Accepted { seq: i64, replayed: bool },
    Refused { code: String, replayed: bool },
}

#[derive(Debug, Clone)]
pub struct Posted {
    pub entry: Entry,
    pub effective_on: Day,
    pub posted_at: Instant,
    reversed: bool,
}

#[derive(Debug, Clone, Default)]
struct AccountState {
    debits: i128,
    credits: i128,
    floor: Option<i64>,
    ceiling: Option<i64>,
    closed: bool,
    normal: Option<Side>,
}

#[derive(Debug, Clone, Default)]
pub struct Reference {
    known: BTreeMap<EntryId, (Entry, Told)>,
    book: BTreeMap<EntryId, Posted>,
    accounts: BTreeMap<AccountKey, AccountState>,
    /// By first day.
    periods: BTreeMap<Day, PeriodStatus>,
}

fn month(day: Day) -> Day {
    Day::from(day.date().first_of_month())
}

impl Reference {
    pub fn post(&mut self, entry: &Entry, now: Instant) -> Told {
        if let Some((first, told)) = self.known.get(&entry.id()) {
            if !same(first, entry) {
                return refused("conflict");
            }
            return match told.clone() {
                Told::Accepted { seq, .. } => Told::Accepted { seq, replayed: true },
                Told::Refused { code, .. } => Told::Refused { code, replayed: true },
            };
        }
        let told = match self.refusal(entry, now) {
            Some(code) => refused(code),
            None => self.accept(entry, now),
        };
        self.known.insert(entry.id(), (entry.clone(), told.clone()));
        told
    }

    fn refusal(&self, entry: &Entry, now: Instant) -> Option<&'static str> {
        let day = entry.effective_on();
        if day.days_since(now.day_in(&Zone::utc())) > 1 {
            return Some("in_future");
        }
        match self.periods.get(&month(day)) {
            Some(PeriodStatus::Open) => {}
            Some(_) => return Some("period_not_open"),
            None if self
                .periods
                .iter()
                .any(|(start, status)| *start > day && *status != PeriodStatus::Open) =>
            {
                return Some("period_not_open");
            }
            None => {}
        }
        if let Some(original) = entry.reverses() {
            let Some(original) = self.book.get(&original) else { return Some("original_unknown") };
            if original.entry.reverses().is_some() {
                return Some("original_is_reversal");
            }
            if original.reversed {
                return Some("already_reversed");
            }
            let moves = |entry: &Entry, sign: i128| -> Vec<(AccountKey, i128)> {
                entry
                    .lines()
                    .iter()
                    .map(|line| (line.account().key(), sign * i128::from(line.signed_minor())))
                    .collect()
            };
            if moves(entry, -1) != moves(&original.entry, 1) {
                return Some("not_its_mirror");
            }
        }
        let touched: Vec<AccountKey> = entry.lines().iter().map(|line| line.account().key()).collect();
        if touched.iter().any(|key| self.accounts.get(key).is_some_and(|account| account.closed)) {
            return Some("account_closed");
        }
        let after = self.moved(entry);
        if after
            .values()
            .any(|account| account.debits > i128::from(i64::MAX) || account.credits > i128::from(i64::MAX))
        {
            return Some("overflow");
        }
        for key in touched {
            let account = &after[&key];
            let net = account.debits - account.credits;
            let balance = if account.normal == Some(Side::Debit) { net } else { -net };
            if account.floor.is_some_and(|floor| balance < i128::from(floor)) {
                return Some("below_floor");
            }
            if account.ceiling.is_some_and(|ceiling| balance > i128::from(ceiling)) {
                return Some("above_ceiling");
            }
        }
        None
    }

    /// The accounts of the entry as they would be after it.
    fn moved(&self, entry: &Entry) -> BTreeMap<AccountKey, AccountState> {
        let mut after: BTreeMap<AccountKey, AccountState> = BTreeMap::new();
        for line in entry.lines() {
            let key = line.account().key();
            let account = after.entry(key.clone()).or_insert_with(|| {
                self.accounts.get(&key).cloned().unwrap_or_else(|| AccountState {
                    floor: line.account().floor_minor,
                    ceiling: line.account().ceiling_minor,
                    normal: Some(line.account().class.normal_side()),
                    ..AccountState::default()
                })
            });
            let minor = i128::from(line.money().minor());
            match line.side() {
                Side::Debit => account.debits += minor,
                Side::Credit => account.credits += minor,
            }
        }
        after
    }

    fn accept(&mut self, entry: &Entry, now: Instant) -> Told {
        let after = self.moved(entry);
        self.accounts.extend(after);
        self.periods.entry(month(entry.effective_on())).or_insert(PeriodStatus::Open);
        if let Some(original) = entry.reverses().and_then(|id| self.book.get_mut(&id)) {
            original.reversed = true;
        }
        let posted = Posted {
            entry: entry.clone(),
            effective_on: entry.effective_on(),
            posted_at: now,
            reversed: false,
        };
        self.book.insert(entry.id(), posted);
        Told::Accepted { seq: i64::try_from(self.book.len()).unwrap(), replayed: false }
    }

    /// Whether the change is made.
    pub fn change(&mut self, change: &Change) -> bool {
        match change {
            Change::Limits { account, floor_minor, ceiling_minor } => {
                let Some(account) = self.accounts.get_mut(account) else { return false };
                let net = account.debits - account.credits;
                let balance = if account.normal == Some(Side::Debit) { net } else { -net };
                let within = floor_minor.is_none_or(|floor| balance >= i128::from(floor))
                    && ceiling_minor.is_none_or(|ceiling| balance <= i128::from(ceiling));
                if within {
                    (account.floor, account.ceiling) = (*floor_minor, *ceiling_minor);
                }
                within
            }
            Change::CloseAccount { account } => self.accounts.get_mut(account).is_some_and(|account| {
                let closes = !account.closed && account.debits == account.credits;
                account.closed |= closes;
                closes
            }),
            Change::ReopenAccount { account } => self
                .accounts
                .get_mut(account)
                .is_some_and(|account| std::mem::replace(&mut account.closed, false)),
            Change::Period { starts_on, status } => {
                use PeriodStatus::{Closed, Open, Sealed, SoftClosed};
                let Some(now) = self.periods.get(starts_on) else { return false };
                let steps = [
                    (Open, SoftClosed),
                    (SoftClosed, Open),
                    (SoftClosed, Closed),
                    (Closed, SoftClosed),
                    (Closed, Sealed),
                ];
                let in_order = self.periods.iter().all(|(start, other)| match start.cmp(starts_on) {
                    std::cmp::Ordering::Less => other >= status,
                    std::cmp::Ordering::Equal => true,
                    std::cmp::Ordering::Greater => other <= status,
                });
                let changes = steps.contains(&(*now, *status)) && in_order;
                if changes {
                    self.periods.insert(*starts_on, *status);
                }
                changes
            }
        }
    }

    /// What each id said first.
    pub fn first_contents(&self) -> Vec<Entry> {
        self.known.values().map(|(entry, _)| entry.clone()).collect()
    }

    pub fn entries_count(&self) -> u64 {
        u64::try_from(self.book.len()).unwrap()
    }

    /// Account, debits, credits, in the order the book gives them.
    pub fn balances(&self) -> Vec<(String, i128, i128)> {
        self.accounts
            .iter()
            .map(|(key, account)| (key.to_string(), account.debits, account.credits))
            .collect()
    }

    /// Debits less credits of the entries that pass.
    pub fn net(&self, account: &AccountKey, passes: impl Fn(&Posted) -> bool) -> i128 {
        let lines =
            self.book.values().filter(|posted| passes(posted)).flat_map(|posted| posted.entry.lines());
        lines
            .filter(|line| line.account().key() == *account)
            .map(|line| i128::from(line.signed_minor()))
            .sum()
    }
}

fn refused(code: &str) -> Told {
    Told::Refused { code: code.to_owned(), replayed: false }
}

/// Said in the same words. Limits and class belong to the account, not to what is said of it.
fn same(left: &Entry, right: &Entry) -> bool {
    let said = |entry: &Entry| {
        let lines: Vec<(AccountKey, i64)> =
            entry.lines().iter().map(|line| (line.account().key(), line.signed_minor())).collect();
        (entry.kind().to_owned(), entry.effective_on(), entry.meta_json().to_owned(), entry.reverses(), lines)
    };
    said(left) == said(right)
}
