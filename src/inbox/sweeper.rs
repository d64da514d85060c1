//! The sweeper: expires what is due, and asks the provider about attempts that fell silent (a lost callback). Each of the
//! two has a loop of its own: a provider that does not answer delays no expiry.

use std::time::Duration;

use axum::http::HeaderMap;
use futures::stream::{self, StreamExt};
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

/// Pause between two rounds.
const TICK: Duration = Duration::from_secs(2);
/// Intents expired in one unit of work.
const EXPIRED_MAX: i64 = 500;
/// Attempts claimed in one round, and how many providers are asked at a time.
const ASKED_MAX: i64 = 16;
const ASKED_AT_ONCE: usize = 4;
/// How long a provider is waited for.
const ANSWER_SECONDS: u64 = 30;
/// Until an attempt is asked about again, if it is still alive then. Longer than a whole round of providers that do not
/// answer (16 / 4 x 30 s), so that nobody else claims what is being asked about.
const ASK_AGAIN_SECONDS: i64 = 300;

/// Asks about attempts whose deadline has passed, one provider call each. Answers how many were asked about. Their
/// deadlines are moved before the first call: whatever the answers are, those that wait longer have their turn next.
pub async fn ask_silent(app: &App) -> Result<usize, Fault> {
    let now = app.clock.now();
    let silent = {
        let mut conn = app.pool.acquire().await?;
        attempts::claim_silent(&mut conn, now, now.plus_seconds(ASK_AGAIN_SECONDS), ASKED_MAX).await?
    };
    let count = silent.len();
    let asked = silent.into_iter().map(|attempt| {
        let app = app.clone();
        async move { (ask(&app, &attempt).await, attempt) }
    });
    // Several are asked at a time; what they answer is applied one after the other, in the order of the claims.
    let mut answers = stream::iter(asked).buffered(ASKED_AT_ONCE);
    while let Some((answer, attempt)) = answers.next().await {
        if let Err(error) = apply(app, &attempt, answer).await {
            tracing::error!(attempt = %attempt.id, %error, "the answer about a silent attempt cannot be applied");
        }
    }
    Ok(count)
}

/// Where the order stands at the provider; None when nobody can be asked.
async fn ask(app: &App, attempt: &Attempt) -> Option<Outcome<OrderState>> {
    let query = app.hub.channels.get(&attempt.channel).and_then(|channel| channel.query.clone())?;
    let waited = Duration::from_secs(ANSWER_SECONDS);
    let silence = Outcome::Unknown { why: format!("no answer in {ANSWER_SECONDS} s") };
    Some(tokio::time::timeout(waited, query.order(attempt.id.to_string())).await.unwrap_or(silence))
}

/// What the provider decided goes through the inbox like a callback, and ends the attempt.
async fn apply(app: &App, attempt: &Attempt, answer: Option<Outcome<OrderState>>) -> Result<(), IntentError> {
    let news = match answer {
        Some(Outcome::Accepted(OrderState::Decided(notice))) => {
            let new = facts(&attempt.channel, notice, Source::Query, b"", &HeaderMap::new());
            take(app, new).await?;
            return Ok(());
        }
        None | Some(Outcome::Accepted(OrderState::NotKnown | OrderState::Expired)) => News::Abandoned,
        Some(Outcome::Accepted(OrderState::Open)) => News::Open { ask_again_at: attempt.deadline_at },
        Some(_) => News::Unknown { ask_again_at: attempt.deadline_at },
    };
    let told: (AttemptId, News) = (attempt.id, news);
    app.run(&Actor::hub("sweeper"), &told, |tx, told| Box::pin(attempts::tell(tx, told))).await?;
    Ok(())
}

/// Expires what is due. Answers how many.
async fn expire(app: &App) -> Result<usize, IntentError> {
    let actor = Actor::hub("sweeper");
    app.run(&actor, &EXPIRED_MAX, |tx, limit| Box::pin(intents::service::expire_due(tx, limit))).await
}

/// The sweeper, until the hub stops; a provider that has not answered then is asked again after the next start.
pub async fn sweep_loop(app: App) {
    tokio::join!(rounds(&app, expire_once), rounds(&app, ask_once));
}

/// Round after round, until the hub stops.
async fn rounds<'a, F: Future<Output = ()>>(app: &'a App, round: impl Fn(&'a App) -> F) {
    let run = async {
        loop {
            round(app).await;
            tokio::time::sleep(TICK).await;
        }
    };
    tokio::select! {
        () = run => {}
        () = app.stop.cancelled() => {}
    }
}

async fn expire_once(app: &App) {
    if let Err(error) = expire(app).await {
        tracing::error!(%error, "the sweeper could not expire");
    }
}

async fn ask_once(app: &App) {
    if let Err(fault) = ask_silent(app).await {
        tracing::error!(%fault, "the sweeper could not ask");
    }
}

/// One round of both.
pub async fn sweep_once(app: &App) {
    expire_once(app).await;
    ask_once(app).await;
}
