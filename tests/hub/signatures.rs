//! Foreign clients sign, and no covered byte may change on the way.

use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::judges::Judge;
use crate::world::World;

const FOREIGN: [Judge; 2] = [
    Judge::Python { script: "sign_and_send.py", package: "http_message_signatures" },
    Judge::Node { script: "sign_and_send.mjs", package: "http-message-signatures" },
];

/// What the man in the middle does to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tamper {
    Nothing,
    Body,
    Digest,
    Path,
    Query,
    IdempotencyKey,
    Created,
    Signature,
}

/// Forwards everything to the hub, with one byte changed.
#[derive(Clone)]
struct Middle {
    hub: String,
    tamper: Arc<Mutex<Tamper>>,
    http: reqwest::Client,
}

fn flip(value: &HeaderValue) -> HeaderValue {
    let mut bytes = value.as_bytes().to_vec();
    // A letter or digit of the value proper: near its end, before the closing colon or quote.
    let place = bytes.iter().rposition(u8::is_ascii_alphanumeric).unwrap();
    bytes[place] = if bytes[place] == b'7' { b'8' } else { b'7' };
    HeaderValue::from_bytes(&bytes).unwrap()
}

async fn forward(State(middle): State<Middle>, request: Request<Body>) -> Response {
    let (mut parts, body) = request.into_parts();
    let mut body = to_bytes(body, 1 << 20).await.unwrap().to_vec();
    let tamper = *middle.tamper.lock().unwrap();
    let mut path = parts.uri.path_and_query().unwrap().to_string();
    let mut header = |name: &str| {
        let changed = flip(&parts.headers[name]);
        parts.headers.insert(axum::http::HeaderName::try_from(name).unwrap(), changed);
    };
    match tamper {
        Tamper::Nothing => {}
        Tamper::Body => {
            let place = body.iter().position(|byte| *byte == b'C').unwrap();
            body[place] = b'D';
        }
        Tamper::Digest => header("content-digest"),
        Tamper::IdempotencyKey => header("idempotency-key"),
        Tamper::Signature => header("signature"),
        Tamper::Path => path = path.replacen("payment-intents", "payment-intentz", 1),
        Tamper::Query => path.push_str("?x=1"),
        Tamper::Created => {
            let text = parts.headers["signature-input"].to_str().unwrap();
            let at = text.find("created=").unwrap() + "created=".len();
            let created: String = text[at..].chars().take_while(char::is_ascii_digit).collect();
            let later = (created.parse::<i64>().unwrap() + 1).to_string();
            let changed = text.replacen(&created, &later, 1);
            parts.headers.insert("signature-input", HeaderValue::try_from(changed).unwrap());
        }
    }
    parts.headers.remove("content-length");
    let url = format!("{}{path}", middle.hub);
    let sent = middle.http.request(parts.method, url).headers(parts.headers).body(body).send().await.unwrap();
    let status = StatusCode::from_u16(sent.status().as_u16()).unwrap();
    (status, sent.bytes().await.unwrap()).into_response()
}

async fn middle(world: &World) -> (String, Arc<Mutex<Tamper>>) {
    let tamper = Arc::new(Mutex::new(Tamper::Nothing));
    let state = Middle { hub: world.base.clone(), tamper: tamper.clone(), http: world.http.clone() };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let routes = axum::Router::new().fallback(forward).with_state(state);
    #[expect(clippy::disallowed_methods, reason = "the test's own listener")]
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    (url, tamper)
}

fn order(world: &World, base: &str, reference: &str) -> Value {
    let body = json!({
        "currency": "ILS",
        "lines": [{ "service": "interior/passport", "inputs": { "reason": "new", "urgent": false } }],
        "external_reference": reference,
    });
    json!([{
        "url": format!("{base}/v1/payment-intents"), "method": "POST", "keyid": world.people.portal_key_id,
        "key": BASE64.encode(&world.people.portal_secret), "algorithm": "hmac-sha256", "body": body.to_string(),
        "idempotency_key": format!("key-{reference}"), "covers": "parts",
    }])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_client_is_served_and_no_covered_byte_may_change() {
    let world = World::new().await;
    // Foreign clients sign with the machine's time.
    world.clock.set(mizan_ledger::Clock::now(&mizan_ledger::SystemClock));
    let (url, tamper) = middle(&world).await;
    for (at, judge) in FOREIGN.into_iter().enumerate() {
        *tamper.lock().unwrap() = Tamper::Nothing;
        let good = order(&world, &url, &format!("CASE-{at}"));
        let Some(answers) = judge.ask(&good).await else { continue };
        assert_eq!(answers[0]["status"], 201, "{judge:?}: {answers}");
        for change in [
            Tamper::Body,
            Tamper::Digest,
            Tamper::Path,
            Tamper::Query,
            Tamper::IdempotencyKey,
            Tamper::Created,
            Tamper::Signature,
        ] {
            *tamper.lock().unwrap() = change;
            let reference = format!("CASE-{at}-{change:?}");
            let answers = judge.ask(&order(&world, &url, &reference)).await.unwrap();
            // A path that is not there is 404 before anyone is asked who calls.
            let expected = if change == Tamper::Path { 404 } else { 401 };
            assert_eq!(answers[0]["status"], expected, "{judge:?} {change:?}: {answers}");
            let found = world.get(&format!("/v1/payment-intents?external_reference={reference}")).await;
            assert_eq!(found.json["data"], json!([]), "{change:?} did something");
        }
    }
}
