//! The bank's calls for its customers: `/bank/v1`.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::json;

use super::config::Format;
use super::http::{App, Caller, FileBody, Path, Query, answer};
use super::mt940::Charset;
use super::pain001::{FileError, Instruction};
use super::refusal::Refusal;
use super::statement_file;

pub fn routes() -> Router<App> {
    Router::new()
        .route("/accounts", get(list_accounts))
        .route("/accounts/{account}/statements/{date}", get(find_statement))
        .route("/payment-files", post(take_file))
        .route("/payment-files/{file}", get(file_status))
}

async fn list_accounts(State(app): State<App>, _: Caller) -> Result<Response, Refusal> {
    answer(
        &app,
        |world| world.kept.faults.queries(&[]),
        |world| {
            let accounts = world.kept.bank.accounts.iter().map(|account| {
                json!({
                    "account": account.account,
                    "currency": account.currency,
                    "owner": account.owner,
                    "balance": account.balance().to_string(),
                })
            });
            Ok(Json(json!({"accounts": accounts.collect::<Vec<_>>()})))
        },
    )
    .await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StatementQuery {
    format: Option<String>,
    charset: Option<String>,
}

async fn find_statement(
    State(app): State<App>,
    _: Caller,
    Path((number, day)): Path<(String, Date)>,
    Query(query): Query<StatementQuery>,
) -> Result<Response, Refusal> {
    answer(
        &app,
        |world| world.kept.faults.queries(&[]),
        |world| {
            let account =
                world.kept.bank.find(&number).ok_or_else(|| Refusal::unknown("unknown_account", &number))?;
            let format = match query.format.as_deref() {
                None => account.format,
                Some(name) => Format::find(name)
                    .ok_or_else(|| Refusal::bad("bad_format", "camt.053.001.02, camt.053.001.08 or mt940"))?,
            };
            let charset = charset(query.charset.as_deref(), format)?;
            if day >= world.kept.day {
                return Err(Refusal::conflict("day_open", "this day is not closed yet"));
            }
            let statement = account
                .statement(day)
                .ok_or_else(|| Refusal::unknown("unknown_statement", &day.to_string()))?;
            let kind = match (format, charset) {
                (Format::Camt02 | Format::Camt08, _) => "application/xml",
                (Format::Mt940, Charset::Swift) => "text/plain; charset=us-ascii",
                (Format::Mt940, Charset::Windows1256) => "text/plain; charset=windows-1256",
            };
            let name = statement_file::file_name(account, statement, format);
            let headers = [
                (header::CONTENT_TYPE, kind.to_owned()),
                (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
            ];
            Ok((headers, statement_file::write(account, statement, format, charset)))
        },
    )
    .await
}

fn charset(name: Option<&str>, format: Format) -> Result<Charset, Refusal> {
    match (name, format) {
        (None, _) => Ok(Charset::Swift),
        (Some("windows-1256"), Format::Mt940) => Ok(Charset::Windows1256),
        _ => Err(Refusal::bad("bad_charset", "charset is windows-1256, and for mt940 alone")),
    }
}

async fn take_file(
    State(app): State<App>,
    _: Caller,
    FileBody(bytes): FileBody,
) -> Result<Response, Refusal> {
    let instruction = Instruction::read(&bytes).map_err(|error| refusal(&error))?;
    answer(
        &app,
        |world| world.kept.faults.api(&[]),
        |world| {
            if let Some(file) = world.find_file_of(&instruction.message) {
                let message = "a message with this MsgId was taken before";
                let refused = json!({"error": "duplicate_message", "message": message, "file": file});
                return Ok((StatusCode::CONFLICT, Json(refused)));
            }
            let number = world.take_file(instruction, None)?;
            let file = &world.kept.files.files[number].file;
            Ok((StatusCode::ACCEPTED, Json(json!({"file": file}))))
        },
    )
    .await
}

/// 400 for a file the bank cannot read.
pub fn refusal(error: &FileError) -> Refusal {
    let slug = match error {
        FileError::NotPain001 => "unsupported_message",
        FileError::NotXml(_) | FileError::Wrong(_) | FileError::TooMuch => "bad_file",
    };
    Refusal::bad(slug, error.to_string())
}

async fn file_status(
    State(app): State<App>,
    _: Caller,
    Path(name): Path<String>,
) -> Result<Response, Refusal> {
    answer(
        &app,
        |world| world.kept.faults.queries(&[]),
        |world| {
            let file = world.kept.files.files.iter().find(|file| file.file == name);
            let file = file.ok_or_else(|| Refusal::unknown("unknown_file", &name))?;
            Ok(([(header::CONTENT_TYPE, "application/xml")], world.status_report(file)).into_response())
        },
    )
    .await
}
