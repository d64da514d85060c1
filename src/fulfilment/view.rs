use serde::Serialize;

use super::model::Report;
use crate::ids::IntentId;
use crate::intents::Intent;
use crate::intents::view::FulfilmentView;
use crate::quoting::Basket;

/// What an agency's system is told of a payment: its own lines, and nothing of who paid or of other agencies.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = FulfilledLines)]
pub struct ReportView {
    /// The payment intent.
    pub id: IntentId,
    /// The lines of the key's agencies of which an outcome is known.
    pub fulfilment: Vec<FulfilmentView>,
}

pub fn told(intent: &Intent, basket: &Basket, report: &Report) -> ReportView {
    let own = |line: usize| {
        let agency = basket.lines.get(line).map(|line| line.priced.service.agency().as_str());
        report.agencies.iter().any(|own| Some(own.as_str()) == agency)
    };
    let known = intent.fulfilment.iter().filter(|(line, _)| own(*line));
    ReportView {
        id: intent.id,
        fulfilment: known.map(|(line, outcome)| FulfilmentView { line, outcome }).collect(),
    }
}
