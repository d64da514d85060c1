//! Rates: the only place where a decimal fraction meets money, always with a named rounding.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::money::{Money, MoneyError};

/// A factor such as `0.16` (16%): at most 9 decimals and below one million, so that every product is exact.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rate(Decimal);

/// The text is not a rate within bounds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a rate: a decimal with at most 9 decimals, below one million, is expected")]
pub struct NotARate(pub String);

/// How a fraction of a minor unit is settled. The names say what happens to the magnitude.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// To the nearest step, a half away from zero (commercial rounding).
    HalfUp,
    /// To the nearest step, a half to the even neighbour.
    HalfEven,
    /// Away from zero.
    Up,
    /// Toward zero.
    Down,
}

const DECIMALS_MAX: u32 = 9;
const LIMIT: Decimal = Decimal::from_parts(1_000_000, 0, 0, false, 0);

impl Rate {
    pub const fn zero() -> Self {
        Self(Decimal::ZERO)
    }

    pub const fn one() -> Self {
        Self(Decimal::ONE)
    }

    pub fn decimal(self) -> Decimal {
        self.0
    }

    pub fn is_negative(self) -> bool {
        self.0.is_sign_negative() && !self.0.is_zero()
    }

    /// `money x rate`, rounded once to a multiple of `step_minor` minor units (1 for none).
    pub fn of(self, money: Money, rounding: Rounding, step_minor: i64) -> Result<Money, MoneyError> {
        let product = i128::from(money.minor()).checked_mul(self.0.mantissa()).ok_or(MoneyError::Overflow)?;
        let one = 10_i128.checked_pow(self.0.scale()).ok_or(MoneyError::Overflow)?;
        let step = i128::from(step_minor.max(1));
        let unit = one.checked_mul(step).ok_or(MoneyError::Overflow)?;
        let steps = rounding.divide(product, unit).ok_or(MoneyError::Overflow)?;
        let minor = steps.checked_mul(step).ok_or(MoneyError::Overflow)?;
        Ok(Money::new(i64::try_from(minor).map_err(|_| MoneyError::Overflow)?, money.currency()))
    }
}

impl Rounding {
    /// `value / unit` to a whole number; `unit` is positive. None on overflow or a unit of zero.
    pub fn divide(self, value: i128, unit: i128) -> Option<i128> {
        let quotient = value.checked_div(unit)?;
        let rest = value.checked_rem(unit)?;
        if rest == 0 {
            return Some(quotient);
        }
        let away = quotient.checked_add(rest.signum())?;
        let half = rest.checked_abs()?.checked_mul(2)?.cmp(&unit);
        Some(match (self, half) {
            (Self::Up, _) | (Self::HalfUp, std::cmp::Ordering::Equal) => away,
            (Self::Down, _) => quotient,
            (_, std::cmp::Ordering::Greater) => away,
            (_, std::cmp::Ordering::Less) => quotient,
            (Self::HalfEven, std::cmp::Ordering::Equal) => {
                if quotient.checked_rem(2)? == 0 {
                    quotient
                } else {
                    away
                }
            }
        })
    }
}

impl FromStr for Rate {
    type Err = NotARate;

    fn from_str(text: &str) -> Result<Self, NotARate> {
        let refuse = || NotARate(text.chars().take(40).collect());
        let decimal = Decimal::from_str_exact(text).map_err(|_| refuse())?.normalize();
        if decimal.scale() > DECIMALS_MAX || decimal.abs() >= LIMIT {
            return Err(refuse());
        }
        Ok(Self(decimal))
    }
}

impl TryFrom<String> for Rate {
    type Error = NotARate;

    fn try_from(text: String) -> Result<Self, NotARate> {
        text.parse()
    }
}

impl From<Rate> for String {
    fn from(rate: Rate) -> Self {
        rate.to_string()
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::currency::Currency;

    #[test]
    fn each_rounding_does_what_its_name_says() {
        let third: Rate = "0.5".parse().unwrap();
        let of = |minor, rounding| third.of(Money::new(minor, Currency::ILS), rounding, 1).unwrap().minor();
        for (minor, half_up, half_even, up, down) in
            [(5, 3, 2, 3, 2), (7, 4, 4, 4, 3), (-5, -3, -2, -3, -2), (4, 2, 2, 2, 2)]
        {
            assert_eq!(
                [Rounding::HalfUp, Rounding::HalfEven, Rounding::Up, Rounding::Down].map(|r| of(minor, r)),
                [half_up, half_even, up, down],
                "{minor}"
            );
        }
    }

    #[test]
    fn a_step_rounds_to_its_multiples() {
        let rate: Rate = "0.16".parse().unwrap();
        let money = Money::new(12_345, Currency::JOD); // 1,975.2 fils
        assert_eq!(rate.of(money, Rounding::HalfUp, 5).unwrap().minor(), 1_975);
        assert_eq!(rate.of(money, Rounding::Up, 10).unwrap().minor(), 1_980);
    }

    #[test]
    fn rates_out_of_bounds_are_refused() {
        for text in ["", "x", "1000000", "0.0000000001", "1e3", "NaN"] {
            assert!(text.parse::<Rate>().is_err(), "{text:?}");
        }
        assert_eq!("0.1600000000000".parse::<Rate>().unwrap().to_string(), "0.16");
    }

    proptest! {
        #[test]
        fn a_rounded_product_is_within_one_step(minor in any::<i32>(), ppm in 0_u32..10_000_000, step in 1_i64..50) {
            let rate = Rate(Decimal::new(i64::from(ppm), 6));
            let money = Money::new(i64::from(minor), Currency::JOD);
            let exact = i128::from(minor) * i128::from(ppm);
            for rounding in [Rounding::HalfUp, Rounding::HalfEven, Rounding::Up, Rounding::Down] {
                let got = rate.of(money, rounding, step).expect("in range").minor();
                prop_assert_eq!(got % step, 0);
                prop_assert!((i128::from(got) * 1_000_000 - exact).abs() < i128::from(step) * 1_000_000);
            }
        }
    }
}
