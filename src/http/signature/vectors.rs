//! The standard's vectors: RFC 9421 appendix B.

use axum::http::{HeaderMap, Method, Uri};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::tests::{ed25519, headers, presented, shared_secret};
use super::{Message, VerifyKey};

const BODY_SHA512: &str =
    "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:";

/// The standard's test-request.
fn test_request() -> HeaderMap {
    headers(&[
        ("host", "example.com"),
        ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
        ("content-type", "application/json"),
        ("content-digest", BODY_SHA512),
        ("content-length", "18"),
    ])
}

#[test]
fn vector_b_2_5_hmac_of_a_request() {
    let input =
        r#"sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret""#;
    let presented = presented(input, "sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:");
    assert_eq!(presented.keyid, "test-shared-secret");
    let uri = Uri::from_static("/foo?param=Value&Pet=dog");
    let headers = test_request();
    let message = Message::received(&Method::POST, "https", &uri, &headers);
    assert_eq!(
        presented.base(&message).as_deref(),
        Ok("\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n\
            \"@authority\": example.com\n\
            \"content-type\": application/json\n\
            \"@signature-params\": (\"date\" \"@authority\" \"content-type\");created=1618884473;keyid=\"test-shared-secret\"")
    );
    assert_eq!(presented.fits(&message, &shared_secret().verify_key()), Ok(true));
    assert_eq!(presented.fits(&message, &ed25519().verify_key()), Ok(false));
}

#[test]
fn vector_b_2_6_ed25519_of_a_request() {
    let input = r#"sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519""#;
    let signature =
        "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:";
    let presented = presented(input, signature);
    let uri = Uri::from_static("/foo?param=Value&Pet=dog");
    let headers = test_request();
    let message = Message::received(&Method::POST, "https", &uri, &headers);
    assert_eq!(presented.fits(&message, &ed25519().verify_key()), Ok(true));
    let public = URL_SAFE_NO_PAD.decode("JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs").expect("base64");
    assert_eq!(presented.fits(&message, &VerifyKey::ed25519(&public).expect("a key")), Ok(true));
    // Ed25519 has one signature per key and text: ours must be the standard's.
    assert_eq!(ed25519().sign(&presented.base(&message).expect("a base")), presented.signature());
}

/// ECDSA is no algorithm of the profile; the vector still checks how a response's base is built.
#[test]
fn vector_b_2_4_ecdsa_of_a_response() {
    let input = r#"sig-b24=("@status" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-ecc-p256""#;
    let signature =
        "sig-b24=:wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw==:";
    let presented = presented(input, signature);
    let headers = headers(&[
        ("content-type", "application/json"),
        (
            "content-digest",
            "sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ==:",
        ),
        ("content-length", "23"),
    ]);
    let uri = Uri::from_static("/");
    let message = Message { status: Some(200), ..Message::received(&Method::GET, "https", &uri, &headers) };
    let base = presented.base(&message).expect("a base");
    // The uncompressed point is the tail of the published SubjectPublicKeyInfo.
    let public = STANDARD
        .decode("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lfw0EkjqF7xB4FivAxzic30tMM4GF+hR6Dxh71Z50VGGdldkkDXZCnTNnoXQ==")
        .expect("base64");
    let point = public.last_chunk::<65>().expect("a point");
    let key = ring::signature::UnparsedPublicKey::new(&ring::signature::ECDSA_P256_SHA256_FIXED, point);
    assert!(key.verify(base.as_bytes(), presented.signature()).is_ok());
}

#[test]
fn vector_b_4_survives_what_proxies_do_and_nothing_else() {
    let input =
        r#"transform=("@method" "@path" "@authority" "accept");created=1618884473;keyid="test-key-ed25519""#;
    let signature = "transform=:ZT1kooQsEHpZ0I1IjCqtQppOmIqlJPeo7DHR3SoMn0s5JZ1eRGS0A+vyYP9t/LXlh5QMFFQ6cpLt2m0pmj3NDA==:";
    let presented = presented(input, signature);
    let key = ed25519().verify_key();
    let fits = |method: &Method, uri: &'static str, lines: &[(&'static str, &str)]| {
        let (uri, headers) = (Uri::from_static(uri), headers(lines));
        presented.fits(&Message::received(method, "https", &uri, &headers), &key)
    };
    let uri = "/demo?name1=Value1&Name2=value2";
    let sent = [("host", "example.org"), ("accept", "application/json"), ("accept", "*/*")];
    assert_eq!(fits(&Method::GET, uri, &sent), Ok(true));
    assert_eq!(fits(&Method::GET, "/demo?name1=Value1&Name2=value2&param=added", &sent), Ok(true));
    let folded = [("accept-language", "en-US"), ("host", "example.org"), ("accept", "application/json, */*")];
    assert_eq!(fits(&Method::GET, uri, &folded), Ok(true));
    let elsewhere = [("host", "example.com"), ("accept", "application/json"), ("accept", "*/*")];
    assert_eq!(fits(&Method::POST, uri, &elsewhere), Ok(false));
    let swapped = [("host", "example.org"), ("accept", "*/*"), ("accept", "application/json")];
    assert_eq!(fits(&Method::GET, uri, &swapped), Ok(false));
}
