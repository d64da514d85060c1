//! Chargebacks as gateways number them, and of money that is in suspense.

use mizan::inbox::{Meaning, NewNotice, Source, door};
use mizan_ledger::{Currency, Money};
use serde_json::{Value, json};

use super::reversed::{asked_for, done, reverse, step, taken_back};
use super::*;
use crate::money_modes::text;

/// What a gateway tells that takes a payment back of which it has refunded a part.
async fn reversed_beside(world: &World, intent: &Value, transaction: &str, minor: i64) {
    charged_back(world, intent, (transaction, None), minor).await;
}

/// A chargeback: its transaction, and the one that it says it takes back.
async fn charged_back(world: &World, intent: &Value, (own, of): (&str, Option<&str>), minor: i64) {
    told(world, (Source::Callback, text(intent, "/attempts/0/id")), (own, of), minor).await;
}

/// The same, by this way and of this order.
pub async fn told(world: &World, way: (Source, &str), names: (&str, Option<&str>), minor: i64) {
    said(world, way, names, minor).await;
    world.settle(1).await;
}

/// The same, and nobody has applied it yet.
pub async fn said(
    world: &World,
    (source, order): (Source, &str),
    (own, of): (&str, Option<&str>),
    minor: i64,
) {
    let notice = NewNotice {
        channel: "card".to_owned(),
        transaction: own.to_owned(),
        status: if source == Source::Report { "TAKEN_BACK" } else { "REVERSED" }.to_owned(),
        meaning: Meaning::Reversed,
        source,
        reference: Some(order.to_owned()),
        money: Money::new(minor, Currency::ILS),
        original_transaction: of.map(str::to_owned),
        reason: None,
        money_key: format!("card:{own}"),
        occurred_at: world.app.clock.now(),
        raw: Vec::new(),
        headers: json!({}),
    };
    door::take(&world.app, notice).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chargeback_with_a_transaction_of_its_own_takes_the_same_payment_back() {
    for names_it in [true, false] {
        let world = World::new().await;
        let paid = paid_passport(&world, "CASE-1").await;
        let refund = requested(&world, &paid, "63.00").await;
        let original = staff_view(&world, &refund).await["original_transaction"].clone();
        let of = names_it.then(|| text(&original, ""));
        charged_back(&world, &paid, ("CB-EXAMPLE-1", of), 42_538).await;
        let seen = world.find_intent(id(&paid)).await;
        assert_eq!(text(&seen, "/attempts/0/state"), "reversed");
        assert_eq!((&seen["reversed"], &seen["refundable"]), (&ils("425.38"), &ils("0.00")), "{seen}");
        assert_eq!(step(&world, &refund, "approve").await, taken_back());
    }
}

/// A merchant's clerk gives money back at the gateway's own desk: the hub did not order it, and does not give it a second time.
#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_nobody_ordered_here_takes_its_payment_back() {
    let world = World::new().await;
    let paid = paid_passport(&world, "CASE-1").await;
    let refund = requested(&world, &paid, "63.00").await;
    let original = staff_view(&world, &refund).await["original_transaction"].clone();
    let notice = NewNotice {
        channel: "card".to_owned(),
        transaction: "R-DESK".to_owned(),
        status: "REFUNDED".to_owned(),
        meaning: Meaning::Refunded,
        source: Source::Callback,
        reference: Some("desk-refund-1".to_owned()),
        money: Money::new(42_538, Currency::ILS),
        original_transaction: Some(text(&original, "").to_owned()),
        reason: None,
        money_key: "card:R-DESK".to_owned(),
        occurred_at: world.app.clock.now(),
        raw: Vec::new(),
        headers: json!({}),
    };
    door::take(&world.app, notice).await.unwrap();
    world.settle(1).await;
    let seen = world.find_intent(id(&paid)).await;
    assert_eq!((&seen["reversed"], &seen["refundable"]), (&ils("425.38"), &ils("0.00")), "{seen}");
    assert_eq!(step(&world, &refund, "approve").await, taken_back());
    assert_eq!(world.breaks().await, [("reversed".to_owned(), "open".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn late_money_charged_back_under_another_transaction_is_not_given_back() {
    for names_it in [true, false] {
        let world = World::new().await;
        let seen = paid_late(&world).await;
        let waiting = world.people.approver.client.get("/v1/finance/refunds").await.unwrap().json;
        let original = waiting["data"][0]["original_transaction"].clone();
        let of = names_it.then(|| text(&original, ""));
        charged_back(&world, &seen, ("CB-EXAMPLE-1", of), 21_525).await;
        assert_eq!(step(&world, &waiting["data"][0], "approve").await, taken_back());
    }
}

/// A bill of 215.25 paid by card, and the transaction that paid it.
async fn paid_by(world: &World, transaction: &str) -> Value {
    let intent = world.intent("CASE-1").await;
    let order = world.at_gateway("card", &intent).await;
    assert_eq!(world.tell("card", &order, transaction, ("215.25", "ILS")).await, 204);
    world.settle(1).await;
    world.find_intent(id(&intent)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_taken_back_piece_by_piece_is_less_by_each_piece_however_often_it_is_told() {
    let world = World::new().await;
    let paid = paid_by(&world, "T-EXAMPLE-1").await;
    let order = text(&paid, "/attempts/0/id");
    let original = Some("T-EXAMPLE-1");
    let (callback, settlement) = ((Source::Callback, order), (Source::Report, order));
    for (way, names, minor, reversed) in [
        (callback, ("CB-EXAMPLE-1", original), 8_000, "80.00"),
        (callback, ("CB-EXAMPLE-2", None), 3_000, "110.00"),
        // The settlement lists what the callbacks told, and then more than they did.
        (settlement, ("T-EXAMPLE-1", None), 11_000, "110.00"),
        (settlement, ("T-EXAMPLE-1B", original), 2_000, "130.00"),
        (callback, ("CB-EXAMPLE-1", original), 8_000, "130.00"),
        // More than was paid cannot be gone.
        (callback, ("CB-EXAMPLE-3", None), 90_000, "215.25"),
    ] {
        told(&world, way, names, minor).await;
        assert_eq!(world.find_intent(id(&paid)).await["reversed"], ils(reversed), "{names:?}");
    }
    let breaks = world.people.reconciler.client.get("/v1/finance/breaks").await.unwrap().json;
    assert_eq!(breaks["data"].as_array().unwrap().len(), 1, "one break of one payment: {breaks}");
    assert_eq!(breaks["data"][0]["money"], ils("1010.00"), "all that was told: {breaks}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chargeback_that_names_no_order_of_ours_takes_back_the_money_that_it_names() {
    for (own, of) in [("T-EXAMPLE-1", None), ("CB-EXAMPLE-1", Some("T-EXAMPLE-1"))] {
        let world = World::new().await;
        let paid = paid_by(&world, "T-EXAMPLE-1").await;
        told(&world, (Source::Callback, "ORDER-OF-NOBODY"), (own, of), 21_525).await;
        let seen = world.find_intent(id(&paid)).await;
        assert_eq!((text(&seen, "/attempts/0/state"), &seen["reversed"]), ("reversed", &ils("215.25")));
        let refused = asked_for(&world, &paid["id"], &ils("210.00")).await;
        assert_eq!(refused["body"]["code"], "payment_reversed", "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chargeback_that_names_nothing_known_is_a_break_and_takes_nothing() {
    let world = World::new().await;
    let paid = paid_by(&world, "T-EXAMPLE-1").await;
    told(&world, (Source::Callback, "ORDER-OF-NOBODY"), ("CB-EXAMPLE-1", Some("T-EXAMPLE-9")), 21_525).await;
    assert_eq!(world.find_intent(id(&paid)).await["reversed"], ils("0.00"));
    assert_eq!(world.breaks().await, [("reversed".to_owned(), "open".to_owned())]);
}

/// A card payment of 215.25 whose chargeback is told before its capture.
async fn charged_back_first(world: &World, names: (&str, Option<&str>), minor: i64) -> Value {
    let intent = world.intent("CASE-1").await;
    let order = world.at_gateway("card", &intent).await;
    told(world, (Source::Callback, &order), names, minor).await;
    assert_eq!(world.tell("card", &order, "T-EXAMPLE-1", ("215.25", "ILS")).await, 204);
    world.settle(1).await;
    world.find_intent(id(&intent)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_of_which_its_chargeback_was_told_first_pays_nothing() {
    for names in [("CB-EXAMPLE-1", None), ("CB-EXAMPLE-1", Some("T-EXAMPLE-1")), ("T-EXAMPLE-1", None)] {
        let world = World::new().await;
        let seen = charged_back_first(&world, names, 21_525).await;
        assert_eq!((text(&seen, "/state"), &seen["paid"]), ("requires_payment", &ils("0.00")), "{names:?}");
        assert_eq!(seen["unapplied"][0]["cause"], "reversed", "{seen}");
        assert_eq!(world.proposed().await, []);
        let item = &seen["unapplied"][0];
        let refused = asked_for(&world, &item["id"], &item["amount"]).await;
        assert_eq!(refused["body"]["code"], "payment_reversed", "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_of_which_a_part_was_charged_back_first_pays_and_is_less_by_it() {
    for names in [("CB-EXAMPLE-1", None), ("CB-EXAMPLE-1", Some("T-EXAMPLE-1"))] {
        let world = World::new().await;
        let seen = charged_back_first(&world, names, 500).await;
        assert_eq!((text(&seen, "/state"), &seen["reversed"]), ("paid", &ils("5.00")), "{names:?}");
        assert_eq!(seen["refundable"], ils("205.00"));
        let asked = asked_for(&world, &seen["id"], &ils("205.00")).await;
        assert_eq!(asked["status"], 201, "{asked}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_late_money_charged_back_in_part_the_rest_can_be_given_back() {
    let world = World::new().await;
    let intent = world.intent("CASE-1").await;
    let order = world.at_gateway("card", &intent).await;
    world.tamper("update payment_intents set state = 'canceled'").await;
    assert_eq!(world.tell("card", &order, "T-EXAMPLE-1", ("215.25", "ILS")).await, 204);
    world.settle(1).await;
    assert_eq!(world.proposed().await.len(), 1);
    told(&world, (Source::Callback, &order), ("CB-EXAMPLE-1", None), 525).await;
    let waiting = world.people.approver.client.get("/v1/finance/refunds").await.unwrap().json;
    assert_eq!(step(&world, &waiting["data"][0], "approve").await, taken_back(), "all of it is not there");
    assert_eq!(step(&world, &waiting["data"][0], "refuse").await, done("refused"));
    let item = world.find_intent(id(&intent)).await["unapplied"][0]["id"].clone();
    let rest = asked_for(&world, &item, &ils("210.00")).await;
    assert_eq!((&rest["status"], &rest["body"]["amount"]), (&json!(201), &ils("210.00")), "{rest}");
    assert_eq!(step(&world, &rest["body"], "approve").await, done("approved"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_whose_payment_was_taken_back_whole_may_be_paid_anew() {
    let world = World::new().await;
    let paid = paid_by(&world, "T-EXAMPLE-1").await;
    told(&world, (Source::Callback, text(&paid, "/attempts/0/id")), ("CB-EXAMPLE-1", None), 500).await;
    assert_eq!(world.try_intent("CASE-1").await.status, 409, "a part only");
    told(&world, (Source::Callback, text(&paid, "/attempts/0/id")), ("CB-EXAMPLE-2", None), 90_000).await;
    let anew = world.try_intent("CASE-1").await;
    assert_eq!((anew.status, &anew.json["predecessor"]), (201, &paid["id"]), "{}", anew.json);

    // And who pays the old bill again has paid once: nothing goes back by itself.
    let order = text(&paid, "/attempts/0/id");
    assert_eq!(world.tell("card", order, "T-EXAMPLE-2", ("215.25", "ILS")).await, 204);
    world.settle(1).await;
    assert_eq!(world.proposed().await, []);
    assert!(world.breaks().await.contains(&("duplicate_money".to_owned(), "open".to_owned())));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rest_of_a_bill_whose_part_was_taken_back_is_late_and_goes_back() {
    let world = World::new().await;
    let intent = world.intent("CASE-1").await;
    let order = world.at_gateway("card", &intent).await;
    assert_eq!(world.tell("card", &order, "T-EXAMPLE-1", ("80.00", "ILS")).await, 204);
    world.settle(1).await;
    world.clock.advance(jiff::SignedDuration::from_secs(1));
    let rest = world.at_gateway("card", &intent).await;
    told(&world, (Source::Callback, &order), ("CB-EXAMPLE-1", Some("T-EXAMPLE-1")), 8_000).await;
    assert_eq!(world.tell("card", &rest, "T-EXAMPLE-2", ("135.25", "ILS")).await, 204);
    world.settle(1).await;
    let seen = world.find_intent(id(&intent)).await;
    assert_eq!((text(&seen, "/state"), &seen["paid"]), ("partially_paid", &ils("80.00")));
    assert_eq!(seen["unapplied"][0]["cause"], "late_money", "{seen}");
    assert_eq!(world.proposed().await.len(), 1, "it goes back");
    world.tied().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_has_left_goes_its_way_and_the_break_tells_of_it() {
    let world = World::new().await;
    let (paid, refund) = agreed(&world, "63.00").await;
    work(&world).await;
    let sent = staff_view(&world, &refund).await;
    assert_eq!(text(&sent, "/stage"), "submitted");
    reversed_beside(&world, &paid, text(&sent, "/original_transaction"), 42_538).await;
    let breaks = world.people.reconciler.client.get("/v1/finance/breaks").await.unwrap().json;
    assert_eq!(breaks["data"][0]["detail"]["asked_back"], ils("63.00"), "{breaks}");
    netted(&world, &refund).await.unwrap();
    assert_eq!(text(&staff_view(&world, &refund).await, "/stage"), "succeeded");
    assert_eq!(world.find_intent(id(&paid)).await["refunded"], ils("63.00"));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_payment_taken_back_in_part_the_rest_is_refundable() {
    let world = World::new().await;
    let (paid, first) = agreed(&world, "63.00").await;
    let transaction = staff_view(&world, &first).await["original_transaction"].clone();
    // 425.38 paid, of which 315.00 are refundable, 63.00 asked for and 100.00 taken back.
    reversed_beside(&world, &paid, text(&transaction, ""), 10_000).await;
    let seen = world.find_intent(id(&paid)).await;
    assert_eq!((&seen["reversed"], &seen["refundable"]), (&ils("100.00"), &ils("152.00")));
    let second = asked_for(&world, &paid["id"], &ils("152.00")).await;
    assert_eq!((&second["status"], &second["body"]["amount"]), (&json!(201), &ils("152.00")), "{second}");
    assert_eq!(step(&world, &second["body"], "approve").await, done("approved"));
    let third = asked_for(&world, &paid["id"], &ils("0.00")).await;
    assert_eq!(third["body"]["code"], "payment_reversed", "{third}");
}

/// A bill paid by card after it was canceled; the refund of it waits for approval.
async fn paid_late(world: &World) -> Value {
    let intent = world.intent("CASE-1").await;
    let page = world.choose_card(&intent).await;
    world.tamper("update payment_intents set state = 'canceled'").await;
    world.decide(&page, "approve").await;
    world.settle(1).await;
    let proposed = world.proposed().await;
    assert_eq!(proposed.len(), 1);
    let seen = world.find_intent(id(&intent)).await;
    assert_eq!(seen["unapplied"][0]["cause"], "late_money", "{seen}");
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn the_break_of_late_money_ends_when_all_of_it_was_seen_leaving_and_comes_back_with_it() {
    let world = World::new().await;
    let seen = paid_late(&world).await;
    let waiting = world.people.approver.client.get("/v1/finance/refunds").await.unwrap().json;
    let refund = &waiting["data"][0];
    let late = |state: &str| [("late_money".to_owned(), state.to_owned())];
    assert_eq!(step(&world, refund, "approve").await, done("approved"));
    work(&world).await;
    assert_eq!(world.breaks().await, late("open"), "it has not been seen leaving");
    netted(&world, refund).await.unwrap();
    assert_eq!(world.breaks().await, late("self_resolved"));

    // It comes back, and then its channel takes the payment back: what stands in suspense again is a break again.
    returned(&world, refund, 21_525).await;
    let transaction = staff_view(&world, refund).await["original_transaction"].clone();
    reversed_beside(&world, &seen, text(&transaction, ""), 21_525).await;
    let path = format!("/v1/finance/refunds/{}/cancel", id(refund));
    let other = world.staff("second.approver", &[mizan::access::Role::Approver]).await;
    let canceled = other.post(&path, &json!({ "note": "EXAMPLE" })).await.unwrap();
    assert_eq!((canceled.status, text(&canceled.json, "/stage")), (200, "canceled"), "{}", canceled.json);
    let breaks = world.breaks().await;
    assert!(breaks.contains(&("late_money".to_owned(), "reopened".to_owned())), "{breaks:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn money_in_suspense_that_its_channel_took_back_is_not_given_back() {
    let world = World::new().await;
    let seen = paid_late(&world).await;
    let intent = seen.clone();
    reverse(&world, &seen).await;
    let waiting = world.people.approver.client.get("/v1/finance/refunds").await.unwrap().json;
    assert_eq!(step(&world, &waiting["data"][0], "approve").await, taken_back());
    assert_eq!(step(&world, &waiting["data"][0], "refuse").await, done("refused"));
    let item = &seen["unapplied"][0];
    let refused = asked_for(&world, &item["id"], &item["amount"]).await;
    assert_eq!(refused["body"]["code"], "payment_reversed", "{refused}");
    let after = world.find_intent(id(&intent)).await;
    assert_eq!(after["reversed"], ils("0.00"), "it had paid nothing of the bill");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_bill_whose_part_was_taken_back_nobody_is_asked_to_pay_the_rest() {
    let world = World::new().await;
    let intent = world.intent("CASE-1").await;
    let order = world.at_gateway("card", &intent).await;
    assert_eq!(world.tell("card", &order, "T-EXAMPLE-1", ("80.00", "ILS")).await, 204);
    world.settle(1).await;
    let page = async || world.http.get(text(&intent, "/pay_url")).send().await.unwrap().text().await.unwrap();
    let asks = "name=\"channel\"";
    assert!(page().await.contains(asks), "the rest is asked for");

    let part = world.find_intent(id(&intent)).await;
    charged_back(&world, &part, ("CB-EXAMPLE-1", Some("T-EXAMPLE-1")), 8_000).await;
    let seen = world.find_intent(id(&intent)).await;
    assert_eq!((text(&seen, "/state"), &seen["reversed"]), ("partially_paid", &ils("80.00")));
    assert!(!page().await.contains(asks));
    let tried = world.form(text(&intent, "/pay_url"), "channel=card").await;
    let to = tried.headers()["location"].to_str().unwrap();
    assert!(tried.status() == 303 && to.starts_with("/pay/"), "back to the bill, not to the gateway: {to}");
    assert_eq!(world.find_intent(id(&intent)).await["attempts"].as_array().unwrap().len(), 1);

    let path = format!("/v1/payment-intents/{}/cancel", id(&intent));
    assert_eq!(world.portal().post(&path, &json!({})).await.unwrap().status, 200);
    assert_eq!(world.proposed().await, [], "the payer has the part");
    world.tied().await;
}
