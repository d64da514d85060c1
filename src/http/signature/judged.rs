//! Foreign clients against our reading: what they sign unaided must pass, over a real socket.

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mizan_ledger::{Clock as _, SystemClock};
use serde_json::{Value, json};

use super::*;
use crate::http::json::collect;
use crate::http::problem::Problem;
use crate::judges::Judge;

const ALGORITHMS: [&str; 2] = ["hmac-sha256", "ed25519"];

/// The registered key of each algorithm is named after it and made of sevens.
fn registered(keyid: &str) -> VerifyKey {
    let key = match keyid {
        "hmac-sha256" => SigningKey::hmac_sha256(vec![7; 32]),
        _ => SigningKey::ed25519(&[7; 32]),
    };
    key.expect("a key").verify_key()
}

async fn check(request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let checked = async {
        let body = collect(body, 10_000).await?;
        let message = Message::received(&parts.method, "http", &parts.uri, &parts.headers);
        let presented = parse(&parts.headers).map_err(|error| error.problem())?.remove(0);
        let (key, now) = (registered(&presented.keyid), SystemClock.now());
        verify(&presented, &message, &body, &key, now).map_err(|error| error.explained(now))?;
        Ok::<_, Problem>(presented.keyid.into_response())
    };
    checked.await.unwrap_or_else(IntoResponse::into_response)
}

/// Every kind of request under both algorithms and both ways to cover the address.
fn good_orders(base: &str) -> Vec<Value> {
    let requests = [
        ("GET", "/v1/payment-intents?state=paid&external_reference=%D9%82-1", None),
        ("GET", "/v1/services", None),
        ("POST", "/v1/quotes", Some("{\"note\": \"رسوم\"}")),
        ("DELETE", "/v1/webhook-endpoints/we_1", None),
    ];
    let mut orders = Vec::new();
    for algorithm in ALGORITHMS {
        for covers in ["parts", "target-uri"] {
            for (method, path, body) in requests {
                orders.push(json!({
                    "url": format!("{base}{path}"), "method": method, "body": body, "covers": covers,
                    "keyid": algorithm, "algorithm": algorithm, "key": STANDARD.encode([7; 32]),
                    "idempotency_key": (method != "GET").then_some("k-1"),
                }));
            }
        }
    }
    orders
}

async fn foreign_client_passes(judge: Judge) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let good = good_orders(&format!("http://{}", listener.local_addr().expect("an address")));
    let mut forged = good[1].clone();
    forged["key"] = json!(STANDARD.encode([8; 32]));
    let orders: Vec<Value> = good.iter().cloned().chain([forged]).collect();
    let orders = Value::from(orders);
    let answers = tokio::select! {
        served = axum::serve(listener, Router::new().fallback(check)) => panic!("the server ended: {served:?}"),
        answers = judge.ask(&orders) => answers,
    };
    let Some(Value::Array(answers)) = answers else { return };
    assert_eq!(answers.len(), good.len() + 1);
    for (order, answer) in good.iter().zip(&answers) {
        assert_eq!(*answer, json!({"status": 200, "body": order["keyid"]}), "{order}");
    }
    let refused = answers.last().expect("one is forged");
    assert_eq!(refused["status"], 401, "signed with another key");
    assert!(refused["body"].as_str().is_some_and(|body| body.contains("signature_invalid")), "{refused}");
}

#[tokio::test]
async fn a_python_client_passes_unchanged() {
    let (script, package) = ("sign_and_send.py", "http_message_signatures");
    foreign_client_passes(Judge::Python { script, package }).await;
}

#[tokio::test]
async fn a_node_client_passes_unchanged() {
    let (script, package) = ("sign_and_send.mjs", "http-message-signatures");
    foreign_client_passes(Judge::Node { script, package }).await;
}

#[tokio::test]
async fn another_node_client_passes_unchanged() {
    let (script, package) = ("sign_and_send.mjs", "http-message-sig");
    foreign_client_passes(Judge::Node { script, package }).await;
}
