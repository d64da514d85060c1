//! The seam to the refunds room: a refund's success is decided there. Until it is told of here, no refund counts as on
//! its way, so that the lines that would show one wait.

use std::collections::BTreeSet;

use mizan_ledger::Entry;

use crate::fault::Fault;
use crate::ids::RefundId;
use crate::recon::booking::RefundSeen;
use crate::tx::Tx;

/// Locks these refunds, before expectations are locked, and answers those whose success may be told.
pub async fn lock(_: &mut Tx, _: &[RefundId]) -> Result<BTreeSet<RefundId>, Fault> {
    Ok(BTreeSet::new())
}

/// Tells the refunds what was seen of them; answers the entries to post.
pub async fn settle(_: &mut Tx, seen: Vec<RefundSeen>) -> Result<Vec<Entry>, Fault> {
    match seen.first() {
        None => Ok(Vec::new()),
        Some(RefundSeen { refund, how, voucher }) => Err(Fault::Other(format!(
            "refund {refund} is seen ({how:?}, entry {}) and not locked",
            voucher.id
        ))),
    }
}
