//! The names that stand inside account codes: agencies, channels, banks, counters, offices, funds.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The name of a party or place in an account code, as `psi` or `main-office`: `a-z` and `0-9`, single `-` or `_`
/// inside, at most 40 bytes. Cheap to clone. The catalogue names services, components and inputs alike.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String)]
pub struct Slug(Arc<str>);

/// The text cannot stand in an account code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a code: a-z, 0-9, single - or _ inside, at most 40 bytes, not \"{RESERVED}\"")]
pub struct NotASlug(pub String);

/// So many that the longest pattern of the chart, with two names in it, fits an account code of 120 bytes.
const SLUG_BYTES_MAX: usize = 40;
/// `bank/transfers` is the way between our own bank accounts, so no bank account is called so.
const RESERVED: &str = "transfers";

impl Slug {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn shared(&self) -> Arc<str> {
        self.0.clone()
    }
}

impl FromStr for Slug {
    type Err = NotASlug;

    fn from_str(text: &str) -> Result<Self, NotASlug> {
        let is_word = |word: &str| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        let sound = text.len() <= SLUG_BYTES_MAX && text.split(['-', '_']).all(is_word) && text != RESERVED;
        if sound { Ok(Self(text.into())) } else { Err(NotASlug(text.chars().take(60).collect())) }
    }
}

impl TryFrom<String> for Slug {
    type Error = NotASlug;

    fn try_from(text: String) -> Result<Self, NotASlug> {
        text.parse()
    }
}

impl From<Slug> for String {
    fn from(slug: Slug) -> Self {
        slug.0.as_ref().to_owned()
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_a_plain_word_or_words_joined() {
        let longest = "a".repeat(40);
        for text in ["psi", "0", "main-office", "e_sadad", "vat-16", &longest] {
            assert_eq!(text.parse::<Slug>().map(|slug| slug.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn whatever_would_break_an_account_code_is_refused() {
        let too_long = "a".repeat(41);
        for text in [
            "",
            "-",
            "a-",
            "_a",
            "a--b",
            "a_-b",
            "PSI",
            "a/b",
            "a b",
            "a.b",
            "هيئة",
            "a\n",
            "transfers",
            &too_long,
        ] {
            assert_eq!(text.parse::<Slug>(), Err(NotASlug(text.to_owned())), "{text:?}");
        }
    }
}
