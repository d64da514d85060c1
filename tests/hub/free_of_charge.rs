//! A price of zero is a price: the payment opens, is paid at once, and has its receipt.

use serde_json::{Value, json};

use crate::world::{TODAY, World};

async fn opened(world: &World, line: Value, reference: &str) -> Value {
    let body = json!({ "currency": "ILS", "lines": [line], "external_reference": reference });
    let reply = world.portal().post("/v1/payment-intents", &body).await.unwrap();
    assert_eq!(reply.status, 201, "{}", reply.json);
    reply.json
}

/// What the portal, the payer and the books say of a payment of nothing.
async fn is_paid(world: &World, intent: &Value) {
    assert_eq!(intent["state"], "paid", "{intent}");
    assert_eq!(intent["amount"], json!({ "amount": "0.00", "currency": "ILS" }));
    let seen = world.find_intent(intent["id"].as_str().unwrap()).await;
    assert_eq!((&seen["state"], &seen["settlement"]), (&json!("paid"), &json!("none")), "{seen}");
    let number = seen["receipt"]["number"].as_str().unwrap();
    let receipt = world.get(&format!("/v1/receipts/{number}")).await;
    assert_eq!(
        (receipt.status, &receipt.json["amount"]["amount"]),
        (200, &json!("0.00")),
        "{}",
        receipt.json
    );
    let page = world.http.get(seen["pay_url"].as_str().unwrap()).send().await.unwrap();
    let page = page.text().await.unwrap();
    assert!(page.contains("مدفوع") && !page.contains("name=\"channel\""), "{page}");
    let chosen = world.form(seen["pay_url"].as_str().unwrap(), "channel=card-health").await;
    assert!(chosen.status().is_redirection() || chosen.status() == 409, "{}", chosen.status());
    assert_eq!(world.find_intent(intent["id"].as_str().unwrap()).await["attempts"], json!([]));
    let again = world.intent_refused(seen["external_reference"].as_str().unwrap()).await;
    assert_eq!(again["code"], "reference_in_use");
    mizan::events::publisher::publish_once(&world.app).await.unwrap();
    let feed = world.get("/v1/events?limit=100").await.json;
    let kinds: Vec<&str> = feed["data"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["data"]["id"] == intent["id"])
        .map(|event| event["type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["payment_intent.opened", "payment_intent.paid"]);
    let path = format!("/v1/finance/reports/daily?date={TODAY}");
    let proof = world.people.reconciler.client.get(&path).await.unwrap().json;
    assert_eq!(proof["tied"], true, "{proof:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_free_service_is_paid_at_opening_and_enters_nothing() {
    let free = |text: String| text.replace(r#"ILS = "35.00", JOD"#, r#"ILS = "0.00", JOD"#);
    let world = World::with_tariffs(free).await;
    let intent = opened(&world, json!({ "service": "health/vaccination-record" }), "CASE-1").await;
    is_paid(&world, &intent).await;
    assert!(world.balances().await.is_empty(), "{:?}", world.balances().await);
    let line = json!({ "service": "health/vaccination-record" });
    let quote = json!({ "currency": "ILS", "lines": [line] });
    let quote = world.portal().post("/v1/quotes", &quote).await.unwrap().json;
    assert_eq!(quote["total"]["amount"], "0.00", "{quote}");
    let on_quote = json!({ "quote": quote["id"], "external_reference": "CASE-2" });
    let on_quote = world.portal().post("/v1/payment-intents", &on_quote).await.unwrap();
    assert_eq!((on_quote.status, &on_quote.json["state"]), (201, &json!("paid")), "{}", on_quote.json);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_exemption_is_paid_at_opening_and_enters_what_was_given_up() {
    let world = World::new().await;
    let line = json!({
        "service": "health/vaccination-record",
        "exemption": { "code": "pilgrims", "evidence": { "issuer": "Ministry (example)", "number": "EX-1" } },
    });
    let intent = opened(&world, line, "CASE-1").await;
    is_paid(&world, &intent).await;
    let balances = world.balances().await;
    let memo = [("agency/health/assessed ILS", -3_500), ("agency/health/waived ILS", 3_500)];
    assert_eq!(balances, memo.map(|(account, minor)| (account.to_owned(), minor)).into());
}
