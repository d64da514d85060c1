//! `/v1/services`: what a portal may sell. `/v1/finance/catalogue`: files in by one person, in force by another.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Bilingual, CatalogueError, FeeVersion, Service, ServiceCode, service};
use crate::access::Scope;
use crate::app::App;
use crate::fault::Fault;
use crate::http::call::Call;
use crate::http::once::Answer;
use crate::http::problem::{Code, Problem};
use crate::ids::CatalogueImportId;

pub fn router() -> Router<App> {
    Router::new()
        .route("/v1/services", get(list))
        .route("/v1/services/{agency}/{service}", get(find))
        .route("/v1/finance/catalogue/imports", post(submit))
        .route("/v1/finance/catalogue/imports/{id}/approve", post(approve))
}

/// A service with the fee version in force today; without one it cannot be sold.
#[derive(Debug, Serialize)]
struct ServiceView {
    code: String,
    agency: String,
    name: Bilingual,
    description: Bilingual,
    documents: Vec<Bilingual>,
    duration_days: u16,
    channels: Vec<super::Channel>,
    applicants: Vec<super::Applicant>,
    fee: Option<FeeVersion>,
}

fn view(app: &App, catalogue: &super::Catalogue, one: &Service) -> ServiceView {
    let agency = catalogue.agency(one.code.agency());
    let fee = agency.and_then(|agency| one.version_on(app.clock.now().day_in(&agency.zone)));
    ServiceView {
        code: one.code.to_string(),
        agency: one.code.agency().to_string(),
        name: one.name.clone(),
        description: one.description.clone(),
        documents: one.documents.clone(),
        duration_days: one.duration_days,
        channels: one.channels.clone(),
        applicants: one.applicants.clone(),
        fee: fee.cloned(),
    }
}

async fn list(State(app): State<App>, call: Call) -> Result<Json<serde_json::Value>, Problem> {
    call.require(&Scope::ServicesRead)?;
    let mut conn = app.pool.acquire().await.map_err(Fault::from)?;
    let catalogue = service::read(&mut conn, &app.hub.catalogue).await?;
    let services: Vec<_> = catalogue.services.iter().map(|one| view(&app, &catalogue, one)).collect();
    Ok(Json(json!({ "data": services, "next_cursor": null })))
}

async fn find(
    State(app): State<App>,
    Path((agency, name)): Path<(String, String)>,
    call: Call,
) -> Result<Json<ServiceView>, Problem> {
    call.require(&Scope::ServicesRead)?;
    let code: ServiceCode = format!("{agency}/{name}").parse().map_err(|_| Problem::new(Code::NotFound))?;
    let mut conn = app.pool.acquire().await.map_err(Fault::from)?;
    let catalogue = service::read(&mut conn, &app.hub.catalogue).await?;
    let one = catalogue.service(&code).ok_or(Problem::new(Code::NotFound))?;
    Ok(Json(view(&app, &catalogue, one)))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ImportBody {
    files: Vec<FileBody>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileBody {
    name: String,
    text: String,
}

async fn submit(State(app): State<App>, call: Call) -> Result<Answer, Problem> {
    call.require(&Scope::CatalogueWrite)?;
    let body: ImportBody = call.json()?;
    let files: Vec<(String, String)> = body.files.into_iter().map(|file| (file.name, file.text)).collect();
    app.once(&call, StatusCode::CREATED, &files, |tx, files| {
        Box::pin(async move {
            let id = service::submit(tx, files).await?;
            Ok::<_, CatalogueError>(json!({ "id": id, "state": "submitted" }))
        })
    })
    .await
}

async fn approve(State(app): State<App>, Path(id): Path<String>, call: Call) -> Result<Answer, Problem> {
    call.require(&Scope::CatalogueApprove)?;
    let id: CatalogueImportId = id.parse().map_err(|_| Problem::new(Code::NotFound))?;
    app.once(&call, StatusCode::OK, &id, |tx, id| {
        Box::pin(async move {
            let catalogue = service::approve(tx, *id).await?;
            Ok::<_, CatalogueError>(json!({
                "id": id, "state": "approved", "services": catalogue.services.len(),
                "agencies": catalogue.agencies.len(),
            }))
        })
    })
    .await
}

impl From<CatalogueError> for Problem {
    fn from(error: CatalogueError) -> Self {
        let detail = error.to_string();
        let problem = match error {
            CatalogueError::Problems(problems) => {
                let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
                Self::new(Code::ValidationFailed).with("problems", problems)
            }
            CatalogueError::NotFound => Self::new(Code::NotFound),
            CatalogueError::AlreadyDecided(_) => Self::new(Code::AlreadyDecided),
            CatalogueError::SamePerson => Self::new(Code::SamePerson),
            CatalogueError::VersionChanged { .. }
            | CatalogueError::Overlap { .. }
            | CatalogueError::Refused(_) => Self::new(Code::ValidationFailed),
            CatalogueError::Fault(fault) => return fault.into(),
        };
        problem.detail(detail)
    }
}
