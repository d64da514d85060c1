//! Instructions and what the rail makes of them.

use std::collections::BTreeMap;

use mizan_ledger::{Entry, Money};
use serde_json::json;

use super::{emit, rule, voucher};
use crate::books::rules;
use crate::breaks::{self, Category, NewBreak};
use crate::expectations::{self, Kind, NewExpectation};
use crate::fault::Fault;
use crate::ids::RefundId;
use crate::queue::NewJob;
use crate::refunds::attempts::{self, Attempt, AttemptState, store::Answered};
use crate::refunds::model::{Rail, Refund, RefundError, RefundSource};
use crate::refunds::state::{RefundEvent, RefundState};
use crate::refunds::store;
use crate::refunds::{files, jobs};
use crate::tx::Tx;

/// A gateway that does not know a reference so long after it was sent will not carry it out any more.
const LOST_SECONDS: i64 = 900;
/// How long after silence the rail is first asked.
const ASK_SECONDS: i64 = 30;
/// How long after a gateway took an order it is asked whether it failed, should its notice be lost.
const ASK_TAKEN_SECONDS: i64 = 3_600;
/// A transfer shows on our statement within so many days.
const BANK_DAYS: i32 = 3;

/// An instruction to a gateway, committed as `sending`: it may leave now.
#[derive(Debug, Clone)]
pub struct Order {
    pub refund: RefundId,
    pub instruction: i32,
    pub reference: String,
    pub channel: String,
    pub transaction: String,
    pub money: Money,
}

/// News of one instruction.
#[derive(Debug, Clone)]
pub struct Told {
    pub refund: RefundId,
    pub instruction: i32,
    pub news: News,
}

#[derive(Debug, Clone)]
pub enum News {
    /// The rail has it, under its own id.
    Taken { transaction: String },
    /// The rail refused it or did not carry it out.
    Failed { reason: String },
    /// It was sent and nobody knows.
    Silent { why: String },
    /// It never left.
    NotSent { why: String },
    /// The rail was asked and has never heard of it.
    NotKnown,
}

/// Commits the current instruction of an approved refund as `sending`. None when there is nothing to send: also for
/// an instruction found in `sending`, which may have left, and is unknown from now on. A transfer is written into a
/// payment file instead, with all others that wait for its account; the file is sent by a job of its own.
pub async fn begin(tx: &mut Tx, id: &RefundId) -> Result<Option<Order>, RefundError> {
    let known = store::find(tx.conn(), *id).await?.ok_or(RefundError::NotFound)?;
    if let Rail::Bank { account } = &known.rail {
        files::service::write(tx, account).await?;
        return Ok(None);
    }
    let refund = store::lock(tx.conn(), &[*id]).await?.pop().ok_or(RefundError::NotFound)?;
    let Rail::Gateway { channel, transaction } = &refund.rail else { return Ok(None) };
    if refund.state != RefundState::Approved || attempts::store::is_carried_out(tx.conn(), refund.id).await? {
        return Ok(None);
    }
    let (instruction, reference) = (refund.instruction, refund.reference());
    let found = attempts::store::find(tx.conn(), refund.id, instruction).await?;
    if found.is_some_and(|attempt| attempt.state != AttemptState::NotSent) {
        let why = "it was being sent when its worker stopped".to_owned();
        let told = Told { refund: refund.id, instruction, news: News::Silent { why } };
        tell(tx, std::slice::from_ref(&told)).await?;
        return Ok(None);
    }
    if super::is_taken_back(tx, refund.id).await? {
        tell(tx, &[not_sent_any_more(&refund)]).await?;
        return Ok(None);
    }
    let now = tx.now();
    attempts::store::insert(tx.conn(), now, &[(refund.id, instruction, reference.clone())]).await?;
    Ok(Some(Order {
        refund: refund.id,
        instruction,
        reference,
        channel: channel.clone(),
        transaction: transaction.clone(),
        money: refund.amount,
    }))
}

/// The channel took the payment back after its refund was approved and before it left: it does not leave.
pub fn not_sent_any_more(refund: &Refund) -> Told {
    let news = News::Failed { reason: "payment_reversed".to_owned() };
    Told { refund: refund.id, instruction: refund.instruction, news }
}

/// Whom to ask about a refund, and by which reference.
#[derive(Debug, Clone)]
pub struct Asked {
    pub refund: RefundId,
    pub instruction: i32,
    pub reference: String,
    pub channel: String,
}

/// What a gateway is to be asked about this refund; None when it is not on its way.
pub async fn who_to_ask(tx: &mut Tx, id: &RefundId) -> Result<Option<Asked>, RefundError> {
    let refund = store::find(tx.conn(), *id).await?.ok_or(RefundError::NotFound)?;
    let Rail::Gateway { channel, .. } = &refund.rail else { return Ok(None) };
    let asked = Asked {
        refund: refund.id,
        instruction: refund.instruction,
        reference: refund.reference(),
        channel: channel.clone(),
    };
    Ok(refund.state.is_in_flight().then_some(asked))
}

/// What a channel's notice says of a refund, by our reference.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Heard {
    pub reference: String,
    pub transaction: String,
    /// The rail's reason when it failed; None when it was carried out.
    pub failed: Option<String>,
}

/// A notice of the inbox becomes a job: the poster does not lock refunds.
pub fn notice_job(heard: &Heard) -> NewJob {
    let outcome = if heard.failed.is_some() { "failed" } else { "refunded" };
    let body = serde_json::to_value(heard).expect("a struct of texts");
    NewJob { body, ..NewJob::now(jobs::HEAR, format!("{}:{outcome}", heard.reference)) }
}

/// Applies what a channel's notice says. Answers whether the reference is one of ours.
pub async fn hear(tx: &mut Tx, heard: &Heard) -> Result<bool, RefundError> {
    let Some(attempt) = attempts::store::find_by_reference(tx.conn(), &heard.reference).await? else {
        return Ok(false);
    };
    let news = match &heard.failed {
        Some(reason) => News::Failed { reason: reason.clone() },
        None => News::Taken { transaction: heard.transaction.clone() },
    };
    let told = Told { refund: attempt.refund, instruction: attempt.instruction, news };
    tell(tx, &[told]).await?;
    Ok(true)
}

/// Applies news of instructions, each on its refund under lock; posts once. News that changes nothing (told before,
/// or by another way) is no error; news that contradicts what we hold opens a break.
pub async fn tell(tx: &mut Tx, told: &[Told]) -> Result<(), RefundError> {
    let ids: Vec<RefundId> = told.iter().map(|one| one.refund).collect();
    let locked = store::lock(tx.conn(), &ids).await?;
    let mut refunds: BTreeMap<RefundId, Refund> =
        locked.into_iter().map(|refund| (refund.id, refund)).collect();
    let mut changes = Changes::default();
    for one in told {
        let Some(refund) = refunds.get_mut(&one.refund) else { continue };
        match verdict(tx, one).await? {
            Some(verdict) => changes.apply(tx, refund, one, verdict)?,
            None => continue,
        }
    }
    changes.write(tx, &refunds).await
}

/// What news means for the refund and its instruction.
struct Verdict {
    /// None when the refund stays as it is.
    event: Option<RefundEvent>,
    attempt: AttemptState,
    /// The rail's transaction, or why.
    answer: String,
}

/// None when it is too early to say.
async fn verdict(tx: &mut Tx, told: &Told) -> Result<Option<Verdict>, RefundError> {
    let verdict =
        |event, attempt, answer: &str| Ok(Some(Verdict { event, attempt, answer: answer.to_owned() }));
    match &told.news {
        News::Taken { transaction } => verdict(Some(RefundEvent::Taken), AttemptState::Accepted, transaction),
        News::Failed { reason } => verdict(Some(RefundEvent::Failed), AttemptState::Rejected, reason),
        News::Silent { why } => verdict(Some(RefundEvent::Silent), AttemptState::Unknown, why),
        News::NotSent { why } => verdict(None, AttemptState::NotSent, why),
        News::NotKnown => {
            let sent = attempts::store::find(tx.conn(), told.refund, told.instruction).await?;
            match sent {
                Some(Attempt { started_at, .. }) if tx.now() < started_at.plus_seconds(LOST_SECONDS) => {
                    Ok(None)
                }
                _ => verdict(Some(RefundEvent::Failed), AttemptState::Rejected, "not_known"),
            }
        }
    }
}

/// What the news of one transaction writes.
#[derive(Default)]
struct Changes {
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
    fn apply(
        &mut self,
        tx: &mut Tx,
        refund: &mut Refund,
        told: &Told,
        verdict: Verdict,
    ) -> Result<(), RefundError> {
        let Verdict { event, attempt, answer } = verdict;
        let before = refund.state;
        let is_current = told.instruction == refund.instruction;
        let moved = match event {
            Some(event) if is_current => refund.apply(event).is_ok(),
            Some(_) => false,
            None => true,
        };
        if !moved {
            if contradicts(refund, is_current, event) {
                self.breaks.push(contradiction(refund, told, &answer));
            }
            // That an earlier instruction was carried out after all is kept: no other follows it.
            if event == Some(RefundEvent::Taken) && !is_current {
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

    async fn write(self, tx: &mut Tx, refunds: &BTreeMap<RefundId, Refund>) -> Result<(), RefundError> {
        let changed: Vec<&Refund> = self.changed.iter().filter_map(|id| refunds.get(id)).collect();
        let (now, entropy) = (tx.now(), tx.hub().entropy.clone());
        store::update(tx.conn(), &changed).await?;
        attempts::store::update(tx.conn(), now, &self.answers).await?;
        let ended = expectations::store::lock_by_refund(tx.conn(), &self.ended).await?;
        let ended: Vec<_> = ended.iter().map(|one| one.id).collect();
        expectations::store::update_withdrawn(tx.conn(), now, &ended).await?;
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

fn contradiction(refund: &Refund, told: &Told, answer: &str) -> NewBreak {
    NewBreak {
        category: Category::RefundUnconfirmed,
        subject: format!("{}:{}", refund.id, told.instruction),
        money: Some(refund.amount),
        channel: None,
        intent: match refund.source {
            RefundSource::Intent(id) => Some(id),
            RefundSource::Suspense(_) => None,
        },
        detail: json!({
            "refund": refund.id, "state": refund.state, "instruction": refund.instruction,
            "told_of": told.instruction, "answer": answer,
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
        intent: match refund.source {
            RefundSource::Intent(id) => Some(id),
            RefundSource::Suspense(_) => None,
        },
        refund: Some(refund.id),
        born_on,
        due_on: born_on.plus_days(within),
    })
}
