//! After an instruction failed or its money came back: the next instruction, another account for it, or the end.

use mizan_ledger::store::{Outcome, Refusal};
use serde_json::json;

use super::request::{account_for, check_payee};
use super::settle::ends;
use super::{Decision, News, Told, emit, is_taken_back, lock_with_source, rule, taken_from, tell, voucher};
use crate::books::{Slug, rules};
use crate::breaks::{self, Category};
use crate::expectations;
use crate::fault::Fault;
use crate::ids::RefundId;
use crate::intents::shares;
use crate::refunds::model::{Payee, Proposal, Refund, RefundError};
use crate::refunds::state::{RefundEvent, RefundState};
use crate::refunds::{attempts, files, jobs, store};
use crate::tx::Tx;

/// Names the account to which a refund goes that could not go the way it should.
#[derive(Debug, Clone)]
pub struct Redirect {
    pub refund: RefundId,
    pub payee: Payee,
}

/// Sends the next instruction of the same refund. Who asked for it does not send it.
pub async fn send_again(tx: &mut Tx, decision: &Decision) -> Result<Refund, RefundError> {
    let mut refund = lock_stuck(tx, decision.refund).await?;
    let actor = tx.actor().as_str().to_owned();
    if refund.requested_by == actor {
        return Err(RefundError::SamePerson);
    }
    if !refund.is_redirected() {
        refund.instruction = next_instruction(tx, &refund).await?;
    }
    refund.apply(RefundEvent::SentAgain)?;
    refund.provider_transaction = None;
    refund.payment_file = None;
    refund.submitted_at = None;
    refund.succeeded_at = None;
    refund.decided_by = Some(actor);
    refund.decided_at = Some(tx.now());
    refund.decision_note.clone_from(&decision.note);
    let job = jobs::send(tx.hub(), tx.now(), &refund);
    tx.enqueue(job);
    store::update(tx.conn(), &[&refund]).await?;
    emit(tx, "refund.approved", &refund, json!({ "instruction": refund.instruction, "note": decision.note }));
    Ok(refund)
}

/// Another account for the next instruction. Who names it counts as who asks: another person sends it. Money that a
/// channel would have taken back from its agency the hub now transfers, out of what the agency is owed or has paid in.
/// The next instruction begins here: what is told late of the one before is not told of this one.
pub async fn redirect(tx: &mut Tx, redirect: &Redirect) -> Result<Refund, RefundError> {
    check_payee(tx.hub(), &redirect.payee)?;
    let mut refund = lock_stuck(tx, redirect.refund).await?;
    if refund.decided_by.as_deref() == Some(tx.actor().as_str()) {
        return Err(RefundError::SamePerson);
    }
    let hub = tx.hub().clone();
    if let Some(agency) = taken_from(&hub, &refund) {
        take_over(tx, &refund, &agency).await?;
    }
    if !refund.is_redirected() {
        refund.instruction = next_instruction(tx, &refund).await?;
    }
    refund.rail = account_for(tx, refund.source, refund.amount.currency()).await?;
    refund.payee = Some(redirect.payee.clone());
    // What a bank still reports of the last file is not told of the next instruction.
    refund.payment_file = None;
    refund.provider_transaction = None;
    refund.requested_by = tx.actor().as_str().to_owned();
    refund.decided_by = None;
    refund.changed();
    store::update(tx.conn(), &[&refund]).await?;
    tx.audit("refund.redirected", refund.id, json!({ "payee": refund.payee }));
    Ok(refund)
}

/// No number is used twice, also when the refund went back to an earlier instruction.
async fn next_instruction(tx: &mut Tx, refund: &Refund) -> Result<i32, Fault> {
    let last = attempts::store::find_last(tx.conn(), refund.id).await?;
    Ok(last.max(refund.instruction) + 1)
}

async fn take_over(tx: &mut Tx, refund: &Refund, agency: &Slug) -> Result<(), RefundError> {
    let voucher = voucher(tx, tx.id(), refund);
    let entry = rules::refund::refund_taken_over(voucher, agency, refund.amount).map_err(rule)?;
    let outcomes = tx.post(&[entry]).await?;
    match outcomes.first().and_then(Outcome::refusal) {
        None => Ok(()),
        Some(Refusal::BelowFloor { .. }) => Err(RefundError::FundsMissing { agency: agency.to_string() }),
        Some(refusal) => Err(Fault::Other(format!("the book refused a refund: {refusal}")).into()),
    }
}

/// Proposes to give up, because no way to the payer was found.
pub async fn propose_give_up(tx: &mut Tx, decision: &Decision) -> Result<Refund, RefundError> {
    let refund = lock_stuck(tx, decision.refund).await?;
    proposed(tx, refund, decision, "refund.give_up_proposed").await
}

/// Proposes that an instruction of which nobody knows was not carried out, because who would have done it says so.
pub async fn propose_denial(tx: &mut Tx, decision: &Decision) -> Result<Refund, RefundError> {
    let refund = lock_unconfirmed(tx, decision.refund).await?;
    proposed(tx, refund, decision, "refund.denial_proposed").await
}

async fn proposed(
    tx: &mut Tx,
    mut refund: Refund,
    decision: &Decision,
    what: &'static str,
) -> Result<Refund, RefundError> {
    let proposal = Proposal { by: tx.actor().as_str().to_owned(), note: decision.note.clone() };
    store::update_proposal(tx.conn(), refund.id, &proposal).await?;
    tx.audit(what, refund.id, json!({ "note": proposal.note }));
    refund.proposal = Some(proposal);
    Ok(refund)
}

/// The proposal that another person agrees to now; who asked for the refund does not agree either.
fn agreed(tx: &Tx, refund: &Refund) -> Result<Proposal, RefundError> {
    let proposal = refund.proposal.clone().ok_or(RefundError::NotProposed)?;
    let actor = tx.actor().as_str();
    if proposal.by == actor || refund.requested_by == actor {
        return Err(RefundError::SamePerson);
    }
    Ok(proposal)
}

/// Does not agree to what another person proposed: the refund stands as it did before.
pub async fn refuse_proposal(tx: &mut Tx, decision: &Decision) -> Result<Refund, RefundError> {
    let mut refund = store::lock(tx.conn(), &[decision.refund]).await?.pop().ok_or(RefundError::NotFound)?;
    let proposal = agreed(tx, &refund)?;
    refund.changed();
    store::update(tx.conn(), &[&refund]).await?;
    tx.audit(
        "refund.proposal_refused",
        refund.id,
        json!({ "proposed_by": proposal.by, "note": decision.note }),
    );
    Ok(refund)
}

/// Agrees that it was not carried out: it has failed, and may be sent again. Should a statement or settlement show it all the
/// same, it was carried out.
pub async fn deny(tx: &mut Tx, decision: &Decision) -> Result<Refund, RefundError> {
    let refund = lock_unconfirmed(tx, decision.refund).await?;
    let proposal = agreed(tx, &refund)?;
    tx.audit("refund.denied", refund.id, json!({ "proposed_by": proposal.by, "note": decision.note }));
    let news = News::Failed { reason: "not_carried_out".to_owned() };
    tell(tx, &[Told { refund: refund.id, instruction: refund.instruction, news }]).await?;
    store::find(tx.conn(), refund.id).await?.ok_or(RefundError::NotFound)
}

/// A refund of which nobody knows whether it was carried out: its rail does not say, or has it and it is overdue.
async fn lock_unconfirmed(tx: &mut Tx, id: RefundId) -> Result<Refund, RefundError> {
    let refund = store::lock(tx.conn(), &[id]).await?.pop().ok_or(RefundError::NotFound)?;
    match refund.state {
        RefundState::Unknown if files::service::is_leaving(tx, &refund).await? => {
            Err(RefundError::Leaving { state: refund.state })
        }
        RefundState::Unknown | RefundState::Submitted if is_carried_out(tx, &refund).await? => {
            Err(RefundError::ToldAsDone { state: refund.state })
        }
        RefundState::Unknown => Ok(refund),
        RefundState::Submitted if is_overdue(tx, id).await? => Ok(refund),
        state => Err(RefundError::NotDeniable { state }),
    }
}

/// Whether its rail told that the current instruction was carried out.
async fn is_carried_out(tx: &mut Tx, refund: &Refund) -> Result<bool, Fault> {
    let done = attempts::store::find_carried_out(tx.conn(), &[refund.id]).await?;
    Ok(done.contains(&(refund.id, refund.instruction)))
}

/// Whether the day has passed on which it should have been seen leaving, and its break told so.
async fn is_overdue(tx: &mut Tx, id: RefundId) -> Result<bool, Fault> {
    for awaited in expectations::store::lock_by_refund(tx.conn(), &[id]).await? {
        let subject = awaited.id.to_string();
        if breaks::store::is_known(tx.conn(), Category::RefundUnconfirmed, &subject).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Agrees to give up: the money goes to the treasury's list of unclaimed money; what never came to the hub stays with its
/// agency. Neither who proposed it nor who asked for the refund agrees.
pub async fn give_up(tx: &mut Tx, decision: &Decision) -> Result<Refund, RefundError> {
    let mut held = lock_with_source(tx, decision.refund).await?;
    check_stuck(tx, &held.refund).await?;
    let proposed = agreed(tx, &held.refund)?;
    held.refund.apply(RefundEvent::GivenUp)?;
    held.refund.decision_note = decision.note.clone().or(proposed.note.clone());
    store::update(tx.conn(), &[&held.refund]).await?;
    ends(tx, &[&held.refund], "no way to the payer was found").await?;
    let refund = held.refund;
    let hub = tx.hub().clone();
    let fund = shares::slug(&hub.config.unclaimed_fund)?;
    let agency = taken_from(&hub, &refund);
    let voucher = voucher(tx, tx.id(), &refund);
    store::update_ended(tx.conn(), refund.id, voucher.id).await?;
    let entry = match &agency {
        Some(agency) => rules::refund::refund_left_at_agency(voucher, agency, refund.amount),
        None => rules::refund::refund_unclaimed(voucher, &fund, refund.amount),
    };
    let fund = agency.is_none().then_some(fund);
    tx.audit(
        "refund.unclaimed",
        refund.id,
        json!({ "fund": fund, "agency": agency, "proposed_by": proposed.by, "note": refund.decision_note }),
    );
    tx.post_all(&[entry.map_err(rule)?]).await?;
    Ok(refund)
}

/// A refund that needs a person's next step. One that its rail carried out after all needs none, for the payer has the
/// money; so he has when the channel took the payment back, and then the refund can only be canceled.
async fn lock_stuck(tx: &mut Tx, id: RefundId) -> Result<Refund, RefundError> {
    let refund = store::lock(tx.conn(), &[id]).await?.pop().ok_or(RefundError::NotFound)?;
    check_stuck(tx, &refund).await?;
    Ok(refund)
}

async fn check_stuck(tx: &mut Tx, refund: &Refund) -> Result<(), RefundError> {
    match refund.state {
        RefundState::Failed | RefundState::Returned => {}
        state => return Err(RefundError::NotApprovable { state }),
    }
    if attempts::store::is_carried_out(tx.conn(), refund.id).await? {
        return Err(RefundError::CarriedOut { state: refund.state });
    }
    if is_taken_back(tx, refund.id).await? {
        return Err(RefundError::PaymentReversed);
    }
    Ok(())
}
