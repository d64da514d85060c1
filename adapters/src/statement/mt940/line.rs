//! `:61:`, the statement line, in every dialect seen.
//!
//! ```text
//! 240312 0312 RC R 1027,25 NTRF customer-ref // bank-ref      [newline] supplementary details
//! value  entry │  │ amount  type
//!         mark ┘  └ third letter of the currency
//! ```
//!
//! The mark is C or D, RC (undoes a credit: it debits), RD (undoes a debit: it credits), EC or ED (expected). What
//! looks like the marks `CR` and `DR` is C or D followed by the currency letter R.

use mizan_ledger::{Currency, Day, Money};

use super::super::values::{reference, shown, swift_decimal};

/// A `:61:` taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parsed {
    /// Signed.
    pub(super) amount: Money,
    pub(super) reversal: bool,
    pub(super) expected: bool,
    pub(super) value_day: Option<Day>,
    pub(super) booking_day: Option<Day>,
    pub(super) code: Option<String>,
    pub(super) customer: Option<String>,
    pub(super) bank: Option<String>,
    pub(super) supplementary: Vec<String>,
    /// Days that do not exist.
    pub(super) oddities: Vec<String>,
}

/// # Errors
/// The date, mark or amount is not there: the line cannot be booked.
pub(super) fn parse(text: &str, currency: Currency) -> Result<Parsed, String> {
    let (first, more) = text.split_once('\n').unwrap_or((text, ""));
    let mut rest = first.trim_start();
    let value =
        take_digits(&mut rest, 6).ok_or_else(|| format!("{} does not begin with a date", shown(first)))?;
    let entry = take_digits(&mut rest, 4);
    rest = rest.trim_start();
    let mark = take_mark(&mut rest).ok_or_else(|| format!("{} has no mark C, D, RC or RD", shown(first)))?;
    take_funds_letter(&mut rest);
    rest = rest.trim_start();
    let end = rest.find(|character: char| !matches!(character, '0'..='9' | ',' | '.')).unwrap_or(rest.len());
    let (amount, tail) = rest.split_at(end);
    let amount = swift_decimal(amount, currency)?;
    let amount =
        if mark.credits { amount } else { amount.checked_neg().map_err(|error| error.to_string())? };

    let mut oddities = Vec::new();
    let value_day = day(value);
    if value_day.is_none() {
        oddities.push(format!("the value date {value} is no day of the calendar"));
    }
    let booking_day = match entry {
        None => value_day,
        Some(entry) => {
            let day = nearest(entry, value, value_day);
            if day.is_none() {
                oddities.push(format!("the entry date {entry} is no day of the calendar"));
            }
            day
        }
    };
    let mut parsed = Parsed {
        amount,
        reversal: mark.reversal,
        expected: mark.expected,
        value_day,
        booking_day,
        code: None,
        customer: None,
        bank: None,
        supplementary: more
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect(),
        oddities,
    };
    parsed.references(tail);
    Ok(parsed)
}

impl Parsed {
    /// Type, reference for the owner, `//` reference of the bank. The owner's reference has 16 places; some banks
    /// pad it with blanks and go on with words, others put more than 16 characters there.
    fn references(&mut self, tail: &str) {
        let mut rest = tail;
        if let Some(code) = tail.get(..4)
            && code.starts_with(|first: char| first.is_ascii_uppercase())
            && code.bytes().all(|byte| byte.is_ascii_alphanumeric())
        {
            self.code = Some(code.to_owned());
            rest = &tail[4..];
        }
        let (owner, bank) = rest.split_once("//").unwrap_or((rest, ""));
        self.bank = reference(bank);
        let (owner, words) = match owner.get(..16) {
            Some(padded) if padded.ends_with(' ') => (padded, &owner[16..]),
            _ => (owner, ""),
        };
        // KREF+ and EREF+ point into :86:.
        self.customer = reference(owner).filter(|owner| !owner.ends_with('+'));
        if !words.trim().is_empty() {
            self.supplementary.insert(0, words.trim().to_owned());
        }
    }
}

struct Mark {
    credits: bool,
    reversal: bool,
    expected: bool,
}

fn take_mark(rest: &mut &str) -> Option<Mark> {
    const MARKS: &[(&str, Mark)] = &[
        ("RC", Mark { credits: false, reversal: true, expected: false }),
        ("RD", Mark { credits: true, reversal: true, expected: false }),
        ("EC", Mark { credits: true, reversal: false, expected: true }),
        ("ED", Mark { credits: false, reversal: false, expected: true }),
        ("C", Mark { credits: true, reversal: false, expected: false }),
        ("D", Mark { credits: false, reversal: false, expected: false }),
    ];
    let (text, mark) = MARKS.iter().find(|(text, _)| rest.starts_with(text))?;
    *rest = &rest[text.len()..];
    Some(Mark { ..*mark })
}

fn take_funds_letter(rest: &mut &str) {
    if rest.starts_with(|letter: char| letter.is_ascii_alphabetic()) {
        *rest = &rest[1..];
    }
}

fn take_digits<'a>(rest: &mut &'a str, count: usize) -> Option<&'a str> {
    let digits = rest.get(..count).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    *rest = &rest[count..];
    Some(digits)
}

/// YYMMDD; years from 80 on are of the last century, as SWIFT has it.
pub(super) fn day(date: &str) -> Option<Day> {
    let (year, rest) = year_of(date)?;
    day_in(year, rest)
}

fn year_of(date: &str) -> Option<(i16, &str)> {
    let (year, rest) = date.split_at_checked(2)?;
    let year: i16 = year.parse().ok()?;
    Some((if year >= 80 { 1900 + year } else { 2000 + year }, rest))
}

fn day_in(year: i16, month_day: &str) -> Option<Day> {
    let (month, day) = month_day.split_at_checked(2)?;
    Day::new(year, month.parse().ok()?, day.parse().ok()?).ok()
}

/// The entry date has no year: it is the one nearest to the value date.
fn nearest(entry: &str, value: &str, value_day: Option<Day>) -> Option<Day> {
    let (year, _) = year_of(value)?;
    let Some(value_day) = value_day else { return day_in(year, entry) };
    [year - 1, year, year + 1]
        .into_iter()
        .filter_map(|year| day_in(year, entry))
        .min_by_key(|day| day.days_since(value_day).unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eur(text: &str) -> Parsed {
        parse(text, Currency::EUR).unwrap()
    }

    fn strings(parsed: &Parsed) -> [Option<&str>; 3] {
        [parsed.code.as_deref(), parsed.customer.as_deref(), parsed.bank.as_deref()]
    }

    #[test]
    fn every_dialect_of_mark_and_amount_has_the_right_sign() {
        for (text, minor, reversal) in [
            ("2001010101D65,00NOVB", -6_500, false),
            ("240312    DD212,39NMSCNONREF//", -21_239, false),
            ("0709040904RCR204,88NRTINONREF", -20_488, true),
            ("0709040904RD204,88NRTINONREF", 20_488, true),
            ("0709040904CR300,NTRFNONREF", 30_000, false),
            ("180417CF2066637,00N527", 206_663_700, false),
            ("030109C000000000300.00NMSC170059286", 30_000, false),
            ("1312091209C79,7FMSC01916//NONREF", 7_970, false),
            ("1312091209C500", 50_000, false),
            ("1312091209C 500,25NTRF", 50_025, false),
        ] {
            let parsed = eur(text);
            assert_eq!((parsed.amount.minor(), parsed.reversal), (minor, reversal), "{text}");
        }
        assert!(eur("240312EC1,NTRF").expected && eur("240312ED1,NTRF").amount.is_negative());
    }

    #[test]
    fn references_are_found_behind_the_amount() {
        assert_eq!(
            strings(&eur("2402010201CR1,NTRF12345678901234//BANK-77")),
            [Some("NTRF"), Some("12345678901234"), Some("BANK-77")]
        );
        assert_eq!(strings(&eur("2011301130C220000,00//19239782213")), [None, None, Some("19239782213")]);
        assert_eq!(strings(&eur("0709040904DR1,NTRFKREF+//8AE3")), [Some("NTRF"), None, Some("8AE3")]);
        let long = eur("2001010101D65,00NOVBNL47INGB9999999999\nexample name");
        assert_eq!(strings(&long), [Some("NOVB"), Some("NL47INGB9999999999"), None]);
        assert_eq!(long.supplementary, ["example name"]);
        let padded = eur("030111D5.00NMSC1173113681      EXAMPLE FUND");
        assert_eq!(strings(&padded), [Some("NMSC"), Some("1173113681"), None]);
        assert_eq!(padded.supplementary, ["EXAMPLE FUND"]);
    }

    #[test]
    fn the_entry_date_takes_the_year_nearest_to_the_value_date() {
        let days = |text| {
            let parsed = eur(text);
            (parsed.value_day.unwrap().to_string(), parsed.booking_day.unwrap().to_string())
        };
        assert_eq!(days("2501021230C1,"), ("2025-01-02".into(), "2024-12-30".into()));
        assert_eq!(days("2412310102C1,"), ("2024-12-31".into(), "2025-01-02".into()));
        assert_eq!(days("2403010229C1,"), ("2024-03-01".into(), "2024-02-29".into()));
        assert_eq!(days("990105C1,"), ("1999-01-05".into(), "1999-01-05".into()));
    }

    #[test]
    fn a_day_that_does_not_exist_is_told_and_the_money_is_kept() {
        let parsed = eur("1602300301DR6,00N024NONREF");
        assert_eq!((parsed.amount.minor(), parsed.value_day), (-600, None));
        assert_eq!(parsed.booking_day.unwrap().to_string(), "2016-03-01");
        assert_eq!(parsed.oddities, ["the value date 160230 is no day of the calendar"]);
        assert_eq!(eur("1602280230DR6,00").booking_day, None);
    }

    #[test]
    fn three_decimals_are_kept_and_a_fourth_is_refused() {
        let dinars = |text| parse(text, Currency::JOD).map(|parsed| parsed.amount.minor());
        assert_eq!(dinars("261122D12,345NTRF"), Ok(-12_345));
        assert!(dinars("261122D12,3456NTRF").unwrap_err().contains("more than the 3 decimals"));
        assert!(parse("261122C12,345NTRF", Currency::ILS).is_err());
    }

    #[test]
    fn what_cannot_be_booked_is_refused_in_words() {
        for text in [
            "",
            "C1,00",
            "24031",
            "240312",
            "2403120312",
            "240312X1,",
            "240312CNTRF",
            "٢٤٠٣١٢C1,",
            "240312Cü1,",
        ] {
            assert!(parse(text, Currency::EUR).is_err(), "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn reading_never_panics(text in "[0-9]{0,10}[CDRE]{0,2}\\PC{0,40}") {
            drop(parse(&text, Currency::JOD));
        }
    }
}
