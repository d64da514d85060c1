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

/// One turn: the whole batch; on a fault halves of it, until one notice remains. Answers how many notices left the queue.
pub async fn post_once(app: &App) -> Result<usize, Fault> {
    let mut limit = BATCH_MAX;
    loop {
        match apply(app, Turn { limit, only: None, to_suspense: false }).await {
            Ok(turned) => return Ok(turned.count()),
            Err(fault) if fault.is_unavailable() || fault.is_transient() => return Err(fault),
            Err(_) if limit > 2 => limit /= 2,
            Err(_) => return post_lone(app).await,
        }
    }
}

/// The first notice alone: as what it is, or else to suspense, or else it stands aside. It goes by its number, should another
/// come to stand before it meanwhile.
async fn post_lone(app: &App) -> Result<usize, Fault> {
    let mut tx = app.begin_poster(Actor::hub("poster")).await?;
    let head = service::head(&mut tx).await?;
    app.commit(tx).await?;
    let Some(n) = head else { return Ok(0) };
    let mut why = None;
    for to_suspense in [false, true] {
        match apply(app, Turn { limit: 1, only: Some(n), to_suspense }).await {
            Ok(turned) => return Ok(turned.count()),
            Err(fault) if fault.is_unavailable() || fault.is_transient() => return Err(fault),
            Err(fault) => {
                tracing::error!(notice = n, to_suspense, %fault, "a notice cannot be applied");
                why.get_or_insert(fault.to_string());
            }
        }
    }
    set_aside(app, n, &why.unwrap_or_default()).await?;
    Ok(1)
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
async fn set_aside(app: &App, n: i64, why: &str) -> Result<(), Fault> {
    let actor = Actor::hub("poster");
    let mut tx = app.begin_poster(actor.clone()).await?;
    let aside = service::set_aside(&mut tx, n, why).await?;
    app.commit(tx).await?;
    let Some(notice) = aside else { return Ok(()) };
    if let Err(fault) =
        app.run(&actor, &notice, |tx, notice| Box::pin(service::end_attempt(tx, notice))).await
    {
        tracing::error!(notice = notice.n, %fault, "the attempt of a notice set aside cannot be ended");
    }
    Ok(())
}
