//! The publisher: gives events their positions and queues their webhooks, one turn at a time on any number of
//! hubs.
//!
//! A position is given only to what is committed, so a transaction that commits late is placed late: no reader's
//! cursor has passed it. Events of one object keep their order, because they were inserted under its lock.

use std::time::Duration;

use tokio::time::Instant;

use super::store;
use crate::app::App;
use crate::fault::Fault;
use crate::tx::Actor;
use crate::webhooks;

/// The most events of one turn.
pub const BATCH_MAX: i64 = 1_000;

/// How often other processes' events are looked for.
const TICK: Duration = Duration::from_millis(50);

/// From the beginning of a turn to the beginning of the next, unless a full one waits: under load one turn publishes what
/// many transactions told.
const SPACING: Duration = Duration::from_millis(80);

/// How often the beginnings of the feeds are looked at, when events are not kept for ever.
const PRUNE_EVERY: Duration = Duration::from_secs(600);

/// Runs until the hub stops.
pub async fn publish_loop(app: App) {
    while !app.stop.is_cancelled() {
        let began = Instant::now();
        let full = match publish_once(&app).await {
            Ok(published) => i64::try_from(published).is_ok_and(|published| published >= BATCH_MAX),
            Err(fault) => {
                tracing::error!(%fault, "the publisher failed");
                false
            }
        };
        if full {
            continue;
        }
        tokio::select! {
            () = app.wake.publisher.notified() => {}
            () = tokio::time::sleep(TICK) => {}
            () = app.stop.cancelled() => {}
        }
        tokio::select! {
            () = tokio::time::sleep_until(began + SPACING) => {}
            () = app.stop.cancelled() => {}
        }
    }
}

/// One turn. Answers how many events were published: none as well when another publisher has the turn.
pub async fn publish_once(app: &App) -> Result<usize, Fault> {
    let mut tx = app.begin_poster(Actor::hub("publisher")).await?;
    if !store::try_turn(tx.conn()).await? {
        tx.rollback().await?;
        return Ok(0);
    }
    let published = store::publish(tx.conn(), BATCH_MAX).await?;
    if published.is_empty() {
        tx.rollback().await?;
        return Ok(0);
    }
    let queued = webhooks::service::queue(&mut tx, &published).await?;
    app.commit(tx).await?;
    if queued > 0 {
        app.wake.webhooks.notify_one();
    }
    Ok(published.len())
}

/// Drops events that are older than the hub keeps them; does nothing where they are kept for ever.
pub async fn prune_loop(app: App) {
    while app.hub.config.events_kept_days.is_some() && !app.stop.is_cancelled() {
        match prune_once(&app).await {
            Ok(0) => {}
            Ok(_) => continue,
            Err(fault) => tracing::error!(%fault, "events could not be pruned"),
        }
        tokio::select! {
            () = tokio::time::sleep(PRUNE_EVERY) => {}
            () = app.stop.cancelled() => {}
        }
    }
}

/// One step of pruning. Answers how many events were dropped.
pub async fn prune_once(app: &App) -> Result<i64, Fault> {
    let Some(days) = app.hub.config.events_kept_days else { return Ok(0) };
    let before = app.clock.now().plus_seconds(-i64::from(days.get()) * 86_400);
    let mut tx = app.begin_poster(Actor::hub("publisher")).await?;
    if !store::try_turn(tx.conn()).await? {
        tx.rollback().await?;
        return Ok(0);
    }
    let dropped = store::prune(tx.conn(), before, BATCH_MAX).await?;
    app.commit(tx).await?;
    Ok(dropped)
}
