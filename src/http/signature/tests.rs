//! The profile's refusals, each by name, and that no changed byte passes.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use mizan_ledger::Instant;
use proptest::prelude::*;

use super::*;
use crate::http::problem::Code;

const SHARED_SECRET: &str =
    "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==";
const ED25519_SEED: &str = "n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU";
pub(super) fn shared_secret() -> SigningKey {
    SigningKey::hmac_sha256(STANDARD.decode(SHARED_SECRET).expect("base64")).expect("a key")
}

pub(super) fn ed25519() -> SigningKey {
    SigningKey::ed25519(&URL_SAFE_NO_PAD.decode(ED25519_SEED).expect("base64")).expect("a key")
}

fn at(seconds: i64) -> Instant {
    Instant::from_micros(seconds * 1_000_000).expect("in range")
}

pub(super) fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).expect("a value"));
    }
    headers
}

pub(super) fn presented(input: &str, signature: &str) -> Presented {
    let headers = headers(&[("signature-input", input), ("signature", signature)]);
    parse(&headers).expect("readable").remove(0)
}

/// A request in parts that a test can change one by one.
#[derive(Debug, Clone)]
struct Sent {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Sent {
    fn signed(mut self, key: &SigningKey) -> Self {
        let message = Message::received(&self.method, "https", &self.uri, &self.headers);
        let signed = sign(&message, &self.body, key, "test_1", at(1_000), Some("n-1")).expect("signs");
        self.headers.extend(signed.headers);
        self
    }

    fn order() -> Self {
        Self {
            method: Method::POST,
            uri: Uri::from_static("/v1/refunds?dry=1"),
            headers: headers(&[("host", "hub.example"), ("idempotency-key", "\"k-1\"")]),
            body: b"{\"reason\":\"example\"}".to_vec(),
        }
    }

    fn check(&self, key: &SigningKey, seconds: i64) -> Result<(), SignatureError> {
        let presented = parse(&self.headers)?.remove(0);
        let message = Message::received(&self.method, "https", &self.uri, &self.headers);
        verify(&presented, &message, &self.body, &key.verify_key(), at(seconds))
    }

    fn refusal(&self, key: &SigningKey, seconds: i64) -> Refusal {
        self.check(key, seconds).expect_err("refused").refusal
    }
}

/// Signs `covered` with the parameters given, outside of what `sign` would do.
fn hand_signed(covered: &str, parameters: &str, mut sent: Sent) -> Sent {
    sent.headers.insert(CONTENT_DIGEST, content_digest(&sent.body));
    let input = HeaderValue::try_from(format!("a=({covered}){parameters}")).expect("a value");
    sent.headers.insert(SIGNATURE_INPUT, input);
    sent.headers.insert(SIGNATURE, HeaderValue::from_static("a=:AAAA:"));
    let presented = parse(&sent.headers).expect("readable").remove(0);
    let message = Message::received(&sent.method, "https", &sent.uri, &sent.headers);
    let signature = STANDARD.encode(shared_secret().sign(&presented.base(&message).expect("a base")));
    sent.headers.insert(SIGNATURE, HeaderValue::try_from(format!("a=:{signature}:")).expect("a value"));
    sent
}

const ALL: &str = r#""@method" "@authority" "@path" "@query" "content-digest" "idempotency-key""#;

#[test]
fn what_we_sign_we_accept() {
    for key in [shared_secret(), ed25519()] {
        let sent = Sent::order().signed(&key);
        assert_eq!(sent.check(&key, 1_000), Ok(()));
        assert_eq!(sent.check(&key, 1_300), Ok(()));
        let base = sent.check(&key, 9_000).expect_err("stale").base.expect("a base");
        assert!(
            base.starts_with("\"@method\": POST\n\"@authority\": hub.example\n\"@path\": /v1/refunds\n"),
            "{base}"
        );
        let bare = Sent {
            method: Method::GET,
            uri: Uri::from_static("/v1/services"),
            headers: headers(&[("host", "HUB.example:443")]),
            body: vec![],
        };
        assert_eq!(bare.signed(&key).check(&key, 1_000), Ok(()));
    }
}

#[test]
fn a_target_uri_may_stand_for_its_parts() {
    let covered = r#""@method" "@target-uri" "content-digest" "idempotency-key""#;
    let sent = hand_signed(covered, r#";created=1000;keyid="k";expires=1010;tag="t""#, Sent::order());
    assert_eq!(sent.check(&shared_secret(), 1_010), Ok(()));
    assert_eq!(sent.refusal(&shared_secret(), 1_011), Refusal::Expired { expires: 1_010, now: 1_011 });
}

#[test]
fn too_little_covered_is_refused() {
    let cases = [
        (r#""@authority" "@path" "@query" "content-digest" "idempotency-key""#, "@method"),
        (r#""@method" "@path" "@query" "content-digest" "idempotency-key""#, "@authority"),
        (r#""@method" "@authority" "@query" "content-digest" "idempotency-key""#, "@path"),
        (r#""@method" "@authority" "@path" "content-digest" "idempotency-key""#, "@query"),
        (r#""@method" "@authority" "@path" "@query" "idempotency-key""#, "content-digest"),
        (r#""@method" "@target-uri" "content-digest""#, "idempotency-key"),
    ];
    for (covered, missing) in cases {
        let sent = hand_signed(covered, r#";created=1000;keyid="k""#, Sent::order());
        let expected = Refusal::ComponentsMissing(format!("the signature must also cover {missing}"));
        assert_eq!(sent.refusal(&shared_secret(), 1_000), expected);
    }
    let mut sent = hand_signed(ALL, r#";created=1000;keyid="k""#, Sent::order());
    sent.headers.remove("idempotency-key");
    assert!(matches!(sent.refusal(&shared_secret(), 1_000), Refusal::ComponentsMissing(_)));
    let mut sent = hand_signed(
        r#""@method" "@target-uri" "idempotency-key""#,
        r#";created=1000;keyid="k""#,
        Sent::order(),
    );
    sent.headers.remove(CONTENT_DIGEST);
    assert_eq!(sent.refusal(&shared_secret(), 1_000), Refusal::DigestMissing);
}

#[test]
fn time_algorithm_key_and_digest_are_each_named() {
    let (hmac, edwards) = (shared_secret(), ed25519());
    let sent = Sent::order().signed(&hmac);
    assert_eq!(sent.refusal(&hmac, 1_301), Refusal::Stale { created: 1_000, now: 1_301 });
    assert_eq!(sent.refusal(&hmac, 699), Refusal::Stale { created: 1_000, now: 699 });
    assert!(matches!(sent.refusal(&edwards, 1_000), Refusal::AlgorithmMismatch { .. }));
    let other = SigningKey::hmac_sha256(vec![9; 32]).expect("a key");
    assert_eq!(sent.refusal(&other, 1_000), Refusal::Invalid);
    let mut altered = sent.clone();
    altered.body.push(b' ');
    assert_eq!(altered.refusal(&hmac, 1_000), Refusal::DigestMismatch);
    let without_alg = hand_signed(ALL, r#";created=1000;keyid="k""#, Sent::order());
    assert_eq!(without_alg.refusal(&edwards, 1_000), Refusal::Invalid);
}

#[test]
fn unreadable_signatures_are_refused_with_a_reason() {
    let read = |input: &str, signature: &str| {
        parse(&headers(&[("signature-input", input), ("signature", signature)]))
            .map_err(|error| error.refusal.code())
    };
    let parameters = r#";created=1;keyid="k""#;
    let cases = [
        "a",
        "a=1",
        "a=(",
        "=()",
        &format!("a=(){parameters}"),
        &format!("a=(1){parameters}"),
        &format!("a=(\"@method\" \"@method\"){parameters}"),
        &format!("a=(\"Date\"){parameters}"),
        &format!("a=(\"date\";sf){parameters}"),
        &format!("a=(\"@query-param\";name=\"x\"){parameters}"),
        &format!("a=(\"a\\\"b\"){parameters}"),
        "a=(\"date\");created=1",
        "a=(\"date\");keyid=\"k\"",
        "a=(\"date\");created=\"1\";keyid=\"k\"",
        "a=(\"date\");created=1;keyid=k",
        "a=(\"date\");created=1;keyid=\"\"",
        &format!("a=(\"date\"){parameters};x=1"),
        &format!("b=(\"date\"){parameters}"),
        &format!("a=({}){parameters}", (0..33).map(|n| format!("\"x{n}\"")).collect::<Vec<_>>().join(" ")),
    ];
    for input in cases {
        assert_eq!(read(input, "a=:AAAA:"), Err(Code::SignatureMalformed), "{input}");
    }
    let good = format!("a=(\"date\"){parameters}");
    assert!(read(&good, "a=:AAAA:").is_ok());
    for signature in ["a=AAAA", "a=\"AAAA\"", "b=:AAAA:", "a=(:AAAA:)", "a=:AAAA", "a=:A A:"] {
        assert_eq!(read(&good, signature), Err(Code::SignatureMalformed), "{signature}");
    }
    assert_eq!(parse(&HeaderMap::new()).map_err(|error| error.refusal), Err(Refusal::Missing));
    let half = headers(&[("signature", "a=:AAAA:")]);
    assert_eq!(parse(&half).map_err(|error| error.refusal), Err(Refusal::Missing));
    let derived = presented(&format!("a=(\"@scheme\"){parameters}"), "a=:AAAA:");
    let (uri, none) = (Uri::from_static("/"), HeaderMap::new());
    let message = Message::received(&Method::GET, "https", &uri, &none);
    assert!(matches!(derived.base(&message), Err(Refusal::ComponentsMissing(_))), "not in the profile");
}

#[test]
fn a_proxys_signature_beside_ours_is_passed_over() {
    let sent = Sent::order().signed(&shared_secret());
    let mut headers = sent.headers.clone();
    let proxy =
        [(SIGNATURE_INPUT, r#"proxy=("@authority";req);created=1;keyid="p""#), (SIGNATURE, "proxy=:AAAA:")];
    for (name, value) in proxy {
        let own = headers.remove(&name).expect("signed");
        headers.append(&name, HeaderValue::from_static(value));
        headers.append(name, own);
    }
    let sent = Sent { headers, ..sent };
    assert_eq!(sent.check(&shared_secret(), 1_000), Ok(()));
    let two = headers_of_labels(2);
    let keyids: Vec<String> = parse(&two).expect("two").into_iter().map(|one| one.keyid).collect();
    assert_eq!(keyids, ["k0", "k1"], "the caller chooses among them, in order");
    assert!(matches!(
        parse(&headers_of_labels(5)),
        Err(SignatureError { refusal: Refusal::Malformed(_), .. })
    ));
}

fn headers_of_labels(count: usize) -> HeaderMap {
    let mut all = HeaderMap::new();
    for n in 0..count {
        let input = format!(r#"s{n}=("@method");created=1;keyid="k{n}""#);
        all.append(SIGNATURE_INPUT, HeaderValue::try_from(input).expect("a value"));
        all.append(SIGNATURE, HeaderValue::try_from(format!("s{n}=:AAAA:")).expect("a value"));
    }
    all
}

#[test]
fn the_answer_explains_itself_in_test_mode_only() {
    let error = Sent::order().signed(&shared_secret()).check(&shared_secret(), 5_000).expect_err("stale");
    let live = error.problem();
    assert_eq!(live.code, Code::SignatureStale);
    assert!(live.members.is_empty());
    let test = error.explained(at(5_000));
    assert_eq!(test.members["server_time"], "1970-01-01T01:23:20Z");
    assert!(
        test.members["signature_base"].as_str().expect("a base").contains("\"idempotency-key\": \"k-1\"")
    );
    assert_eq!(SignatureError::key_unknown("k").problem().code, Code::KeyUnknown);
}

/// One byte somewhere in what is covered.
fn change(sent: &Sent, part: usize, place: usize) -> Option<Sent> {
    let flip = |text: &[u8]| {
        let mut text = text.to_vec();
        let at = place % text.len();
        // Another character of the same kind, so that the request stays a request.
        text[at] = match text[at] {
            b'0'..=b'8' | b'a'..=b'y' | b'A'..=b'Y' => text[at] + 1,
            b'9' => b'0',
            b'z' => b'a',
            b'Z' => b'A',
            _ => return None,
        };
        Some(text)
    };
    let mut changed = sent.clone();
    let header = |name: &HeaderName| {
        let value = flip(sent.headers.get(name)?.as_bytes())?;
        let mut headers = sent.headers.clone();
        headers.insert(name, HeaderValue::from_bytes(&value).ok()?);
        Some(headers)
    };
    match part {
        0 => changed.method = Method::from_bytes(&flip(sent.method.as_str().as_bytes())?).ok()?,
        1 => changed.uri = Uri::try_from(flip(sent.uri.to_string().as_bytes())?).ok()?,
        2 => changed.body = flip(&sent.body)?,
        3 => changed.headers = header(&CONTENT_DIGEST)?,
        4 => changed.headers = header(&crate::http::idempotency::IDEMPOTENCY_KEY)?,
        5 => changed.headers = header(&SIGNATURE_INPUT)?,
        6 => changed.headers = header(&SIGNATURE)?,
        _ => changed.headers = header(&axum::http::header::HOST)?,
    }
    Some(changed)
}

proptest! {
    #[test]
    fn no_changed_byte_passes(
        part in 0_usize..8,
        place in any::<prop::sample::Index>(),
        edwards in any::<bool>(),
        path in "/[a-z0-9]{1,12}",
        query in "[a-z0-9]{1,12}",
        body in "[a-zA-Z0-9{}:]{1,30}",
    ) {
        let key = if edwards { ed25519() } else { shared_secret() };
        let sent = Sent {
            uri: Uri::try_from(format!("{path}?{query}")).expect("a URI"),
            body: body.into_bytes(),
            ..Sent::order()
        };
        let sent = sent.signed(&key);
        prop_assert_eq!(sent.check(&key, 1_000), Ok(()));
        if let Some(changed) = change(&sent, part, place.index(1_000)) {
            prop_assert!(changed.check(&key, 1_000).is_err(), "{changed:?}");
        }
    }

    #[test]
    fn reading_headers_never_panics(
        input in "[a-z]{0,3}=?[(]?[\"@a-z;=0-9 ,:()\\\\-]{0,80}",
        signature in prop::collection::vec(any::<u8>(), 0..60),
        digest in "[a-z0-9=:,;-]{0,40}",
    ) {
        let mut headers = HeaderMap::new();
        let values = [(SIGNATURE_INPUT, input.as_bytes()), (SIGNATURE, &signature), (CONTENT_DIGEST, digest.as_bytes())];
        for (name, value) in values {
            if let Ok(value) = HeaderValue::from_bytes(value) {
                headers.insert(name, value);
            }
        }
        let key = shared_secret().verify_key();
        let uri = Uri::from_static("/");
        let message = Message::received(&Method::GET, "https", &uri, &headers);
        for presented in parse(&headers).unwrap_or_default() {
            drop(verify(&presented, &message, b"x", &key, at(0)));
        }
    }
}
