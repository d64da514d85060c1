//! The decision over a batch: pure, on what was read under the lock of the head. The order of the rules is
//! fixed, so the same input has the same outcome however it is cut into batches.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::Head;
use super::outcome::{BookError, Outcome, Refusal};
use crate::account::{Account, AccountKey};
use crate::balance::Balance;
use crate::chain::Hash;
use crate::entry::Entry;
use crate::{Day, EntryId, Instant, Zone, chain};

/// The periods of a book as of one version.
#[derive(Debug, Clone, Default)]
pub(super) struct Periods {
    pub(super) version: i64,
    pub(super) all: Vec<Period>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Period {
    pub(super) id: i32,
    pub(super) starts_on: Day,
    pub(super) ends_on: Day,
    pub(super) open: bool,
}

/// Where an effective date stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PeriodOf {
    Open(i32),
    NotOpen,
    /// No period yet, and none after it was closed: the month may be opened.
    Missing,
}

impl Periods {
    pub(super) fn of(&self, day: Day) -> PeriodOf {
        match self.all.iter().find(|period| period.starts_on <= day && day <= period.ends_on) {
            Some(period) if period.open => PeriodOf::Open(period.id),
            Some(_) => PeriodOf::NotOpen,
            None if self.all.iter().any(|period| period.starts_on > day && !period.open) => PeriodOf::NotOpen,
            None => PeriodOf::Missing,
        }
    }
}

/// An account in the working memory of a batch.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    pub(super) account: Account,
    /// None until the account is opened.
    pub(super) id: Option<i64>,
    pub(super) closed: bool,
    pub(super) balance: Balance,
    pub(super) lines_count: i64,
    pub(super) floor_minor: Option<i64>,
    pub(super) ceiling_minor: Option<i64>,
}

impl Slot {
    /// An account that no entry has named yet.
    pub(super) fn unopened(account: Account) -> Self {
        let (floor_minor, ceiling_minor) = (account.floor_minor, account.ceiling_minor);
        let balance = Balance::default();
        Self { account, id: None, closed: false, balance, lines_count: 0, floor_minor, ceiling_minor }
    }

    fn limit_refusal(&self, balance: Balance) -> Option<Refusal> {
        let balance_minor = balance.on(self.account.class.normal_side());
        let account = || self.account.key();
        if let Some(floor_minor) = self.floor_minor.filter(|floor| balance_minor < *floor) {
            return Some(Refusal::BelowFloor { account: account(), balance_minor, floor_minor });
        }
        let ceiling_minor = self.ceiling_minor.filter(|ceiling| balance_minor > *ceiling)?;
        Some(Refusal::AboveCeiling { account: account(), balance_minor, ceiling_minor })
    }
}

/// What an id was used for before.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) outcome: Outcome,
    pub(super) request_hash: Hash,
}

/// An entry that can be reversed.
#[derive(Debug, Clone)]
pub(super) struct Original {
    pub(super) entry: Entry,
    pub(super) seq: i64,
    pub(super) reversed_by: Option<i64>,
}

/// Everything read under the lock.
#[derive(Debug)]
pub(super) struct Situation<'a> {
    pub(super) book: &'a str,
    pub(super) now: Instant,
    pub(super) head: Head,
    pub(super) periods: &'a Periods,
    pub(super) slots: Vec<Slot>,
    pub(super) slot_of: HashMap<AccountKey, usize>,
    pub(super) known: HashMap<EntryId, Known>,
    pub(super) originals: HashMap<EntryId, Original>,
}

/// An accepted entry, ready to be written.
#[derive(Debug)]
pub(super) struct Placed<'e> {
    pub(super) entry: &'e Entry,
    pub(super) seq: i64,
    pub(super) recorded_at: Instant,
    pub(super) reverses_seq: Option<i64>,
    pub(super) leaf: Hash,
    pub(super) lines: Vec<PlacedLine>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct PlacedLine {
    pub(super) slot: usize,
    pub(super) amount_minor: i64,
    pub(super) account_seq: i64,
    pub(super) balance_after_minor: i64,
}

/// The outcomes in the order of the entries, and what is to be written.
#[derive(Debug, Default)]
pub(super) struct Decision<'e> {
    pub(super) outcomes: Vec<Outcome>,
    pub(super) placed: Vec<Placed<'e>>,
    /// New refusals: id and hash of the request.
    pub(super) refused: Vec<(EntryId, Hash, Refusal)>,
}

/// Why an entry is not placed.
enum Stop {
    Refused(Refusal),
    Fault(BookError),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<BookError> for Stop {
    fn from(fault: BookError) -> Self {
        Self::Fault(fault)
    }
}

fn out_of_step() -> BookError {
    BookError::corrupt("the working set of a batch")
}

impl Situation<'_> {
    pub(super) fn decide<'e>(&mut self, entries: &'e [Entry]) -> Result<Decision<'e>, BookError> {
        let reversed: HashSet<EntryId> = entries.iter().filter_map(Entry::reverses).collect();
        let mut decision = Decision::default();
        for entry in entries {
            let request_hash = entry.request_hash();
            if let Some(known) = self.known.get(&entry.id()) {
                decision.outcomes.push(if known.request_hash == request_hash {
                    known.outcome.again()
                } else {
                    Outcome::Refused { refusal: Refusal::Conflict, replayed: false }
                });
                continue;
            }
            let outcome = match self.place(entry) {
                Ok(placed) => {
                    let (seq, recorded_at) = (placed.seq, placed.recorded_at);
                    if reversed.contains(&entry.id()) {
                        self.originals
                            .insert(entry.id(), Original { entry: entry.clone(), seq, reversed_by: None });
                    }
                    decision.placed.push(placed);
                    Outcome::Accepted { seq, recorded_at, replayed: false }
                }
                Err(Stop::Refused(refusal)) => {
                    decision.refused.push((entry.id(), request_hash, refusal.clone()));
                    Outcome::Refused { refusal, replayed: false }
                }
                Err(Stop::Fault(fault)) => return Err(fault),
            };
            self.known.insert(entry.id(), Known { outcome: outcome.clone(), request_hash });
            decision.outcomes.push(outcome);
        }
        Ok(decision)
    }

    fn place<'e>(&mut self, entry: &'e Entry) -> Result<Placed<'e>, Stop> {
        self.judge(entry)?;
        let seq = self.head.seq.checked_add(1).ok_or_else(out_of_step)?;
        let recorded_at = self.head.next_instant(self.now);
        let lines = self.move_balances(entry)?;
        let reverses_seq = entry.reverses().and_then(|id| self.originals.get_mut(&id)).map(|original| {
            original.reversed_by = Some(seq);
            original.seq
        });
        self.head.seq = seq;
        self.head.at = recorded_at;
        let leaf = chain::leaf(self.book, seq, recorded_at, reverses_seq, entry);
        Ok(Placed { entry, seq, recorded_at, reverses_seq, leaf, lines })
    }

    /// Asks every rule in order.
    fn judge(&self, entry: &Entry) -> Result<(), Stop> {
        let effective_on = entry.effective_on();
        if effective_on > self.now.day_in(&Zone::utc()).next() {
            return Err(Refusal::InFuture { effective_on }.into());
        }
        if self.periods.of(effective_on) == PeriodOf::NotOpen {
            return Err(Refusal::PeriodNotOpen { effective_on }.into());
        }
        if let Some(original) = entry.reverses() {
            self.judge_reversal(entry, original)?;
        }
        let mut slots = Vec::with_capacity(entry.lines().len());
        for line in entry.lines() {
            slots.push(self.slot(line.account())?);
        }
        if let Some((_, slot)) = slots.iter().find(|(_, slot)| slot.closed) {
            return Err(Refusal::AccountClosed { account: slot.account.key() }.into());
        }
        let mut moved: BTreeMap<usize, Balance> = BTreeMap::new();
        for (line, (index, slot)) in entry.lines().iter().zip(&slots) {
            let before = moved.get(index).copied().unwrap_or(slot.balance);
            let after = before
                .after(line.signed_minor())
                .map_err(|_| Refusal::Overflow { account: slot.account.key() })?;
            moved.insert(*index, after);
        }
        // Limits bind the entry as a whole, asked in the order in which its lines name the accounts.
        match slots.iter().find_map(|(index, slot)| slot.limit_refusal(*moved.get(index)?)) {
            Some(refusal) => Err(refusal.into()),
            None => Ok(()),
        }
    }

    fn judge_reversal(&self, entry: &Entry, id: EntryId) -> Result<(), Refusal> {
        let original = self.originals.get(&id).ok_or(Refusal::OriginalUnknown { original: id })?;
        if original.entry.reverses().is_some() {
            return Err(Refusal::OriginalIsReversal { original: id });
        }
        if let Some(by_seq) = original.reversed_by {
            return Err(Refusal::AlreadyReversed { original: id, by_seq });
        }
        let is_mirror = entry.lines().len() == original.entry.lines().len()
            && entry.lines().iter().zip(original.entry.lines()).all(|(mirror, line)| {
                mirror.account().code == line.account().code
                    && mirror.money() == line.money()
                    && mirror.side() == line.side().opposite()
            });
        if is_mirror { Ok(()) } else { Err(Refusal::NotItsMirror { original: id }) }
    }

    fn slot(&self, account: &Account) -> Result<(usize, &Slot), BookError> {
        let index = *self.slot_of.get(&account.key()).ok_or_else(out_of_step)?;
        let slot = self.slots.get(index).ok_or_else(out_of_step)?;
        if slot.account.class != account.class || slot.account.agency != account.agency {
            return Err(BookError::AccountMismatch {
                account: account.key(),
                class: account.class,
                agency: account.agency.as_deref().map(str::to_owned),
                opened_class: slot.account.class,
                opened_agency: slot.account.agency.as_deref().map(str::to_owned),
            });
        }
        Ok((index, slot))
    }

    fn move_balances(&mut self, entry: &Entry) -> Result<Vec<PlacedLine>, BookError> {
        let mut placed = Vec::with_capacity(entry.lines().len());
        for line in entry.lines() {
            let (index, _) = self.slot(line.account())?;
            let amount_minor = line.signed_minor();
            let slot = self.slots.get_mut(index).ok_or_else(out_of_step)?;
            slot.balance = slot.balance.after(amount_minor).map_err(|_| out_of_step())?;
            slot.lines_count = slot.lines_count.checked_add(1).ok_or_else(out_of_step)?;
            let (account_seq, balance_after_minor) = (slot.lines_count, slot.balance.net_minor());
            placed.push(PlacedLine { slot: index, amount_minor, account_seq, balance_after_minor });
        }
        Ok(placed)
    }
}
