//! The ends of a life without full payment: canceled by the portal, expired by the clock. Parts that were held go to
//! suspense, each as an item of its own under the channel that brought it, so that it can go back the way it came.

use std::collections::BTreeMap;

use mizan_ledger::{Entry, EntryId, Money};
use serde_json::{Map, Value, json};

use super::super::attempts;
use super::super::model::{Intent, IntentError, IntentEvent, IntentState};
use super::super::{shares, store, view};
use super::{IntentView, lock_one};
use crate::books::{Parked, Voucher, rules};
use crate::breaks::{self, Category, NewBreak};
use crate::events::NewEvent;
use crate::expectations::store::reading::{self, Taken};
use crate::fault::Fault;
use crate::ids::{IntentId, PortalId, SuspenseId};
use crate::suspense;
use crate::tx::Tx;

/// Cancels an intent that nobody is paying.
pub async fn cancel(tx: &mut Tx, (portal, id): &(PortalId, IntentId)) -> Result<IntentView, IntentError> {
    let mut intent = lock_one(tx, *id).await?;
    if intent.portal != *portal {
        return Err(IntentError::NotFound);
    }
    if intent.state == IntentState::Processing {
        let live = attempts::store::lock_of(tx.conn(), &[intent.id]).await?;
        let until =
            live.iter().filter(|attempt| attempt.state.is_live()).map(|attempt| attempt.deadline_at).max();
        return Err(IntentError::AttemptInProgress { until: until.unwrap_or(tx.now()) });
    }
    intent
        .apply(IntentEvent::Canceled)
        .map_err(|illegal| IntentError::NotCancelable { state: illegal.state })?;
    tx.audit("payment_intent.canceled", intent.id, json!({}));
    let mut told = end(tx, "payment_intent.canceled", vec![intent]).await?;
    told.pop().ok_or(IntentError::NotFound)
}

/// Expires up to `limit` intents whose time is up. Answers how many.
pub async fn expire_due(tx: &mut Tx, limit: &i64) -> Result<usize, IntentError> {
    let now = tx.now();
    let mut due = store::lock_due(tx.conn(), now, *limit).await?;
    for intent in &mut due {
        intent.apply(IntentEvent::TimePassed).map_err(|illegal| Fault::Other(illegal.to_string()))?;
    }
    Ok(end(tx, "payment_intent.expired", due).await?.len())
}

/// Writes ended intents, moves what was held for them, and tells their portals.
async fn end(
    tx: &mut Tx,
    kind: &'static str,
    mut ended: Vec<Intent>,
) -> Result<Vec<IntentView>, IntentError> {
    let parked = park_parts(tx, kind, &mut ended).await?;
    store::update(tx.conn(), &ended.iter().collect::<Vec<_>>()).await?;
    let (now, entropy) = (tx.now(), tx.hub().entropy.clone());
    suspense::store::insert(tx.conn(), now, &parked.items).await?;
    breaks::store::update_superseded(
        tx.conn(),
        now,
        Category::AmountUnder,
        &parked.superseded,
        "the payment ended: its parts are in suspense",
    )
    .await?;
    breaks::store::insert(tx.conn(), &entropy, now, &parked.breaks).await?;
    let hub = tx.hub().clone();
    let portals: BTreeMap<IntentId, PortalId> = ended.iter().map(|one| (one.id, one.portal)).collect();
    let views = view::page(tx.conn(), &hub, ended).await?;
    tx.post_all(&parked.entries).await?;
    for view in &views {
        tx.emit(NewEvent {
            portal: portals[&view.id],
            kind,
            object: view.id.to_string(),
            object_version: view.version,
            body: serde_json::to_string(view).expect("a view is maps, lists and texts"),
        });
    }
    for item in &parked.items {
        tx.enqueue(suspense::propose_refund(item.id));
    }
    Ok(views)
}

/// What moves from the parts held to suspense.
#[derive(Default)]
struct Moved {
    entries: Vec<Entry>,
    items: Vec<suspense::NewItem>,
    breaks: Vec<NewBreak>,
    /// Subjects of the breaks that asked for the rest.
    superseded: Vec<String>,
}

async fn park_parts(tx: &mut Tx, why: &'static str, ended: &mut [Intent]) -> Result<Moved, Fault> {
    let mut moved = Moved::default();
    let part_paid: Vec<IntentId> =
        ended.iter().filter(|intent| intent.paid.is_positive()).map(|intent| intent.id).collect();
    if part_paid.is_empty() {
        return Ok(moved);
    }
    let taken = reading::find_taken(tx.conn(), &part_paid).await?;
    let known = suspense::store::find_money_keys(tx.conn(), &part_paid).await?;
    for intent in ended.iter_mut().filter(|intent| intent.paid.is_positive()) {
        let parts = parts(intent, &taken, &known)?;
        for part in parts {
            let entry: EntryId = tx.id();
            let id: SuspenseId = tx.id();
            let subject = format!("{}:{}", intent.id, part.money_key);
            moved.entries.push(entry_of(tx, entry, intent, part)?);
            moved.items.push(suspense::NewItem {
                id,
                account: part.channel.clone(),
                money: part.money,
                cause: Category::AmountUnder.as_str().to_owned(),
                break_subject: subject.clone(),
                notice: None,
                statement_line: None,
                intent: Some(intent.id),
                money_key: Some(part.money_key.clone()),
                entry,
            });
            moved.superseded.push(part.money_key.clone());
            moved.breaks.push(NewBreak {
                category: Category::AmountUnder,
                subject,
                money: Some(part.money),
                channel: Some(part.channel.clone()),
                intent: Some(intent.id),
                detail: json!({
                    "why": why, "asked": intent.amount, "suspense_item": id, "propose": "refund",
                    "bill_number": intent.bill_number.to_string(),
                }),
            });
        }
        // What is in suspense is no longer collected for the intent, nor taken back from it.
        intent.paid = Money::zero(intent.amount.currency());
        intent.reversed = intent.paid;
    }
    Ok(moved)
}

/// The money that makes up what was paid of an intent: what was taken for it and is not in suspense already.
fn parts<'a>(intent: &Intent, taken: &'a [Taken], in_suspense: &[String]) -> Result<Vec<&'a Taken>, Fault> {
    let currency = intent.amount.currency();
    let counts = |one: &&Taken| {
        one.intent == intent.id && one.money.currency() == currency && !in_suspense.contains(&one.money_key)
    };
    let parts: Vec<&Taken> = taken.iter().filter(counts).collect();
    if Money::sum(currency, parts.iter().map(|part| part.money))? != intent.paid {
        return Err(Fault::corrupt("payment_intents", "paid_minor", intent.id));
    }
    Ok(parts)
}

fn entry_of(tx: &Tx, id: EntryId, intent: &Intent, part: &Taken) -> Result<Entry, Fault> {
    let mut meta = Map::new();
    meta.insert("money_key".to_owned(), Value::from(part.money_key.as_str()));
    let voucher = Voucher {
        id,
        effective_on: tx.hub().calendar.day_of(tx.now()),
        actor: tx.actor().as_str().to_owned(),
        source_ref: intent.id.to_string(),
        meta,
    };
    let parked = Parked { suspense: shares::slug(&part.channel)?, amount: part.money };
    rules::collect::part_payment_ended(voucher, &parked).map_err(|error| Fault::Other(error.to_string()))
}
