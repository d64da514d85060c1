//! What a statement or a settlement shows: the money left, or it came back. Called by reconciliation, which posts the
//! entries with its own.

use std::collections::BTreeMap;

use mizan_ledger::{Entry, Money};
use serde_json::json;

use super::{Held, emit, lock_with_source, rule, voucher};
use crate::books::{Returned, RuleError, Slug, Voucher, chart, rules};
use crate::breaks::{self, Category, NewBreak};
use crate::expectations::{self, Keys, Kind, Met};
use crate::fault::Fault;
use crate::ids::{IntentId, RefundId, SuspenseId};
use crate::intents::{self, Intent, shares::slug};
use crate::queue::NewJob;
use crate::receipts;
use crate::refunds::model::{Rail, Refund, RefundError, RefundSource};
use crate::refunds::state::RefundEvent;
use crate::refunds::store;
use crate::refunds::{attempts, jobs};
use crate::tx::Tx;

/// Where the money was seen to leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// On a statement of this account of ours.
    AtBank { account: Slug },
    /// On a statement of this account, and booked as money that nobody knew.
    AtBankUnknown { account: Slug },
    /// Kept back by this channel from its settlement.
    Netted { channel: Slug },
}

/// Locks refunds with the payments they take from, in the order in which the hub locks. Call it before expectations
/// are locked, with every refund that [`settle`] or [`came_back`] will be called for in this transaction.
pub async fn lock(tx: &mut Tx, ids: &[RefundId]) -> Result<BTreeMap<RefundId, Refund>, RefundError> {
    let payments = store::find_payments(tx.conn(), ids).await?;
    intents::service::lock(tx.conn(), &payments).await?;
    let locked = store::lock(tx.conn(), ids).await?;
    Ok(locked.into_iter().map(|refund| (refund.id, refund)).collect())
}

/// A refund whose whole amount was seen leaving, and where.
#[derive(Debug, Clone)]
pub struct Left {
    pub refund: RefundId,
    pub how: Settled,
    pub voucher: Voucher,
}

/// They have succeeded: their payments are refunded by as much and the receipts credited. Writes the rows, in as many statements
/// for all as for one, and answers the entries, which the caller posts.
///
/// # Errors
/// [`RefundError::Illegal`] when one is neither submitted nor unknown: the money left on another account, and that is a
/// break.
pub async fn settle(tx: &mut Tx, left: Vec<Left>) -> Result<Vec<Entry>, RefundError> {
    let ids: Vec<RefundId> = left.iter().map(|one| one.refund).collect();
    let payments = store::find_payments(tx.conn(), &ids).await?;
    let mut payments: BTreeMap<IntentId, Intent> =
        intents::service::lock(tx.conn(), &payments).await?.into_iter().map(|one| (one.id, one)).collect();
    let mut refunds: BTreeMap<RefundId, Refund> =
        store::lock(tx.conn(), &ids).await?.into_iter().map(|one| (one.id, one)).collect();
    let (mut entries, mut credits) = (Vec::with_capacity(left.len()), Vec::new());
    for Left { refund, how, voucher } in left {
        let refund = refunds.get_mut(&refund).ok_or(RefundError::NotFound)?;
        refund.apply(RefundEvent::Seen)?;
        refund.succeeded_at = Some(tx.now());
        if let Some(payment) = refund.source.intent().and_then(|id| payments.get_mut(&id)) {
            payment.refunded = payment.refunded.checked_add(refund.amount)?;
            credits.extend(payment.receipt.clone().map(|number| (number, refund.amount)));
        }
        emit(tx, "refund.succeeded", refund, json!({ "entry": voucher.id }));
        entries.push(entry(&how, voucher, refund.amount).map_err(rule)?);
    }
    let settled: Vec<&Refund> = refunds.values().collect();
    store::update(tx.conn(), &settled).await?;
    intents::service::update(tx.conn(), &payments.values().collect::<Vec<_>>()).await?;
    receipts::service::update_credited(tx.conn(), &credits).await?;
    ends(tx, &settled, "it was given back").await?;
    Ok(entries)
}

fn entry(how: &Settled, voucher: Voucher, amount: Money) -> Result<Entry, RuleError> {
    match how {
        Settled::AtBank { account } => rules::refund::refund_seen_at_bank(voucher, account, amount),
        Settled::AtBankUnknown { account } => {
            let in_flight = chart::refunds_in_flight(amount.currency());
            rules::suspense::unknown_debit_explained(voucher, account, in_flight, amount)
        }
        Settled::Netted { channel } => rules::refund::refund_netted(voucher, channel, amount),
    }
}

/// The subject of the break of an instruction whose money came back.
fn returned_subject(refund: &Refund, instruction: i32) -> String {
    format!("{}:{instruction}", refund.id)
}

/// Refunds that were written have ended for good: so have the breaks of their earlier instructions that came back, and those of
/// the items in suspense that they used up.
pub(super) async fn ends(tx: &mut Tx, refunds: &[&Refund], because: &'static str) -> Result<(), RefundError> {
    let now = tx.now();
    let mut subjects = Vec::new();
    for refund in refunds {
        subjects.extend((1..=refund.instruction).map(|instruction| returned_subject(refund, instruction)));
    }
    breaks::store::update_self_resolved(tx.conn(), now, Category::RefundReturned, &subjects, because).await?;
    let from_suspense = |refund: &&Refund| match refund.source {
        RefundSource::Suspense(id) => Some(id),
        RefundSource::Intent(_) => None,
    };
    let items: Vec<SuspenseId> = refunds.iter().filter_map(from_suspense).collect();
    let mut over: BTreeMap<Category, Vec<String>> = BTreeMap::new();
    for (id, cause, subject) in store::find_used_up(tx.conn(), &items).await? {
        let cause = cause.parse().map_err(|_| Fault::corrupt("suspense_items", "cause", id))?;
        over.entry(cause).or_default().push(subject);
    }
    for (cause, subjects) in over {
        breaks::store::update_self_resolved(tx.conn(), now, cause, &subjects, because).await?;
    }
    Ok(())
}

/// The channel told only now that it gave this refund back, after it had failed for us. Was a settlement booked meanwhile
/// that held it, what it took is owed to us since as an unknown debit: it was this refund, which has succeeded by it.
pub async fn settle_told_late(tx: &mut Tx, id: &RefundId) -> Result<(), RefundError> {
    let Some(refund) = lock(tx, &[*id]).await?.remove(id) else { return Ok(()) };
    let Rail::Gateway { channel, .. } = &refund.rail else { return Ok(()) };
    if !refund.state.is_in_flight() {
        return Ok(());
    }
    let keys = Keys { references: vec![refund.reference()], ..Keys::default() };
    let open = expectations::store::lock_by_keys(tx.conn(), &keys).await?;
    let of = |kind| open.iter().filter(move |one| one.kind == kind && one.channel == *channel);
    let own = of(Kind::NettedRefund).find(|one| one.refund == Some(*id));
    let owed = of(Kind::Payment).find(|one| one.money == refund.amount && one.money_key.is_none());
    let (Some(own), Some(owed)) = (own, owed) else { return Ok(()) };
    let voucher = voucher(tx, tx.id(), &refund);
    let (now, entry) = (tx.now(), voucher.id);
    let how = Settled::Netted { channel: slug(channel)? };
    let seen = settle(tx, vec![Left { refund: *id, how, voucher }]).await?;
    let met =
        [own, owed].map(|one| Met { expectation: one.id, statement_line: None, settlement: None, entry });
    expectations::store::update_met(tx.conn(), now, &met).await?;
    let taken = owed.transaction.as_ref().map(|name| format!("{channel}:{name}"));
    let told = [
        (Category::UnknownDebit, taken.clone()),
        (Category::CutOff, taken),
        (Category::MissingAtBank, Some(owed.id.to_string())),
        (Category::RefundUnconfirmed, Some(own.id.to_string())),
    ];
    for (category, subject) in told {
        let subjects = Vec::from_iter(subject);
        let because = "its channel told afterwards which refund it was";
        breaks::store::update_self_resolved(tx.conn(), now, category, &subjects, because).await?;
    }
    tx.post_all(&seen).await?;
    Ok(())
}

/// Money that was seen leaving came back: it is owed to the payer again, and staff find another way. Writes the rows
/// and answers the entry, which the caller posts. A return presupposes that [`settle`] was called for the debit.
///
/// # Errors
/// [`RefundError::Illegal`] when the refund has not succeeded.
pub async fn came_back(
    tx: &mut Tx,
    id: RefundId,
    returned: &Returned,
    voucher: Voucher,
) -> Result<Entry, RefundError> {
    let mut held = lock_with_source(tx, id).await?;
    held.refund.apply(RefundEvent::CameBack)?;
    held.refund.failure = Some("returned".to_owned());
    let back = held.refund.amount.checked_neg()?;
    write(tx, &mut held, back).await?;
    attempts::store::update_returned(tx.conn(), id, held.refund.instruction, voucher.id).await?;
    let (now, entropy) = (tx.now(), tx.hub().entropy.clone());
    let open = NewBreak {
        category: Category::RefundReturned,
        subject: returned_subject(&held.refund, held.refund.instruction),
        money: Some(held.refund.amount),
        channel: None,
        intent: held.intent.as_ref().map(|intent| intent.id),
        detail: json!({ "refund": id, "arrived": returned.arrived, "kept": returned.kept }),
    };
    breaks::store::insert(tx.conn(), &entropy, now, &[open]).await?;
    emit(tx, "refund.returned", &held.refund, json!({ "arrived": returned.arrived, "kept": returned.kept }));
    if held.refund.instruction > 1 {
        // The payer may have the money by an earlier one.
        tx.enqueue(NewJob::now(jobs::SETTLED, id));
    }
    Ok(rules::refund::refund_returned(voucher, returned).map_err(rule)?)
}

/// The refund, what its payment has been refunded by, and the credit on the receipt.
async fn write(tx: &mut Tx, held: &mut Held, by: Money) -> Result<(), RefundError> {
    store::update(tx.conn(), &[&held.refund]).await?;
    let Some(intent) = &mut held.intent else { return Ok(()) };
    intent.refunded = intent.refunded.checked_add(by)?;
    intents::service::update(tx.conn(), &[intent]).await?;
    if let Some(number) = &intent.receipt {
        receipts::service::update_credited(tx.conn(), &[(number.clone(), by)]).await?;
    }
    Ok(())
}
