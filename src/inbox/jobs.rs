//! The poster: the loop that applies what the inbox holds, and the sweeper that asks about silent attempts.

use std::time::Duration;

use tokio::time::Instant;

use super::service::{self, Turn, Turned};
use crate::app::App;
use crate::fault::Fault;
use crate::tx::Actor;

/// The most notices of one transaction: a batch pays one lock per hot account and one disk flush.
pub const BATCH_MAX: i64 = 256;
/// How often other processes' notices are looked for.
const TICK: Duration = Duration::from_millis(50);
/// From the beginning of a turn to the beginning of the next, unless a full batch waits: what arrives meanwhile shares
/// the next one's cost. A notice after a quiet while is applied at once.
const SPACING: Duration = Duration::from_millis(80);

/// Runs until the hub stops.
pub async fn post_loop(app: App) {
    while !app.stop.is_cancelled() {
        let began = Instant::now();
        let full = match post_once(&app).await {
            Ok(applied) => i64::try_from(applied).is_ok_and(|applied| applied >= BATCH_MAX),
            Err(fault) => {
                tracing::error!(%fault, "the poster failed");
                false
            }
        };
        if full {
            continue;
        }
        tokio::select! {
            () = app.wake.poster.notified() => {}
            () = tokio::time::sleep(TICK) => {}
            () = app.stop.cancelled() => {}
        }
        tokio::select! {
            () = tokio::time::sleep_until(began + SPACING) => {}
            () = app.stop.cancelled() => {}
        }
    }
}

/// One turn: the whole batch; on a fault halves of it, until one notice remains, which goes to suspense, or else
/// stands aside. Answers how many notices left the queue.
pub async fn post_once(app: &App) -> Result<usize, Fault> {
    let mut limit = BATCH_MAX;
    loop {
        let fault = match apply(app, Turn { limit, to_suspense: false }).await {
            Ok(Turned::Elsewhere) => return Ok(0),
            Ok(Turned::Applied(count)) => return Ok(count),
            Err(fault) if fault.is_unavailable() || fault.is_transient() => return Err(fault),
            Err(fault) => fault,
        };
        if limit > 1 {
            limit /= 2;
            continue;
        }
        tracing::error!(%fault, "a notice cannot be applied");
        let lone = match apply(app, Turn { limit: 1, to_suspense: true }).await {
            Err(fault) if fault.is_unavailable() || fault.is_transient() => return Err(fault),
            Err(_) => {
                set_aside(app, &fault.to_string()).await?;
                1
            }
            Ok(Turned::Applied(count)) => count,
            Ok(Turned::Elsewhere) => 0,
        };
        return Ok(lone);
    }
}

async fn apply(app: &App, turn: Turn) -> Result<Turned, Fault> {
    let mut tx = app.begin_poster(Actor::hub("poster")).await?;
    match service::apply_waiting(&mut tx, &turn).await {
        Ok(turned) => {
            app.commit(tx).await?;
            Ok(turned)
        }
        Err(fault) => {
            tx.rollback().await?;
            Err(fault)
        }
    }
}

/// First the queue goes on; then the bill, if its rows can be read.
async fn set_aside(app: &App, why: &str) -> Result<(), Fault> {
    let actor = Actor::hub("poster");
    let mut tx = app.begin_poster(actor.clone()).await?;
    let aside = service::set_aside(&mut tx, why).await?;
    app.commit(tx).await?;
    let Some(notice) = aside else { return Ok(()) };
    if let Err(fault) =
        app.run(&actor, &notice, |tx, notice| Box::pin(service::end_attempt(tx, notice))).await
    {
        tracing::error!(notice = notice.n, %fault, "the attempt of a notice set aside cannot be ended");
    }
    Ok(())
}
