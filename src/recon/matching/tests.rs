//! What holds of matching whatever the lines are.

use std::collections::{BTreeMap, BTreeSet};

use mizan_adapters::reference::{BillNumber, RfReference};
use mizan_ledger::{Currency, Day, EntryId, Id, Money};
use proptest::prelude::*;
use uuid::Uuid;

use super::settlement::{self, Item, ItemKind, Judged, Plan, Settlement};
use super::{Bill, Candidates, Line, Named, Ruled, Verdict, named, run};
use crate::breaks::Category;
use crate::expectations::{Expectation, Kind};
use crate::ids::{ExpectationId, IntentId, RefundId, SettlementId};

const ACCOUNT: &str = "main-ils";
const ISSUER: u16 = 2201;

fn ils(minor: i64) -> Money {
    Money::new(minor, Currency::ILS)
}

fn id<T: Id>(n: usize) -> T {
    T::from_uuid(Uuid::from_u128(n as u128 + 1))
}

fn day() -> Day {
    "2026-11-22".parse().expect("a day")
}

fn bill(serial: u32) -> BillNumber {
    BillNumber::new(ISSUER, serial).expect("a bill number")
}

fn payment(n: usize, channel: &str, minor: i64, cost: i64) -> Expectation {
    Expectation {
        id: id(n),
        kind: Kind::Payment,
        channel: channel.to_owned(),
        account: ACCOUNT.to_owned(),
        money: ils(minor),
        cost: ils(cost),
        transaction: Some(format!("T{n}")),
        reference: Some(format!("at_{n}")),
        money_key: Some(format!("{channel}:T{n}")),
        intent: Some(id(n)),
        refund: None,
        born_on: day(),
        due_on: day(),
    }
}

fn netted(n: usize, minor: i64) -> Expectation {
    Expectation {
        kind: Kind::NettedRefund,
        money: ils(-minor),
        reference: Some(refund_reference(n)),
        refund: Some(id(n)),
        money_key: None,
        transaction: None,
        ..payment(n, "card", minor, 0)
    }
}

fn refund_reference(n: usize) -> String {
    id::<RefundId>(n).to_string()
}

fn line(n: usize, minor: i64, text: &str) -> Line {
    Line {
        id: i64::try_from(n).expect("few lines"),
        account: ACCOUNT.to_owned(),
        money: ils(minor),
        money_key: format!("bank:{ACCOUNT}:{n}"),
        end_to_end: None,
        text: text.to_owned(),
        named: named(&[], text, |issuer| issuer == ISSUER),
        noticed: false,
    }
}

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

/// Texts as banks pass them on: a bill grouped, in Arabic digits, as an RF reference, between other words.
fn written(bill: BillNumber, how: usize) -> String {
    let arabic = |text: &str| -> String {
        text.chars()
            .map(|letter| {
                letter.to_digit(10).and_then(|digit| char::from_u32(0x660 + digit)).unwrap_or(letter)
            })
            .collect()
    };
    match how % 5 {
        0 => format!("fees {bill} thank you"),
        1 => format!("رسوم {}", bill.grouped()),
        2 => arabic(&bill.to_string()),
        3 => format!("ref {} of 2026-11-22", RfReference::from(bill)),
        _ => format!("tel 0599123456 {bill} 12/2026"),
    }
}

fn bills(dues: &[i64]) -> BTreeMap<BillNumber, Bill> {
    let known = dues.iter().zip(1_u32..).map(|(due, serial)| {
        let intent: IntentId = id(serial as usize);
        (bill(serial), Bill { intent, amount: ils(*due), due: ils(*due) })
    });
    known.collect()
}

fn transfers() -> BTreeMap<String, String> {
    [(ACCOUNT.to_owned(), "transfer".to_owned())].into()
}

proptest! {
    #[test]
    fn a_bill_in_free_text_counts_with_what_is_due_and_never_with_another_amount(
        dues in prop::collection::vec(1_i64..1_000_000, 1..6), which in 0_usize..6, how in 0_usize..5,
        off in -500_i64..500,
    ) {
        let which = which % dues.len();
        let number = bill(u32::try_from(which).expect("few") + 1);
        let candidates = Candidates { bills: bills(&dues), transfers: transfers(), ..Candidates::default() };
        let paid = (dues[which] + off).max(1);
        let ruled = run(&[line(1, paid, &written(number, how))], &candidates).expect("in range");
        let wanted = if paid == dues[which] {
            Verdict::Transfers("transfer".to_owned(), number)
        } else {
            Verdict::Unknown(vec![number])
        };
        prop_assert_eq!(&ruled[0].verdict, &wanted);
    }

    #[test]
    fn a_text_that_names_two_bills_is_for_a_person(
        dues in prop::collection::vec(1_i64..1_000_000, 2..6), hows in (0_usize..5, 0_usize..5),
    ) {
        let candidates = Candidates { bills: bills(&dues), transfers: transfers(), ..Candidates::default() };
        let text = format!("{}\n{}", written(bill(1), hows.0), written(bill(2), hows.1));
        let ruled = run(&[line(1, dues[0], &text)], &candidates).expect("in range");
        prop_assert_eq!(&ruled[0].verdict, &Verdict::Unknown(vec![bill(1), bill(2)]));
    }

    #[test]
    fn a_bill_with_a_wrong_digit_is_never_confirmed(due in 1_i64..1_000_000, place in 0_usize..14, add in 1_u32..10) {
        let candidates = Candidates { bills: bills(&[due]), transfers: transfers(), ..Candidates::default() };
        let mut digits: Vec<char> = bill(1).to_string().chars().collect();
        let digit = digits[place].to_digit(10).expect("a digit");
        digits[place] = char::from_digit((digit + add) % 10, 10).expect("a digit");
        let text: String = digits.into_iter().collect();
        let ruled = run(&[line(1, due, &text)], &candidates).expect("in range");
        prop_assert_eq!(&ruled[0].verdict, &Verdict::Unknown(Vec::new()));
    }
}

/// A statement in disorder: few keys, few amounts, so that everything collides.
#[derive(Debug, Clone)]
struct Muddle {
    lines: Vec<(usize, i64, usize)>,
    payments: Vec<(usize, i64)>,
    settlements: Vec<(usize, i64)>,
}

fn muddle() -> impl Strategy<Value = Muddle> {
    let amount = || {
        prop_oneof![Just(1_000_i64), Just(2_000), 1_i64..5_000, -3_000_i64..0]
            .prop_filter("zero", |m| *m != 0)
    };
    let positive = || prop_oneof![Just(1_000_i64), Just(2_000), 1_i64..5_000];
    (
        prop::collection::vec((0_usize..4, amount(), 0_usize..8), 0..14),
        prop::collection::vec((0_usize..4, positive()), 0..10),
        prop::collection::vec((0_usize..2, positive()), 0..4),
    )
        .prop_map(|(lines, payments, settlements)| Muddle { lines, payments, settlements })
}

impl Muddle {
    fn lines(&self) -> Vec<Line> {
        let one = |(n, (key, minor, text)): (usize, &(usize, i64, usize))| {
            let text = match text {
                0 | 1 => written(bill(u32::try_from(*text).expect("few") + 1), n),
                2 => format!("{} {}", written(bill(1), 0), written(bill(2), 3)),
                3 | 4 => format!("SETTLEMENT S{} MERCHANT mizan", text - 3),
                5 => "SETTLEMENT S0 and SETTLEMENT S1".to_owned(),
                _ => "a gift (example)".to_owned(),
            };
            Line { money_key: format!("K{key}"), ..line(n + 1, *minor, &text) }
        };
        self.lines.iter().enumerate().map(one).collect()
    }

    fn candidates(&self) -> Candidates {
        let one = |(n, (key, minor)): (usize, &(usize, i64))| Expectation {
            money_key: Some(format!("K{key}")),
            ..payment(n, if n % 2 == 0 { "card" } else { "transfer" }, *minor, 0)
        };
        let settlement = |(n, (name, net)): (usize, &(usize, i64))| Settlement {
            id: id(n),
            channel: "card".to_owned(),
            reference: format!("S{name}"),
            account: ACCOUNT.to_owned(),
            day: day(),
            costs: ils(0),
            net: ils(*net),
            items: vec![Item {
                kind: ItemKind::Payment,
                transaction: format!("T{}", n * 2),
                reference: format!("at_{}", n * 2),
                gross: ils(*net),
                cost: ils(0),
            }],
            entry: EntryId::from_uuid(Uuid::from_u128(n as u128 + 50)),
        };
        Candidates {
            expectations: self.payments.iter().enumerate().map(one).collect(),
            settlements: self.settlements.iter().enumerate().map(settlement).collect(),
            known_payments: (0..8).map(|n| ("card".to_owned(), format!("T{n}"))).collect(),
            bills: bills(&[1_000, 2_000]),
            transfers: transfers(),
            ..Candidates::default()
        }
    }
}

fn reversed(candidates: &Candidates) -> Candidates {
    let mut other = candidates.clone();
    other.expectations.reverse();
    other.settlements.reverse();
    other
}

/// What a verdict of the machine takes as settled.
fn met(ruled: &[Ruled]) -> Vec<ExpectationId> {
    let of = |one: &Ruled| match &one.verdict {
        Verdict::Pays(id) | Verdict::Refunds(id, _) => vec![*id],
        Verdict::Settles(_, plan) => plan.met().collect(),
        _ => Vec::new(),
    };
    ruled.iter().flat_map(of).collect()
}

proptest! {
    #[test]
    fn every_line_ends_in_exactly_one_verdict_whatever_the_order(muddle in muddle(), seed in any::<u64>()) {
        let (mut lines, candidates) = (muddle.lines(), muddle.candidates());
        let ruled = run(&lines, &candidates).expect("in range");
        let asked: Vec<i64> = lines.iter().map(|line| line.id).collect();
        let answered: Vec<i64> = ruled.iter().map(|one| one.line).collect();
        prop_assert_eq!(answered, asked);
        prop_assert!(ruled.iter().all(|one| !one.reason.is_empty()));
        lines.sort_by_key(|line| line.id.cast_unsigned().wrapping_mul(seed | 1));
        prop_assert_eq!(run(&lines, &reversed(&candidates)).expect("in range"), ruled);
    }

    #[test]
    fn nothing_is_settled_twice(muddle in muddle()) {
        let ruled = run(&muddle.lines(), &muddle.candidates()).expect("in range");
        let met = met(&ruled);
        prop_assert_eq!(met.iter().collect::<BTreeSet<_>>().len(), met.len());
        let settled: Vec<SettlementId> = ruled
            .iter()
            .filter_map(|one| match &one.verdict {
                Verdict::Settles(id, _) | Verdict::Tells(id, _) => Some(*id),
                _ => None,
            })
            .collect();
        prop_assert_eq!(settled.iter().collect::<BTreeSet<_>>().len(), settled.len());
    }

    #[test]
    fn what_is_ambiguous_is_never_confirmed_by_the_machine(muddle in muddle()) {
        let (lines, candidates) = (muddle.lines(), muddle.candidates());
        for one in run(&lines, &candidates).expect("in range") {
            let line = lines.iter().find(|line| line.id == one.line).expect("asked");
            match (&one.verdict, one.rule) {
                (Verdict::Pays(_), "money_key") => {
                    let same = candidates.expectations.iter();
                    let same = same.filter(|known| known.money_key.as_ref() == Some(&line.money_key));
                    prop_assert_eq!(same.count(), 1);
                }
                (Verdict::Settles(id, _) | Verdict::Tells(id, _), _) => {
                    let named = candidates.settlements.iter();
                    let named: Vec<_> =
                        named.filter(|known| super::names(&line.text, &known.reference)).map(|known| known.id).collect();
                    prop_assert_eq!(named, vec![*id]);
                }
                (Verdict::Transfers(_, bill), _) => {
                    let Named { structured, free } = &line.named;
                    let named: Vec<_> = structured.union(free).collect();
                    prop_assert_eq!(named, vec![bill]);
                }
                _ => {}
            }
        }
    }
}
