//! The decision on a refund: taken by another than who asked for it.

use mizan_ledger::store::{Outcome, Refusal};
use serde_json::json;

use super::settle::ends;
use super::{
    Held, another_person, basket, cause, emit, is_taken_back, lock_with_source, rule, taken_from, voucher,
};
use crate::books::{Beneficiary, Share, Slug, Stage, rules};
use crate::breaks;
use crate::fault::Fault;
use crate::ids::RefundId;
use crate::intents::{self, Intent, shares};
use crate::queue::NewJob;
use crate::refunds::attempts::{self, AttemptState};
use crate::refunds::model::{Rail, Refund, RefundError};
use crate::refunds::state::{RefundEvent, RefundState};
use crate::refunds::{components, jobs, store};
use crate::suspense;
use crate::tx::Tx;

/// What an approver says.
#[derive(Debug, Clone)]
pub struct Decision {
    pub refund: RefundId,
    pub note: Option<String>,
}

/// Another person agrees: the money leaves its components and is owed to the payer. Where the book refuses because
/// an account would fall below its limit, the refund waits for funds.
pub async fn approve(tx: &mut Tx, decision: &Decision) -> Result<Refund, RefundError> {
    let mut held = lock_with_source(tx, decision.refund).await?;
    undecided(&held.refund)?;
    another_person(tx, &held.refund)?;
    if is_taken_back(tx, held.refund.id).await? {
        return Err(RefundError::PaymentReversed);
    }
    decided(tx, &mut held.refund, decision);
    enter_approval(tx, held).await
}

/// Asks the book again for a refund that waits for funds. One whose payment its channel took back waits for a person.
pub async fn fund(tx: &mut Tx, id: &RefundId) -> Result<Refund, RefundError> {
    let held = lock_with_source(tx, *id).await?;
    if held.refund.state != RefundState::AwaitingFunds || is_taken_back(tx, *id).await? {
        return Ok(held.refund);
    }
    enter_approval(tx, held).await
}

/// Another person says no: what was reserved is free again.
pub async fn refuse(tx: &mut Tx, decision: &Decision) -> Result<Refund, RefundError> {
    let mut held = lock_with_source(tx, decision.refund).await?;
    undecided(&held.refund)?;
    another_person(tx, &held.refund)?;
    decided(tx, &mut held.refund, decision);
    held.refund.apply(RefundEvent::Refused)?;
    free(tx, &mut held).await?;
    store::update(tx.conn(), &[&held.refund]).await?;
    emit(tx, "refund.refused", &held.refund, json!({ "note": decision.note }));
    Ok(held.refund)
}

/// Who asked takes it back before anybody decided.
pub async fn withdraw(tx: &mut Tx, id: &RefundId) -> Result<Refund, RefundError> {
    let mut held = lock_with_source(tx, *id).await?;
    if held.refund.requested_by != tx.actor().as_str() {
        return Err(RefundError::NotFound);
    }
    if held.refund.state != RefundState::Requested {
        let why = "it has been decided";
        return Err(RefundError::NotCancelable { state: held.refund.state, why });
    }
    held.refund.apply(RefundEvent::Canceled)?;
    free(tx, &mut held).await?;
    store::update(tx.conn(), &[&held.refund]).await?;
    emit(tx, "refund.canceled", &held.refund, json!({}));
    Ok(held.refund)
}

/// Another than who approved stops it before its instruction leaves, or after the instruction failed or the money came
/// back when the channel has taken the payment back: the money goes back to where it stood.
pub async fn cancel(tx: &mut Tx, decision: &Decision) -> Result<Refund, RefundError> {
    let mut held = lock_with_source(tx, decision.refund).await?;
    another_person_cancels(tx, &held.refund).await?;
    let was = held.refund.state;
    held.refund.apply(RefundEvent::Canceled)?;
    held.refund.decision_note = decision.note.clone();
    free(tx, &mut held).await?;
    store::update(tx.conn(), &[&held.refund]).await?;
    if was != RefundState::AwaitingFunds {
        put_back(tx, &held).await?;
    }
    emit(tx, "refund.canceled", &held.refund, json!({ "note": decision.note }));
    Ok(held.refund)
}

async fn another_person_cancels(tx: &mut Tx, refund: &Refund) -> Result<(), RefundError> {
    let not = |why| Err(RefundError::NotCancelable { state: refund.state, why });
    match refund.state {
        RefundState::AwaitingFunds | RefundState::Approved => {}
        RefundState::Failed | RefundState::Returned => {
            if !is_taken_back(tx, refund.id).await? {
                return not("send it again or give it up");
            }
            another_person(tx, refund)?;
            return match attempts::store::is_carried_out(tx.conn(), refund.id).await? {
                true => Err(RefundError::CarriedOut { state: refund.state }),
                false => Ok(()),
            };
        }
        _ => return not("it is not approved, or it has left"),
    }
    another_person(tx, refund)?;
    if refund.instruction > 1 {
        return not("it was sent before: send it again or give it up");
    }
    let attempt = attempts::store::find(tx.conn(), refund.id, refund.instruction).await?;
    if attempt.is_some_and(|attempt| attempt.state != AttemptState::NotSent) {
        return not("its instruction is being sent");
    }
    Ok(())
}

/// What was owed to the payer stands where it stood before.
async fn put_back(tx: &mut Tx, held: &Held) -> Result<(), RefundError> {
    ends(tx, &[&held.refund], "the refund was canceled").await?;
    if let Some(item) = &held.item {
        let back = held.refund.amount.checked_neg()?;
        suspense::store::update_used(tx.conn(), &[(item.id, back)]).await?;
        breaks::store::update_reopened(tx.conn(), cause(item)?, &item.break_subject).await?;
    }
    let stands = stands(tx, held).await?;
    let voucher = voucher(tx, tx.id(), &held.refund);
    store::update_ended(tx.conn(), held.refund.id, voucher.id).await?;
    let entry = rules::refund::refund_canceled(voucher, held.refund.amount, &stands).map_err(rule)?;
    tx.post_all(&[entry]).await?;
    Ok(())
}

fn undecided(refund: &Refund) -> Result<(), RefundError> {
    match refund.state {
        RefundState::Requested => Ok(()),
        RefundState::Canceled if refund.decided_by.is_none() => {
            Err(RefundError::NotApprovable { state: refund.state })
        }
        state => Err(RefundError::AlreadyDecided { state }),
    }
}

fn decided(tx: &Tx, refund: &mut Refund, decision: &Decision) {
    refund.decided_by = Some(tx.actor().as_str().to_owned());
    refund.decision_note.clone_from(&decision.note);
    refund.decided_at = Some(tx.now());
}

/// Offers the approval to the book. A refusal below a floor is recorded there under its id, so the next try has
/// another one.
async fn enter_approval(tx: &mut Tx, mut held: Held) -> Result<Refund, RefundError> {
    let amount = held.refund.amount;
    let stands = stands(tx, &held).await?;
    if let Some(item) = &held.item {
        if amount.compare(item.left)?.is_gt() {
            return Err(RefundError::OverRefund { refundable: item.left });
        }
        suspense::store::update_used(tx.conn(), &[(item.id, amount)]).await?;
    }
    let voucher = voucher(tx, held.refund.approved_entry, &held.refund);
    let entry = rules::refund::refund_approved(voucher, amount, &stands).map_err(rule)?;
    let outcomes = tx.post(&[entry]).await?;
    match outcomes.first().and_then(Outcome::refusal) {
        None => approved(tx, &mut held.refund)?,
        Some(Refusal::BelowFloor { account, .. }) if held.item.is_none() => {
            let account = account.to_string();
            wait_for_funds(tx, &mut held.refund, &account)?;
        }
        Some(refusal) => return Err(Fault::Other(format!("the book refused a refund: {refusal}")).into()),
    }
    store::update(tx.conn(), &[&held.refund]).await?;
    Ok(held.refund)
}

fn approved(tx: &mut Tx, refund: &mut Refund) -> Result<(), RefundError> {
    refund.apply(RefundEvent::Approved)?;
    refund.instruction = 1;
    let job = jobs::send(tx.hub(), tx.now(), refund);
    tx.enqueue(job);
    emit(tx, "refund.approved", refund, json!({ "by": refund.decided_by, "note": refund.decision_note }));
    Ok(())
}

fn wait_for_funds(tx: &mut Tx, refund: &mut Refund, account: &str) -> Result<(), RefundError> {
    if refund.state != RefundState::AwaitingFunds {
        refund.apply(RefundEvent::FundsMissing)?;
        tx.audit("refund.awaiting_funds", refund.id, json!({ "by": refund.decided_by, "account": account }));
        let at = tx.now().plus_seconds(jobs::FUNDS_PAUSE_SECONDS);
        tx.enqueue(NewJob::now(jobs::FUND, refund.id).at(at));
    }
    refund.approved_entry = tx.id();
    Ok(())
}

/// Where each component stands; for money in suspense, the item's account.
async fn stands(tx: &mut Tx, held: &Held) -> Result<Vec<Share>, RefundError> {
    let refund = &held.refund;
    match (&held.intent, &held.item) {
        (Some(intent), _) => {
            if let Some((agency, stage)) = at_agency(tx, refund, intent).await? {
                let beneficiary = Beneficiary::Agency { agency, stage };
                return Ok(vec![Share { beneficiary, amount: refund.amount }]);
            }
            let basket = basket(tx, intent).await?;
            let released = intents::service::find_releases(tx.conn(), intent.id).await?;
            Ok(components::stands(&basket, &refund.parts, &released)?)
        }
        (None, Some(item)) => {
            let beneficiary = Beneficiary::Suspense { suspense: shares::slug(&item.account)? };
            Ok(vec![Share { beneficiary, amount: refund.amount }])
        }
        (None, None) => Err(Fault::corrupt("refunds", "source", refund.id).into()),
    }
}

/// The agency that has the money of a payment itself, and where the refund is taken from: its channel takes it back from
/// the agency; where the hub has to transfer it, from what the agency is owed or has paid in.
async fn at_agency(tx: &mut Tx, refund: &Refund, intent: &Intent) -> Result<Option<(Slug, Stage)>, Fault> {
    if let Rail::Gateway { .. } = refund.rail {
        return Ok(taken_from(tx.hub(), refund).map(|agency| (agency, Stage::Direct)));
    }
    // Taken back or not: where the money went when it came.
    let carrying = intents::attempts::service::lock_carrying(tx, intent.id).await?;
    let hub = tx.hub();
    let agency = carrying.iter().find_map(|attempt| hub.config.direct_agency(&attempt.channel).cloned());
    Ok(agency.map(|agency| (agency, Stage::Payable)))
}

/// What the refund held of its payment may be asked for again, but not what was delivered meanwhile. (An item in suspense
/// is held by the request itself.)
async fn free(tx: &mut Tx, held: &mut Held) -> Result<(), RefundError> {
    let Some(intent) = &mut held.intent else { return Ok(()) };
    let basket = basket(tx, intent).await?;
    let kept = components::kept(&basket, &held.refund.parts, |line| intent.is_delivered(line))?;
    intent.refund_reserved = intent.refund_reserved.checked_sub(held.refund.amount)?;
    intent.kept = intent.kept.checked_add(kept)?;
    intents::service::update(tx.conn(), &[intent]).await?;
    Ok(())
}
