//! What news of instructions writes: refunds moved, answers kept, entries, expectations born and ended, breaks.

use std::collections::BTreeMap;

use mizan_ledger::{Entry, Money};
use serde_json::json;

use super::{Heard, Told, emit, rule, voucher};
use crate::books::rules;
use crate::breaks::{self, Category, NewBreak};
use crate::expectations::{self, Kind, NewExpectation};
use crate::fault::Fault;
use crate::ids::RefundId;
use crate::queue::NewJob;
use crate::refunds::attempts::{self, AttemptState, store::Answered};
use crate::refunds::jobs;
use crate::refunds::model::{Rail, Refund, RefundError};
use crate::refunds::state::{RefundEvent, RefundState};
use crate::refunds::store;
use crate::tx::Tx;

/// How long after silence the rail is first asked.
const ASK_SECONDS: i64 = 30;
/// How long after a gateway took an order it is asked whether it failed, should its notice be lost.
const ASK_TAKEN_SECONDS: i64 = 3_600;
/// A transfer shows on our statement within so many days.
const BANK_DAYS: i32 = 3;

/// What news means for the refund and its instruction.
pub(super) struct Verdict {
    /// None when the refund stays as it is.
    pub event: Option<RefundEvent>,
    pub attempt: AttemptState,
    /// The rail's transaction, or why.
    pub answer: String,
    /// The rail had told before that this instruction was carried out.
    pub was_done: bool,
}

/// What the news of one transaction writes.
#[derive(Default)]
pub(super) struct Changes {
    changed: Vec<RefundId>,
    answers: Vec<Answered>,
    entries: Vec<Entry>,
    born: Vec<NewExpectation>,
    /// Their money will not leave.
    ended: Vec<RefundId>,
    /// Whose expectation learns the rail's transaction.
    named: Vec<(RefundId, String)>,
    breaks: Vec<NewBreak>,
}

impl Changes {
    pub(super) fn apply(
        &mut self,
        tx: &mut Tx,
        refund: &mut Refund,
        told: &Told,
        verdict: Verdict,
    ) -> Result<(), RefundError> {
        let Verdict { event, attempt, answer, was_done } = verdict;
        let before = refund.state;
        let is_current = told.instruction == refund.instruction;
        let denied = was_done && event == Some(RefundEvent::Failed);
        let moved = match event {
            Some(event) if is_current && !denied => refund.apply(event).is_ok(),
            Some(_) => false,
            None => true,
        };
        if !moved {
            if denied || contradicts(refund, is_current, event) {
                self.breaks.push(contradiction(refund, told, &answer, denied));
            }
            // That an instruction was carried out is kept, also of an earlier one: no other follows it.
            let taken = event == Some(RefundEvent::Taken) && !was_done;
            if taken && (!is_current || attempt == AttemptState::CarriedOut) {
                tx.enqueue(NewJob::now(jobs::SETTLED, refund.id));
                self.answers.push(Answered {
                    refund: refund.id,
                    instruction: told.instruction,
                    state: attempt,
                    answer: Some(answer),
                });
            }
            return Ok(());
        }
        self.answers.push(Answered {
            refund: refund.id,
            instruction: told.instruction,
            state: attempt,
            answer: Some(answer.clone()),
        });
        self.changed.push(refund.id);
        self.book(tx, refund, before)?;
        match event {
            Some(RefundEvent::Taken) => self.taken(tx, refund, before, answer),
            Some(RefundEvent::Failed) => {
                emit(tx, "refund.failed", refund, json!({ "reason": answer }));
                refund.failure = Some(answer);
                if refund.instruction > 1 {
                    // An earlier one may have been carried out meanwhile.
                    tx.enqueue(NewJob::now(jobs::SETTLED, refund.id));
                }
            }
            Some(RefundEvent::Silent) => {
                tx.audit("refund.unknown", refund.id, json!({ "why": answer }));
                ask_in(tx, refund, ASK_SECONDS);
            }
            _ => {}
        }
        Ok(())
    }

    fn taken(&mut self, tx: &mut Tx, refund: &mut Refund, before: RefundState, transaction: String) {
        refund.submitted_at = Some(tx.now());
        refund.failure = None;
        emit(tx, "refund.submitted", refund, json!({ "transaction": transaction }));
        if let Rail::Bank { .. } = refund.rail {
            // A bank names the whole file; the order goes by our reference.
            return;
        }
        if before == RefundState::Failed {
            // A settlement may have held it meanwhile, as money that we did not know of.
            tx.enqueue(NewJob::now(jobs::SETTLED, refund.id));
        }
        refund.provider_transaction = Some(transaction.clone());
        ask_in(tx, refund, ASK_TAKEN_SECONDS);
        match self.born.iter_mut().find(|born| born.refund == Some(refund.id)) {
            Some(born) => born.transaction = Some(transaction),
            None if before.is_in_flight() => self.named.push((refund.id, transaction)),
            None => {}
        }
    }

    /// The money enters or leaves `refunds/in_flight` with the state, and is expected as long as it is there.
    fn book(&mut self, tx: &mut Tx, refund: &Refund, before: RefundState) -> Result<(), RefundError> {
        let entry = match (before.is_in_flight(), refund.state.is_in_flight()) {
            (false, true) => {
                self.born.push(expected(tx, refund)?);
                rules::refund::refund_submitted(voucher(tx, tx.id(), refund), refund.amount)
            }
            (true, false) => {
                self.ended.push(refund.id);
                rules::refund::refund_refused(voucher(tx, tx.id(), refund), refund.amount)
            }
            _ => return Ok(()),
        };
        self.entries.push(entry.map_err(rule)?);
        Ok(())
    }

    pub(super) async fn write(
        self,
        tx: &mut Tx,
        refunds: &BTreeMap<RefundId, Refund>,
    ) -> Result<(), RefundError> {
        let changed: Vec<&Refund> = self.changed.iter().filter_map(|id| refunds.get(id)).collect();
        let (now, entropy) = (tx.now(), tx.hub().entropy.clone());
        store::update(tx.conn(), &changed).await?;
        attempts::store::update(tx.conn(), now, &self.answers).await?;
        let ended = expectations::store::lock_by_refund(tx.conn(), &self.ended).await?;
        let ended: Vec<_> = ended.iter().map(|one| one.id).collect();
        expectations::store::update_withdrawn(tx.conn(), now, &ended).await?;
        let awaited: Vec<String> = ended.iter().map(ToString::to_string).collect();
        let why = "it did not leave";
        breaks::store::update_self_resolved(tx.conn(), now, Category::RefundUnconfirmed, &awaited, why)
            .await?;
        for (refund, transaction) in &self.named {
            for one in expectations::store::lock_by_refund(tx.conn(), &[*refund]).await? {
                expectations::store::update_transaction(tx.conn(), one.id, transaction).await?;
            }
        }
        expectations::store::insert(tx.conn(), &entropy, now, &self.born).await?;
        breaks::store::insert(tx.conn(), &entropy, now, &self.breaks).await?;
        tx.post_all(&self.entries).await?;
        Ok(())
    }
}

/// News that is no repetition: money left for an instruction we gave up, or did not leave for one that was seen.
fn contradicts(refund: &Refund, is_current: bool, event: Option<RefundEvent>) -> bool {
    match event {
        Some(RefundEvent::Taken) if is_current => {
            !matches!(refund.state, RefundState::Submitted | RefundState::Succeeded | RefundState::Returned)
        }
        Some(RefundEvent::Taken) => true,
        Some(RefundEvent::Failed) => is_current && refund.state == RefundState::Succeeded,
        _ => false,
    }
}

fn contradiction(refund: &Refund, told: &Told, answer: &str, denied: bool) -> NewBreak {
    NewBreak {
        category: Category::RefundUnconfirmed,
        subject: format!("{}:{}", refund.id, told.instruction),
        money: Some(refund.amount),
        channel: None,
        intent: refund.source.intent(),
        detail: json!({
            "refund": refund.id, "state": refund.state, "instruction": refund.instruction,
            "told_of": told.instruction, "answer": answer,
            "why": denied.then_some("it was told as carried out before"),
        }),
    }
}

/// What is told of other money than was ordered is not applied: a person asks who told it.
pub(super) fn told_of_other_money(refund: &Refund, instruction: i32, heard: &Heard) -> NewBreak {
    NewBreak {
        category: Category::RefundUnconfirmed,
        subject: format!("{}:{instruction}", refund.id),
        money: Some(heard.money),
        channel: Some(heard.channel.clone()),
        intent: refund.source.intent(),
        detail: json!({
            "refund": refund.id, "state": refund.state, "ordered": refund.amount, "told_of": instruction,
            "answer": heard.failed.as_ref().unwrap_or(&heard.transaction), "why": "it was told of another amount",
        }),
    }
}

/// A gateway is asked again; for transfers the bank's status report and the statement tell.
fn ask_in(tx: &mut Tx, refund: &Refund, seconds: i64) {
    if let Rail::Gateway { .. } = refund.rail {
        let at = tx.now().plus_seconds(seconds);
        tx.enqueue(NewJob::now(jobs::ASK, refund.id).at(at));
    }
}

/// The debit that will be seen: on our statement, or inside the channel's next settlement.
fn expected(tx: &Tx, refund: &Refund) -> Result<NewExpectation, Fault> {
    let hub = tx.hub();
    let currency = refund.amount.currency();
    let born_on = hub.calendar.day_of(tx.now());
    let (kind, channel, account, within) = match &refund.rail {
        Rail::Gateway { channel, .. } => {
            let account = hub.config.settlement_account(channel, currency);
            let account = account.unwrap_or_else(|| "unknown".to_owned());
            let settings = hub.config.channels.get(channel);
            let within = settings.map_or(0, |settings| i32::from(settings.settles_within_days));
            (Kind::NettedRefund, channel.as_str(), account, within)
        }
        Rail::Bank { account } => (Kind::Refund, account.as_str(), account.clone(), BANK_DAYS),
    };
    Ok(NewExpectation {
        kind,
        channel: channel.to_owned(),
        account,
        money: refund.amount.checked_neg()?,
        cost: Money::zero(currency),
        transaction: None,
        reference: Some(refund.reference()),
        money_key: None,
        intent: refund.source.intent(),
        refund: Some(refund.id),
        born_on,
        due_on: born_on.plus_days(within),
    })
}
