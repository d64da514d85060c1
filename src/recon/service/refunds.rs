//! Where reconciliation meets refunds: it says what it saw, and the refunds room decides what that means.

use std::collections::{BTreeMap, BTreeSet};

use mizan_ledger::Entry;

use crate::app::ServiceError;
use crate::books::{Place, Returned};
use crate::fault::Fault;
use crate::ids::RefundId;
use crate::recon::booking::{PaidIn, RefundSeen, Seen};
use crate::recon::matching::Awaited;
use crate::recon::store::{self, Debit};
use crate::refunds::service::{Heard, Left, Settled};
use crate::refunds::{self, RefundState, pay_ins};
use crate::tx::Tx;

/// Refunds under lock, by what may be told of them now.
#[derive(Debug, Default)]
pub struct Locked {
    /// They may be seen leaving.
    pub in_flight: BTreeSet<RefundId>,
    /// They may be seen coming back.
    pub succeeded: BTreeSet<RefundId>,
    /// They wait for their agency to pay in; by their serial.
    pub awaited: BTreeMap<i64, Awaited>,
}

/// Locks these refunds and the payments they take from; before expectations are locked.
pub async fn lock(tx: &mut Tx, ids: &[RefundId]) -> Result<Locked, Fault> {
    let mut locked = Locked::default();
    if ids.is_empty() {
        return Ok(locked);
    }
    for (id, refund) in refunds::service::lock(tx, ids).await.map_err(ServiceError::unheard)? {
        if let Some(agency) = pay_ins::awaited_from(tx.hub(), &refund) {
            let one = Awaited { refund: id, agency, amount: refund.amount };
            locked.awaited.insert(refund.serial, one);
        }
        if refund.state.is_in_flight() {
            locked.in_flight.insert(id);
        } else if refund.state == RefundState::Succeeded {
            locked.succeeded.insert(id);
        }
    }
    Ok(locked)
}

/// Tells the refunds what was seen of them; answers the entries to post.
pub async fn settle(tx: &mut Tx, seen: Vec<RefundSeen>) -> Result<Vec<Entry>, Fault> {
    let (mut left, mut back) = (Vec::new(), Vec::new());
    for RefundSeen { refund, how, voucher } in seen {
        let how = match how {
            Seen::AtBank { account } => Settled::AtBank { account },
            Seen::AtBankUnknown { account } => Settled::AtBankUnknown { account },
            Seen::Netted { channel } => Settled::Netted { channel },
            Seen::CameBack { account, arrived, kept } => {
                let kept_by = account.clone();
                let returned = Returned { place: Place::Bank { account }, arrived, kept, kept_by };
                back.push((refund, returned, voucher));
                continue;
            }
        };
        left.push(Left { refund, how, voucher });
    }
    let mut entries = Vec::new();
    if !left.is_empty() {
        entries = refunds::service::settle(tx, left).await.map_err(ServiceError::unheard)?;
    }
    for (refund, returned, voucher) in back {
        let entry = refunds::service::came_back(tx, refund, &returned, voucher).await;
        entries.push(entry.map_err(ServiceError::unheard)?);
    }
    Ok(entries)
}

/// Orders of ours that a bank booked though it had told that it refused them.
pub async fn find_booked(tx: &mut Tx, _: &()) -> Result<Vec<(RefundId, Heard)>, Fault> {
    let debits = store::page_debits(tx.conn()).await?;
    let references: Vec<String> = debits.iter().map(|debit| debit.reference.clone()).collect();
    let refused: BTreeMap<String, RefundId> =
        refunds::service::find_refused(tx.conn(), &references).await?.into_iter().collect();
    let heard = |debit: Debit| {
        let refund = *refused.get(&debit.reference)?;
        let Debit { account: channel, reference, money, money_key: transaction } = debit;
        Some((refund, Heard { channel, reference, money, transaction, failed: None }))
    };
    Ok(debits.into_iter().filter_map(heard).collect())
}

/// Its statement is the bank's word: the order was carried out.
pub async fn hear(tx: &mut Tx, heard: &Heard) -> Result<(), Fault> {
    refunds::service::hear(tx, heard).await.map_err(ServiceError::unheard)?;
    Ok(())
}

/// A refund of which no later order is on its way goes on from there, and its line is judged as that; of any other it is told in
/// a break.
pub async fn recover(tx: &mut Tx, refund: &RefundId) -> Result<(), Fault> {
    refunds::service::recover(tx, refund).await.map_err(ServiceError::unheard)?;
    Ok(())
}

/// Takes what agencies paid in; answers the entries to post.
pub async fn take_paid_in(tx: &mut Tx, paid_in: Vec<PaidIn>) -> Result<Vec<Entry>, Fault> {
    let mut entries = Vec::with_capacity(paid_in.len());
    for PaidIn { arrived, voucher } in paid_in {
        entries.push(pay_ins::service::arrived(tx, &arrived, voucher).await.map_err(ServiceError::unheard)?);
    }
    Ok(entries)
}
