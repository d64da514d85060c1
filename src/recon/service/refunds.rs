//! Where reconciliation meets refunds: it says what it saw, and the refunds room decides what that means.

use std::collections::{BTreeMap, BTreeSet};

use mizan_ledger::Entry;

use crate::app::ServiceError;
use crate::books::{Place, Returned};
use crate::fault::Fault;
use crate::ids::RefundId;
use crate::recon::booking::{PaidIn, RefundSeen, Seen};
use crate::recon::matching::Awaited;
use crate::refunds::service::Settled;
use crate::refunds::{self, RefundError, RefundState, pay_ins};
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
    for (id, refund) in refunds::service::lock(tx, ids).await.map_err(fault)? {
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
    let mut entries = Vec::with_capacity(seen.len());
    for RefundSeen { refund, how, voucher } in seen {
        let entry = match how {
            Seen::AtBank { account } => {
                refunds::service::settle(tx, refund, &Settled::AtBank { account }, voucher).await
            }
            Seen::Netted { channel } => {
                refunds::service::settle(tx, refund, &Settled::Netted { channel }, voucher).await
            }
            Seen::CameBack { account, arrived, kept } => {
                let kept_by = account.clone();
                let returned = Returned { place: Place::Bank { account }, arrived, kept, kept_by };
                refunds::service::came_back(tx, refund, &returned, voucher).await
            }
        };
        entries.push(entry.map_err(fault)?);
    }
    Ok(entries)
}

/// Takes what agencies paid in; answers the entries to post.
pub async fn take_paid_in(tx: &mut Tx, paid_in: Vec<PaidIn>) -> Result<Vec<Entry>, Fault> {
    let mut entries = Vec::with_capacity(paid_in.len());
    for PaidIn { arrived, voucher } in paid_in {
        entries.push(pay_ins::service::arrived(tx, &arrived, voucher).await.map_err(fault)?);
    }
    Ok(entries)
}

/// Nobody hears a refusal here: what may be told was looked at under the lock.
fn fault(error: RefundError) -> Fault {
    error.into_fault().unwrap_or_else(|refusal| Fault::Other(refusal.to_string()))
}
