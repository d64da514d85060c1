//! Whatever a statement holds.

use super::*;

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

/// Ids of settlements: one that a text may hold by chance, and one that says enough by itself.
const SETTLEMENTS: [&str; 2] = ["S0", "S20261122"];

impl Muddle {
    fn lines(&self) -> Vec<Line> {
        let one = |(n, (key, minor, text)): (usize, &(usize, i64, usize))| {
            let text = match text {
                0 | 1 => written(bill(u32::try_from(*text).expect("few") + 1), n),
                2 => format!("{} {}", written(bill(1), 0), written(bill(2), 3)),
                3 | 4 => format!("SETTLEMENT {} MERCHANT mizan", SETTLEMENTS[text - 3]),
                5 => SETTLEMENTS.join(" and "),
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
            reference: SETTLEMENTS[*name].to_owned(),
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
                    let named: Vec<_> = named
                        .filter(|known| settlement::is_named(known, line))
                        .map(|known| known.id)
                        .collect();
                    prop_assert_eq!(named, vec![*id]);
                }
                (Verdict::Transfers(_, bill), _) => {
                    let Named { structured, free, refunds: _ } = &line.named;
                    let named: Vec<_> = structured.union(free).collect();
                    prop_assert_eq!(named, vec![bill]);
                }
                _ => {}
            }
        }
    }
}
