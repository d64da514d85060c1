//! Settlements whose bank line came before their channel told of them: the line was booked as unknown, as every bank line
//! is, and what waits in suspense settles them now.

use std::collections::{BTreeMap, BTreeSet};

use super::reconcile::{Step, with_expectations, write};
use crate::expectations::{Expectation, Keys};
use crate::fault::Fault;
use crate::ids::SettlementId;
use crate::recon::booking::{Booking, Known};
use crate::recon::matching;
use crate::recon::matching::settlement::{self, Judged};
use crate::recon::store::{self, ExplainedLine};
use crate::tx::Tx;

/// Pairs looked at in one unit of work.
const PAIRS_MAX: i64 = 50;

/// Judges settlements that a line in suspense names with their whole amount. One that two lines name, or a line that
/// names two, waits for a person.
pub async fn match_explained(tx: &mut Tx, _: &()) -> Result<Step, Fault> {
    store::take_turn(tx.conn()).await?;
    let pairs = store::lock_explained_lines(tx.conn(), PAIRS_MAX).await?;
    let mut step = Step::default();
    if pairs.is_empty() {
        return Ok(step);
    }
    let ids: Vec<SettlementId> = pairs.iter().map(|pair| pair.settlement).collect();
    let mut settlements = store::page_reported(tx.conn(), &ids).await?;
    let named: BTreeMap<SettlementId, &ExplainedLine> = settlements
        .iter()
        .filter_map(|one| {
            let names = |pair: &&ExplainedLine| matching::names(&pair.text, &one.reference);
            let mut lines = pairs.iter().filter(|pair| pair.settlement == one.id).filter(names);
            let line = lines.next().filter(|_| lines.next().is_none())?;
            Some((one.id, line))
        })
        .collect();
    settlements.retain(|one| named.contains_key(&one.id));
    store::find_items(tx.conn(), &mut settlements).await?;
    let candidates = with_expectations(tx, settlements, Keys::default(), &[]).await?;
    let known = Known::new(&candidates.expectations, &candidates.settlements);
    let mut booking = Booking::new(tx.hub().clone(), tx.now());
    let (mut met, mut used) = (BTreeSet::new(), BTreeSet::new());
    for one in &candidates.settlements {
        let line = named[&one.id];
        let open: Vec<&Expectation> =
            candidates.expectations.iter().filter(|expected| !met.contains(&expected.id)).collect();
        match settlement::judge(one, one.net, &open, &candidates)? {
            Judged::Settles(plan) if used.insert(line.item) => {
                met.extend(plan.met());
                booking.settle_explained(line, one, &plan, &known)?;
                step.matched += 1;
            }
            Judged::NotTold(items) => {
                items.iter().try_for_each(|item| booking.tell(one, item))?;
            }
            Judged::Settles(_) | Judged::Waits(_) => step.waiting += 1,
        }
    }
    step.told = booking.notices.len();
    write(tx, booking).await?;
    Ok(step)
}
