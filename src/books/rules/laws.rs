//! What holds for every rule, whatever the amounts.

use std::collections::{BTreeMap, BTreeSet};

use mizan_ledger::account::{AccountCode, Side};
use mizan_ledger::entry::Entry;
use mizan_ledger::{Currency, Money};
use proptest::prelude::*;

use super::cash::Bounced;
use super::channel::NetSettlement;
use super::dispute::Disputed;
use super::testing::*;
use super::{
    CostBearer, Difference, Exemption, Parked, Payment, Place, RailCost, Returned, RuleError, Share, Stage,
};
use super::{bank, cash, channel as rail, collect, dispute, instalments, own, payout, refund, suspense};
use crate::books::{chart, describe};

type Told = Result<Entry, RuleError>;

/// The four amounts every rule is told with, and what is made of them.
struct Amounts {
    parts: [Money; 4],
    total: Money,
}

impl Amounts {
    fn new(minor: [i64; 4], currency: Currency) -> Self {
        let total = minor.into_iter().fold(0, i64::saturating_add);
        Self { parts: minor.map(|part| Money::new(part, currency)), total: Money::new(total, currency) }
    }

    fn share(whose: &str, amount: Money) -> Share {
        Share { beneficiary: beneficiary(whose), amount }
    }

    /// The total, as components of four beneficiaries.
    fn shares(&self, agency: &str) -> Vec<Share> {
        let [a, b, c, d] = self.parts;
        [(agency, a), ("tax:psi/vat", b), ("treasury:general", c), ("fee", d)]
            .map(|(whose, amount)| Self::share(whose, amount))
            .to_vec()
    }

    fn parked(&self, amount: Money) -> Parked {
        Parked { suspense: slug("collection"), amount }
    }

    fn cost(&self) -> RailCost {
        let borne_by = CostBearer::Agency { agency: slug("psi"), stage: Stage::Held };
        RailCost { channel: slug("card"), amount: self.parts[3], borne_by }
    }

    fn exemptions(&self) -> Vec<Exemption> {
        let share = Self::share("payable:psi", self.parts[1]);
        vec![
            Exemption::Waived { agency: slug("psi"), amount: self.parts[0] },
            Exemption::Sponsored { sponsor: slug("relief-fund"), share },
        ]
    }

    /// Received: the total and a surplus of the first amount.
    fn payment(&self) -> Payment {
        let received = self.total.minor().saturating_add(self.parts[0].minor());
        Payment {
            place: channel("card"),
            received: Money::new(received, self.total.currency()),
            shares: self.shares("held:psi"),
            difference: Difference::Surplus(self.parked(self.parts[0])),
            exemptions: self.exemptions(),
            costs: vec![self.cost()],
        }
    }

    fn returned(&self) -> Returned {
        let arrived = self.total.minor().saturating_sub(self.parts[0].minor());
        let arrived = Money::new(arrived, self.total.currency());
        let place = Place::Bank { account: slug("collection") };
        Returned { place, arrived, kept: self.parts[0], kept_by: slug("collection") }
    }

    fn disputed(&self) -> Disputed {
        Disputed { channel: slug("card"), amount: self.total, shares: self.shares("payable:psi") }
    }
}

/// Every rule, told with these amounts.
fn every_rule(amounts: &Amounts) -> Vec<Told> {
    [incoming(amounts), settled(amounts), outgoing(amounts), cash_and_own(amounts)].concat()
}

fn incoming(amounts: &Amounts) -> Vec<Told> {
    let [a, b, ..] = amounts.parts;
    let (whole, bank, held) = (amounts.payment(), slug("collection"), amounts.shares("held:psi"));
    let rest = Payment { received: amounts.total, ..whole.clone() };
    let parked = amounts.parked(amounts.total);
    let account = chart::agency_payable(&slug("psi"), 0, a.currency());
    vec![
        collect::paid_in_full(voucher(), &whole),
        collect::exempted(voucher(), &whole.exemptions),
        collect::sponsor_paid(voucher(), &slug("relief-fund"), &bank, a),
        collect::part_payment_held(voucher(), &whole.place, a, &whole.costs),
        collect::part_payment_completed(voucher(), &rest, a),
        collect::part_payment_ended(voucher(), &parked),
        instalments::instalment_paid(voucher(), &whole),
        instalments::instalments_ended(voucher(), &held, &parked),
        collect::transfer_paid(voucher(), &whole, &bank),
        collect::confirmation_withdrawn(voucher(), &whole.place, amounts.total, &held, &whole.exemptions),
        suspense::money_to_suspense(voucher(), &whole.place, &parked, &whole.costs),
        suspense::bank_unknown_credit(voucher(), &bank, &parked),
        suspense::late_callback_of_suspense(voucher(), &whole, std::slice::from_ref(&parked), a),
        suspense::suspense_credit_explained(voucher(), &parked, account.clone()),
        suspense::suspense_applied(voucher(), std::slice::from_ref(&parked), &held, &whole.exemptions),
        suspense::suspense_unclaimed(voucher(), &parked, &slug("general")),
        suspense::bank_unknown_debit(voucher(), &bank, &bank, b),
        suspense::unknown_debit_explained(voucher(), &bank, account, b),
    ]
}

fn settled(amounts: &Amounts) -> Vec<Told> {
    let [a, b, ..] = amounts.parts;
    let (card, bank) = (slug("card"), slug("collection"));
    let received = amounts.payment().received;
    let net = NetSettlement {
        channel: card.clone(),
        shown: rail::Shown::AtBank(bank.clone()),
        net: amounts.total,
        kept: a,
        receivable: amounts.total,
        surplus: Some(amounts.parked(a)),
    };
    vec![
        bank::bank_charged(voucher(), &bank, a),
        bank::interest_credited(voucher(), &bank, &slug("general"), a),
        bank::bank_undid_credit(voucher(), &bank, &card, a),
        bank::bank_undid_unknown_credit(voucher(), &bank, &amounts.parked(a)),
        rail::channel_settled_net(voucher(), &net),
        rail::channel_settled_gross(voucher(), &card, &bank, received, Some(&amounts.parked(a))),
        rail::costs_billed(voucher(), &card, &bank, b),
        rail::rail_cost_accrued(voucher(), &amounts.cost()),
        rail::rail_cost_reduced(voucher(), &amounts.cost()),
        rail::direct_settled(voucher(), &card, &slug("psi"), amounts.total, a),
    ]
}

fn outgoing(amounts: &Amounts) -> Vec<Told> {
    let [a, ..] = amounts.parts;
    let (total, shares, bank, psi, fund) =
        (amounts.total, amounts.shares("payable:psi"), slug("collection"), slug("psi"), slug("general"));
    let (place, card) = (channel("card"), slug("card"));
    vec![
        refund::refund_approved(voucher(), total, &shares),
        refund::refund_canceled(voucher(), total, &shares),
        refund::refund_submitted(voucher(), total),
        refund::refund_refused(voucher(), total),
        refund::refund_seen_at_bank(voucher(), &bank, total),
        refund::refund_netted(voucher(), &card, total),
        refund::refund_paid_in_cash(voucher(), &slug("window-3"), total),
        refund::refund_returned(voucher(), &amounts.returned()),
        refund::refund_unclaimed(voucher(), &fund, total),
        refund::refund_taken_over(voucher(), &psi, total),
        refund::refund_left_at_agency(voucher(), &psi, total),
        payout::released(voucher(), &psi, a),
        payout::payout_released(voucher(), total, &shares),
        payout::payout_refused(voucher(), total, &shares),
        payout::payout_seen(voucher(), &bank, total),
        payout::payout_returned(voucher(), &amounts.returned(), &shares),
        payout::agency_paid_in(voucher(), &bank, &psi, a),
        payout::reserve_set_aside(voucher(), &psi, a),
        payout::reserve_released(voucher(), &psi, a),
        payout::treasury_advanced(voucher(), &bank, &fund, a),
        payout::advance_repaid(voucher(), &bank, &fund, a),
        dispute::dispute_opened(voucher(), &amounts.disputed(), &place),
        dispute::dispute_fee_charged(voucher(), &card, &place, a),
        dispute::dispute_lost(voucher(), &amounts.disputed(), &amounts.exemptions()),
        dispute::dispute_won(voucher(), &amounts.disputed(), &place),
    ]
}

fn cash_and_own(amounts: &Amounts) -> Vec<Told> {
    let ([a, b, ..], total) = (amounts.parts, amounts.total);
    let (office, window, bank) = (slug("main"), slug("window-3"), slug("collection"));
    let bounced = Bounced::AtBank { account: bank.clone(), fee: a };
    let shares = amounts.shares("payable:psi");
    vec![
        cash::float_handed_out(voucher(), &office, &window, a),
        cash::drawer_handed_over(voucher(), &office, &window, a),
        cash::drawer_short(voucher(), &window, a),
        cash::drawer_over(voucher(), &window, a),
        cash::short_repaid(voucher(), &office, a),
        cash::short_written_off(voucher(), a),
        cash::over_decided(voucher(), &beneficiary("suspense:main"), a),
        cash::deposit_made(voucher(), &office, a),
        cash::deposit_seen(voucher(), &office, &bank, total, b),
        cash::slip_refused(voucher(), &office, a),
        cash::slip_lost(voucher(), &office, a),
        cash::cheque_deposited(voucher(), &office, a),
        cash::cheque_dishonoured(voucher(), &bounced, total, &shares, &amounts.exemptions()),
        own::own_transfer_left(voucher(), &bank, a),
        own::own_transfer_arrived(voucher(), &bank, a),
        own::receivable_written_off(voucher(), &slug("card"), a),
    ]
}

/// What an entry moves: minor units by account and side.
fn moves(entry: &Entry) -> BTreeMap<(AccountCode, bool), i64> {
    let of = |line: &mizan_ledger::entry::Line| {
        ((line.account().code.clone(), line.side() == Side::Debit), line.money().minor())
    };
    entry.lines().iter().map(of).collect()
}

#[test]
fn the_list_above_is_complete() {
    let told = every_rule(&Amounts::new([1, 2, 3, 4], Currency::JOD));
    let kinds: Vec<String> = told.into_iter().map(|entry| entry.unwrap().kind().to_owned()).collect();
    assert_eq!(kinds.iter().map(String::as_str).collect::<BTreeSet<_>>(), rule_names());
    assert_eq!(kinds.len(), rule_names().len());
}

fn currency() -> impl Strategy<Value = Currency> {
    let codes = prop::sample::select(vec!["JOD", "ILS", "JPY", "CLF"]);
    codes.prop_map(|code| code.parse().unwrap())
}

fn minor_units() -> impl Strategy<Value = [i64; 4]> {
    prop::array::uniform4(prop_oneof![1..=10_000_i64, 1..=(i64::MAX / 64)])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_entry_balances_on_accounts_of_the_chart(minor in minor_units(), currency in currency()) {
        for entry in every_rule(&Amounts::new(minor, currency)) {
            let entry = entry.unwrap();
            let sum: i128 = entry.lines().iter().map(|line| i128::from(line.signed_minor())).sum();
            prop_assert_eq!(sum, 0, "{}", entry.kind());
            prop_assert_eq!(moves(&entry).len(), entry.lines().len(), "{} names an account twice", entry.kind());
            for line in entry.lines() {
                let described = describe(line.account().code.as_str()).expect("an account of the chart");
                prop_assert_eq!(described.kind.class(), line.account().class);
                prop_assert_eq!(line.money().currency(), currency);
            }
        }
    }

    /// Twice the money is two entries: no amount changes which accounts move or in what proportion.
    #[test]
    fn amounts_add_up_account_by_account(one in minor_units(), other in minor_units()) {
        let both = [0, 1, 2, 3].map(|part| one[part] + other[part]);
        let told = |minor| every_rule(&Amounts::new(minor, Currency::JOD)).into_iter().map(Result::unwrap);
        for ((one, other), both) in told(one).zip(told(other)).zip(told(both)) {
            let mut sum = moves(&one);
            for (account, minor) in moves(&other) {
                *sum.entry(account).or_default() += minor;
            }
            prop_assert_eq!(sum, moves(&both), "{}", both.kind());
        }
    }

    /// Zeros leave no line, whatever is below zero or out of range is refused, nothing panics.
    #[test]
    fn any_amount_makes_an_entry_or_a_refusal(
        minor in prop::array::uniform4(prop_oneof![
            Just(0), Just(1), Just(-1), Just(i64::MAX), Just(i64::MIN), any::<i64>(), 0..1_000_i64,
        ]),
        currency in currency(),
    ) {
        for entry in every_rule(&Amounts::new(minor, currency)).into_iter().flatten() {
            prop_assert!(entry.lines().iter().all(|line| line.money().is_positive()), "{}", entry.kind());
        }
    }
}
