//! The sweeper: expires what is due, and asks the provider about attempts that fell silent (a lost callback).

use std::time::Duration;

use axum::http::HeaderMap;
use mizan_adapters::channel::OrderState;
use mizan_adapters::outcome::Outcome;

use super::door::{facts, take};
use super::model::Source;
use crate::app::App;
use crate::fault::Fault;
use crate::ids::AttemptId;
use crate::intents::attempts::service::{self as attempts, News};
use crate::intents::{self, Attempt, IntentError};
use crate::tx::Actor;

/// Attempts asked about in one round.
const ASKED_MAX: i64 = 100;
/// Until an attempt is asked about again, if it is still alive then.
const ASK_AGAIN_SECONDS: i64 = 300;

/// Asks about attempts whose deadline has passed, one provider call each. Answers how many were asked about. Their
/// deadlines are moved before the first call: whatever the answers are, those that wait longer have their turn next.
pub async fn ask_silent(app: &App) -> Result<usize, Fault> {
    let now = app.clock.now();
    let silent = {
        let mut conn = app.pool.acquire().await?;
        attempts::claim_silent(&mut conn, now, now.plus_seconds(ASK_AGAIN_SECONDS), ASKED_MAX).await?
    };
    for attempt in &silent {
        if let Err(error) = ask(app, attempt).await {
            tracing::error!(attempt = %attempt.id, %error, "a silent attempt could not be asked about");
        }
    }
    Ok(silent.len())
}

/// Where the order stands at the provider. What it decided goes through the inbox like a callback, and ends the attempt.
async fn ask(app: &App, attempt: &Attempt) -> Result<(), IntentError> {
    let query = app.hub.channels.get(&attempt.channel).and_then(|channel| channel.query.clone());
    let later = News::Unknown { ask_again_at: attempt.deadline_at };
    let news = match query {
        None => News::Abandoned,
        Some(query) => match query.order(attempt.id.to_string()).await {
            Outcome::Accepted(OrderState::Decided(notice)) => {
                let source = Source::Query;
                let new = facts(&attempt.channel, notice, source, b"", &HeaderMap::new());
                take(app, new).await?;
                return Ok(());
            }
            Outcome::Accepted(OrderState::NotKnown | OrderState::Expired) => News::Abandoned,
            _ => later,
        },
    };
    let told: (AttemptId, News) = (attempt.id, news);
    app.run(&Actor::hub("sweeper"), &told, |tx, told| Box::pin(attempts::tell(tx, told))).await?;
    Ok(())
}

/// The sweeper: expires what is due and asks about what is silent, every few seconds.
pub async fn sweep_loop(app: App) {
    while !app.stop.is_cancelled() {
        sweep_once(&app).await;
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(2)) => {}
            () = app.stop.cancelled() => {}
        }
    }
}

/// One round of the sweeper.
pub async fn sweep_once(app: &App) {
    if let Err(fault) = ask_silent(app).await {
        tracing::error!(%fault, "the sweeper could not ask");
    }
    let actor = Actor::hub("sweeper");
    let expired = app.run(&actor, &500, |tx, limit| Box::pin(intents::service::expire_due(tx, limit))).await;
    if let Err(error) = expired {
        tracing::error!(%error, "the sweeper could not expire");
    }
}
