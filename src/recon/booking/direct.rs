//! A settlement that a channel paid to an agency itself: the hub holds nothing of it, and owes nothing for it any more.

use mizan_ledger::{Money, MoneyError};
use serde_json::json;

use super::settlements::{broken, name_of};
use super::{Booking, Known, Place};
use crate::books::{Beneficiary, CostBearer, Share, Slug, Stage, rules};
use crate::expectations::Expectation;
use crate::fault::Fault;
use crate::intents::shares::slug;
use crate::recon::matching::settlement::{Plan, Settlement};
use crate::suspense::Item;

impl Booking {
    /// Clears the channel's receivable against what was owed to the agency, and against `items`: money in suspense that
    /// the agency received as well and has to give back itself. What the channel kept of those stays in suspense.
    pub fn settle_direct(
        &mut self,
        settlement: &Settlement,
        plan: &Plan,
        known: &Known<'_>,
        agency: &Slug,
        items: &[Item],
    ) -> Result<(), Fault> {
        // No statement shows it: it counts from the day on which it is booked, as the payments in it do, some of which
        // only it told of.
        let day = self.today();
        let place = Place { account: &settlement.account, day, line: None, entry: settlement.entry };
        let mut voucher = self.voucher(&place, name_of(settlement));
        voucher.meta.insert("settlement".to_owned(), settlement.reference.as_str().into());
        self.meet_all(&place, settlement, plan, &voucher, known)?;
        let payable = Beneficiary::Agency { agency: agency.clone(), stage: Stage::Payable };
        self.vary(
            settlement,
            plan,
            &voucher,
            CostBearer::Agency { agency: agency.clone(), stage: Stage::Payable },
        )?;
        let mut rest = plan.receivable.checked_sub(plan.kept)?;
        let mut shares = Vec::new();
        for id in &plan.payments {
            let expected = known.expectation(*id)?;
            let Some(item) = items.iter().find(|item| item.money_key == expected.money_key) else { continue };
            let amount = passed_on(expected, item)?;
            rest = rest.checked_sub(amount)?;
            shares.push(Share {
                beneficiary: Beneficiary::Suspense { suspense: slug(&item.account)? },
                amount,
            });
            self.used.push((item.id, amount));
        }
        shares.push(Share { beneficiary: payable, amount: rest });
        if !plan.receivable.is_zero() || !plan.kept.is_zero() {
            let channel = slug(&settlement.channel)?;
            self.enter(rules::channel::direct_settled(voucher, &channel, &shares, plan.kept))?;
        }
        for one in &plan.parked {
            self.breaks.push(broken(one, &settlement.channel, json!({ "paid_to": settlement.account })));
        }
        self.follow_up(&place, settlement, plan);
        Ok(())
    }
}

/// What of an item reached the agency: all but what the channel kept of it.
fn passed_on(expected: &Expectation, item: &Item) -> Result<Money, MoneyError> {
    if item.left != expected.money {
        // A surplus: the channel's cost is borne with the payment it came with.
        return Ok(item.left);
    }
    item.left.checked_sub(expected.cost)
}
