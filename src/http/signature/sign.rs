//! Signing a request in the profile: for the command line, the load tool and the tests.

use axum::http::{HeaderMap, HeaderValue};
use mizan_ledger::Instant;

use super::base::{Message, signature_base};
use super::digest::{CONTENT_DIGEST, content_digest};
use super::error::Refusal;
use super::keys::SigningKey;
use super::structured::{BareItem, InnerList, Item};
use super::verify::{SIGNATURE, SIGNATURE_INPUT};
use crate::http::idempotency::IDEMPOTENCY_KEY;

/// What to add to the request, and the text that was signed (`mizan call --explain` prints it).
#[derive(Debug, Clone)]
pub struct Signed {
    pub headers: HeaderMap,
    pub base: String,
}

/// Covers method, authority, path, query (when there is one), the body's digest (when there is a body) and the
/// idempotency key (when `message.headers` has one).
///
/// # Errors
/// `Malformed` when `keyid` or `nonce` is not printable ASCII, or a covered header is not ASCII.
pub fn sign(
    message: &Message<'_>,
    body: &[u8],
    key: &SigningKey,
    keyid: &str,
    created: Instant,
    nonce: Option<&str>,
) -> Result<Signed, Refusal> {
    let mut added = HeaderMap::new();
    let mut covered = vec!["@method", "@authority", "@path"];
    if message.query.is_some() {
        covered.push("@query");
    }
    if !body.is_empty() {
        added.insert(CONTENT_DIGEST, content_digest(body));
        covered.push("content-digest");
    }
    if message.headers.contains_key(&IDEMPOTENCY_KEY) {
        covered.push("idempotency-key");
    }
    let mut parameters = vec![
        ("created".to_owned(), BareItem::Integer(created.seconds())),
        ("keyid".to_owned(), BareItem::String(printable(keyid)?)),
        ("alg".to_owned(), BareItem::String(key.algorithm().to_owned())),
    ];
    if let Some(nonce) = nonce {
        parameters.push(("nonce".to_owned(), BareItem::String(printable(nonce)?)));
    }
    let items = covered
        .iter()
        .map(|name| Item { value: BareItem::String((*name).to_owned()), parameters: Vec::new() });
    let input = InnerList { items: items.collect(), parameters }.to_string();

    let mut headers = message.headers.clone();
    headers.extend(added.clone());
    let names: Vec<String> = covered.into_iter().map(str::to_owned).collect();
    let base = signature_base(&names, &input, &Message { headers: &headers, ..message.clone() })?;
    let signature = BareItem::Bytes(key.sign(&base));

    let value = |text: String| HeaderValue::try_from(text).expect("structured fields are ASCII");
    added.insert(SIGNATURE_INPUT, value(format!("mizan={input}")));
    added.insert(SIGNATURE, value(format!("mizan={signature}")));
    Ok(Signed { headers: added, base })
}

fn printable(text: &str) -> Result<String, Refusal> {
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Ok(text.to_owned());
    }
    Err(Refusal::Malformed("keyid and nonce are printable ASCII".to_owned()))
}
