//! One payment through every room.

use std::collections::BTreeSet;

use futures::future::join_all;
use serde_json::{Value, json};

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_card_payment_is_booked_once_with_its_receipt() {
    let world = World::new().await;
    let intent = world.intent("CASE-1").await;
    assert_eq!(intent["state"], "requires_payment");
    assert_eq!(intent["amount"], json!({ "amount": "215.25", "currency": "ILS" }));

    world.pay_by_card(&intent).await;

    let paid = world.find_intent(intent["id"].as_str().unwrap()).await;
    assert_eq!(paid["state"], "paid", "{paid}");
    assert_eq!(paid["paid"], paid["amount"]);
    assert_eq!(paid["receipt"]["number"], "2026-00000001");
    assert_eq!(paid["settlement"], "in_transit");
    assert_eq!(paid["attempts"][0]["state"], "captured");
    // 215.25 x 0.0145 + 0.50 = 3.621, rounded half up.
    let balances = world.balances().await;
    assert_eq!(balances["channel/card/receivable ILS"], 21_525);
    assert_eq!(balances["channel/card/costs_payable ILS"], -362);
    assert_eq!(balances["hub/costs/card ILS"], 362);
    assert_eq!(balances.values().sum::<i64>(), 0, "{balances:?}");

    let receipt = world.get("/v1/receipts/2026-00000001").await;
    assert_eq!(receipt.status, 200);
    let page = world.http.get(receipt.json["url"].as_str().unwrap()).send().await.unwrap();
    assert!(page.text().await.unwrap().contains("أصلي"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_callback_does_not_pay_twice() {
    let world = World::new().await;
    world.control("faults", json!({ "callback": "duplicate" })).await;
    let intent = world.intent("CASE-2").await;
    world.pay_by_card(&intent).await;
    world.settle(0).await;
    let balances = world.balances().await;
    assert_eq!(balances["channel/card/receivable ILS"], 21_525);
    let next = world.intent_refused("CASE-2").await;
    assert_eq!(next["code"], "reference_in_use");
    assert_eq!(next["payment_intent"], intent["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declined_card_leaves_the_bill_open() {
    let world = World::new().await;
    let intent = world.intent("CASE-3").await;
    let page = world.choose_card(&intent).await;
    world.decide(&page, "decline").await;
    world.settle(1).await;
    let after = world.find_intent(intent["id"].as_str().unwrap()).await;
    assert_eq!(after["state"], "requires_payment");
    assert_eq!(after["attempts"][0]["state"], "declined");
    let url = format!("{}?lang=en", intent["pay_url"].as_str().unwrap());
    let seen = world.http.get(url).send().await.unwrap().text().await.unwrap();
    for told in ["The last attempt: ", "Issue of a passport", "Ministry of Interior"] {
        assert!(seen.contains(told), "{told} is not told: {seen}");
    }
    assert!(after["attempts"][0]["failure"]["code"].is_string());
    world.pay_by_card(&after).await;
    let paid = world.find_intent(intent["id"].as_str().unwrap()).await;
    assert_eq!(paid["state"], "paid");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_gets_the_same_answer() {
    let world = World::new().await;
    let body = json!({
        "currency": "USD",
        "lines": [{ "service": "interior/passport", "inputs": { "reason": "lost", "urgent": true } }],
    });
    let first = world.portal().post_once("/v1/quotes", &body, "once-1").await.unwrap();
    let again = world.portal().post_once("/v1/quotes", &body, "once-1").await.unwrap();
    assert_eq!((first.status, &first.json), (again.status, &again.json));
    assert_eq!(first.status, 201, "{}", first.json);
    assert_eq!(again.headers["idempotent-replayed"], "true");
    let other = json!({
        "currency": "USD",
        "lines": [{ "service": "interior/passport", "inputs": { "reason": "lost", "urgent": false } }],
    });
    let reused = world.portal().post_once("/v1/quotes", &other, "once-1").await.unwrap();
    assert_eq!(reused.json["code"], "idempotency_key_reused");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_bill_of_a_reference_names_the_last_that_ended() {
    let world = World::new().await;
    let mut last = Value::Null;
    for _ in 0..3 {
        let intent = world.intent("CASE-4").await;
        assert_eq!(intent["predecessor"], last["id"]);
        let path = format!("/v1/payment-intents/{}/cancel", intent["id"].as_str().unwrap());
        let canceled = world.portal().post(&path, &json!({})).await.unwrap();
        assert_eq!(canceled.json["state"], "canceled");
        last = intent;
        world.clock.advance(jiff::SignedDuration::from_secs(1));
    }
    assert_eq!(world.intent("CASE-5").await["predecessor"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ended_bill_tells_nobody_where_to_transfer() {
    let world = World::new().await;
    let body = json!({
        "currency": "ILS", "external_reference": "CASE-1",
        "lines": [{ "service": "lgov/building-permit", "inputs": { "area": "120", "commercial": false } }],
    });
    let intent = world.portal().post("/v1/payment-intents", &body).await.unwrap().json;
    let pay_url = intent["pay_url"].as_str().unwrap();
    let told = world.form(pay_url, "channel=transfer").await;
    assert_eq!(told.status(), 200);
    assert!(told.text().await.unwrap().contains("RF"), "while it is open");
    let path = format!("/v1/payment-intents/{}/cancel", intent["id"].as_str().unwrap());
    assert_eq!(world.portal().post(&path, &json!({})).await.unwrap().status, 200);
    let back = world.form(pay_url, "channel=transfer").await;
    assert_eq!(back.status(), 303);
    assert!(pay_url.ends_with(back.headers()["location"].to_str().unwrap().split('?').next().unwrap()));
}

/// More of them than are drawn from the database at a time, and several at once.
#[tokio::test(flavor = "multi_thread")]
async fn no_two_bills_share_a_number() {
    let world = World::new().await;
    let references: Vec<String> = (0..120).map(|n| format!("CASE-{n}")).collect();
    let mut numbers = BTreeSet::new();
    for together in references.chunks(8) {
        let bills = join_all(together.iter().map(|reference| world.intent(reference))).await;
        numbers.extend(bills.iter().map(|bill| bill["bill_number"].as_str().unwrap().to_owned()));
    }
    assert_eq!(numbers.len(), references.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_opens_one_bill_however_many_ask_at_once() {
    let world = World::new().await;
    let line = json!({ "service": "interior/passport", "inputs": { "reason": "new", "urgent": false } });
    let asked = json!({ "currency": "ILS", "lines": [line] });
    let quote = world.portal().post("/v1/quotes", &asked).await.unwrap().json;
    let orders = (0..6).map(|n| json!({ "quote": quote["id"], "external_reference": format!("CASE-{n}") }));
    let orders: Vec<Value> = orders.collect();
    let replies =
        join_all(orders.iter().map(|order| world.portal().post("/v1/payment-intents", order))).await;
    let replies: Vec<_> = replies.into_iter().map(Result::unwrap).collect();
    let opened: Vec<_> = replies.iter().filter(|reply| reply.status == 201).collect();
    assert_eq!(opened.len(), 1);
    for refused in replies.iter().filter(|reply| reply.status != 201) {
        assert_eq!(refused.json["code"], "quote_used", "{}", refused.json);
        assert_eq!(refused.json["payment_intent"], opened[0].json["id"]);
    }
    let path = format!("/v1/quotes/{}", quote["id"].as_str().unwrap());
    assert_eq!(world.portal().get(&path).await.unwrap().json["state"], "used");
}
