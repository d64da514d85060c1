//! One net sum of a gateway against its day.

use super::*;

/// A gateway's day: payments with their costs, and refunds it kept back.
#[derive(Debug, Clone)]
struct CardDay {
    payments: Vec<(i64, i64)>,
    refunds: Vec<i64>,
}

fn card_day() -> impl Strategy<Value = CardDay> {
    let payments = prop::collection::vec((1_i64..5_000_000, 0_i64..20_000), 1..25);
    let refunds = prop::collection::vec(1_i64..1_000_000, 0..6);
    (payments, refunds).prop_map(|(payments, refunds)| CardDay { payments, refunds })
}

impl CardDay {
    fn expectations(&self) -> Vec<Expectation> {
        let payments =
            self.payments.iter().enumerate().map(|(n, (gross, cost))| payment(n, "card", *gross, *cost));
        let refunds = self.refunds.iter().enumerate().map(|(n, minor)| netted(1_000 + n, *minor));
        payments.chain(refunds).collect()
    }

    fn settlement(&self) -> Settlement {
        let payments = self.payments.iter().enumerate().map(|(n, (gross, cost))| Item {
            kind: ItemKind::Payment,
            transaction: format!("T{n}"),
            reference: format!("at_{n}"),
            gross: ils(*gross),
            cost: ils(*cost),
        });
        let refunds = self.refunds.iter().enumerate().map(|(n, minor)| Item {
            kind: ItemKind::Refund,
            transaction: format!("R{n}"),
            reference: refund_reference(1_000 + n),
            gross: ils(*minor),
            cost: ils(0),
        });
        Settlement {
            id: id(1),
            channel: "card".to_owned(),
            reference: "S20261122ILS01".to_owned(),
            account: ACCOUNT.to_owned(),
            day: day(),
            costs: ils(self.costs()),
            net: ils(self.net()),
            items: payments.chain(refunds).collect(),
            entry: EntryId::from_uuid(Uuid::from_u128(7)),
        }
    }

    fn costs(&self) -> i64 {
        self.payments.iter().map(|(_, cost)| cost).sum()
    }

    fn net(&self) -> i64 {
        self.payments.iter().map(|(gross, _)| gross).sum::<i64>()
            - self.refunds.iter().sum::<i64>()
            - self.costs()
    }

    fn candidates(&self) -> Candidates {
        let known = (0..self.payments.len()).map(|n| ("card".to_owned(), format!("T{n}")));
        let refunds: Vec<usize> = (1_000..1_000 + self.refunds.len()).collect();
        Candidates {
            expectations: self.expectations(),
            settlements: vec![self.settlement()],
            known_payments: known.collect(),
            known_refunds: refunds.iter().map(|n| refund_reference(*n)).collect(),
            refunds_in_flight: refunds.iter().map(|n| id(*n)).collect(),
            ..Candidates::default()
        }
    }

    fn judge(&self, bank: i64, candidates: &Candidates) -> Judged {
        let open: Vec<&Expectation> = candidates.expectations.iter().collect();
        settlement::judge(&candidates.settlements[0], ils(bank), &open, candidates).expect("in range")
    }
}

/// net + kept = receivable + everything parked.
fn balances(plan: &Plan) -> bool {
    let parked: i64 = plan.parked.iter().map(|one| one.money.minor()).sum();
    plan.net.minor() + plan.kept.minor() == plan.receivable.minor() + parked
}

fn plan(judged: Judged) -> Plan {
    match judged {
        Judged::Settles(plan) => plan,
        other => panic!("{other:?}"),
    }
}

proptest! {
    #[test]
    fn one_net_sum_settles_every_payment_and_refund_of_its_day(day in card_day()) {
        let candidates = day.candidates();
        let lines = [line(1, day.net(), "SETTLEMENT S20261122ILS01 MERCHANT mizan")];
        if day.net() == 0 {
            return Ok(());
        }
        let ruled = run(&lines, &candidates).expect("in range");
        let Verdict::Settles(_, plan) = &ruled[0].verdict else { panic!("{:?}", ruled[0]) };
        let met: BTreeSet<ExpectationId> = plan.met().collect();
        prop_assert_eq!(met.len(), candidates.expectations.len());
        prop_assert!(plan.parked.is_empty() && plan.owed.is_empty() && plan.late.is_empty());
        prop_assert!(plan.cost_variance.is_zero());
        prop_assert_eq!(plan.kept.minor(), day.costs());
        prop_assert!(balances(plan));
    }

    #[test]
    fn a_sum_that_is_off_is_split_to_the_unit(day in card_day(), off in -10_000_i64..10_000) {
        let candidates = day.candidates();
        let plan = plan(day.judge(day.net() + off, &candidates));
        prop_assert!(balances(&plan));
        let of = |list: &[settlement::Difference], category| -> i64 {
            list.iter().filter(|one| one.category == category).map(|one| one.money.minor()).sum()
        };
        prop_assert_eq!(of(&plan.parked, Category::AmountOver), off.max(0));
        prop_assert_eq!(of(&plan.owed, Category::AmountUnder), (-off).max(0));
        prop_assert_eq!(plan.met().count(), candidates.expectations.len());
    }

    #[test]
    fn payments_nobody_told_of_are_told_before_anything_is_settled(
        day in card_day(), untold in prop::collection::btree_set(0_usize..25, 1..5),
    ) {
        let mut candidates = day.candidates();
        let untold: BTreeSet<String> =
            untold.iter().filter(|n| **n < day.payments.len()).map(|n| format!("T{n}")).collect();
        candidates.known_payments.retain(|(_, name)| !untold.contains(name));
        candidates.expectations.retain(|one| !one.transaction.as_ref().is_some_and(|name| untold.contains(name)));
        match day.judge(day.net(), &candidates) {
            Judged::NotTold(items) => {
                let told: BTreeSet<String> = items.into_iter().map(|item| item.transaction).collect();
                prop_assert_eq!(told, untold);
            }
            other => prop_assert!(untold.is_empty(), "{:?}", other),
        }
    }

    #[test]
    fn what_was_settled_before_is_parked_as_a_duplicate(day in card_day(), again in 0_usize..25) {
        let mut candidates = day.candidates();
        let again = again % day.payments.len();
        candidates.expectations.retain(|one| one.id != id(again));
        let plan = plan(day.judge(day.net(), &candidates));
        prop_assert!(balances(&plan));
        let [twice] = &plan.parked[..] else { panic!("{:?}", plan.parked) };
        prop_assert_eq!((twice.category, twice.money), (Category::DuplicateMoney, ils(day.payments[again].0)));
        prop_assert!(plan.met().all(|met| met != id(again)));
    }
}

fn of_a_day() -> CardDay {
    CardDay { payments: vec![(21_525, 362), (10_500, 202)], refunds: vec![5_000] }
}

/// Anybody can write the id of a settlement into the text of a transfer, and banks do into their charges.
#[test]
fn a_line_far_from_its_amount_is_not_the_settlement_it_names() {
    let day = of_a_day();
    let candidates = day.candidates();
    let text = "SETTLEMENT S20261122ILS01 MERCHANT mizan";
    for minor in [-500, 300, day.net() / 2, -day.net()] {
        let ruled = run(&[line(1, minor, text), line(2, day.net(), text)], &candidates).expect("in range");
        assert_eq!(ruled[0].rule, "none", "{minor}");
        assert_eq!(ruled[1].rule, "settlement");
        let alone = run(&[line(1, minor, text)], &candidates).expect("in range");
        assert_eq!(alone[0].verdict, Verdict::Unknown(Vec::new()), "{minor}");
    }
    let near = run(&[line(1, day.net() - 500, text)], &candidates).expect("in range");
    assert_eq!(near[0].rule, "settlement");
}

/// A refund that was taken although its instruction ended as refused is money that left, and holds nothing up.
#[test]
fn a_refund_waits_for_its_answer_only_as_long_as_there_may_be_one() {
    let day = of_a_day();
    let mut candidates = day.candidates();
    candidates.expectations.retain(|one| one.refund.is_none());
    candidates.known_refunds.clear();
    candidates.refunds_in_doubt = BTreeSet::from([refund_reference(1_000)]);
    assert!(matches!(day.judge(day.net(), &candidates), Judged::Waits(_)));
    candidates.refunds_in_doubt.clear();
    let plan = plan(day.judge(day.net(), &candidates));
    assert!(balances(&plan));
    let [taken] = &plan.owed[..] else { panic!("{:?}", plan.owed) };
    assert_eq!((taken.category, taken.money), (Category::UnknownDebit, ils(5_000)));
}

/// A chargeback may be listed under a transaction of its own, with the order of the payment.
#[test]
fn what_a_settlement_takes_for_an_order_that_brought_money_is_a_chargeback() {
    let day = of_a_day();
    let mut candidates = day.candidates();
    candidates.expectations.retain(|one| one.refund.is_none());
    candidates.known_refunds.clear();
    candidates.known_orders = BTreeSet::from([("card".to_owned(), refund_reference(1_000))]);
    let plan = plan(day.judge(day.net(), &candidates));
    let [taken] = &plan.owed[..] else { panic!("{:?}", plan.owed) };
    assert_eq!((taken.category, taken.money), (Category::Reversed, ils(5_000)));
}

/// A gateway may count its settlements 1, 2, 3: such a number stands in many a text.
#[test]
fn a_short_id_counts_only_by_itself_and_with_the_whole_amount() {
    let day = of_a_day();
    let mut candidates = day.candidates();
    for reference in ["7", "A7", "A-7"] {
        candidates.settlements[0].reference = reference.to_owned();
        let text = format!("SETTLEMENT {reference} MERCHANT mizan");
        let other = format!("INVOICE 1{reference}, ITEM {reference}-1 OF X-{reference}, {reference}.00 PAID");
        let lines = [
            line(1, day.net() - 1, &text),
            line(2, day.net(), &other),
            line(3, day.net(), &text.to_lowercase()),
        ];
        let ruled = run(&lines, &candidates).expect("in range");
        let rules: Vec<&str> = ruled.iter().map(|one| one.rule).collect();
        assert_eq!(rules, ["none", "none", "settlement"], "{reference}");
    }
}
