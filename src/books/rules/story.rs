//! One long story in JOD in which every rule is used: payments on six channels, lost and withdrawn confirmations,
//! refunds that come back, disputes, cash, cheques and payouts. At its end nothing is left on any clearing account.

use std::collections::BTreeSet;

use mizan_ledger::Currency;
use mizan_ledger::account::Class;
use mizan_ledger::entry::Entry;

use super::cash::Bounced;
use super::channel::NetSettlement;
use super::dispute::Disputed;
use super::testing::*;
use super::{CostBearer, Difference, Exemption, Payment, Place, RailCost, Returned, RuleError, Stage};
use super::{bank, cash, channel as rail, collect, dispute, instalments, own, payout, refund, suspense};
use crate::books::{chart, describe};

fn at_bank(account: &str) -> Place {
    Place::Bank { account: slug(account) }
}

fn paid(place: Place, received: &str, components: &str) -> Result<Entry, RuleError> {
    collect::paid_in_full(voucher(), &payment(place, received, components))
}

#[test]
fn every_clearing_account_ends_at_zero() {
    let mut story = Story::default();
    bills_are_paid_in_many_ways(&mut story);
    the_switch_settles_gross(&mut story);
    suspense_is_emptied(&mut story);
    cards_settle_net_of_refunds_and_disputes(&mut story);
    statements_are_first(&mut story);
    the_rail_pays_an_agency_itself(&mut story);
    cash_is_counted(&mut story);
    deposits_and_cheques_reach_the_bank(&mut story);
    everybody_is_paid_out(&mut story);

    let told: BTreeSet<&str> = story.kinds.iter().map(String::as_str).collect();
    assert_eq!(told, rule_names(), "every rule is told");
    assert!(story.entries >= 120, "{} entries", story.entries);
    for code in story.accounts.keys() {
        let kind = describe(code).unwrap().kind;
        assert!(!kind.is_clearing() || story.of(code).is_zero(), "{code} stands at {}", story.of(code));
    }
    let left: Vec<String> = (story.accounts.keys().filter(|code| !story.of(code).is_zero()))
        .map(|code| format!("{code} {}", story.of(code).amount()))
        .collect();
    let expected = [
        "agency/psi/assessed -2.000",
        "agency/psi/waived 2.000",
        "bank/collection 2.595",
        "bank/payouts 5.059",
        "hub/costs/card 1.700",
        "hub/costs/collection 2.450",
        "hub/costs/e-sadad 0.025",
        "hub/costs/payouts 0.500",
        "hub/costs/wire 0.150",
        "hub/fees 5.350",
        "hub/losses 0.475",
        "rounding -0.004",
        "treasury/general/unclaimed 7.600",
    ];
    assert_eq!(left, expected);
    let results = story.total(Class::Income) - story.total(Class::Expense);
    assert_eq!(story.total(Class::Asset), story.total(Class::Liability) + results);
    assert_eq!(story.total(Class::Memo), 0);
}

fn bills_are_paid_in_many_ways(story: &mut Story) {
    let switch = || channel("e-sadad");
    let mut whole = payment(
        switch(),
        "12.506",
        "held:psi 10.000, tax:psi/vat 1.600, treasury:general 0.500, fee 0.350, fee-tax 0.056",
    );
    whole.costs = vec![hub_bears("e-sadad", "0.025")];
    story.tell(collect::paid_in_full(voucher(), &whole));
    let over = Difference::Surplus(parked("e-sadad 1.000"));
    let over = Payment { difference: over, ..payment(switch(), "8.000", "payable:psi 7.000") };
    story.tell(collect::paid_in_full(voucher(), &over));
    let cost = hub_bears("e-sadad", "0.005");
    let short = Difference::Shortfall { channel: cost.channel, amount: cost.amount, borne_by: cost.borne_by };
    let short = Payment { difference: short, ..payment(switch(), "4.995", "payable:land 5.000") };
    story.tell(collect::paid_in_full(voucher(), &short));
    // The payer of the first bill pays again.
    story.tell(suspense::money_to_suspense(voucher(), &switch(), &parked("e-sadad 12.506"), &[]));

    story.tell(collect::part_payment_held(voucher(), &switch(), jod("4.000"), &[]));
    let last = payment(switch(), "6.000", "payable:land 10.000");
    story.tell(collect::part_payment_completed(voucher(), &last, jod("4.000")));
    story.tell(collect::part_payment_held(voucher(), &switch(), jod("3.000"), &[]));
    story.tell(collect::part_payment_ended(voucher(), &parked("e-sadad 3.000")));
    let price = shares("payable:land 20.000");
    let part = payment(switch(), "6.000", "payable:land 6.000");
    assert_eq!(instalments::cover(&price, jod("0"), jod("6.000")), Ok(part.shares.clone()));
    story.tell(instalments::instalment_paid(voucher(), &part));
    story.tell(instalments::instalments_ended(voucher(), &part.shares, &parked("e-sadad 6.000")));

    story.tell(collect::exempted(voucher(), &[waived("psi", "2.000")]));
    let mut helped = payment(switch(), "3.000", "held:psi 3.000");
    let share = shares("held:psi 2.000").remove(0);
    helped.exemptions = vec![Exemption::Sponsored { sponsor: slug("relief-fund"), share }];
    story.tell(collect::paid_in_full(voucher(), &helped));
    story.tell(collect::sponsor_paid(voucher(), &slug("relief-fund"), &slug("collection"), jod("2.000")));
    let mut withdrawn = payment(switch(), "5.000", "payable:psi 5.000");
    withdrawn.exemptions = vec![waived("psi", "1.000")];
    story.tell(collect::paid_in_full(voucher(), &withdrawn));
    let Payment { place, received, shares, exemptions, .. } = &withdrawn;
    story.tell(collect::confirmation_withdrawn(voucher(), place, *received, shares, exemptions));
    story.stands(&[
        ("channel/e-sadad/receivable", "60.007"),
        ("suspense/e-sadad/credits", "22.506"),
        ("agency/psi/held", "15.000"),
        ("agency/psi/payable", "7.000"),
        ("agency/land/payable", "15.000"),
        ("partial/held", "0"),
    ]);
}

fn the_switch_settles_gross(story: &mut Story) {
    let (switch, collection) = (slug("e-sadad"), slug("collection"));
    let surplus = parked("e-sadad 0.500");
    story.tell(rail::channel_settled_gross(voucher(), &switch, &collection, jod("60.507"), Some(&surplus)));
    story.tell(bank::bank_undid_credit(voucher(), &collection, &switch, jod("12.506")));
    story.tell(rail::channel_settled_gross(voucher(), &switch, &collection, jod("12.506"), None));
    story.tell(rail::rail_cost_accrued(voucher(), &agency_bears("psi", "e-sadad", "0.010")));
    story.tell(rail::rail_cost_reduced(voucher(), &hub_bears("e-sadad", "0.005")));
    story.tell(rail::costs_billed(voucher(), &switch, &collection, jod("0.030")));
    story.stands(&[("bank/collection", "62.477"), ("suspense/e-sadad/credits", "23.006")]);
}

fn suspense_is_emptied(story: &mut Story) {
    let (collection, fund) = (slug("collection"), slug("general"));
    story.tell(suspense::suspense_applied(
        voucher(),
        &[parked("e-sadad 3.000")],
        &shares("payable:land 3.000"),
        &[],
    ));
    let twice = jod("12.506");
    story.tell(refund::refund_approved(voucher(), twice, &shares("suspense:e-sadad 12.506")));
    story.tell(refund::refund_submitted(voucher(), twice));
    story.tell(refund::refund_refused(voucher(), twice));
    story.tell(refund::refund_submitted(voucher(), twice));
    story.tell(refund::refund_seen_at_bank(voucher(), &collection, twice));
    let (place, kept_by) = (at_bank("collection"), collection.clone());
    let back = Returned { place, arrived: jod("12.006"), kept: jod("0.500"), kept_by };
    story.tell(refund::refund_returned(voucher(), &back));
    story.tell(refund::refund_submitted(voucher(), twice));
    story.tell(refund::refund_seen_at_bank(voucher(), &collection, twice));

    let surplus = shares("suspense:e-sadad 1.000");
    story.tell(refund::refund_approved(voucher(), jod("1.000"), &surplus));
    story.tell(refund::refund_canceled(voucher(), jod("1.000"), &surplus));
    story.tell(suspense::suspense_unclaimed(voucher(), &parked("e-sadad 1.000"), &fund));
    story.tell(refund::refund_approved(voucher(), jod("6.500"), &shares("suspense:e-sadad 6.500")));
    story.tell(refund::refund_unclaimed(voucher(), &fund, jod("6.500")));
    story.stands(&[
        ("suspense/e-sadad/credits", "0"),
        ("treasury/general/unclaimed", "7.500"),
        ("bank/collection", "49.471"),
        ("refunds/payable", "0"),
    ]);
}

fn cards_settle_net_of_refunds_and_disputes(story: &mut Story) {
    let card = slug("card");
    let mut paid_by_card = payment(channel("card"), "20.000", "held:psi 18.000, fee 2.000");
    paid_by_card.costs = vec![hub_bears("card", "0.200"), agency_bears("psi", "card", "0.100")];
    story.tell(collect::paid_in_full(voucher(), &paid_by_card));
    story.tell(paid(channel("card"), "20.000", "payable:land 10.000, fee 10.000"));
    story.tell(refund::refund_approved(voucher(), jod("4.000"), &shares("payable:land 4.000")));
    story.tell(refund::refund_submitted(voucher(), jod("4.000")));
    story.tell(refund::refund_netted(voucher(), &card, jod("4.000")));
    story.tell(payout::released(voucher(), &slug("psi"), jod("18.000")));

    let won = Disputed { channel: card.clone(), amount: jod("6.000"), shares: shares("payable:land 6.000") };
    story.tell(dispute::dispute_opened(voucher(), &won, &channel("card")));
    story.tell(dispute::dispute_fee_charged(voucher(), &card, &channel("card"), jod("1.500")));
    story.stands(&[("agency/land/frozen", "6.000"), ("dispute/card/claims", "6.000")]);
    story.tell(dispute::dispute_won(voucher(), &won, &channel("card")));
    let lost = shares("payable:psi 18.000, fee 2.000");
    let lost = Disputed { channel: card.clone(), amount: jod("20.000"), shares: lost };
    story.tell(dispute::dispute_opened(voucher(), &lost, &at_bank("collection")));
    story.tell(dispute::dispute_lost(voucher(), &lost, &[]));

    let settled = NetSettlement {
        channel: card.clone(),
        shown: rail::Shown::AtBank(slug("collection")),
        net: jod("34.200"),
        kept: jod("0.300"),
        receivable: jod("34.500"),
        surplus: None,
    };
    story.tell(rail::channel_settled_net(voucher(), &settled));
    // The next day refunds exceed payments, and the channel takes the difference.
    story.tell(paid(channel("card"), "5.000", "payable:land 5.000"));
    story.tell(refund::refund_approved(voucher(), jod("8.000"), &shares("payable:land 8.000")));
    story.tell(refund::refund_submitted(voucher(), jod("8.000")));
    story.tell(refund::refund_netted(voucher(), &card, jod("8.000")));
    let taken = NetSettlement { net: jod("-3.000"), kept: jod("0"), receivable: jod("-3.000"), ..settled };
    story.tell(rail::channel_settled_net(voucher(), &taken));
    story.stands(&[
        ("channel/card/receivable", "0"),
        ("channel/card/costs_payable", "0"),
        ("bank/collection", "60.671"),
        ("agency/psi/payable", "6.890"),
        ("agency/land/payable", "21.000"),
    ]);
}

fn statements_are_first(story: &mut Story) {
    let (collection, wire) = (slug("collection"), slug("wire"));
    let transfer = payment(channel("wire"), "15.750", "payable:land 15.750");
    story.tell(collect::transfer_paid(voucher(), &transfer, &collection));
    // A callback was lost; its money came, less the cost.
    story.tell(suspense::bank_unknown_credit(voucher(), &collection, &parked("collection 9.850")));
    let mut late = payment(channel("wire"), "10.000", "payable:land 10.000");
    late.costs = vec![hub_bears("wire", "0.150")];
    let found = [parked("collection 9.850")];
    story.tell(suspense::late_callback_of_suspense(voucher(), &late, &found, jod("0.150")));
    story.tell(suspense::bank_unknown_credit(voucher(), &collection, &parked("collection 2.000")));
    story.tell(bank::bank_undid_unknown_credit(voucher(), &collection, &parked("collection 2.000")));
    story.tell(suspense::bank_unknown_credit(voucher(), &collection, &parked("collection 3.300")));
    let land = chart::agency_payable(&slug("land"), 0, Currency::JOD);
    story.tell(suspense::suspense_credit_explained(voucher(), &parked("collection 3.300"), land));
    story.tell(suspense::bank_unknown_debit(voucher(), &collection, &collection, jod("0.700")));
    let costs = chart::hub_costs(&collection, Currency::JOD);
    story.tell(suspense::unknown_debit_explained(voucher(), &collection, costs, jod("0.700")));
    story.tell(bank::bank_charged(voucher(), &collection, jod("1.000")));
    story.tell(bank::interest_credited(voucher(), &collection, &slug("general"), jod("0.375")));
    story.tell(paid(channel("wire"), "1.005", "payable:land 1.005"));
    story.tell(rail::channel_settled_gross(voucher(), &wire, &collection, jod("1.000"), None));
    story.tell(own::receivable_written_off(voucher(), &wire, jod("0.005")));
    story.stands(&[("bank/collection", "89.246"), ("agency/land/payable", "51.055")]);
}

fn the_rail_pays_an_agency_itself(story: &mut Story) {
    let (direct, land, collection) = (slug("direct"), slug("land"), slug("collection"));
    let agency = |channel, cost| {
        let borne_by = CostBearer::Agency { agency: slug("land"), stage: Stage::Direct };
        vec![RailCost { channel: slug(channel), amount: jod(cost), borne_by }]
    };
    let mut paid = payment(channel("direct"), "10.000", "direct:land 10.000");
    paid.costs = agency("direct", "0.150");
    story.tell(collect::paid_in_full(voucher(), &paid));
    story.tell(rail::direct_settled(voucher(), &direct, &land, jod("10.000"), jod("0.150")));
    story.stands(&[("agency/land/direct", "0"), ("agency/land/payable", "51.055")]);
    // Money that fits nothing is at the agency, which the channel makes give it back: more than it pays that day.
    let late = parked("direct 8.000");
    story.tell(suspense::money_to_suspense(voucher(), &channel("direct"), &late, &agency("direct", "0.120")));
    story.tell(rail::direct_settled(voucher(), &direct, &land, jod("8.000"), jod("0.120")));
    story.stands(&[("agency/land/direct", "-8.000"), ("suspense/direct/credits", "8.000")]);
    story.tell(refund::refund_approved(voucher(), jod("8.000"), &shares("suspense:direct 8.000")));
    story.tell(refund::refund_submitted(voucher(), jod("8.000")));
    story.tell(refund::refund_netted(voucher(), &direct, jod("8.000")));
    story.tell(rail::direct_settled(voucher(), &direct, &land, jod("-8.000"), jod("0")));
    // The channel cannot give the payment back: the agency pays in, and the hub does. Of another one nobody is found.
    story.tell(refund::refund_approved(voucher(), jod("10.000"), &shares("direct:land 10.000")));
    story.tell(payout::agency_paid_in(voucher(), &collection, &land, jod("10.000")));
    story.tell(refund::refund_taken_over(voucher(), &land, jod("10.000")));
    story.tell(refund::refund_submitted(voucher(), jod("10.000")));
    story.tell(refund::refund_seen_at_bank(voucher(), &collection, jod("10.000")));
    story.tell(refund::refund_approved(voucher(), jod("1.000"), &shares("direct:land 1.000")));
    story.tell(refund::refund_left_at_agency(voucher(), &land, jod("1.000")));
    story.stands(&[
        ("agency/land/direct", "0"),
        ("channel/direct/receivable", "0"),
        ("channel/direct/costs_payable", "0"),
        ("bank/collection", "89.246"),
        ("agency/land/payable", "51.055"),
    ]);
}

fn cash_is_counted(story: &mut Story) {
    let (office, window) = (slug("main"), slug("window-3"));
    let rounding = Difference::Rounding(jod("0.004"));
    let rounded =
        Payment { difference: rounding, ..payment(drawer("window-3"), "2.350", "payable:land 2.346") };
    story.tell(collect::paid_in_full(voucher(), &rounded));
    story.tell(paid(drawer("window-3"), "7.500", "payable:land 7.500"));
    story.tell(cash::drawer_handed_over(voucher(), &office, &window, jod("9.850")));
    story.tell(cash::float_handed_out(voucher(), &office, &window, jod("5.000")));
    story.tell(refund::refund_approved(voucher(), jod("1.000"), &shares("payable:land 1.000")));
    story.tell(refund::refund_submitted(voucher(), jod("1.000")));
    story.tell(refund::refund_paid_in_cash(voucher(), &window, jod("1.000")));
    story.tell(cash::drawer_short(voucher(), &window, jod("0.050")));
    story.tell(cash::drawer_over(voucher(), &window, jod("0.020")));
    story.tell(cash::drawer_handed_over(voucher(), &office, &window, jod("3.970")));
    story.tell(cash::short_repaid(voucher(), &office, jod("0.030")));
    story.tell(cash::short_written_off(voucher(), jod("0.020")));
    story.tell(cash::over_decided(voucher(), &beneficiary("treasury:general"), jod("0.020")));
    story.stands(&[
        ("cash/main/safe", "8.850"),
        ("cash/window-3/drawer", "0"),
        ("agency/land/payable", "59.901"),
    ]);
}

fn deposits_and_cheques_reach_the_bank(story: &mut Story) {
    let (office, collection) = (slug("main"), slug("collection"));
    for (slip, counted) in [("5.000", "5.000"), ("3.000", "2.900"), ("0.500", "0.600")] {
        story.tell(cash::deposit_made(voucher(), &office, jod(slip)));
        story.tell(cash::deposit_seen(voucher(), &office, &collection, jod(slip), jod(counted)));
    }
    story.tell(cash::short_written_off(voucher(), jod("0.100")));
    story.tell(cash::over_decided(voucher(), &beneficiary("suspense:main"), jod("0.100")));
    story.tell(suspense::suspense_unclaimed(voucher(), &parked("main 0.100"), &slug("general")));
    story.tell(cash::deposit_made(voucher(), &office, jod("0.350")));
    story.tell(cash::slip_refused(voucher(), &office, jod("0.350")));
    story.tell(cash::deposit_made(voucher(), &office, jod("0.350")));
    story.tell(cash::slip_lost(voucher(), &office, jod("0.350")));
    story.tell(cash::short_written_off(voucher(), jod("0.350")));
    story.stands(&[("cash/main/safe", "0"), ("cash/main/transit", "0"), ("bank/collection", "97.746")]);

    let cheques = || Place::Cheques { office: slug("main") };
    for amount in ["30.000", "12.000", "9.000"] {
        story.tell(paid(cheques(), amount, &format!("payable:psi {amount}")));
        story.tell(cash::cheque_deposited(voucher(), &office, jod(amount)));
    }
    for amount in [jod("30.000"), jod("9.000")] {
        story.tell(cash::deposit_seen(voucher(), &office, &collection, amount, amount));
    }
    let stands = shares("payable:psi 12.000");
    let bounced = Bounced::InTransit { office: office.clone() };
    story.tell(cash::cheque_dishonoured(voucher(), &bounced, jod("12.000"), &stands, &[]));
    let stands = shares("payable:psi 9.000");
    let bounced = Bounced::AtBank { account: collection, fee: jod("0.250") };
    story.tell(cash::cheque_dishonoured(voucher(), &bounced, jod("9.000"), &stands, &[]));
    story.stands(&[("bank/collection", "127.496"), ("agency/psi/payable", "36.890")]);
}

fn everybody_is_paid_out(story: &mut Story) {
    let (collection, payouts, psi) = (slug("collection"), slug("payouts"), slug("psi"));
    story.tell(payout::released(voucher(), &psi, jod("15.000")));
    story.tell(payout::reserve_set_aside(voucher(), &psi, jod("5.000")));
    story.tell(payout::reserve_released(voucher(), &psi, jod("5.000")));
    story.tell(payout::treasury_advanced(voucher(), &payouts, &slug("general"), jod("100.000")));
    story.tell(payout::agency_paid_in(voucher(), &collection, &slug("land"), jod("0.099")));

    let due = shares(
        "payable:land 60.000, payable:psi 51.890, tax:psi/vat 1.600, treasury:general 0.895, fee 5.000, fee-tax 0.056",
    );
    let total = jod("119.441");
    story.tell(payout::payout_released(voucher(), total, &due));
    story.tell(payout::payout_refused(voucher(), total, &due));
    story.tell(payout::payout_released(voucher(), total, &due));
    story.tell(own::own_transfer_left(voucher(), &collection, jod("125.000")));
    story.tell(own::own_transfer_arrived(voucher(), &payouts, jod("125.000")));
    story.tell(payout::payout_seen(voucher(), &payouts, total));
    let (place, kept_by) = (at_bank("payouts"), payouts.clone());
    let back = Returned { place, arrived: jod("59.500"), kept: jod("0.500"), kept_by };
    story.tell(payout::payout_returned(voucher(), &back, &shares("payable:land 60.000")));
    story.tell(payout::payout_released(voucher(), jod("60.000"), &shares("payable:land 60.000")));
    story.tell(payout::payout_seen(voucher(), &payouts, jod("60.000")));
    story.tell(payout::advance_repaid(voucher(), &payouts, &slug("general"), jod("100.000")));
}
