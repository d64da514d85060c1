//! The gateway: what each kind of answer, and each kind of silence, proves.

use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use mizan_ledger::{Currency, Day, Money};

use mizan_adapters::channel::{
    Collect, Collection, Language, Meaning, OrderState, Query, Refund, RefundOrder, RefundState, Settlements,
};
use mizan_adapters::gateway::hosted::{Gateway, Settings};
use mizan_adapters::http::ANSWER_BYTES_MAX;
use mizan_adapters::outcome::Outcome;

use crate::peer::{self, absent, breaking_off, endpoint, serving};

const SESSION: &str = r#"{"session": "gs_1", "order": "at-1", "page_url": "http://127.0.0.1:1/pay/gs_1",
    "expires_at": "2026-11-22T08:30:00Z", "added_by_the_vendor_later": {"x": [1]}}"#;
const ORDER: &str = r#"{"order": "at-1", "session": "gs_1", "status": "CAPTURED", "transaction": "T1",
    "amount": "12.500", "currency": "JOD", "reason": null, "created_at": "2026-11-22T08:00:00Z", "decided_at": "2026-11-22T08:05:00Z"}"#;
const REFUND: &str = r#"{"refund": "rf-1", "transaction": "T2", "status": "ACCEPTED"}"#;

/// A certificate made for this test. Its key was thrown away.
const EXAMPLE_ROOT: &str = "-----BEGIN CERTIFICATE-----
MIIBejCCASGgAwIBAgIUWKnVLJbIKoos64YDr9MrYuOFd7cwCgYIKoZIzj0EAwIw
EjEQMA4GA1UEAwwHZXhhbXBsZTAgFw0yNjExMjIwMzUxMzhaGA8yMTI2MTAyOTAz
NTEzOFowEjEQMA4GA1UEAwwHZXhhbXBsZTBZMBMGByqGSM49AgEGCCqGSM49AwEH
A0IABCnOL4ZEeSortSZsp/Gy+Lzttd1K8QgEg+qHtfCeJmniHHYjAHnV0aCr3Zcb
5ucl3QazpIiani1GGmhtY6iH4vyjUzBRMB0GA1UdDgQWBBRJutsm4MkGwNAjJClp
Hzaj+j00DDAfBgNVHSMEGDAWgBRJutsm4MkGwNAjJClpHzaj+j00DDAPBgNVHRMB
Af8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCIATTKiRNVb1yiWio28m08qSsHrqm
iI7FUXfsR5TdmsKWAiAyBTJ9nRsenz9Ddg1lD7nvZRNJsPE5XHq8KVXK3++frw==
-----END CERTIFICATE-----
";

fn gateway(address: &str) -> Gateway {
    Gateway::new(Settings {
        endpoint: endpoint(address),
        merchant: "example".to_owned(),
        callback_keys: vec!["example-callback-key".into()],
    })
    .expect("settings")
}

async fn answering(status: u16, body: impl Into<Vec<u8>>) -> (Gateway, peer::Asked) {
    let (address, asked) = peer::answering(status, body).await;
    (gateway(&address), asked)
}

fn collection() -> Collection {
    Collection {
        order: "at-1".to_owned(),
        money: Money::new(12_500, Currency::JOD),
        description_ar: "رسوم (مثال)".to_owned(),
        description_en: "Fees (example)".to_owned(),
        language: Language::Ar,
        return_url: "https://portal.example/back".to_owned(),
        callback_url: "https://hub.example/channels/card".to_owned(),
    }
}

fn refund() -> RefundOrder {
    RefundOrder {
        refund: "rf-1".to_owned(),
        transaction: "T1".to_owned(),
        money: Money::new(500, Currency::JOD),
    }
}

/// Of one refund call: the variant's name, as what counts is which one it is.
async fn refund_outcome(gateway: &Gateway) -> &'static str {
    match Refund::refund(gateway, refund()).await {
        Outcome::Accepted(_) => "accepted",
        Outcome::Rejected { .. } => "rejected",
        Outcome::Unknown { .. } => "unknown",
        Outcome::NotSent { .. } => "not sent",
    }
}

#[tokio::test]
async fn a_session_is_opened_with_every_field_of_the_manual() {
    let (gateway, asked) = answering(201, SESSION).await;
    let started = gateway.start(collection()).await.accepted().expect("accepted");
    assert_eq!(started.session, "gs_1");
    assert_eq!(started.page_url, "http://127.0.0.1:1/pay/gs_1");
    assert_eq!(started.expires_at.to_string(), "2026-11-22T08:30:00Z");
    let (asked, sent) = asked.lock().unwrap().pop().expect("asked once");
    assert_eq!(asked, "POST /base/sessions");
    let sent: serde_json::Value = serde_json::from_str(&sent).unwrap();
    let expected = serde_json::json!({
        "merchant": "example", "order": "at-1", "amount": "12.500", "currency": "JOD",
        "description": "رسوم (مثال)", "language": "ar",
        "return_url": "https://portal.example/back", "callback_url": "https://hub.example/channels/card",
    });
    assert_eq!(sent, expected);
}

#[tokio::test]
async fn a_refund_is_ordered_with_every_field_of_the_manual() {
    let (gateway, asked) = answering(201, REFUND).await;
    let taken = Refund::refund(&gateway, refund()).await.accepted().expect("accepted");
    assert_eq!(taken.transaction, "T2");
    let (asked, sent) = asked.lock().unwrap().pop().expect("asked once");
    assert_eq!(asked, "POST /base/refunds");
    let sent: serde_json::Value = serde_json::from_str(&sent).unwrap();
    let expected =
        serde_json::json!({"refund": "rf-1", "transaction": "T1", "amount": "0.500", "currency": "JOD"});
    assert_eq!(sent, expected);
}

#[tokio::test]
async fn only_the_partys_own_words_reject() {
    let (gateway, _) =
        answering(422, r#"{"error": "exceeds_captured", "message": "only\u0000 12.000 left"}"#).await;
    assert_eq!(
        Refund::refund(&gateway, refund()).await,
        Outcome::Rejected { code: "exceeds_captured".to_owned(), message: "only  12.000 left".to_owned() }
    );
    for (status, body) in [
        (422, ""),
        (422, "<html>no</html>"),
        (400, r#"{"error": "not a slug"}"#),
        (403, r#"{"message": "no"}"#),
        (408, r#"{"error": "timeout"}"#),
        (429, r#"{"error": "slow_down"}"#),
        (500, r#"{"error": "exceeds_captured"}"#),
        (502, ""),
        (302, r#"{"error": "exceeds_captured"}"#),
    ] {
        let (gateway, _) = answering(status, body).await;
        assert_eq!(refund_outcome(&gateway).await, "unknown", "{status} {body}");
    }
}

#[tokio::test]
async fn a_refund_the_party_already_has_is_never_called_rejected() {
    let (gateway, _) = answering(409, r#"{"error": "refund_exists", "message": "other money"}"#).await;
    assert_eq!(refund_outcome(&gateway).await, "unknown");
}

#[tokio::test]
async fn a_key_that_is_refused_means_nothing_happened() {
    let (gateway, _) = answering(401, r#"{"error": "unauthorized", "message": ""}"#).await;
    assert_eq!(refund_outcome(&gateway).await, "not sent");
    let (proxy, _) = answering(401, "who are you?").await;
    assert_eq!(refund_outcome(&proxy).await, "unknown");
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_unknown() {
    for body in [
        "",
        "OK",
        "{}",
        "[]",
        r#"{"refund": "rf-1", "transaction": "T2"}"#,
        r#"{"refund": "rf-2", "transaction": "T2", "status": "ACCEPTED"}"#,
        r#"{"refund": "rf-1", "transaction": "", "status": "ACCEPTED"}"#,
        r#"{"refund": "rf-1", "transaction": "T 2", "status": "ACCEPTED"}"#,
        r#"{"refund": "rf-1", "transaction": "T2", "status": "QUEUED"}"#,
        r#"{"refund": "rf-1", "transaction": "T2", "status": "ACCEPTED", "status": "ACCEPTED"}"#,
        r#"{"refund": "rf-1", "transaction": "T2", "status": "ACCEPTED"} and more"#,
    ] {
        let (gateway, _) = answering(201, body).await;
        assert_eq!(refund_outcome(&gateway).await, "unknown", "{body}");
    }
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off_and_unknown() {
    let endless = serving(|_| async {
        let chunk = || Some((Ok::<_, std::convert::Infallible>(vec![b' '; 64 * 1024]), ()));
        Response::new(Body::from_stream(futures::stream::unfold((), move |()| async move { chunk() })))
    })
    .await;
    assert_eq!(refund_outcome(&gateway(&endless)).await, "unknown");
    let (large, _) = answering(201, vec![b' '; ANSWER_BYTES_MAX + 1]).await;
    assert_eq!(refund_outcome(&large).await, "unknown");
}

#[tokio::test]
async fn silence_is_unknown() {
    let silent = serving(|_| async {
        tokio::time::sleep(Duration::from_secs(3_600)).await;
        Response::new(Body::empty())
    })
    .await;
    assert_eq!(refund_outcome(&gateway(&silent)).await, "unknown");
}

#[tokio::test]
async fn a_connection_cut_after_the_request_is_unknown() {
    for words in [
        "",
        "HTTP/1.1 201 Created\r\n",
        "HTTP/1.1 201 Created\r\ncontent-length: 500\r\n\r\n{\"refund\":",
        "HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"ref\r\n",
        "SSH-2.0-OpenSSH\r\n",
    ] {
        assert_eq!(refund_outcome(&gateway(&breaking_off(words).await)).await, "unknown", "{words:?}");
    }
}

#[tokio::test]
async fn a_refused_connection_means_nothing_was_sent() {
    assert_eq!(refund_outcome(&gateway(&absent().await)).await, "not sent");
}

#[tokio::test]
async fn a_peer_that_does_not_speak_tls_was_sent_nothing() {
    let mut endpoint =
        endpoint(&breaking_off("HTTP/1.1 400 Bad Request\r\n\r\n").await.replace("http:", "https:"));
    endpoint.trusted_roots_pem = Some(EXAMPLE_ROOT.to_owned());
    let (merchant, callback_keys) = ("example".to_owned(), vec!["example-callback-key".into()]);
    let gateway = Gateway::new(Settings { endpoint, merchant, callback_keys }).expect("settings");
    assert_eq!(refund_outcome(&gateway).await, "not sent");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let moved = serving(|request| async move {
        assert_eq!(request.uri().path(), "/base/refunds", "followed");
        let moved = Response::builder().status(307).header("location", "/elsewhere");
        moved.body(Body::from(REFUND)).expect("an answer")
    })
    .await;
    assert_eq!(refund_outcome(&gateway(&moved)).await, "unknown");
}

#[tokio::test]
async fn what_the_manual_forbids_is_not_sent_at_all() {
    let (gateway, asked) = answering(201, SESSION).await;
    for order in ["", "a b", "رقم", "a/b", "..", &"x".repeat(41)] {
        let wrong = Collection { order: order.to_owned(), ..collection() };
        assert!(matches!(gateway.start(wrong).await, Outcome::Rejected { .. }), "{order:?}");
        assert!(matches!(gateway.order(order.to_owned()).await, Outcome::Rejected { .. }));
    }
    for minor in [0, -1] {
        let wrong = RefundOrder { money: Money::new(minor, Currency::JOD), ..refund() };
        assert!(matches!(Refund::refund(&gateway, wrong).await, Outcome::Rejected { .. }));
    }
    assert!(asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_page_outside_the_web_is_not_offered_to_a_payer() {
    for page in ["javascript:alert(1)", "file:///etc/hosts", "pay/gs_1", ""] {
        let body = SESSION.replace("http://127.0.0.1:1/pay/gs_1", page);
        let (gateway, _) = answering(201, body).await;
        assert!(matches!(gateway.start(collection()).await, Outcome::Unknown { .. }), "{page}");
    }
}

#[tokio::test]
async fn a_query_tells_every_state_of_an_order() {
    let ask = |body: String| async move {
        let (gateway, asked) = answering(200, body).await;
        let outcome = gateway.order("at-1".to_owned()).await;
        assert_eq!(asked.lock().unwrap()[0].0, "GET /base/orders/at-1");
        outcome
    };
    let with =
        |status: &str, transaction: &str| ORDER.replace("CAPTURED", status).replace("\"T1\"", transaction);
    assert_eq!(ask(with("OPEN", "null")).await, Outcome::Accepted(OrderState::Open));
    assert_eq!(ask(with("EXPIRED", "null")).await, Outcome::Accepted(OrderState::Expired));
    for (status, meaning) in
        [("CAPTURED", Meaning::Captured), ("DECLINED", Meaning::Declined), ("REVERSED", Meaning::Reversed)]
    {
        let Outcome::Accepted(OrderState::Decided(notice)) = ask(with(status, "\"T1\"")).await else {
            panic!("{status}")
        };
        assert_eq!((notice.meaning, notice.status.as_str()), (meaning, status));
        assert_eq!((notice.transaction.as_str(), notice.reference.as_str()), ("T1", "at-1"));
        assert_eq!(notice.money, Money::new(12_500, Currency::JOD));
        let decided_at = "2026-11-22T08:05:00Z";
        assert_eq!(notice.occurred_at, decided_at.parse().unwrap(), "not when its page was opened");
        assert!(matches!(ask(with(status, "null")).await, Outcome::Unknown { .. }));
        let undated = with(status, "\"T1\"").replace(&format!("{decided_at:?}"), "null");
        assert!(matches!(ask(undated).await, Outcome::Unknown { .. }));
    }
    assert!(matches!(ask(with("SETTLING", "\"T1\"")).await, Outcome::Unknown { .. }));
    assert!(matches!(ask(ORDER.replace("at-1", "at-2")).await, Outcome::Unknown { .. }));
    assert!(matches!(ask(ORDER.replace("12.500", "12.5000")).await, Outcome::Unknown { .. }));
}

#[tokio::test]
async fn not_knowing_an_order_is_an_answer_to_a_query() {
    let (gateway, _) = answering(404, r#"{"error": "unknown_order", "message": ""}"#).await;
    assert_eq!(gateway.order("at-1".to_owned()).await, Outcome::Accepted(OrderState::NotKnown));
    let (gateway, _) = answering(404, r#"{"error": "unknown_refund", "message": ""}"#).await;
    assert_eq!(Query::refund(&gateway, "rf-1".to_owned()).await, Outcome::Accepted(RefundState::NotKnown));
    // A page that is not there is no answer.
    let (gateway, _) = answering(404, "not found").await;
    assert!(matches!(gateway.order("at-1".to_owned()).await, Outcome::Unknown { .. }));
}

#[tokio::test]
async fn a_query_tells_every_state_of_a_refund() {
    let ask = |status: &'static str, reason: &'static str| async move {
        let body =
            format!(r#"{{"refund": "rf-1", "transaction": "T2", "status": "{status}", "reason": {reason}}}"#);
        let (gateway, _) = answering(200, body).await;
        Query::refund(&gateway, "rf-1".to_owned()).await
    };
    let transaction = "T2".to_owned();
    assert_eq!(
        ask("ACCEPTED", "null").await,
        Outcome::Accepted(RefundState::Pending { transaction: transaction.clone() })
    );
    assert_eq!(
        ask("REFUNDED", "null").await,
        Outcome::Accepted(RefundState::Refunded { transaction: transaction.clone() })
    );
    let reason = Some("account_closed".to_owned());
    assert_eq!(
        ask("FAILED", "\"account_closed\"").await,
        Outcome::Accepted(RefundState::Failed { transaction, reason })
    );
    assert!(matches!(ask("REVERSED", "null").await, Outcome::Unknown { .. }));
}

#[tokio::test]
async fn a_settlement_report_is_handed_on_as_told() {
    let report = r#"{"settlements": [{"settlement": "S20261122JOD01", "currency": "JOD", "gross": "12.500",
        "refunds": "0.500", "costs": "0.201", "net": "11.799", "items": [
        {"transaction": "T1", "order": "at-1", "kind": "payment", "amount": "12.500", "cost": "0.200"},
        {"transaction": "T2", "order": "rf-1", "kind": "refund", "amount": "0.500", "cost": "0.000"}]}]}"#;
    let (gateway, asked) = answering(200, report).await;
    let settlements =
        gateway.settlements(Day::new(2026, 11, 22).unwrap()).await.accepted().flatten().expect("a report");
    assert_eq!(asked.lock().unwrap()[0].0, "GET /base/settlements?merchant=example&date=2026-11-22");
    let [settlement] = settlements.as_slice() else { panic!("{settlements:?}") };
    assert_eq!(settlement.reference, "S20261122JOD01");
    // The party took 0.001 more than its items say: not for the adapter to judge.
    assert_eq!(settlement.costs, Money::new(201, Currency::JOD));
    let nets: Vec<_> = settlement.items.iter().map(|item| item.net().unwrap().minor()).collect();
    assert_eq!(nets, [12_300, -500]);
    for (told, wrong) in [
        ("\"payment\"", "\"chargeback\""),
        ("\"12.500\", \"cost\"", "\"-12.500\", \"cost\""),
        ("\"0.200\"", "0.200"),
        ("\"S20261122JOD01\"", "\"\""),
        ("\"JOD\"", "\"JOX\""),
    ] {
        let (gateway, _) = answering(200, report.replacen(told, wrong, 1)).await;
        let outcome = gateway.settlements(Day::new(2026, 11, 22).unwrap()).await;
        assert!(matches!(outcome, Outcome::Unknown { .. }), "{wrong}: {outcome:?}");
    }
    let (gateway, _) = answering(409, r#"{"error": "day_open", "message": ""}"#).await;
    assert_eq!(gateway.settlements(Day::new(2026, 11, 22).unwrap()).await, Outcome::Accepted(None));
}
