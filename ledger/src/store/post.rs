//! Posting: read under the lock of the head, decide, write.

use std::collections::{HashMap, HashSet};

use sqlx::PgConnection;

use super::decide::{Decision, Known, Original, PeriodOf, Periods, Situation, Slot};
use super::outcome::{BookError, Outcome, Refusal};
use super::rows::{self, BatchRow, OutcomeRow};
use super::{BATCH_LINES_MAX, Book, ENTRIES_MAX, Head, Turn};
use crate::account::{Account, AccountKey};
use crate::chain::{self, Hash};
use crate::entry::Entry;
use crate::{EntryId, Instant};

impl Book {
    /// Posts a batch in the caller's transaction: one outcome per entry, in order. Refusals are outcomes too
    /// and are recorded; whoever offers a refusal as an answer to somebody rolls back, and nothing was said.
    ///
    /// Take the turn first, post last, then only append and commit: the head of the book stays locked until
    /// then. An id that was posted before gives its first outcome again, at any time and from any process.
    ///
    /// # Errors
    /// [`BookError`]: nothing of the batch holds; roll back.
    pub async fn post(
        &self,
        turn: &Turn,
        conn: &mut PgConnection,
        now: Instant,
        entries: &[Entry],
    ) -> Result<Vec<Outcome>, BookError> {
        if !self.gave(turn) {
            return Err(BookError::ForeignTurn);
        }
        let lines = entries.iter().map(|entry| entry.lines().len()).sum();
        if entries.len() > ENTRIES_MAX || lines > BATCH_LINES_MAX {
            return Err(BookError::BatchTooLarge { entries: entries.len(), lines });
        }
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let (head, periods_version, partitioned_to) = rows::lock_head(conn, self.0.id).await?;
        let periods = self.periods_at(conn, periods_version).await?;
        let (known, originals) = self.read_known(conn, entries).await?;
        let (slots, slot_of) = self.read_slots(conn, entries).await?;
        let mut situation = Situation {
            book: &self.0.name,
            now,
            head: head.clone(),
            periods: &periods,
            slots,
            slot_of,
            known,
            originals,
        };
        let decision = situation.decide(entries)?;
        let mut slots = situation.slots;
        if !decision.placed.is_empty() {
            if situation.head.seq > partitioned_to {
                rows::extend(conn, situation.head.seq).await?;
            }
            self.write(conn, now, &head, &mut slots, periods.clone(), &decision).await?;
        }
        if !decision.refused.is_empty() {
            rows::insert_refusals(conn, self.0.id, now, &decision.refused).await?;
        }
        Ok(decision.outcomes)
    }

    /// Makes room for at least `ahead` further entries, so that posting never has to.
    pub async fn extend(&self, conn: &mut PgConnection, ahead: i64) -> Result<(), BookError> {
        let head = self.head(conn).await?;
        rows::extend(conn, head.seq.saturating_add(ahead)).await?;
        Ok(())
    }

    /// The periods as of the locked head. Only what other transactions committed is kept for later.
    async fn periods_at(&self, conn: &mut PgConnection, version: i64) -> Result<Periods, BookError> {
        if let Ok(periods) = self.0.periods.read()
            && periods.version == version
        {
            return Ok(periods.clone());
        }
        let fresh = Periods { version, all: rows::find_periods(conn, self.0.id).await? };
        if let Ok(mut periods) = self.0.periods.write() {
            *periods = fresh.clone();
        }
        Ok(fresh)
    }

    async fn read_known(
        &self,
        conn: &mut PgConnection,
        entries: &[Entry],
    ) -> Result<(HashMap<EntryId, Known>, HashMap<EntryId, Original>), BookError> {
        let asked: HashSet<EntryId> = entries.iter().map(Entry::id).collect();
        let reversed: HashSet<EntryId> = entries.iter().filter_map(Entry::reverses).collect();
        let ids: Vec<EntryId> = asked.union(&reversed).copied().collect();
        let outcomes = rows::find_outcomes(conn, &ids).await?;
        if outcomes.is_empty() {
            return Ok(Default::default());
        }
        let seqs: Vec<i64> =
            outcomes.iter().filter(|row| row.book_id == self.0.id).filter_map(|row| row.seq).collect();
        let recorded: HashMap<i64, Entry> = self
            .entries_at(conn, &seqs)
            .await?
            .into_iter()
            .map(|recorded| (recorded.seq, recorded.entry))
            .collect();
        let reversals: HashMap<i64, i64> =
            rows::find_reversals(conn, self.0.id, &seqs).await?.into_iter().collect();
        let (mut known, mut originals) = (HashMap::new(), HashMap::new());
        for row in outcomes {
            let entry = row.seq.and_then(|seq| recorded.get(&seq)).filter(|entry| entry.id() == row.entry_id);
            if asked.contains(&row.entry_id) {
                known.insert(row.entry_id, self.known(&row, entry)?);
            }
            if let (Some(seq), Some(entry), true) = (row.seq, entry, reversed.contains(&row.entry_id)) {
                let reversed_by = reversals.get(&seq).copied();
                originals.insert(row.entry_id, Original { entry: entry.clone(), seq, reversed_by });
            }
        }
        Ok((known, originals))
    }

    fn known(&self, row: &OutcomeRow, entry: Option<&Entry>) -> Result<Known, BookError> {
        let corrupt = || BookError::corrupt(format_args!("the outcome of {}", row.entry_id));
        if row.book_id != self.0.id {
            // Used in another book: whatever is asked here, it is other content.
            let outcome = Outcome::Refused { refusal: Refusal::Conflict, replayed: false };
            return Ok(Known { outcome, request_hash: chain::GENESIS });
        }
        if let Some(seq) = row.seq {
            let outcome = Outcome::Accepted { seq, recorded_at: row.recorded_at, replayed: true };
            return Ok(Known { outcome, request_hash: entry.ok_or_else(corrupt)?.request_hash() });
        }
        let refusal = row.refusal.clone().ok_or_else(corrupt)?;
        let refusal = serde_json::from_value(refusal).map_err(|_| corrupt())?;
        let request_hash = rows::hash_of(row.request_hash.as_deref().unwrap_or_default())?;
        Ok(Known { outcome: Outcome::Refused { refusal, replayed: true }, request_hash })
    }

    /// One slot per account the batch names, opened or not.
    async fn read_slots(
        &self,
        conn: &mut PgConnection,
        entries: &[Entry],
    ) -> Result<(Vec<Slot>, HashMap<AccountKey, usize>), BookError> {
        let mut named: HashMap<AccountKey, &Account> = HashMap::new();
        for line in entries.iter().flat_map(Entry::lines) {
            named.entry(line.account().key()).or_insert(line.account());
        }
        let accounts: Vec<&Account> = named.values().copied().collect();
        let mut slots = rows::find_slots(conn, self.0.id, &accounts).await?;
        for slot in &slots {
            named.remove(&slot.account.key());
        }
        slots.extend(named.into_values().cloned().map(Slot::unopened));
        let slot_of = slots.iter().enumerate().map(|(index, slot)| (slot.account.key(), index)).collect();
        Ok((slots, slot_of))
    }

    async fn write(
        &self,
        conn: &mut PgConnection,
        now: Instant,
        head: &Head,
        slots: &mut [Slot],
        periods: Periods,
        decision: &Decision<'_>,
    ) -> Result<(), BookError> {
        let placed = &decision.placed;
        self.open_accounts(conn, now, slots, decision).await?;
        let periods = self.period_ids(conn, periods, decision).await?;
        let (Some(first), Some(last)) = (placed.first(), placed.last()) else { return Ok(()) };
        let leaves: Vec<Hash> = placed.iter().map(|entry| entry.leaf).collect();
        let root = chain::root(&leaves).unwrap_or(chain::GENESIS);
        let no = head.batch.saturating_add(1);
        let batch = BatchRow {
            no,
            first_seq: first.seq,
            last_seq: last.seq,
            root,
            hash: chain::batch_hash(&self.0.name, no, first.seq, last.seq, &root, &head.hash),
            recorded_at: last.recorded_at,
        };
        rows::insert_batch(conn, self.0.id, &batch).await?;
        rows::insert_lines(conn, self.0.id, placed, slots).await?;
        rows::insert_entries(conn, self.0.id, placed, &periods).await
    }

    /// Opens the accounts that accepted entries name for the first time, in the order in which they do.
    async fn open_accounts(
        &self,
        conn: &mut PgConnection,
        now: Instant,
        slots: &mut [Slot],
        decision: &Decision<'_>,
    ) -> Result<(), BookError> {
        let mut seen = HashSet::new();
        let used = decision.placed.iter().flat_map(|placed| &placed.lines).map(|line| line.slot);
        let missing: Vec<&Account> = used
            .filter(|index| seen.insert(*index))
            .filter_map(|index| slots.get(index).filter(|slot| slot.id.is_none()))
            .map(|slot| &slot.account)
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let opened: HashMap<AccountKey, i64> = rows::insert_accounts(conn, self.0.id, now, &missing).await?;
        for slot in slots.iter_mut().filter(|slot| slot.id.is_none()) {
            slot.id = opened.get(&slot.account.key()).copied();
        }
        Ok(())
    }

    /// The period of each accepted entry; months that have none are opened.
    async fn period_ids(
        &self,
        conn: &mut PgConnection,
        mut periods: Periods,
        decision: &Decision<'_>,
    ) -> Result<Vec<i32>, BookError> {
        let mut ids = Vec::with_capacity(decision.placed.len());
        for placed in &decision.placed {
            let day = placed.entry.effective_on();
            if periods.of(day) == PeriodOf::Missing {
                let month = rows::insert_month(conn, self.0.id, day).await?;
                periods.all.push(month.ok_or_else(|| BookError::NoPeriod { effective_on: day })?);
            }
            match periods.of(day) {
                PeriodOf::Open(id) => ids.push(id),
                PeriodOf::NotOpen | PeriodOf::Missing => {
                    return Err(BookError::NoPeriod { effective_on: day });
                }
            }
        }
        Ok(ids)
    }
}
