//! The way the money came: through the gateway.

use mizan::demo::PAYER_ACCOUNT;
use mizan::expectations::{self, Expectation};
use mizan_ledger::{Currency, Money};
use serde_json::{Value, json};

use super::told::told;
use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_goes_from_request_to_settlement() {
    let world = World::new().await;
    let intent = paid_passport(&world, "CASE-1").await;
    assert_eq!(intent["amount"], ils("425.38"));
    assert_eq!(intent["refundable"], ils("315.00"), "the charge for a lost passport is never given back");

    let refund = requested(&world, &intent, "63.00").await;
    assert_eq!((&refund["state"], &refund["method"]), (&json!("pending"), &json!("original")));
    let parts: Vec<_> = refund["components"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| (&part["component"], &part["amount"]))
        .collect();
    assert_eq!(parts, [(&json!("passport"), &ils("42.00")), (&json!("urgency"), &ils("21.00"))]);
    let after = world.find_intent(id(&intent)).await;
    assert_eq!((&after["refundable"], &after["refunded"]), (&ils("252.00"), &ils("0.00")));
    assert_eq!(work(&world).await, 0, "nothing leaves before another person agrees");

    let approved = approve(&world, &refund).await;
    assert_eq!(approved["stage"], "approved");
    let balances = world.balances().await;
    assert_eq!(balances["agency/interior/held ILS"], -31_500 + 6_300);
    assert_eq!(balances["refunds/payable ILS"], -6_300);

    assert_eq!(work(&world).await, 1);
    let submitted = staff_view(&world, &refund).await;
    assert_eq!(submitted["stage"], "submitted", "{submitted}");
    assert_eq!(submitted["instructions"][0]["reference"], refund["id"]);
    assert_eq!(seen_by_portal(&world, &refund).await["state"], "pending", "final only when it is seen");
    let balances = world.balances().await;
    assert_eq!(balances["refunds/in_flight ILS"], -6_300);
    assert!(!balances.contains_key("refunds/payable ILS"), "{balances:?}");
    let expected = expected(&world).await.remove(0);
    assert_eq!(expected.money, Money::new(-6_300, Currency::ILS));
    assert_eq!(expected.transaction.as_deref(), submitted["provider_transaction"].as_str());

    netted(&world, &refund).await.unwrap();
    let succeeded = seen_by_portal(&world, &refund).await;
    assert_eq!(succeeded["state"], "succeeded");
    let after = world.find_intent(id(&intent)).await;
    assert_eq!((&after["state"], &after["refunded"]), (&json!("paid"), &ils("63.00")));
    let balances = world.balances().await;
    assert_eq!(balances["channel/card/receivable ILS"], 42_538 - 6_300);
    assert!(!balances.contains_key("refunds/in_flight ILS"), "{balances:?}");
    let twice = netted(&world, &refund).await;
    assert!(matches!(twice, Err(RefundError::Illegal(_))), "{twice:?}");
}

/// What the bank or a settlement will show of refunds.
async fn expected(world: &World) -> Vec<Expectation> {
    let mut conn = world.app.pool.acquire().await.unwrap();
    let open = expectations::store::page_open(&mut conn).await.unwrap();
    open.into_iter().filter(|one| one.refund.is_some()).collect()
}

/// The refunds the gateway knows, by our references.
async fn at_gateway(world: &World) -> Vec<String> {
    let url = format!("{}/control/state", world.bank.url());
    let state: Value = world.http.get(url).send().await.unwrap().json().await.unwrap();
    state["gateway"]["desks"][mizan::demo::MERCHANT]["refunds"].as_object().unwrap().keys().cloned().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_dies_while_sending_asks_and_never_sends_again() {
    let world = World::new().await;
    let (_, refund) = agreed(&world, "63.00").await;
    // The gateway acts and never answers; the worker is killed while it waits.
    world.control("faults", json!({ "api": "silent", "callback": "lost" })).await;
    killed_when(&world, &["gateway", "desks", mizan::demo::MERCHANT, "refunds"], 1).await;
    assert_eq!(at_gateway(&world).await, [id(&refund)]);
    assert_eq!(staff_view(&world, &refund).await["instructions"][0]["state"], "sending");
    assert_eq!(work(&world).await, 0, "its lease holds");

    world.control("faults", json!({ "callback": "lost" })).await;
    advance(&world, 301);
    assert_eq!(work(&world).await, 1);
    let unknown = staff_view(&world, &refund).await;
    assert_eq!(
        (&unknown["stage"], &unknown["instructions"][0]["state"]),
        (&json!("unknown"), &json!("unknown"))
    );
    assert_eq!(world.balances().await["refunds/in_flight ILS"], -6_300, "it may be on its way");

    advance(&world, 31);
    assert_eq!(work(&world).await, 1);
    let known = staff_view(&world, &refund).await;
    assert_eq!(known["stage"], "submitted", "{known}");
    assert_eq!(at_gateway(&world).await, [id(&refund)], "sent once");
    let expected = expected(&world).await;
    assert_eq!(expected.len(), 1);
    assert_eq!(expected[0].transaction.as_deref(), known["provider_transaction"].as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_the_gateway_never_heard_of_fails_after_a_while_and_is_sent_again_under_a_new_reference() {
    let world = World::new().await;
    let (_, refund) = agreed(&world, "63.00").await;
    world.control("faults", json!({ "api": "error_500" })).await;
    work(&world).await;
    assert_eq!(staff_view(&world, &refund).await["stage"], "unknown");
    world.control("faults", json!({})).await;
    advance(&world, 60);
    work(&world).await;
    assert_eq!(staff_view(&world, &refund).await["stage"], "unknown", "too early to say");
    advance(&world, 900);
    work(&world).await;
    let failed = staff_view(&world, &refund).await;
    assert_eq!((&failed["stage"], &failed["failure"]["code"]), (&json!("failed"), &json!("not_known")));
    assert_eq!(world.balances().await["refunds/payable ILS"], -6_300, "owed as before");
    assert_eq!(seen_by_portal(&world, &refund).await["state"], "failed");

    let path = format!("/v1/finance/refunds/{}/send-again", id(&refund));
    let again = world.people.approver.client.post(&path, &json!({})).await.unwrap();
    assert_eq!((again.status, &again.json["stage"]), (200, &json!("approved")), "{}", again.json);
    work(&world).await;
    assert_eq!(staff_view(&world, &refund).await["stage"], "submitted");
    assert_eq!(at_gateway(&world).await, [format!("{}-2", id(&refund))]);
    netted(&world, &refund).await.unwrap();
    assert_eq!(seen_by_portal(&world, &refund).await["state"], "succeeded");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_fails_after_it_was_taken_is_owed_again() {
    let world = World::new().await;
    let (_, refund) = agreed(&world, "63.00").await;
    world.control("faults", json!({ "refunds": "fail" })).await;
    work(&world).await;
    world.settle(1).await;
    work(&world).await;
    let failed = staff_view(&world, &refund).await;
    assert_eq!(failed["stage"], "failed", "{failed}");
    let balances = world.balances().await;
    assert_eq!(balances["refunds/payable ILS"], -6_300);
    assert!(!balances.contains_key("refunds/in_flight ILS"), "{balances:?}");
    assert!(expected(&world).await.is_empty(), "nothing is expected of it any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_the_gateway_refuses_has_failed_and_moved_nothing() {
    let world = World::new().await;
    let (intent, refund) = agreed(&world, "63.00").await;
    // The card's bank takes the payment back first: nothing is left over there to refund.
    let order = intent["attempts"][0]["id"].clone();
    world.control("reversals", json!({ "merchant": mizan::demo::MERCHANT, "order": order })).await;
    work(&world).await;
    let failed = staff_view(&world, &refund).await;
    assert_eq!(failed["stage"], "failed", "{failed}");
    assert_eq!(failed["instructions"][0]["state"], "rejected");
    assert_eq!(world.balances().await["refunds/payable ILS"], -6_300);
}

#[tokio::test(flavor = "multi_thread")]
async fn news_of_an_order_that_was_given_up_opens_a_break_and_moves_nothing() {
    let world = World::new().await;
    let (_, refund) = agreed(&world, "63.00").await;
    world.control("faults", json!({ "api": "error_500" })).await;
    work(&world).await;
    world.control("faults", json!({})).await;
    advance(&world, 960);
    work(&world).await;
    let path = format!("/v1/finance/refunds/{}/send-again", id(&refund));
    world.people.approver.client.post(&path, &json!({})).await.unwrap();
    work(&world).await;
    let before = world.balances().await;

    // The first order was carried out after all.
    told(&world, id(&refund), None).await;
    assert_eq!(world.balances().await, before);
    assert_eq!(staff_view(&world, &refund).await["stage"], "submitted");
    let breaks = world.people.approver.client.get("/v1/finance/breaks").await.unwrap().json;
    assert_eq!(breaks["data"][0]["category"], "refund_unconfirmed", "{breaks}");
    assert_eq!(breaks["data"][0]["detail"]["told_of"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn late_news_of_an_order_is_not_told_of_the_transfer_that_follows_it() {
    let world = World::new().await;
    let (_, refund) = agreed(&world, "63.00").await;
    world.control("faults", json!({ "api": "error_500" })).await;
    work(&world).await;
    world.control("faults", json!({})).await;
    advance(&world, 960);
    work(&world).await;
    assert_eq!(staff_view(&world, &refund).await["failure"]["code"], "not_known");
    let path = |act: &str| format!("/v1/finance/refunds/{}/{act}", id(&refund));
    let payee = json!({ "payee": { "name": "A payer (example)", "iban": PAYER_ACCOUNT } });
    for _ in 0..2 {
        let named = world.people.reconciler.client.post(&path("payee"), &payee).await.unwrap();
        assert_eq!(named.status, 200, "{}", named.json);
    }

    // The gateway carried the order out after all, and says so only now.
    let before = world.balances().await;
    told(&world, id(&refund), None).await;
    let held = staff_view(&world, &refund).await;
    assert_eq!(held["stage"], "failed", "{held}");
    assert_eq!(world.balances().await, before);
    assert!(expected(&world).await.is_empty(), "no transfer is expected that no file holds");
    let breaks = world.people.approver.client.get("/v1/finance/breaks").await.unwrap().json;
    assert_eq!(breaks["data"][0]["category"], "refund_unconfirmed", "{breaks}");
    assert_eq!(breaks["data"][0]["detail"]["told_of"], 1);

    // The payer has the money: nothing sends it a second time, and nobody gives it up.
    assert_eq!(held["instructions"][0]["state"], "carried_out", "{held}");
    let (officer, approver) = (&world.people.reconciler.client, &world.people.approver.client);
    for (who, act) in [(approver, "send-again"), (officer, "give-up"), (approver, "give-up/approve")] {
        let refused = who.post(&path(act), &json!({ "note": "EXAMPLE" })).await.unwrap();
        assert_eq!(
            (refused.status, &refused.json["code"]),
            (409, &json!("refund_not_approvable")),
            "{}",
            refused.json
        );
    }
}
