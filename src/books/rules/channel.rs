//! Channels settle what they took, net or gross, and are paid for it.

use mizan_ledger::Money;
use mizan_ledger::entry::Entry;

use super::draft::{Draft, RuleError, adds_up, move_money};
use super::terms::{Parked, RailCost, Voucher};
use crate::books::chart;
use crate::books::slug::Slug;

/// Where the net amount of a settlement is when it is entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// A line of this bank account, entered with it.
    AtBank(Slug),
    /// What was entered before as unknown, and waits in suspense under this name: a credit, or a debit when the channel took
    /// money.
    InSuspense(Slug),
}

/// One settlement that arrived net of the channel's costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetSettlement {
    pub channel: Slug,
    pub shown: Shown,
    /// What the bank shows; below zero when refunds and disputes exceeded the payments and the channel took money.
    pub net: Money,
    /// Costs the channel kept.
    pub kept: Money,
    /// What it settles of the receivable, after refunds and disputes already netted there. May be below zero.
    pub receivable: Money,
    /// What the bank shows beyond it.
    pub surplus: Option<Parked>,
}

/// net + kept = receivable + surplus.
pub fn channel_settled_net(voucher: Voucher, settlement: &NetSettlement) -> Result<Entry, RuleError> {
    let NetSettlement { channel, shown, net, kept, receivable, surplus } = settlement;
    let currency = net.currency();
    let beyond = surplus.as_ref().map_or(Money::zero(currency), |parked| parked.amount);
    let (gross, settled) = (net.checked_add(*kept)?, receivable.checked_add(beyond)?);
    adds_up(
        ("what the bank shows and the channel kept", gross),
        ("the receivable settled and the surplus", settled),
    )?;
    let mut draft = Draft::new("channel_settled_net", currency);
    let from = match shown {
        Shown::AtBank(account) => chart::bank(account, currency),
        Shown::InSuspense(name) if net.is_negative() => chart::suspense_debits(name, currency),
        Shown::InSuspense(name) => chart::suspense_credits(name, currency),
    };
    draft.debit_signed(from, *net)?;
    draft.debit(chart::costs_payable(channel, currency), *kept)?;
    draft.credit_signed(chart::receivable(channel, currency), *receivable)?;
    if let Some(parked) = surplus {
        draft.credit(chart::suspense_credits(&parked.suspense, currency), parked.amount)?;
    }
    draft.enter(voucher)
}

/// The channel settled all it took and bills its costs later. `received` is what the bank shows, the surplus included.
pub fn channel_settled_gross(
    voucher: Voucher,
    channel: &Slug,
    account: &Slug,
    received: Money,
    surplus: Option<&Parked>,
) -> Result<Entry, RuleError> {
    let currency = received.currency();
    let mut draft = Draft::new("channel_settled_gross", currency);
    let mut settled = received;
    draft.debit(chart::bank(account, currency), received)?;
    if let Some(parked) = surplus {
        settled = settled.checked_sub(parked.amount)?;
        draft.credit(chart::suspense_credits(&parked.suspense, currency), parked.amount)?;
    }
    draft.credit(chart::receivable(channel, currency), settled)?;
    draft.enter(voucher)
}

/// The channel's bill for accrued costs was paid from a bank account.
pub fn costs_billed(
    voucher: Voucher,
    channel: &Slug,
    account: &Slug,
    amount: Money,
) -> Result<Entry, RuleError> {
    let currency = amount.currency();
    let (costs, bank) = (chart::costs_payable(channel, currency), chart::bank(account, currency));
    move_money("costs_billed", voucher, costs, bank, amount)
}

/// The rail told of a cost after the payment was posted, or charged more than was accrued and the difference was
/// accepted.
pub fn rail_cost_accrued(voucher: Voucher, cost: &RailCost) -> Result<Entry, RuleError> {
    let mut draft = Draft::new("rail_cost_accrued", cost.amount.currency());
    draft.accrue(std::slice::from_ref(cost))?;
    draft.enter(voucher)
}

/// The rail charged less than was accrued: the difference goes back to who bore it.
pub fn rail_cost_reduced(voucher: Voucher, cost: &RailCost) -> Result<Entry, RuleError> {
    let currency = cost.amount.currency();
    let (costs, bearer) =
        (chart::costs_payable(&cost.channel, currency), cost.borne_by.account(&cost.channel, currency));
    move_money("rail_cost_reduced", voucher, costs, bearer, cost.amount)
}

/// The rail paid an agency itself, by its own report. `receivable` is what it settles, after the refunds that it netted,
/// below zero when it took more back than it paid; `kept` is what it kept of it for accrued costs.
pub fn direct_settled(
    voucher: Voucher,
    channel: &Slug,
    agency: &Slug,
    receivable: Money,
    kept: Money,
) -> Result<Entry, RuleError> {
    let currency = kept.currency();
    let mut draft = Draft::new("direct_settled", currency);
    draft.debit_signed(chart::agency_direct(agency, currency), receivable.checked_sub(kept)?)?;
    draft.debit(chart::costs_payable(channel, currency), kept)?;
    draft.credit_signed(chart::receivable(channel, currency), receivable)?;
    draft.enter(voucher)
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn settlement(net: &str, kept: &str, receivable: &str) -> NetSettlement {
        NetSettlement {
            channel: slug("card"),
            shown: Shown::AtBank(slug("collection")),
            net: jod(net),
            kept: jod(kept),
            receivable: jod(receivable),
            surplus: None,
        }
    }

    #[test]
    fn a_net_settlement_shows_what_the_channel_kept() {
        enters(
            channel_settled_net(voucher(), &settlement("98.500", "1.500", "100.000")),
            "channel_settled_net: D bank/collection 98.500, D channel/card/costs_payable 1.500,
             C channel/card/receivable 100.000",
        );
        let unknown_before = Shown::InSuspense(slug("collection"));
        let explained = NetSettlement { shown: unknown_before, ..settlement("98.500", "1.500", "100.000") };
        enters(
            channel_settled_net(voucher(), &explained),
            "channel_settled_net: D suspense/collection/credits 98.500, D channel/card/costs_payable 1.500,
             C channel/card/receivable 100.000",
        );
        let over =
            NetSettlement { surplus: Some(parked("card 0.500")), ..settlement("99.000", "1.500", "100.000") };
        enters(
            channel_settled_net(voucher(), &over),
            "channel_settled_net: D bank/collection 99.000, D channel/card/costs_payable 1.500,
             C channel/card/receivable 100.000, C suspense/card/credits 0.500",
        );
        assert_eq!(
            refusal(channel_settled_net(voucher(), &settlement("98.000", "1.500", "100.000"))),
            "what the bank shows and the channel kept is 99.500 JOD, \
             but the receivable settled and the surplus add up to 100.000 JOD"
        );
    }

    #[test]
    fn a_channel_takes_money_when_refunds_exceed_payments() {
        enters(
            channel_settled_net(voucher(), &settlement("-31.000", "1.000", "-30.000")),
            "channel_settled_net: C bank/collection 31.000, D channel/card/costs_payable 1.000,
             D channel/card/receivable 30.000",
        );
    }

    #[test]
    fn a_gross_settlement_leaves_the_costs_to_be_billed() {
        let (channel, bank) = (slug("e-sadad"), slug("collection"));
        enters(
            channel_settled_gross(voucher(), &channel, &bank, jod("100.000"), None),
            "channel_settled_gross: D bank/collection 100.000, C channel/e-sadad/receivable 100.000",
        );
        enters(
            channel_settled_gross(voucher(), &channel, &bank, jod("100.000"), Some(&parked("e-sadad 3.000"))),
            "channel_settled_gross: D bank/collection 100.000, C suspense/e-sadad/credits 3.000,
             C channel/e-sadad/receivable 97.000",
        );
        assert_eq!(
            refusal(channel_settled_gross(
                voucher(),
                &channel,
                &bank,
                jod("2.000"),
                Some(&parked("e-sadad 3.000"))
            )),
            "-1.000 JOD for channel/e-sadad/receivable: an amount below zero is not entered"
        );
        enters(
            costs_billed(voucher(), &channel, &bank, jod("1.500")),
            "costs_billed: D channel/e-sadad/costs_payable 1.500, C bank/collection 1.500",
        );
    }

    #[test]
    fn costs_told_later_are_accrued_or_taken_back() {
        enters(
            rail_cost_accrued(voucher(), &agency_bears("psi", "card", "0.200")),
            "rail_cost_accrued: D agency/psi/payable 0.200, C channel/card/costs_payable 0.200",
        );
        enters(
            rail_cost_reduced(voucher(), &hub_bears("card", "0.200")),
            "rail_cost_reduced: D channel/card/costs_payable 0.200, C hub/costs/card 0.200",
        );
    }

    #[test]
    fn what_the_rail_paid_itself_is_neither_held_nor_owed() {
        let (channel, psi) = (slug("e-sadad"), slug("psi"));
        enters(
            direct_settled(voucher(), &channel, &psi, jod("10.000"), jod("0.150")),
            "direct_settled: D agency/psi/direct 9.850, D channel/e-sadad/costs_payable 0.150,
             C channel/e-sadad/receivable 10.000",
        );
    }

    #[test]
    fn what_the_rail_took_back_from_the_agency_is_owed_to_nobody() {
        let (channel, psi) = (slug("card"), slug("psi"));
        enters(
            direct_settled(voucher(), &channel, &psi, jod("-6.000"), jod("0.150")),
            "direct_settled: C agency/psi/direct 6.150, D channel/card/costs_payable 0.150,
             D channel/card/receivable 6.000",
        );
        enters(
            direct_settled(voucher(), &channel, &psi, jod("0.000"), jod("0.150")),
            "direct_settled: C agency/psi/direct 0.150, D channel/card/costs_payable 0.150",
        );
        assert_eq!(
            refusal(direct_settled(voucher(), &channel, &psi, jod("1.000"), jod("-0.150"))),
            "-0.150 JOD for channel/card/costs_payable: an amount below zero is not entered"
        );
    }
}
