//! Paying in: by the reference on a bank line, or by one person who proposes an item in suspense and one who agrees.

use mizan_ledger::{Entry, Money};
use serde_json::json;

use super::{PayIn, State, awaited_from, store};
use crate::books::{Parked, Slug, Voucher, chart, rules};
use crate::breaks::{self, Category};
use crate::fault::Fault;
use crate::ids::{PayInId, RefundId, SuspenseId};
use crate::intents::shares::slug;
use crate::queue::NewJob;
use crate::refunds::jobs;
use crate::refunds::model::{Refund, RefundError};
use crate::refunds::service::{rule, voucher};
use crate::refunds::store as refund_store;
use crate::suspense;
use crate::tx::Tx;

/// A bank line that names the reference of a refund which waits for it.
#[derive(Debug, Clone)]
pub struct Arrived {
    pub refund: RefundId,
    pub agency: Slug,
    /// Our account, by its name in the books.
    pub account: Slug,
    pub money: Money,
    pub line: i64,
}

/// Takes what a bank line brought. Writes the rows and answers the entry, which the caller posts; the refund goes on
/// after that.
pub async fn arrived(tx: &mut Tx, new: &Arrived, voucher: Voucher) -> Result<Entry, RefundError> {
    let actor = tx.actor().as_str().to_owned();
    let pay_in = PayIn {
        id: tx.id(),
        refund: new.refund,
        agency: new.agency.to_string(),
        money: new.money,
        statement_line: Some(new.line),
        item: None,
        state: State::Entered,
        proposed_by: actor.clone(),
        decided_by: Some(actor),
        note: None,
        entry: voucher.id,
        created_at: tx.now(),
        decided_at: Some(tx.now()),
    };
    store::insert(tx.conn(), &pay_in).await?;
    entered(tx, &pay_in);
    Ok(rules::payout::agency_paid_in(voucher, &new.account, &new.agency, new.money).map_err(rule)?)
}

/// An item in suspense that somebody takes for what an agency paid in.
#[derive(Debug, Clone)]
pub struct Proposal {
    pub refund: RefundId,
    pub item: SuspenseId,
    /// All of the item, or what is asked for if that is less, when none is given.
    pub amount: Option<Money>,
}

/// One person says that an item in suspense was paid in for a refund; another decides.
pub async fn propose(tx: &mut Tx, proposal: &Proposal) -> Result<PayIn, RefundError> {
    let item = suspense::store::lock(tx.conn(), proposal.item).await?.ok_or(RefundError::NotFound)?;
    let refund = lock_refund(tx, proposal.refund).await?;
    let agency = awaited(tx, &refund)?;
    // What a channel pays an agency itself is not at the hub, and pays for nothing here.
    if item.left.currency() != refund.amount.currency()
        || tx.hub().config.direct_agency(&item.account).is_some()
    {
        return Err(RefundError::NotFound);
    }
    let most = if item.left.compare(refund.amount)?.is_gt() { refund.amount } else { item.left };
    let money = proposal.amount.unwrap_or(most);
    if money.currency() != most.currency() {
        return Err(RefundError::WrongCurrency { expected: most.currency() });
    }
    if !money.is_positive() || money.compare(most)?.is_gt() {
        return Err(RefundError::OverRefund { refundable: most });
    }
    let pay_in = PayIn {
        id: tx.id(),
        refund: refund.id,
        agency: agency.to_string(),
        money,
        statement_line: None,
        item: Some(item.id),
        state: State::Proposed,
        proposed_by: tx.actor().as_str().to_owned(),
        decided_by: None,
        note: None,
        entry: tx.id(),
        created_at: tx.now(),
        decided_at: None,
    };
    if !store::insert(tx.conn(), &pay_in).await? {
        return Err(RefundError::AlreadyProposed);
    }
    tx.audit("refund.pay_in_proposed", refund.id, json!({ "pay_in": pay_in.id, "item": item.id }));
    Ok(pay_in)
}

/// What another person says to a proposal.
#[derive(Debug, Clone)]
pub struct Decision {
    pub pay_in: PayInId,
    pub note: Option<String>,
}

/// The other person agrees: the item is the agency's money, and the refund goes on.
pub async fn approve(tx: &mut Tx, decision: &Decision) -> Result<PayIn, RefundError> {
    let known = store::lock(tx.conn(), decision.pay_in).await?.ok_or(RefundError::NotFound)?;
    let item = known.item.ok_or(RefundError::NotFound)?;
    let item = suspense::store::lock(tx.conn(), item).await?.ok_or(RefundError::NotFound)?;
    let refund = lock_refund(tx, known.refund).await?;
    let mut pay_in = decided(tx, known, decision, State::Entered)?;
    awaited(tx, &refund)?;
    if pay_in.money.compare(item.left)?.is_gt() {
        return Err(RefundError::OverRefund { refundable: item.left });
    }
    store::update(tx.conn(), &pay_in).await?;
    suspense::store::update_used(tx.conn(), &[(item.id, pay_in.money)]).await?;
    let used_up = refund_store::find_used_up(tx.conn(), &[item.id]).await?;
    let subjects: Vec<String> = used_up.into_iter().map(|(_, _, subject)| subject).collect();
    let (now, why) = (tx.now(), format!("paid in for refund {}", refund.id));
    breaks::store::update_self_resolved(tx.conn(), now, Category::UnknownCredit, &subjects, &why).await?;
    let parked = Parked { suspense: slug(&item.account)?, amount: pay_in.money };
    let payable = chart::agency_payable(&slug(&pay_in.agency)?, 0, pay_in.money.currency());
    let voucher = voucher(tx, pay_in.entry, &refund);
    let entry = rules::suspense::suspense_credit_explained(voucher, &parked, payable).map_err(rule)?;
    tx.post_all(&[entry]).await?;
    entered(tx, &pay_in);
    pay_in.note.clone_from(&decision.note);
    Ok(pay_in)
}

/// The other person says no: the item waits in suspense as before.
pub async fn refuse(tx: &mut Tx, decision: &Decision) -> Result<PayIn, RefundError> {
    let known = store::lock(tx.conn(), decision.pay_in).await?.ok_or(RefundError::NotFound)?;
    let pay_in = decided(tx, known, decision, State::Refused)?;
    store::update(tx.conn(), &pay_in).await?;
    let detail = json!({ "pay_in": pay_in.id, "note": pay_in.note });
    tx.audit("refund.pay_in_refused", pay_in.refund, detail);
    Ok(pay_in)
}

fn decided(tx: &Tx, known: PayIn, decision: &Decision, state: State) -> Result<PayIn, RefundError> {
    if known.state != State::Proposed {
        return Err(RefundError::PayInDecided { state: known.state.as_str() });
    }
    let actor = tx.actor().as_str().to_owned();
    if known.proposed_by == actor {
        return Err(RefundError::SamePerson);
    }
    let (note, decided_at) = (decision.note.clone(), Some(tx.now()));
    Ok(PayIn { state, decided_by: Some(actor), note, decided_at, ..known })
}

/// The agency's money is here: what waits for it is asked for again at once.
fn entered(tx: &mut Tx, pay_in: &PayIn) {
    let detail = json!({ "pay_in": pay_in.id, "agency": pay_in.agency, "money": pay_in.money });
    tx.audit("refund.paid_in", pay_in.refund, detail);
    tx.enqueue(NewJob::now(jobs::FUNDED, pay_in.refund));
}

async fn lock_refund(tx: &mut Tx, id: RefundId) -> Result<Refund, RefundError> {
    refund_store::lock(tx.conn(), &[id]).await?.pop().ok_or(RefundError::NotFound)
}

fn awaited(tx: &Tx, refund: &Refund) -> Result<Slug, RefundError> {
    awaited_from(tx.hub(), refund).ok_or(RefundError::NotApprovable { state: refund.state })
}

/// The refunds with these serials; for whoever reads references off statements.
pub async fn find_by_serials(tx: &mut Tx, serials: &[i64]) -> Result<Vec<RefundId>, Fault> {
    refund_store::find_by_serials(tx.conn(), serials).await
}
