//! The two languages of people, and which one a client asks for.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_LANGUAGE;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    #[default]
    Arabic,
    English,
}

impl Language {
    /// Accept-Language (RFC 9110 section 12.5.4): English where it is preferred to Arabic, else Arabic.
    pub fn accepted(headers: &HeaderMap) -> Self {
        let mut arabic = Weight::default();
        let mut english = Weight::default();
        let values = headers.get_all(ACCEPT_LANGUAGE).iter().filter_map(|value| value.to_str().ok());
        for range in values.flat_map(|value| value.split(',')) {
            let (tag, weight) = weighted(range);
            match tag.split('-').next() {
                Some("ar") => arabic.named = arabic.named.max(Some(weight)),
                Some("en") => english.named = english.named.max(Some(weight)),
                Some("*") => (arabic.any, english.any) = (weight, weight),
                _ => {}
            }
        }
        if english.value() > arabic.value() { Self::English } else { Self::Arabic }
    }

    /// The language tag (RFC 5646).
    pub fn tag(self) -> &'static str {
        match self {
            Self::Arabic => "ar",
            Self::English => "en",
        }
    }
}

/// How much a language is wanted, in thousandths; a range that names it beats `*`.
#[derive(Default)]
struct Weight {
    named: Option<u32>,
    any: u32,
}

impl Weight {
    fn value(&self) -> u32 {
        self.named.unwrap_or(self.any)
    }
}

/// `en-GB;q=0.8` -> ("en-gb", 800); an unreadable weight counts as not wanted.
fn weighted(range: &str) -> (String, u32) {
    let mut parts = range.split(';').map(str::trim);
    let tag = parts.next().unwrap_or("").to_ascii_lowercase();
    let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    let thousandths = |text: &str| match text.split_once('.').unwrap_or((text, "")) {
        ("1", _) => 1000,
        ("0", digits) if digits.len() <= 3 => format!("{digits:0<3}").parse().unwrap_or(0),
        _ => 0,
    };
    (tag, weight.map_or(1000, thousandths))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn arabic_unless_english_is_preferred() {
        let read = |text: &'static str| {
            Language::accepted(&HeaderMap::from_iter([(ACCEPT_LANGUAGE, HeaderValue::from_static(text))]))
        };
        for text in
            ["ar", "ar,en;q=0.9", "", "fr", "*", "en;q=0", "en;q=0.5,ar", "en;q=0.5,*;q=0.8", "en;q=x"]
        {
            assert_eq!(read(text), Language::Arabic, "{text}");
        }
        for text in ["en", "en-US,en;q=0.9", "EN;q=0.9, ar;q=0.85", "fr, en;q=0.1", "*;q=0.5, ar;q=0.2"] {
            assert_eq!(read(text), Language::English, "{text}");
        }
        assert_eq!(Language::accepted(&HeaderMap::new()), Language::Arabic);
    }
}
