//! A bank with a JSON interface (`/bank/v1` of docs/SANDBOX.md): payment files in, statements out.

use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use mizan_ledger::Day;
use reqwest::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderMap};
use reqwest::{Method, StatusCode};
use serde::Deserialize;

use crate::channel::{Channel, FileStatus, PayOut, StatementFile, Statements};
use crate::dialect::{answer_for, json, judge, word};
use crate::http::{ANSWER_BYTES_MAX, Answer, Endpoint, EndpointError, EndpointSettings, FILE_BYTES_MAX};
use crate::outcome::Outcome;
use crate::payment_file::pain002;

const JSON: &str = "application/json";
const XML: &str = "application/xml";
/// A file with this `MsgId` was taken before.
const DUPLICATE: &str = "duplicate_message";

/// One customer relation with one bank.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub endpoint: EndpointSettings,
    pub statement_format: StatementFormat,
    /// The bank knows a `MsgId` again and carries its file out once: one that it did not answer is handed over again.
    #[serde(default)]
    pub refuses_repeats: bool,
}

/// The statement formats this interface offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum StatementFormat {
    #[serde(rename = "camt.053.001.02")]
    Camt05302,
    #[serde(rename = "camt.053.001.08")]
    Camt05308,
    #[serde(rename = "mt940")]
    Mt940,
}

/// The adapter.
#[derive(Debug)]
pub struct Bank {
    endpoint: Endpoint,
    statement_format: StatementFormat,
    refuses_repeats: bool,
}

impl Bank {
    pub fn new(settings: &Settings) -> Result<Self, EndpointError> {
        let endpoint = Endpoint::new(&settings.endpoint)?;
        let Settings { statement_format, refuses_repeats, .. } = *settings;
        Ok(Self { endpoint, statement_format, refuses_repeats })
    }

    /// The channel `instance` with everything this bank can do.
    pub fn channel(self, instance: impl Into<String>) -> Channel {
        let bank = Arc::new(self);
        Channel {
            instance: instance.into(),
            pay_out: Some(bank.clone()),
            statements: Some(bank),
            ..Channel::default()
        }
    }

    async fn submit_file(&self, file: Bytes) -> Outcome<String> {
        let request = self
            .endpoint
            .request(Method::POST, &["payment-files"], &[], JSON)
            .header(CONTENT_TYPE, XML)
            .body(file);
        let exchanged = self.endpoint.exchange("submit payment file", request, ANSWER_BYTES_MAX).await;
        if let Some(file) = exchanged.as_ref().ok().and_then(taken_before) {
            return Outcome::Accepted(file);
        }
        match judge(exchanged, |answer| file_reference(&answer.body)) {
            Outcome::Rejected { code, message } if code == DUPLICATE => {
                Outcome::unknown(format_args!("{code}: {message}"))
            }
            outcome => outcome,
        }
    }

    async fn file_status(&self, file: String) -> Outcome<FileStatus> {
        let request = self.endpoint.request(Method::GET, &["payment-files", &file], &[], XML);
        let exchanged = self.endpoint.exchange("payment file status", request, FILE_BYTES_MAX).await;
        judge(exchanged, |answer| {
            let report = pain002::read(answer.body.as_ref()).map_err(|error| error.to_string())?;
            Ok(FileStatus { raw: answer.body.clone(), report })
        })
    }

    async fn statement_file(&self, account: String, day: Day) -> Outcome<Option<StatementFile>> {
        let date = day.to_string();
        let segments = ["accounts", &account, "statements", &date];
        let query = [("format", self.statement_format.name())];
        let request = self.endpoint.request(Method::GET, &segments, &query, "*/*");
        let exchanged = self.endpoint.exchange("statement", request, FILE_BYTES_MAX).await;
        let read = judge(exchanged, |answer| {
            let told = file_name(&answer.headers);
            let name =
                told.unwrap_or_else(|| format!("{account}-{date}.{}", self.statement_format.extension()));
            Ok(Some(StatementFile { name, raw: answer.body.clone() }))
        });
        answer_for(read, "day_open", None)
    }
}

impl PayOut for Bank {
    fn submit(&self, file: Bytes) -> BoxFuture<'_, Outcome<String>> {
        self.submit_file(file).boxed()
    }

    fn refuses_repeats(&self) -> bool {
        self.refuses_repeats
    }

    fn status(&self, file: String) -> BoxFuture<'_, Outcome<FileStatus>> {
        self.file_status(file).boxed()
    }
}

impl Statements for Bank {
    fn statement(&self, account: String, day: Day) -> BoxFuture<'_, Outcome<Option<StatementFile>>> {
        self.statement_file(account, day).boxed()
    }
}

impl StatementFormat {
    fn name(self) -> &'static str {
        match self {
            Self::Camt05302 => "camt.053.001.02",
            Self::Camt05308 => "camt.053.001.08",
            Self::Mt940 => "mt940",
        }
    }

    fn extension(self) -> &'static str {
        match self {
            Self::Camt05302 | Self::Camt05308 => "xml",
            Self::Mt940 => "sta",
        }
    }
}

#[derive(Deserialize)]
struct Taken {
    file: String,
}

fn file_reference(body: &[u8]) -> Result<String, String> {
    let taken: Taken = json(body)?;
    word("file", &taken.file)?;
    Ok(taken.file)
}

/// The bank's reference of a file that it refuses because it took it before.
fn taken_before(answer: &Answer) -> Option<String> {
    #[derive(Deserialize)]
    struct Refused {
        error: String,
    }
    let refused: Refused = json(&answer.body).ok()?;
    let is_known = answer.status == StatusCode::CONFLICT && refused.error == DUPLICATE;
    is_known.then(|| file_reference(&answer.body).ok()).flatten()
}

/// The name in `Content-Disposition: attachment; filename="..."` if it is a plain one: it may become a path.
fn file_name(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_DISPOSITION)?.to_str().ok()?;
    let parameter = value.split(';').find_map(|part| part.trim().strip_prefix("filename="))?;
    let name = parameter.trim_matches('"');
    let plain = (1..=100).contains(&name.len())
        && !name.starts_with('.')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    plain.then(|| name.to_owned())
}
