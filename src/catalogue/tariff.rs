//! Amounts by currency, and how what is computed from them is rounded.

use std::collections::BTreeMap;

use mizan_ledger::{Currency, Money, Rounding};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An amount per currency, each set by the law itself: no rate ever leads from one to another.
#[derive(Debug, Clone, Default, PartialEq, Eq, utoipa::ToSchema)]
#[schema(value_type = BTreeMap<String, String>)]
pub struct Tariff(BTreeMap<Currency, Money>);

impl Tariff {
    /// A later amount of the same currency takes the place of an earlier one.
    pub fn new(amounts: impl IntoIterator<Item = Money>) -> Self {
        Self(amounts.into_iter().map(|amount| (amount.currency(), amount)).collect())
    }

    pub fn get(&self, currency: Currency) -> Option<Money> {
        self.0.get(&currency).copied()
    }

    pub fn amounts(&self) -> impl Iterator<Item = Money> {
        self.0.values().copied()
    }
}

/// `{"ILS": "35.00", "JOD": "7.000"}`.
impl Serialize for Tariff {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(currency, amount)| (currency, amount.amount())))
    }
}

impl<'de> Deserialize<'de> for Tariff {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let texts = BTreeMap::<Currency, String>::deserialize(deserializer)?;
        let amounts = texts.iter().map(|(currency, text)| Money::parse(text, *currency));
        Ok(Self::new(amounts.collect::<Result<Vec<_>, _>>().map_err(serde::de::Error::custom)?))
    }
}

/// How a fraction is settled: once, to a multiple of the currency's step (one minor unit unless named).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RoundingRule {
    #[schema(value_type = String)]
    pub mode: Rounding,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub step_minor: BTreeMap<Currency, i64>,
}

impl RoundingRule {
    pub fn step(&self, currency: Currency) -> i64 {
        self.step_minor.get(&currency).copied().unwrap_or(1)
    }

    pub(super) fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for RoundingRule {
    fn default() -> Self {
        Self { mode: Rounding::HalfUp, step_minor: BTreeMap::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tariff_survives_json() {
        let tariff = Tariff::new([Money::new(3_500, Currency::ILS), Money::new(7_000, Currency::JOD)]);
        let json = serde_json::to_string(&tariff).unwrap();
        assert_eq!(json, r#"{"ILS":"35.00","JOD":"7.000"}"#);
        assert_eq!(serde_json::from_str::<Tariff>(&json).unwrap(), tariff);
        assert!(serde_json::from_str::<Tariff>(r#"{"JOD":"0.0005"}"#).is_err());
        assert!(serde_json::from_str::<Tariff>(r#"{"XXX":"1"}"#).is_err());
    }
}
