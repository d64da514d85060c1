//! The Idempotency-Key of a request and its fingerprint (draft-ietf-httpapi-idempotency-key-header): how a
//! repeated request is told from a new one. What is stored, and when: [`super::once`].

use std::fmt;

use axum::http::{HeaderMap, HeaderName};
use sha2::{Digest as _, Sha256};

use super::problem::{Code, Problem};
use super::signature::structured;

pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Longest key, in characters.
pub const KEY_CHARS_MAX: usize = 255;

/// 1 to 255 visible ASCII characters, chosen by the caller. Quoted or bare, it is the same key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

/// The header is absent or unusable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdempotencyKeyError {
    #[error("every request that changes anything carries an Idempotency-Key")]
    Missing,
    #[error("an Idempotency-Key is one string of 1 to 255 visible ASCII characters, in quotes or bare")]
    Invalid,
}

impl IdempotencyKey {
    /// Reads the header: a quoted string (RFC 9651 section 3.3.3), or the same characters bare.
    pub fn from_headers(headers: &HeaderMap) -> Result<Self, IdempotencyKeyError> {
        let mut values = headers.get_all(&IDEMPOTENCY_KEY).iter();
        let value = values.next().ok_or(IdempotencyKeyError::Missing)?;
        if values.next().is_some() {
            return Err(IdempotencyKeyError::Invalid);
        }
        let text = value.to_str().map_err(|_| IdempotencyKeyError::Invalid)?.trim_matches([' ', '\t']);
        if text.is_empty() {
            return Err(IdempotencyKeyError::Missing);
        }
        let key = if text.starts_with('"') {
            structured::string(text).map_err(|_| IdempotencyKeyError::Invalid)?
        } else if text.contains('"') {
            return Err(IdempotencyKeyError::Invalid);
        } else {
            text.to_owned()
        };
        let visible = key.bytes().all(|byte| byte.is_ascii_graphic());
        if key.is_empty() || key.len() > KEY_CHARS_MAX || !visible {
            return Err(IdempotencyKeyError::Invalid);
        }
        Ok(Self(key))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<IdempotencyKeyError> for Problem {
    fn from(error: IdempotencyKeyError) -> Self {
        let code = match error {
            IdempotencyKeyError::Missing => Code::IdempotencyKeyMissing,
            IdempotencyKeyError::Invalid => Code::IdempotencyKeyInvalid,
        };
        Self::new(code).detail(error.to_string())
    }
}

/// What makes two requests under one key the same request: method, path, query and body bytes. Never the
/// signature, its time or other headers, which differ from try to try.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    pub fn of(method: &str, path: &str, query: Option<&str>, body: &[u8]) -> Self {
        let mut hash = Sha256::new();
        // Each part stands behind its length, so that no two requests run together into one text. An absent
        // query and an empty one are different URLs.
        let parts: [Option<&[u8]>; 4] =
            [Some(method.as_bytes()), Some(path.as_bytes()), query.map(str::as_bytes), Some(body)];
        for part in parts {
            let length = part.map_or(u64::MAX, |part| part.len() as u64);
            hash.update(length.to_be_bytes());
            hash.update(part.unwrap_or_default());
        }
        Self(hash.finalize().into())
    }

    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({})", hex::encode(self.0))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn read(values: &[&str]) -> Result<String, IdempotencyKeyError> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(IDEMPOTENCY_KEY, HeaderValue::from_bytes(value.as_bytes()).expect("a value"));
        }
        IdempotencyKey::from_headers(&headers).map(|key| key.to_string())
    }

    #[test]
    fn a_quoted_key_and_a_bare_one_are_the_same() {
        assert_eq!(read(&["\"case-17\""]).as_deref(), Ok("case-17"));
        assert_eq!(read(&[" case-17 "]).as_deref(), Ok("case-17"));
        assert_eq!(read(&[r#""a\"b\\c""#]).as_deref(), Ok(r#"a"b\c"#));
        assert_eq!(read(&["x".repeat(255).as_str()]).map(|key| key.len()), Ok(255));
    }

    #[test]
    fn an_absent_or_odd_key_is_refused() {
        assert_eq!(read(&[]), Err(IdempotencyKeyError::Missing));
        assert_eq!(read(&[""]), Err(IdempotencyKeyError::Missing));
        let long = "x".repeat(256);
        for text in ["\"\"", "a b", "\"a b\"", "\"a", "a\"b", "\"a\";x=1", "\"a\", \"b\"", "قضية", &long]
        {
            assert_eq!(read(&[text]), Err(IdempotencyKeyError::Invalid), "{text:?}");
        }
        assert_eq!(read(&["a", "a"]), Err(IdempotencyKeyError::Invalid), "two headers");
    }

    proptest! {
        #[test]
        fn reading_a_key_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                let headers = HeaderMap::from_iter([(IDEMPOTENCY_KEY, value)]);
                if let Ok(key) = IdempotencyKey::from_headers(&headers) {
                    prop_assert!((1..=255).contains(&key.as_str().len()));
                }
            }
        }

        #[test]
        fn parts_never_run_together(a in "[ab]{0,3}", b in "[ab]{0,3}", c in "[ab]{0,3}", d in "[ab]{0,3}") {
            let left = Fingerprint::of("POST", &a, Some(&b), b"");
            let right = Fingerprint::of("POST", &c, Some(&d), b"");
            prop_assert_eq!(left == right, (a, b) == (c, d));
        }
    }

    #[test]
    fn a_fingerprint_changes_with_each_part_and_is_stable() {
        let whole = Fingerprint::of("POST", "/v1/quotes", None, b"{}");
        assert_eq!(whole, Fingerprint::of("POST", "/v1/quotes", None, b"{}"));
        for other in [
            Fingerprint::of("PUT", "/v1/quotes", None, b"{}"),
            Fingerprint::of("POST", "/v1/quote", None, b"{}"),
            Fingerprint::of("POST", "/v1/quotes", Some(""), b"{}"),
            Fingerprint::of("POST", "/v1/quotes", None, b"{ }"),
        ] {
            assert_ne!(whole, other);
        }
        // Stored fingerprints outlive the program: a change of the computation would break replays.
        let stored = "Fingerprint(06c8d2158f23348a05ecbf5a439e45597aa73cb01ec744a19f6eb0e2b44cea4f)";
        assert_eq!(format!("{whole:?}"), stored);
    }
}
