//! Amounts, dates and numbers as banks print them. Nothing is rounded and nothing is guessed.

use mizan_ledger::{Currency, Day, Money};

use super::model::Stamp;

/// An amount of ISO 20022: a decimal with a point, at most five decimals, unsigned. What XML Schema allows beyond
/// [`Money::parse_padded`] (`.5`, `5.`, `+5`) is allowed here.
///
/// # Errors
/// What is wrong with it, in words. Decimals beyond the currency's own must be zeros.
pub(super) fn decimal(text: &str, currency: Currency) -> Result<Money, String> {
    let unsigned = text.strip_prefix('+').unwrap_or(text);
    let trimmed = match unsigned.strip_suffix('.') {
        Some(whole) if !whole.is_empty() => whole,
        _ => unsigned,
    };
    let padded = if trimmed.starts_with('.') { format!("0{trimmed}") } else { trimmed.to_owned() };
    Money::parse_padded(&padded, currency).map_err(|error| error.to_string())
}

/// An amount of SWIFT (15d): digits with a comma; `500`, `52.58`, `1.234,56` and `1,234.56` are seen as well.
/// A single separator always begins the decimals, whatever it is.
pub(super) fn swift_decimal(text: &str, currency: Currency) -> Result<Money, String> {
    let separators: Vec<(usize, char)> =
        text.char_indices().filter(|(_, character)| matches!(character, ',' | '.')).collect();
    let decimals_at = match separators.as_slice() {
        [] => None,
        [(at, _)] => Some(*at),
        [groups @ .., (at, mark)] => {
            let grouped = groups.iter().all(|(_, group)| group != mark && *group == groups[0].1);
            let bounds = groups.iter().map(|(at, _)| *at).chain([*at]);
            let threes = bounds.clone().zip(bounds.skip(1)).all(|(left, right)| right - left == 4);
            if !grouped || !threes {
                return Err(format!("{} is not an amount", shown(text)));
            }
            Some(*at)
        }
    };
    let (whole, fraction) = match decimals_at {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, ""),
    };
    let whole: String = whole.chars().filter(|character| !matches!(character, ',' | '.')).collect();
    if whole.is_empty() && fraction.is_empty() {
        return Err(format!("{} is not an amount", shown(text)));
    }
    if !whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("{} is not an amount", shown(text)));
    }
    let whole = if whole.is_empty() { "0" } else { &whole };
    if fraction.is_empty() {
        decimal(whole, currency)
    } else {
        decimal(&format!("{whole}.{fraction}"), currency)
    }
}

/// An ISO date (a zone after it is ignored) or date and time, with or without an offset.
pub(super) fn stamp(text: &str) -> Stamp {
    Stamp {
        text: text.to_owned(),
        day: text.get(..10).and_then(|date| date.parse::<Day>().ok()),
        instant: if text.contains('T') { text.parse().ok() } else { None },
    }
}

/// Digits that fit 64 bits, as sequence numbers are.
pub(super) fn number(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

/// Absent, or one of the fillers that say "there is none".
pub(super) fn reference(text: &str) -> Option<String> {
    const FILLERS: &[&str] = &["NOTPROVIDED", "NOT PROVIDED", "NONREF", "NOREF", "NOTAVAILABLE"];
    let text = text.trim();
    let filler = FILLERS.iter().any(|filler| text.eq_ignore_ascii_case(filler));
    (!text.is_empty() && !filler).then(|| text.to_owned())
}

/// A piece of an unreadable value, short enough for a message.
pub(super) fn shown(text: &str) -> String {
    format!("{:?}", text.chars().take(40).collect::<String>())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn swift_amounts_are_read_in_every_dialect_seen() {
        let jod = |text| swift_decimal(text, Currency::JOD).map(Money::minor);
        for (text, minor) in [
            ("12,345", 12_345),
            ("500,", 500_000),
            ("500", 500_000),
            ("52.58", 52_580),
            ("0,", 0),
            (",5", 500),
            ("000000043985.66", 43_985_660),
            ("1.234.567,891", 1_234_567_891),
            ("1,234,567.891", 1_234_567_891),
            ("1,50000", 1_500),
        ] {
            assert_eq!(jod(text), Ok(minor), "{text}");
        }
        for text in [
            "",
            ",",
            ".",
            "1,2345",
            "1.23.4,5",
            "1,2,3",
            "1.234.567.891",
            "12a",
            "-5,",
            "1 000,",
            "1,234.567,8",
        ] {
            assert!(jod(text).is_err(), "{text}");
        }
        assert_eq!(
            swift_decimal("1,234", Currency::ILS),
            Err("\"1.234\" has more than the 2 decimals of ILS".into())
        );
        assert_eq!(swift_decimal("00000001560395.", Currency::JPY).map(Money::minor), Ok(1_560_395));
    }

    #[test]
    fn iso_amounts_are_read_exactly_or_refused() {
        let ils = |text| decimal(text, Currency::ILS).map(Money::minor).ok();
        for (text, minor) in [("8.85000", 885), ("+5", 500), (".5", 50), ("5.", 500), ("-509.12", -50_912)] {
            assert_eq!(ils(text), Some(minor), "{text}");
        }
        for text in ["8.85001", "1,5", "", ".", "1e3", "INF", "٥"] {
            assert_eq!(ils(text), None, "{text}");
        }
    }

    #[test]
    fn stamps_keep_the_day_as_printed() {
        let read = stamp("2023-06-20T23:59:59+02:00");
        assert_eq!(read.day.unwrap().to_string(), "2023-06-20");
        assert_eq!(read.instant.unwrap().to_string(), "2023-06-20T21:59:59Z");
        assert_eq!(stamp("2019-04-24T16:00:00").instant, None);
        assert_eq!(stamp("2014-12-31+01:00").day.unwrap().to_string(), "2014-12-31");
        assert_eq!(stamp("2014-02-30").day, None);
    }

    proptest! {
        #[test]
        fn an_amount_survives_both_notations(minor in 0_i64..i64::MAX) {
            for currency in [Currency::JOD, Currency::ILS, Currency::JPY] {
                let money = Money::new(minor, currency);
                prop_assert_eq!(decimal(&money.amount(), currency), Ok(money));
                prop_assert_eq!(swift_decimal(&money.amount().replace('.', ","), currency), Ok(money));
            }
        }

        #[test]
        fn reading_never_panics(text in "\\PC{0,30}") {
            drop(swift_decimal(&text, Currency::JOD));
            drop(decimal(&text, Currency::JOD));
            drop(stamp(&text));
        }
    }
}
