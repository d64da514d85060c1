//! What a refund asks of the outside: to be carried out, and what became of it.

use futures::FutureExt;
use futures::future::BoxFuture;
use mizan_adapters::channel::{RefundOrder, RefundState};
use mizan_adapters::outcome::Outcome;
use mizan_ledger::Instant;

use super::files;
use super::model::{Rail, Refund};
use super::service::{self, Asked, Heard, News, Order, Told};
use super::state;
use crate::app::{App, ServiceError};
use crate::crash::Point;
use crate::fault::Fault;
use crate::ids::{IntentId, RefundId, SuspenseId};
use crate::queue::worker::{self, Done, Work};
use crate::queue::{ATTEMPTS_MAX, Job, NewJob};
use crate::suspense::PROPOSE_REFUND;
use crate::tx::{Actor, Hub};

pub const SUBMIT: &str = "refund.submit";
pub const ASK: &str = "refund.ask";
pub const HEAR: &str = "refund.hear";
/// Looks whether an earlier instruction was carried out after all, and whether a settlement held it before its channel told.
pub const SETTLED: &str = "refund.settled";
pub const FUND: &str = "refund.fund";
/// The same at once: its agency paid in.
pub const FUNDED: &str = "refund.funded";
/// Proposes to give back a rejected line; its subject is `<intent>:<line>`.
pub const PROPOSE_LINE: &str = "refund.propose_line";

/// How long a refund without funds waits before the book is asked again.
pub const FUNDS_PAUSE_SECONDS: i64 = 900;

/// The kinds of job of this room. A lease outlives every call to a provider.
pub const WORKS: [Work; 10] = [
    Work { kind: SUBMIT, at_once: 8, lease_seconds: 300, handle: submit },
    Work { kind: ASK, at_once: 8, lease_seconds: 300, handle: ask },
    Work { kind: HEAR, at_once: 8, lease_seconds: 60, handle: hear },
    Work { kind: SETTLED, at_once: 8, lease_seconds: 60, handle: settled },
    Work { kind: FUND, at_once: 2, lease_seconds: 60, handle: fund },
    Work { kind: FUNDED, at_once: 2, lease_seconds: 60, handle: funded },
    Work { kind: PROPOSE_LINE, at_once: 8, lease_seconds: 60, handle: propose_line },
    Work { kind: PROPOSE_REFUND, at_once: 8, lease_seconds: 60, handle: propose },
    files::jobs::WORKS[0],
    files::jobs::WORKS[1],
];

/// The job that carries an approved refund to its rail. A transfer waits a little for others to go with it.
pub fn send(hub: &Hub, now: Instant, refund: &Refund) -> NewJob {
    let job = NewJob::now(SUBMIT, refund.id);
    match refund.rail {
        Rail::Gateway { .. } => job,
        Rail::Bank { .. } => job.at(now.plus_seconds(i64::from(hub.config.payment_files.gather_seconds))),
    }
}

/// One round of every kind of job. Answers how many jobs were claimed.
pub async fn work_once(app: &App) -> Result<usize, Fault> {
    let mut done = 0;
    for work in &WORKS {
        done += worker::work_once(app, work).await?;
    }
    Ok(done)
}

pub(super) fn actor() -> Actor {
    Actor::hub("refunds")
}

fn refund_of(job: &Job) -> Result<RefundId, Fault> {
    job.subject.parse().map_err(|_| Fault::corrupt("jobs", "subject", job.id))
}

async fn told(app: &App, told: Told) -> Result<(), Fault> {
    app.run(&actor(), std::slice::from_ref(&told), |tx, told| Box::pin(service::tell(tx, told)))
        .await
        .map_err(ServiceError::unheard)
}

/// Sends one instruction: it is committed as `sending` before its first byte leaves, and its answer is written by a
/// second transaction.
fn submit(app: App, job: Job) -> BoxFuture<'static, Result<Done, Fault>> {
    async move {
        let id = refund_of(&job)?;
        let begun = app
            .run(&actor(), &id, |tx, id| Box::pin(service::begin(tx, id)))
            .await
            .map_err(ServiceError::unheard)?;
        let Some(order) = begun else { return Ok(Done::Finished) };
        let (refund, instruction) = (order.refund, order.instruction);
        app.hub.crash.reach(Point::Sending).await;
        let answer = order_at(&app, order).await;
        app.hub.crash.reach(Point::Sent).await;
        let news = match answer {
            News::NotSent { why } if job.attempt < ATTEMPTS_MAX => {
                let news = News::NotSent { why: why.clone() };
                self::told(&app, Told { refund, instruction, news }).await?;
                return Err(Fault::Other(why));
            }
            News::NotSent { why } => News::Failed { reason: format!("not_reached: {why}") },
            news => news,
        };
        self::told(&app, Told { refund, instruction, news }).await?;
        Ok(Done::Finished)
    }
    .boxed()
}

async fn order_at(app: &App, order: Order) -> News {
    let Some(rail) = app.hub.channels.get(&order.channel).and_then(|channel| channel.refund.clone()) else {
        return News::Failed { reason: "channel_unavailable".to_owned() };
    };
    let Order { reference, transaction, money, .. } = order;
    match rail.refund(RefundOrder { refund: reference, transaction, money }).await {
        Outcome::Accepted(taken) => News::Taken { transaction: taken.transaction },
        Outcome::Rejected { code, message } => {
            tracing::warn!(channel = order.channel, refund = %order.refund, code, message, "a refund was refused");
            News::Failed { reason: code }
        }
        Outcome::Unknown { why } => News::Silent { why },
        Outcome::NotSent { why } => News::NotSent { why },
    }
}

/// Asks the provider what became of an instruction, until it has decided.
fn ask(app: App, job: Job) -> BoxFuture<'static, Result<Done, Fault>> {
    async move {
        let id = refund_of(&job)?;
        let asked = app.run(&actor(), &id, |tx, id| Box::pin(service::who_to_ask(tx, id))).await;
        let Some(Asked { refund, instruction, reference, channel }) = asked.map_err(ServiceError::unheard)?
        else {
            return Ok(Done::Finished);
        };
        let query = app.hub.channels.get(&channel).and_then(|channel| channel.query.clone());
        let query = query.ok_or_else(|| Fault::Other(format!("channel {channel} answers no questions")))?;
        let (news, done) = match query.refund(reference).await {
            Outcome::Accepted(RefundState::NotKnown) => (News::NotKnown, Done::Later { seconds: 60 }),
            Outcome::Accepted(RefundState::Pending { transaction }) => {
                (News::Taken { transaction }, Done::Later { seconds: 600 })
            }
            Outcome::Accepted(RefundState::Refunded { transaction }) => {
                (News::CarriedOut { transaction }, Done::Finished)
            }
            Outcome::Accepted(RefundState::Failed { reason, .. }) => {
                (News::Failed { reason: reason.unwrap_or_else(|| "failed".to_owned()) }, Done::Finished)
            }
            Outcome::Rejected { message: why, .. } | Outcome::Unknown { why } | Outcome::NotSent { why } => {
                tracing::warn!(channel, %refund, why, "a provider could not be asked about a refund");
                return Ok(Done::Later { seconds: 60 });
            }
        };
        self::told(&app, Told { refund, instruction, news }).await?;
        Ok(done)
    }
    .boxed()
}

/// Applies what a notice said.
fn hear(app: App, job: Job) -> BoxFuture<'static, Result<Done, Fault>> {
    async move {
        let heard: Heard = serde_json::from_value(job.body)?;
        let ours = app.run(&actor(), &heard, |tx, heard| Box::pin(service::hear(tx, heard))).await;
        if !ours.map_err(ServiceError::unheard)? {
            tracing::warn!(reference = heard.reference, "a notice of a refund that we never ordered");
        }
        Ok(Done::Finished)
    }
    .boxed()
}

/// Goes back to an instruction that was carried out after all, and finds what a settlement took for a refund that was taken to
/// have failed then.
fn settled(app: App, job: Job) -> BoxFuture<'static, Result<Done, Fault>> {
    async move {
        let id = refund_of(&job)?;
        app.run(&actor(), &id, |tx, id| Box::pin(service::recover(tx, id)))
            .await
            .map_err(ServiceError::unheard)?;
        app.run(&actor(), &id, |tx, id| Box::pin(service::settle_told_late(tx, id)))
            .await
            .map_err(ServiceError::unheard)?;
        Ok(Done::Finished)
    }
    .boxed()
}

/// Asks the book again for a refund that waits for funds.
fn fund(app: App, job: Job) -> BoxFuture<'static, Result<Done, Fault>> {
    async move {
        let id = refund_of(&job)?;
        let refund = app
            .run(&actor(), &id, |tx, id| Box::pin(service::fund(tx, id)))
            .await
            .map_err(ServiceError::unheard)?;
        let waits = refund.state == state::RefundState::AwaitingFunds;
        Ok(if waits { Done::Later { seconds: FUNDS_PAUSE_SECONDS } } else { Done::Finished })
    }
    .boxed()
}

/// One that waits on is asked for again by its own job.
fn funded(app: App, job: Job) -> BoxFuture<'static, Result<Done, Fault>> {
    async move {
        let id = refund_of(&job)?;
        app.run(&actor(), &id, |tx, id| Box::pin(service::fund(tx, id)))
            .await
            .map_err(ServiceError::unheard)?;
        Ok(Done::Finished)
    }
    .boxed()
}

/// Proposes to give back money that fits nothing.
fn propose(app: App, job: Job) -> BoxFuture<'static, Result<Done, Fault>> {
    async move {
        let item: SuspenseId = job.subject.parse().map_err(|_| Fault::corrupt("jobs", "subject", job.id))?;
        app.run(&actor(), &item, |tx, item| Box::pin(service::propose(tx, item)))
            .await
            .map_err(ServiceError::unheard)?;
        Ok(Done::Finished)
    }
    .boxed()
}

/// Proposes to give back the line of a rejected service.
fn propose_line(app: App, job: Job) -> BoxFuture<'static, Result<Done, Fault>> {
    async move {
        let named = job.subject.split_once(':');
        let line = named.and_then(|(intent, line)| Some((intent.parse().ok()?, line.parse().ok()?)));
        let line: (IntentId, usize) = line.ok_or_else(|| Fault::corrupt("jobs", "subject", job.id))?;
        app.run(&actor(), &line, |tx, line| Box::pin(service::propose_line(tx, line)))
            .await
            .map_err(ServiceError::unheard)?;
        Ok(Done::Finished)
    }
    .boxed()
}
