//! The batch: what it knows, whom it concerns, and all that it writes.

use std::collections::{BTreeMap, BTreeSet};

use mizan_ledger::{Entry, Instant, Money};
use serde_json::{Value, json};

use super::super::model::{Meaning, Notice, Source};
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
    /// Which intent a notice is about.
    pub named: BTreeMap<i64, IntentId>,
    /// Keys of the money that paid these intents before; asked for when something is taken back.
    pub paying: BTreeSet<String>,
}

impl Batch<'_> {
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
    /// The notices that took money of it back, this batch's among them; asked for when there is one.
    pub takings: Vec<Notice>,
    pub changed: bool,
    pub touched: BTreeSet<AttemptId>,
}

impl Case {
    pub fn new(intent: Intent, basket: Basket, attempts: Vec<Attempt>) -> Self {
        Self { intent, basket, attempts, takings: Vec::new(), changed: false, touched: BTreeSet::new() }
    }

    /// Whether its channels took back what some attempt brought.
    pub fn was_taken_back(&self) -> bool {
        self.attempts.iter().any(|attempt| attempt.state == AttemptState::Reversed)
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

    /// The key of the money that a notice takes back, which may have an id of its own: the first of its names by which money
    /// is known here, or else that of its attempt's money.
    pub fn taken_key(&self, notice: &Notice, paying: &Paying<'_>) -> String {
        let own = self.attempt_of(notice).and_then(Attempt::money_key);
        let names = || notice.original_key().into_iter().chain(own.clone());
        let known = names().chain([notice.money_key.clone()]).find(|name| paying.contains(name));
        known.or_else(|| names().next()).unwrap_or_else(|| notice.money_key.clone())
    }

    /// Its channel takes back what the attempt of a notice brought, or a part. True when what the intent was paid has become
    /// less by it.
    pub fn take_back(&mut self, notice: &Notice, paying: &Paying<'_>) -> Result<bool, Fault> {
        self.move_attempt(notice, AttemptEvent::Reversed);
        self.takings.push(notice.clone());
        self.recount(paying)
    }

    /// Counts again how much its channels took back of what paid it. True when it is more than was known.
    pub fn recount(&mut self, paying: &Paying<'_>) -> Result<bool, Fault> {
        let keys: BTreeSet<String> =
            self.takings.iter().map(|taking| self.taken_key(taking, paying)).collect();
        let mut in_all = Money::zero(self.intent.amount.currency());
        for key in keys.iter().filter(|key| paying.contains(key)) {
            in_all = in_all.checked_add(self.taken_of(key, paying)?)?;
        }
        let more = self.intent.take_back(in_all)?;
        self.changed |= more;
        Ok(more)
    }

    /// How much of this money was taken back. A settlement lists what callbacks told before: of the two the larger counts.
    pub fn taken_of(&self, key: &str, paying: &Paying<'_>) -> Result<Money, Fault> {
        let nothing = Money::zero(self.intent.amount.currency());
        let (mut told, mut listed) = (nothing, nothing);
        for taking in self.takings.iter().filter(|taking| self.taken_key(taking, paying) == key) {
            // What is taken back in another currency than it was paid in is all of it.
            let same = taking.money.currency() == nothing.currency();
            let part = if same { taking.money } else { self.intent.paid };
            let sum = if taking.source == Source::Report { &mut listed } else { &mut told };
            *sum = sum.checked_add(part)?;
        }
        Ok(if told.compare(listed)?.is_lt() { listed } else { told })
    }

    /// How much of the money that a notice tells of was taken back before anybody told that it had come. The chargeback may
    /// have named only our order, and its own id: then that attempt's money is this.
    pub fn taken_before(&mut self, notice: &Notice, paying: &Paying<'_>) -> Result<Money, Fault> {
        let order = notice.order();
        let reversed =
            |attempt: &&mut Attempt| Some(attempt.id) == order && attempt.state == AttemptState::Reversed;
        let Some(attempt) = self.attempts.iter_mut().find(reversed) else {
            return Ok(Money::zero(notice.money.currency()));
        };
        let known = attempt.money_key();
        let is_chargeback = self
            .takings
            .iter()
            .any(|taking| Some(&taking.money_key) == known.as_ref() && taking.original_transaction.is_none());
        if is_chargeback && !known.is_some_and(|key| paying.contains(&key)) {
            attempt.transaction = Some(notice.transaction.clone());
            self.touched.insert(attempt.id);
        }
        self.taken_of(&notice.money_key, paying)
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

/// The keys of the money that paid intents: before this batch, and in it.
#[derive(Debug, Clone, Copy)]
pub struct Paying<'a>(pub [&'a BTreeSet<String>; 2]);

impl Paying<'_> {
    fn contains(&self, key: &str) -> bool {
        self.0.iter().any(|keys| keys.contains(key))
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
        let intent = batch.named.get(&notice.n).copied();
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
