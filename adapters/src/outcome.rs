//! What came of asking an outside party for something.

use std::fmt;

/// The answer of an outside party to a call that may move money.
///
/// The difference that counts is between *it did not happen* and *nobody knows*: only a readable answer of the
/// party itself may say the first. Silence, a broken connection, a 5xx and an answer that cannot be read are
/// `Unknown`, and an unknown call is asked about, never repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Outcome<T> {
    /// The party took the request and answered in its documented form.
    Accepted(T),
    /// The party refused, by its own words: `code` is its stable slug, `message` its text.
    Rejected { code: String, message: String },
    /// The request may have been carried out or not. Ask (query, statement); do not send again.
    Unknown { why: String },
    /// The request never reached the part that acts: no connection, or turned away at the door because our
    /// key was refused. Nothing happened there; the same request may be sent again.
    NotSent { why: String },
}

impl<T> Outcome<T> {
    /// The value of an accepted call; None for the other three.
    pub fn accepted(self) -> Option<T> {
        match self {
            Self::Accepted(value) => Some(value),
            Self::Rejected { .. } | Self::Unknown { .. } | Self::NotSent { .. } => None,
        }
    }

    pub(crate) fn rejected(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Rejected { code: code.into(), message: message.into() }
    }

    pub(crate) fn unknown(why: impl fmt::Display) -> Self {
        Self::Unknown { why: why.to_string() }
    }
}
