//! Settlements that no open line of a statement shows, each in a unit of work of its own, so that one which cannot be
//! booked holds up no other:
//! - silent ones, whose parts add up to zero, so that the bank shows nothing;
//! - those whose line came before their channel told of them: the line was booked as unknown, as every bank line is, and
//!   what waits in suspense settles them now;
//! - what channels paid to agencies themselves, by their own reports.

use mizan_ledger::Money;

use super::reconcile::{Step, with_expectations, write};
use crate::books::Slug;
use crate::breaks;
use crate::expectations::{Expectation, Keys};
use crate::fault::Fault;
use crate::ids::SettlementId;
use crate::recon::booking::{self, Booking, Known};
use crate::recon::matching;
use crate::recon::matching::settlement::{self, Judged, Plan, Settlement};
use crate::recon::store;
use crate::tx::Tx;

/// Why no open line shows a settlement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unlined {
    Silent,
    Explained,
    Direct,
}

/// Judges and books one of them, while it is not booked.
pub async fn match_unlined(tx: &mut Tx, (unlined, id): &(Unlined, SettlementId)) -> Result<Step, Fault> {
    store::take_turn(tx.conn()).await?;
    match unlined {
        Unlined::Silent => match_silent(tx, *id).await,
        Unlined::Explained => match_explained(tx, *id).await,
        Unlined::Direct => match_direct(tx, *id).await,
    }
}

async fn match_silent(tx: &mut Tx, id: SettlementId) -> Result<Step, Fault> {
    let Some(one) = store::lock_one(tx.conn(), id).await? else { return Ok(Step::default()) };
    let nothing = Money::zero(one.net.currency());
    judge(tx, one, nothing, Booking::settle_silently).await
}

/// By the line in suspense that names it with its whole amount. One that two lines name waits for a person.
async fn match_explained(tx: &mut Tx, id: SettlementId) -> Result<Step, Fault> {
    let mut lines = store::lock_explained_lines(tx.conn(), id).await?;
    lines.extend(store::lock_explained_debits(tx.conn(), id).await?);
    let Some(one) = store::lock_one(tx.conn(), id).await? else { return Ok(Step::default()) };
    let mut naming = lines.iter().filter(|line| matching::names(&line.text, &one.reference));
    let (Some(line), None) = (naming.next(), naming.next()) else { return Ok(Step::default()) };
    let net = one.net;
    judge(tx, one, net, |booking, one, plan, known| booking.settle_explained(line, one, plan, known)).await
}

async fn match_direct(tx: &mut Tx, id: SettlementId) -> Result<Step, Fault> {
    let Some(one) = store::lock_one(tx.conn(), id).await? else { return Ok(Step::default()) };
    let Some(agency) = one.account.strip_prefix("agency/") else { return Ok(Step::default()) };
    let agency: Slug = agency.parse().map_err(|_| Fault::corrupt("settlements", "account", one.id))?;
    let net = one.net;
    judge(tx, one, net, |booking, one, plan, known| booking.settle_direct(one, plan, known, &agency)).await
}

/// Judges a settlement against what was expected and what arrived of it, and books it where it can be.
async fn judge(
    tx: &mut Tx,
    one: Settlement,
    arrived: Money,
    book: impl Fn(&mut Booking, &Settlement, &Plan, &Known<'_>) -> Result<(), Fault>,
) -> Result<Step, Fault> {
    let mut settlements = vec![one];
    store::find_items(tx.conn(), &mut settlements).await?;
    let candidates = with_expectations(tx, settlements, Keys::default(), &[]).await?;
    let known = Known::new(&candidates);
    let open: Vec<&Expectation> = candidates.expectations.iter().collect();
    let mut booking = Booking::new(tx.hub().clone(), tx.now());
    let mut step = Step::default();
    for one in &candidates.settlements {
        match settlement::judge(one, arrived, &open, &candidates)? {
            Judged::Settles(plan) => {
                book(&mut booking, one, &plan, &known)?;
                step.matched += 1;
            }
            Judged::NotTold(items) => items.iter().try_for_each(|item| booking.tell(one, item))?,
            Judged::Waits(_) => step.waiting += 1,
        }
    }
    step.told = booking.notices.len();
    write(tx, booking).await?;
    Ok(step)
}

/// Opens the break of a settlement that could not be booked, and why. It is tried again by every run.
pub async fn set_aside_unlined(tx: &mut Tx, (id, why): &(SettlementId, String)) -> Result<(), Fault> {
    let Some(one) = store::lock_one(tx.conn(), *id).await? else { return Ok(()) };
    let (now, entropy) = (tx.now(), tx.hub().entropy.clone());
    breaks::store::insert(tx.conn(), &entropy, now, &[booking::set_aside(&one, why)]).await
}
