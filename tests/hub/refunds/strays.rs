//! Money that comes under the reference of a refund: its return, or something that only says so.

use mizan::demo::PAYER_ACCOUNT;
use serde_json::{Value, json};

use super::bank::{approved, paid_by_transfer, send};
use super::*;
use crate::recon::ILS;
use crate::world::TODAY;

const REFERENCE: &str = "MZ000000001-1";

/// A refund of 10.00 that the bank's statement of today shows leaving.
async fn left(world: &World) -> Value {
    let intent = paid_by_transfer(world, "CASE-1").await;
    let refund = approved(world, &intent, "10.00", PAYER_ACCOUNT).await;
    send(world).await;
    world.end_day(TODAY).await;
    assert_eq!(staff_view(world, &refund).await["stage"], "succeeded");
    refund
}

async fn unknown_credits(world: &World) -> usize {
    let breaks = world.breaks().await;
    breaks.iter().filter(|(category, state)| category == "unknown_credit" && state == "open").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn small_money_under_a_refunds_reference_is_not_its_return_and_stops_nothing() {
    let world = World::new().await;
    let refund = left(&world).await;
    world.next_morning("2026-11-23T08:00:00Z").await;
    for (amount, reference) in [("0.01", Some(REFERENCE)), ("0.01", Some(REFERENCE)), ("5.00", None)] {
        world.transfer(ILS, amount, "ILS", reference, "(example)").await;
    }
    let summary = world.end_day("2026-11-23").await;
    assert_eq!((&summary["to_suspense"], &summary["waiting"]), (&json!(3), &json!(0)), "{summary}");
    assert_eq!(staff_view(&world, &refund).await["stage"], "succeeded");
    assert_eq!(unknown_credits(&world).await, 3);
}

/// Our reference reaches every payee, and payers quote it.
#[tokio::test(flavor = "multi_thread")]
async fn who_quotes_a_refund_beside_a_bill_pays_the_bill() {
    let world = World::new().await;
    let refund = left(&world).await;
    world.next_morning("2026-11-23T08:00:00Z").await;
    let mut bills = Vec::new();
    for in_text in [false, true] {
        let intent = world.intent(&format!("CASE-{in_text}")).await;
        let bill = intent["bill_number"].as_str().unwrap();
        let text = format!("instead of {REFERENCE} {}", if in_text { bill } else { "" });
        world.transfer(ILS, "215.25", "ILS", (!in_text).then_some(bill), &text).await;
        bills.push(intent);
    }
    // And what comes back with our reference in its text alone is the return.
    world.transfer(ILS, "10.00", "ILS", None, &format!("RTN {REFERENCE} AC04")).await;
    world.end_day("2026-11-23").await;
    for intent in &bills {
        assert_eq!(world.find_intent(id(intent)).await["state"], "paid");
    }
    assert_eq!(staff_view(&world, &refund).await["stage"], "returned");
    assert_eq!(unknown_credits(&world).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_comes_back_twice_came_back_once() {
    let world = World::new().await;
    let refund = left(&world).await;
    world.next_morning("2026-11-23T08:00:00Z").await;
    for _ in 0..2 {
        world.transfer(ILS, "9.50", "ILS", Some(REFERENCE), "returned (example)").await;
    }
    let summary = world.end_day("2026-11-23").await;
    assert_eq!((&summary["matched"], &summary["to_suspense"]), (&json!(1), &json!(1)), "{summary}");
    assert_eq!(staff_view(&world, &refund).await["stage"], "returned");
    assert_eq!(unknown_credits(&world).await, 1);
    assert_eq!(world.balances().await["refunds/payable ILS"], -1_000, "owed to the payer again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_portals_day_says_the_same_whatever_becomes_of_its_refunds_later() {
    let world = World::new().await;
    let refund = left(&world).await;
    let total = async |day: &str| {
        let path = format!("/v1/reports/daily?date={day}");
        world.get(&path).await.json["totals"][0].clone()
    };
    let ten = json!({ "amount": "10.00", "currency": "ILS" });
    let today = total(TODAY).await;
    assert_eq!((&today["refunds"], &today["refunded"]), (&json!(1), &ten), "{today}");

    world.next_morning("2026-11-23T08:00:00Z").await;
    world.transfer(ILS, "10.00", "ILS", Some(REFERENCE), "returned (example)").await;
    world.end_day("2026-11-23").await;
    assert_eq!(staff_view(&world, &refund).await["stage"], "returned");
    assert_eq!(total(TODAY).await, today);
    let next = total("2026-11-23").await;
    let back = json!({ "amount": "-10.00", "currency": "ILS" });
    assert_eq!((&next["refunds"], &next["refunded"], &next["net"]), (&json!(0), &back, &ten), "{next}");

    world.next_morning("2026-11-24T08:00:00Z").await;
    let path = format!("/v1/finance/refunds/{}/send-again", refund["id"].as_str().unwrap());
    let again = world.people.approver.client.post(&path, &json!({ "note": "EXAMPLE" })).await.unwrap();
    assert_eq!(again.status, 200, "{}", again.json);
    send(&world).await;
    world.end_day("2026-11-24").await;
    assert_eq!(staff_view(&world, &refund).await["stage"], "succeeded");
    assert_eq!((total(TODAY).await, total("2026-11-23").await), (today, next));
    let last = total("2026-11-24").await;
    assert_eq!((&last["refunds"], &last["refunded"]), (&json!(1), &ten), "{last}");
}
