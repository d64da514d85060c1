//! What a gateway tells of one refund, in every order: what it says it carried out is never given a second time.

use mizan::demo::{PAYER_ACCOUNT, RETURNING_ACCOUNT};
use mizan::refunds::service::{Heard, hear};
use serde_json::json;

use super::bank::{approved, paid_by_transfer, send};
use super::*;
use crate::money_modes::text;
use crate::world::TODAY;

/// An authentic notice of the gateway.
pub async fn told(world: &World, reference: &str, failed: Option<&str>) {
    assert!(told_by(world, "card", (reference, 6_300), failed).await);
}

/// What a channel or bank tells of a refund of so much; answers whether it is about one of its own.
async fn told_by(
    world: &World,
    channel: &str,
    (reference, minor): (&str, i64),
    failed: Option<&str>,
) -> bool {
    let heard = Heard {
        channel: channel.to_owned(),
        reference: reference.to_owned(),
        money: Money::new(minor, Currency::ILS),
        transaction: "R-EXAMPLE".to_owned(),
        failed: failed.map(str::to_owned),
    };
    let actor = Actor::hub("test");
    world.app.run(&actor, &heard, |tx, heard| Box::pin(hear(tx, heard))).await.unwrap()
}

async fn act(world: &World, refund: &Value, act: &str, body: Value) -> u16 {
    let path = format!("/v1/finance/refunds/{}/{act}", id(refund));
    let client = match act {
        "payee" | "give-up" | "not-carried-out" => &world.people.reconciler.client,
        _ => &world.people.approver.client,
    };
    client.post(&path, &body).await.unwrap().status
}

fn payee() -> Value {
    json!({ "payee": { "name": "A payer (example)", "iban": PAYER_ACCOUNT } })
}

fn pair(category: &str, state: &str) -> (String, String) {
    (category.to_owned(), state.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_tells_of_a_refund_but_the_channel_it_went_by_and_of_no_other_money() {
    let world = World::new().await;
    let (_, refund) = agreed(&world, "63.00").await;
    world.control("faults", json!({ "callback": "lost" })).await;
    work(&world).await;
    for failed in [None, Some("closed")] {
        assert!(!told_by(&world, "card-health", (id(&refund), 6_300), failed).await);
    }
    assert!(world.breaks().await.is_empty());
    assert!(told_by(&world, "card", (id(&refund), 1), Some("closed")).await);
    let held = staff_view(&world, &refund).await;
    assert_eq!((text(&held, "/stage"), text(&held, "/instructions/0/state")), ("submitted", "accepted"));
    let breaks = world.people.approver.client.get("/v1/finance/breaks").await.unwrap().json;
    assert_eq!(breaks["data"][0]["detail"]["why"], "it was told of another amount", "{breaks}");
}

/// A refund of 10.00 by transfer that the bank has taken, and then tells as refused.
async fn refused_by_bank(world: &World) -> Value {
    let intent = paid_by_transfer(world, "CASE-1").await;
    let refund = approved(world, &intent, "10.00", PAYER_ACCOUNT).await;
    send(world).await;
    assert!(told_by(world, "main-ils", ("MZ000000001-1", 1_000), Some("AC04")).await);
    assert_eq!(staff_view(world, &refund).await["stage"], "failed");
    refund
}

/// All breaks but that of the payment, which no statement of the example shows.
async fn about_refunds(world: &World) -> Vec<(String, String)> {
    let mut breaks = world.breaks().await;
    breaks.retain(|(category, _)| category != "missing_at_bank");
    breaks
}

/// The bank of these days shows no payment, so that custody is short; each account alone is what its list says.
async fn each_account_ties(world: &World) {
    let proof = world.proof_of(TODAY).await;
    for line in proof["accounts"].as_array().unwrap() {
        assert_eq!(text(line, "/unexplained"), "0.00", "{line:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_that_its_bank_told_as_refused_and_then_booked_has_left() {
    let world = World::new().await;
    let refund = refused_by_bank(&world).await;
    world.end_day(TODAY).await;
    let seen = staff_view(&world, &refund).await;
    assert_eq!((text(&seen, "/stage"), text(&seen, "/instructions/0/state")), ("succeeded", "carried_out"));
    assert_eq!(act(&world, &refund, "send-again", json!({})).await, 409);
    assert_eq!(about_refunds(&world).await, []);
    assert!(!world.balances().await.contains_key("refunds/in_flight ILS"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_that_was_booked_after_all_is_not_sent_a_second_time() {
    let world = World::new().await;
    let refund = refused_by_bank(&world).await;
    assert_eq!(act(&world, &refund, "send-again", json!({})).await, 200);
    advance(&world, 1);
    world.end_day(TODAY).await;
    assert_eq!(about_refunds(&world).await, [pair("refund_unconfirmed", "self_resolved")]);
    send(&world).await;
    let seen = staff_view(&world, &refund).await;
    assert_eq!(text(&seen, "/stage"), "succeeded", "it goes back to the first order: {seen}");
    assert_eq!(seen["instructions"].as_array().unwrap().len(), 1);
    assert!(!world.balances().await.keys().any(|account| account.starts_with("refunds/")));
    each_account_ties(&world).await;
}

/// The second order is with the bank when the statement shows the first, and then comes to nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_refund_whose_second_order_came_to_nothing_goes_back_to_the_first() {
    let world = World::new().await;
    let refund = refused_by_bank(&world).await;
    assert_eq!(act(&world, &refund, "send-again", json!({})).await, 200);
    world.control("faults", json!({ "api": "error_500" })).await;
    send(&world).await;
    world.control("faults", json!({})).await;
    assert_eq!(text(&staff_view(&world, &refund).await, "/stage"), "unknown");
    world.end_day(TODAY).await;
    let mut found = about_refunds(&world).await;
    found.sort();
    assert_eq!(found, [pair("refund_unconfirmed", "open"), pair("unknown_debit", "open")]);
    assert_eq!(world.balances().await["suspense/main-ils/debits ILS"], 1_000);
    each_account_ties(&world).await;

    let said = json!({ "note": "The bank never had the second (example)" });
    assert_eq!(act(&world, &refund, "not-carried-out", said).await, 200);
    assert_eq!(act(&world, &refund, "not-carried-out/approve", json!({})).await, 200);
    while work(&world).await > 0 {}
    world.reconcile().await;
    let seen = staff_view(&world, &refund).await;
    assert_eq!(text(&seen, "/stage"), "succeeded", "{seen}");
    let balances = world.balances().await;
    let left = |account: &String| account.starts_with("refunds/") || account.starts_with("suspense/");
    assert!(!balances.keys().any(left), "{balances:?}");
    assert!(about_refunds(&world).await.iter().all(|(_, state)| state == "self_resolved"));
    each_account_ties(&world).await;
    world.reconcile().await;
    assert_eq!(world.balances().await, balances, "once");
}

/// Both orders left, and the second came back: the payer has the money by the first, and the next one has a number of its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_refund_whose_second_order_came_back_goes_back_to_the_first_and_to_its_payee() {
    let world = World::new().await;
    let refund = refused_by_bank(&world).await;
    let other = json!({ "payee": { "name": "Another (example)", "iban": RETURNING_ACCOUNT } });
    assert_eq!(act(&world, &refund, "payee", other).await, 200);
    assert_eq!(act(&world, &refund, "send-again", json!({})).await, 200);
    send(&world).await;
    world.end_day(TODAY).await;
    let seen = staff_view(&world, &refund).await;
    assert_eq!((text(&seen, "/stage"), text(&seen, "/payee/iban")), ("succeeded", RETURNING_ACCOUNT));
    assert_eq!(
        world.balances().await["suspense/main-ils/debits ILS"],
        1_000,
        "the first is a second payment"
    );
    world.next_morning("2026-11-23T08:00:00Z").await;
    world.end_day("2026-11-23").await;
    assert_eq!(text(&staff_view(&world, &refund).await, "/stage"), "returned");
    while work(&world).await > 0 {}
    world.reconcile().await;
    let seen = staff_view(&world, &refund).await;
    assert_eq!((text(&seen, "/stage"), text(&seen, "/payee/iban")), ("succeeded", PAYER_ACCOUNT), "{seen}");
    let balances = world.balances().await;
    let left = |account: &String| account.starts_with("refunds/") || account.starts_with("suspense/");
    assert!(!balances.keys().any(left), "{balances:?}");

    // Comes the first back too, the next is the third.
    world.next_morning("2026-11-24T08:00:00Z").await;
    world.transfer(crate::recon::ILS, "10.00", "ILS", Some("MZ000000001-1"), "returned (example)").await;
    world.end_day("2026-11-24").await;
    assert_eq!(text(&staff_view(&world, &refund).await, "/stage"), "returned");
    assert_eq!(act(&world, &refund, "send-again", json!({})).await, 200);
    send(&world).await;
    let seen = staff_view(&world, &refund).await;
    assert_eq!(text(&seen, "/stage"), "submitted", "{seen}");
    let references: Vec<&str> =
        seen["instructions"].as_array().unwrap().iter().map(|one| text(one, "/reference")).collect();
    assert_eq!(references, ["MZ000000001-1", "MZ000000001-2", "MZ000000001-3"]);
}

/// The bank says that it has executed the order, and its statement does not come.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_says_that_an_order_was_not_carried_out_against_its_banks_own_word() {
    let world = World::new().await;
    let intent = paid_by_transfer(&world, "CASE-1").await;
    let refund = approved(&world, &intent, "10.00", PAYER_ACCOUNT).await;
    send(&world).await;
    world.control("day", json!({ "close": TODAY })).await;
    advance(&world, 61);
    while work(&world).await > 0 {}
    let seen = staff_view(&world, &refund).await;
    assert_eq!((text(&seen, "/stage"), text(&seen, "/instructions/0/state")), ("submitted", "carried_out"));
    world.tamper("update expectations set due_on = due_on - 10 where kind = 'refund'").await;
    world.reconcile().await;
    let path = format!("/v1/finance/refunds/{}/not-carried-out", id(&refund));
    let said = json!({ "note": "We do not see it (example)" });
    let denied = world.people.reconciler.client.post(&path, &said).await.unwrap();
    assert_eq!((denied.status, text(&denied.json, "/code")), (409, "refund_not_approvable"));
    assert!(text(&denied.json, "/detail").contains("told that it was carried out"), "{}", denied.json);
}

/// The bank took the order, and executes it never.
#[tokio::test(flavor = "multi_thread")]
async fn two_people_end_a_transfer_that_its_bank_took_and_that_is_overdue() {
    let world = World::new().await;
    let intent = paid_by_transfer(&world, "CASE-1").await;
    let refund = approved(&world, &intent, "10.00", PAYER_ACCOUNT).await;
    send(&world).await;
    let said = json!({ "note": "The bank does not find the order (example)" });
    assert_eq!(act(&world, &refund, "not-carried-out", said.clone()).await, 409, "it is not overdue");
    world.tamper("update expectations set due_on = due_on - 10 where kind = 'refund'").await;
    world.tamper("update expectations set reference = 'MZ000000009-1' where kind = 'refund'").await;
    world.end_day(TODAY).await;
    assert!(about_refunds(&world).await.contains(&pair("refund_unconfirmed", "open")));
    assert_eq!(act(&world, &refund, "not-carried-out", said).await, 200);
    assert_eq!(act(&world, &refund, "not-carried-out/approve", json!({})).await, 200);
    let failed = staff_view(&world, &refund).await;
    assert_eq!((text(&failed, "/stage"), text(&failed, "/failure/code")), ("failed", "not_carried_out"));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_end_an_unknown_transfer_that_its_bank_never_had() {
    let world = World::new().await;
    let intent = paid_by_transfer(&world, "CASE-1").await;
    let refund = approved(&world, &intent, "10.00", PAYER_ACCOUNT).await;
    let said = json!({ "note": "The bank never had the file (example)" });
    assert_eq!(act(&world, &refund, "not-carried-out", said.clone()).await, 409, "nobody doubts it yet");
    world.control("faults", json!({ "api": "error_500" })).await;
    send(&world).await;
    world.control("faults", json!({})).await;
    assert_eq!(staff_view(&world, &refund).await["stage"], "unknown");
    assert_eq!(
        act(&world, &refund, "not-carried-out/approve", said.clone()).await,
        409,
        "nobody proposed it"
    );
    assert_eq!(act(&world, &refund, "not-carried-out", json!({})).await, 422, "it says who knows it");
    assert_eq!(act(&world, &refund, "not-carried-out", said.clone()).await, 200);
    assert_eq!(act(&world, &refund, "give-up/approve", said.clone()).await, 409, "that was not proposed");
    assert_eq!(act(&world, &refund, "proposal/refuse", json!({})).await, 422, "it says why");
    assert_eq!(act(&world, &refund, "proposal/refuse", said.clone()).await, 200);
    assert_eq!(staff_view(&world, &refund).await["proposal"], Value::Null);
    assert_eq!(act(&world, &refund, "not-carried-out/approve", said.clone()).await, 409, "it was refused");
    assert_eq!(act(&world, &refund, "proposal/refuse", said.clone()).await, 409, "nothing is proposed");
    assert_eq!(act(&world, &refund, "not-carried-out", said.clone()).await, 200);
    assert_eq!(staff_view(&world, &refund).await["proposal"]["note"], said["note"]);
    assert_eq!(act(&world, &refund, "not-carried-out/approve", json!({})).await, 200);
    let failed = staff_view(&world, &refund).await;
    assert_eq!((text(&failed, "/stage"), text(&failed, "/failure/code")), ("failed", "not_carried_out"));
    assert_eq!(act(&world, &refund, "send-again", json!({})).await, 200);
    send(&world).await;
    assert_eq!(staff_view(&world, &refund).await["stage"], "submitted");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_told_as_carried_out_does_not_fail_afterwards() {
    let world = World::new().await;
    let (_, refund) = agreed(&world, "63.00").await;
    world.control("faults", json!({ "callback": "lost" })).await;
    work(&world).await;
    told(&world, id(&refund), None).await;
    let done = staff_view(&world, &refund).await;
    assert_eq!((text(&done, "/stage"), text(&done, "/instructions/0/state")), ("submitted", "carried_out"));
    let before = world.balances().await;

    for _ in 0..2 {
        told(&world, id(&refund), Some("closed")).await;
    }
    let held = staff_view(&world, &refund).await;
    assert_eq!((text(&held, "/stage"), text(&held, "/instructions/0/state")), ("submitted", "carried_out"));
    assert_eq!(world.balances().await, before);
    assert_eq!(world.breaks().await, [pair("refund_unconfirmed", "open")]);
    let breaks = world.people.approver.client.get("/v1/finance/breaks").await.unwrap().json;
    let why = &breaks["data"][0]["detail"]["why"];
    assert_eq!(*why, "it was told as carried out before", "{breaks}");
    for (step, body) in [("payee", payee()), ("send-again", json!({})), ("give-up", json!({ "note": "x" }))] {
        assert_eq!(act(&world, &refund, step, body).await, 409, "{step}");
    }
    // The settlement holds it, as it was told at first.
    world.end_day(TODAY).await;
    assert_eq!(text(&staff_view(&world, &refund).await, "/stage"), "succeeded");
    world.tied().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_its_settlement_holds_after_it_failed_has_succeeded() {
    let world = World::new().await;
    let (intent, refund) = agreed(&world, "63.00").await;
    world.control("faults", json!({ "callback": "lost" })).await;
    work(&world).await;
    told(&world, id(&refund), Some("closed")).await;
    assert_eq!(text(&staff_view(&world, &refund).await, "/stage"), "failed");

    world.end_day(TODAY).await;
    assert_eq!(world.breaks().await, [pair("unknown_debit", "open")]);
    while work(&world).await > 0 {}
    let seen = staff_view(&world, &refund).await;
    assert_eq!((text(&seen, "/stage"), text(&seen, "/instructions/0/state")), ("succeeded", "carried_out"));
    assert_eq!(world.breaks().await, [pair("unknown_debit", "self_resolved")]);
    let balances = world.balances().await;
    assert!(!balances.contains_key("channel/card/receivable ILS"), "{balances:?}");
    assert!(!balances.keys().any(|account| account.starts_with("refunds/")), "{balances:?}");
    assert_eq!(world.find_intent(id(&intent)).await["refunded"], ils("63.00"));
    // The callback comes last of all.
    told(&world, id(&refund), None).await;
    while work(&world).await > 0 {}
    assert_eq!(world.balances().await, balances);
    assert_eq!(world.breaks().await, [pair("unknown_debit", "self_resolved")]);
    world.tied().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn direct_money_that_its_settlement_took_back_after_the_refund_failed_leaves_nothing() {
    let world = World::new().await;
    let paid = world.pay_on("card-health", &world.certificate("CASE-1").await, 1).await;
    let refund = requested(&world, &paid, "50.00").await;
    approve(&world, &refund).await;
    world.control("faults", json!({ "callback": "lost" })).await;
    work(&world).await;
    assert!(told_by(&world, "card-health", (id(&refund), 5_000), Some("closed")).await);
    world.end_day(TODAY).await;
    while work(&world).await > 0 {}
    assert_eq!(text(&staff_view(&world, &refund).await, "/stage"), "succeeded");
    assert!(world.balances().await.is_empty(), "{:?}", world.balances().await);
    assert_eq!(world.breaks().await, [pair("unknown_debit", "self_resolved")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_its_settlement_holds_is_not_transferred_to_the_account_that_was_named() {
    let world = World::new().await;
    let (_, refund) = agreed(&world, "63.00").await;
    world.control("faults", json!({ "callback": "lost" })).await;
    work(&world).await;
    told(&world, id(&refund), Some("closed")).await;
    assert_eq!(act(&world, &refund, "payee", payee()).await, 200);
    world.end_day(TODAY).await;
    while work(&world).await > 0 {}
    assert_eq!(act(&world, &refund, "send-again", json!({})).await, 409);
    let held = staff_view(&world, &refund).await;
    assert_eq!((text(&held, "/stage"), text(&held, "/instructions/0/state")), ("succeeded", "carried_out"));
    assert_eq!((text(&held, "/method"), held["instructions"].as_array().unwrap().len()), ("original", 1));
    assert!(world.breaks().await.iter().all(|(_, state)| state == "self_resolved"));
    let balances = world.balances().await;
    assert!(!balances.keys().any(|account| account.starts_with("refunds/")), "{balances:?}");
    world.tied().await;
}
