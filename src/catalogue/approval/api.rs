//! `/v1/finance/catalogue/imports`: files in by one person, in force by another.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use mizan_ledger::Id as _;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::ImportState;
use super::view::{ApprovedView, DetailView, ImportView, SubmittedView};
use super::{Approval, CatalogueError, Refusal, service, store};
use crate::access::Scope;
use crate::app::App;
use crate::fault::Fault;
use crate::http::call::Call;
use crate::http::once::Answer;
use crate::http::openapi::Refusals;
use crate::http::page::{Cursor, Page, PageRequest};
use crate::http::path::Path;
use crate::http::problem::{Code, Faults, FieldCode, Problem};
use crate::ids::CatalogueImportId;

const FILE_NAME_CHARS_MAX: usize = 300;
const REASON_CHARS_MAX: usize = 500;

pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(submit, list))
        .routes(routes!(find))
        .routes(routes!(approve))
        .routes(routes!(refuse))
        .routes(routes!(withdraw))
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewCatalogueImport)]
struct ImportBody {
    files: Vec<FileBody>,
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CatalogueFile)]
struct FileBody {
    name: String,
    text: String,
}

impl ImportBody {
    fn read(self) -> Result<Vec<(String, String)>, Problem> {
        let mut faults = Faults::default();
        if self.files.is_empty() {
            faults.add("/files", FieldCode::Empty);
        }
        for (place, file) in self.files.iter().enumerate() {
            faults.text(&format!("/files/{place}/name"), &file.name, FILE_NAME_CHARS_MAX);
        }
        faults.finish()?;
        Ok(self.files.into_iter().map(|file| (file.name, file.text)).collect())
    }
}

/// Submit catalogue files; another person approves.
///
/// Every problem of all files is told at once, in `problems` as `FILE:LINE: what`: of the files by themselves, and beside
/// what is in force. `difference` says what they change. Refuses with `validation_failed`.
#[utoipa::path(post, path = "/v1/finance/catalogue/imports", tag = "catalogue", request_body = ImportBody, responses((status = CREATED, body = SubmittedView), Refusals))]
async fn submit(State(app): State<App>, call: Call) -> Result<Answer, Problem> {
    call.person(&Scope::CatalogueWrite)?;
    let files = call.json::<ImportBody>()?.read()?;
    app.once(&call, StatusCode::CREATED, &files, |tx, files| {
        Box::pin(async move { service::submit(tx, files).await.map(SubmittedView::from) })
    })
    .await
}

/// Authors and approvers see what was submitted.
fn may_look(call: &Call) -> Result<(), Problem> {
    match call.require(&Scope::CatalogueWrite) {
        Ok(_) => Ok(()),
        Err(_) => call.require(&Scope::CatalogueApprove).map(drop),
    }
}

fn import_id(text: &str) -> Result<CatalogueImportId, Problem> {
    text.parse().map_err(|_| Problem::new(Code::NotFound))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Pages {
    limit: Option<u32>,
    cursor: Option<String>,
}

/// What was submitted, newest first.
#[utoipa::path(get, path = "/v1/finance/catalogue/imports", tag = "catalogue", params(Pages), responses((status = OK, body = Page<ImportView>), Refusals))]
async fn list(State(app): State<App>, call: Call) -> Result<Json<Page<ImportView>>, Problem> {
    may_look(&call)?;
    let asked: Pages = call.query()?;
    let page = PageRequest::new(asked.limit, asked.cursor.as_deref())?;
    let before = page.after.map(|cursor| CatalogueImportId::from_uuid(cursor.id));
    let mut conn = app.pool.acquire().await.map_err(Fault::from)?;
    let rows = store::page(&mut conn, before, page.rows_to_read()).await?;
    let key = |row: &store::Listed| Cursor { at: row.created_at, id: row.id.uuid() };
    Ok(Json(Page::from_rows(rows, page, key, ImportView::from)))
}

/// Read an import: its files, and what they change in what is in force.
///
/// Refuses with `not_found`.
#[utoipa::path(get, path = "/v1/finance/catalogue/imports/{id}", tag = "catalogue", params(("id" = String, Path)), responses((status = OK, body = DetailView), Refusals))]
async fn find(
    State(app): State<App>,
    Path(id): Path<String>,
    call: Call,
) -> Result<Json<DetailView>, Problem> {
    may_look(&call)?;
    let id = import_id(&id)?;
    let mut conn = app.pool.acquire().await.map_err(Fault::from)?;
    let import = store::find(&mut conn, id).await?.ok_or(Problem::new(Code::NotFound))?;
    let outlook = match import.state {
        ImportState::Submitted => {
            Some(service::outlook(&mut conn, &app.hub, app.clock.now(), &import).await?)
        }
        ImportState::Approved | ImportState::Returned | ImportState::Withdrawn => None,
    };
    Ok(Json(DetailView::new(import, outlook)))
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CatalogueApproval)]
struct ApprovalBody {
    /// The SHA-256 over all files that the approver was shown.
    sha256: String,
}

/// Bring in force what another person submitted.
///
/// Refuses with `same_person`, `already_decided`, `other_files`, `catalogue_changed`, `validation_failed`, `not_found`.
#[utoipa::path(post, path = "/v1/finance/catalogue/imports/{id}/approve", tag = "catalogue", params(("id" = String, Path)), request_body = ApprovalBody, responses((status = OK, body = ApprovedView), Refusals))]
async fn approve(State(app): State<App>, Path(id): Path<String>, call: Call) -> Result<Answer, Problem> {
    call.person(&Scope::CatalogueApprove)?;
    let import = import_id(&id)?;
    let approval = Approval { import, sha256: call.json::<ApprovalBody>()?.sha256 };
    app.once(&call, StatusCode::OK, &approval, |tx, approval| {
        Box::pin(async move {
            let catalogue = service::approve(tx, approval).await?;
            Ok::<_, CatalogueError>(ApprovedView::new(approval.import, &catalogue))
        })
    })
    .await
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CatalogueRefusal)]
struct RefusalBody {
    reason: String,
}

/// Send back what another person submitted, with a reason.
///
/// Refuses with `same_person`, `already_decided`, `validation_failed`, `not_found`.
#[utoipa::path(post, path = "/v1/finance/catalogue/imports/{id}/refuse", tag = "catalogue", params(("id" = String, Path)), request_body = RefusalBody, responses((status = OK, body = ImportView), Refusals))]
async fn refuse(State(app): State<App>, Path(id): Path<String>, call: Call) -> Result<Answer, Problem> {
    call.person(&Scope::CatalogueApprove)?;
    let import = import_id(&id)?;
    let refusal = Refusal { import, reason: call.json::<RefusalBody>()?.reason };
    let mut faults = Faults::default();
    faults.text("/reason", &refusal.reason, REASON_CHARS_MAX);
    faults.finish()?;
    app.once(&call, StatusCode::OK, &refusal, |tx, refusal| {
        Box::pin(async move { service::refuse(tx, refusal).await.map(ImportView::from) })
    })
    .await
}

/// Take back what was submitted, before anybody decides on it.
///
/// Refuses with `already_decided`, `not_found`.
#[utoipa::path(post, path = "/v1/finance/catalogue/imports/{id}/withdraw", tag = "catalogue", params(("id" = String, Path)), responses((status = OK, body = ImportView), Refusals))]
async fn withdraw(State(app): State<App>, Path(id): Path<String>, call: Call) -> Result<Answer, Problem> {
    call.person(&Scope::CatalogueWrite)?;
    let id = import_id(&id)?;
    app.once(&call, StatusCode::OK, &id, |tx, id| {
        Box::pin(async move { service::withdraw(tx, *id).await.map(ImportView::from) })
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
            CatalogueError::ExampleTariffs => Self::new(Code::ValidationFailed),
            CatalogueError::NotFound => Self::new(Code::NotFound),
            CatalogueError::AlreadyDecided(_) => Self::new(Code::AlreadyDecided),
            CatalogueError::SamePerson => Self::new(Code::SamePerson),
            CatalogueError::OtherFiles => Self::new(Code::OtherFiles),
            CatalogueError::Outdated => Self::new(Code::CatalogueChanged),
            CatalogueError::Fault(fault) => return fault.into(),
        };
        problem.detail(detail)
    }
}
