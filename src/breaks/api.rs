//! `/v1/finance/breaks`: what does not tie, and what people say it was.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use mizan_ledger::Id;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{Break, BreakError, Category};
use super::service::{self, Said};
use super::store;
use crate::access::Scope;
use crate::app::App;
use crate::fault::Fault;
use crate::http::call::Call;
use crate::http::once::Answer;
use crate::http::openapi::Refusals;
use crate::http::page::{Cursor, Page, PageRequest};
use crate::http::path::Path;
use crate::http::problem::{Code, Faults, Problem};
use crate::ids::BreakId;

const NOTE_CHARS_MAX: usize = 500;

pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(propose))
        .routes(routes!(approve))
        .routes(routes!(refuse))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct BreakSearch {
    limit: Option<u32>,
    cursor: Option<String>,
    /// Only those that wait for a person; all of them otherwise.
    open: Option<bool>,
    category: Option<String>,
}

/// What does not tie, newest first.
#[utoipa::path(get, path = "/v1/finance/breaks", tag = "finance", params(BreakSearch), responses((status = OK, body = Page<Break>), Refusals))]
async fn list(State(app): State<App>, call: Call) -> Result<Json<Page<Break>>, Problem> {
    call.require(&Scope::FinanceRead)?;
    let search: BreakSearch = call.query()?;
    let page = PageRequest::new(search.limit, search.cursor.as_deref())?;
    let category = search.category.as_deref().map(str::parse::<Category>).transpose();
    let category = category.map_err(|error| Problem::new(Code::QueryInvalid).detail(error))?;
    let before = page.after.map(|cursor| BreakId::from_uuid(cursor.id));
    let mut conn = app.pool.acquire().await.map_err(Fault::from)?;
    let open = search.open.unwrap_or(false);
    let rows = store::page(&mut conn, open, category, before, page.rows_to_read()).await?;
    Ok(Json(Page::from_rows(rows, page, |row| Cursor { at: row.opened_at, id: row.id.uuid() }, |row| row)))
}

/// What it was, or why it was not that.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BreakNote)]
struct NoteBody {
    note: String,
}

impl NoteBody {
    fn read(self, id: &str) -> Result<Said, Problem> {
        let mut faults = Faults::default();
        faults.text("/note", &self.note, NOTE_CHARS_MAX);
        faults.finish()?;
        Ok(Said { id: break_id(id)?, note: self.note })
    }
}

fn break_id(text: &str) -> Result<BreakId, Problem> {
    text.parse().map_err(|_| Problem::new(Code::NotFound))
}

/// Say what a break was that no news will end; another person approves.
///
/// Refuses with `break_ends_by_itself`, `already_decided`, `not_found`.
#[utoipa::path(post, path = "/v1/finance/breaks/{id}/propose", tag = "finance", params(("id" = String, Path)), request_body = NoteBody, responses((status = OK, body = Break), Refusals))]
async fn propose(State(app): State<App>, Path(id): Path<String>, call: Call) -> Result<Answer, Problem> {
    call.person(&Scope::Reconcile)?;
    let said = call.json::<NoteBody>()?.read(&id)?;
    app.once(&call, StatusCode::OK, &said, |tx, said| Box::pin(service::propose(tx, said))).await
}

/// Agree with what another person said a break was: it has ended.
///
/// `note` is what was proposed, word for word. Refuses with `other_note`, `same_person`, `already_decided`, `not_found`.
#[utoipa::path(post, path = "/v1/finance/breaks/{id}/approve", tag = "finance", params(("id" = String, Path)), request_body = NoteBody, responses((status = OK, body = Break), Refusals))]
async fn approve(State(app): State<App>, Path(id): Path<String>, call: Call) -> Result<Answer, Problem> {
    call.person(&Scope::Approve)?;
    let said = call.json::<NoteBody>()?.read(&id)?;
    app.once(&call, StatusCode::OK, &said, |tx, said| Box::pin(service::approve(tx, said))).await
}

/// Do not agree, and say why: the break waits as before.
///
/// Refuses with `already_decided`, `not_found`.
#[utoipa::path(post, path = "/v1/finance/breaks/{id}/refuse", tag = "finance", params(("id" = String, Path)), request_body = NoteBody, responses((status = OK, body = Break), Refusals))]
async fn refuse(State(app): State<App>, Path(id): Path<String>, call: Call) -> Result<Answer, Problem> {
    call.person(&Scope::Approve)?;
    let said = call.json::<NoteBody>()?.read(&id)?;
    app.once(&call, StatusCode::OK, &said, |tx, said| Box::pin(service::refuse(tx, said))).await
}

impl From<BreakError> for Problem {
    fn from(error: BreakError) -> Self {
        let detail = error.to_string();
        match error {
            BreakError::NotFound => Self::new(Code::NotFound),
            BreakError::SamePerson => Self::new(Code::SamePerson),
            BreakError::OtherNote(_) => Self::new(Code::OtherNote).detail(detail),
            BreakError::Decided(_) => Self::new(Code::AlreadyDecided).detail(detail),
            BreakError::EndsByItself(_) => Self::new(Code::BreakEndsByItself).detail(detail),
            BreakError::Fault(fault) => fault.into(),
        }
    }
}
