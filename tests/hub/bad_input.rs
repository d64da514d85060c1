//! What bad input gets: the right code and message, and nothing changed.

use axum::http::Method;
use serde_json::{Value, json};

use crate::world::World;

fn passport(reason: &str) -> Value {
    json!([{ "service": "interior/passport", "inputs": { "reason": reason, "urgent": false } }])
}

#[tokio::test(flavor = "multi_thread")]
async fn faulty_requests_are_refused_with_every_fault_and_change_nothing() {
    let world = World::new().await;
    let long = "x".repeat(65);
    let cases = [
        (json!({}), vec!["/external_reference"]),
        (json!({ "lines": passport("new"), "external_reference": "A" }), vec!["/currency"]),
        (
            json!({ "currency": "XXQ", "lines": passport("new"), "external_reference": "A" }),
            vec!["/currency"],
        ),
        (
            json!({ "currency": "ILS", "lines": passport("new"), "external_reference": long }),
            vec!["/external_reference"],
        ),
        (
            json!({ "currency": "ILS", "lines": passport("nobody"), "external_reference": "A" }),
            vec!["/lines/0/inputs/reason"],
        ),
        (
            json!({ "currency": "ILS", "lines": [{ "service": "no/such", "inputs": {} }], "external_reference": "A" }),
            vec!["/lines/0/service"],
        ),
        (
            json!({
                "currency": "ILS", "lines": passport("new"), "external_reference": "A\nB",
                "return_url": "http://evil.example/", "metadata": { "n": 1 },
                "payer": { "kind": "person", "language": "fr" },
            }),
            vec!["/external_reference", "/payer/language", "/return_url", "/metadata/n"],
        ),
        (
            json!({ "currency": "ILS", "lines": passport("new"), "external_reference": "A", "amount": "1" }),
            vec!["/amount"],
        ),
    ];
    for (body, pointers) in cases {
        let reply = world.portal().post("/v1/payment-intents", &body).await.unwrap();
        assert_eq!(reply.status, 422, "{body}: {}", reply.json);
        assert_eq!(reply.json["code"], "validation_failed");
        for pointer in pointers {
            let told = reply.json["errors"].as_array().unwrap().iter().any(|error| error["field"] == pointer);
            assert!(told, "{pointer} is not told: {}", reply.json);
        }
    }
    assert_eq!(world.get("/v1/payment-intents").await.json["data"], json!([]));
    assert!(world.balances().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_without_a_tariff_in_the_currency_is_refused() {
    let world = World::new().await;
    let body = json!({ "currency": "JOD", "lines": passport("new") });
    let reply = world.portal().post("/v1/quotes", &body).await.unwrap();
    assert_eq!((reply.status, &reply.json["code"]), (409, &json!("no_tariff")), "{}", reply.json);
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_oversized_and_unsigned_requests_are_told_apart() {
    let world = World::new().await;
    let send = |body: Vec<u8>, key: Option<&'static str>| {
        world.portal().send(Method::POST, "/v1/quotes", "application/json", body, key)
    };
    let code = |reply: mizan::client::Reply| (reply.status, reply.json["code"].as_str().unwrap().to_owned());
    assert_eq!(code(send(b"{".to_vec(), Some("k1")).await.unwrap()), (400, "malformed_json".to_owned()));
    let double = br#"{"currency": "ILS", "currency": "ILS", "lines": []}"#.to_vec();
    assert_eq!(code(send(double, Some("k2")).await.unwrap()).0, 422);
    let huge = vec![b' '; (1 << 20) + 1];
    assert_eq!(code(send(huge, Some("k3")).await.unwrap()), (413, "body_too_large".to_owned()));
    assert_eq!(code(send(b"{}".to_vec(), None).await.unwrap()).1, "idempotency_key_missing");
    let unsigned = world.http.post(format!("{}/v1/quotes", world.base)).body("{}").send().await.unwrap();
    assert_eq!(unsigned.status(), 401);
    let unsigned: Value = unsigned.json().await.unwrap();
    assert_eq!(unsigned["code"], "signature_missing");
}

/// The database counts from 4713 BC, and nobody pays before our era.
#[tokio::test(flavor = "multi_thread")]
async fn a_date_that_no_calendar_of_the_trade_has_is_refused() {
    let world = World::new().await;
    for (path, told) in [
        ("/v1/payment-intents?created_from=-009999-01-02T01:59:59Z", (422, "validation_failed")),
        ("/v1/payment-intents?created_to=0000-12-31T23:59:59Z", (422, "validation_failed")),
        ("/v1/reports/daily?date=-009999-01-01", (400, "query_invalid")),
    ] {
        let reply = world.get(path).await;
        assert_eq!((reply.status, reply.json["code"].as_str().unwrap()), told, "{path}");
    }
    let reconciler = &world.people.reconciler.client;
    let reply = reconciler.get("/v1/finance/reports/daily?date=-009999-01-01").await.unwrap();
    assert_eq!((reply.status, &reply.json["code"]), (400, &json!("query_invalid")), "{}", reply.json);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_that_is_not_the_gateways_changes_nothing() {
    let world = World::new().await;
    let intent = world.intent("CASE-1").await;
    let page = world.choose_card(&intent).await;
    let url = format!("{}/channels/card/callback", world.base);
    let send = |signature: Option<&'static str>, body: String| {
        let request = world.http.post(&url).header("content-type", "application/json").body(body);
        async move {
            let request = match signature {
                Some(signature) => request.header("x-gateway-signature", signature),
                None => request,
            };
            request.send().await.unwrap().status().as_u16()
        }
    };
    let forged = json!({ "event": "payment.captured", "order": "at_0", "amount": "215.25" }).to_string();
    assert_eq!(send(None, forged.clone()).await, 401);
    assert_eq!(send(Some("00"), forged.clone()).await, 401);
    const ZEROS: &str = "0000000000000000000000000000000000000000000000000000000000000000";
    assert_eq!(send(Some(ZEROS), forged).await, 401);
    assert_eq!(send(None, "x".repeat(70_000)).await, 413);
    let nowhere = format!("{}/channels/nowhere/callback", world.base);
    assert_eq!(world.http.post(nowhere).body("{}").send().await.unwrap().status(), 404);
    world.settle(0).await;
    assert!(world.balances().await.is_empty());
    world.decide(&page, "approve").await;
    world.settle(1).await;
    assert_eq!(world.balances().await["channel/card/receivable ILS"], 21_525);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_signs_wrongly_is_not_believed() {
    let world = World::new().await;
    world.control("faults", json!({ "callback": "wrong_signature" })).await;
    let intent = world.intent("CASE-1").await;
    let page = world.choose_card(&intent).await;
    world.decide(&page, "approve").await;
    world.settle(0).await;
    assert!(world.balances().await.is_empty());
    // The sweeper asks instead: the query answers what the callback could not prove.
    world.clock.advance(std::time::Duration::from_secs(36 * 60).try_into().unwrap());
    mizan::inbox::sweeper::sweep_once(&world.app).await;
    world.settle(1).await;
    assert_eq!(world.balances().await["channel/card/receivable ILS"], 21_525);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_amount_under_a_known_transaction_is_kept_aside_and_raised() {
    let world = World::new().await;
    world.control("faults", json!({ "callback": "altered" })).await;
    let intent = world.intent("CASE-1").await;
    world.pay_by_card(&intent).await;
    world.settle(0).await;
    let mut conn = world.app.pool.acquire().await.unwrap();
    for _ in 0..100 {
        let open = mizan::breaks::store::page(&mut conn, true, None, None, 10).await.unwrap();
        if let [altered] = &open[..] {
            assert_eq!(altered.category.as_str(), "altered");
            assert_eq!(world.balances().await["channel/card/receivable ILS"], 21_525);
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("no break was opened for the altered callback");
}
