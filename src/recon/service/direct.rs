//! What channels paid to agencies themselves, by their own reports: no line of a statement of ours shows it.

use super::reconcile::{Step, with_expectations, write};
use crate::books::Slug;
use crate::breaks;
use crate::expectations::{Expectation, Keys};
use crate::fault::Fault;
use crate::ids::SettlementId;
use crate::recon::booking::{Booking, Known, direct};
use crate::recon::matching::settlement::{self, Judged};
use crate::recon::store;
use crate::tx::Tx;

/// Judges one such settlement against what was expected, and clears the channel and the agency by it.
pub async fn match_direct(tx: &mut Tx, id: &SettlementId) -> Result<Step, Fault> {
    store::take_turn(tx.conn()).await?;
    let mut step = Step::default();
    let Some(one) = store::lock_direct(tx.conn(), *id).await? else { return Ok(step) };
    let mut settlements = vec![one];
    store::find_items(tx.conn(), &mut settlements).await?;
    let candidates = with_expectations(tx, settlements, Keys::default(), &[]).await?;
    let known = Known::new(&candidates.expectations, &candidates.settlements);
    let mut booking = Booking::new(tx.hub().clone(), tx.now());
    for one in &candidates.settlements {
        let Some(agency) = one.account.strip_prefix("agency/") else { continue };
        let agency: Slug = agency.parse().map_err(|_| Fault::corrupt("settlements", "account", one.id))?;
        let open: Vec<&Expectation> = candidates.expectations.iter().collect();
        match settlement::judge(one, one.net, &open, &candidates)? {
            Judged::Settles(plan) => {
                booking.settle_direct(one, &plan, &known, &agency)?;
                step.matched += 1;
            }
            Judged::NotTold(items) => {
                items.iter().try_for_each(|item| booking.tell(one, item))?;
            }
            Judged::Waits(_) => step.waiting += 1,
        }
    }
    step.told = booking.notices.len();
    write(tx, booking).await?;
    Ok(step)
}

/// Opens the break of a settlement that could not be booked, and why. It is tried again by every run.
pub async fn set_aside_direct(tx: &mut Tx, (id, why): &(SettlementId, String)) -> Result<(), Fault> {
    let Some(one) = store::lock_direct(tx.conn(), *id).await? else { return Ok(()) };
    let (now, entropy) = (tx.now(), tx.hub().entropy.clone());
    breaks::store::insert(tx.conn(), &entropy, now, &[direct::set_aside(&one, why)]).await
}
