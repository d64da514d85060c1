//! `/v1/finance/jobs/{id}/retry`: what staff do with work that was given up.

use axum::extract::State;
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::given_up::{self, JobError, Retried};
use crate::access::Scope;
use crate::app::App;
use crate::http::call::Call;
use crate::http::once::Answer;
use crate::http::openapi::Refusals;
use crate::http::path::Path;
use crate::http::problem::{Code, Problem};

pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(retry))
}

/// Have work tried again that was given up, after the cause is gone.
///
/// It is taken up within a second and has all its tries again; its break ends when it is done. Refuses with `already_decided`
/// when it was not given up, or when another job does the same work already, `not_found`.
#[utoipa::path(post, path = "/v1/finance/jobs/{id}/retry", tag = "finance", params(("id" = i64, Path)), responses((status = OK, body = Retried), Refusals))]
async fn retry(State(app): State<App>, Path(id): Path<i64>, call: Call) -> Result<Answer, Problem> {
    call.require(&Scope::Reconcile)?;
    app.once(&call, StatusCode::OK, &id, |tx, id| Box::pin(given_up::retry(tx, id))).await
}

impl From<JobError> for Problem {
    fn from(error: JobError) -> Self {
        let detail = error.to_string();
        match error {
            JobError::NotFound => Self::new(Code::NotFound).detail(detail),
            JobError::NotGivenUp | JobError::Replaced => Self::new(Code::AlreadyDecided).detail(detail),
            JobError::Fault(fault) => fault.into(),
        }
    }
}
