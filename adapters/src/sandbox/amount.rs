//! Money as this bank writes it: whole minor units and a currency of its own small table.

use std::fmt;

use serde::de::Error as _;
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One amount is below this many minor units; with at most a million lines no sum leaves an `i64`.
const MINOR_LIMIT: i64 = 1_000_000_000_000;

/// The currencies the sandbox keeps accounts in, with their decimals (ISO 4217).
const CURRENCIES: [(&str, usize); 6] =
    [("ILS", 2), ("JOD", 3), ("USD", 2), ("EUR", 2), ("EGP", 2), ("SYP", 2)];

/// A currency of the sandbox's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency {
    code: &'static str,
    decimals: usize,
}

impl Currency {
    /// The currency with this code, if the sandbox knows it.
    pub fn find(code: &str) -> Option<Self> {
        CURRENCIES.iter().find(|(known, _)| *known == code).map(|&(code, decimals)| Self { code, decimals })
    }

    pub fn code(self) -> &'static str {
        self.code
    }

    /// Minor units in one unit: 100, or 1000 for the dinar.
    pub fn unit(self) -> i64 {
        if self.decimals == 3 { 1000 } else { 100 }
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code)
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        Self::find(&code).ok_or_else(|| D::Error::custom(format!("unknown currency {code}")))
    }
}

/// An amount, which may be negative (a balance, a net).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount {
    pub minor: i64,
    pub currency: Currency,
}

impl Amount {
    pub fn zero(currency: Currency) -> Self {
        Self { minor: 0, currency }
    }

    /// Reads `12.500` with exactly the currency's decimals, no sign: what JSON carries.
    pub fn parse_exact(text: &str, currency: Currency) -> Option<Self> {
        let (_, fraction) = text.split_once('.')?;
        (fraction.len() == currency.decimals).then_some(())?;
        Self::parse_loose(text, currency)
    }

    /// Reads a decimal without sign and with at most the currency's decimals: what payment files carry.
    pub fn parse_loose(text: &str, currency: Currency) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || whole.len() > 15 || !digits(whole) || !digits(fraction) {
            return None;
        }
        let fraction = fraction.trim_end_matches('0');
        if fraction.len() > currency.decimals {
            return None;
        }
        let minor: i64 = format!("{whole}{fraction:0<width$}", width = currency.decimals).parse().ok()?;
        (minor < MINOR_LIMIT).then_some(Self { minor, currency })
    }

    /// Reads a decimal that may begin with a minus: openings and faults.
    pub fn parse_signed(text: &str, currency: Currency) -> Option<Self> {
        match text.strip_prefix('-') {
            Some(rest) => Self::parse_loose(rest, currency).map(Self::negated),
            None => Self::parse_loose(text, currency),
        }
    }

    pub fn negated(self) -> Self {
        Self { minor: -self.minor, ..self }
    }

    pub fn absolute(self) -> Self {
        Self { minor: self.minor.abs(), ..self }
    }

    /// The sum. Both are of one currency: callers keep accounts and items apart by currency.
    pub fn plus(self, other: Self) -> Self {
        assert_eq!(self.currency, other.currency, "sums stay within one currency");
        let minor = self.minor.checked_add(other.minor);
        Self { minor: minor.expect("a million amounts below 10^12 fit into an i64"), ..self }
    }

    pub fn minus(self, other: Self) -> Self {
        self.plus(other.negated())
    }

    /// The digits with another decimal mark: `12,500` for MT940.
    pub fn with_mark(self, mark: char) -> String {
        let digits = format!("{:0>width$}", self.minor.unsigned_abs(), width = self.currency.decimals + 1);
        let (whole, fraction) = digits.split_at(digits.len() - self.currency.decimals);
        format!("{}{whole}{mark}{fraction}", if self.minor < 0 { "-" } else { "" })
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.with_mark('.'))
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut pair = serializer.serialize_struct("Amount", 2)?;
        pair.serialize_field("amount", &self.to_string())?;
        pair.serialize_field("currency", self.currency.code)?;
        pair.end()
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Pair {
            amount: String,
            currency: Currency,
        }
        let pair = Pair::deserialize(deserializer)?;
        // A stored balance may be greater than one payment may be.
        let minor = pair.amount.replace('.', "").parse().map_err(D::Error::custom)?;
        let amount = Self { minor, currency: pair.currency };
        if amount.to_string() == pair.amount { Ok(amount) } else { Err(D::Error::custom("wrong decimals")) }
    }
}

/// A share such as `0.0145`: what the card contract takes of a capture.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    millionths: i64,
}

impl Rate {
    /// Reads a rate from 0 to 1 with at most six decimals.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if !matches!(whole, "0" | "1") || fraction.len() > 6 || !digits(fraction) {
            return None;
        }
        let millionths = format!("{whole}{fraction:0<6}").parse().ok()?;
        (millionths <= 1_000_000).then_some(Self { millionths })
    }

    /// The share of an amount, rounded half up to a minor unit.
    pub fn of(self, amount: Amount) -> Amount {
        let product = i128::from(amount.minor) * i128::from(self.millionths);
        let minor = i64::try_from((product + 500_000).div_euclid(1_000_000));
        Amount { minor: minor.expect("a share of at most one is no greater than the amount"), ..amount }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jod(text: &str) -> Option<Amount> {
        Amount::parse_exact(text, Currency::find("JOD")?)
    }

    #[test]
    fn the_dinar_keeps_three_decimals() {
        let amount = jod("12.345").unwrap();
        assert_eq!(
            (amount.minor, amount.to_string(), amount.with_mark(',')),
            (12345, "12.345".into(), "12,345".into())
        );
        assert_eq!(jod("0.005").unwrap().to_string(), "0.005");
        assert_eq!(jod("0.005").unwrap().negated().to_string(), "-0.005");
    }

    #[test]
    fn json_amounts_have_exactly_the_decimals_and_no_sign() {
        for wrong in [
            "12.34",
            "12.3450",
            "12",
            "-1.000",
            "+1.000",
            ".500",
            "1e3",
            "",
            "1.2.3",
            "٣.٠٠٠",
            "1000000000.000",
        ] {
            assert_eq!(jod(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn file_amounts_may_be_shorter_and_never_finer() {
        let ils = Currency::find("ILS").unwrap();
        for (text, minor) in [("500", 50_000), ("52.5", 5250), ("52.500", 5250), ("0.01", 1)] {
            assert_eq!(Amount::parse_loose(text, ils).unwrap().minor, minor, "{text}");
        }
        assert_eq!(Amount::parse_loose("1.005", ils), None);
    }

    #[test]
    fn a_share_is_rounded_half_up() {
        let ils = Currency::find("ILS").unwrap();
        let rate = Rate::parse("0.015").unwrap();
        for (minor, share) in [(12000, 180), (100, 2), (99, 1), (33, 0), (34, 1)] {
            assert_eq!(rate.of(Amount { minor, currency: ils }).minor, share, "{minor}");
        }
        for wrong in ["1.1", "2", "", "0.0000001", "-0.1", "0,1"] {
            assert!(Rate::parse(wrong).is_none(), "{wrong}");
        }
    }
}
