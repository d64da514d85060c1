//! The common JSON dialect of bank and gateway interfaces: a 2xx with the documented body, or a 4xx with
//! `{"error": "<slug>", "message": "<text>"}`. What each answer proves is decided here, once.

use reqwest::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::http::{Answer, Lost};
use crate::outcome::Outcome;

/// Longest piece of a party's text that is passed on in messages.
const TEXT_MAX: usize = 200;

#[derive(Deserialize)]
struct Refused {
    error: String,
    #[serde(default)]
    message: String,
}

/// What an exchange proves. `read` turns the answer of a success into a value or says what is odd about it.
///
/// Only the party's own documented words make a `Rejected`: a bare 4xx may come from a proxy, and 408, 425
/// and 429 say nothing about an earlier try.
pub fn judge<T>(
    exchanged: Result<Answer, Lost>,
    read: impl FnOnce(&Answer) -> Result<T, String>,
) -> Outcome<T> {
    let answer = match exchanged {
        Ok(answer) => answer,
        Err(Lost::NotSent(why)) => return Outcome::NotSent { why },
        Err(Lost::Unanswered(why)) => return Outcome::Unknown { why },
    };
    let status = answer.status;
    if status.is_success() {
        return match read(&answer) {
            Ok(value) => Outcome::Accepted(value),
            Err(odd) => Outcome::unknown(format_args!("the answer ({status}) cannot be read: {odd}")),
        };
    }
    let passing =
        [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_EARLY, StatusCode::TOO_MANY_REQUESTS].contains(&status);
    let refused =
        serde_json::from_slice::<Refused>(&answer.body).ok().filter(|refused| is_slug(&refused.error));
    match refused {
        Some(refused) if status == StatusCode::UNAUTHORIZED => {
            Outcome::NotSent { why: format!("our key was refused: {}", refused.error) }
        }
        Some(refused) if status.is_client_error() && !passing => {
            Outcome::rejected(refused.error, printable(&refused.message))
        }
        _ => Outcome::unknown(format_args!("answered {status}")),
    }
}

/// Some refusals are answers: to a question about it, "I know no such order" is a value and not a failure.
pub fn answer_for<T>(outcome: Outcome<T>, refusal: &str, value: T) -> Outcome<T> {
    match outcome {
        Outcome::Rejected { code, .. } if code == refusal => Outcome::Accepted(value),
        outcome => outcome,
    }
}

/// Reads a JSON body.
pub fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| printable(&error.to_string()))
}

/// A party's text made safe to store and show: control characters become spaces, the end is cut.
pub fn printable(text: &str) -> String {
    text.chars().take(TEXT_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A reference as the dialect allows it: 1-40 of `A-Z a-z 0-9 - _`.
pub fn is_reference(text: &str) -> bool {
    (1..=40).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// A word of the party that becomes part of a key: 1-64 visible ASCII characters.
pub fn word(name: &str, text: &str) -> Result<(), String> {
    if (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    Err(format!("{name} is not 1 to 64 visible ASCII characters"))
}

fn is_slug(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}
