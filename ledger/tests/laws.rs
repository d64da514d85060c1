//! Laws of the pure parts: entries balance, balances fold, the chain proves.
#![expect(clippy::unwrap_used, reason = "helpers of tests may stop the test too")]

use std::collections::BTreeMap;

use mizan_ledger::balance::trial_balance;
use mizan_ledger::chain::{self, Hash, Step};
use mizan_ledger::{
    Account, AccountBalance, Balance, Class, Currency, Day, Entry, EntryDraft, EntryError, EntryId, Id, Line,
    Money, ReversalDraft, Side,
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

fn id(number: u128) -> EntryId {
    EntryId::from_uuid(Uuid::from_u128(number))
}

fn day() -> Day {
    "2026-03-15".parse().unwrap()
}

fn account(code: &str, currency: Currency) -> Account {
    Account::new(code.parse().unwrap(), Class::Asset, currency)
}

fn draft(lines: Vec<Line>) -> EntryDraft {
    EntryDraft {
        id: id(5),
        kind: "payment_taken".to_owned(),
        effective_on: day(),
        actor: "job:poster".to_owned(),
        source_ref: "pi_5".to_owned(),
        meta: Map::from_iter([("note".to_owned(), "مثال".into())]),
        lines,
    }
}

fn jod(minor: i64) -> Money {
    Money::new(minor, Currency::JOD)
}

fn pair(minor: i64) -> Vec<Line> {
    vec![
        Line::debit(account("a", Currency::JOD), jod(minor)),
        Line::credit(account("b", Currency::JOD), jod(minor)),
    ]
}

fn reversal_of(original: &Entry) -> Result<Entry, EntryError> {
    let draft = ReversalDraft {
        id: id(6),
        effective_on: day(),
        actor: "user:officer".to_owned(),
        source_ref: "pi_5".to_owned(),
        reason: "taken twice".to_owned(),
    };
    Entry::reverse(original, draft)
}

fn amount() -> impl Strategy<Value = i64> {
    prop_oneof![Just(1), Just(i64::MAX), Just(i64::MAX - 1), 1..10_000_i64, 1..=i64::MAX]
}

/// Lines in up to two currencies: per currency any debits and, against their sum, one credit.
fn balanced() -> impl Strategy<Value = Vec<Line>> {
    let side = |currency: Currency| {
        prop::collection::vec(1..=i64::MAX / 16, 0..8).prop_map(move |amounts| {
            let mut lines: Vec<Line> = amounts
                .iter()
                .zip(0..)
                .map(|(minor, no)| {
                    Line::debit(account(&format!("d{no}"), currency), Money::new(*minor, currency))
                })
                .collect();
            if !amounts.is_empty() {
                let sum = Money::new(amounts.iter().sum(), currency);
                lines.push(Line::credit(account("credit", currency), sum));
            }
            lines
        })
    };
    (side(Currency::JOD), side(Currency::ILS))
        .prop_map(|(left, right)| [left, right].concat())
        .prop_filter("an entry has lines", |lines| !lines.is_empty())
}

proptest! {
    #[test]
    fn every_entry_sums_to_zero_per_currency(lines in balanced()) {
        let entry = Entry::new(draft(lines)).unwrap();
        let mut sums: BTreeMap<Currency, i128> = BTreeMap::new();
        for line in entry.lines() {
            *sums.entry(line.money().currency()).or_default() += i128::from(line.signed_minor());
        }
        prop_assert!(sums.values().all(|sum| *sum == 0));
    }

    #[test]
    fn what_does_not_balance_is_refused_with_the_difference(lines in balanced(), excess in 1..1_000_i64) {
        let mut lines = lines;
        let currency = lines[0].money().currency();
        lines.push(Line::debit(account("more", currency), Money::new(excess, currency)));
        let refused = Entry::new(draft(lines));
        prop_assert_eq!(refused, Err(EntryError::Unbalanced { currency, excess_minor: i128::from(excess) }));
    }

    #[test]
    fn a_reversal_is_the_exact_mirror(lines in balanced()) {
        let entry = Entry::new(draft(lines)).unwrap();
        let mirror = reversal_of(&entry).unwrap();
        prop_assert_eq!(mirror.reverses(), Some(entry.id()));
        prop_assert_eq!(mirror.lines().len(), entry.lines().len());
        for (left, right) in entry.lines().iter().zip(mirror.lines()) {
            prop_assert_eq!(left.account(), right.account());
            prop_assert_eq!(left.signed_minor() + right.signed_minor(), 0);
        }
        prop_assert_eq!(reversal_of(&mirror), Err(EntryError::ReversalOfReversal));
    }

    #[test]
    fn a_balance_is_the_fold_of_its_lines_or_an_overflow(
        amounts in prop::collection::vec((amount(), any::<bool>()), 0..12),
    ) {
        let signed: Vec<i64> = amounts.iter().map(|(minor, debit)| if *debit { *minor } else { -minor }).collect();
        let sum = |positive: bool| -> i128 {
            signed.iter().filter(|minor| (**minor > 0) == positive).map(|minor| i128::from(minor.unsigned_abs())).sum()
        };
        let expected = i64::try_from(sum(true)).ok().zip(i64::try_from(sum(false)).ok());
        let folded = Balance::fold(signed.iter().copied()).ok();
        prop_assert_eq!(folded.map(|balance| (balance.debits_minor(), balance.credits_minor())), expected);
        if let Some(balance) = folded {
            prop_assert_eq!(i128::from(balance.net_minor()), sum(true) - sum(false));
            prop_assert_eq!(balance.on(Side::Debit), -balance.on(Side::Credit));
        }
    }

    #[test]
    fn every_leaf_is_proved_and_none_after_one_flipped_bit(
        count in 1..70_usize, picked in any::<prop::sample::Index>(), bit in 0..256_usize,
    ) {
        let leaves: Vec<Hash> = (0..count).map(|no| Sha256::digest(no.to_be_bytes()).into()).collect();
        let index = picked.index(count);
        let root = chain::root(&leaves).unwrap();
        prop_assert_eq!(root, rfc_6962_root(&leaves));
        let path = chain::inclusion_proof(&leaves, index).unwrap();
        prop_assert!(chain::proves(&leaves[index], &path, &root));
        let flipped = |hash: &Hash| {
            let mut hash = *hash;
            hash[bit / 8] ^= 1 << (bit % 8);
            hash
        };
        prop_assert!(!chain::proves(&flipped(&leaves[index]), &path, &root));
        prop_assert!(!chain::proves(&leaves[index], &path, &flipped(&root)));
        for step in 0..path.len() {
            let mut broken = path.clone();
            broken[step] = match path[step] {
                Step::Left(hash) => Step::Left(flipped(&hash)),
                Step::Right(hash) => Step::Right(flipped(&hash)),
            };
            prop_assert!(!chain::proves(&leaves[index], &broken, &root));
        }
        prop_assert_eq!(chain::inclusion_proof(&leaves, count), None);
    }
}

/// The definition of RFC 6962, section 2.1, word by word.
fn rfc_6962_root(leaves: &[Hash]) -> Hash {
    if let [leaf] = leaves {
        return *leaf;
    }
    let mut split = 1;
    while split * 2 < leaves.len() {
        split *= 2;
    }
    let (left, right) = leaves.split_at(split);
    Sha256::digest([&[1], &rfc_6962_root(left)[..], &rfc_6962_root(right)[..]].concat()).into()
}

#[test]
fn the_tree_is_that_of_certificate_transparency() {
    let inputs =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    let leaves: Vec<Hash> = inputs
        .iter()
        .map(|input| Sha256::digest([vec![0], hex::decode(input).unwrap()].concat()).into())
        .collect();
    for (count, root) in [
        (1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
        (3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
        (7, "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"),
        (8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
    ] {
        assert_eq!(hex::encode(chain::root(&leaves[..count]).unwrap()), root);
    }
    assert_eq!(chain::root(&[]), None);
}

/// Computed by a script in another language from the layout that chain.rs documents.
#[test]
fn the_layout_of_hashes_does_not_move() {
    let lines = vec![
        Line::debit(account("channel/bills/receivable", Currency::JOD), jod(101)),
        Line::credit(account("agency/psi/payable", Currency::JOD), jod(100)),
        Line::credit(account("hub/fees", Currency::JOD), jod(1)),
    ];
    let entry = Entry::new(draft(lines)).unwrap();
    let at = "2026-03-15T09:00:00.000007Z".parse().unwrap();
    let leaf = chain::leaf("main", 42, at, None, &entry);
    assert_eq!(hex::encode(leaf), "1c04952dbe54eac567ee3d4bad3235d9469948f9fa0fb493e19c211e367a34e6");
    let event = chain::event_leaf("main", 3, at, "limits", "user:x", "{}");
    assert_eq!(hex::encode(event), "f799d80b0824930cafa2cb292d9908c7ee1d44daa89c53f66476c45d9daf4ab0");
    let batch = chain::batch_hash("main", 2, 10, 12, &leaf, &event);
    assert_eq!(hex::encode(batch), "3f7d1645248f09dd3bb14a9dda74bc4a2cee3ee0f5927c5ffecbf0eb86cafcb1");
}

#[test]
fn lines_that_make_no_entry_are_refused() {
    let (a, b) = (account("a", Currency::JOD), account("b", Currency::JOD));
    let refused = |lines| Entry::new(draft(lines)).unwrap_err();
    assert_eq!(refused(vec![]), EntryError::LineCount { count: 0 });
    assert_eq!(refused(pair(5)[..1].to_vec()), EntryError::LineCount { count: 1 });
    let many = (0..1_001).flat_map(|_| pair(1)).collect();
    assert_eq!(refused(many), EntryError::LineCount { count: 2_002 });
    assert!(Entry::new(draft((0..1_000).flat_map(|_| pair(1)).collect())).is_ok());
    for minor in [0, -1, i64::MIN] {
        assert_eq!(refused(pair(minor)), EntryError::AmountNotPositive { line: 1, money: jod(minor) });
    }
    let ils = Money::new(5, Currency::ILS);
    let mixed = vec![Line::debit(a.clone(), jod(5)), Line::credit(b.clone(), ils)];
    let mismatch = EntryError::CurrencyMismatch { line: 2, money: ils, account_currency: Currency::JOD };
    assert_eq!(refused(mixed), mismatch);
    let crossed = vec![
        Line::debit(a.clone(), jod(5)),
        Line::credit(account("b", Currency::ILS), Money::new(5, Currency::ILS)),
    ];
    assert!(matches!(refused(crossed), EntryError::Unbalanced { .. }));
    let huge = [pair(i64::MAX), pair(1)].concat();
    assert_eq!(refused(huge), EntryError::Overflow { currency: Currency::JOD });
    assert!(Entry::new(draft(pair(i64::MAX))).is_ok());
}

#[test]
fn texts_of_an_entry_are_bounded() {
    let with = |change: fn(&mut EntryDraft)| {
        let mut draft = draft(pair(5));
        change(&mut draft);
        Entry::new(draft).map(|_| ())
    };
    assert!(matches!(with(|draft| draft.kind = "Payment".to_owned()), Err(EntryError::Kind(_))));
    assert!(matches!(with(|draft| draft.kind = "reversal".to_owned()), Err(EntryError::Kind(_))));
    assert!(matches!(with(|draft| draft.kind = "x".repeat(41)), Err(EntryError::Kind(_))));
    assert_eq!(with(|draft| draft.actor = String::new()), Err(EntryError::Actor));
    assert_eq!(with(|draft| draft.actor = "a\nb".to_owned()), Err(EntryError::Actor));
    assert_eq!(with(|draft| draft.source_ref = "\0".to_owned()), Err(EntryError::SourceRef));
    assert_eq!(with(|draft| draft.source_ref = "x".repeat(201)), Err(EntryError::SourceRef));
    assert_eq!(with(|draft| draft.source_ref = "ط".repeat(100)), Ok(()));
}

#[test]
fn meta_is_flat_sorted_and_bounded() {
    let text = |meta: Value| {
        let Value::Object(meta) = meta else { panic!("an object") };
        Entry::new(EntryDraft { meta, ..draft(pair(5)) }).map(|entry| entry.meta_json().to_owned())
    };
    assert_eq!(
        text(json!({"b": 1, "a": "x", "c": null, "d": true})).unwrap(),
        r#"{"a":"x","b":1,"c":null,"d":true}"#
    );
    for bad in
        [json!({"x": 1.5}), json!({"x": [1]}), json!({"x": {"y": 1}}), json!({"x": "a\0b"}), json!({"\0": 1})]
    {
        assert!(matches!(text(bad), Err(EntryError::MetaValue { .. })));
    }
    assert!(matches!(text(json!({"x": "y".repeat(5_000)})), Err(EntryError::MetaTooLong { bytes: 5_008 })));
}

#[test]
fn the_request_hash_covers_everything_said() {
    let base = Entry::new(draft(pair(5))).unwrap().request_hash();
    let changes: [fn(&mut EntryDraft); 8] = [
        |draft| draft.id = id(9),
        |draft| draft.kind = "other".to_owned(),
        |draft| draft.effective_on = draft.effective_on.next(),
        |draft| draft.actor = "someone".to_owned(),
        |draft| draft.source_ref = "pi_6".to_owned(),
        |draft| draft.meta = Map::new(),
        |draft| draft.lines = pair(6),
        |draft| draft.lines.reverse(),
    ];
    for change in changes {
        let mut changed = draft(pair(5));
        change(&mut changed);
        assert_ne!(Entry::new(changed).unwrap().request_hash(), base);
    }
    assert_eq!(Entry::new(draft(pair(5))).unwrap().request_hash(), base);
}

#[test]
fn the_trial_balance_sums_both_sides_past_64_bits() {
    let row = |code: &str, debits, credits| AccountBalance {
        account: account(code, Currency::JOD).key(),
        class: Class::Asset,
        agency: None,
        balance: Balance::new(debits, credits).unwrap(),
        floor_minor: None,
        ceiling_minor: None,
        lines_count: 1,
    };
    let rows = [row("a", i64::MAX, 0), row("b", i64::MAX, 0), row("c", 0, i64::MAX), row("d", 0, i64::MAX)];
    let total = trial_balance(&rows)[&Currency::JOD];
    assert!(total.is_balanced());
    assert_eq!(total.debit_minor, i128::from(i64::MAX) * 2);
    assert!(!trial_balance(&rows[..3])[&Currency::JOD].is_balanced());
    assert_eq!(Balance::new(-1, 0), None);
}
