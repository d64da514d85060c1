//! A settlement that a channel paid to an agency itself: the hub holds nothing of it, and owes nothing for it any more.

use serde_json::json;

use super::settlements::broken;
use super::{Booking, Known, Place};
use crate::books::{CostBearer, Slug, Stage, rules};
use crate::fault::Fault;
use crate::intents::shares::slug;
use crate::recon::matching::settlement::{Plan, Settlement};

impl Booking {
    /// Clears the channel's receivable against what it was to pay the agency. Money in it that fitted nothing stays in
    /// suspense: the agency has it, and its channel takes it back from there when it is refunded.
    pub fn settle_direct(
        &mut self,
        settlement: &Settlement,
        plan: &Plan,
        known: &Known<'_>,
        agency: &Slug,
    ) -> Result<(), Fault> {
        // No statement shows it: it counts from the day on which it is booked, as the payments in it do, some of which
        // only it told of.
        let day = self.today();
        let place = Place { account: &settlement.account, day, line: None, entry: settlement.entry };
        let mut voucher = self.voucher(&place, settlement.name());
        voucher.meta.insert("settlement".to_owned(), settlement.reference.as_str().into());
        self.meet_all(&place, settlement, plan, &voucher, known)?;
        let borne_by = CostBearer::Agency { agency: agency.clone(), stage: Stage::Direct };
        self.vary(settlement, plan, &voucher, borne_by)?;
        if !plan.receivable.is_zero() || !plan.kept.is_zero() {
            let channel = slug(&settlement.channel)?;
            let (receivable, kept) = (plan.receivable, plan.kept);
            self.enter(rules::channel::direct_settled(voucher, &channel, agency, receivable, kept))?;
        }
        for one in &plan.parked {
            self.breaks.push(broken(one, &settlement.channel, json!({ "paid_to": settlement.account })));
        }
        self.follow_up(&place, settlement, plan);
        Ok(())
    }
}
