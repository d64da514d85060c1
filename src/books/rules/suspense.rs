//! Money that fits nothing yet: it is here, it is entered, and it waits for a decision.

use mizan_ledger::Money;
use mizan_ledger::account::Account;
use mizan_ledger::entry::Entry;

use super::collect::take;
use super::draft::{Draft, RuleError, adds_up, move_money, sum};
use super::terms::{Exemption, Parked, Payment, Place, RailCost, Share, Voucher};
use crate::books::chart;
use crate::books::slug::Slug;

/// Late, duplicate or unknown money that a channel or a window told of.
pub fn money_to_suspense(
    voucher: Voucher,
    place: &Place,
    parked: &Parked,
    costs: &[RailCost],
) -> Result<Entry, RuleError> {
    let currency = parked.amount.currency();
    let mut draft = Draft::new("money_to_suspense", currency);
    draft.debit(place.account(currency), parked.amount)?;
    draft.credit(chart::suspense_credits(&parked.suspense, currency), parked.amount)?;
    draft.accrue(costs)?;
    draft.enter(voucher)
}

/// A credit first seen on a statement, before anybody told of it.
pub fn bank_unknown_credit(voucher: Voucher, account: &Slug, parked: &Parked) -> Result<Entry, RuleError> {
    let currency = parked.amount.currency();
    let (bank, suspense) =
        (chart::bank(account, currency), chart::suspense_credits(&parked.suspense, currency));
    move_money("bank_unknown_credit", voucher, bank, suspense, parked.amount)
}

/// The callback of a payment whose money the statement showed first: the payment is entered, and the money found in
/// suspense (with what the channel `kept` of it) settles the channel at once. `found` and `kept` together are at most
/// the payment; what they leave the channel still owes.
pub fn late_callback_of_suspense(
    voucher: Voucher,
    payment: &Payment,
    found: &[Parked],
    kept: Money,
) -> Result<Entry, RuleError> {
    let currency = payment.received.currency();
    let Place::Channel { channel } = &payment.place else {
        return Err(RuleError::NotAChannel { account: payment.place.account(currency).code });
    };
    let mut draft = Draft::new("late_callback_of_suspense", currency);
    take(&mut draft, payment, Money::zero(currency))?;
    let mut settled = kept;
    for parked in found {
        settled = settled.checked_add(parked.amount)?;
        draft.debit(chart::suspense_credits(&parked.suspense, currency), parked.amount)?;
    }
    draft.debit(chart::costs_payable(channel, currency), kept)?;
    if settled.compare(payment.received)?.is_gt() {
        adds_up(("the payment", payment.received), ("what was found and kept", settled))?;
    }
    draft.credit(chart::receivable(channel, currency), settled)?;
    draft.enter(voucher)
}

/// A credit in suspense is no payment of a bill: `account` says what it was (the receivable of a payment that went to
/// suspense itself, a returned refund, money an agency paid in).
pub fn suspense_credit_explained(
    voucher: Voucher,
    parked: &Parked,
    account: Account,
) -> Result<Entry, RuleError> {
    let suspense = chart::suspense_credits(&parked.suspense, parked.amount.currency());
    move_money("suspense_credit_explained", voucher, suspense, account, parked.amount)
}

/// An officer applies money in suspense to an intent while its price is right.
pub fn suspense_applied(
    voucher: Voucher,
    from: &[Parked],
    shares: &[Share],
    exemptions: &[Exemption],
) -> Result<Entry, RuleError> {
    let kind = "suspense_applied";
    let currency = from.first().ok_or(RuleError::NothingMoves { kind })?.amount.currency();
    let applied = Money::sum(currency, from.iter().map(|parked| parked.amount))?;
    adds_up(("the money applied", applied), ("the components", sum(currency, shares)?))?;
    let mut draft = Draft::new(kind, currency);
    for parked in from {
        draft.debit(chart::suspense_credits(&parked.suspense, currency), parked.amount)?;
    }
    draft.credit_shares(shares)?;
    draft.exempt(exemptions)?;
    draft.enter(voucher)
}

/// Nobody claimed the money within the legal time.
pub fn suspense_unclaimed(voucher: Voucher, parked: &Parked, fund: &Slug) -> Result<Entry, RuleError> {
    let currency = parked.amount.currency();
    let suspense = chart::suspense_credits(&parked.suspense, currency);
    move_money(
        "suspense_unclaimed",
        voucher,
        suspense,
        chart::treasury_unclaimed(fund, currency),
        parked.amount,
    )
}

/// Money left a bank account and nobody knows why: `suspense/<suspense>/debits`.
pub fn bank_unknown_debit(
    voucher: Voucher,
    account: &Slug,
    suspense: &Slug,
    amount: Money,
) -> Result<Entry, RuleError> {
    let currency = amount.currency();
    let (debits, bank) = (chart::suspense_debits(suspense, currency), chart::bank(account, currency));
    move_money("bank_unknown_debit", voucher, debits, bank, amount)
}

/// The reason of an unknown debit was found: `account` is where it belongs (costs payable, a refund or payout on its
/// way, a receivable the bank took back, the hub's costs or losses).
pub fn unknown_debit_explained(
    voucher: Voucher,
    suspense: &Slug,
    account: Account,
    amount: Money,
) -> Result<Entry, RuleError> {
    let debits = chart::suspense_debits(suspense, amount.currency());
    move_money("unknown_debit_explained", voucher, account, debits, amount)
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use mizan_ledger::Currency;

    #[test]
    fn money_told_by_a_channel_waits_in_suspense() {
        enters(
            money_to_suspense(
                voucher(),
                &channel("e-sadad"),
                &parked("e-sadad 7.250"),
                &[hub_bears("e-sadad", "0.030")],
            ),
            "money_to_suspense: D channel/e-sadad/receivable 7.250, C suspense/e-sadad/credits 7.250,
             D hub/costs/e-sadad 0.030, C channel/e-sadad/costs_payable 0.030",
        );
    }

    #[test]
    fn a_statement_may_be_the_first_to_show_money() {
        let bank = slug("collection");
        enters(
            bank_unknown_credit(voucher(), &bank, &parked("collection 7.250")),
            "bank_unknown_credit: D bank/collection 7.250, C suspense/collection/credits 7.250",
        );
        enters(
            bank_unknown_debit(voucher(), &bank, &slug("collection"), jod("3.000")),
            "bank_unknown_debit: D suspense/collection/debits 3.000, C bank/collection 3.000",
        );
        let costs = chart::costs_payable(&slug("card"), Currency::JOD);
        enters(
            unknown_debit_explained(voucher(), &slug("collection"), costs, jod("3.000")),
            "unknown_debit_explained: D channel/card/costs_payable 3.000, C suspense/collection/debits 3.000",
        );
        let receivable = chart::receivable(&slug("wire"), Currency::JOD);
        enters(
            suspense_credit_explained(voucher(), &parked("collection 7.250"), receivable),
            "suspense_credit_explained: D suspense/collection/credits 7.250, C channel/wire/receivable 7.250",
        );
    }

    #[test]
    fn a_late_callback_is_entered_and_settled_by_what_was_found() {
        let paid = payment(channel("card"), "10.000", "payable:psi 10.000");
        enters(
            late_callback_of_suspense(voucher(), &paid, &[parked("collection 10.000")], jod("0.000")),
            "late_callback_of_suspense: D channel/card/receivable 10.000, C agency/psi/payable 10.000,
             D suspense/collection/credits 10.000, C channel/card/receivable 10.000",
        );
        let mut with_cost = paid.clone();
        with_cost.costs = vec![hub_bears("card", "0.150")];
        enters(
            late_callback_of_suspense(voucher(), &with_cost, &[parked("collection 9.850")], jod("0.150")),
            "late_callback_of_suspense: D channel/card/receivable 10.000, C agency/psi/payable 10.000,
             D hub/costs/card 0.150, C channel/card/costs_payable 0.150, D suspense/collection/credits 9.850,
             D channel/card/costs_payable 0.150, C channel/card/receivable 10.000",
        );
        assert_eq!(
            refusal(late_callback_of_suspense(
                voucher(),
                &paid,
                &[parked("collection 10.000")],
                jod("0.150")
            )),
            "the payment is 10.000 JOD, but what was found and kept add up to 10.150 JOD"
        );
        let cash = payment(drawer("window-3"), "10.000", "payable:psi 10.000");
        assert_eq!(
            refusal(late_callback_of_suspense(
                voucher(),
                &cash,
                &[parked("collection 10.000")],
                jod("0.000")
            )),
            "a channel owes what is settled here, not cash/window-3/drawer"
        );
    }

    #[test]
    fn an_officer_applies_what_waits() {
        enters(
            suspense_applied(
                voucher(),
                &[parked("e-sadad 6.000"), parked("collection 4.500")],
                &shares("held:psi 10.000, fee 0.500"),
                &[waived("psi", "1.000")],
            ),
            "suspense_applied: D suspense/e-sadad/credits 6.000, D suspense/collection/credits 4.500,
             C agency/psi/held 10.000, C hub/fees 0.500, D agency/psi/waived 1.000, C agency/psi/assessed 1.000",
        );
        assert_eq!(
            refusal(suspense_applied(voucher(), &[parked("e-sadad 6.000")], &shares("held:psi 10.000"), &[])),
            "the money applied is 6.000 JOD, but the components add up to 10.000 JOD"
        );
        assert_eq!(refusal(suspense_applied(voucher(), &[], &[], &[])), "suspense_applied moves no money");
    }

    #[test]
    fn unclaimed_money_goes_to_the_treasurys_list() {
        enters(
            suspense_unclaimed(voucher(), &parked("e-sadad 6.000"), &slug("general")),
            "suspense_unclaimed: D suspense/e-sadad/credits 6.000, C treasury/general/unclaimed 6.000",
        );
    }
}
