//! Content-Digest (RFC 9530): a digest of the body bytes, in a header that the signature covers.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256, Sha512};
use subtle::ConstantTimeEq as _;

use super::error::Refusal;
use super::structured::{self, BareItem, Member};
use super::verify::joined;

pub const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");

/// The header's value over the body as sent: `sha-256=:...:`.
pub fn content_digest(body: &[u8]) -> HeaderValue {
    let value = format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(body)));
    HeaderValue::try_from(value).expect("base64 is a header value")
}

/// Every known digest in the header must fit, and with a body there must be one. Unknown algorithms are passed
/// over, as section 2 asks.
pub(super) fn check(headers: &HeaderMap, body: &[u8]) -> Result<(), Refusal> {
    let malformed = |why: &dyn std::fmt::Display| Refusal::Malformed(format!("Content-Digest: {why}"));
    let members = match joined(headers, &CONTENT_DIGEST)? {
        Some(text) => structured::dictionary(&text).map_err(|why| malformed(&why))?,
        None => Vec::new(),
    };
    let mut checked = false;
    for (algorithm, member) in members {
        let expected = match algorithm.as_str() {
            "sha-256" => Sha256::digest(body).to_vec(),
            "sha-512" => Sha512::digest(body).to_vec(),
            _ => continue,
        };
        let Member::Item(structured::Item { value: BareItem::Bytes(given), .. }) = member else {
            return Err(malformed(&"base64 between colons was expected"));
        };
        if !bool::from(expected.ct_eq(&given)) {
            return Err(Refusal::DigestMismatch);
        }
        checked = true;
    }
    if checked || body.is_empty() { Ok(()) } else { Err(Refusal::DigestMissing) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = b"{\"hello\": \"world\"}";
    const SHA256: &str = "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:";
    const SHA512: &str =
        "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:";

    fn checked(values: &[&str], body: &[u8]) -> Result<(), Refusal> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(CONTENT_DIGEST, HeaderValue::from_str(value).expect("a header value"));
        }
        check(&headers, body)
    }

    /// RFC 9421 appendix B.2 and RFC 9530 appendix.
    #[test]
    fn the_standards_digests_recompute() {
        assert_eq!(content_digest(BODY), SHA256);
        assert_eq!(checked(&[SHA256], BODY), Ok(()));
        assert_eq!(checked(&[SHA512], BODY), Ok(()));
        assert_eq!(checked(&[SHA256, SHA512], BODY), Ok(()));
        let response = "sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ==:";
        assert_eq!(checked(&[response], b"{\"message\": \"good dog\"}"), Ok(()));
    }

    #[test]
    fn a_digest_of_other_bytes_is_refused_even_beside_a_right_one() {
        assert_eq!(checked(&[SHA256], b"{\"hello\": \"World\"}"), Err(Refusal::DigestMismatch));
        let wrong = SHA512.replace("WZDP", "WZDQ");
        assert_eq!(checked(&[SHA256, &wrong], BODY), Err(Refusal::DigestMismatch));
        assert_eq!(checked(&["sha-256=:AAAA:"], BODY), Err(Refusal::DigestMismatch));
    }

    #[test]
    fn a_body_without_a_known_digest_is_refused() {
        assert_eq!(checked(&[], BODY), Err(Refusal::DigestMissing));
        assert_eq!(checked(&["md5=:AAAA:, crc32c=:AAAA:"], BODY), Err(Refusal::DigestMissing));
        assert_eq!(checked(&[], b""), Ok(()));
        assert_eq!(checked(&[SHA256], b""), Err(Refusal::DigestMismatch));
    }

    #[test]
    fn what_is_not_a_digest_header_is_malformed() {
        for value in
            ["sha-256", "sha-256=X48E", "sha-256=:X48E", "sha-256=(:X48E:)", SHA256.trim_end_matches(':')]
        {
            assert!(matches!(checked(&[value], BODY), Err(Refusal::Malformed(_))), "{value}");
        }
        assert!(matches!(checked(&[SHA256, SHA256], BODY), Err(Refusal::Malformed(_))), "twice the same");
    }
}
