//! The two languages of people, and which one a client asks for.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_LANGUAGE;
use jiff::Timestamp;
use mizan_ledger::{Instant, Zone};

/// In Arabic by both of the names in use, as the United Nations write them.
const MONTHS: [(&str, &str); 12] = [
    ("كانون الثاني/يناير", "January"),
    ("شباط/فبراير", "February"),
    ("آذار/مارس", "March"),
    ("نيسان/أبريل", "April"),
    ("أيار/مايو", "May"),
    ("حزيران/يونيو", "June"),
    ("تموز/يوليو", "July"),
    ("آب/أغسطس", "August"),
    ("أيلول/سبتمبر", "September"),
    ("تشرين الأول/أكتوبر", "October"),
    ("تشرين الثاني/نوفمبر", "November"),
    ("كانون الأول/ديسمبر", "December"),
];

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

    /// An instant in words, on the calendar and the wall clock of a place: `25 November 2026, 13:18`.
    pub fn date_time(self, at: Instant, zone: &Zone) -> String {
        let read = at.to_string().parse::<Timestamp>().and_then(|at| at.in_tz(zone.name()));
        let Ok(local) = read else { return at.to_string() };
        let names = usize::try_from(local.month() - 1).ok().and_then(|month| MONTHS.get(month));
        let (arabic, english) = names.copied().unwrap_or_default();
        let (day, year, clock) = (local.day(), local.year(), local.strftime("%H:%M"));
        match self {
            Self::Arabic => format!("{day} {arabic} {year}، الساعة {clock}"),
            Self::English => format!("{day} {english} {year}, {clock}"),
        }
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
    fn an_instant_is_told_on_the_wall_clock_of_the_place() {
        let zone = "Asia/Hebron".parse().expect("a zone");
        let told = |at: &str, language: Language| language.date_time(at.parse().expect("an instant"), &zone);
        assert_eq!(told("2026-11-25T11:18:15.470279Z", Language::English), "25 November 2026, 13:18");
        assert_eq!(told("2026-12-31T23:30:00Z", Language::English), "1 January 2027, 01:30");
        assert_eq!(
            told("2026-11-25T11:18:15Z", Language::Arabic),
            "25 تشرين الثاني/نوفمبر 2026، الساعة 13:18"
        );
    }

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
