//! `/v1/services`: what a portal may sell. `/v1/price-list`: the same for everybody. `/v1/finance/catalogue`: files in by one person, in force by another.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use mizan_ledger::{Id as _, Instant};
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Bilingual, CatalogueError, FeeVersion, Service, ServiceCode, service, store};
use crate::access::Scope;
use crate::app::App;
use crate::config::ChannelKind;
use crate::fault::Fault;
use crate::http::call::Call;
use crate::http::once::Answer;
use crate::http::openapi::Refusals;
use crate::http::page::{Cursor, Page, PageRequest};
use crate::http::path::Path;
use crate::http::problem::{Code, Problem};
use crate::ids::CatalogueImportId;

pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(find))
        .routes(routes!(price_list))
        .routes(routes!(submit, imports))
        .routes(routes!(approve))
}

/// A service with the fee version in force today; without one it cannot be sold.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Service)]
struct ServiceView {
    code: String,
    agency: String,
    name: Bilingual,
    description: Bilingual,
    documents: Vec<Bilingual>,
    duration_days: u16,
    /// Those of the service that this hub has.
    channels: Vec<super::Channel>,
    applicants: Vec<super::Applicant>,
    fee: Option<FeeVersion>,
}

impl From<ChannelKind> for super::Channel {
    fn from(kind: ChannelKind) -> Self {
        match kind {
            ChannelKind::HostedCard => Self::Card,
            ChannelKind::BankTransfer => Self::Transfer,
        }
    }
}

fn view(app: &App, catalogue: &super::Catalogue, one: &Service) -> ServiceView {
    let agency = catalogue.agency(one.code.agency());
    let offered: Vec<super::Channel> =
        app.hub.config.channels.values().map(|channel| channel.kind.into()).collect();
    let fee = agency.and_then(|agency| one.version_on(app.clock.now().day_in(&agency.zone)));
    ServiceView {
        code: one.code.to_string(),
        agency: one.code.agency().to_string(),
        name: one.name.clone(),
        description: one.description.clone(),
        documents: one.documents.clone(),
        duration_days: one.duration_days,
        channels: one.channels.iter().copied().filter(|channel| offered.contains(channel)).collect(),
        applicants: one.applicants.clone(),
        fee: fee.cloned(),
    }
}

/// What this portal may sell, with the fee version in force today.
#[utoipa::path(get, path = "/v1/services", tag = "services", responses((status = OK, body = Page<ServiceView>), Refusals))]
async fn list(State(app): State<App>, call: Call) -> Result<Json<Page<ServiceView>>, Problem> {
    call.require(&Scope::ServicesRead)?;
    let mut conn = app.pool.acquire().await.map_err(Fault::from)?;
    let catalogue = service::read(&mut conn, &app.hub.catalogue).await?;
    let data: Vec<_> = catalogue.services.iter().map(|one| view(&app, &catalogue, one)).collect();
    Ok(Json(Page { data, next_cursor: None }))
}

/// What everybody may know.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct PriceList {
    /// Prices of a test hub are charged to nobody.
    live: bool,
    data: Vec<ListedService>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ListedService {
    agency_name: Bilingual,
    #[serde(flatten)]
    service: ServiceView,
    /// The version that is approved already and follows the one in force.
    next_fee: Option<FeeVersion>,
}

/// The price list, for everybody: nothing is signed.
///
/// All services with the fee version in force today and, where one is approved already, the next.
#[utoipa::path(get, path = "/v1/price-list", tag = "services", security(()), responses((status = OK, body = PriceList)))]
async fn price_list(State(app): State<App>) -> Result<Json<PriceList>, Problem> {
    let mut conn = app.pool.acquire().await.map_err(Fault::from)?;
    let catalogue = service::read(&mut conn, &app.hub.catalogue).await?;
    drop(conn);
    let listed = catalogue.services.iter().filter_map(|one| {
        let agency = catalogue.agency(one.code.agency())?;
        let today = app.clock.now().day_in(&agency.zone);
        let later = one.versions.iter().filter(|version| version.valid.from > today);
        Some(ListedService {
            agency_name: agency.name.clone(),
            service: view(&app, &catalogue, one),
            next_fee: later.min_by_key(|version| version.valid.from).cloned(),
        })
    });
    Ok(Json(PriceList { live: app.hub.config.mode.is_live(), data: listed.collect() }))
}

/// One service: its inputs, documents and price rules.
///
/// A service is named `agency/service`.
#[utoipa::path(get, path = "/v1/services/{agency}/{service}", tag = "services", params(("agency" = String, Path), ("service" = String, Path)), responses((status = OK, body = ServiceView), Refusals))]
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

/// What was taken for approval.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct SubmittedView {
    id: CatalogueImportId,
    state: &'static str,
}

/// What is in force now.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ApprovedView {
    id: CatalogueImportId,
    state: &'static str,
    services: usize,
    agencies: usize,
}

/// Submit catalogue files; another person approves.
///
/// Every problem of all files is told at once, in `problems` as `FILE:LINE: what`.
#[utoipa::path(post, path = "/v1/finance/catalogue/imports", tag = "catalogue", request_body = ImportBody, responses((status = CREATED, body = SubmittedView), Refusals))]
async fn submit(State(app): State<App>, call: Call) -> Result<Answer, Problem> {
    call.person(&Scope::CatalogueWrite)?;
    let body: ImportBody = call.json()?;
    let files: Vec<(String, String)> = body.files.into_iter().map(|file| (file.name, file.text)).collect();
    app.once(&call, StatusCode::CREATED, &files, |tx, files| {
        Box::pin(async move {
            let id = service::submit(tx, files).await?;
            Ok::<_, CatalogueError>(SubmittedView { id, state: "submitted" })
        })
    })
    .await
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Pages {
    limit: Option<u32>,
    cursor: Option<String>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = CatalogueImport)]
struct ImportView {
    id: CatalogueImportId,
    /// `submitted`, `approved` or `returned`.
    state: String,
    author: String,
    approver: Option<String>,
    created_at: Instant,
    /// The names of its files.
    files: Vec<String>,
}

/// What was submitted, newest first.
#[utoipa::path(get, path = "/v1/finance/catalogue/imports", tag = "catalogue", params(Pages), responses((status = OK, body = Page<ImportView>), Refusals))]
async fn imports(State(app): State<App>, call: Call) -> Result<Json<Page<ImportView>>, Problem> {
    if call.require(&Scope::CatalogueWrite).is_err() {
        call.require(&Scope::CatalogueApprove)?;
    }
    let asked: Pages = call.query()?;
    let page = PageRequest::new(asked.limit, asked.cursor.as_deref())?;
    let before = page.after.map(|cursor| CatalogueImportId::from_uuid(cursor.id));
    let mut conn = app.pool.acquire().await.map_err(Fault::from)?;
    let rows = store::page_imports(&mut conn, before, page.rows_to_read()).await?;
    let key = |row: &store::ListedImport| Cursor { at: row.created_at, id: row.id.uuid() };
    let view = |row: store::ListedImport| ImportView {
        id: row.id,
        state: row.state,
        author: row.author,
        approver: row.approver,
        created_at: row.created_at,
        files: row.files,
    };
    Ok(Json(Page::from_rows(rows, page, key, view)))
}

/// Bring in force what another person submitted.
///
/// Refuses with `same_person`, `already_decided`, `validation_failed`.
#[utoipa::path(post, path = "/v1/finance/catalogue/imports/{id}/approve", tag = "catalogue", params(("id" = String, Path)), responses((status = OK, body = ApprovedView), Refusals))]
async fn approve(State(app): State<App>, Path(id): Path<String>, call: Call) -> Result<Answer, Problem> {
    call.person(&Scope::CatalogueApprove)?;
    let id: CatalogueImportId = id.parse().map_err(|_| Problem::new(Code::NotFound))?;
    app.once(&call, StatusCode::OK, &id, |tx, id| {
        Box::pin(async move {
            let catalogue = service::approve(tx, *id).await?;
            Ok::<_, CatalogueError>(ApprovedView {
                id: *id,
                state: "approved",
                services: catalogue.services.len(),
                agencies: catalogue.agencies.len(),
            })
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
