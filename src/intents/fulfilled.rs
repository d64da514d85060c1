//! What became of the services of a paid intent, as their agencies reported it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The end of one service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FulfilmentOutcome)]
pub enum Outcome {
    Delivered,
    Rejected,
}

/// The lines that were reported, by their place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fulfilment(BTreeMap<usize, Outcome>);

impl Fulfilment {
    pub fn of(&self, line: usize) -> Option<Outcome> {
        self.0.get(&line).copied()
    }

    pub fn report(&mut self, line: usize, outcome: Outcome) {
        self.0.insert(line, outcome);
    }

    pub fn iter(&self) -> impl Iterator<Item = (usize, Outcome)> + '_ {
        self.0.iter().map(|(line, outcome)| (*line, *outcome))
    }
}
