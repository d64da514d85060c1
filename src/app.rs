//! The application: what every request, job and loop shares, and how a unit of work is run.

use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use mizan_ledger::Clock;
use sqlx::{PgPool, Postgres, Transaction};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::access::KeyCache;
use crate::fault::Fault;
use crate::http::pace::Pace;
use crate::inbox::door::Arrivals;
use crate::tx::{Actor, Hub, Tx};
use crate::{intents, quoting};

/// Cheap to clone; one per process.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What an `App` is built from.
pub struct Parts {
    pub hub: Arc<Hub>,
    pub pool: PgPool,
    /// Poster and publisher never wait behind requests.
    pub poster_pool: PgPool,
    pub clock: Arc<dyn Clock>,
    pub key_cache: KeyCache,
    pub pace: Pace,
    /// Everything that outlives its caller runs here: writing requests, workers, loops.
    pub tasks: TaskTracker,
    pub stop: CancellationToken,
    pub wake: Wake,
    pub arrivals: Arrivals,
    pub quotes: quoting::api::Waiting,
    pub intents: intents::api::Waiting,
}

/// Wakes the workers of this process after a commit; those of other processes find work by their tick.
#[derive(Debug, Default)]
pub struct Wake {
    pub poster: Notify,
    pub publisher: Notify,
    pub workers: Notify,
    pub webhooks: Notify,
}

/// The error of a service: a refusal for the caller or a fault of ours.
pub trait ServiceError: From<Fault> + Send + fmt::Display {
    fn as_fault(&self) -> Option<&Fault>;

    /// The fault itself, or the refusal unchanged.
    ///
    /// # Errors
    /// When it is a refusal.
    fn into_fault(self) -> Result<Fault, Self>;

    /// Where nobody hears a refusal, as in a job, it is a fault.
    fn unheard(self) -> Fault {
        self.into_fault().unwrap_or_else(|refusal| Fault::Other(refusal.to_string()))
    }
}

impl ServiceError for Fault {
    fn as_fault(&self) -> Option<&Fault> {
        Some(self)
    }

    fn into_fault(self) -> Result<Fault, Self> {
        Ok(self)
    }
}

/// Implements [`ServiceError`] for an enum with a `Fault(#[from] Fault)` variant.
#[macro_export]
macro_rules! service_error {
    ($error:ty) => {
        impl $crate::app::ServiceError for $error {
            fn as_fault(&self) -> Option<&$crate::fault::Fault> {
                match self {
                    Self::Fault(fault) => Some(fault),
                    _ => None,
                }
            }

            fn into_fault(self) -> Result<$crate::fault::Fault, Self> {
                match self {
                    Self::Fault(fault) => Ok(fault),
                    refusal => Err(refusal),
                }
            }
        }
    };
}

/// How one look at the database begins: every read in it sees the same instant, and nothing is written.
pub const SNAPSHOT: &str = "begin isolation level repeatable read, read only";

/// See [`App::snapshot`].
pub type Snapshot = Transaction<'static, Postgres>;

/// How often a unit of work is tried when PostgreSQL asks for it to be run again.
pub const TRIES_MAX: u32 = 3;

impl App {
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Runs one unit of work and commits it; the whole closure runs again, up to three times, on a serialization
    /// failure, a deadlock or a lock timeout.
    ///
    /// # Errors
    /// What the work answers; then everything is rolled back.
    pub async fn run<A, T, E, F>(&self, actor: &Actor, input: &A, work: F) -> Result<T, E>
    where
        A: Sync + ?Sized,
        E: ServiceError,
        F: for<'t> Fn(&'t mut Tx, &'t A) -> BoxFuture<'t, Result<T, E>>,
    {
        let mut tries = 1;
        loop {
            let outcome = self.run_once(actor, input, &work).await;
            match outcome {
                Err(error) if tries < TRIES_MAX && error.as_fault().is_some_and(Fault::is_transient) => {
                    tries += 1;
                }
                outcome => return outcome,
            }
        }
    }

    async fn run_once<A, T, E, F>(&self, actor: &Actor, input: &A, work: &F) -> Result<T, E>
    where
        A: Sync + ?Sized,
        E: ServiceError,
        F: for<'t> Fn(&'t mut Tx, &'t A) -> BoxFuture<'t, Result<T, E>>,
    {
        let mut tx = self.begin(actor.clone()).await?;
        match work(&mut tx, input).await {
            Ok(value) => {
                self.commit(tx).await?;
                Ok(value)
            }
            Err(error) => {
                tx.rollback().await?;
                Err(error)
            }
        }
    }

    /// Begins a unit of work on the pool of requests. Services never do; `run` and `once` do.
    pub async fn begin(&self, actor: Actor) -> Result<Tx, Fault> {
        Tx::begin(&self.hub, &self.pool, self.clock.now(), actor).await
    }

    /// Begins one on the poster's own connections.
    pub async fn begin_poster(&self, actor: Actor) -> Result<Tx, Fault> {
        Tx::begin(&self.hub, &self.poster_pool, self.clock.now(), actor).await
    }

    /// One look at the database for a page: every read in it sees the same instant, and nothing is written.
    pub async fn snapshot(&self) -> Result<Snapshot, Fault> {
        Ok(self.pool.begin_with(SNAPSHOT).await?)
    }

    /// Commits and wakes the workers that have something to do.
    pub async fn commit(&self, tx: Tx) -> Result<(), Fault> {
        let committed = tx.commit().await?;
        if committed.events {
            self.wake.publisher.notify_one();
        }
        if committed.jobs {
            // Each kind of job has a worker of its own, and all of them look.
            self.wake.workers.notify_waiters();
        }
        Ok(())
    }
}

impl std::ops::Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Parts")
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("App")
    }
}
