use mizan_ledger::{Class, Currency, Day, Money, Side};
use proptest::prelude::*;
use serde_json::Value;

use super::bank::Aside;
use super::*;
use crate::books::describe;
use crate::breaks::Category;
use crate::http::language::Language;

const JOD: Currency = Currency::JOD;

fn jod(minor: i64) -> Money {
    Money::new(minor, JOD)
}

fn day() -> Day {
    "2026-11-22".parse().expect("a day")
}

fn account(code: &str, opening: i64, movements: &[(&str, Side, i64)]) -> BookAccount {
    let moved = |(kind, side, minor): &(&str, Side, i64)| Movement {
        kind: (*kind).to_owned(),
        side: *side,
        amount: jod(*minor),
        entries: 1,
    };
    BookAccount {
        code: code.to_owned(),
        class: describe(code).map_or(Class::Asset, |described| described.kind.class()),
        opening: jod(opening),
        movements: movements.iter().map(moved).collect(),
    }
}

fn listed(account: &str, minor: i64) -> Listed {
    Listed { account: account.to_owned(), amount: jod(minor), items: 1 }
}

fn bank(closing: i64) -> BankDay {
    let none = || listed("bank/main", 0);
    BankDay {
        account: "bank/main".to_owned(),
        currency: JOD,
        proved_from: day(),
        last: Some(Seen { on: day(), closing: jod(closing) }),
        quarantined: None,
        brought_forward: jod(0),
        gap: jod(0),
        lines_missing: jod(0),
        entered_later: Listed { items: 0, ..none() },
        not_entered: Listed { items: 0, ..none() },
        shown_later: Listed { items: 0, ..none() },
        in_flight: Vec::new(),
    }
}

/// A day in which a card payment of yesterday (10.000) settles less its cost (0.150), one of today (5.000, with a cost
/// of 0.075) and one that fits nothing (2.000) wait, and 3.000 of yesterday's are to be given back.
fn a_day() -> Facts {
    use Side::{Credit, Debit};
    Facts {
        day: day(),
        accounts: vec![
            account(
                "channel/card/receivable",
                10_000,
                &[
                    ("paid_in_full", Debit, 5_000),
                    ("money_to_suspense", Debit, 2_000),
                    ("channel_settled_net", Credit, 10_000),
                ],
            ),
            account(
                "channel/card/costs_payable",
                150,
                &[("paid_in_full", Credit, 75), ("channel_settled_net", Debit, 150)],
            ),
            account("bank/main", 0, &[("channel_settled_net", Debit, 9_850)]),
            account(
                "agency/psi/payable",
                8_000,
                &[("paid_in_full", Credit, 4_000), ("refund_approved", Debit, 3_000)],
            ),
            account("agency/psi/held", 1_000, &[]),
            account("agency/psi/tax/vat", 1_000, &[("paid_in_full", Credit, 1_000)]),
            account("suspense/card/credits", 0, &[("money_to_suspense", Credit, 2_000)]),
            account("refunds/payable", 0, &[("refund_approved", Credit, 3_000)]),
            account("hub/costs/card", 150, &[("paid_in_full", Debit, 75)]),
        ],
        listed: vec![
            listed("channel/card/receivable", 5_000),
            listed("channel/card/receivable", 2_000),
            listed("channel/card/costs_payable", 75),
            listed("agency/psi", 13_000),
            listed("agency/psi", -3_000),
            listed("agency/psi/tax/vat", 2_000),
            listed("suspense/card/credits", 2_000),
            listed("refunds/payable", 3_000),
        ],
        unexpected: Vec::new(),
        banks: vec![bank(9_850)],
        breaks: Vec::new(),
    }
}

fn proof(facts: &Facts) -> Proof {
    Proof::of(facts).expect("small amounts")
}

/// Each account that is off, and by how much.
fn off(proof: &Proof) -> Vec<(String, i64)> {
    let lines = proof.currencies.iter().flat_map(|one| one.parts().map(|(_, part)| part.lines.clone()));
    let lines = lines.flatten().filter(|line| !line.ties());
    lines.map(|line| (line.account, line.unexplained.minor())).collect()
}

#[test]
fn a_day_in_which_everything_is_listed_ties() {
    let proof = proof(&a_day());
    assert!(proof.ties(), "{:?}", off(&proof));
    let [one] = &proof.currencies[..] else { panic!("one currency") };
    assert_eq!((one.channels.book, one.channels.listed), (jod(7_000), jod(7_000)));
    assert_eq!((one.banks.book, one.banks.listed), (jod(9_850), jod(9_850)));
    assert_eq!((one.agencies.book, one.agencies.listed), (jod(10_000), jod(10_000)));
    // Owed: 10.000 + 2.000 + 2.000 + 3.000 + 0.075, of which 7.000 has not arrived.
    assert_eq!((one.custody.book, one.custody.listed), (jod(9_850), jod(10_075)));
    assert_eq!(one.alarms, [Note::OwnCosts { amount: jod(225) }]);
}

#[test]
fn one_unit_too_few_or_too_many_fails_and_names_the_account() {
    let whole = a_day();
    for place in 0..whole.listed.len() {
        for by in [-1, 1] {
            let mut facts = whole.clone();
            let one = &mut facts.listed[place];
            one.amount = one.amount.checked_add(jod(by)).expect("small");
            let account = one.account.clone();
            let proof = proof(&facts);
            assert!(!proof.ties());
            assert_eq!(off(&proof), [(account, -by)]);
        }
    }
    for place in 0..whole.accounts.len() {
        let mut facts = whole.clone();
        facts.accounts[place].opening = facts.accounts[place].opening.checked_add(jod(1)).expect("small");
        let proof = proof(&facts);
        let named: Vec<String> = off(&proof).into_iter().map(|(account, _)| account).collect();
        match facts.accounts[place].code.as_str() {
            "hub/costs/card" => assert_eq!(proof.currencies[0].alarms, [Note::OwnCosts { amount: jod(226) }]),
            "agency/psi/payable" | "agency/psi/held" => assert_eq!(named, ["agency/psi"]),
            code => assert_eq!(named, [code]),
        }
    }
}

#[test]
fn a_missing_item_fails_and_names_the_account() {
    for place in 0..a_day().listed.len() {
        let mut facts = a_day();
        let gone = facts.listed.remove(place);
        assert_eq!(off(&proof(&facts)), [(gone.account, gone.amount.minor())]);
    }
}

#[test]
fn what_is_listed_and_not_in_the_book_is_named_too() {
    let mut facts = a_day();
    facts.listed.push(listed("channel/wire/receivable", 1));
    assert_eq!(off(&proof(&facts)), [("channel/wire/receivable".to_owned(), -1)]);
}

#[test]
fn differences_of_two_accounts_do_not_cancel_each_other() {
    let mut facts = a_day();
    facts.listed[0].amount = jod(5_001);
    facts.listed.push(listed("channel/wire/receivable", -1));
    let proof = proof(&facts);
    assert_eq!(proof.currencies[0].channels.book, proof.currencies[0].channels.listed);
    assert_eq!(proof.currencies[0].channels.unexplained, jod(2));
}

#[test]
fn a_bank_line_is_judged_by_the_statement_of_the_day() {
    let with = |change: fn(&mut BankDay)| {
        let mut facts = a_day();
        change(&mut facts.banks[0]);
        proof(&facts)
    };
    let altered = with(|bank| bank.last = Some(Seen { on: day(), closing: jod(9_851) }));
    assert_eq!(off(&altered), [("bank/main".to_owned(), -1)]);
    let missing = with(|bank| bank.last = Some(Seen { on: day().previous(), closing: jod(9_850) }));
    assert_eq!(off(&missing), [("bank/main".to_owned(), 9_850)]);
    assert!(missing.currencies[0].alarms.contains(&Note::DayIncomplete));
    let weekend = with(|bank| {
        bank.last = Some(Seen { on: day().previous(), closing: jod(9_850) });
        bank.proved_from = day().previous();
    });
    assert!(weekend.ties());
    let missing_before = with(|bank| {
        bank.last = Some(Seen { on: day().previous().previous(), closing: jod(9_850) });
        bank.proved_from = day().previous();
    });
    assert_eq!(off(&missing_before), [("bank/main".to_owned(), 9_850)], "the last business day's is missing");
    let aside = with(|bank| {
        bank.last = None;
        bank.quarantined = Some(Aside { reason: "it does not close".to_owned(), closing: Some(jod(9_800)) });
    });
    assert_eq!(off(&aside), [("bank/main".to_owned(), 50)]);
    let page = with(|bank| {
        bank.quarantined = Some(Aside { reason: "it does not close".to_owned(), closing: Some(jod(9_900)) });
    });
    assert_eq!(off(&page), [("bank/main".to_owned(), 0)], "the other page of the day was accepted");
    assert!(page.currencies[0].alarms.contains(&Note::DayIncomplete));
    let gap = with(|bank| bank.gap = jod(5));
    assert_eq!(off(&gap), [("bank/main".to_owned(), 5)]);
    let lines = with(|bank| bank.lines_missing = jod(-7));
    assert_eq!(off(&lines), [("bank/main".to_owned(), -7)]);
    let before = with(|bank| {
        bank.last = Some(Seen { on: day(), closing: jod(109_850) });
        bank.brought_forward = jod(100_000);
    });
    assert!(before.ties());
    let later = with(|bank| {
        bank.last = Some(Seen { on: day(), closing: jod(9_950) });
        bank.entered_later = listed("bank/main", 100);
    });
    assert!(later.ties());
    let off_day = with(|bank| {
        bank.last = Some(Seen { on: day(), closing: jod(9_840) });
        bank.shown_later = listed("bank/main", 10);
    });
    assert!(off_day.ties());
}

#[test]
fn statement_lines_without_an_entry_refute_the_day_even_when_they_cancel_out() {
    let mut facts = a_day();
    facts.banks[0].not_entered = Listed { items: 2, ..listed("bank/main", 0) };
    assert_eq!(off(&proof(&facts)), [("bank/main".to_owned(), 0)]);
}

#[test]
fn a_quarantined_statement_refutes_the_day_of_an_empty_account() {
    let mut facts = Facts { accounts: Vec::new(), listed: Vec::new(), ..a_day() };
    facts.banks[0].last = None;
    assert!(proof(&facts).ties(), "an account that was never used needs no statement");
    facts.banks[0].quarantined = Some(Aside { reason: "it does not close".to_owned(), closing: None });
    assert!(!proof(&facts).ties());
}

#[test]
fn a_missing_statement_refutes_the_day_of_an_account_that_had_one_before() {
    let mut facts = Facts { accounts: Vec::new(), listed: Vec::new(), ..a_day() };
    facts.banks[0].last = Some(Seen { on: day().previous(), closing: jod(0) });
    let proof = proof(&facts);
    assert!(!proof.ties(), "nothing in the book, and nobody knows what came");
    assert!(proof.currencies[0].alarms.contains(&Note::DayIncomplete));
}

#[test]
fn a_bank_account_that_is_not_configured_has_no_statement() {
    let mut facts = a_day();
    facts.banks.clear();
    assert_eq!(off(&proof(&facts)), [("bank/main".to_owned(), 9_850)]);
}

#[test]
fn payables_below_zero_are_covered_by_advances_and_reserves() {
    let mut facts = Facts { accounts: Vec::new(), listed: Vec::new(), ..a_day() };
    facts.banks[0] = bank(0);
    facts.accounts = vec![
        account("agency/psi/payable", -500, &[]),
        account("agency/moi/payable", 500, &[]),
        account("agency/moi/reserve", 0, &[]),
    ];
    facts.listed = vec![listed("agency/psi", -500), listed("agency/moi", 500)];
    let bare = proof(&facts);
    assert!(!bare.ties());
    assert_eq!(bare.currencies[0].alarms, [Note::NotCovered { amount: jod(500) }]);
    facts.accounts[2].opening = jod(500);
    facts.accounts[1].opening = jod(0);
    assert!(proof(&facts).ties());
}

#[test]
fn money_that_left_without_anybody_owing_it_is_a_shortfall() {
    let mut facts = a_day();
    // One unit less at the bank, and on its statement: nobody lists where it went.
    facts.accounts[2].opening = jod(-1);
    facts.banks[0].last = Some(Seen { on: day(), closing: jod(9_849) });
    let proof = proof(&facts);
    assert!(!proof.ties());
    assert_eq!(proof.currencies[0].custody.unexplained, jod(1));
    assert!(proof.currencies[0].alarms.contains(&Note::Shortfall { amount: jod(1) }));
}

#[test]
fn the_words_of_an_identity_lead_from_opening_to_closing() {
    let proof = proof(&a_day());
    let line = &proof.currencies[0].channels.lines[0];
    let words: Vec<(Word, i64)> =
        line.movements.iter().map(|moved| (moved.word, moved.amount.minor())).collect();
    assert_eq!(words, [(Word::Taken, 2_000), (Word::Taken, 5_000), (Word::Settled, -10_000)]);
    let agency = &proof.currencies[0].agencies.lines[0];
    let words: Vec<(Word, i64)> =
        agency.movements.iter().map(|moved| (moved.word, moved.amount.minor())).collect();
    assert_eq!(words, [(Word::Collected, 4_000), (Word::Refunds, -3_000)]);
    for part in proof.currencies[0].parts().map(|(_, part)| part.clone()) {
        for line in part.lines {
            let moved = line.movements.iter().map(|moved| moved.amount);
            let closing = Money::sum(JOD, moved.chain([line.opening])).expect("small");
            assert_eq!(closing, line.closing, "{}", line.account);
        }
    }
}

proptest! {
    #[test]
    fn what_is_unexplained_is_exactly_what_the_lists_lack(by in proptest::collection::vec(-2_i64..=2, 8)) {
        let mut facts = a_day();
        let mut expected = std::collections::BTreeMap::new();
        for (one, by) in facts.listed.iter_mut().zip(&by) {
            one.amount = one.amount.checked_add(jod(*by)).expect("small");
            *expected.entry(one.account.clone()).or_insert(0) -= by;
        }
        expected.retain(|_, by| *by != 0);
        let proof = proof(&facts);
        prop_assert_eq!(proof.ties(), expected.is_empty());
        prop_assert_eq!(off(&proof).into_iter().collect::<std::collections::BTreeMap<_, _>>(), expected);
    }
}

#[test]
fn the_json_holds_the_four_verdicts_and_what_stands_behind_them() {
    let mut facts = a_day();
    facts.breaks = vec![OpenBreaks { category: Category::UnknownCredit, count: 1, amount: Some(jod(2_000)) }];
    let body = |facts: &Facts| serde_json::to_value(view::daily(&proof(facts))).expect("a view");
    let tied = body(&facts);
    assert_eq!(tied["tied"], true);
    let parts = tied["proof"]["JOD"].as_object().expect("parts");
    assert_eq!(parts.keys().collect::<Vec<_>>(), ["agencies", "banks", "channels", "custody"]);
    assert_eq!(
        parts["channels"],
        serde_json::json!({ "book": "7.000", "listed": "7.000", "unexplained": "0.000" })
    );
    assert_eq!(tied["breaks"][0]["category"], "unknown_credit");
    assert_eq!(tied["breaks"][0]["amount"]["amount"], "2.000");
    let receivable: &Value = &tied["accounts"][0];
    assert_eq!(receivable["account"], "channel/card/receivable");
    assert_eq!(receivable["items"], 2);
    assert_eq!(receivable["movements"][0]["movement"], "taken");
    assert_eq!(receivable["name"]["ar"], "مستحق على القناة \u{2066}card\u{2069}");
    facts.listed.remove(0);
    assert_eq!(body(&facts)["tied"], false);
    assert_eq!(body(&facts)["accounts"][0]["unexplained"], "5.000");
}

/// Where each amount of a row ends, in columns of a terminal.
fn ends(row: &str) -> Vec<usize> {
    let visible: Vec<char> = row
        .chars()
        .filter(|letter| !matches!(letter, '\u{2066}'..='\u{2069}' | '\u{064B}'..='\u{065F}'))
        .collect();
    let is_end = |at: usize| {
        let next = visible.get(at + 1);
        visible[at].is_ascii_digit() && (next.is_none() || next == Some(&' ')) && at > 46
    };
    (0..visible.len()).filter(|at| is_end(*at)).map(|at| at + 1).collect()
}

#[test]
fn amounts_stand_in_columns_in_either_language() {
    for language in [Language::English, Language::Arabic] {
        let page = text::daily(&proof(&a_day()), language);
        let closings = match language {
            Language::English => "closing",
            Language::Arabic => "الختامي",
        };
        let rows: Vec<&str> = page.lines().filter(|row| row.contains(closings)).collect();
        assert_eq!(rows.len(), 7, "{page}");
        for row in rows {
            assert_eq!(ends(row), [64, 82, 100], "{row}");
        }
    }
    let english = text::daily(&proof(&a_day()), Language::English);
    assert!(english.starts_with("The day's proof 2026-11-22: TIED\n"), "{english}");
    let arabic = text::daily(&proof(&a_day()), Language::Arabic);
    assert!(arabic.starts_with("برهان اليوم \u{2066}2026-11-22\u{2069}: متوازن\n"), "{arabic}");
}
