//! Instructions and what the rail makes of them.

use std::collections::BTreeMap;

use mizan_ledger::Money;

use super::changes::{self, Changes, Verdict};
use super::recover;
use crate::breaks;
use crate::ids::RefundId;
use crate::queue::NewJob;
use crate::refunds::attempts::{self, Attempt, AttemptState};
use crate::refunds::model::{Rail, Refund, RefundError};
use crate::refunds::state::{RefundEvent, RefundState};
use crate::refunds::store;
use crate::refunds::{files, jobs};
use crate::tx::Tx;

/// A gateway that does not know a reference so long after it was sent will not carry it out any more.
const LOST_SECONDS: i64 = 900;

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
    /// The rail says that the payer has the money, under its own id.
    CarriedOut { transaction: String },
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
    if recover(tx, id).await? {
        return Ok(None);
    }
    let known = store::find(tx.conn(), *id).await?.ok_or(RefundError::NotFound)?;
    if let Rail::Bank { account } = &known.rail {
        files::write::write(tx, account).await?;
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

/// What a gateway is to be asked about this refund; None when it is not on its way, or when it has told what became of it.
pub async fn who_to_ask(tx: &mut Tx, id: &RefundId) -> Result<Option<Asked>, RefundError> {
    let refund = store::find(tx.conn(), *id).await?.ok_or(RefundError::NotFound)?;
    let Rail::Gateway { channel, .. } = &refund.rail else { return Ok(None) };
    let done = attempts::store::find_carried_out(tx.conn(), &[*id]).await?;
    if done.contains(&(*id, refund.instruction)) {
        return Ok(None);
    }
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
    /// The channel that says it, or the bank account whose statement does.
    pub channel: String,
    pub reference: String,
    pub money: Money,
    pub transaction: String,
    /// The rail's reason when it failed; None when it was carried out.
    pub failed: Option<String>,
}

/// A notice of the inbox becomes a job: the poster does not lock refunds.
pub fn notice_job(heard: &Heard) -> NewJob {
    let outcome = if heard.failed.is_some() { "failed" } else { "refunded" };
    let body = serde_json::to_value(heard).expect("a struct of texts");
    NewJob { body, ..NewJob::now(jobs::HEAR, format!("{}:{outcome}:{}", heard.reference, heard.money)) }
}

/// Applies what a channel's notice says. Answers whether the reference is one of ours.
pub async fn hear(tx: &mut Tx, heard: &Heard) -> Result<bool, RefundError> {
    let found = attempts::store::find_by_reference(tx.conn(), &heard.channel, &heard.reference).await?;
    let Some(attempt) = found else { return Ok(false) };
    let refund = store::find(tx.conn(), attempt.refund).await?.ok_or(RefundError::NotFound)?;
    if refund.amount != heard.money {
        let (now, entropy) = (tx.now(), tx.hub().entropy.clone());
        let other = changes::told_of_other_money(&refund, attempt.instruction, heard);
        breaks::store::insert(tx.conn(), &entropy, now, &[other]).await?;
        return Ok(true);
    }
    let news = match &heard.failed {
        Some(reason) => News::Failed { reason: reason.clone() },
        None => News::CarriedOut { transaction: heard.transaction.clone() },
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
    let done = attempts::store::find_carried_out(tx.conn(), &ids).await?;
    let mut changes = Changes::default();
    for one in told {
        let Some(refund) = refunds.get_mut(&one.refund) else { continue };
        match verdict(tx, one).await? {
            Some(verdict) => {
                let was_done = done.contains(&(one.refund, one.instruction));
                changes.apply(tx, refund, one, Verdict { was_done, ..verdict })?;
            }
            None => continue,
        }
    }
    changes.write(tx, &refunds).await
}

/// None when it is too early to say.
async fn verdict(tx: &mut Tx, told: &Told) -> Result<Option<Verdict>, RefundError> {
    let verdict = |event, attempt, answer: &str| {
        Ok(Some(Verdict { event, attempt, answer: answer.to_owned(), was_done: false }))
    };
    match &told.news {
        News::Taken { transaction } => verdict(Some(RefundEvent::Taken), AttemptState::Accepted, transaction),
        News::CarriedOut { transaction } => {
            verdict(Some(RefundEvent::Taken), AttemptState::CarriedOut, transaction)
        }
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
