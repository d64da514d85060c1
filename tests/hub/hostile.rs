//! Amounts that cannot be, texts that mean harm, faults by the dozen: over real HTTP, in requests and in callbacks that
//! are truly signed. Nothing of it may move money, and nothing may be answered with a fault of ours.

use std::collections::BTreeSet;

use axum::http::Method;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::world::World;

fn passport() -> Value {
    json!({ "service": "interior/passport", "inputs": { "reason": "new", "urgent": false } })
}

/// The pointers and codes of a refusal.
fn told(problem: &Value) -> BTreeSet<(String, String)> {
    let errors = problem["errors"].as_array().unwrap_or_else(|| panic!("{problem}"));
    let part = |error: &Value, name: &str| error[name].as_str().unwrap().to_owned();
    errors.iter().map(|error| (part(error, "field"), part(error, "code"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn all_faults_of_a_request_are_told_at_once() {
    let world = World::new().await;
    let wrong =
        json!({ "service": "interior/passport", "inputs": { "reason": "nobody", "urgent": "yes", "x": 1 } });
    let missing = json!({ "service": "interior/passport", "inputs": {} });
    let unknown = json!({ "service": "no/such", "inputs": {} });
    let misshapen = json!({ "service": 7, "reference": "r", "colour": "red" });
    let lines = [missing, wrong, unknown, passport()];
    let of_lines = [
        ("/lines/0/inputs/reason", "required"),
        ("/lines/0/inputs/urgent", "required"),
        ("/lines/1/inputs/reason", "out_of_range"),
        ("/lines/1/inputs/urgent", "wrong_type"),
        ("/lines/1/inputs/x", "unknown_input"),
        ("/lines/2/service", "unknown_service"),
    ];
    let (quotes, intents) = ("/v1/quotes", "/v1/payment-intents");
    let cases = [
        (quotes, json!({ "currency": "ILS", "lines": lines }), of_lines.to_vec()),
        (
            quotes,
            json!({ "currency": "ZZZ", "lines": lines }),
            [&of_lines[..], &[("/currency", "unknown_currency")]].concat(),
        ),
        (
            quotes,
            json!({ "currency": "EGP", "lines": lines }),
            [&of_lines[..], &[("/currency", "wrong_currency")]].concat(),
        ),
        (
            quotes,
            json!({ "currency": "ZZZ", "lines": [] }),
            vec![("/currency", "unknown_currency"), ("/lines", "empty")],
        ),
        (quotes, json!({}), vec![("/currency", "required"), ("/lines", "required")]),
        (
            quotes,
            json!({ "currency": 5, "x": 1, "y": 2 }),
            vec![("/currency", "not_a_string"), ("/x", "unknown_field"), ("/y", "unknown_field")],
        ),
        (
            quotes,
            json!({ "currency": "ILS", "lines": [misshapen, { "service": "no/such" }] }),
            vec![
                ("/lines/0/colour", "unknown_field"),
                ("/lines/0/service", "not_a_string"),
                ("/lines/1/service", "unknown_service"),
            ],
        ),
        (
            intents,
            json!({
                "lines": [{ "service": "no/such" }], "payer": { "kind": "person", "language": "fr" },
                "return_url": "https://portal.example/back/../evil", "metadata": { "n": 1 },
            }),
            vec![
                ("/currency", "required"),
                ("/external_reference", "required"),
                ("/lines/0/service", "unknown_service"),
                ("/metadata/n", "not_a_string"),
                ("/payer/language", "not_allowed"),
                ("/return_url", "not_a_url"),
            ],
        ),
    ];
    for (path, body, expected) in cases {
        let reply = world.portal().post(path, &body).await.unwrap();
        assert_eq!((reply.status, &reply.json["code"]), (422, &json!("validation_failed")), "{}", reply.json);
        let expected =
            expected.iter().map(|(field, code)| ((*field).to_owned(), (*code).to_owned())).collect();
        assert_eq!(told(&reply.json), expected, "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn impossible_amounts_in_requests_are_refused_and_move_nothing() {
    let world = World::new().await;
    let intent = world.intent("CASE-1").await;
    world.pay_by_card(&intent).await;
    let before = world.balances().await;
    let (officer, id) = (&world.people.reconciler.client, intent["id"].as_str().unwrap());
    let amounts = [
        (json!("1.005"), "too_precise"),
        (json!("-5.00"), "not_positive"),
        (json!("0.00"), "not_positive"),
        (json!("0"), "not_positive"),
        (json!("99999999999999999999.00"), "out_of_range"),
        (json!("92233720368547758.08"), "out_of_range"),
        (json!("1e2"), "not_an_amount"),
        (json!("1,000.00"), "not_an_amount"),
        (json!("+1.00"), "not_an_amount"),
        (json!(" 1.00"), "not_an_amount"),
        (json!(""), "not_an_amount"),
        (json!("\u{661}.00"), "not_an_amount"),
        (json!("NaN"), "not_an_amount"),
        (json!(5), "not_a_string"),
        (json!(5.5), "not_a_string"),
        (json!(null), "not_a_string"),
    ];
    for (amount, code) in amounts {
        let money = json!({ "amount": amount, "currency": "ILS" });
        let refund = json!({
            "source": intent["id"], "amount": money, "reason": "asked back", "refundable": intent["amount"],
        });
        let reply = world.portal().post("/v1/refunds", &refund).await.unwrap();
        assert_eq!(reply.status, 422, "refund of {amount}: {}", reply.json);
        let found = told(&reply.json);
        let right = |(field, found): &(String, String)| field.starts_with("/amount") && found == code;
        assert!(found.iter().any(right), "refund of {amount}: {found:?}");
        let pay_in = json!({ "item": format!("su_{}", &id[3..]), "amount": money });
        let path = format!("/v1/finance/refunds/rf_{}/pay-ins", &id[3..]);
        let reply = officer.post(&path, &pay_in).await.unwrap();
        assert!(matches!(reply.status, 404 | 422), "paying in {amount}: {}", reply.json);
    }
    let more = json!({
        "source": intent["id"], "amount": { "amount": "92233720368547758.07", "currency": "ILS" },
        "reason": "asked back", "refundable": intent["amount"],
    });
    let reply = world.portal().post("/v1/refunds", &more).await.unwrap();
    assert!(matches!(reply.status, 409 | 412), "{}", reply.json);
    assert_eq!(world.get("/v1/refunds").await.json["data"], json!([]));
    assert_eq!(world.balances().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_texts_in_requests_are_refused_or_kept_as_they_are() {
    let world = World::new().await;
    let long = "x".repeat(100_000);
    let bad =
        ["\0", "A\u{0}B", "A\nB", "\u{1b}[2J", "A\u{202e}B", "\u{2066}A", "A\u{2028}B", "\u{7f}", " ", &long];
    for text in bad {
        let bodies = [
            json!({ "currency": "ILS", "lines": [passport()], "external_reference": text }),
            json!({ "currency": "ILS", "lines": [passport()], "external_reference": "A", "purpose": text }),
            json!({
                "currency": "ILS", "lines": [passport()], "external_reference": "A",
                "payer": { "kind": "person", "language": "ar", "name": text },
            }),
            json!({
                "currency": "ILS", "external_reference": "A",
                "lines": [{
                    "service": "interior/passport", "inputs": { "reason": "new", "urgent": false }, "reference": text,
                }],
            }),
            json!({
                "currency": "ILS", "external_reference": "A",
                "lines": [{ "service": text, "inputs": { "reason": text, "urgent": false } }],
            }),
        ];
        for body in bodies {
            let reply = world.portal().post("/v1/payment-intents", &body).await.unwrap();
            assert_eq!(reply.status, 422, "{:?}: {}", text.get(..9), reply.json);
        }
    }
    // Every place a text can stand in, known or not.
    for body in [
        json!({ "currency": "ILS", "lines": [passport()], "external_reference": "A", "metadata": { "n": "\0" } }),
        json!({ "currency": "ILS", "lines": [passport()], "external_reference": "A", "metadata": { "\0": "n" } }),
        json!({ "currency": "ILS", "lines": [passport()], "external_reference": "A", "channels": ["\0"] }),
        json!({ "\0": 1 }),
    ] {
        let reply = world.portal().post("/v1/payment-intents", &body).await.unwrap();
        assert_eq!(reply.status, 422, "{body}: {}", reply.json);
    }
    for path in [
        "/v1/payment-intents?external_reference=%00",
        "/v1/payment-intents?cursor=%00",
        "/v1/payment-intents/%00",
        "/v1/services/%00",
        "/v1/receipts/%00",
        "/v1/refunds/%00",
        "/v1/events?after=%00",
    ] {
        let status = world.get(path).await.status;
        assert!(matches!(status, 400 | 404), "{path}: {status}");
    }
    for path in ["/pay/%00", "/r/%00", "/console/payments?q=%00", "/console/%00", "/%00"] {
        let status = world.http.get(format!("{}{path}", world.base)).send().await.unwrap().status();
        assert!(status.is_client_error() || status.is_redirection(), "{path}: {status}");
    }
    assert_eq!(world.get("/v1/payment-intents").await.json["data"], json!([]));

    // What is only odd is kept, letter by letter.
    let odd = "<script>alert('1')</script> \u{200f}'; drop table intents; -- \u{1f9fe}";
    let body = json!({ "currency": "ILS", "lines": [passport()], "external_reference": odd });
    let reply = world.portal().post("/v1/payment-intents", &body).await.unwrap();
    assert_eq!((reply.status, &reply.json["external_reference"]), (201, &json!(odd)), "{}", reply.json);
    let page = world.http.get(reply.json["pay_url"].as_str().unwrap()).send().await.unwrap();
    assert!(!page.text().await.unwrap().contains("<script>alert"));
}

/// A callback that the gateway itself signed, whatever it says.
async fn call_back(world: &World, change: impl FnOnce(&mut Value)) -> u16 {
    let mut body = json!({
        "event": "payment.captured", "merchant": mizan::demo::MERCHANT, "order": "at_none", "session": "gs_1",
        "transaction": "T-1", "status": "CAPTURED", "amount": "215.25", "currency": "ILS", "reason": null,
        "original_transaction": null, "created_at": world.app.clock.now().to_string(),
    });
    change(&mut body);
    let body = body.to_string();
    let key = mizan::demo::callback_key();
    let mut mac = <Hmac<Sha256>>::new_from_slice(key.expose_secret().as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let signature = hex::encode(mac.finalize().into_bytes());
    let request = world.http.post(format!("{}/channels/card/callback", world.base));
    let request = request.header("content-type", "application/json").header("x-gateway-signature", signature);
    request.body(body).send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn impossible_facts_in_authentic_callbacks_are_refused_and_move_nothing() {
    let world = World::new().await;
    let amounts = ["215.255", "-215.25", "0.00", "0", "99999999999999999999.00", "1e2", "", "\u{662}", "\0"];
    for amount in amounts {
        assert_eq!(call_back(&world, |body| body["amount"] = json!(amount)).await, 422, "{amount:?}");
    }
    for amount in [json!(215.25), json!(null), json!({})] {
        assert_eq!(call_back(&world, |body| body["amount"] = amount).await, 422);
    }
    for currency in ["XXQ", "ils", "", "\0"] {
        assert_eq!(call_back(&world, |body| body["currency"] = json!(currency)).await, 422, "{currency:?}");
    }
    let long = "T".repeat(10_000);
    for text in ["", " ", "A B", "\0", "T\u{0}1", "T\n1", "\u{202e}1", long.as_str()] {
        for name in ["order", "transaction", "status", "created_at"] {
            let status = call_back(&world, |body| body[name] = json!(text)).await;
            assert_eq!(status, 422, "{name} {:?}", text.get(..9));
        }
    }
    for (name, value, status) in [("merchant", "another", 403), ("event", "payment.declined", 422)] {
        assert_eq!(call_back(&world, |body| body[name] = json!(value)).await, status, "{name}");
    }
    world.settle(0).await;
    assert!(world.balances().await.is_empty());

    // What may be said at length is shortened and stripped, and the money is taken in.
    let reason = format!("\u{202e}\0{}", "r".repeat(5_000));
    assert_eq!(call_back(&world, |body| body["reason"] = json!(reason)).await, 204);
    // The most there can be of a currency is money too.
    for transaction in ["T-2", "T-3"] {
        let most = |body: &mut Value| {
            body["transaction"] = json!(transaction);
            body["amount"] = json!("92233720368547758.07");
        };
        assert_eq!(call_back(&world, most).await, 204);
        world.settle(1).await;
    }
    // What the book could not add up stands aside, twice, and the day can still be told.
    let aside = |(category, _): &&(String, String)| category == "notice_set_aside";
    let set_aside = world.breaks().await.iter().filter(aside).count();
    assert_eq!(set_aside, 2, "{:?}", world.breaks().await);
    let proof = world.proof_of(crate::world::TODAY).await;
    let told = proof["breaks"].as_array().unwrap();
    let told = told.iter().find(|one| one["category"] == "notice_set_aside").unwrap();
    assert_eq!((&told["count"], &told["amount"]), (&json!(2), &Value::Null), "too large to be added: {told}");
    let balances = world.balances().await;
    assert!(balances["suspense/card/credits ILS"] <= -21_525, "{balances:?}");
    let sum: i128 = balances.values().map(|minor| i128::from(*minor)).sum();
    assert_eq!(sum, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_that_passes_by_itself_leaves_its_key_free() {
    let world = World::new().await;
    let intent = world.intent("CASE-1").await;
    let page = world.choose_card(&intent).await;
    let path = format!("/v1/payment-intents/{}/cancel", intent["id"].as_str().unwrap());
    let cancel = async || {
        let reply = world
            .portal()
            .send(Method::POST, &path, "application/json", b"{}".to_vec(), Some("cancel-1"))
            .await;
        reply.unwrap()
    };
    let refused = cancel().await;
    let told = |reply: &mizan::client::Reply| {
        (reply.status, reply.json["code"].clone(), reply.json["retry"].clone())
    };
    assert_eq!(told(&refused), (409, json!("attempt_in_progress"), json!("later")));
    assert!(refused.headers.contains_key("retry-after"));
    assert!(!cancel().await.headers.contains_key("idempotent-replayed"), "nothing was stored");
    world.decide(&page, "decline").await;
    world.settle(1).await;
    let done = cancel().await;
    assert_eq!((done.status, &done.json["state"]), (200, &json!("canceled")), "{}", done.json);
    assert!(cancel().await.headers.contains_key("idempotent-replayed"));
}
