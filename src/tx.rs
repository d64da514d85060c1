//! The unit of work: the database transaction, `now`, new ids and the actor. What happens, happens in it: rows,
//! one posting to the book, events, audit and jobs, then one commit.
//!
//! Events, audit rows and jobs are collected and written as one array statement each just before the commit, so
//! that a batch of 256 notices costs as many statements as one.

use std::sync::Arc;

use mizan_ledger::store::{BATCH_LINES_MAX, Book, ENTRIES_MAX, Outcome, Turn};
use mizan_ledger::{Calendar, Entry, Id, Instant};
use serde::Serialize;
use serde_json::Value;
use sqlx::{PgConnection, PgPool, Postgres, Transaction};

use crate::catalogue::CatalogueCache;
use crate::channels::Channels;
use crate::config::Config;
use crate::crash::{CrashPoints, Point};
use crate::entropy::Entropy;
use crate::events::{self, NewEvent};
use crate::fault::Fault;
use crate::intents::Serials;
use crate::keys::HubKeys;
use crate::queue::{self, NewJob};
use crate::{audit, ids};

/// Who acts: a portal (`po_...`), a person (`ps_...`), a channel (`channel:card`) or a part of the hub (`hub:poster`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Actor(String);

impl Actor {
    pub fn portal(id: ids::PortalId) -> Self {
        Self(id.to_string())
    }

    pub fn person(id: ids::PersonId) -> Self {
        Self(id.to_string())
    }

    pub fn channel(instance: &str) -> Self {
        Self(format!("channel:{instance}"))
    }

    pub fn hub(part: &str) -> Self {
        Self(format!("hub:{part}"))
    }

    pub fn is_person(&self) -> bool {
        self.0.parse::<ids::PersonId>().is_ok()
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What every unit of work may look at: the same for all transactions of a process.
#[derive(Debug)]
pub struct Hub {
    pub config: Config,
    pub keys: HubKeys,
    pub book: Book,
    pub entropy: Entropy,
    pub calendar: Calendar,
    pub channels: Channels,
    /// The catalogue as last read, with the version it was read at.
    pub catalogue: CatalogueCache,
    /// Of bill numbers, drawn in advance.
    pub serials: Serials,
    /// Where a test lets the hub stop dead; never armed in live mode.
    pub crash: CrashPoints,
}

#[derive(Debug)]
pub struct Tx {
    inner: Transaction<'static, Postgres>,
    /// Held from the posting until after the commit: one poster per process and book waits in the database.
    turn: Option<Turn>,
    hub: Arc<Hub>,
    now: Instant,
    actor: Actor,
    catalogue_version: Option<i64>,
    events: Vec<NewEvent>,
    audit: Vec<audit::NewRecord>,
    jobs: Vec<NewJob>,
}

impl Tx {
    pub async fn begin(hub: &Arc<Hub>, pool: &PgPool, now: Instant, actor: Actor) -> Result<Self, Fault> {
        Ok(Self {
            inner: pool.begin().await?,
            turn: None,
            hub: hub.clone(),
            now,
            actor,
            catalogue_version: None,
            events: Vec::new(),
            audit: Vec::new(),
            jobs: Vec::new(),
        })
    }

    /// The connection, for stores.
    pub fn conn(&mut self) -> &mut PgConnection {
        &mut self.inner
    }

    /// The one instant of this unit of work.
    pub fn now(&self) -> Instant {
        self.now
    }

    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    pub fn id<T: Id>(&self) -> T {
        self.hub.entropy.id(self.now)
    }

    pub fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// The version of the catalogue, when it was read in this transaction.
    pub fn catalogue_version(&self) -> Option<i64> {
        self.catalogue_version
    }

    /// Keeps the version of the catalogue that a statement of this transaction has read.
    pub fn catalogue_is_at(&mut self, version: i64) {
        self.catalogue_version = Some(version);
    }

    /// Tells a fact of the past to the feed of its portal. Emit after the object's lock.
    pub fn emit(&mut self, event: NewEvent) {
        self.events.push(event);
    }

    /// Records who did what.
    pub fn audit(&mut self, action: &'static str, object: impl ToString, detail: Value) {
        self.audit.push(audit::NewRecord { action, object: object.to_string(), detail });
    }

    /// Asks for work outside this transaction; done after the commit.
    pub fn enqueue(&mut self, job: NewJob) {
        self.jobs.push(job);
    }

    /// Posts to the book, in as many batches as it takes. Once per transaction, after all reads and row locks; only appends may
    /// follow.
    pub async fn post(&mut self, entries: &[Entry]) -> Result<Vec<Outcome>, Fault> {
        assert!(self.turn.is_none(), "a Tx posts once");
        let turn = self.hub.book.turn().await;
        let mut outcomes = Vec::with_capacity(entries.len());
        for batch in batches(entries) {
            outcomes.extend(self.hub.book.post(&turn, &mut self.inner, self.now, batch).await?);
        }
        self.turn = Some(turn);
        self.hub.crash.reach(Point::Posted).await;
        Ok(outcomes)
    }

    /// Posts entries that the book must take, because they tell of facts: a refusal is a fault, and rolls back.
    pub async fn post_all(&mut self, entries: &[Entry]) -> Result<(), Fault> {
        if entries.is_empty() {
            return Ok(());
        }
        let outcomes = self.post(entries).await?;
        match outcomes.iter().find_map(Outcome::refusal) {
            Some(refusal) => Err(Fault::Other(format!("the book refused an entry: {refusal}"))),
            None => Ok(()),
        }
    }

    /// Writes what was collected and commits. Returns whether events or jobs wait for their workers.
    pub async fn commit(mut self) -> Result<Committed, Fault> {
        let committed = Committed { events: !self.events.is_empty(), jobs: !self.jobs.is_empty() };
        events::store::insert(&mut self.inner, &self.hub.entropy, self.now, &self.events).await?;
        audit::insert(&mut self.inner, self.now, &self.actor, &self.audit).await?;
        queue::store::insert(&mut self.inner, self.now, &self.jobs).await?;
        self.hub.crash.reach(Point::BeforeCommit).await;
        self.inner.commit().await?;
        self.hub.crash.reach(Point::AfterCommit).await;
        drop(self.turn.take());
        Ok(committed)
    }

    /// Takes everything back.
    pub async fn rollback(self) -> Result<(), Fault> {
        Ok(self.inner.rollback().await?)
    }
}

/// Entries in the portions that the book takes at once.
fn batches(mut entries: &[Entry]) -> Vec<&[Entry]> {
    let mut batches = Vec::new();
    while !entries.is_empty() {
        let mut lines = 0;
        let fits = |entry: &&Entry| {
            lines += entry.lines().len();
            lines <= BATCH_LINES_MAX
        };
        // One too large for any batch goes alone, and the book refuses it.
        let count = entries.iter().take(ENTRIES_MAX).take_while(fits).count().max(1);
        let (batch, rest) = entries.split_at(count);
        batches.push(batch);
        entries = rest;
    }
    batches
}

/// Which workers to wake after a commit.
#[derive(Debug, Clone, Copy)]
pub struct Committed {
    pub events: bool,
    pub jobs: bool,
}
