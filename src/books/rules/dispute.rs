//! Chargebacks: the channel takes the money back first and argues later.
//!
//! While the argument lasts the whole amount is a claim on the channel, and what the agencies had of it is frozen, so
//! that it is not paid out. Taxes, the treasury's and the hub's shares move only when the dispute is lost.

use mizan_ledger::Money;
use mizan_ledger::entry::Entry;

use super::draft::{Draft, RuleError, adds_up, sum};
use super::terms::{Beneficiary, Exemption, Place, Share, Voucher};
use crate::books::chart;
use crate::books::slug::Slug;

/// A chargeback while it lasts. The same values open and end it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disputed {
    pub channel: Slug,
    /// What the channel took back.
    pub amount: Money,
    /// The components in dispute, each where it stood when the dispute was opened.
    pub shares: Vec<Share>,
}

/// `place` is where the channel took the money: its next settlement, or a bank account.
pub fn dispute_opened(voucher: Voucher, disputed: &Disputed, place: &Place) -> Result<Entry, RuleError> {
    let (mut draft, currency) = disputed.draft("dispute_opened")?;
    draft.debit(chart::dispute_claims(&disputed.channel, currency), disputed.amount)?;
    draft.credit(place.account(currency), disputed.amount)?;
    for (agency, share) in disputed.frozen() {
        draft.debit(share.beneficiary.account(currency), share.amount)?;
        draft.credit(chart::agency_frozen(agency, currency), share.amount)?;
    }
    draft.enter(voucher)
}

/// What the channel charges for the dispute itself. Borne by the hub.
pub fn dispute_fee_charged(
    voucher: Voucher,
    channel: &Slug,
    place: &Place,
    amount: Money,
) -> Result<Entry, RuleError> {
    let currency = amount.currency();
    let mut draft = Draft::new("dispute_fee_charged", currency);
    draft.debit(chart::hub_costs(channel, currency), amount)?;
    draft.credit(place.account(currency), amount)?;
    draft.enter(voucher)
}

/// The money is gone: everybody gives back his share, exemptions are taken back. The intent is reversed.
pub fn dispute_lost(
    voucher: Voucher,
    disputed: &Disputed,
    exemptions: &[Exemption],
) -> Result<Entry, RuleError> {
    let (mut draft, currency) = disputed.draft("dispute_lost")?;
    for share in &disputed.shares {
        let account = match &share.beneficiary {
            Beneficiary::Agency { agency, .. } => chart::agency_frozen(agency, currency),
            other => other.account(currency),
        };
        draft.debit(account, share.amount)?;
    }
    draft.credit(chart::dispute_claims(&disputed.channel, currency), disputed.amount)?;
    draft.unexempt(exemptions)?;
    draft.enter(voucher)
}

/// The channel gave the money back at `place`, and what was frozen stands again where it stood.
pub fn dispute_won(voucher: Voucher, disputed: &Disputed, place: &Place) -> Result<Entry, RuleError> {
    let (mut draft, currency) = disputed.draft("dispute_won")?;
    draft.debit(place.account(currency), disputed.amount)?;
    draft.credit(chart::dispute_claims(&disputed.channel, currency), disputed.amount)?;
    for (agency, share) in disputed.frozen() {
        draft.debit(chart::agency_frozen(agency, currency), share.amount)?;
        draft.credit(share.beneficiary.account(currency), share.amount)?;
    }
    draft.enter(voucher)
}

impl Disputed {
    fn draft(&self, kind: &'static str) -> Result<(Draft, mizan_ledger::Currency), RuleError> {
        let currency = self.amount.currency();
        adds_up(("the amount in dispute", self.amount), ("the components", sum(currency, &self.shares)?))?;
        Ok((Draft::new(kind, currency), currency))
    }

    /// The agencies' components.
    fn frozen(&self) -> impl Iterator<Item = (&Slug, &Share)> {
        self.shares.iter().filter_map(|share| match &share.beneficiary {
            Beneficiary::Agency { agency, .. } => Some((agency, share)),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn disputed() -> Disputed {
        let components =
            "held:psi 6.000, payable:psi 4.000, tax:psi/vat 1.600, treasury:general 0.500, fee 0.400";
        Disputed { channel: slug("card"), amount: jod("12.500"), shares: shares(components) }
    }

    #[test]
    fn an_open_dispute_is_a_claim_and_freezes_the_agencies_part() {
        enters(
            dispute_opened(voucher(), &disputed(), &channel("card")),
            "dispute_opened: D dispute/card/claims 12.500, C channel/card/receivable 12.500, D agency/psi/held 6.000,
             C agency/psi/frozen 10.000, D agency/psi/payable 4.000",
        );
        let bank = Place::Bank { account: slug("collection") };
        enters(
            dispute_fee_charged(voucher(), &slug("card"), &bank, jod("1.500")),
            "dispute_fee_charged: D hub/costs/card 1.500, C bank/collection 1.500",
        );
    }

    #[test]
    fn a_lost_dispute_takes_everybodys_share() {
        enters(
            dispute_lost(voucher(), &disputed(), &[waived("psi", "1.000")]),
            "dispute_lost: D agency/psi/frozen 10.000, D agency/psi/tax/vat 1.600, D treasury/general/payable 0.500,
             D hub/fees 0.400, C dispute/card/claims 12.500, D agency/psi/assessed 1.000, C agency/psi/waived 1.000",
        );
    }

    #[test]
    fn a_won_dispute_puts_everything_back_where_it_stood() {
        enters(
            dispute_won(voucher(), &disputed(), &channel("card")),
            "dispute_won: D channel/card/receivable 12.500, C dispute/card/claims 12.500, D agency/psi/frozen 10.000,
             C agency/psi/held 6.000, C agency/psi/payable 4.000",
        );
    }

    #[test]
    fn a_dispute_of_other_money_than_its_components_is_refused() {
        let wrong = Disputed { amount: jod("12.000"), ..disputed() };
        let named = "the amount in dispute is 12.000 JOD, but the components add up to 12.500 JOD";
        assert_eq!(refusal(dispute_opened(voucher(), &wrong, &channel("card"))), named);
        assert_eq!(refusal(dispute_lost(voucher(), &wrong, &[])), named);
        assert_eq!(refusal(dispute_won(voucher(), &wrong, &channel("card"))), named);
    }
}
