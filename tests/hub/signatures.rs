//! Foreign clients sign, and no covered byte may change on the way.

use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use mizan::http::idempotency::IDEMPOTENCY_KEY;
use mizan::http::signature::{Message, SigningKey, sign};
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
    Method,
    Authority,
    /// To another path that is there and takes the same method.
    Path,
    QueryAdded,
    Body,
    Digest,
    IdempotencyKey,
    Created,
    /// To another key that is registered.
    KeyId,
    Signature,
}

/// Forwards everything to the hub, with one part changed.
#[derive(Clone)]
struct Middle {
    hub: String,
    other_key: String,
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
        Tamper::Method => parts.method = Method::GET,
        Tamper::Authority => {
            parts.headers.insert("host", HeaderValue::from_static("another.example"));
        }
        Tamper::Path => path = path.replacen("payment-intents", "quotes", 1),
        Tamper::QueryAdded => path.push_str("?x=1"),
        Tamper::KeyId => {
            let text = parts.headers["signature-input"].to_str().unwrap();
            let from = text.find("keyid=\"").unwrap() + "keyid=\"".len();
            let to = from + text[from..].find('"').unwrap();
            let changed = format!("{}{}{}", &text[..from], middle.other_key, &text[to..]);
            parts.headers.insert("signature-input", HeaderValue::try_from(changed).unwrap());
        }
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
    let other_key = world.people.reconciler.key_id.clone();
    let state =
        Middle { hub: world.base.clone(), other_key, tamper: tamper.clone(), http: world.http.clone() };
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
            Tamper::Method,
            Tamper::Authority,
            Tamper::Path,
            Tamper::QueryAdded,
            Tamper::Body,
            Tamper::Digest,
            Tamper::IdempotencyKey,
            Tamper::Created,
            Tamper::KeyId,
            Tamper::Signature,
        ] {
            *tamper.lock().unwrap() = change;
            let reference = format!("CASE-{at}-{change:?}");
            let answers = judge.ask(&order(&world, &url, &reference)).await.unwrap();
            assert_eq!(answers[0]["status"], 401, "{judge:?} {change:?}: {answers}");
            let found = world.get(&format!("/v1/payment-intents?external_reference={reference}")).await;
            assert_eq!(found.json["data"], json!([]), "{change:?} did something");
        }
    }
}

/// The headers of a request that the portal signed, as whoever caught it on the way has them.
fn caught(world: &World, method: &Method, path: &str, body: &[u8], key: Option<&'static str>) -> HeaderMap {
    let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
    headers.extend(key.map(|key| (IDEMPOTENCY_KEY, HeaderValue::from_static(key))));
    let uri = format!("{}{path}", world.base).parse().unwrap();
    let signing = SigningKey::hmac_sha256(world.people.portal_secret.clone()).unwrap();
    let message = Message::outgoing(method, &uri, &headers);
    let now = world.app.clock.now();
    let signed = sign(&message, body, &signing, &world.people.portal_key_id, now, Some("nonce")).unwrap();
    headers.extend(signed.headers);
    headers
}

/// What was signed once can be sent again as it is, and then gets the first answer; with another key it is nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_replayed_signed_request_does_nothing_new() {
    let world = World::new().await;
    let body = order(&world, "", "CASE-1")[0]["body"].as_str().unwrap().to_owned();
    let path = "/v1/payment-intents";
    let headers = caught(&world, &Method::POST, path, body.as_bytes(), Some("\"the-first-key\""));
    let send = async |headers: HeaderMap| {
        let request = world.http.post(format!("{}{path}", world.base)).headers(headers).body(body.clone());
        let answer = request.send().await.unwrap();
        let replayed = answer.headers().contains_key("idempotent-replayed");
        (answer.status().as_u16(), replayed, answer.json::<Value>().await.unwrap())
    };
    let (status, replayed, first) = send(headers.clone()).await;
    assert_eq!((status, replayed), (201, false), "{first}");
    let (status, replayed, again) = send(headers.clone()).await;
    assert_eq!((status, replayed, &again["id"]), (201, true, &first["id"]));
    let mut other = headers.clone();
    other.insert(IDEMPOTENCY_KEY, HeaderValue::from_static("\"the-second-key\""));
    let (status, _, refused) = send(other).await;
    assert_eq!((status, &refused["code"]), (401, &json!("signature_invalid")));
    let mut without = headers;
    without.remove(IDEMPOTENCY_KEY);
    let (status, _, refused) = send(without).await;
    assert_eq!(status, 401, "{refused}");
    let all = world.get(path).await.json;
    assert_eq!(all["data"].as_array().unwrap().len(), 1);
}

/// The query of a reading request is covered too.
#[tokio::test(flavor = "multi_thread")]
async fn a_changed_query_is_refused() {
    let world = World::new().await;
    let headers = caught(&world, &Method::GET, "/v1/payment-intents?limit=5", b"", None);
    for (query, status) in [("?limit=5", 200), ("?limit=6", 401), ("?limit=5&state=paid", 401), ("", 401)] {
        let url = format!("{}/v1/payment-intents{query}", world.base);
        let answer = world.http.get(url).headers(headers.clone()).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{query}");
    }
}
