//! The batch: what it knows, whom it concerns, and all that it writes.

use std::collections::{BTreeMap, BTreeSet};

use mizan_ledger::{Entry, Instant};
use serde_json::{Value, json};

use super::super::model::{First, Meaning, Notice};
use super::super::store::Applied;
use super::back::Back;
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
    /// Which intent a notice is about.
    pub named: BTreeMap<i64, IntentId>,
    /// Of the notices whose money was claimed before, what was told first.
    pub firsts: BTreeMap<String, First>,
}

impl Batch<'_> {
    /// Money that is known already, told as other money or of another bill.
    pub(super) fn is_altered(&self, notice: &Notice, intent: Option<IntentId>) -> bool {
        let Some(first) = self.firsts.get(&notice.money_key) else { return false };
        let paid = first.intent.or_else(|| self.named.get(&first.n).copied());
        first.money != notice.money || paid.zip(intent).is_some_and(|(paid, named)| paid != named)
    }

    pub(super) fn pays_agency(&self, notice: &Notice) -> bool {
        self.hub.config.direct_agency(&notice.channel).is_some()
    }

    /// The channel pays an agency itself, and this bill is another's: what it brought is not here and not theirs.
    pub(super) fn pays_another(&self, notice: &Notice, basket: &Basket) -> bool {
        let paid = self.hub.config.direct_agency(&notice.channel);
        paid.is_some_and(|paid| basket.lines.iter().any(|line| line.priced.service.agency() != paid))
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

    /// The attempt a notice is about: its reference is our order, or else it takes that attempt's money back.
    pub(super) fn attempt_of(&self, notice: &Notice) -> Option<&Attempt> {
        let id = self.attempt_id(notice)?;
        self.attempts.iter().find(|attempt| attempt.id == id)
    }

    fn attempt_id(&self, notice: &Notice) -> Option<AttemptId> {
        if let Some(order) = notice.order()
            && self.attempts.iter().any(|attempt| attempt.id == order && attempt.channel == notice.channel)
        {
            return Some(order);
        }
        let taken = notice.taken_keys();
        let brought = |attempt: &&Attempt| attempt.money_key().is_some_and(|key| taken.contains(&key));
        self.attempts.iter().find(brought).map(|attempt| attempt.id)
    }

    /// When the attempt was begun that a notice is about.
    pub(super) fn begun(&self, notice: &Notice) -> Option<Instant> {
        self.attempt_of(notice).map(|attempt| attempt.created_at)
    }

    /// Moves the attempt a notice is about. False when there is none, or when it does not go there from where it is.
    pub fn move_attempt(&mut self, notice: &Notice, event: AttemptEvent) -> bool {
        let id = self.attempt_id(notice);
        let attempt = self.attempts.iter_mut().find(|attempt| Some(attempt.id) == id);
        let Some(attempt) = attempt else { return false };
        let Some(state) = attempt.state.apply(event) else { return false };
        // What takes money back may have an id of its own; the attempt has that of its money.
        match event {
            AttemptEvent::Reversed if attempt.state == AttemptState::Captured => {}
            AttemptEvent::Reversed => attempt.transaction.clone_from(&notice.original_transaction),
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

    /// The money of an attempt that was taken back before anybody told of it has its name now.
    pub(super) fn name_money(&mut self, notice: &Notice) {
        let id = self.attempt_id(notice);
        let nameless = |attempt: &&mut Attempt| Some(attempt.id) == id && attempt.transaction.is_none();
        if let Some(attempt) = self.attempts.iter_mut().find(nameless) {
            attempt.transaction = Some(notice.transaction.clone());
            self.touched.insert(attempt.id);
        }
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
    pub back: Back,
    /// Intents whose earlier parts this batch completed.
    pub completed: Vec<IntentId>,
}

/// Decides notice by notice, each seeing what those before it did.
pub fn decide(
    batch: &Batch<'_>,
    (cases, back): (BTreeMap<IntentId, Case>, Back),
    notices: &[Notice],
) -> Result<Decided, Fault> {
    let mut decided = Decided { cases, back, ..Decided::default() };
    for notice in notices {
        let named = batch.named.get(&notice.n).copied();
        let intent = named.or_else(|| decided.back.paid_by(notice));
        let outcome = match notice.meaning {
            Meaning::Money => decided.money(batch, notice, intent)?,
            Meaning::Declined => decided.declined(notice, intent)?,
            Meaning::Reversed => decided.reversed(notice, intent)?,
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
