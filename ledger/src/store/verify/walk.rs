//! The walk over batches, entries and lines in order: pure.

use std::collections::{BTreeMap, HashMap};

use super::rows::{self, Batch, Entry, Line, Original};
use super::{Check, DIFFERENCES_KEPT, Difference, Report};
use crate::account::{Class, Side};
use crate::balance::Balance;
use crate::chain::{self, Facts, GENESIS, Hash};
use crate::store::Head;
use crate::{Day, Instant};

/// An account as its lines make it.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) row: rows::Account,
    pub(super) balance: Balance,
    pub(super) lines_count: i64,
    pub(super) floor_minor: Option<i64>,
    pub(super) ceiling_minor: Option<i64>,
    pub(super) closed: bool,
    normal_side: Side,
    pub(super) days: BTreeMap<Day, DayTotal>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct DayTotal {
    pub(super) balance: Balance,
    pub(super) lines_count: i64,
    pub(super) first_seq: i64,
    pub(super) last_seq: i64,
}

impl Account {
    fn of(row: rows::Account) -> Self {
        Self {
            balance: Balance::default(),
            lines_count: 0,
            floor_minor: row.floor_minor,
            ceiling_minor: row.ceiling_minor,
            closed: false,
            normal_side: row.class.parse::<Class>().map_or(Side::Debit, Class::normal_side),
            days: BTreeMap::new(),
            row,
        }
    }

    pub(super) fn name(&self) -> String {
        format!("{} {}", self.row.code, self.row.currency)
    }
}

#[derive(Debug)]
pub(super) struct Walk {
    book: String,
    pub(super) accounts: HashMap<i64, Account>,
    pub(super) report: Report,
    /// The last batch seen.
    pub(super) batch_no: i64,
    pub(super) seq: i64,
    pub(super) hash: Hash,
    recorded_at: Option<Instant>,
    pub(super) reversals: u64,
}

impl Walk {
    pub(super) fn new(book: &str, head: Head, accounts: Vec<rows::Account>) -> Self {
        let report = Report {
            head,
            batches: 0,
            events: 0,
            entries: 0,
            lines: 0,
            refusals: 0,
            accounts: accounts.iter().map(|_| 1_u64).sum(),
            differences: Vec::new(),
            differences_count: 0,
        };
        Self {
            book: book.to_owned(),
            accounts: accounts.into_iter().map(|row| (row.id, Account::of(row))).collect(),
            report,
            batch_no: 0,
            seq: 0,
            hash: GENESIS,
            recorded_at: None,
            reversals: 0,
        }
    }

    pub(super) fn differ(&mut self, check: Check, at: impl Into<String>, detail: impl Into<String>) {
        self.report.differences_count = self.report.differences_count.saturating_add(1);
        if self.report.differences.len() < DIFFERENCES_KEPT {
            self.report.differences.push(Difference { check, at: at.into(), detail: detail.into() });
        }
    }

    fn expect(&mut self, holds: bool, check: Check, at: &str, detail: &str) {
        if !holds {
            self.differ(check, at, detail);
        }
    }

    /// Batches in order, with their entries and lines in order.
    pub(super) fn portion(
        &mut self,
        batches: &[Batch],
        entries: &[Entry],
        lines: &[Line],
        originals: &HashMap<i64, Original>,
    ) {
        let (mut entries, mut lines) = (entries, lines);
        for batch in batches {
            let own = entries.iter().take_while(|entry| entry.seq <= batch.last_seq).count();
            let (own, rest) = entries.split_at(own);
            entries = rest;
            let mut leaves = Vec::with_capacity(own.len());
            for entry in own {
                // Lines before their entry have none: they stand out as a stray.
                let strays = lines.iter().take_while(|line| line.seq < entry.seq).count();
                let (strays, rest) = lines.split_at(strays);
                self.strays(strays);
                let count = rest.iter().take_while(|line| line.seq == entry.seq).count();
                let (its_lines, rest) = rest.split_at(count);
                lines = rest;
                leaves.push(self.entry(entry, its_lines, originals, batch));
            }
            self.batch(batch, &leaves);
        }
        self.strays(lines);
    }

    fn strays(&mut self, lines: &[Line]) {
        for line in lines {
            self.differ(Check::Lines, format!("line {} of entry {}", line.line_no, line.seq), "has no entry");
        }
    }

    fn batch(&mut self, batch: &Batch, leaves: &[Hash]) {
        let at = format!("batch {}", batch.no);
        let continues = self.batch_no.checked_add(1) == Some(batch.no);
        self.expect(continues, Check::Batches, &at, "does not follow the batch before");
        let size = batch.last_seq.checked_sub(batch.first_seq).and_then(|span| span.checked_add(1));
        let is_whole = size.and_then(|size| usize::try_from(size).ok()) == Some(leaves.len());
        self.expect(is_whole, Check::Seq, &at, "does not have an entry at each of its places");
        let root = match (&batch.event_kind, &batch.event_actor, &batch.event_body) {
            (Some(kind), Some(actor), Some(body)) => {
                self.report.events = self.report.events.saturating_add(1);
                self.expect(leaves.is_empty(), Check::Event, &at, "has an event and entries");
                self.apply(&at, kind, body);
                chain::event_leaf(&self.book, batch.no, batch.recorded_at, kind, actor, body)
            }
            _ => chain::root(leaves).unwrap_or(GENESIS),
        };
        self.expect(root[..] == batch.root, Check::Root, &at, "the root is not that of its leaves");
        let hash =
            chain::batch_hash(&self.book, batch.no, batch.first_seq, batch.last_seq, &root, &self.hash);
        self.expect(
            hash[..] == batch.hash,
            Check::Chain,
            &at,
            "the hash does not follow from what is before",
        );
        let in_time = match self.recorded_at {
            Some(last) if leaves.is_empty() => last < batch.recorded_at,
            last => leaves.is_empty() || last == Some(batch.recorded_at),
        };
        self.expect(
            in_time,
            Check::RecordedAt,
            &at,
            "is not recorded with its last entry, after the batch before",
        );
        self.recorded_at = Some(batch.recorded_at);
        // Go on from what is stored: one broken link is one difference, not one for each batch after it.
        self.hash = <[u8; 32]>::try_from(batch.hash.as_slice()).unwrap_or(hash);
        self.batch_no = batch.no;
        self.report.batches = self.report.batches.saturating_add(1);
    }

    fn entry(
        &mut self,
        entry: &Entry,
        lines: &[Line],
        originals: &HashMap<i64, Original>,
        batch: &Batch,
    ) -> Hash {
        let at = format!("entry {}", entry.seq);
        self.report.entries = self.report.entries.saturating_add(1);
        let is_next = self.seq.checked_add(1) == Some(entry.seq) && entry.seq >= batch.first_seq;
        self.expect(is_next, Check::Seq, &at, "does not follow the entry before");
        self.seq = entry.seq;
        let is_later = self.recorded_at.is_none_or(|last| last < entry.recorded_at);
        self.expect(is_later, Check::RecordedAt, &at, "was not recorded after the entry before");
        self.recorded_at = Some(entry.recorded_at);
        self.expect(entry.in_period, Check::Period, &at, "its effective date is not in its period");
        self.expect(entry.outcome_seq == Some(entry.seq), Check::Outcome, &at, "its id has no such outcome");
        self.lines(&at, entry, lines);
        self.reversal(&at, entry, lines, originals);
        self.leaf(&at, entry, lines)
    }

    fn lines(&mut self, at: &str, entry: &Entry, lines: &[Line]) {
        let numbered =
            lines.iter().zip(1_i16..).all(|(line, no)| line.line_no == no && line.amount_minor != 0);
        let counted = usize::try_from(entry.lines_count).is_ok_and(|count| count == lines.len());
        self.expect(numbered && counted && lines.len() >= 2, Check::Lines, at, "its lines are not 1 to n");
        let dated = lines.iter().all(|line| line.effective_on == entry.effective_on);
        self.expect(dated, Check::Lines, at, "a line has another effective date");
        let mut sums: BTreeMap<&str, i128> = BTreeMap::new();
        for line in lines {
            let sum = sums.entry(&line.currency).or_default();
            *sum = sum.saturating_add(i128::from(line.amount_minor));
        }
        for (currency, sum) in sums.into_iter().filter(|(_, sum)| *sum != 0) {
            self.differ(
                Check::ZeroSum,
                at,
                format!("debits exceed credits by {sum} minor units of {currency}"),
            );
        }
        for line in lines {
            self.line(line);
        }
        // Limits bind after the entry as a whole.
        for line in lines {
            let Some(account) = self.accounts.get(&line.account_id) else { continue };
            let balance = account.balance.on(account.normal_side);
            let within = account.floor_minor.is_none_or(|floor| floor <= balance)
                && account.ceiling_minor.is_none_or(|ceiling| balance <= ceiling);
            let detail = format!("{} stands at {balance}, beyond its limit", account.name());
            self.expect(within, Check::Limit, at, &detail);
        }
    }

    fn line(&mut self, line: &Line) {
        self.report.lines = self.report.lines.saturating_add(1);
        let at = format!("line {} of entry {}", line.line_no, line.seq);
        let Some(account) = self.accounts.get_mut(&line.account_id) else {
            return self.differ(Check::Account, at, format!("no account {} in this book", line.account_id));
        };
        let fits = account.row.currency == line.currency && !account.closed;
        let moved = account.balance.after(line.amount_minor);
        account.balance = moved.unwrap_or(account.balance);
        account.lines_count = account.lines_count.saturating_add(1);
        let continues = line.account_seq == account.lines_count
            && line.balance_after_minor == account.balance.net_minor();
        let day = account.days.entry(line.effective_on).or_default();
        day.balance = day.balance.after(line.amount_minor).unwrap_or(day.balance);
        day.lines_count = day.lines_count.saturating_add(1);
        day.first_seq = if day.first_seq == 0 { line.seq } else { day.first_seq };
        day.last_seq = line.seq;
        let name = account.name();
        self.expect(fits, Check::Account, &at, &format!("{name} is closed or in another currency"));
        self.expect(moved.is_ok(), Check::Balance, &at, &format!("{name} leaves the range of 64 bits"));
        self.expect(continues, Check::RunningBalance, &at, &format!("does not continue {name}"));
    }

    fn reversal(&mut self, at: &str, entry: &Entry, lines: &[Line], originals: &HashMap<i64, Original>) {
        let Some(reversed) = entry.reverses else { return };
        self.reversals = self.reversals.saturating_add(1);
        self.expect(
            entry.reversal_seq == Some(entry.seq),
            Check::Reversal,
            at,
            "is not the one reversal listed",
        );
        let mirror: Vec<(i64, i64)> =
            lines.iter().map(|line| (line.account_id, line.amount_minor.saturating_neg())).collect();
        let mirrors = originals
            .get(&reversed)
            .is_some_and(|original| !original.is_reversal && original.lines == mirror);
        let detail = format!("does not mirror entry {reversed}, or that is a reversal itself");
        self.expect(mirrors && reversed < entry.seq, Check::Reversal, at, &detail);
    }

    fn leaf(&mut self, at: &str, entry: &Entry, lines: &[Line]) -> Hash {
        let code = |id: i64| self.accounts.get(&id).map_or("", |account| account.row.code.as_str());
        let facts = Facts {
            id: *entry.id.as_bytes(),
            effective_on: entry.effective_on,
            kind: &entry.kind,
            actor: &entry.actor,
            source_ref: &entry.source_ref,
            meta: &entry.meta,
            lines: lines
                .iter()
                .map(|line| (code(line.account_id), line.currency.as_str(), line.amount_minor))
                .collect(),
        };
        let leaf = facts.leaf(&self.book, entry.seq, entry.recorded_at, entry.reverses);
        self.expect(leaf[..] == entry.leaf, Check::Leaf, at, "the leaf is not the hash of the entry");
        leaf
    }

    /// Limits and closings bind from their event on.
    fn apply(&mut self, at: &str, kind: &str, body: &str) {
        let Ok(body) = serde_json::from_str::<serde_json::Value>(body) else {
            return self.differ(Check::Event, at, "its body is no JSON");
        };
        if kind == "period_status" {
            return;
        }
        let text = |key: &str| body.get(key).and_then(serde_json::Value::as_str).unwrap_or_default();
        let account = self
            .accounts
            .values_mut()
            .find(|account| account.row.code == text("account") && account.row.currency == text("currency"));
        match (account, kind) {
            (Some(account), "limits") => {
                account.floor_minor = body.get("floor_minor").and_then(serde_json::Value::as_i64);
                account.ceiling_minor = body.get("ceiling_minor").and_then(serde_json::Value::as_i64);
            }
            (Some(account), "account_status") => account.closed = text("status") == "closed",
            _ => self.differ(Check::Event, at, format!("names no account: {body}")),
        }
    }
}
