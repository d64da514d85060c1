//! Statements of a day that the hub has not begun, and those that say other things than an accepted one.

use mizan::queue::worker::work_once;
use mizan::recon::jobs::WORK;
use serde_json::json;

use super::days_off::taken;
use super::import::{changed, of, outcomes};
use super::written::{line, statement};
use super::{File, ILS, JOD, USD};
use crate::money_modes::TOMORROW;
use crate::world::{TODAY, World};

/// A bank further east ends its day while the hub's still goes on: what it shows is of tomorrow, and today is proved
/// without it, whichever of the two statements comes first.
#[tokio::test(flavor = "multi_thread")]
async fn a_statement_of_tomorrow_waits_for_its_day() {
    let world = World::new().await;
    world.transfer(ILS, "10.00", "ILS", None, "a gift (example)").await;
    let today = world.close_day(TODAY).await;
    world.transfer(ILS, "7.00", "ILS", None, "another (example)").await;
    let tomorrow = world.close_day(TOMORROW).await;
    let (status, body) = world.upload(of(&tomorrow, ILS)).await;
    assert_eq!((status, outcomes(&body)), (201, vec!["waiting"]), "{body}");
    let why = body["statements"][0]["reason"].as_str().unwrap();
    assert!(why.contains("it is of 2026-11-23"), "{why}");
    let again = changed(of(&tomorrow, ILS), "</Document>", "</Document>\n");
    assert_eq!(outcomes(&world.upload(&again).await.1), ["known"]);

    assert_eq!(outcomes(&world.upload(of(&today, ILS)).await.1), ["accepted"]);
    assert_eq!(outcomes(&world.upload(of(&today, USD)).await.1), ["accepted"]);
    assert_eq!(outcomes(&world.upload(of(&today, JOD)).await.1), ["accepted"]);
    while work_once(&world.app, &WORK).await.unwrap() > 0 {}
    assert_eq!(world.balances().await["bank/main-ils ILS"], 1_000, "tomorrow's line waits too");
    world.tied().await;

    world.next_morning("2026-11-23T05:00:00Z").await;
    assert_eq!(work_once(&world.app, &WORK).await.unwrap(), 1, "its day begins with it");
    assert_eq!(world.balances().await["bank/main-ils ILS"], 1_700);
    let listed = world.finance("/v1/finance/statements?state=accepted").await;
    assert_eq!(listed.as_array().unwrap().len(), 4, "{listed}");
    world.tied().await;
    for iban in [USD, JOD] {
        assert_eq!(outcomes(&world.upload(of(&tomorrow, iban)).await.1), ["accepted"]);
    }
    assert_eq!(world.proof_of(TOMORROW).await["tied"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_of_tomorrow_that_continues_nothing_stands_aside_when_its_day_comes() {
    let world = World::new().await;
    let mut days = Vec::new();
    for (day, amount) in [(TODAY, "10.00"), (TOMORROW, "7.00")] {
        world.transfer(ILS, amount, "ILS", None, "a gift (example)").await;
        days.push(world.close_day(day).await);
    }
    let other = changed(of(&days[0], ILS), ">10.00<", ">11.00<");
    let other =
        File { bytes: String::from_utf8(other.bytes).unwrap().replace(">10.00<", ">11.00<").into(), ..other };
    assert_eq!(outcomes(&world.upload(&other).await.1), ["accepted"]);
    assert_eq!(outcomes(&world.upload(of(&days[1], ILS)).await.1), ["waiting"]);
    world.reconcile().await;
    let gap =
        |breaks: Vec<(String, String)>| breaks.iter().filter(|(name, _)| name == "statement_gap").count();
    assert_eq!(gap(world.breaks().await), 0);
    world.next_morning("2026-11-23T05:00:00Z").await;
    world.reconcile().await;
    assert_eq!(gap(world.breaks().await), 1, "it opens with 10.00, and today closed with 11.00");
    let listed = world.finance("/v1/finance/statements?state=quarantined").await;
    assert!(listed[0]["reason"].as_str().unwrap().contains("opens with 10.00 ILS"), "{listed}");
    assert_eq!(world.proof_of(TOMORROW).await["tied"], false);
}

/// The balances are those of the accepted statement, but the lines are others: which of the two is true is not known.
#[tokio::test(flavor = "multi_thread")]
async fn a_statement_with_other_lines_of_the_same_balances_refutes_its_day() {
    let world = World::new().await;
    for amount in ["10.00", "20.00"] {
        world.transfer(ILS, amount, "ILS", None, "a gift (example)").await;
    }
    let files = world.close_day(TODAY).await;
    world.import_all(&files).await;
    world.reconcile().await;
    world.tied().await;
    let text = String::from_utf8(of(&files, ILS).bytes.clone()).unwrap();
    let mixed = text.replace(">10.00<", ">x<").replace(">20.00<", ">10.00<").replace(">x<", ">20.00<");
    assert_ne!(mixed, text);
    let (_, body) = world.upload(&File { name: "mixed.xml".to_owned(), bytes: mixed.into_bytes() }).await;
    assert_eq!(outcomes(&body), ["quarantined"], "{body}");
    world.reconcile().await;
    assert_eq!(world.proof_of(TODAY).await["tied"], false);
}

/// A copy of which a part is missing comes after the whole: it shows no money that is not booked.
#[tokio::test(flavor = "multi_thread")]
async fn a_statement_cut_short_that_comes_after_the_whole_one_hides_nothing() {
    let world = World::new().await;
    for amount in ["10.00", "20.00"] {
        world.transfer(ILS, amount, "ILS", None, "a gift (example)").await;
    }
    let files = world.close_day(TODAY).await;
    world.import_all(&files).await;
    let text = String::from_utf8(of(&files, ILS).bytes.clone()).unwrap();
    let (head, rest) = text.split_once("<Ntry>").unwrap();
    let (_, tail) = rest.split_once("</Ntry>").unwrap();
    let short = File { name: "short.xml".to_owned(), bytes: format!("{head}{tail}").into_bytes() };
    let (_, body) = world.upload(&short).await;
    assert_eq!(outcomes(&body), ["quarantined"], "{body}");
    world.reconcile().await;
    world.tied().await;
}

/// A file of the same day under another name, between the same balances: it lists money of which nobody knows.
#[tokio::test(flavor = "multi_thread")]
async fn a_day_told_again_with_more_movements_refutes_its_day() {
    let world = World::new().await;
    let first = [line("10.00", "CRDT", TODAY, "R1"), line("20.00", "CRDT", TODAY, "R2")];
    for file in world.close_day(TODAY).await.iter().filter(|file| !file.name.contains(ILS)) {
        world.upload(file).await;
    }
    taken(&world, &statement("ONE", TODAY, ["0.00", "30.00"], &first)).await;
    world.tied().await;
    let moved = [first[1].clone(), first[0].clone()];
    for (name, more, tied) in [
        ("OTHER-ORDER", vec![], true),
        ("MORE", vec![line("11.00", "CRDT", TODAY, "R3"), line("11.00", "DBIT", TODAY, "R4")], false),
    ] {
        let lines = [&moved[..], &more[..]].concat();
        let (_, body) = world.upload(&statement(name, TODAY, ["0.00", "30.00"], &lines)).await;
        assert_eq!(outcomes(&body), ["quarantined"], "{body}");
        world.reconcile().await;
        assert_eq!(world.proof_of(TODAY).await["tied"], tied, "{name}");
    }
    assert_eq!(world.breaks().await.iter().filter(|(category, _)| category == "statement_gap").count(), 2);
}

/// The same statement in another order, with movements of which two have one reference of the bank.
#[tokio::test(flavor = "multi_thread")]
async fn a_statement_in_another_order_hides_nothing() {
    let world = World::new().await;
    for file in world.close_day(TODAY).await.iter().filter(|file| !file.name.contains(ILS)) {
        world.upload(file).await;
    }
    let lines = ["1.00", "2.00", "4.00"].map(|amount| line(amount, "CRDT", TODAY, "R1"));
    taken(&world, &statement("ONE", TODAY, ["0.00", "7.00"], &lines)).await;
    let [a, b, c] = lines;
    let (_, body) = world.upload(&statement("ONE", TODAY, ["0.00", "7.00"], &[c, a, b])).await;
    assert_eq!(outcomes(&body), ["quarantined"], "{body}");
    world.tied().await;
}

/// An account that is swept every night, of which a day comes after the next: its movements are booked all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_day_that_came_to_nothing_may_come_after_the_next_with_its_movements() {
    let world = World::new().await;
    let days = [TODAY, TOMORROW, "2026-11-24"];
    world.next_morning("2026-11-24T20:00:00Z").await;
    let swept = |day: &str, at: usize| {
        let [credit, debit] = [format!("C{at}"), format!("D{at}")];
        let lines = [line("10.00", "CRDT", day, &credit), line("10.00", "DBIT", day, &debit)];
        statement(&format!("DAY-{at}"), day, ["5.00", "5.00"], &lines)
    };
    for at in [0, 2, 1] {
        taken(&world, &swept(days[at], at)).await;
    }
    let unknown = world.breaks().await.into_iter().filter(|(category, _)| category == "unknown_credit");
    assert_eq!(unknown.count(), 3, "the movements of each day are booked");
    for day in &days {
        let proof = world.proof_of(day).await;
        let account =
            proof["accounts"].as_array().unwrap().iter().find(|one| one["account"] == "bank/main-ils");
        assert_eq!(account.unwrap()["unexplained"], "0.00", "{day}: {proof}");
    }
    let (_, again) = world.upload(&changed(&swept(days[1], 1), "</Document>", "</Document>\n")).await;
    assert_eq!(outcomes(&again), ["known"]);
    // Not where the days beside it do not end and begin, nor before the account began, nor on a day that was told of.
    for (name, day, balance) in
        [("ELSEWHERE", TOMORROW, "6.00"), ("BEFORE", "2026-11-20", "5.00"), ("TOLD", TOMORROW, "5.00")]
    {
        let lines = [line("3.00", "CRDT", day, "C9"), line("3.00", "DBIT", day, "D9")];
        let (_, other) = world.upload(&statement(name, day, [balance, balance], &lines)).await;
        assert_eq!(outcomes(&other), ["quarantined"], "{name}: {other}");
    }
}

/// A bank that tells a day page by page, and the pages without a movement last.
#[tokio::test(flavor = "multi_thread")]
async fn late_pages_without_a_movement_take_their_place_in_the_chain() {
    let world = World::new().await;
    let days = [TODAY, TOMORROW, "2026-11-24"];
    for day in days {
        world.next_morning(&format!("{day}T20:00:00Z")).await;
        for file in world.close_day(day).await.iter().filter(|file| !file.name.contains(ILS)) {
            world.upload(file).await;
        }
    }
    let credit = |amount: &str, day: &str| [line(amount, "CRDT", day, &format!("C{amount}"))];
    for (name, day, balances, lines) in [
        ("A1", TODAY, ["0.00", "100.00"], &credit("100.00", TODAY)[..]),
        ("B1", TOMORROW, ["100.00", "150.00"], &credit("50.00", TOMORROW)[..]),
        ("C1", days[2], ["150.00", "157.00"], &credit("7.00", days[2])[..]),
        // Later ones, each between two of those.
        ("B2", TOMORROW, ["150.00", "150.00"], &[]),
        ("A2", TODAY, ["100.00", "100.00"], &[]),
        ("A0", TODAY, ["0.00", "0.00"], &[]),
        ("B0", TOMORROW, ["100.00", "100.00"], &[]),
        ("BEFORE", "2026-11-20", ["0.00", "0.00"], &[]),
    ] {
        taken(&world, &statement(name, day, balances, lines)).await;
    }
    for (name, day, balance) in [("X1", TODAY, "150.00"), ("X2", "2026-11-20", "100.00")] {
        let (_, other) = world.upload(&statement(name, day, [balance, balance], &[])).await;
        assert_eq!(outcomes(&other), ["quarantined"], "{name}: {other}");
    }
    for (day, at_bank) in days.iter().zip(["100.00", "150.00", "157.00"]) {
        let proof = world.proof_of(day).await;
        let accounts = proof["accounts"].as_array().unwrap();
        let account = accounts.iter().find(|one| one["account"] == "bank/main-ils").unwrap();
        let figures = (&account["listed"], &account["unexplained"]);
        assert_eq!(figures, (&json!(at_bank), &json!("0.00")), "{day}: {account}");
    }
}

/// Both waited for one before them: the bank told one statement twice, and no order of arrival hides the second telling.
#[tokio::test(flavor = "multi_thread")]
async fn a_statement_told_twice_before_its_predecessor_refutes_its_day() {
    let world = World::new().await;
    let last = "2026-11-24";
    for day in [TODAY, TOMORROW, last] {
        world.next_morning(&format!("{day}T20:00:00Z")).await;
        for file in world.close_day(day).await.iter().filter(|file| !file.name.contains(ILS)) {
            world.upload(file).await;
        }
    }
    taken(&world, &statement("S1", TODAY, ["0.00", "50.00"], &[line("50.00", "CRDT", TODAY, "R1")])).await;
    for (amount, closing, reference) in [("10.00", "70.00", "R2"), ("15.00", "75.00", "R3")] {
        let told = statement("S3", last, ["60.00", closing], &[line(amount, "CRDT", last, reference)]);
        assert_eq!(outcomes(&world.upload(&told).await.1), ["quarantined"]);
    }
    // Other bytes with the same content are no other telling.
    let again = statement("S3", last, ["60.00", "70.00"], &[line("10.00", "CRDT", last, "R2")]);
    let again = changed(&again, "</Document>", "</Document>\n");
    assert_eq!(outcomes(&world.upload(&again).await.1), ["quarantined"]);
    let credit = line("10.00", "CRDT", TOMORROW, "R4");
    taken(&world, &statement("S2", TOMORROW, ["50.00", "60.00"], &[credit])).await;
    let altered = world.finance("/v1/finance/breaks?category=altered").await;
    assert_eq!(altered.as_array().unwrap().len(), 1, "{altered}");
    let by = altered[0]["money"]["amount"].as_str().unwrap().trim_start_matches('-');
    assert_eq!(by, "5.00", "75.00 beside 70.00");
    let mut tied = Vec::new();
    for day in [TODAY, TOMORROW, last] {
        tied.push(world.proof_of(day).await["tied"].clone());
    }
    assert_eq!(tied, [true, true, false]);
    let superseded = world.finance("/v1/finance/statements?state=superseded").await;
    let quarantined = world.finance("/v1/finance/statements?state=quarantined").await;
    let counts = [superseded, quarantined].map(|listed| listed.as_array().unwrap().len());
    assert_eq!(counts.iter().sum::<usize>(), 2, "{counts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_without_a_movement_that_came_before_its_predecessor_takes_its_place() {
    let world = World::new().await;
    let last = "2026-11-24";
    world.next_morning("2026-11-24T20:00:00Z").await;
    let credit = |amount: &str, day: &str| [line(amount, "CRDT", day, &format!("C{amount}"))];
    taken(&world, &statement("A1", TODAY, ["0.00", "100.00"], &credit("100.00", TODAY))).await;
    for early in [
        statement("X", last, ["150.00", "157.00"], &credit("7.00", last)),
        statement("B0", last, ["150.00", "150.00"], &[]),
    ] {
        assert_eq!(outcomes(&world.upload(&early).await.1), ["quarantined"]);
    }
    taken(&world, &statement("B1", TOMORROW, ["100.00", "150.00"], &credit("50.00", TOMORROW))).await;
    let accepted = world.finance("/v1/finance/statements?state=accepted").await;
    assert_eq!(accepted.as_array().unwrap().len(), 4, "{accepted}");
    let gaps = world.breaks().await.into_iter().filter(|(category, _)| category == "statement_gap");
    let states: Vec<String> = gaps.map(|(_, state)| state).collect();
    assert_eq!(states, ["self_resolved", "self_resolved"]);
}

/// It waited for its day while the worker was away, and the one after it was taken in first.
#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_waited_too_long_takes_its_place_between_others() {
    let world = World::new().await;
    let lines = [line("3.00", "CRDT", TOMORROW, "C9"), line("3.00", "DBIT", TOMORROW, "D9")];
    taken(&world, &statement("ONE", TODAY, ["5.00", "5.00"], &[])).await;
    let (_, body) = world.upload(&statement("TWO", TOMORROW, ["5.00", "5.00"], &lines)).await;
    assert_eq!(outcomes(&body), ["waiting"], "{body}");
    world.next_morning("2026-11-24T20:00:00Z").await;
    let (_, body) = world.upload(&statement("THREE", "2026-11-24", ["5.00", "5.00"], &[])).await;
    assert_eq!(outcomes(&body), ["accepted"], "{body}");
    while work_once(&world.app, &WORK).await.unwrap() > 0 {}
    let accepted = world.finance("/v1/finance/statements?state=accepted").await;
    assert_eq!(accepted.as_array().unwrap().len(), 3, "{accepted}");
    assert_eq!(world.balances().await["suspense/main-ils/credits ILS"], -300);
}

/// A day that ends with the balance with which it began continues itself, and the bank names none of its movements.
#[tokio::test(flavor = "multi_thread")]
async fn a_day_exported_again_under_another_name_is_not_booked_again() {
    let world = World::new().await;
    let line =
        |amount, direction| line(amount, direction, TODAY, "R").replace("<AcctSvcrRef>R</AcctSvcrRef>", "");
    let [credit, debit] = [line("10.00", "CRDT"), line("10.00", "DBIT")];
    taken(&world, &statement("ONE", TODAY, ["5.00", "5.00"], &[credit.clone(), debit.clone()])).await;
    let again = statement("TWO", TODAY, ["5.00", "5.00"], &[debit.clone(), credit.clone()]);
    let (_, body) = world.upload(&again).await;
    let why = body["statements"][0]["reason"].as_str().unwrap();
    assert_eq!(
        (outcomes(&body), why),
        (vec!["quarantined"], "it lists the movements of ONE again, between the same balances")
    );
    let more = statement("THREE", TODAY, ["5.00", "5.00"], &[credit.clone(), debit.clone(), credit, debit]);
    taken(&world, &more).await;
    world.reconcile().await;
    let unknown =
        world.breaks().await.into_iter().filter(|(category, _)| category == "unknown_credit").count();
    assert_eq!(unknown, 3, "one of the first, two of the third");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_a_day_may_come_in_any_order() {
    let pages = [
        ("PAGE-1", ["0.00", "10.00"], line("10.00", "CRDT", TODAY, "R1")),
        ("PAGE-2", ["10.00", "30.00"], line("20.00", "CRDT", TODAY, "R2")),
        ("PAGE-3", ["30.00", "25.00"], line("5.00", "DBIT", TODAY, "R3")),
    ];
    for order in [[2, 1, 0], [1, 2, 0], [0, 2, 1], [1, 0, 2]] {
        let world = World::new().await;
        world.next_morning("2026-11-22T20:30:00Z").await;
        taken(&world, &statement("BEGIN", "2026-11-19", ["0.00", "0.00"], &[])).await;
        for place in order {
            let (id, balances, line) = pages[place].clone();
            let (status, body) = world.upload(&statement(id, TODAY, balances, &[line])).await;
            assert_eq!(status, 201, "{body}");
        }
        world.reconcile().await;
        let proof = world.proof_of(TODAY).await;
        let accounts = proof["accounts"].as_array().unwrap();
        let bank = accounts.iter().find(|one| one["account"] == "bank/main-ils").unwrap();
        assert_eq!(
            (&bank["listed"], &bank["unexplained"]),
            (&json!("25.00"), &json!("0.00")),
            "{order:?}: {bank}"
        );
        let gaps = world.breaks().await;
        let gaps = gaps.iter().filter(|(category, state)| category == "statement_gap" && state == "open");
        assert_eq!(gaps.count(), 0, "{order:?}");
    }
}
