//! Hands payment files to the banks and asks what became of them.

use futures::FutureExt;
use futures::future::BoxFuture;
use mizan_adapters::outcome::Outcome;
use mizan_adapters::payment_file::pain002;

use super::service::{self, Answer, Begun, Outgoing, Report, Sent};
use super::{File, FileState, folder, store};
use crate::app::{App, ServiceError};
use crate::crash::Point;
use crate::fault::Fault;
use crate::ids::PaymentFileId;
use crate::queue::worker::{Done, Work};
use crate::queue::{ATTEMPTS_MAX, Job};
use crate::refunds::jobs::actor;

pub const SEND: &str = "payment_file.send";
pub const REPORT: &str = "payment_file.report";

/// How often a bank is asked about a file that it has not decided, or is handed one of which nothing was heard.
const AGAIN: Done = Done::Later { seconds: 300 };

pub const WORKS: [Work; 2] = [
    Work { kind: SEND, at_once: 2, lease_seconds: 600, handle: send },
    Work { kind: REPORT, at_once: 2, lease_seconds: 600, handle: report },
];

fn file_of(job: &Job) -> Result<PaymentFileId, Fault> {
    job.subject.parse().map_err(|_| Fault::corrupt("jobs", "subject", job.id))
}

/// Hands one file over: it is committed as `sending` before its first byte leaves, and the answer is written by a
/// second transaction. A file of which nothing was heard is handed over again, where that does no harm, until it is known.
fn send(app: App, job: Job) -> BoxFuture<'static, Result<Done, Fault>> {
    async move {
        let id = file_of(&job)?;
        let laid = lay(&app, id).await?;
        let begun = app.run(&actor(), &id, |tx, id| Box::pin(service::begin(tx, id))).await;
        let outgoing = match begun.map_err(ServiceError::unheard)? {
            Begun::Leaves(outgoing) => *outgoing,
            Begun::Waits => return Ok(AGAIN),
            Begun::Nothing => return Ok(Done::Finished),
        };
        let Outgoing { ref file, again, .. } = outgoing;
        let silence = if service::may_repeat(&app.hub, file) { AGAIN } else { Done::Finished };
        app.hub.crash.reach(Point::Sending).await;
        let answer = match laid {
            Some(why) => Answer::NotSent { why },
            None => hand_over(&app, outgoing).await,
        };
        app.hub.crash.reach(Point::Sent).await;
        let answer = match answer {
            // Only that the bank has it tells of the first time too.
            Answer::Refused { reason: why } | Answer::NotSent { why } if again => Answer::Silent { why },
            Answer::NotSent { why } if job.attempt >= ATTEMPTS_MAX => {
                Answer::Refused { reason: format!("not_reached: {why}") }
            }
            answer => answer,
        };
        let sent = Sent { file: id, answer };
        app.run(&actor(), &sent, |tx, sent| Box::pin(service::conclude(tx, sent)))
            .await
            .map_err(ServiceError::unheard)?;
        match sent.answer {
            Answer::NotSent { why } => Err(Fault::Other(why)),
            Answer::Silent { .. } => Ok(silence),
            Answer::Taken { .. } | Answer::Refused { .. } => Ok(Done::Finished),
        }
    }
    .boxed()
}

/// A file for a folder is laid beside its place before it is told as leaving; says why that could not be.
async fn lay(app: &App, id: PaymentFileId) -> Result<Option<String>, Fault> {
    let Some(folder) = &app.hub.config.payments_folder else { return Ok(None) };
    let mut conn = app.pool.acquire().await?;
    let file = store::find(&mut conn, id).await?;
    let written =
        |file: &File| file.state == FileState::Written && app.hub.channels.bank(&file.account).is_none();
    let Some(file) = file.filter(written) else { return Ok(None) };
    let bytes = store::find_bytes(&mut conn, id)
        .await?
        .ok_or_else(|| Fault::corrupt("payment_files", "bytes", id))?;
    drop(conn);
    let laid = folder::lay(folder, &file.name(), &bytes).await;
    Ok(laid.err().map(|error| format!("{}: {error}", folder.display())))
}

/// Over HTTP where the bank answers there, else into its folder.
async fn hand_over(app: &App, Outgoing { file, bytes, .. }: Outgoing) -> Answer {
    if let Some(bank) = app.hub.channels.bank(&file.account).and_then(|bank| bank.pay_out.clone()) {
        return match bank.submit(bytes.into()).await {
            Outcome::Accepted(bank_file) => Answer::Taken { bank_file },
            Outcome::Rejected { code, message } => {
                tracing::error!(file = %file.id, code, message, "a payment file was refused");
                Answer::Refused { reason: code }
            }
            Outcome::Unknown { why } => Answer::Silent { why },
            Outcome::NotSent { why } => Answer::NotSent { why },
        };
    }
    match &app.hub.config.payments_folder {
        Some(folder) => folder::drop_in(folder, &file.name()).await,
        None => Answer::NotSent { why: format!("nothing leads to the bank of {}", file.account) },
    }
}

/// Asks the bank about a file until it has decided every order, or the statement has.
fn report(app: App, job: Job) -> BoxFuture<'static, Result<Done, Fault>> {
    async move {
        let id = file_of(&job)?;
        let asked = app.run(&actor(), &id, |tx, id| Box::pin(service::who_to_ask(tx, id))).await;
        let Some(file) = asked.map_err(ServiceError::unheard)? else { return Ok(Done::Finished) };
        let report = match ask(&app, &file).await {
            Ok(Some(report)) => report,
            Ok(None) => return Ok(AGAIN),
            Err(why) => {
                tracing::warn!(file = %id, why, "a bank could not be asked about a payment file");
                return Ok(AGAIN);
            }
        };
        let decided = app.run(&actor(), &report, |tx, report| Box::pin(service::report(tx, report))).await;
        Ok(if decided.map_err(ServiceError::unheard)? { Done::Finished } else { AGAIN })
    }
    .boxed()
}

/// The bank's report; None as long as there is none.
async fn ask(app: &App, file: &File) -> Result<Option<Report>, String> {
    let Some(bank_file) = file.bank_file.clone() else { return Ok(None) };
    if let Some(bank) = app.hub.channels.bank(&file.account).and_then(|bank| bank.pay_out.clone()) {
        return match bank.status(bank_file).await {
            Outcome::Accepted(status) => {
                Ok(Some(Report { file: file.id, raw: status.raw.to_vec(), says: status.report }))
            }
            Outcome::Rejected { code, message } => Err(format!("{code}: {message}")),
            Outcome::Unknown { why } | Outcome::NotSent { why } => Err(why),
        };
    }
    let Some(folder) = &app.hub.config.payments_folder else { return Ok(None) };
    let raw = folder::answer(folder, &bank_file).await.map_err(|error| error.to_string())?;
    let Some(raw) = raw else { return Ok(None) };
    let says = pain002::read(raw.as_slice()).map_err(|error| error.to_string())?;
    Ok(Some(Report { file: file.id, raw, says }))
}
