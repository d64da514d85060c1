//! Credits that their bank undoes.

use mizan::suspense;
use mizan_adapters::reference::RfReference;
use serde_json::{Value, json};

use super::days_off::taken;
use super::written::{line, named, statement, undoing};
use crate::money_modes::text;
use crate::world::{TODAY, World};

fn ils(amount: &str) -> Value {
    json!({ "amount": amount, "currency": "ILS" })
}

async fn asked(world: &World, source: &str, refundable: &str) -> (u16, Value) {
    let body = json!({
        "source": source, "reason": "EXAMPLE", "refundable": ils(refundable),
        "payee": { "name": "A payer (example)", "iban": mizan::demo::PAYER_ACCOUNT },
    });
    let reply = world.people.reconciler.client.post("/v1/finance/refunds", &body).await.unwrap();
    (reply.status, reply.json)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_that_its_bank_undoes_is_taken_back_and_owed_again() {
    // Under the reference of the credit, or under one of its own with that of the bill.
    for reference in ["R1", "R2"] {
        let world = World::new().await;
        let intent = world.intent("CASE-1").await;
        let bill: mizan_adapters::reference::BillNumber = text(&intent, "/bill_number").parse().unwrap();
        let rf = RfReference::from(bill).to_string();
        let credit = named(&line("215.25", "CRDT", TODAY, "R1"), &rf);
        let undone = undoing(&named(&line("215.25", "DBIT", TODAY, reference), &rf));
        world.next_morning("2026-11-22T20:30:00Z").await;
        taken(&world, &statement("SUN", TODAY, ["0.00", "0.00"], &[credit, undone])).await;
        let seen = world.find_intent(text(&intent, "/id")).await;
        assert_eq!(
            (text(&seen, "/state"), &seen["reversed"]),
            ("paid", &ils("215.25")),
            "{reference}: {seen}"
        );
        let (status, refused) = asked(&world, text(&intent, "/id"), "210.00").await;
        assert_eq!((status, &refused["code"]), (409, &json!("payment_reversed")), "{refused}");
        assert_eq!(world.breaks().await, [("reversed".to_owned(), "open".to_owned())]);
        let balances = world.balances().await;
        assert_eq!(balances["channel/transfer/receivable ILS"], 21_525, "{balances:?}");
        assert!(!balances.contains_key("bank/main-ils ILS"), "{balances:?}");
        world.tied().await;
    }
}

/// The payer sends the money once more: it is not what the undone one is owed by, and nobody gives it back unasked.
#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_that_comes_again_after_its_bank_undid_it_is_a_second_payment() {
    let world = World::new().await;
    let intent = world.intent("CASE-1").await;
    let bill: mizan_adapters::reference::BillNumber = text(&intent, "/bill_number").parse().unwrap();
    let rf = RfReference::from(bill).to_string();
    let credit = named(&line("215.25", "CRDT", TODAY, "R1"), &rf);
    let undone = undoing(&named(&line("215.25", "DBIT", TODAY, "R2"), &rf));
    world.next_morning("2026-11-22T20:30:00Z").await;
    taken(&world, &statement("SUN", TODAY, ["0.00", "0.00"], &[credit, undone])).await;
    world.next_morning("2026-11-23T20:30:00Z").await;
    let again = named(&line("215.25", "CRDT", "2026-11-23", "R3"), &rf);
    taken(&world, &statement("MON", "2026-11-23", ["0.00", "215.25"], &[again])).await;
    let mut breaks = world.breaks().await;
    breaks.sort();
    assert_eq!(
        breaks,
        [("duplicate_money".to_owned(), "open".to_owned()), ("reversed".to_owned(), "open".to_owned())]
    );
    let balances = world.balances().await;
    assert_eq!(balances["suspense/transfer/credits ILS"], -21_525, "{balances:?}");
    assert_eq!(
        balances["channel/transfer/receivable ILS"], 21_525,
        "what was undone stays owed: {balances:?}"
    );
    assert_eq!(balances["bank/main-ils ILS"], 21_525);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_transfer_of_too_much_that_its_bank_undoes_nothing_is_left() {
    let world = World::new().await;
    let intent = world.intent("CASE-1").await;
    let bill: mizan_adapters::reference::BillNumber = text(&intent, "/bill_number").parse().unwrap();
    let rf = RfReference::from(bill).to_string();
    let credit = named(&line("300.00", "CRDT", TODAY, "R1"), &rf);
    world.next_morning("2026-11-22T20:30:00Z").await;
    taken(&world, &statement("SUN", TODAY, ["0.00", "300.00"], &[credit])).await;
    world.next_morning("2026-11-23T20:30:00Z").await;
    let undone = undoing(&line("300.00", "DBIT", "2026-11-23", "R1"));
    taken(&world, &statement("MON", "2026-11-23", ["300.00", "0.00"], &[undone])).await;
    let seen = world.find_intent(text(&intent, "/id")).await;
    assert_eq!((text(&seen, "/state"), &seen["reversed"]), ("paid", &ils("215.25")), "{seen}");
    let balances = world.balances().await;
    assert_eq!(balances["channel/transfer/receivable ILS"], 21_525, "{balances:?}");
    assert!(!balances.keys().any(|code| code.starts_with("suspense/")), "{balances:?}");
    let over = ("amount_over".to_owned(), "self_resolved".to_owned());
    assert!(world.breaks().await.contains(&over), "{:?}", world.breaks().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn money_nobody_knew_that_its_bank_undoes_is_nobodys() {
    let world = World::new().await;
    world.next_morning("2026-11-22T20:30:00Z").await;
    taken(&world, &statement("SUN", TODAY, ["0.00", "50.00"], &[line("50.00", "CRDT", TODAY, "R1")])).await;
    let mut conn = world.app.pool.acquire().await.unwrap();
    let item = suspense::store::page_open(&mut conn).await.unwrap().remove(0);
    let (status, waits) = asked(&world, &item.id.to_string(), "50.00").await;
    assert_eq!(status, 201, "{waits}");
    world.next_morning("2026-11-23T20:30:00Z").await;
    let undone = undoing(&line("50.00", "DBIT", "2026-11-23", "R1"));
    taken(&world, &statement("MON", "2026-11-23", ["50.00", "0.00"], &[undone])).await;
    assert!(world.balances().await.is_empty(), "{:?}", world.balances().await);
    let path = format!("/v1/finance/refunds/{}/approve", text(&waits, "/id"));
    let refused = world.people.approver.client.post(&path, &json!({})).await.unwrap();
    assert_eq!(
        (refused.status, &refused.json["code"]),
        (409, &json!("payment_reversed")),
        "{}",
        refused.json
    );
    assert!(world.breaks().await.contains(&("unknown_credit".to_owned(), "self_resolved".to_owned())));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reversal_of_nothing_known_is_an_unknown_debit_and_fails_custody() {
    let world = World::new().await;
    let intent = world.intent("CASE-1").await;
    let bill: mizan_adapters::reference::BillNumber = text(&intent, "/bill_number").parse().unwrap();
    let credit = named(&line("215.25", "CRDT", TODAY, "R1"), &RfReference::from(bill).to_string());
    let debit = undoing(&line("100.00", "DBIT", TODAY, "R1"));
    world.next_morning("2026-11-22T20:30:00Z").await;
    taken(&world, &statement("SUN", TODAY, ["0.00", "115.25"], &[credit, debit])).await;
    assert_eq!(world.breaks().await, [("unknown_debit".to_owned(), "open".to_owned())], "another amount");
    let proof = world.proof_of(TODAY).await;
    assert_eq!(proof["tied"], false, "money of others left: {proof:#}");
    let alarms = proof["alarms"].to_string();
    assert!(alarms.contains("custody_shortfall"), "{proof:#}");
}
