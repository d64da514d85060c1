//! Callbacks: their signature, their retries, and the faults they can suffer.

use ring::hmac;
use serde_json::{Value, json};

use crate::support::{Received, Sandbox};

/// The signature as the manual defines it, computed by another library.
fn signature_of(raw: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"callback-key");
    hmac::sign(&key, raw).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn order_of(received: &Received) -> &str {
    received.body["order"].as_str().unwrap()
}

#[tokio::test]
async fn a_callback_is_signed_over_its_raw_body() {
    let sandbox = Sandbox::start().await;
    sandbox.pay("A-1", "5.00", "ILS").await;
    let received = sandbox.callback().await;
    assert_eq!(received.signature, signature_of(&received.raw));
    assert!(!received.delivery.is_empty());
}

#[tokio::test]
async fn a_callback_is_sent_again_with_a_new_delivery_until_it_is_taken() {
    let sandbox = Sandbox::start().await;
    sandbox.answer_callbacks(500);
    sandbox.pay("A-1", "5.00", "ILS").await;
    let first = sandbox.callback().await;
    let second = sandbox.callback().await;
    sandbox.answer_callbacks(200);
    // One more try may have been answered with 500 before; then comes one that is taken, and then none.
    let mut last = sandbox.callback().await;
    while sandbox.state().await["deliveries"].as_array().unwrap().last().unwrap()["answered"] != 200 {
        last = sandbox.callback().await;
    }
    assert_eq!((&first.raw, &second.raw), (&last.raw, &last.raw));
    assert!(first.delivery != second.delivery && second.delivery != last.delivery);
    sandbox.pay("A-2", "5.00", "ILS").await;
    assert_eq!(order_of(&sandbox.callback().await), "A-2");
}

#[tokio::test]
async fn a_callback_nobody_takes_is_given_up_after_ten_tries() {
    let sandbox = Sandbox::start().await;
    sandbox.answer_callbacks(302);
    sandbox.pay("A-1", "5.00", "ILS").await;
    for _ in 0..10 {
        assert_eq!(order_of(&sandbox.callback().await), "A-1");
    }
    sandbox.answer_callbacks(200);
    sandbox.pay("A-2", "5.00", "ILS").await;
    assert_eq!(order_of(&sandbox.callback().await), "A-2");
}

#[tokio::test]
async fn a_duplicate_is_the_same_event_in_two_deliveries() {
    let sandbox = Sandbox::start().await;
    sandbox.faults(json!({"callback": "duplicate"})).await;
    sandbox.pay("A-1", "5.00", "ILS").await;
    let (first, second) = (sandbox.callback().await, sandbox.callback().await);
    assert_eq!(first.raw, second.raw);
    assert_ne!(first.delivery, second.delivery);
}

#[tokio::test]
async fn a_lost_callback_never_comes_and_the_order_is_captured_all_the_same() {
    let sandbox = Sandbox::start().await;
    sandbox.faults(json!({"orders": {"A-1": {"callback": "lost"}}})).await;
    sandbox.pay("A-1", "5.00", "ILS").await;
    sandbox.pay("A-2", "5.00", "ILS").await;
    assert_eq!(order_of(&sandbox.callback().await), "A-2");
    assert!(!sandbox.state().await["deliveries"].to_string().contains("A-1"));
}

#[tokio::test]
async fn a_wrong_signature_is_wrong() {
    let sandbox = Sandbox::start().await;
    sandbox.faults(json!({"callback": "wrong_signature"})).await;
    sandbox.pay("A-1", "5.00", "ILS").await;
    let received = sandbox.callback().await;
    assert_eq!(received.signature.len(), 64);
    assert_ne!(received.signature, signature_of(&received.raw));
}

#[tokio::test]
async fn an_altered_callback_names_one_transaction_with_two_amounts_both_signed() {
    let sandbox = Sandbox::start().await;
    sandbox.faults(json!({"callback": "altered"})).await;
    sandbox.pay("A-1", "5.000", "JOD").await;
    let (first, second) = (sandbox.callback().await, sandbox.callback().await);
    assert_eq!(first.body["transaction"], second.body["transaction"]);
    assert_eq!((&first.body["amount"], &second.body["amount"]), (&json!("5.000"), &json!("6.000")));
    for received in [first, second] {
        assert_eq!(received.signature, signature_of(&received.raw));
    }
}

#[tokio::test]
async fn a_reordered_callback_comes_after_the_next_one() {
    let sandbox = Sandbox::start().await;
    sandbox.faults(json!({"orders": {"A-1": {"callback": "reorder"}}})).await;
    sandbox.pay("A-1", "5.00", "ILS").await;
    sandbox.pay("A-2", "5.00", "ILS").await;
    let (first, second) = (sandbox.callback().await, sandbox.callback().await);
    assert_eq!((order_of(&first), order_of(&second)), ("A-2", "A-1"));
    assert_eq!(second.signature, signature_of(&second.raw));
}

#[tokio::test]
async fn when_all_are_reordered_they_come_in_swapped_pairs() {
    let sandbox = Sandbox::start().await;
    sandbox.faults(json!({"callback": "reorder"})).await;
    for order in ["A-1", "A-2", "A-3", "A-4"] {
        sandbox.pay(order, "5.00", "ILS").await;
    }
    let mut orders = Vec::new();
    for _ in 0..4 {
        orders.push(order_of(&sandbox.callback().await).to_owned());
    }
    let place = |order: &str| orders.iter().position(|found| found == order).unwrap();
    assert!(place("A-2") < place("A-1") && place("A-4") < place("A-3"), "{orders:?}");
}

#[tokio::test]
async fn a_delayed_callback_lets_others_pass() {
    let sandbox = Sandbox::start().await;
    sandbox.faults(json!({"orders": {"A-1": {"callback_delay_ms": 3_600_000}}})).await;
    sandbox.pay("A-1", "5.00", "ILS").await;
    sandbox.pay("A-2", "5.00", "ILS").await;
    assert_eq!(order_of(&sandbox.callback().await), "A-2");
}

#[tokio::test]
async fn refunds_fail_or_wait_when_they_are_told_to() {
    let sandbox = Sandbox::start().await;
    let transaction = sandbox.pay("A-1", "50.00", "ILS").await;
    sandbox.callback().await;
    sandbox.faults(json!({"refunds": "fail", "orders": {"R-2": {"refunds": "hold"}}})).await;
    let refund = |name: &str| json!({"refund": name, "transaction": transaction, "amount": "50.00", "currency": "ILS"});
    assert_eq!(sandbox.post("/gateway/v1/refunds", refund("R-1")).await.1["status"], "ACCEPTED");
    let failed = sandbox.callback().await.body;
    let shown: Vec<&Value> =
        ["event", "status", "reason", "order"].iter().map(|name| &failed[name]).collect();
    assert_eq!(shown, ["refund.failed", "FAILED", "do_not_honour", "R-1"]);
    assert_eq!(sandbox.get("/gateway/v1/refunds/R-1").await.1["reason"], "do_not_honour");

    // What failed may be refunded again; this one waits for the end of the day.
    assert_eq!(sandbox.post("/gateway/v1/refunds", refund("R-2")).await.0, 201);
    assert_eq!(sandbox.get("/gateway/v1/refunds/R-2").await.1["status"], "ACCEPTED");
    sandbox.close(crate::support::DAY).await;
    assert_eq!(sandbox.callback().await.body["event"], "refund.settled");
    assert_eq!(sandbox.get("/gateway/v1/refunds/R-2").await.1["status"], "REFUNDED");
}
