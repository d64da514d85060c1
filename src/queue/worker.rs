//! Works through the jobs of one kind: claims, runs, writes the result. Each kind has its own limit of jobs at once,
//! so that a slow party never starves another.

use std::time::Duration;

use futures::future::{BoxFuture, join_all};
use mizan_ledger::Instant;

use super::store::Finished;
use super::{Job, NewJob, given_up, store};
use crate::app::App;
use crate::crash::Point;
use crate::fault::Fault;

/// How often other processes' jobs, and those whose time has come, are looked for.
const TICK: Duration = Duration::from_millis(200);

/// How a job went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    Finished,
    /// Not over yet, and no failure: it comes again after so many seconds, as often as it takes.
    Later {
        seconds: i64,
    },
}

/// One kind of job and how it is done.
#[derive(Debug, Clone, Copy)]
pub struct Work {
    pub kind: &'static str,
    pub at_once: i64,
    /// Longer than the work ever takes: after it another worker claims the job.
    pub lease_seconds: i64,
    /// A fault brings the job back after a growing pause, a limited number of times; then it is a break.
    pub handle: fn(App, Job) -> BoxFuture<'static, Result<Done, Fault>>,
}

/// Runs until the hub stops.
pub async fn work_loop(app: App, work: Work) {
    while !app.stop.is_cancelled() {
        // Made before the look: a call between the look and the wait is not lost, though nobody waits yet.
        let woken = app.wake.workers.notified();
        let busy = match work_once(&app, &work).await {
            Ok(done) => done > 0,
            Err(fault) => {
                tracing::error!(%fault, kind = work.kind, "a worker failed");
                false
            }
        };
        if !busy {
            tokio::select! {
                () = woken => {}
                () = tokio::time::sleep(TICK) => {}
                () = app.stop.cancelled() => {}
            }
        }
    }
}

/// Claims what is due, up to the limit, and does it. Answers how many jobs were claimed.
pub async fn work_once(app: &App, work: &Work) -> Result<usize, Fault> {
    let jobs = {
        let mut conn = app.pool.acquire().await?;
        store::claim(&mut conn, app.clock.now(), work.kind, work.at_once, work.lease_seconds).await?
    };
    if !jobs.is_empty() {
        app.hub.crash.reach(Point::Claimed).await;
    }
    let done = jobs.iter().map(|job| one(app, work, job));
    join_all(done).await.into_iter().collect::<Result<Vec<()>, Fault>>()?;
    Ok(jobs.len())
}

async fn one(app: &App, work: &Work, job: &Job) -> Result<(), Fault> {
    let outcome = (work.handle)(app.clone(), job.clone()).await;
    let now = app.clock.now();
    let mut tx = app.pool.begin().await?;
    match outcome {
        Ok(done) => {
            if let Some(finished) = store::finish(&mut tx, job).await? {
                given_up::close(&mut tx, now, job).await?;
                store::insert(&mut tx, now, &next(work, job, now, done, finished)).await?;
            }
        }
        Err(fault) => {
            tracing::warn!(%fault, kind = work.kind, subject = job.subject, attempt = job.attempt, "a job failed");
            let why = fault.to_string();
            if fault.is_unavailable() {
                store::postpone(&mut tx, now, job, &why).await?;
            } else if store::fail(&mut tx, now, job, &why).await? {
                given_up::open(&mut tx, &app.hub.entropy, now, job, &why).await?;
            }
        }
    }
    tx.commit().await?;
    Ok(())
}

/// The job that follows one that is done: it was asked for again meanwhile, or comes again of itself.
fn next(work: &Work, job: &Job, now: Instant, done: Done, finished: Finished) -> Vec<NewJob> {
    let later = match done {
        Done::Finished => None,
        Done::Later { seconds } => Some(now.plus_seconds(seconds)),
    };
    let Some(run_at) = finished.again_at.into_iter().chain(later).min() else { return Vec::new() };
    let body = finished.again_body.unwrap_or_else(|| job.body.clone());
    vec![NewJob { kind: work.kind, subject: job.subject.clone(), body, run_at: Some(run_at) }]
}
