//! The words of the catalogue: texts in both languages and the codes of services.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::books::Slug;

/// A text for people, in Arabic and English. `{"ar": "...", "en": "..."}` outside.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Text)]
pub struct Bilingual {
    pub ar: String,
    pub en: String,
}

impl Bilingual {
    pub fn new(ar: impl Into<String>, en: impl Into<String>) -> Self {
        Self { ar: ar.into(), en: en.into() }
    }

    /// Why the text cannot be shown to people, with the language at fault; None when it can.
    pub(super) fn defect(&self, chars_max: usize) -> Option<(&'static str, String)> {
        for (language, text) in [("ar", &self.ar), ("en", &self.en)] {
            if text.trim().is_empty() {
                return Some((language, format!("the text in `{language}` is empty")));
            }
            if text.chars().count() > chars_max {
                return Some((
                    language,
                    format!("the text in `{language}` is longer than {chars_max} characters"),
                ));
            }
            if text.chars().any(|letter| letter.is_control() || steers_direction(letter)) {
                return Some((language, format!("the text in `{language}` has a control character")));
            }
        }
        if !self.ar.chars().any(is_arabic) {
            return Some(("ar", format!("{:?} has no Arabic letter", self.ar)));
        }
        if self.en.chars().any(is_arabic) {
            return Some(("en", format!("{:?} has an Arabic letter", self.en)));
        }
        None
    }
}

fn is_arabic(letter: char) -> bool {
    ('\u{0620}'..='\u{064A}').contains(&letter)
}

/// Embeddings, overrides and isolates (Unicode UAX #9, section 2): inside a name they could show an amount
/// beside it in another order than it is.
fn steers_direction(letter: char) -> bool {
    matches!(letter, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Wraps a number, date, amount or id for use inside Arabic text, so that the surrounding letters cannot
/// reorder it: LEFT-TO-RIGHT ISOLATE .. POP DIRECTIONAL ISOLATE (Unicode UAX #9, section 2.4).
pub fn isolate(text: impl fmt::Display) -> String {
    format!("\u{2066}{text}\u{2069}")
}

/// A service's code: its agency's, a slash, its own, as in `psi/testing-report`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServiceCode {
    agency: Slug,
    name: Slug,
}

/// The text is not a service code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a service code: an agency's code, a slash and a code are expected, as in `psi/testing-report`"
)]
pub struct NotAServiceCode(pub String);

impl ServiceCode {
    pub fn agency(&self) -> &Slug {
        &self.agency
    }
}

impl FromStr for ServiceCode {
    type Err = NotAServiceCode;

    fn from_str(text: &str) -> Result<Self, NotAServiceCode> {
        let refuse = || NotAServiceCode(text.chars().take(90).collect());
        let (agency, name) = text.split_once('/').ok_or_else(refuse)?;
        Ok(Self { agency: agency.parse().map_err(|_| refuse())?, name: name.parse().map_err(|_| refuse())? })
    }
}

impl TryFrom<String> for ServiceCode {
    type Error = NotAServiceCode;

    fn try_from(text: String) -> Result<Self, NotAServiceCode> {
        text.parse()
    }
}

impl From<ServiceCode> for String {
    fn from(code: ServiceCode) -> Self {
        code.to_string()
    }
}

impl fmt::Display for ServiceCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.agency, self.name)
    }
}

impl fmt::Debug for ServiceCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_or_refused() {
        assert_eq!("psi/testing-report".parse::<ServiceCode>().unwrap().to_string(), "psi/testing-report");
        for text in ["", "psi", "/x", "psi/", "psi/a/b", "PSI/x", "psi/-", "psi/é"] {
            assert!(text.parse::<ServiceCode>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_text_needs_both_languages_each_in_its_letters() {
        assert_eq!(Bilingual::new("رسم", "Fee").defect(10), None);
        assert_eq!(Bilingual::new("رسم ISO 9001", "ISO 9001 fee").defect(20), None);
        for (ar, en, language) in [
            ("", "Fee", "ar"),
            ("رسم", "  ", "en"),
            ("Fee", "Fee", "ar"),
            ("رسم", "رسم", "en"),
            ("رسم طويل جدا", "Fee", "ar"),
            ("رسم", "Fee\n", "en"),
            ("رسم\u{202E}", "Fee", "ar"),
        ] {
            let defect = Bilingual::new(ar, en).defect(10);
            assert_eq!(defect.map(|(at, _)| at), Some(language), "{ar:?} {en:?}");
        }
    }
}
