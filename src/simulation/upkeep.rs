//! What runs by itself in a hub, here one turn at a time; and the days that pass.

use axum::http::HeaderMap;
use jiff::SignedDuration;
use mizan_ledger::Clock;

use super::life::{Done, Life, done};
use super::store;
use crate::events::{self, publisher};
use crate::fault::Fault;
use crate::fulfilment;
use crate::inbox::{self, door};
use crate::intents;
use crate::queue::worker::{Work, work_once};
use crate::recon::{self, FileSource, NewFile, ReconError};
use crate::refunds;
use crate::tx::Actor;

/// Turns of a loop that finds something to do each time, at most.
const TURNS_MAX: usize = 2_000;

fn moved(count: usize) -> Done {
    if count > 0 { Done::Did } else { Done::Nothing }
}

fn works() -> Vec<Work> {
    // Jobs claimed together run at once; here one is awaited at a time.
    let all = refunds::jobs::WORKS.into_iter().chain([recon::jobs::WORK, fulfilment::jobs::WORK]);
    all.map(|work| Work { at_once: 1, ..work }).collect()
}

impl Life {
    /// A callback comes to the door; it is sent again until it is answered.
    pub(super) async fn deliver(&mut self) -> Result<Done, Fault> {
        let Some((at, merchant, raw)) = self.stage.outside.world().take_letter() else {
            return Ok(Done::Nothing);
        };
        door::receive(&self.stage.app, merchant, &HeaderMap::new(), &raw).await?;
        self.stage.outside.world().letter_arrived(at);
        Ok(Done::Did)
    }

    pub(super) async fn post(&mut self) -> Result<Done, Fault> {
        Ok(moved(inbox::jobs::post_once(&self.stage.app).await?))
    }

    pub(super) async fn publish(&mut self) -> Result<Done, Fault> {
        Ok(moved(publisher::publish_once(&self.stage.app).await?))
    }

    pub(super) async fn work(&mut self) -> Result<Done, Fault> {
        let Some(work) = self.dice.pick(&works()).copied() else { return Ok(Done::Nothing) };
        Ok(moved(work_once(&self.stage.app, &work).await?))
    }

    pub(super) async fn sweep(&mut self) -> Result<Done, Fault> {
        let app = &self.stage.app;
        let asked = inbox::sweeper::ask_silent(app).await?;
        let actor = Actor::hub("sweeper");
        let expired =
            app.run(&actor, &500, |tx, limit| Box::pin(intents::service::expire_due(tx, limit))).await;
        if let Ok(expired) = &expired {
            return Ok(moved(asked + expired));
        }
        done(expired)
    }

    /// The portal reads on where it stopped.
    pub(super) async fn poll(&mut self) -> Result<Done, Fault> {
        let mut conn = self.stage.app.pool.acquire().await?;
        let after = self.feed.last().map_or(0, |event| event.position);
        let limit = self.dice.between(1, 60);
        let page = events::store::page(&mut conn, self.stage.portal, after, limit).await?;
        let count = page.len();
        self.feed.extend(page);
        Ok(moved(count))
    }

    /// A statement is handed over.
    pub(super) async fn import(&mut self) -> Result<Done, Fault> {
        let Some((at, file)) = self.stage.outside.world().take_file() else { return Ok(Done::Nothing) };
        let new = NewFile::read(file.name, FileSource::Upload, file.raw.to_vec())
            .map_err(|refused| Fault::Other(format!("a statement cannot be read: {refused}")))?;
        let (actor, app) = (Actor::hub("simulation"), &self.stage.app);
        let imported = app.run(&actor, &new, |tx, file| Box::pin(recon::service::import(tx, file))).await;
        imported.map_err(|error| match error {
            ReconError::Fault(fault) => fault,
            refused @ ReconError::Unreadable(_) => Fault::Other(refused.to_string()),
        })?;
        self.stage.outside.world().file_arrived(at);
        Ok(Done::Did)
    }

    pub(super) async fn reconcile(&mut self) -> Result<Done, Fault> {
        recon::run::reconcile(&self.stage.app).await?;
        Ok(Done::Did)
    }

    /// Minutes or hours pass; at the end of the bank's open day it closes.
    pub(super) fn pass(&mut self) -> Done {
        let minutes =
            if self.dice.chance(80) { self.dice.between(1, 20) } else { self.dice.between(60, 400) };
        self.stage.clock.advance(SignedDuration::from_mins(minutes));
        let calendar = &self.stage.app.hub.calendar;
        let evening =
            self.stage.outside.world().day().next().start_in(&calendar.zone).plus_seconds(-2 * 3_600);
        if self.stage.clock.now() >= evening {
            self.close_day();
        }
        Done::Did
    }

    /// Bank and gateway close their day; then it is the next morning.
    pub(super) fn close_day(&mut self) {
        let closed = self.stage.outside.world().close_day();
        let zone = &self.stage.app.hub.calendar.zone;
        let morning = closed.next().start_in(zone).plus_seconds(7 * 3_600);
        self.stage.clock.set(morning.max(self.stage.clock.now()));
    }

    /// The outside learns that the hub has read all that it was told.
    pub(super) async fn note_what_is_read(&mut self) -> Result<(), Fault> {
        if !self.stage.outside.world().has_unread() {
            return Ok(());
        }
        let mut conn = self.stage.app.pool.acquire().await?;
        if store::is_all_read(&mut conn).await? {
            self.stage.outside.world().all_read();
        }
        Ok(())
    }

    /// Every loop runs until none finds anything.
    pub(super) async fn idle(&mut self) -> Result<(), Fault> {
        for _ in 0..TURNS_MAX {
            let mut busy = self.post().await? == Done::Did;
            busy |= self.sweep().await? == Done::Did;
            for work in works() {
                busy |= work_once(&self.stage.app, &work).await? > 0;
            }
            busy |= self.publish().await? == Done::Did;
            if !busy {
                break;
            }
        }
        self.note_what_is_read().await?;
        self.reconcile().await?;
        while self.publish().await? == Done::Did {}
        while self.poll().await? == Done::Did {}
        Ok(())
    }
}
