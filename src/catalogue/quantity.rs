//! Quantities: how much of something is charged for, in millionths. Never a float.

use std::fmt;
use std::str::FromStr;

use mizan_ledger::{Currency, Money, MoneyError, Rounding};
use serde::{Deserialize, Serialize};

/// A count, area, weight or capacity with up to six decimals: `3`, `120.5`. Never negative.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String)]
pub struct Quantity(i64);

/// The text is not a quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a quantity: digits with at most 6 decimals are expected, as in \"120.5\"")]
pub struct NotAQuantity(pub String);

const DECIMALS_MAX: usize = 6;
const ONE: i64 = 1_000_000;

impl Quantity {
    pub const ZERO: Self = Self(0);

    /// A whole number of units; None below zero or above 9,223,372,036,854.
    pub fn whole(units: i64) -> Option<Self> {
        if units < 0 { None } else { units.checked_mul(ONE).map(Self) }
    }

    pub fn is_whole(self) -> bool {
        self.0 % ONE == 0
    }

    /// How many decimals are needed to write it: 0 for `3`, 1 for `120.5`.
    pub fn decimals(self) -> usize {
        self.to_string().split_once('.').map_or(0, |(_, fraction)| fraction.len())
    }

    /// What is left after `other`; zero when `other` is more.
    pub fn less(self, other: Self) -> Self {
        Self((self.0 - other.0).max(0))
    }

    /// `sum(quantity x amount)`, rounded once, at the end, to a multiple of `step_minor`.
    pub fn charge(
        parts: &[(Self, Money)],
        currency: Currency,
        rounding: Rounding,
        step_minor: i64,
    ) -> Result<Money, MoneyError> {
        let mut millionths: i128 = 0;
        for (quantity, amount) in parts {
            amount.checked_add(Money::zero(currency))?;
            let product = i128::from(quantity.0) * i128::from(amount.minor());
            millionths = millionths.checked_add(product).ok_or(MoneyError::Overflow)?;
        }
        let step = i128::from(step_minor.max(1));
        let unit = i128::from(ONE) * step;
        let minor = rounding.divide(millionths, unit).and_then(|steps| steps.checked_mul(step));
        let minor = minor.and_then(|minor| i64::try_from(minor).ok()).ok_or(MoneyError::Overflow)?;
        Ok(Money::new(minor, currency))
    }
}

impl FromStr for Quantity {
    type Err = NotAQuantity;

    fn from_str(text: &str) -> Result<Self, NotAQuantity> {
        let refuse = || NotAQuantity(text.chars().take(40).collect());
        let (whole, fraction) = match text.split_once('.') {
            Some((_, "")) => return Err(refuse()),
            Some(parts) => parts,
            None => (text, ""),
        };
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > DECIMALS_MAX {
            return Err(refuse());
        }
        format!("{whole}{fraction:0<DECIMALS_MAX$}").parse().map(Self).map_err(|_| refuse())
    }
}

impl TryFrom<String> for Quantity {
    type Error = NotAQuantity;

    fn try_from(text: String) -> Result<Self, NotAQuantity> {
        text.parse()
    }
}

impl From<Quantity> for String {
    fn from(quantity: Quantity) -> Self {
        quantity.to_string()
    }
}

/// The shortest decimal: `120.5`, `3`.
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fraction = format!("{:0DECIMALS_MAX$}", self.0 % ONE);
        match fraction.trim_end_matches('0') {
            "" => write!(f, "{}", self.0 / ONE),
            fraction => write!(f, "{}.{fraction}", self.0 / ONE),
        }
    }
}

impl fmt::Debug for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quantities_are_read_exactly_or_refused() {
        assert_eq!("120.50".parse::<Quantity>().unwrap().to_string(), "120.5");
        assert_eq!("0.000001".parse::<Quantity>().unwrap(), Quantity(1));
        assert_eq!("007".parse::<Quantity>().unwrap(), Quantity::whole(7).unwrap());
        for text in ["", ".", "1.", ".5", "-1", "+1", "1e3", "1,5", "0.0000001", "٣", "99999999999999"] {
            assert!(text.parse::<Quantity>().is_err(), "{text:?}");
        }
        assert_eq!(Quantity::whole(-1), None);
        assert_eq!(Quantity::whole(i64::MAX), None);
    }

    #[test]
    fn a_sum_rounds_once_at_its_end() {
        let half: Quantity = "0.5".parse().unwrap();
        let agora = Money::new(1, Currency::ILS);
        let charged = Quantity::charge(&[(half, agora), (half, agora)], Currency::ILS, Rounding::Down, 1);
        assert_eq!(charged, Ok(agora));
        let mixed = Quantity::charge(&[(half, agora)], Currency::JOD, Rounding::Down, 1);
        assert!(matches!(mixed, Err(MoneyError::CurrencyMismatch { .. })));
    }

    proptest! {
        #[test]
        fn a_quantity_survives_text(millionths in 0..=i64::MAX) {
            let quantity = Quantity(millionths);
            prop_assert_eq!(quantity.to_string().parse::<Quantity>(), Ok(quantity));
        }

        #[test]
        fn whole_units_cost_exactly_their_product(units in 0_i64..1_000_000, minor in 0_i64..1_000_000_000) {
            let amount = Money::new(minor, Currency::JOD);
            let units_charged = Quantity::whole(units).expect("small");
            let charged = Quantity::charge(&[(units_charged, amount)], Currency::JOD, Rounding::Up, 1);
            prop_assert_eq!(charged, amount.checked_mul(units));
        }

        #[test]
        fn reading_a_quantity_never_panics(text in "\\PC{0,24}") {
            drop(text.parse::<Quantity>());
        }
    }
}
