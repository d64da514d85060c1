//! Durations of calls and their percentiles.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;

/// The calls of a payment, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    Quote,
    Intent,
    /// The payer chooses the card and is sent to the gateway's page.
    Page,
    Callback,
    /// From sending the callback until the API shows the payment as paid; looked at for some payments only.
    Posted,
    /// From sending the callback until the webhook of `payment_intent.paid` arrives.
    Webhook,
}

/// What was measured so far. Shared by all clients.
#[derive(Debug, Default)]
pub struct Times(Mutex<BTreeMap<Call, Vec<u32>>>);

impl Times {
    pub fn add(&self, call: Call, took: Duration) {
        let micros = u32::try_from(took.as_micros()).unwrap_or(u32::MAX);
        let mut times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        times.entry(call).or_default().push(micros);
    }

    /// Takes everything measured so far.
    pub fn take(&self) -> BTreeMap<Call, Vec<u32>> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// How long one kind of call took.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Summary {
    pub count: usize,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
}

impl Summary {
    pub fn of(mut micros: Vec<u32>) -> Self {
        micros.sort_unstable();
        Self {
            count: micros.len(),
            p50_ms: percentile(&micros, 50),
            p99_ms: percentile(&micros, 99),
            max_ms: percentile(&micros, 100),
        }
    }
}

/// Nearest rank: the smallest value that at least `percent` of all values do not exceed, in milliseconds.
fn percentile(sorted: &[u32], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    let micros = sorted.get(rank - 1).copied().unwrap_or(0);
    (f64::from(micros) / 10.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let summary = Summary::of((1..=200).rev().map(|ms| ms * 1_000).collect());
        assert_eq!(summary, Summary { count: 200, p50_ms: 100.0, p99_ms: 198.0, max_ms: 200.0 });
        assert_eq!(Summary::of(vec![1_234]), Summary { count: 1, p50_ms: 1.23, p99_ms: 1.23, max_ms: 1.23 });
    }

    #[test]
    fn nothing_measured_is_zero() {
        assert_eq!(Summary::of(Vec::new()), Summary { count: 0, p50_ms: 0.0, p99_ms: 0.0, max_ms: 0.0 });
    }

    #[test]
    fn what_was_taken_is_gone() {
        let times = Times::default();
        times.add(Call::Quote, Duration::from_micros(7));
        assert_eq!(times.take().get(&Call::Quote), Some(&vec![7]));
        assert!(times.take().is_empty());
    }
}
