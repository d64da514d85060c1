//! The faults in force: how the sandbox misbehaves when it is asked to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Everything that can be made to go wrong. The default is that nothing does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Faults {
    pub callback: CallbackFault,
    pub callback_delay_ms: u64,
    pub api: ApiFault,
    pub queries: ApiFault,
    pub refunds: RefundFault,
    pub orders: BTreeMap<String, OrderFaults>,
    pub settlement_cost: Option<String>,
    pub settle_next_day: Vec<String>,
    pub drop_from_settlement: Vec<String>,
    pub omit_statement_line: usize,
    pub statement_amount: Option<String>,
    pub statement_account: Option<String>,
}

/// Faults of one order or refund; what is not named is as for all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OrderFaults {
    pub callback: Option<CallbackFault>,
    pub callback_delay_ms: Option<u64>,
    pub api: Option<ApiFault>,
    pub queries: Option<ApiFault>,
    pub refunds: Option<RefundFault>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallbackFault {
    #[default]
    Normal,
    Duplicate,
    Lost,
    WrongSignature,
    Altered,
    Reorder,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ApiFault {
    #[default]
    #[serde(rename = "normal")]
    Normal,
    #[serde(rename = "silent")]
    Silent,
    #[serde(rename = "error_500")]
    Error500,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundFault {
    #[default]
    Normal,
    Fail,
    Hold,
}

/// The longest wait before the first try of a callback.
const DELAY_MS_MAX: u64 = 3_600_000;

impl Faults {
    /// Whether the limits are kept: an hour of delay, a thousand orders in each list.
    pub fn within_limits(&self) -> bool {
        let delays = self.orders.values().filter_map(|order| order.callback_delay_ms);
        delays.chain([self.callback_delay_ms]).all(|delay| delay <= DELAY_MS_MAX)
            && [self.orders.len(), self.settle_next_day.len(), self.drop_from_settlement.len()]
                .iter()
                .all(|n| *n <= 1000)
    }

    pub fn callback(&self, names: &[&str]) -> (CallbackFault, u64) {
        let fault = self.single(names, |order| order.callback).unwrap_or(self.callback);
        (fault, self.single(names, |order| order.callback_delay_ms).unwrap_or(self.callback_delay_ms))
    }

    /// For calls that do something.
    pub fn api(&self, names: &[&str]) -> ApiFault {
        self.single(names, |order| order.api).unwrap_or(self.api)
    }

    /// For calls that only ask.
    pub fn queries(&self, names: &[&str]) -> ApiFault {
        self.single(names, |order| order.queries).unwrap_or(self.queries)
    }

    pub fn refund(&self, names: &[&str]) -> RefundFault {
        self.single(names, |order| order.refunds).unwrap_or(self.refunds)
    }

    /// The first of these names that has a fault of this kind of its own.
    fn single<T>(&self, names: &[&str], fault: impl Fn(&OrderFaults) -> Option<T>) -> Option<T> {
        names.iter().find_map(|name| self.orders.get(*name).and_then(&fault))
    }
}

/// Takes a name out of a list of orders: these faults happen once.
pub fn take(list: &mut Vec<String>, name: &str) -> bool {
    let before = list.len();
    list.retain(|listed| listed != name);
    list.len() < before
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_of_one_order_goes_before_that_of_all() {
        let faults: Faults = serde_json::from_str(
            r#"{"callback": "lost", "callback_delay_ms": 5, "orders": {"A-1": {"callback": "duplicate", "api": "silent"}}}"#,
        )
        .unwrap();
        assert_eq!(faults.callback(&["A-1"]), (CallbackFault::Duplicate, 5));
        assert_eq!(faults.callback(&["A-2"]), (CallbackFault::Lost, 5));
        assert_eq!(faults.callback(&["R-1", "A-1"]), (CallbackFault::Duplicate, 5));
        assert_eq!((faults.api(&["A-1"]), faults.api(&["A-2"])), (ApiFault::Silent, ApiFault::Normal));
    }

    #[test]
    fn unknown_faults_are_refused() {
        assert!(serde_json::from_str::<Faults>(r#"{"callbacks": "lost"}"#).is_err());
        assert!(serde_json::from_str::<Faults>(r#"{"callback": "late"}"#).is_err());
    }
}
