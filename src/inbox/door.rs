//! The door: judges a callback as its channel does, and keeps what it says as facts.

use axum::http::HeaderMap;
use mizan_adapters::channel::{self, Verdict};
use serde_json::Value;

use super::model::{Meaning, NewNotice, Source, Taken};
use super::{service, store};
use crate::app::App;
use crate::fault::Fault;
use crate::tx::Actor;

/// What is answered to the outside party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    Taken(Taken),
    /// A weak scheme proves nothing: the channel is asked before anything is stored.
    Hint,
    Refused(String),
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
            Received::Taken(take(app, &new).await?)
        }
        Verdict::Hint(_) => Received::Hint,
        Verdict::Refused(refusal) => {
            let why = refusal.to_string();
            let mut conn = app.pool.acquire().await?;
            store::insert_refused(&mut conn, instance, &why, raw, app.clock.now()).await?;
            Received::Refused(why)
        }
    }))
}

/// Stores a fact and wakes the poster. News is one row and one statement, which needs no transaction around it; only
/// what is known already is looked at more closely.
pub async fn take(app: &App, new: &NewNotice) -> Result<Taken, Fault> {
    let taken = if insert(app, new).await? {
        Taken::New
    } else {
        let actor = Actor::channel(&new.channel);
        app.run(&actor, new, |tx, new| Box::pin(service::take(tx, new))).await?
    };
    app.wake.poster.notify_one();
    Ok(taken)
}

async fn insert(app: &App, new: &NewNotice) -> Result<bool, Fault> {
    let (now, entropy) = (app.clock.now(), &app.hub.entropy);
    let mut conn = app.pool.acquire().await?;
    Ok(store::insert(&mut conn, new, entropy.id(now), entropy.id(now), now).await?.is_some())
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
