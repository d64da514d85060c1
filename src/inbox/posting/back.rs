//! What channels take back: chargebacks, in one or in pieces, told by callbacks and listed by settlements, under their own ids
//! or that of the payment, and before or after the payment itself is told.

use std::collections::{BTreeMap, BTreeSet};

use mizan_ledger::Money;

use super::super::model::{Notice, Source};
use super::Case;
use crate::expectations::store::taken_back::{TakenBack, in_all};
use crate::fault::Fault;
use crate::ids::IntentId;
use crate::intents::{Attempt, AttemptEvent, AttemptState};

/// What is known of the money of a batch, and of what was taken back of it.
#[derive(Debug, Default)]
pub struct Back {
    /// Money that paid an intent, or a part of one, by its key.
    paying: BTreeMap<String, IntentId>,
    /// Keys of money that was told of, whatever became of it.
    known: BTreeSet<String>,
    takings: Vec<TakenBack>,
    /// So many of the takings are stored already.
    stored: usize,
    /// Orders, by the key that stood for their money, and the key of the money since it was told of.
    pub renamed: Vec<(String, String)>,
}

/// What stands for the money of an order until somebody tells of it.
pub fn order_key(notice: &Notice) -> Option<String> {
    notice.order().map(|order| format!("{}:order:{order}", notice.channel))
}

impl Back {
    pub fn new(paying: BTreeMap<String, IntentId>, known: BTreeSet<String>, takings: Vec<TakenBack>) -> Self {
        let stored = takings.len();
        Self { paying, known, takings, stored, renamed: Vec::new() }
    }

    /// What this batch has to store.
    pub fn news(&self) -> &[TakenBack] {
        self.takings.get(self.stored..).unwrap_or_default()
    }

    /// Which intent the money paid that a notice takes back.
    pub fn paid_by(&self, notice: &Notice) -> Option<IntentId> {
        notice.taken_keys().iter().find_map(|key| self.paying.get(key).copied())
    }

    /// This money pays an intent.
    pub fn pays(&mut self, key: &str, intent: IntentId) {
        self.paying.insert(key.to_owned(), intent);
    }

    /// The key of the money that a notice takes back: the one it names that is known; else what it names as the payment,
    /// the money of its order, or whatever that will be.
    fn key(&self, case: Option<&Case>, notice: &Notice) -> String {
        let known = notice.taken_keys().into_iter().find(|key| self.known.contains(key));
        let of_order = || case.and_then(|case| case.attempt_of(notice)).and_then(Attempt::money_key);
        let named = known.or_else(|| notice.original_key()).or_else(of_order);
        named.or_else(|| order_key(notice)).unwrap_or_else(|| notice.money_key.clone())
    }

    /// A channel takes money back. Answers its key, and how much of it is gone in all, in the notice's currency.
    pub fn take(&mut self, case: Option<&mut Case>, notice: &Notice) -> Result<(String, Money), Fault> {
        let key = self.key(case.as_deref(), notice);
        if let Some(case) = case {
            // An order may have been captured twice: its attempt is that of the money it has.
            let has = case.attempt_of(notice).filter(|attempt| attempt.state == AttemptState::Captured);
            if has.and_then(Attempt::money_key).is_none_or(|own| own == key) {
                case.move_attempt(notice, AttemptEvent::Reversed);
            }
        }
        if self.takings.iter().all(|taking| taking.notice != notice.n) {
            self.takings.push(TakenBack {
                notice: notice.n,
                money_key: key.clone(),
                listed: notice.source == Source::Report,
                money: notice.money,
            });
        }
        let gone = self.of(&key, notice.money)?;
        Ok((key, gone))
    }

    /// Money is told of. Answers how much of it was taken back before: all of it, or a part.
    pub fn arrived(&mut self, case: Option<&mut Case>, notice: &Notice) -> Result<Money, Fault> {
        self.known.insert(notice.money_key.clone());
        if let Some(order) = order_key(notice).filter(|order| self.is_taken(order)) {
            for taking in self.takings.iter_mut().filter(|taking| taking.money_key == order) {
                taking.money_key.clone_from(&notice.money_key);
            }
            self.renamed.push((order, notice.money_key.clone()));
        }
        let gone = self.of(&notice.money_key, notice.money)?;
        if let Some(case) = case.filter(|_| gone.is_positive()) {
            case.move_attempt(notice, AttemptEvent::Reversed);
            case.name_money(notice);
        }
        Ok(gone)
    }

    fn is_taken(&self, key: &str) -> bool {
        self.takings.iter().any(|taking| taking.money_key == key)
    }

    fn of(&self, key: &str, whole: Money) -> Result<Money, Fault> {
        Ok(in_all(self.takings.iter().filter(|taking| taking.money_key == key), whole)?)
    }

    /// Counts how much is gone of what paid an intent. True when it is more than was known.
    pub fn recount(&self, case: &mut Case) -> Result<bool, Fault> {
        let mut gone = Money::zero(case.intent.amount.currency());
        for (key, _) in self.paying.iter().filter(|(_, intent)| **intent == case.intent.id) {
            gone = gone.checked_add(self.of(key, case.intent.paid)?)?;
        }
        let more = case.intent.take_back(gone)?;
        case.changed |= more;
        Ok(more)
    }
}
