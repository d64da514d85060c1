//! What the door makes of a callback.

use hmac::{Hmac, KeyInit, Mac};
use mizan_ledger::{Currency, Money};
use proptest::prelude::*;
use reqwest::header::{HeaderMap, HeaderValue};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{Gateway, Settings};
use crate::channel::{Meaning, Notices, Refusal, Verdict};
use crate::http::EndpointSettings;

const KEY: &str = "example-callback-key";

fn body() -> Value {
    json!({
        "event": "payment.captured", "merchant": "example", "order": "at-1", "session": "gs_1",
        "transaction": "T4711000123", "status": "CAPTURED", "amount": "120.00", "currency": "ILS",
        "reason": null, "original_transaction": null, "created_at": "2026-11-22T08:00:00Z"
    })
}

fn signed(body: &[u8]) -> HeaderMap {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(KEY.as_bytes()).expect("any length");
    mac.update(body);
    let signature = hex::encode(mac.finalize().into_bytes());
    let mut headers = HeaderMap::new();
    headers.insert("X-Gateway-Signature", HeaderValue::from_str(&signature).expect("hex"));
    headers.insert("X-Gateway-Delivery", HeaderValue::from_static("1"));
    headers
}

fn settings() -> Settings {
    let endpoint = EndpointSettings {
        base_url: "http://127.0.0.1:1".to_owned(),
        api_key: "example-api-key".into(),
        connect_timeout_ms: 1_000,
        timeout_ms: 1_000,
        trusted_roots_pem: None,
        identity_pem: None,
    };
    Settings { endpoint, merchant: "example".to_owned(), callback_keys: vec![KEY.into()] }
}

fn door() -> Gateway {
    Gateway::new(settings()).expect("settings")
}

fn verdict(body: &Value) -> Verdict {
    let bytes = serde_json::to_vec(body).expect("JSON");
    door().verify(&signed(&bytes), &bytes)
}

fn with(field: &str, value: Value) -> Value {
    let mut body = body();
    body[field] = value;
    body
}

#[test]
fn an_authentic_notice_keeps_every_fact() {
    let Verdict::Authentic(notice) = verdict(&body()) else { panic!("authentic") };
    assert_eq!(notice.transaction, "T4711000123");
    assert_eq!(notice.status, "CAPTURED");
    assert_eq!(notice.meaning, Meaning::Captured);
    assert_eq!(notice.reference, "at-1");
    assert_eq!(notice.money, Money::new(12_000, Currency::ILS));
    assert_eq!(notice.original_transaction, None);
    assert_eq!(notice.reason, None);
    assert_eq!(notice.occurred_at.to_string(), "2026-11-22T08:00:00Z");
}

#[test]
fn every_event_has_its_meaning() {
    for (event, status, meaning) in [
        ("payment.captured", "CAPTURED", Meaning::Captured),
        ("payment.declined", "DECLINED", Meaning::Declined),
        ("payment.reversed", "REVERSED", Meaning::Reversed),
        ("refund.settled", "REFUNDED", Meaning::Refunded),
        ("refund.failed", "FAILED", Meaning::RefundFailed),
        ("payment.authorised", "AUTHORISED", Meaning::Other),
    ] {
        let mut told = with("event", json!(event));
        told["status"] = json!(status);
        told["original_transaction"] = json!("T1");
        told["reason"] = json!("do_not_honour");
        let Verdict::Authentic(notice) = verdict(&told) else { panic!("{event}") };
        assert_eq!((notice.meaning, notice.status.as_str()), (meaning, status));
        assert_eq!(notice.original_transaction.as_deref(), Some("T1"));
        assert_eq!(notice.reason.as_deref(), Some("do_not_honour"));
    }
}

#[test]
fn an_oddity_is_refused_by_name() {
    for (told, named) in [
        (with("status", json!("DECLINED")), "does not go with"),
        (with("event", json!("payment.authorised")), "does not go with"),
        (with("amount", json!(120)), "expected a string"),
        (with("amount", json!("120.001")), "decimals"),
        (with("amount", json!("-120.00")), "not positive"),
        (with("amount", json!("0.00")), "not positive"),
        (with("amount", json!("٠")), "not an amount"),
        (with("currency", json!("ILX")), "currency"),
        (with("transaction", json!("")), "transaction"),
        (with("transaction", json!("T\u{0}1")), "transaction"),
        (with("transaction", json!("T".repeat(65))), "transaction"),
        (with("order", json!(null)), "expected a string"),
        (with("created_at", json!("yesterday")), "created_at"),
        (json!([body()]), "invalid"),
    ] {
        match verdict(&told) {
            Verdict::Refused(Refusal::Unreadable(why)) => assert!(why.contains(named), "{named}: {why}"),
            other => panic!("{told}: {other:?}"),
        }
    }
    let mut refund = with("event", json!("refund.settled"));
    refund["status"] = json!("REFUNDED");
    assert!(matches!(verdict(&refund), Verdict::Refused(Refusal::Unreadable(_))), "names no payment");
    assert_eq!(verdict(&with("merchant", json!("other"))), Verdict::Refused(Refusal::AnotherMerchant));
}

#[test]
fn a_notice_without_exactly_one_right_signature_is_refused() {
    let bytes = serde_json::to_vec(&body()).unwrap();
    let refused = |headers: &HeaderMap| match door().verify(headers, &bytes) {
        Verdict::Refused(refusal) => refusal,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(&HeaderMap::new()), Refusal::Unsigned);
    let mut twice = signed(&bytes);
    let signature = twice["X-Gateway-Signature"].clone();
    twice.append("X-Gateway-Signature", signature);
    assert_eq!(refused(&twice), Refusal::WrongSignature);
    assert_eq!(refused(&signed(b"{}")), Refusal::WrongSignature);
    let mut upper = HeaderMap::new();
    let text = signed(&bytes)["X-Gateway-Signature"].to_str().unwrap().to_uppercase();
    upper.insert("X-Gateway-Signature", text.parse().unwrap());
    assert_eq!(refused(&upper), Refusal::WrongSignature);
}

#[test]
fn the_signature_is_checked_before_a_byte_is_read() {
    let verdict = door().verify(&HeaderMap::new(), b"not json");
    assert_eq!(verdict, Verdict::Refused(Refusal::Unsigned));
    let deep = "[".repeat(200_000);
    let verdict = door().verify(&signed(deep.as_bytes()), deep.as_bytes());
    assert!(matches!(verdict, Verdict::Refused(Refusal::Unreadable(_))));
}

#[test]
fn a_gateway_without_callback_keys_is_not_made() {
    for keys in [vec![], vec!["".into()], vec![KEY.into(), "".into()]] {
        let mut settings = settings();
        settings.callback_keys = keys;
        assert!(Gateway::new(settings).is_err());
    }
}

proptest! {
    #[test]
    fn an_altered_byte_is_refused(at in any::<prop::sample::Index>(), bit in 0..8_u8, in_header in any::<bool>()) {
        let mut bytes = serde_json::to_vec(&body()).expect("JSON");
        let mut headers = signed(&bytes);
        if in_header {
            let mut signature = headers["X-Gateway-Signature"].as_bytes().to_vec();
            let at = at.index(signature.len());
            signature[at] ^= 1 << bit;
            let Ok(value) = HeaderValue::from_bytes(&signature) else { return Ok(()) };
            headers.insert("X-Gateway-Signature", value);
        } else {
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
        }
        prop_assert_eq!(door().verify(&headers, &bytes), Verdict::Refused(Refusal::WrongSignature));
    }

    #[test]
    fn no_bytes_bring_the_door_down(bytes in prop::collection::vec(any::<u8>(), 0..300), signature in prop::collection::vec(any::<u8>(), 0..80)) {
        drop(door().verify(&signed(&bytes), &bytes));
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_bytes(&signature) {
            headers.insert("X-Gateway-Signature", value);
        }
        prop_assert!(matches!(door().verify(&headers, &bytes), Verdict::Refused(_)));
    }

    #[test]
    fn any_signed_value_of_any_field_is_read_or_refused(field in "event|merchant|order|transaction|status|amount|currency|created_at", text in "\\PC{0,40}") {
        drop(verdict(&with(&field, json!(text))));
    }
}
