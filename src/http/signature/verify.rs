//! Reading what a request presents, and checking it against a registered key.

use axum::http::{HeaderMap, HeaderName, Method};
use mizan_ledger::Instant;

use super::base::{Message, signature_base};
use super::digest;
use super::error::{CLOCK_TOLERANCE_SECONDS, Refusal, SignatureError};
use super::keys::VerifyKey;
use super::structured::{self, BareItem, InnerList, Member};
use crate::http::idempotency::IDEMPOTENCY_KEY;

pub const SIGNATURE: HeaderName = HeaderName::from_static("signature");
pub const SIGNATURE_INPUT: HeaderName = HeaderName::from_static("signature-input");

/// A proxy may add a signature of its own; more than a few is not traffic of ours.
pub const SIGNATURES_MAX: usize = 4;
const COVERED_MAX: usize = 32;
const KEYID_BYTES_MAX: usize = 128;

/// One signature as presented, read and not yet believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented {
    pub keyid: String,
    pub nonce: Option<String>,
    pub tag: Option<String>,
    /// Seconds since 1970.
    pub created: i64,
    pub expires: Option<i64>,
    alg: Option<String>,
    covered: Vec<String>,
    /// The covered list with its parameters, as it stands in the base's last line.
    parameters: String,
    signature: Vec<u8>,
}

/// Reads the signatures of a request: at least one, at most [`SIGNATURES_MAX`], in the order of Signature-Input.
///
/// The caller takes the first whose keyid it knows and verifies that one alone. Labels outside the profile (no
/// keyid, components with parameters) are passed over, as a proxy's may be; when none is left, the first label's
/// fault is the answer.
pub fn parse(headers: &HeaderMap) -> Result<Vec<Presented>, SignatureError> {
    let (Some(inputs), Some(signatures)) = (joined(headers, &SIGNATURE_INPUT)?, joined(headers, &SIGNATURE)?)
    else {
        return Err(Refusal::Missing.into());
    };
    let read = |name: &str, text: &str| {
        structured::dictionary(text).map_err(|why| Refusal::Malformed(format!("{name}: {why}")))
    };
    let inputs = read("Signature-Input", &inputs)?;
    let signatures = read("Signature", &signatures)?;
    if inputs.len() > SIGNATURES_MAX {
        return Err(Refusal::Malformed(format!("more than {SIGNATURES_MAX} signatures")).into());
    }
    let mut presented = Vec::new();
    let mut first_fault = None;
    for (label, input) in &inputs {
        let signature = signatures.iter().find(|(known, _)| known == label).map(|(_, member)| member);
        match one(input, signature) {
            Ok(one) => presented.push(one),
            Err(why) => {
                first_fault.get_or_insert_with(|| Refusal::Malformed(format!("signature {label}: {why}")));
            }
        }
    }
    if presented.is_empty() {
        return Err(first_fault.unwrap_or(Refusal::Missing).into());
    }
    Ok(presented)
}

/// One label of the two headers, or what is wrong with it.
fn one(input: &Member, signature: Option<&Member>) -> Result<Presented, String> {
    let Member::InnerList(list) = input else { return Err("a list of components was expected".into()) };
    let Some(Member::Item(structured::Item { value: BareItem::Bytes(signature), .. })) = signature else {
        return Err("the Signature header has no base64 value under this label".into());
    };
    let covered = covered(list)?;
    let mut presented = Presented {
        keyid: String::new(),
        nonce: None,
        tag: None,
        created: 0,
        expires: None,
        alg: None,
        covered,
        parameters: list.to_string(),
        signature: signature.clone(),
    };
    let mut created = None;
    for (name, value) in &list.parameters {
        match (name.as_str(), value) {
            ("created", BareItem::Integer(seconds)) => created = Some(*seconds),
            ("expires", BareItem::Integer(seconds)) => presented.expires = Some(*seconds),
            ("keyid", BareItem::String(keyid)) => presented.keyid.clone_from(keyid),
            ("nonce", BareItem::String(nonce)) => presented.nonce = Some(nonce.clone()),
            ("alg", BareItem::String(alg)) => presented.alg = Some(alg.clone()),
            ("tag", BareItem::String(tag)) => presented.tag = Some(tag.clone()),
            _ => return Err(format!("the parameter {name} is unknown or of the wrong type")),
        }
    }
    presented.created = created.ok_or("the parameter created is missing")?;
    if presented.keyid.is_empty() || presented.keyid.len() > KEYID_BYTES_MAX {
        return Err("the parameter keyid is missing or too long".into());
    }
    Ok(presented)
}

fn covered(list: &InnerList) -> Result<Vec<String>, String> {
    if list.items.is_empty() || list.items.len() > COVERED_MAX {
        return Err(format!("between 1 and {COVERED_MAX} components are covered"));
    }
    let mut names: Vec<String> = Vec::with_capacity(list.items.len());
    for item in &list.items {
        let BareItem::String(name) = &item.value else { return Err("a component is not a string".into()) };
        if !item.parameters.is_empty() {
            return Err(format!("the component {name} has parameters, which the profile does not know"));
        }
        let field = name.strip_prefix('@').unwrap_or(name);
        let lower =
            field.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if field.is_empty() || !lower || names.contains(name) {
            return Err("component names are lower case and stand once".into());
        }
        names.push(name.clone());
    }
    Ok(names)
}

/// Checks one presented signature against the key its keyid names: coverage, time, algorithm, signature, digest.
///
/// # Errors
/// Every [`Refusal`] but `Missing` and `KeyUnknown`; with the signature base wherever it could be built.
pub fn verify(
    presented: &Presented,
    message: &Message<'_>,
    body: &[u8],
    key: &VerifyKey,
    now: Instant,
) -> Result<(), SignatureError> {
    let base = signature_base(&presented.covered, &presented.parameters, message)?;
    let checks = || {
        covers_enough(presented, message, body)?;
        is_fresh(presented, now.seconds())?;
        if let Some(alg) = presented.alg.as_ref().filter(|alg| *alg != key.algorithm()) {
            return Err(Refusal::AlgorithmMismatch { registered: key.algorithm(), presented: alg.clone() });
        }
        if !key.fits(&base, &presented.signature) {
            return Err(Refusal::Invalid);
        }
        digest::check(message.headers, body)
    };
    checks().map_err(|refusal| SignatureError { refusal, base: Some(base.clone()) })
}

/// The profile: who acts on what, with which bytes, under which idempotency key.
fn covers_enough(presented: &Presented, message: &Message<'_>, body: &[u8]) -> Result<(), Refusal> {
    let covers = |name: &str| presented.covered.iter().any(|covered| covered == name);
    let mut missing = Vec::new();
    if !covers("@method") {
        missing.push("@method");
    }
    if !covers("@target-uri") {
        let parts = ["@authority", "@path", "@query"];
        let needed = if message.query.is_some() { &parts[..] } else { &parts[..2] };
        missing.extend(needed.iter().filter(|name| !covers(name)));
    }
    // A writing request without the header is refused for that, not for what its signature covers.
    let changes = !matches!(*message.method, Method::GET | Method::HEAD | Method::OPTIONS);
    if changes && message.headers.contains_key(IDEMPOTENCY_KEY) && !covers("idempotency-key") {
        missing.push("idempotency-key");
    }
    if !body.is_empty() && !covers("content-digest") {
        if !message.headers.contains_key(digest::CONTENT_DIGEST) {
            return Err(Refusal::DigestMissing);
        }
        missing.push("content-digest");
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(Refusal::ComponentsMissing(format!("the signature must also cover {}", missing.join(", "))))
}

fn is_fresh(presented: &Presented, now: i64) -> Result<(), Refusal> {
    let Presented { created, expires, .. } = *presented;
    if created.abs_diff(now) > CLOCK_TOLERANCE_SECONDS.unsigned_abs() {
        return Err(Refusal::Stale { created, now });
    }
    match expires {
        Some(expires) if expires < now => Err(Refusal::Expired { expires, now }),
        _ => Ok(()),
    }
}

/// The lines of a structured field, joined as RFC 9651 section 4.2 asks.
pub(super) fn joined(headers: &HeaderMap, name: &HeaderName) -> Result<Option<String>, Refusal> {
    let mut lines = Vec::new();
    for value in headers.get_all(name) {
        let text = value.to_str().map_err(|_| Refusal::Malformed(format!("{name} is not ASCII")))?;
        lines.push(text);
    }
    Ok(if lines.is_empty() { None } else { Some(lines.join(", ")) })
}

#[cfg(test)]
impl Presented {
    /// The bare check of the standard's examples, which cover less than the profile asks.
    pub(super) fn fits(&self, message: &Message<'_>, key: &VerifyKey) -> Result<bool, Refusal> {
        Ok(key.fits(&self.base(message)?, &self.signature))
    }

    pub(super) fn base(&self, message: &Message<'_>) -> Result<String, Refusal> {
        signature_base(&self.covered, &self.parameters, message)
    }

    pub(super) fn signature(&self) -> &[u8] {
        &self.signature
    }
}
