//! `/v1/finance/statements`, `/v1/finance/reconcile`: what staff import, read and start.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use mizan_ledger::{Id, Instant};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{FileSource, Imported, ReconError, Statement};
use super::staging::NewFile;
use super::store::ShownLine;
use super::{run, service, store};
use crate::access::Scope;
use crate::app::App;
use crate::fault::Fault;
use crate::http::call::Call;
use crate::http::once::Answer;
use crate::http::openapi::Refusals;
use crate::http::page::{Cursor, Page, PageRequest};
use crate::http::path::Path;
use crate::http::problem::{Code, Problem};
use crate::ids::StatementId;

pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(import, statements)).routes(routes!(lines)).routes(routes!(reconcile))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Upload {
    /// The file's name, for people; it plays no part in reading.
    name: Option<String>,
}

/// Hand in a bank statement file. Safe to repeat.
///
/// The body is the file as the bank wrote it: camt.052, camt.053, camt.054, MT940 or MT942. What does not close or continue
/// the last statement is quarantined; what is of tomorrow waits for its day. Refuses with `statement_unreadable`, `body_too_large`.
#[utoipa::path(post, path = "/v1/finance/statements", tag = "finance", params(Upload), request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses((status = CREATED, body = Imported), Refusals))]
async fn import(State(app): State<App>, call: Call) -> Result<Answer, Problem> {
    call.require(&Scope::Reconcile)?;
    let upload: Upload = call.query()?;
    let name = upload.name.unwrap_or_else(|| "upload".to_owned()).chars().take(200).collect();
    let bytes = call.body.to_vec();
    let file = NewFile::read_aside(name, FileSource::Upload, bytes).await?;
    app.once(&call, StatusCode::CREATED, &file, |tx, file| Box::pin(service::import(tx, file))).await
}

/// Match payments, settlements and refunds against the banks' lines. Safe to repeat.
#[utoipa::path(post, path = "/v1/finance/reconcile", tag = "finance", responses((status = OK, body = run::Summary), Refusals))]
async fn reconcile(State(app): State<App>, call: Call) -> Result<Answer, Problem> {
    call.require(&Scope::Reconcile)?;
    let summary = run::reconcile(&app).await?;
    app.once(&call, StatusCode::OK, &summary, |tx, summary| {
        Box::pin(async move {
            tx.audit("reconciled", "all", serde_json::to_value(summary).map_err(Fault::from)?);
            Ok::<_, ReconError>(summary.clone())
        })
    })
    .await
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct StatementSearch {
    limit: Option<u32>,
    cursor: Option<String>,
    state: Option<String>,
}

/// Statements, newest first.
#[utoipa::path(get, path = "/v1/finance/statements", tag = "finance", params(StatementSearch), responses((status = OK, body = Page<Statement>), Refusals))]
async fn statements(State(app): State<App>, call: Call) -> Result<Json<Page<Statement>>, Problem> {
    call.require(&Scope::FinanceRead)?;
    let search: StatementSearch = call.query()?;
    let page = PageRequest::new(search.limit, search.cursor.as_deref())?;
    let before = page.after.map(|cursor| StatementId::from_uuid(cursor.id));
    let mut conn = app.pool.acquire().await.map_err(Fault::from)?;
    let rows = store::page(&mut conn, search.state.as_deref(), before, page.rows_to_read()).await?;
    Ok(Json(Page::from_rows(rows, page, |row| Cursor { at: row.created_at, id: row.id.uuid() }, |row| row)))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct LineSearch {
    limit: Option<u32>,
    cursor: Option<String>,
}

/// The lines of a statement in the bank's order, and what became of each.
#[utoipa::path(get, path = "/v1/finance/statements/{id}/lines", tag = "finance", params(("id" = String, Path), LineSearch), responses((status = OK, body = Page<ShownLine>), Refusals))]
async fn lines(
    State(app): State<App>,
    Path(id): Path<String>,
    call: Call,
) -> Result<Json<Page<ShownLine>>, Problem> {
    call.require(&Scope::FinanceRead)?;
    let search: LineSearch = call.query()?;
    let id: StatementId = id.parse().map_err(|_| Problem::new(Code::NotFound))?;
    let page = PageRequest::new(search.limit, search.cursor.as_deref())?;
    // The ordinal is the sort key; a cursor carries it as its instant.
    let after = page.after.map_or(0, |cursor| cursor.at.micros());
    let mut conn = app.pool.acquire().await.map_err(Fault::from)?;
    let rows = store::page_lines(&mut conn, id, after, page.rows_to_read()).await?;
    if rows.is_empty() && !store::exists(&mut conn, id).await? {
        return Err(Problem::new(Code::NotFound));
    }
    let key = |line: &ShownLine| Cursor {
        at: Instant::from_micros(line.ordinal).unwrap_or_else(|_| app.clock.now()),
        id: id.uuid(),
    };
    Ok(Json(Page::from_rows(rows, page, key, |row| row)))
}

impl From<ReconError> for Problem {
    fn from(error: ReconError) -> Self {
        match error {
            ReconError::Unreadable(refused) => {
                Self::new(Code::StatementUnreadable).detail(refused.to_string())
            }
            ReconError::Fault(fault) => fault.into(),
        }
    }
}
