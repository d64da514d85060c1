//! Money for what was priced: paid at once, in parts, by exemption; and taken back.

use mizan_ledger::Money;
use mizan_ledger::entry::Entry;

use super::draft::{Draft, RuleError, adds_up, move_money, sum};
use super::terms::{Difference, Exemption, Parked, Payment, Place, RailCost, Share, Voucher};
use crate::books::chart;
use crate::books::slug::Slug;

/// The whole price came: the place has it, each component is its beneficiary's. A surplus, a shortfall within
/// tolerance, cash rounding, exemptions and the rail's cost are lines of the same entry.
pub fn paid_in_full(voucher: Voucher, payment: &Payment) -> Result<Entry, RuleError> {
    let mut draft = Draft::new("paid_in_full", payment.received.currency());
    take(&mut draft, payment, Money::zero(payment.received.currency()))?;
    draft.enter(voucher)
}

/// The price is zero: only what the exemptions gave up, or what their sponsors owe, is entered.
pub fn exempted(voucher: Voucher, exemptions: &[Exemption]) -> Result<Entry, RuleError> {
    let kind = "exempted";
    let currency = match exemptions.first() {
        Some(Exemption::Waived { amount, .. }) => amount.currency(),
        Some(Exemption::Sponsored { share, .. }) => share.amount.currency(),
        None => return Err(RuleError::NothingMoves { kind }),
    };
    let mut draft = Draft::new(kind, currency);
    draft.exempt(exemptions)?;
    draft.enter(voucher)
}

/// A sponsor paid for the exemptions it bears.
pub fn sponsor_paid(
    voucher: Voucher,
    sponsor: &Slug,
    account: &Slug,
    amount: Money,
) -> Result<Entry, RuleError> {
    let currency = amount.currency();
    let (bank, claim) = (chart::bank(account, currency), chart::sponsor_receivable(sponsor, currency));
    move_money("sponsor_paid", voucher, bank, claim, amount)
}

/// Less than the price came and instalments are not allowed: nobody's yet.
pub fn part_payment_held(
    voucher: Voucher,
    place: &Place,
    received: Money,
    costs: &[RailCost],
) -> Result<Entry, RuleError> {
    let currency = received.currency();
    let mut draft = Draft::new("part_payment_held", currency);
    draft.debit(place.account(currency), received)?;
    draft.credit(chart::partial_held(currency), received)?;
    draft.accrue(costs)?;
    draft.enter(voucher)
}

/// The last part came: with the parts `held` it makes up the price. `payment.received` is the last part alone; it
/// may be zero when the price was met by the parts held.
pub fn part_payment_completed(voucher: Voucher, payment: &Payment, held: Money) -> Result<Entry, RuleError> {
    let mut draft = Draft::new("part_payment_completed", payment.received.currency());
    take(&mut draft, payment, held)?;
    draft.enter(voucher)
}

/// The intent expired or was canceled with parts held: they wait in suspense, a refund is proposed.
pub fn part_payment_ended(voucher: Voucher, held: &Parked) -> Result<Entry, RuleError> {
    let currency = held.amount.currency();
    let suspense = chart::suspense_credits(&held.suspense, currency);
    move_money("part_payment_ended", voucher, chart::partial_held(currency), suspense, held.amount)
}

/// A transfer found on the statement only: the payment and, in the same entry, its settlement. The receivable of the
/// channel shows both, so that the channel's day is proved like any other.
pub fn transfer_paid(voucher: Voucher, payment: &Payment, account: &Slug) -> Result<Entry, RuleError> {
    let currency = payment.received.currency();
    let Place::Channel { channel } = &payment.place else {
        return Err(RuleError::NotAChannel { account: payment.place.account(currency).code });
    };
    let mut draft = Draft::new("transfer_paid", currency);
    take(&mut draft, payment, Money::zero(currency))?;
    draft.debit(chart::bank(account, currency), payment.received)?;
    draft.credit(chart::receivable(channel, currency), payment.received)?;
    draft.enter(voucher)
}

/// The channel withdrew its confirmation before it settled: each component leaves where it stands now, exemptions are
/// taken back. The intent is reversed.
pub fn confirmation_withdrawn(
    voucher: Voucher,
    place: &Place,
    amount: Money,
    shares: &[Share],
    exemptions: &[Exemption],
) -> Result<Entry, RuleError> {
    let currency = amount.currency();
    adds_up(("the confirmation withdrawn", amount), ("the components", sum(currency, shares)?))?;
    let mut draft = Draft::new("confirmation_withdrawn", currency);
    draft.debit_shares(shares)?;
    draft.credit(place.account(currency), amount)?;
    draft.unexempt(exemptions)?;
    draft.enter(voucher)
}

/// The lines of a payment: received + held = components + difference.
pub(super) fn take(draft: &mut Draft, payment: &Payment, held: Money) -> Result<(), RuleError> {
    let currency = draft.currency();
    let Payment { place, received, shares, difference, exemptions, costs } = payment;
    let components = sum(currency, shares)?;
    let explained = match difference {
        Difference::None => components,
        Difference::Surplus(parked) => components.checked_add(parked.amount)?,
        Difference::Shortfall { amount, .. } => components.checked_sub(*amount)?,
        Difference::Rounding(rounding) => components.checked_add(*rounding)?,
    };
    adds_up(
        ("the money received", received.checked_add(held)?),
        ("its components and difference", explained),
    )?;
    draft.debit(place.account(currency), *received)?;
    draft.debit(chart::partial_held(currency), held)?;
    if let Difference::Shortfall { channel, amount, borne_by } = difference {
        draft.cost(channel, *amount, borne_by)?;
    }
    draft.credit_shares(shares)?;
    match difference {
        Difference::Surplus(parked) => {
            draft.credit(chart::suspense_credits(&parked.suspense, currency), parked.amount)?;
        }
        Difference::Rounding(rounding) if matches!(place, Place::Drawer { .. }) => {
            draft.credit_signed(chart::rounding(currency), *rounding)?;
        }
        Difference::Rounding(_) => {
            return Err(RuleError::RoundedOutsideDrawer { account: place.account(currency).code });
        }
        Difference::None | Difference::Shortfall { .. } => {}
    }
    draft.exempt(exemptions)?;
    draft.accrue(costs)
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::super::{CostBearer, RuleError, Stage};
    use super::*;

    const PRICE: &str =
        "held:psi 10.000, tax:psi/vat 1.600, treasury:general 0.500, fee 0.350, fee-tax 0.056";

    #[test]
    fn a_full_payment_is_everybodys_share() {
        enters(
            paid_in_full(voucher(), &payment(channel("e-sadad"), "12.506", PRICE)),
            "paid_in_full: D channel/e-sadad/receivable 12.506,
             C agency/psi/held 10.000, C agency/psi/tax/vat 1.600, C treasury/general/payable 0.500,
             C hub/fees 0.350, C hub/tax 0.056",
        );
    }

    #[test]
    fn money_comes_into_a_drawer_or_as_a_cheque_too() {
        let in_cash = payment(drawer("window-3"), "5.000", "payable:psi 5.000");
        enters(
            paid_in_full(voucher(), &in_cash),
            "paid_in_full: D cash/window-3/drawer 5.000, C agency/psi/payable 5.000",
        );
        let by_cheque = Payment { place: Place::Cheques { office: slug("main") }, ..in_cash };
        enters(
            paid_in_full(voucher(), &by_cheque),
            "paid_in_full: D cash/main/cheques 5.000, C agency/psi/payable 5.000",
        );
    }

    #[test]
    fn what_the_same_beneficiary_gets_is_one_line_and_zero_is_none() {
        let basket =
            payment(channel("card"), "3.000", "payable:psi 1.000, held:psi 0.000, payable:psi 2.000");
        enters(
            paid_in_full(voucher(), &basket),
            "paid_in_full: D channel/card/receivable 3.000, C agency/psi/payable 3.000",
        );
    }

    #[test]
    fn the_rails_cost_is_accrued_against_who_bears_it() {
        let mut paid = payment(channel("card"), "10.500", "payable:psi 10.000, fee 0.500");
        paid.costs = vec![hub_bears("card", "0.105"), agency_bears("psi", "card", "0.045")];
        enters(
            paid_in_full(voucher(), &paid),
            "paid_in_full: D channel/card/receivable 10.500, C agency/psi/payable 10.000, C hub/fees 0.500,
             D hub/costs/card 0.105, C channel/card/costs_payable 0.150, D agency/psi/payable 0.045",
        );
    }

    #[test]
    fn a_surplus_waits_in_suspense() {
        let mut paid = payment(channel("e-sadad"), "12.000", "payable:psi 10.000");
        paid.difference = Difference::Surplus(parked("e-sadad 2.000"));
        enters(
            paid_in_full(voucher(), &paid),
            "paid_in_full: D channel/e-sadad/receivable 12.000, C agency/psi/payable 10.000,
             C suspense/e-sadad/credits 2.000",
        );
    }

    #[test]
    fn a_shortfall_within_tolerance_is_made_whole_by_its_bearer() {
        let mut paid = payment(channel("wire"), "9.990", "payable:psi 10.000");
        let shortfall =
            |borne_by| Difference::Shortfall { channel: slug("wire"), amount: jod("0.010"), borne_by };
        paid.difference = shortfall(CostBearer::Hub);
        enters(
            paid_in_full(voucher(), &paid),
            "paid_in_full: D channel/wire/receivable 9.990, D hub/costs/wire 0.010, C agency/psi/payable 10.000",
        );
        paid.difference = shortfall(CostBearer::Agency { agency: slug("psi"), stage: Stage::Payable });
        enters(
            paid_in_full(voucher(), &paid),
            "paid_in_full: D channel/wire/receivable 9.990, D agency/psi/payable 0.010, C agency/psi/payable 10.000",
        );
    }

    #[test]
    fn cash_is_rounded_to_its_step_either_way_and_only_in_a_drawer() {
        let mut paid = payment(drawer("window-3"), "2.350", "payable:psi 2.346");
        paid.difference = Difference::Rounding(jod("0.004"));
        enters(
            paid_in_full(voucher(), &paid),
            "paid_in_full: D cash/window-3/drawer 2.350, C agency/psi/payable 2.346, C rounding 0.004",
        );
        paid.shares = shares("payable:psi 2.352");
        paid.difference = Difference::Rounding(jod("-0.002"));
        enters(
            paid_in_full(voucher(), &paid),
            "paid_in_full: D cash/window-3/drawer 2.350, C agency/psi/payable 2.352, D rounding 0.002",
        );
        paid.place = channel("card");
        assert_eq!(
            refusal(paid_in_full(voucher(), &paid)),
            "cash is rounded in a drawer, not on channel/card/receivable"
        );
    }

    #[test]
    fn exempted_parts_are_a_memo_or_the_sponsors_debt() {
        let mut paid = payment(channel("card"), "4.000", "held:psi 4.000");
        let sponsored = |amount| shares(&format!("held:psi {amount}")).remove(0);
        paid.exemptions = vec![
            waived("psi", "1.000"),
            Exemption::Sponsored { sponsor: slug("relief-fund"), share: sponsored("5.000") },
        ];
        enters(
            paid_in_full(voucher(), &paid),
            "paid_in_full: D channel/card/receivable 4.000, C agency/psi/held 9.000, D agency/psi/waived 1.000,
             C agency/psi/assessed 1.000, D sponsor/relief-fund/receivable 5.000",
        );
        enters(
            sponsor_paid(voucher(), &slug("relief-fund"), &slug("collection"), jod("5.000")),
            "sponsor_paid: D bank/collection 5.000, C sponsor/relief-fund/receivable 5.000",
        );
    }

    #[test]
    fn a_total_of_zero_enters_the_exemptions_alone() {
        enters(
            exempted(voucher(), &[waived("psi", "10.000")]),
            "exempted: D agency/psi/waived 10.000, C agency/psi/assessed 10.000",
        );
        assert_eq!(refusal(exempted(voucher(), &[])), "exempted moves no money");
        assert_eq!(refusal(exempted(voucher(), &[waived("psi", "0.000")])), "exempted moves no money");
    }

    #[test]
    fn parts_are_held_until_the_price_is_met() {
        enters(
            part_payment_held(voucher(), &channel("e-sadad"), jod("4.000"), &[hub_bears("e-sadad", "0.020")]),
            "part_payment_held: D channel/e-sadad/receivable 4.000, C partial/held 4.000,
             D hub/costs/e-sadad 0.020, C channel/e-sadad/costs_payable 0.020",
        );
        let last = payment(channel("e-sadad"), "6.000", "held:psi 10.000");
        enters(
            part_payment_completed(voucher(), &last, jod("4.000")),
            "part_payment_completed: D channel/e-sadad/receivable 6.000, D partial/held 4.000,
             C agency/psi/held 10.000",
        );
        enters(
            part_payment_completed(voucher(), &Payment { received: jod("0.000"), ..last }, jod("10.000")),
            "part_payment_completed: D partial/held 10.000, C agency/psi/held 10.000",
        );
        enters(
            part_payment_ended(voucher(), &parked("e-sadad 4.000")),
            "part_payment_ended: D partial/held 4.000, C suspense/e-sadad/credits 4.000",
        );
    }

    #[test]
    fn a_transfer_shows_on_its_channel_and_is_settled_at_once() {
        enters(
            transfer_paid(voucher(), &payment(channel("wire"), "5.000", "payable:psi 5.000"), &slug("collection")),
            "transfer_paid: D channel/wire/receivable 5.000, C agency/psi/payable 5.000, D bank/collection 5.000,
             C channel/wire/receivable 5.000",
        );
        let cash = payment(drawer("window-3"), "5.000", "payable:psi 5.000");
        assert_eq!(
            refusal(transfer_paid(voucher(), &cash, &slug("collection"))),
            "a channel owes what is settled here, not cash/window-3/drawer"
        );
    }

    #[test]
    fn a_withdrawn_confirmation_takes_each_component_from_where_it_stands() {
        let stands = shares("payable:psi 8.000, held:psi 2.000, fee 0.500, suspense:card 1.500");
        enters(
            confirmation_withdrawn(
                voucher(),
                &channel("card"),
                jod("12.000"),
                &stands,
                &[waived("psi", "1.000")],
            ),
            "confirmation_withdrawn: D agency/psi/payable 8.000, D agency/psi/held 2.000, D hub/fees 0.500,
             D suspense/card/credits 1.500, C channel/card/receivable 12.000, D agency/psi/assessed 1.000,
             C agency/psi/waived 1.000",
        );
        assert_eq!(
            refusal(confirmation_withdrawn(voucher(), &channel("card"), jod("11.999"), &stands, &[])),
            "the confirmation withdrawn is 11.999 JOD, but the components add up to 12.000 JOD"
        );
    }

    #[test]
    fn what_does_not_add_up_is_named() {
        assert_eq!(
            refusal(paid_in_full(voucher(), &payment(channel("card"), "9.999", "held:psi 10.000"))),
            "the money received is 9.999 JOD, but its components and difference add up to 10.000 JOD"
        );
        let negative = payment(channel("card"), "9.000", "held:psi 10.000, fee -1.000");
        assert_eq!(
            refusal(paid_in_full(voucher(), &negative)),
            "-1.000 JOD for hub/fees: an amount below zero is not entered"
        );
        let nothing = payment(channel("card"), "0.000", "held:psi 0.000");
        assert_eq!(refusal(paid_in_full(voucher(), &nothing)), "paid_in_full moves no money");
        let mut mixed = payment(channel("card"), "1.000", "held:psi 1.000");
        mixed.costs =
            vec![RailCost { amount: Money::new(1, mizan_ledger::Currency::ILS), ..hub_bears("card", "0") }];
        assert_eq!(
            refusal(paid_in_full(voucher(), &mixed)),
            "0.01 ILS for hub/costs/card in an entry in JOD"
        );
        let mut huge = payment(channel("card"), "1.000", "held:psi 1.000");
        huge.shares =
            vec![
                Share { amount: Money::new(i64::MAX, mizan_ledger::Currency::JOD), ..huge.shares[0].clone() };
                2
            ];
        assert!(matches!(paid_in_full(voucher(), &huge), Err(RuleError::Amount(_))));
    }
}
