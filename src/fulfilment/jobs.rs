//! Releases by the clock.

use futures::FutureExt;
use futures::future::BoxFuture;

use super::service;
use crate::app::{App, ServiceError};
use crate::fault::Fault;
use crate::ids::IntentId;
use crate::intents::RELEASE_BY_TIME;
use crate::queue::Job;
use crate::queue::worker::{Done, Work};
use crate::tx::Actor;

pub const WORK: Work = Work { kind: RELEASE_BY_TIME, at_once: 4, lease_seconds: 60, handle: release };

fn release(app: App, job: Job) -> BoxFuture<'static, Result<Done, Fault>> {
    async move {
        let named = job.subject.split_once(':');
        let due = named.and_then(|(intent, days)| Some((intent.parse().ok()?, days.parse().ok()?)));
        let due: (IntentId, u16) = due.ok_or_else(|| Fault::corrupt("jobs", "subject", job.id))?;
        let actor = Actor::hub("fulfilment");
        let released = app.run(&actor, &due, |tx, due| Box::pin(service::release_by_time(tx, due)));
        released.await.map_err(ServiceError::unheard)?;
        Ok(Done::Finished)
    }
    .boxed()
}
