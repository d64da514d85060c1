//! Money: a whole number of minor units with its currency. Never a float, never converted implicitly.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::currency::Currency;

/// An amount of one currency in its minor units (agorot, fils, cents). May be negative.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

/// Why an amount could not be read or computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    #[error("{0:?} is not an amount: digits with at most one decimal point are expected, as in \"12.500\"")]
    NotAnAmount(String),
    #[error("{text:?} has more than the {exponent} decimals of {currency}")]
    TooPrecise { text: String, currency: Currency, exponent: u8 },
    #[error("the amount is out of range")]
    Overflow,
    #[error("{left} and {right} are different currencies")]
    CurrencyMismatch { left: Currency, right: Currency },
}

impl Money {
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    pub const fn zero(currency: Currency) -> Self {
        Self { minor: 0, currency }
    }

    /// The number of minor units.
    pub const fn minor(self) -> i64 {
        self.minor
    }

    pub const fn currency(self) -> Currency {
        self.currency
    }

    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }

    pub const fn is_negative(self) -> bool {
        self.minor < 0
    }

    pub const fn is_positive(self) -> bool {
        self.minor > 0
    }

    /// Reads a decimal amount such as `12.5` or `-0.005`: ASCII digits, at most the currency's decimals.
    /// Fewer decimals are accepted, more are refused even when they are zeros.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        Self::parse_decimals(text, currency, |_| false)
    }

    /// As [`Money::parse`], but further decimals are accepted while they are zeros (`10.50000`), as bank
    /// files print them.
    pub fn parse_padded(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        Self::parse_decimals(text, currency, |rest| rest.bytes().all(|digit| digit == b'0'))
    }

    fn parse_decimals(
        text: &str,
        currency: Currency,
        may_drop: fn(&str) -> bool,
    ) -> Result<Self, MoneyError> {
        let not_an_amount = || MoneyError::NotAnAmount(text.chars().take(40).collect());
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = match digits.split_once('.') {
            Some((_, "")) => return Err(not_an_amount()),
            Some(parts) => parts,
            None => (digits, ""),
        };
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
            return Err(not_an_amount());
        }
        let exponent = usize::from(currency.exponent());
        let (kept, rest) = fraction.split_at(fraction.len().min(exponent));
        if !rest.is_empty() && !may_drop(rest) {
            return Err(MoneyError::TooPrecise {
                text: text.chars().take(40).collect(),
                currency,
                exponent: currency.exponent(),
            });
        }
        let padding = exponent.saturating_sub(kept.len());
        let mut minor: i128 = 0;
        for digit in whole.bytes().chain(kept.bytes()).chain(std::iter::repeat_n(b'0', padding)) {
            let digit = i128::from(digit.saturating_sub(b'0'));
            minor = minor
                .checked_mul(10)
                .and_then(|shifted| shifted.checked_add(digit))
                .ok_or(MoneyError::Overflow)?;
        }
        let signed = if negative { minor.checked_neg().ok_or(MoneyError::Overflow)? } else { minor };
        Ok(Self { minor: i64::try_from(signed).map_err(|_| MoneyError::Overflow)?, currency })
    }

    /// The decimal text with exactly the currency's decimals: `12.500`.
    pub fn amount(self) -> String {
        let exponent = usize::from(self.currency.exponent());
        let sign = if self.minor < 0 { "-" } else { "" };
        let digits = format!("{:0width$}", self.minor.unsigned_abs(), width = exponent.saturating_add(1));
        let (whole, fraction) = digits.split_at(digits.len().saturating_sub(exponent));
        if exponent == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
    }

    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let minor = self.minor.checked_add(other.minor).ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let minor = self.minor.checked_sub(other.minor).ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    pub fn checked_neg(self) -> Result<Self, MoneyError> {
        let minor = self.minor.checked_neg().ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    pub fn checked_mul(self, times: i64) -> Result<Self, MoneyError> {
        let minor = self.minor.checked_mul(times).ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    /// Adds up amounts of `currency`; an empty list is zero.
    pub fn sum(currency: Currency, parts: impl IntoIterator<Item = Self>) -> Result<Self, MoneyError> {
        parts.into_iter().try_fold(Self::zero(currency), Self::checked_add)
    }

    /// Compares two amounts of one currency.
    pub fn compare(self, other: Self) -> Result<Ordering, MoneyError> {
        self.same_currency(other)?;
        Ok(self.minor.cmp(&other.minor))
    }

    /// Splits the amount in proportion to the weights by largest remainder: the parts add up to the whole,
    /// ties go to the earlier part. All weights zero: everything to the first.
    pub fn allocate(self, weights: &[u64]) -> Result<Vec<Self>, MoneyError> {
        let total: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
        let whole = u128::from(self.minor.unsigned_abs());
        let mut shares: Vec<u128> = Vec::with_capacity(weights.len());
        let mut remainders: Vec<(u128, usize)> = Vec::with_capacity(weights.len());
        for (index, weight) in weights.iter().enumerate() {
            let product = whole.checked_mul(u128::from(*weight)).ok_or(MoneyError::Overflow)?;
            shares.push(product.checked_div(total).unwrap_or(if index == 0 { whole } else { 0 }));
            remainders.push((product.checked_rem(total).unwrap_or(0), index));
        }
        let given: u128 = shares.iter().sum();
        remainders.sort_by(|(left, left_index), (right, right_index)| {
            right.cmp(left).then(left_index.cmp(right_index))
        });
        let left_over = usize::try_from(whole.saturating_sub(given)).map_err(|_| MoneyError::Overflow)?;
        for (_, index) in remainders.into_iter().take(left_over) {
            if let Some(share) = shares.get_mut(index) {
                *share = share.saturating_add(1);
            }
        }
        shares
            .into_iter()
            .map(|share| {
                let share = i128::try_from(share).map_err(|_| MoneyError::Overflow)?;
                let signed = if self.minor < 0 { share.checked_neg() } else { Some(share) };
                let minor = signed.and_then(|minor| i64::try_from(minor).ok()).ok_or(MoneyError::Overflow)?;
                Ok(Self { minor, ..self })
            })
            .collect()
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            return Ok(());
        }
        Err(MoneyError::CurrencyMismatch { left: self.currency, right: other.currency })
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount(), self.currency)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// `{"amount": "12.500", "currency": "JOD"}`: a decimal string, never a JSON number.
impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        MoneyText { amount: self.amount(), currency: self.currency.code().to_owned() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = MoneyText::deserialize(deserializer)?;
        let currency = text.currency.parse().map_err(serde::de::Error::custom)?;
        Self::parse(&text.amount, currency).map_err(serde::de::Error::custom)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MoneyText {
    amount: String,
    currency: String,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_currency() -> impl Strategy<Value = Currency> {
        prop_oneof![
            Just(Currency::JPY),
            Just(Currency::ILS),
            Just(Currency::JOD),
            Just("CLF".parse().expect("in the table")),
        ]
    }

    fn edge_amount() -> impl Strategy<Value = i64> {
        prop_oneof![Just(i64::MIN), Just(i64::MAX), Just(0), Just(1), Just(-1), any::<i64>()]
    }

    proptest! {
        #[test]
        fn every_amount_survives_text_and_json(minor in edge_amount(), currency in any_currency()) {
            let money = Money::new(minor, currency);
            prop_assert_eq!(Money::parse(&money.amount(), currency), Ok(money));
            let json = serde_json::to_string(&money).expect("serializes");
            prop_assert_eq!(serde_json::from_str::<Money>(&json).expect("parses"), money);
        }

        #[test]
        fn shares_add_up_and_differ_by_less_than_one(
            minor in edge_amount(),
            weights in prop::collection::vec(0_u64..1_000_000, 1..20),
        ) {
            let money = Money::new(minor, Currency::JOD);
            let shares = money.allocate(&weights).expect("in range");
            let total: i128 = shares.iter().map(|share| i128::from(share.minor())).sum();
            prop_assert_eq!(total, i128::from(minor));
            let weight_sum: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
            if weight_sum > 0 {
                for (share, weight) in shares.iter().zip(&weights) {
                    let exact = i128::from(minor) * i128::from(*weight);
                    prop_assert!((i128::from(share.minor()) * weight_sum - exact).abs() < weight_sum);
                }
            }
        }

        #[test]
        fn parsing_never_panics(text in "\\PC{0,24}") {
            drop(Money::parse(&text, Currency::JOD));
            drop(Money::parse_padded(&text, Currency::JPY));
        }
    }

    #[test]
    fn amounts_are_read_exactly_or_refused() {
        let read = |text| Money::parse(text, Currency::JOD);
        assert_eq!(read("12.5"), Ok(Money::new(12_500, Currency::JOD)));
        assert_eq!(read("-0.001"), Ok(Money::new(-1, Currency::JOD)));
        assert_eq!(read("007"), Ok(Money::new(7_000, Currency::JOD)));
        assert!(matches!(read("0.0005"), Err(MoneyError::TooPrecise { .. })));
        assert!(matches!(read("1.0000"), Err(MoneyError::TooPrecise { .. })));
        for text in ["", "-", ".", ".5", "5.", "1,5", "1 000", "1e3", "+1", "٥", "--1", "1.2.3", "NaN"] {
            assert!(matches!(read(text), Err(MoneyError::NotAnAmount(_))), "{text:?}");
        }
        assert_eq!(read("9223372036854775.808"), Err(MoneyError::Overflow));
        assert_eq!(Money::parse(&"9".repeat(60), Currency::JPY), Err(MoneyError::Overflow));
    }

    #[test]
    fn padded_zeros_are_accepted_only_where_asked() {
        assert_eq!(Money::parse_padded("10.50000", Currency::ILS), Ok(Money::new(1_050, Currency::ILS)));
        assert!(Money::parse_padded("10.50001", Currency::ILS).is_err());
    }

    #[test]
    fn json_numbers_are_refused() {
        assert!(serde_json::from_str::<Money>(r#"{"amount": 12.5, "currency": "JOD"}"#).is_err());
        assert!(serde_json::from_str::<Money>(r#"{"amount": "12.5", "currency": "JOD", "x": 1}"#).is_err());
    }

    #[test]
    fn currencies_never_mix() {
        let ils = Money::new(1, Currency::ILS);
        assert!(ils.checked_add(Money::new(1, Currency::JOD)).is_err());
        assert!(ils.compare(Money::zero(Currency::USD)).is_err());
    }
}
