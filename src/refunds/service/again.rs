//! After an instruction failed or its money came back: the next instruction, another account for it, or the end.

use serde_json::json;

use super::request::account_for;
use super::{Decision, emit, rule, voucher};
use crate::books::rules;
use crate::ids::RefundId;
use crate::intents::shares;
use crate::refunds::model::{Payee, Refund, RefundError, RefundEvent, RefundState};
use crate::refunds::{jobs, store};
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
    refund.apply(RefundEvent::SentAgain)?;
    refund.instruction += 1;
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

/// Another account for the next instruction. Who names it counts as who asks: another person sends it.
pub async fn redirect(tx: &mut Tx, redirect: &Redirect) -> Result<Refund, RefundError> {
    let mut refund = lock_stuck(tx, redirect.refund).await?;
    if refund.decided_by.as_deref() == Some(tx.actor().as_str()) {
        return Err(RefundError::SamePerson);
    }
    let hub = tx.hub().clone();
    refund.rail = account_for(&hub, refund.amount.currency())?;
    refund.payee = Some(redirect.payee.clone());
    refund.requested_by = tx.actor().as_str().to_owned();
    refund.decided_by = None;
    refund.version += 1;
    store::update(tx.conn(), &[&refund]).await?;
    tx.audit("refund.redirected", refund.id, json!({ "payee": refund.payee }));
    Ok(refund)
}

/// Gives up: no way to the payer was found, and the money goes to the treasury's list of unclaimed money. Who asked
/// for the refund does not decide it.
pub async fn give_up(tx: &mut Tx, decision: &Decision) -> Result<Refund, RefundError> {
    let mut refund = lock_stuck(tx, decision.refund).await?;
    if refund.requested_by == tx.actor().as_str() {
        return Err(RefundError::SamePerson);
    }
    refund.apply(RefundEvent::GivenUp)?;
    refund.decision_note.clone_from(&decision.note);
    store::update(tx.conn(), &[&refund]).await?;
    let fund = shares::slug(&tx.hub().config.unclaimed_fund)?;
    let voucher = voucher(tx, tx.id(), &refund);
    store::update_ended(tx.conn(), refund.id, voucher.id).await?;
    let entry = rules::refund::refund_unclaimed(voucher, &fund, refund.amount).map_err(rule)?;
    tx.audit("refund.unclaimed", refund.id, json!({ "fund": fund, "note": decision.note }));
    tx.post_all(&[entry]).await?;
    Ok(refund)
}

async fn lock_stuck(tx: &mut Tx, id: RefundId) -> Result<Refund, RefundError> {
    let refund = store::lock(tx.conn(), &[id]).await?.pop().ok_or(RefundError::NotFound)?;
    match refund.state {
        RefundState::Failed | RefundState::Returned => Ok(refund),
        state => Err(RefundError::NotApprovable { state }),
    }
}
