//! The batch: what it knows, whom it concerns, and all that it writes.

use std::collections::{BTreeMap, BTreeSet};

use mizan_ledger::{Entry, Instant};
use serde_json::{Value, json};

use super::super::model::{Meaning, Notice};
use super::super::store::Applied;
use crate::breaks::NewBreak;
use crate::expectations::NewExpectation;
use crate::fault::Fault;
use crate::ids::{AttemptId, IntentId};
use crate::intents::attempts::service::end_attempts;
use crate::intents::{Attempt, AttemptEvent, AttemptState, Intent, IntentState};
use crate::queue::NewJob;
use crate::quoting::Basket;
use crate::receipts::NewReceipt;
use crate::suspense;
use crate::tx::Hub;

/// What is the same for all notices of a turn.
#[derive(Debug)]
pub struct Batch<'a> {
    pub hub: &'a Hub,
    pub now: Instant,
    pub to_suspense: bool,
    /// The notices that claimed their money key: each key has one, the first to name it.
    pub claimed: BTreeSet<i64>,
    /// Which intent a reference names.
    pub named: BTreeMap<String, IntentId>,
    /// Keys of the money that paid these intents before; asked for when something is taken back.
    pub paying: BTreeSet<String>,
}

impl Batch<'_> {
    pub(super) fn pays_agency(&self, notice: &Notice) -> bool {
        self.hub.config.direct_agency(&notice.channel).is_some()
    }
}

/// An intent under the batch's lock, with its priced lines and attempts.
#[derive(Debug)]
pub struct Case {
    pub intent: Intent,
    pub basket: Basket,
    pub attempts: Vec<Attempt>,
    pub changed: bool,
    pub touched: BTreeSet<AttemptId>,
}

impl Case {
    pub fn new(intent: Intent, basket: Basket, attempts: Vec<Attempt>) -> Self {
        Self { intent, basket, attempts, changed: false, touched: BTreeSet::new() }
    }

    /// The attempt a notice is about: its reference is our order.
    pub(super) fn attempt_of(&self, notice: &Notice) -> Option<&Attempt> {
        let order = notice.order()?;
        self.attempts.iter().find(|attempt| attempt.id == order)
    }

    /// When the attempt was begun that a notice is about.
    pub(super) fn begun(&self, notice: &Notice) -> Option<Instant> {
        self.attempt_of(notice).map(|attempt| attempt.created_at)
    }

    /// Moves the attempt a notice is about. False when there is none, or when it does not go there from where it is.
    pub fn move_attempt(&mut self, notice: &Notice, event: AttemptEvent) -> bool {
        let order = notice.order();
        let attempt = self.attempts.iter_mut().find(|attempt| Some(attempt.id) == order);
        let Some(attempt) = attempt else { return false };
        let Some(state) = attempt.state.apply(event) else { return false };
        // What takes money back may have an id of its own; the attempt has that of its money.
        match event {
            AttemptEvent::Reversed if attempt.state == AttemptState::Captured => {}
            AttemptEvent::Reversed => {
                let named = notice.original_transaction.as_ref().unwrap_or(&notice.transaction);
                attempt.transaction = Some(named.clone());
            }
            _ => attempt.transaction = Some(notice.transaction.clone()),
        }
        attempt.state = state;
        if event == AttemptEvent::Declined {
            attempt.failure.clone_from(&notice.reason);
        }
        let id = attempt.id;
        self.touched.insert(id);
        true
    }

    /// The key of the money that a notice takes back, which may have an id of its own: then the one that it names counts, or
    /// else that of its attempt's money.
    pub fn taken_key(&self, notice: &Notice) -> String {
        let of_attempt = || self.attempt_of(notice).and_then(Attempt::money_key);
        notice.original_key().or_else(of_attempt).unwrap_or_else(|| notice.money_key.clone())
    }

    /// Its channel takes back what the attempt of a notice brought. True when what the intent was paid has become less by it:
    /// when the money is among those keys that paid it, by whichever of its names.
    pub fn take_back(&mut self, notice: &Notice, paying: &[&BTreeSet<String>]) -> Result<bool, Fault> {
        let captured = self.attempt_of(notice).filter(|attempt| attempt.state == AttemptState::Captured);
        let own = captured.and_then(Attempt::money_key);
        let mut names =
            [own.clone(), notice.original_key(), Some(notice.money_key.clone())].into_iter().flatten();
        let paid = own.is_some() && names.any(|name| paying.iter().any(|keys| keys.contains(&name)));
        if !self.move_attempt(notice, AttemptEvent::Reversed) || !paid {
            return Ok(false);
        }
        let back = self.intent.take_back(notice.money)?;
        self.changed |= back.is_positive();
        Ok(back.is_positive())
    }

    /// An intent is processing as long as an attempt lives; when the last has ended it stands where its money says.
    /// True when it went back.
    pub fn settle_attempts(&mut self) -> Result<bool, Fault> {
        let lives = self.attempts.iter().any(|attempt| attempt.state.is_live());
        if lives || self.intent.state != IntentState::Processing {
            return Ok(false);
        }
        end_attempts(&mut self.intent)?;
        self.changed = true;
        Ok(true)
    }
}

/// Everything the batch writes.
#[derive(Debug, Default)]
pub struct Decided {
    pub cases: BTreeMap<IntentId, Case>,
    pub entries: Vec<Entry>,
    pub suspense: Vec<suspense::NewItem>,
    pub expectations: Vec<NewExpectation>,
    pub breaks: Vec<NewBreak>,
    pub receipts: Vec<(IntentId, NewReceipt)>,
    pub events: Vec<(&'static str, IntentId)>,
    pub applied: Vec<Applied>,
    pub jobs: Vec<NewJob>,
    /// Keys of the money that paid an intent, or a part of one, in this batch.
    pub paying: BTreeSet<String>,
    /// Intents whose earlier parts this batch completed.
    pub completed: Vec<IntentId>,
}

/// Decides notice by notice, each seeing what those before it did.
pub fn decide(
    batch: &Batch<'_>,
    cases: BTreeMap<IntentId, Case>,
    notices: &[Notice],
) -> Result<Decided, Fault> {
    let mut decided = Decided { cases, ..Decided::default() };
    for notice in notices {
        let intent = notice.reference.as_ref().and_then(|reference| batch.named.get(reference)).copied();
        let outcome = match notice.meaning {
            Meaning::Money => decided.money(batch, notice, intent)?,
            Meaning::Declined => decided.declined(notice, intent)?,
            Meaning::Reversed => decided.reversed(batch, notice, intent)?,
            Meaning::Refunded | Meaning::RefundFailed => decided.refund_told(notice),
            Meaning::Information => "noted".to_owned(),
        };
        decided.applied.push(Applied { n: notice.n, outcome, intent });
    }
    Ok(decided)
}

impl Decided {
    pub(super) fn case(&mut self, id: IntentId) -> Result<&mut Case, Fault> {
        self.cases.get_mut(&id).ok_or_else(|| Fault::corrupt("payment_intents", "id", id))
    }

    /// What a break says of a notice: the notice itself, and the bill it names.
    pub(super) fn detail(&self, notice: &Notice, intent: Option<IntentId>) -> Value {
        let case = intent.and_then(|id| self.cases.get(&id));
        json!({
            "notice": notice.n, "transaction": notice.transaction, "reference": notice.reference,
            "amount": notice.money, "source": notice.source.as_str(),
            "bill_number": case.map(|case| case.intent.bill_number.to_string()),
        })
    }
}
