use std::collections::BTreeMap;

use mizan_ledger::{Instant, Money};
use serde_json::json;
use sqlx::PgConnection;

use super::store;
use crate::breaks::{self, Category, NewBreak};
use crate::expectations::store::reading;
use crate::fault::Fault;
use crate::ids::{AttemptId, IntentId};
use crate::intents::model::{
    Attempt, AttemptEvent, AttemptState, Intent, IntentError, IntentEvent, IntentState,
};
use crate::intents::{service, store as intent_store};
use crate::quoting::Basket;
use crate::suspense;
use crate::tx::Tx;

pub use super::store::{claim_silent, lock_of};

/// How long a bill waits for a gateway that does not say how an attempt ended whose time is over. Then it can be paid by
/// other means, canceled, or expire; money that came after all is taken as any other.
const WAITED_SECONDS: i64 = 24 * 3_600;

/// A payer's choice.
#[derive(Debug, Clone)]
pub struct Choice {
    pub intent: IntentId,
    pub channel: String,
    /// The priced lines of the intent, which never change.
    pub basket: Basket,
}

/// A payer chose a channel: the attempt is written before the provider hears of it.
pub async fn start(tx: &mut Tx, choice: &Choice) -> Result<Attempt, IntentError> {
    let Choice { intent, channel, basket } = choice;
    let mut intent = service::lock_one(tx, *intent).await?;
    if intent.state == IntentState::Processing
        && let Some(live) = continued(tx, intent.id, channel).await?
    {
        return Ok(live);
    }
    payable(&intent, tx.now())?;
    let hub = tx.hub().clone();
    let settings =
        hub.config.channels.get(channel).ok_or_else(|| IntentError::UnknownChannel(channel.clone()))?;
    let catalogue = crate::catalogue::service::current(tx).await?;
    service::channel_carries(&hub, &catalogue, (&intent, basket), channel)?;
    let now = tx.now();
    let attempt = Attempt {
        id: tx.id(),
        intent: intent.id,
        channel: channel.clone(),
        state: AttemptState::Created,
        amount: intent.due()?,
        provider_session: None,
        page_url: None,
        transaction: None,
        failure: None,
        created_at: now,
        deadline_at: now.plus_seconds(i64::from(settings.attempt_minutes) * 60),
    };
    if !store::insert(tx.conn(), &attempt).await? {
        return continued(tx, intent.id, channel).await?.ok_or(Fault::Stale.into());
    }
    intent
        .apply(IntentEvent::AttemptStarted)
        .map_err(|illegal| IntentError::NotPayable { state: illegal.state })?;
    intent_store::update_state(tx.conn(), &intent).await?;
    service::emit_view(tx, "payment_intent.processing", &intent, basket);
    Ok(attempt)
}

/// The live attempt of a locked intent: the same choice again continues it, another one waits.
async fn continued(tx: &mut Tx, intent: IntentId, channel: &str) -> Result<Option<Attempt>, IntentError> {
    let attempts = store::lock_of(tx.conn(), &[intent]).await?;
    match attempts.into_iter().find(|attempt| attempt.state.is_live()) {
        Some(live) if live.channel != channel => {
            Err(IntentError::AttemptInProgress { until: live.deadline_at })
        }
        live => Ok(live),
    }
}

/// Refuses a bill that nobody should pay now: ended, or with an attempt that lives.
pub fn payable(intent: &Intent, now: Instant) -> Result<(), IntentError> {
    let open = matches!(intent.state, IntentState::RequiresPayment | IntentState::PartiallyPaid);
    if !open || intent.asks_no_more(now) {
        return Err(IntentError::NotPayable { state: intent.state });
    }
    Ok(())
}

/// What the provider said when we opened its page, or when we asked about a silent attempt.
#[derive(Debug, Clone)]
pub enum News {
    PageOpened {
        session: String,
        page_url: String,
    },
    Declined {
        reason: String,
    },
    /// The provider never knew the order, or its page expired unpaid.
    Abandoned,
    /// The provider's page is still open: ask again at the given time.
    Open {
        ask_again_at: Instant,
    },
    /// Nobody knows: ask again at the given time.
    Unknown {
        ask_again_at: Instant,
    },
}

/// Somebody says, without proof, that there is news of an order: its channel is to be asked now. Nothing else of what he
/// says is believed.
pub async fn ask_soon(
    conn: &mut PgConnection,
    channel: &str,
    order: &str,
    now: Instant,
) -> Result<(), Fault> {
    let Ok(attempt) = order.parse::<AttemptId>() else { return Ok(()) };
    store::update_due(conn, attempt, channel, now).await
}

/// Writes the news of an attempt. Money is never news here: it goes through the inbox.
pub async fn tell(tx: &mut Tx, (id, news): &(AttemptId, News)) -> Result<Attempt, IntentError> {
    if let Some(attempt) = opened(tx, *id, news).await? {
        return Ok(attempt);
    }
    let known = store::find(tx.conn(), *id).await?.ok_or(IntentError::NotFound)?;
    let mut intent = service::lock_one(tx, known.intent).await?;
    let mut attempts = store::lock_of(tx.conn(), &[intent.id]).await?;
    let place = attempts.iter().position(|attempt| attempt.id == *id).ok_or(IntentError::NotFound)?;
    let attempt = &mut attempts[place];
    if !attempt.state.is_live() {
        // It has ended, and who ended it has looked after its bill.
        return Ok(attempt.clone());
    }
    let over_at = is_over_at(tx, attempt);
    let waited = tx.now() >= over_at.plus_seconds(WAITED_SECONDS);
    let in_doubt = match news {
        News::Open { .. } => waited,
        News::Unknown { .. } => tx.now() >= over_at,
        _ => false,
    };
    let event = match news {
        News::PageOpened { session, page_url } => {
            attempt.provider_session = Some(session.clone());
            attempt.page_url = Some(page_url.clone());
            AttemptEvent::PageOpened
        }
        News::Declined { reason } => {
            attempt.failure = Some(reason.clone());
            AttemptEvent::Declined
        }
        News::Abandoned => AttemptEvent::Abandoned,
        News::Open { .. } | News::Unknown { .. } if waited => {
            attempt.failure = Some("no_answer".to_owned());
            AttemptEvent::Abandoned
        }
        News::Open { ask_again_at } | News::Unknown { ask_again_at } => {
            attempt.deadline_at = *ask_again_at;
            AttemptEvent::Silent
        }
    };
    if let Some(state) = attempt.state.apply(event) {
        attempt.state = state;
    }
    let attempt = attempt.clone();
    if in_doubt {
        let now = tx.now();
        store::update(tx.conn(), now, &[&attempt]).await?;
        raise(tx, &attempt).await?;
    } else {
        update(tx, &[&attempt]).await?;
    }
    let lives = attempts.iter().any(|attempt| attempt.state.is_live());
    if !lives && intent.state == IntentState::Processing {
        end_attempts(&mut intent)?;
        intent_store::update(tx.conn(), &[&intent]).await?;
        service::emit(tx, "payment_intent.attempt_failed", &intent).await?;
    }
    Ok(attempt)
}

/// When the time of an attempt is over.
fn is_over_at(tx: &Tx, attempt: &Attempt) -> Instant {
    let settings = tx.hub().config.channels.get(&attempt.channel);
    let minutes = settings.map_or(0, |settings| settings.attempt_minutes);
    attempt.created_at.plus_seconds(i64::from(minutes) * 60)
}

/// Writes attempts as they are now; of one that has ended it is known how.
pub async fn update(tx: &mut Tx, attempts: &[&Attempt]) -> Result<(), Fault> {
    let now = tx.now();
    store::update(tx.conn(), now, attempts).await?;
    let ended = attempts.iter().filter(|attempt| !attempt.state.is_live());
    let ended: Vec<String> = ended.map(|attempt| attempt.id.to_string()).collect();
    let because = "it is known how the attempt ended";
    if !ended.is_empty() {
        breaks::store::update_self_resolved(tx.conn(), now, Category::AttemptUnknown, &ended, because)
            .await?;
    }
    Ok(())
}

/// Somebody must ask the provider by other means; also when the bill no longer waits for the answer. Once: what two people
/// have ended, the next unanswered question does not open again.
async fn raise(tx: &mut Tx, attempt: &Attempt) -> Result<(), Fault> {
    if breaks::store::is_known(tx.conn(), Category::AttemptUnknown, &attempt.id.to_string()).await? {
        return Ok(());
    }
    let unknown = NewBreak {
        category: Category::AttemptUnknown,
        subject: attempt.id.to_string(),
        money: Some(attempt.amount),
        channel: Some(attempt.channel.clone()),
        intent: Some(attempt.intent),
        detail: json!({ "order": attempt.id }),
    };
    let (now, entropy) = (tx.now(), tx.hub().entropy.clone());
    breaks::store::insert(tx.conn(), &entropy, now, &[unknown]).await
}

/// The ordinary news, that the page of a new attempt is open, changes nothing else: no lock but the row's is taken.
async fn opened(tx: &mut Tx, id: AttemptId, news: &News) -> Result<Option<Attempt>, Fault> {
    let (before, event) = (AttemptState::Created, AttemptEvent::PageOpened);
    let (News::PageOpened { session, page_url }, Some(after)) = (news, before.apply(event)) else {
        return Ok(None);
    };
    let now = tx.now();
    store::update_opened(tx.conn(), now, id, [before, after], session, page_url).await
}

/// The keys of the money that paid these intents, or parts of them, taken back since or not, each with its intent. Money that fitted nothing, that
/// could not be applied, or that was taken back before anybody told that it had come, paid nothing.
pub async fn find_paying_keys(
    conn: &mut PgConnection,
    intents: &[IntentId],
) -> Result<BTreeMap<String, IntentId>, Fault> {
    let taken = reading::find_taken(conn, intents).await?;
    let aside = suspense::store::find_unapplied_keys(conn, intents).await?;
    let paid = taken.into_iter().filter(|one| !aside.contains(&one.money_key));
    Ok(paid.map(|one| (one.money_key, one.intent)).collect())
}

/// The attempts whose money paid a locked intent, taken back since or not.
pub async fn lock_carrying(tx: &mut Tx, intent: IntentId) -> Result<Vec<Attempt>, Fault> {
    let mut attempts = store::lock_of(tx.conn(), &[intent]).await?;
    let paying = find_paying_keys(tx.conn(), &[intent]).await?;
    attempts.retain(|attempt| {
        matches!(attempt.state, AttemptState::Captured | AttemptState::Reversed)
            && attempt.money_key().is_some_and(|key| paying.contains_key(&key))
    });
    Ok(attempts)
}

/// The same with the money that each brought, which may be less than was asked for, and not those that their channel took
/// back: what can be given back the way it came.
pub async fn lock_paying(tx: &mut Tx, intent: IntentId) -> Result<Vec<(Attempt, Money)>, Fault> {
    let mut attempts = lock_carrying(tx, intent).await?;
    attempts.retain(|attempt| attempt.state == AttemptState::Captured);
    let taken = reading::find_taken(tx.conn(), &[intent]).await?;
    let brought = |attempt: Attempt| {
        let one = taken.iter().find(|one| Some(&one.money_key) == attempt.money_key().as_ref())?;
        Some((attempt, one.money))
    };
    Ok(attempts.into_iter().filter_map(brought).collect())
}

/// The last live attempt ended without money: the payer may try again.
pub fn end_attempts(intent: &mut Intent) -> Result<(), Fault> {
    intent.apply(IntentEvent::AttemptsEnded).map_err(|illegal| Fault::Other(illegal.to_string()))
}
