//! The door: judges a callback as its channel does, and keeps what it says as facts.

use std::sync::Arc;

use axum::http::HeaderMap;
pub use mizan_adapters::channel::Refusal;
use mizan_adapters::channel::{self, Verdict};
use serde_json::Value;

use super::model::{Meaning, NewNotice, Source, Taken};
use super::service;
use super::store::{self, Arrival};
use crate::app::App;
use crate::fault::Fault;
use crate::group::Group;
use crate::intents::attempts::service as attempts;
use crate::tx::Actor;

/// What is answered to the outside party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    Taken(Taken),
    /// A weak scheme proves nothing: nothing is stored, and the sweeper asks the channel about the order it names.
    Hint,
    Refused(Refusal),
}

/// Takes the raw bytes of a callback in; None when the channel sends none.
pub async fn receive(
    app: &App,
    instance: &str,
    headers: &HeaderMap,
    raw: &[u8],
) -> Result<Option<Received>, Fault> {
    let notices = app.hub.channels.get(instance).and_then(|channel| channel.notices.clone());
    let Some(notices) = notices else { return Ok(None) };
    Ok(Some(match notices.verify(headers, raw) {
        Verdict::Authentic(notice) => {
            let new = facts(instance, notice, Source::Callback, raw, headers);
            Received::Taken(take(app, new).await?)
        }
        Verdict::Hint(notice) => {
            let mut conn = app.pool.acquire().await?;
            attempts::ask_soon(&mut conn, instance, &notice.reference, app.clock.now()).await?;
            Received::Hint
        }
        Verdict::Refused(refusal) => {
            let mut conn = app.pool.acquire().await?;
            let why = refusal.to_string();
            store::insert_refused(&mut conn, instance, &why, raw, app.clock.now()).await?;
            Received::Refused(refusal)
        }
    }))
}

/// Facts that arrive at the same time, written together; each is told whether it was news.
pub type Arrivals = Group<Arc<NewNotice>, bool>;

/// Stores a fact and wakes the poster. News is one statement, which needs no transaction around it; only what is known
/// already, or could not be stored with others, is looked at by itself.
pub async fn take(app: &App, new: NewNotice) -> Result<Taken, Fault> {
    let new = Arc::new(new);
    let is_news = app.arrivals.write(new.clone(), |all| Box::pin(insert(app.clone(), all))).await;
    let taken = if is_news == Some(true) {
        Taken::New
    } else {
        let actor = Actor::channel(&new.channel);
        app.run(&actor, &*new, |tx, new| Box::pin(service::take(tx, new))).await?
    };
    app.wake.poster.notify_one();
    Ok(taken)
}

/// Stores facts of several callers; answers for each whether it was news.
async fn insert(app: App, all: Vec<Arc<NewNotice>>) -> Result<Vec<bool>, Fault> {
    let (now, entropy) = (app.clock.now(), &app.hub.entropy);
    let arrivals: Vec<Arrival<'_>> = all
        .iter()
        .map(|new| Arrival { new, entry: entropy.id(now), fallback_entry: entropy.id(now) })
        .collect();
    let mut conn = app.pool.acquire().await?;
    let news = store::insert(&mut conn, &arrivals, now).await?;
    Ok(arrivals.iter().map(|arrival| news.contains(&arrival.entry)).collect())
}

/// What a channel's reader understood, as the inbox keeps it.
pub fn facts(
    instance: &str,
    notice: channel::Notice,
    source: Source,
    raw: &[u8],
    headers: &HeaderMap,
) -> NewNotice {
    let meaning = match notice.meaning {
        channel::Meaning::Captured => Meaning::Money,
        channel::Meaning::Declined => Meaning::Declined,
        channel::Meaning::Refunded => Meaning::Refunded,
        channel::Meaning::RefundFailed => Meaning::RefundFailed,
        channel::Meaning::Reversed => Meaning::Reversed,
        channel::Meaning::Other => Meaning::Information,
    };
    NewNotice {
        channel: instance.to_owned(),
        money_key: format!("{instance}:{}", notice.transaction),
        transaction: notice.transaction,
        status: notice.status,
        meaning,
        source,
        reference: Some(notice.reference),
        money: notice.money,
        original_transaction: notice.original_transaction,
        reason: notice.reason,
        occurred_at: notice.occurred_at,
        raw: raw.to_vec(),
        headers: header_map(headers),
    }
}

fn header_map(headers: &HeaderMap) -> Value {
    let text = |value: &axum::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.to_string(), Value::String(text(value)))).collect()
}
