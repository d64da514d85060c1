//! The deliverer: a loop that keeps a bounded number of tries in the air and writes down what came of them.

use std::time::Duration;

use futures::future::join_all;
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, StreamExt as _};

use super::delivery::{Parcel, Tried};
use super::sender::Sender;
use super::service;
use super::store::Room;
use crate::app::App;
use crate::fault::Fault;
use crate::tx::Actor;

/// Tries in the air to sound endpoints, of one process.
const SOUND_MAX: usize = 48;

/// Tries in the air that may all wait for their timeout: of failing endpoints, and tests.
const STUCK_MAX: usize = 16;

/// Tries in the air to one sound endpoint.
const PER_ENDPOINT: i64 = 16;

/// Longer than a try can take: then another worker may have the delivery.
const LEASE_SECONDS: i64 = 60;

/// How often other processes' deliveries, and those whose pause is over, are looked for.
const TICK: Duration = Duration::from_millis(200);

/// Runs until the hub stops; what is in the air then comes to its end.
pub async fn deliver_loop(app: App) {
    let sender = match Sender::new(&app.hub.config) {
        Ok(sender) => sender,
        Err(error) => {
            tracing::error!(%error, "no webhook can be sent");
            return;
        }
    };
    let mut in_the_air = FuturesUnordered::new();
    let mut stuck = 0;
    while !app.stop.is_cancelled() || !in_the_air.is_empty() {
        if !app.stop.is_cancelled() {
            for parcel in claimed(&app, in_the_air.len() - stuck, stuck).await {
                stuck += usize::from(parcel.may_be_stuck());
                in_the_air.push(attempt(&app, &sender, parcel));
            }
        }
        tokio::select! {
            Some(first) = in_the_air.next() => {
                let mut landed = vec![first];
                while let Some(Some(next)) = in_the_air.next().now_or_never() {
                    landed.push(next);
                }
                stuck -= landed.iter().filter(|one| one.parcel.may_be_stuck()).count();
                record(&app, &landed).await.unwrap_or_else(|fault| {
                    tracing::error!(%fault, "tries of webhooks are lost and will be repeated");
                });
            }
            () = app.wake.webhooks.notified() => {}
            () = tokio::time::sleep(TICK) => {}
            () = app.stop.cancelled(), if !app.stop.is_cancelled() => {}
        }
    }
}

async fn claimed(app: &App, sound: usize, stuck: usize) -> Vec<Parcel> {
    if sound >= SOUND_MAX && stuck >= STUCK_MAX {
        return Vec::new();
    }
    claim(app, SOUND_MAX.saturating_sub(sound), STUCK_MAX.saturating_sub(stuck)).await.unwrap_or_else(
        |fault| {
            tracing::error!(%fault, "webhooks could not be claimed");
            Vec::new()
        },
    )
}

/// Room for so many more tries, under a lease from now on.
pub fn room(app: &App, sound: usize, stuck: usize) -> Room {
    Room {
        sound: i64::try_from(sound).unwrap_or(0),
        stuck: i64::try_from(stuck).unwrap_or(0),
        per_endpoint: PER_ENDPOINT,
        lease_until: app.clock.now().plus_seconds(LEASE_SECONDS),
    }
}

async fn claim(app: &App, sound: usize, stuck: usize) -> Result<Vec<Parcel>, Fault> {
    let room = room(app, sound, stuck);
    app.run(&Actor::hub("webhooks"), &room, |tx, room| Box::pin(service::claim(tx, room))).await
}

async fn attempt(app: &App, sender: &Sender, parcel: Parcel) -> Tried {
    let outcome = sender.send(&parcel, app.clock.now()).await;
    Tried { parcel, outcome }
}

async fn record(app: &App, landed: &[Tried]) -> Result<(), Fault> {
    app.run(&Actor::hub("webhooks"), landed, |tx, landed| Box::pin(service::record(tx, landed))).await
}

/// One round without the loop: what is due is claimed, tried and written down. Answers how many tries were made.
pub async fn deliver_once(app: &App, sender: &Sender) -> Result<usize, Fault> {
    let parcels = claim(app, SOUND_MAX, STUCK_MAX).await?;
    let landed = join_all(parcels.into_iter().map(|parcel| attempt(app, sender, parcel))).await;
    record(app, &landed).await?;
    Ok(landed.len())
}
