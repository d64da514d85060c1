//! `/v1/finance/payment-files`: what was handed to the banks.

use axum::Json;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use mizan_ledger::Id;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{File, store};
use crate::access::Scope;
use crate::app::App;
use crate::fault::Fault;
use crate::http::call::Call;
use crate::http::openapi::Refusals;
use crate::http::page::{Cursor, Page, PageRequest};
use crate::http::path::Path;
use crate::http::problem::{Code, Problem};
use crate::ids::{PaymentFileId, RefundId};
use crate::refunds::store as refund_store;

pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(search)).routes(routes!(find)).routes(routes!(document))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Search {
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Payment files handed to banks, newest first.
#[utoipa::path(get, path = "/v1/finance/payment-files", tag = "finance", params(Search), responses((status = OK, body = Page<File>), Refusals))]
async fn search(State(app): State<App>, call: Call) -> Result<Json<Page<File>>, Problem> {
    call.person(&Scope::FinanceRead)?;
    let search: Search = call.query()?;
    let page = PageRequest::new(search.limit, search.cursor.as_deref())?;
    let mut conn = app.pool.acquire().await.map_err(Fault::from)?;
    let before = page.after.map(|cursor| PaymentFileId::from_uuid(cursor.id));
    let files = store::page(&mut conn, before, page.rows_to_read()).await?;
    let key = |file: &File| Cursor { at: file.created_at, id: file.id.uuid() };
    Ok(Json(Page::from_rows(files, page, key, |file| file)))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = PaymentFileWithRefunds)]
struct FileView {
    #[serde(flatten)]
    file: File,
    refunds: Vec<RefundId>,
}

fn file_id(text: &str) -> Result<PaymentFileId, Problem> {
    text.parse().map_err(|_| Problem::new(Code::NotFound))
}

/// One payment file with the refunds in it.
///
/// Refuses with `not_found`.
#[utoipa::path(get, path = "/v1/finance/payment-files/{id}", tag = "finance", params(("id" = String, Path)), responses((status = OK, body = FileView), Refusals))]
async fn find(State(app): State<App>, Path(id): Path<String>, call: Call) -> Result<Json<FileView>, Problem> {
    call.person(&Scope::FinanceRead)?;
    let id = file_id(&id)?;
    let mut conn = app.pool.acquire().await.map_err(Fault::from)?;
    let file = store::find(&mut conn, id).await?.ok_or(Problem::new(Code::NotFound))?;
    let refunds = refund_store::page_of_file(&mut conn, id).await?;
    Ok(Json(FileView { file, refunds: refunds.iter().map(|refund| refund.id).collect() }))
}

/// The very bytes: what the hash is of, and what a bank is shown when it asks.
///
/// Refuses with `not_found`.
#[utoipa::path(get, path = "/v1/finance/payment-files/{id}/document", tag = "finance", params(("id" = String, Path)), responses((status = OK, body = String, content_type = "application/xml"), Refusals))]
async fn document(State(app): State<App>, Path(id): Path<String>, call: Call) -> Result<Response, Problem> {
    call.person(&Scope::FinanceRead)?;
    let id = file_id(&id)?;
    let mut conn = app.pool.acquire().await.map_err(Fault::from)?;
    let bytes = store::find_bytes(&mut conn, id).await?.ok_or(Problem::new(Code::NotFound))?;
    let name = format!("attachment; filename=\"{id}.xml\"");
    Ok(([(CONTENT_TYPE, "application/xml".to_owned()), (CONTENT_DISPOSITION, name)], bytes).into_response())
}
