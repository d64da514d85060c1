//! `POST /v1/payment-intents/{id}/fulfilment`: what became of the services that were paid.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{FulfilmentError, Outcome, Report, Reported};
use super::service;
use super::view::ReportView;
use crate::access::Scope;
use crate::app::App;
use crate::http::call::Call;
use crate::http::once::Answer;
use crate::http::openapi::Refusals;
use crate::http::path::Path;
use crate::http::problem::{Code, Faults, FieldCode, FieldError, Problem};
use crate::ids::IntentId;

/// Lines of one report: as many as a basket has.
const LINES_MAX: usize = 500;

pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(report))
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FulfilmentReport)]
struct Body {
    lines: Vec<LineBody>,
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FulfilledLine)]
struct LineBody {
    line: usize,
    outcome: Outcome,
    reason: Option<String>,
}

impl Body {
    fn read(self, intent: IntentId, agencies: Vec<String>) -> Result<Report, Problem> {
        let mut faults = Faults::default();
        if self.lines.is_empty() {
            faults.add("/lines", FieldCode::Empty);
        }
        if self.lines.len() > LINES_MAX {
            faults.add("/lines", FieldCode::TooMany);
        }
        let mut seen = BTreeSet::new();
        for (place, one) in self.lines.iter().enumerate().take(LINES_MAX) {
            let pointer = |field: &str| format!("/lines/{place}/{field}");
            if !seen.insert(one.line) {
                faults.add(pointer("line"), FieldCode::NotAllowed);
            }
            match (&one.outcome, &one.reason) {
                (Outcome::Rejected, None) => faults.add(pointer("reason"), FieldCode::Required),
                (_, Some(reason)) => faults.text(&pointer("reason"), reason, 500),
                (Outcome::Delivered, None) => {}
            }
        }
        faults.finish()?;
        let lines = self.lines.into_iter().map(|one| Reported {
            line: one.line,
            outcome: one.outcome,
            reason: one.reason,
        });
        Ok(Report { intent, agencies, lines: lines.collect() })
    }
}

/// Report what became of the services that were paid, line by line.
///
/// The key holds `fulfil:<agency>` of the line's agency, and is told of that agency's lines alone. Refuses with `intent_not_paid`, `already_decided`, `not_found`,
/// `validation_failed`.
#[utoipa::path(post, path = "/v1/payment-intents/{id}/fulfilment", tag = "payments", params(("id" = String, Path)), request_body = Body, responses((status = OK, body = ReportView), Refusals))]
async fn report(State(app): State<App>, Path(id): Path<String>, call: Call) -> Result<Answer, Problem> {
    let agencies: Vec<String> = call.caller.scopes.iter().filter_map(agency).collect();
    if agencies.is_empty() {
        return Err(Problem::new(Code::ForbiddenScope).detail("this key lacks a scope fulfil:<agency>"));
    }
    let id: IntentId = id.parse().map_err(|_| Problem::new(Code::NotFound))?;
    let asked = call.json::<Body>()?.read(id, agencies)?;
    app.once(&call, StatusCode::OK, &asked, |tx, asked| Box::pin(service::report(tx, asked))).await
}

fn agency(scope: &Scope) -> Option<String> {
    match scope {
        Scope::Fulfil(agency) => Some(agency.clone()),
        _ => None,
    }
}

impl From<FulfilmentError> for Problem {
    fn from(error: FulfilmentError) -> Self {
        let detail = error.to_string();
        let problem = match error {
            FulfilmentError::NotFound => Self::new(Code::NotFound),
            FulfilmentError::NotPaid { state } => {
                Self::new(Code::IntentNotPaid).with("state", state.as_str())
            }
            FulfilmentError::NoSuchLine { place, .. } => Self::new(Code::ValidationFailed)
                .field(FieldError::new(format!("/lines/{place}/line"), FieldCode::OutOfRange)),
            FulfilmentError::OtherAgency { .. } => Self::new(Code::ForbiddenScope),
            FulfilmentError::AlreadyRejected { .. } => Self::new(Code::AlreadyDecided),
            FulfilmentError::Fault(fault) => return fault.into(),
        };
        problem.detail(detail)
    }
}
