//! What a gateway keeps of each payment, by contract: the explained part of a cost line.

use mizan_ledger::{Money, MoneyError, Rate, Rounding};
use serde::Deserialize;

/// The contract cost of one captured payment: `rate` x amount, rounded once, + `fixed_minor`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContractCost {
    pub rate: Rate,
    /// In minor units of the payment's currency; a contract with several fixed fees is one per currency.
    #[serde(default)]
    pub fixed_minor: i64,
    pub rounding: Rounding,
}

impl ContractCost {
    /// What the contract says this payment costs. Fails only when the result is out of range.
    pub fn of(&self, payment: Money) -> Result<Money, MoneyError> {
        // The fixed part is whole, so rounding before or after adding it is the same.
        self.rate.of(payment, self.rounding, 1)?.checked_add(Money::new(self.fixed_minor, payment.currency()))
    }
}

#[cfg(test)]
mod tests {
    use mizan_ledger::Currency;

    use super::*;

    fn cost(rate: &str, fixed_minor: i64) -> ContractCost {
        ContractCost { rate: rate.parse().unwrap(), fixed_minor, rounding: Rounding::HalfUp }
    }

    #[test]
    fn a_payment_costs_its_rate_rounded_half_up_and_the_fixed_part() {
        // 0.9% of 120.50 is 1.0845.
        let payment = Money::new(12_050, Currency::ILS);
        assert_eq!(cost("0.009", 50).of(payment), Ok(Money::new(158, Currency::ILS)));
        // 1.5% of 0.100 is 0.0015: a half goes up.
        assert_eq!(cost("0.015", 0).of(Money::new(100, Currency::JOD)), Ok(Money::new(2, Currency::JOD)));
    }

    #[test]
    fn a_contract_is_read_strictly() {
        let read = |text: &str| serde_json::from_str::<ContractCost>(text);
        assert_eq!(
            read(r#"{"rate": "0.009", "fixed_minor": 50, "rounding": "half_up"}"#).unwrap(),
            cost("0.009", 50)
        );
        assert!(read(r#"{"rate": 0.009, "rounding": "half_up"}"#).is_err());
        assert!(read(r#"{"rate": "0.009", "rounding": "half_up", "fixed": 50}"#).is_err());
    }
}
