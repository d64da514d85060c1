//! Strict reading of JSON bodies. What a reader would silently drop or guess (a member that stands twice, an
//! unknown field, text after the end) is refused, with a pointer to the place.
//!
//! Bodies are structs with `deny_unknown_fields`. serde stops at the first fault of shape; the faulty member is then
//! taken out and the rest read again, so that all are told at once, up to the first that is missing. What a value means is judged afterwards, through
//! [`Faults`](super::problem::Faults), which tells all.

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::Segment;

use super::problem::{Code, FieldCode, FieldError, Problem};
use super::tree::{escaped, tree};

/// Faults of shape told in one answer.
const FAULTS_MAX: usize = 50;

/// Takes a body off the wire.
///
/// # Errors
/// `body_too_large` beyond `bytes_max`; `malformed_json` when the client breaks off.
pub async fn collect(body: Body, bytes_max: usize) -> Result<Bytes, Problem> {
    axum::body::to_bytes(body, bytes_max).await.map_err(|error| {
        let mut source: Option<&dyn std::error::Error> = Some(&error);
        while let Some(cause) = source {
            if cause.to_string().contains("length limit exceeded") {
                return Problem::new(Code::BodyTooLarge).detail(format!("the limit is {bytes_max} bytes"));
            }
            source = cause.source();
        }
        Problem::new(Code::MalformedJson).detail("the body ended before its length was reached")
    })
}

/// Refuses bodies that are not declared as JSON: `application/json` or a `+json` type.
pub fn require_json(headers: &HeaderMap) -> Result<(), Problem> {
    let declared = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let essence = declared.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    if essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json")) {
        return Ok(());
    }
    Err(Problem::new(Code::UnsupportedMediaType).detail("Content-Type: application/json is expected"))
}

/// Reads a body.
///
/// # Errors
/// `malformed_json`, or `validation_failed` with a pointer to each fault.
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    read_value(tree(body)?)
}

/// Reads a part of a body, of which only the outer form was known.
///
/// # Errors
/// Every fault, its pointer from the part on.
pub fn from_value<T: DeserializeOwned>(part: Value) -> Result<T, Vec<FieldError>> {
    read_value(part).map_err(|refused| refused.errors)
}

fn read_value<T: DeserializeOwned>(mut value: Value) -> Result<T, Problem> {
    let mut refused = Problem::new(Code::ValidationFailed);
    let mut read = None;
    while refused.errors.len() < FAULTS_MAX {
        match serde_path_to_error::deserialize::<_, T>(&value) {
            Ok(body) => read = Some(body),
            Err(error) => {
                let message = error.inner().to_string();
                let fault = fault(pointer(error.path()), &message);
                refused.detail.get_or_insert(message);
                let missing = fault.code == FieldCode::Required;
                let pruned = !missing && prune(&mut value, &fault.pointer);
                // A faulty member that was taken out may now be missing; it has been told.
                if !refused.errors.iter().any(|told| told.pointer == fault.pointer) {
                    refused.errors.push(fault);
                }
                if pruned {
                    continue;
                }
            }
        }
        break;
    }
    match read {
        Some(body) if refused.errors.is_empty() => Ok(body),
        _ => Err(refused),
    }
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } | Segment::Enum { variant: key } => format!("/{}", escaped(key)),
            Segment::Unknown => String::new(),
        })
        .collect()
}

/// What serde and the types of the ledger say, as a code. serde has no error kinds: its words are matched, and
/// the tests below hold them fast.
fn fault(at: String, message: &str) -> FieldError {
    const WORDS: &[(&str, FieldCode)] = &[
        ("unknown field", FieldCode::Unknown),
        ("unknown variant", FieldCode::NotAllowed),
        ("is not an id of the form", FieldCode::NotAnId),
        ("is not an amount", FieldCode::NotAnAmount),
        ("decimals of", FieldCode::TooPrecise),
        ("out of range", FieldCode::OutOfRange),
        ("ISO 4217", FieldCode::UnknownCurrency),
        ("is not a date or time", FieldCode::NotATime),
        ("invalid value: integer", FieldCode::OutOfRange),
        ("expected a string", FieldCode::NotAString),
        ("invalid type", FieldCode::WrongType),
    ];
    if let Some(name) = message.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
        return FieldError::new(format!("{at}/{}", escaped(name)), FieldCode::Required);
    }
    let known = WORDS.iter().find(|(words, _)| message.contains(words));
    FieldError::new(at, known.map_or(FieldCode::Invalid, |(_, code)| *code))
}

/// Takes a faulty member out, so that the next fault can be seen.
fn prune(value: &mut Value, pointer: &str) -> bool {
    let Some((parent, name)) = pointer.rsplit_once('/') else { return false };
    let name = name.replace("~1", "/").replace("~0", "~");
    value
        .pointer_mut(parent)
        .and_then(Value::as_object_mut)
        .is_some_and(|object| object.remove(&name).is_some())
}

#[cfg(test)]
mod tests {
    use mizan_ledger::{Day, EntryId, Instant, Money};
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Asked {
        reference: String,
        #[serde(default)]
        lines: Vec<Line>,
        #[serde(default)]
        kind: Option<Kind>,
        #[serde(default)]
        at: Option<Instant>,
        #[serde(default)]
        on: Option<Day>,
        #[serde(default)]
        id: Option<EntryId>,
        #[serde(default)]
        count: Option<u8>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Line {
        amount: Money,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        Person,
        Company,
    }

    fn faults(body: &str) -> Vec<(String, FieldCode)> {
        let problem = read::<Asked>(body.as_bytes()).expect_err(body);
        assert_eq!(problem.code, Code::ValidationFailed, "{body}: {problem:?}");
        problem.errors.into_iter().map(|error| (error.pointer, error.code)).collect()
    }

    fn one(body: &str) -> (String, FieldCode) {
        let mut faults = faults(body);
        assert_eq!(faults.len(), 1, "{body}");
        faults.remove(0)
    }

    #[test]
    fn a_good_body_is_read() {
        let body = r#"{"reference": "ق/1", "lines": [{"amount": {"amount": "12.5", "currency": "JOD"}}],
            "kind": "person", "at": "2026-11-22T08:00:00Z", "on": "2026-11-22"}"#;
        let asked: Asked = read(body.as_bytes()).expect("a good body");
        assert_eq!(asked.reference, "ق/1");
        assert_eq!(asked.lines[0].amount.to_string(), "12.500 JOD");
        assert_eq!(asked.kind, Some(Kind::Person));
    }

    #[test]
    fn each_fault_is_pointed_at() {
        let cases = [
            (r#"{}"#, "/reference", FieldCode::Required),
            (r#"{"reference": 5}"#, "/reference", FieldCode::NotAString),
            (r#"{"reference": null}"#, "/reference", FieldCode::NotAString),
            (r#"{"reference": "a", "lines": {}}"#, "/lines", FieldCode::WrongType),
            (r#"{"reference": "a", "lines": [{}]}"#, "/lines/0/amount", FieldCode::Required),
            (r#"{"reference": "a", "kind": "robot"}"#, "/kind", FieldCode::NotAllowed),
            (r#"{"reference": "a", "at": "yesterday"}"#, "/at", FieldCode::NotATime),
            (r#"{"reference": "a", "at": 5}"#, "/at", FieldCode::NotAString),
            (r#"{"reference": "a", "on": "2026-13-01"}"#, "/on", FieldCode::NotATime),
            (r#"{"reference": "a", "id": "pi_1"}"#, "/id", FieldCode::NotAnId),
            (r#"{"reference": "a", "count": 256}"#, "/count", FieldCode::OutOfRange),
            (r#"{"reference": "a", "count": 1.5}"#, "/count", FieldCode::WrongType),
            (r#"{"reference": "a", "reference": "b"}"#, "/reference", FieldCode::Duplicate),
            (r#"{"reference": "a", "x~/y": {"z": 1, "z": 1}}"#, "/x~0~1y/z", FieldCode::Duplicate),
        ];
        for (body, pointer, code) in cases {
            assert_eq!(one(body), (pointer.to_owned(), code), "{body}");
        }
    }

    #[test]
    fn money_is_a_decimal_string_with_the_currencys_digits() {
        let cases = [
            (r#"{"amount": 12.5, "currency": "JOD"}"#, "/lines/1/amount/amount", FieldCode::NotAString),
            (r#"{"amount": "12.5"}"#, "/lines/1/amount/currency", FieldCode::Required),
            (r#"{"amount": "١٢", "currency": "JOD"}"#, "/lines/1/amount", FieldCode::NotAnAmount),
            (r#"{"amount": "0.0005", "currency": "JOD"}"#, "/lines/1/amount", FieldCode::TooPrecise),
            (
                r#"{"amount": "99999999999999999999", "currency": "JOD"}"#,
                "/lines/1/amount",
                FieldCode::OutOfRange,
            ),
            (r#"{"amount": "1", "currency": "XXQ"}"#, "/lines/1/amount", FieldCode::UnknownCurrency),
        ];
        for (money, pointer, code) in cases {
            let good = r#"{"amount": {"amount": "1", "currency": "ILS"}}"#;
            let body = format!(r#"{{"reference": "a", "lines": [{good}, {{"amount": {money}}}]}}"#);
            assert_eq!(one(&body), (pointer.to_owned(), code), "{body}");
        }
    }

    #[test]
    fn all_unknown_and_mistyped_fields_are_told_at_once() {
        let body = r#"{"reference": 1, "a/b": 1, "lines": [{"amount": {"amount": "1", "currency": "ILS"}, "x": 2}], "refrence": 3}"#;
        let mut told = faults(body);
        told.sort_by(|left, right| left.0.cmp(&right.0));
        let expected = [
            ("/a~1b", FieldCode::Unknown),
            ("/lines/0/x", FieldCode::Unknown),
            ("/reference", FieldCode::NotAString),
            ("/refrence", FieldCode::Unknown),
        ];
        let told: Vec<_> = told.iter().map(|(pointer, code)| (pointer.as_str(), *code)).collect();
        assert_eq!(told, expected);
        let only_unknown = r#"{"reference": "r", "a": 1, "b": 2, "c": {"d": 3}}"#;
        assert_eq!(faults(only_unknown).len(), 3);
    }

    #[test]
    fn what_is_not_json_is_malformed() {
        for body in [
            "",
            " ",
            "{",
            "{\"reference\": \"a\"} x",
            "{'reference': 'a'}",
            "\u{feff}{}",
            "{\"a\": 01}",
            "nul",
        ] {
            let problem = read::<Asked>(body.as_bytes()).expect_err(body);
            assert_eq!(problem.code, Code::MalformedJson, "{body}");
            assert!(problem.detail.is_some());
        }
        assert_eq!(read::<Asked>(b"{\"reference\": \"\xff\"}").map_err(|p| p.code), Err(Code::MalformedJson));
    }

    #[test]
    fn deep_nesting_is_refused_early() {
        use super::super::tree::DEPTH_MAX;

        let body = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let (pointer, code) = one(&body);
        assert_eq!(code, FieldCode::TooDeep);
        assert_eq!(pointer, "/0".repeat(DEPTH_MAX + 1));
    }

    #[test]
    fn only_json_is_taken_as_json() {
        let declared = |text: &'static str| {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, axum::http::HeaderValue::from_static(text))]);
            require_json(&headers).is_ok()
        };
        assert!(declared("application/json"));
        assert!(declared("Application/JSON; charset=utf-8"));
        assert!(declared("application/vnd.example+json"));
        assert!(!declared("text/plain"));
        assert!(!declared("application/x-www-form-urlencoded"));
        assert!(require_json(&HeaderMap::new()).is_err());
    }

    #[tokio::test]
    async fn a_body_beyond_its_limit_is_refused() {
        assert_eq!(collect(Body::from("12345"), 5).await.map(|bytes| bytes.len()), Ok(5));
        let refused = collect(Body::from("123456"), 5).await.expect_err("too large");
        assert_eq!(refused.code, Code::BodyTooLarge);
        let broken = futures::stream::iter([Ok("12"), Err(std::io::Error::other("reset"))]);
        let refused = collect(Body::from_stream(broken), 50).await.expect_err("broken off");
        assert_eq!(refused.code, Code::MalformedJson);
    }

    proptest! {
        #[test]
        fn reading_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "[\\[\\]{}\":,a0.-]{0,60}") {
            drop(read::<Asked>(&bytes));
            drop(read::<Asked>(text.as_bytes()));
        }
    }
}
