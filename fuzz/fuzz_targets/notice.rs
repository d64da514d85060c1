//! The gateway's door: what is not signed is refused, what is signed is read exactly or refused.
#![no_main]

use std::sync::LazyLock;

use hmac::{Hmac, KeyInit, Mac};
use libfuzzer_sys::fuzz_target;
use mizan_adapters::channel::{Notices, Refusal, Verdict};
use mizan_adapters::gateway::hosted::{Gateway, Settings};
use mizan_adapters::http::EndpointSettings;
use reqwest::header::{HeaderMap, HeaderValue};
use sha2::Sha256;

const KEY: &str = "example-callback-key";

static DOOR: LazyLock<Gateway> = LazyLock::new(|| {
    let endpoint = EndpointSettings {
        base_url: "http://127.0.0.1:1".to_owned(),
        api_key: "example-api-key".into(),
        connect_timeout_ms: 1_000,
        timeout_ms: 1_000,
        trusted_roots_pem: None,
        identity_pem: None,
    };
    let (merchant, callback_keys) = ("example".to_owned(), vec![KEY.into()]);
    Gateway::new(Settings { endpoint, merchant, callback_keys }).expect("settings")
});

fuzz_target!(|bytes: &[u8]| {
    assert_eq!(DOOR.verify(&HeaderMap::new(), bytes), Verdict::Refused(Refusal::Unsigned));
    let signed = signed(bytes);
    match DOOR.verify(&signed, bytes) {
        Verdict::Authentic(notice) => {
            assert!(notice.money.is_positive());
            for word in [&notice.transaction, &notice.reference, &notice.status] {
                assert!(!word.is_empty() && word.bytes().all(|byte| byte.is_ascii_graphic()));
            }
            assert!(notice.reason.is_none_or(|reason| !reason.contains(char::is_control)));
        }
        Verdict::Hint(_) => panic!("this gateway signs: it gives no hints"),
        Verdict::Refused(refusal) => {
            assert!(!matches!(refusal, Refusal::Unsigned | Refusal::WrongSignature));
        }
    }
    let mut altered = bytes.to_vec();
    match altered.last_mut() {
        Some(last) => *last ^= 1,
        None => altered.push(0),
    }
    assert_eq!(DOOR.verify(&signed, &altered), Verdict::Refused(Refusal::WrongSignature));
});

fn signed(body: &[u8]) -> HeaderMap {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(KEY.as_bytes()).expect("any length");
    mac.update(body);
    let signature = hex::encode(mac.finalize().into_bytes());
    let mut headers = HeaderMap::new();
    headers.insert("x-gateway-signature", HeaderValue::from_str(&signature).expect("hex"));
    headers
}
