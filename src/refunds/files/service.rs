//! What is done with a file: it leaves, is answered, and is reported on.

use mizan_adapters::payment_file::{Progress, StatusReport};
use serde_json::json;

use super::{File, FileState, jobs, store};
use crate::fault::Fault;
use crate::ids::{PaymentFileId, RefundId};
use crate::queue::NewJob;
use crate::refunds::attempts::{self, AttemptState, store::Answered};
use crate::refunds::jobs as refund_jobs;
use crate::refunds::model::{Refund, RefundError};
use crate::refunds::service::{News, Told, not_sent_any_more, tell};
use crate::refunds::state::RefundState;
use crate::refunds::store as refund_store;
use crate::tx::{Hub, Tx};

/// When a bank is first asked what became of a file.
const REPORT_SECONDS: i64 = 60;

/// A file that may leave now.
#[derive(Debug, Clone)]
pub struct Outgoing {
    pub file: File,
    pub bytes: Vec<u8>,
    /// It may have left before.
    pub again: bool,
}

/// Whether what the bank of this account took before does no harm when it is handed over again. In a folder that is seen:
/// what still lies beside its place has not left ([`super::folder`]).
pub fn may_repeat(hub: &Hub, file: &File) -> bool {
    match hub.channels.bank(&file.account).and_then(|bank| bank.pay_out.as_ref()) {
        Some(bank) => bank.refuses_repeats(),
        None => hub.config.payments_folder.is_some(),
    }
}

/// Whether the file of this refund is being handed over now.
pub async fn is_leaving(tx: &mut Tx, refund: &Refund) -> Result<bool, Fault> {
    let Some(file) = refund.payment_file else { return Ok(false) };
    let file = store::find(tx.conn(), file).await?;
    Ok(file.is_some_and(|file| file.state == FileState::Sending))
}

/// What becomes of a file that is to leave.
#[derive(Debug, Clone)]
pub enum Begun {
    Leaves(Box<Outgoing>),
    /// Somebody says that an order of it was not carried out: until another person has decided, it stays where it is.
    Waits,
    Nothing,
}

/// Commits a file as `sending`, when there is something to send. One that may have left before leaves again where that
/// does no harm ([`may_repeat`]), byte for byte and with the same orders; elsewhere its orders are unknown from now on.
pub async fn begin(tx: &mut Tx, id: &PaymentFileId) -> Result<Begun, RefundError> {
    let refunds = refund_store::lock_of_file(tx.conn(), *id).await?;
    let mut file = store::lock(tx.conn(), *id).await?.ok_or(RefundError::NotFound)?;
    if !matches!(file.state, FileState::Written | FileState::Sending | FileState::Unknown) {
        return Ok(Begun::Nothing);
    }
    let again = file.state != FileState::Written;
    let awaited = |refund: &&Refund| matches!(refund.state, RefundState::Approved | RefundState::Unknown);
    let ids: Vec<RefundId> = refunds.iter().filter(awaited).map(|refund| refund.id).collect();
    let gone = refund_store::find_taken_back(tx.conn(), &ids).await?;
    let given = attempts::store::find_taken(tx.conn(), &ids).await?;
    let may_leave = gone.is_empty() && given.is_empty() && is_as_it_was(&file, &refunds);
    if again && !(may_leave && may_repeat(tx.hub(), &file)) {
        if file.state == FileState::Sending {
            let why = "it was being sent when its worker stopped".to_owned();
            conclude(tx, &Sent { file: *id, answer: Answer::Silent { why } }).await?;
        }
        return Ok(if is_doubted(&refunds) { Begun::Waits } else { Begun::Nothing });
    }
    if !may_leave {
        withdraw(tx, file, refunds, &gone).await?;
        return Ok(Begun::Nothing);
    }
    if ids.is_empty() {
        // All of it was seen leaving.
        return Ok(Begun::Nothing);
    }
    file.state = FileState::Sending;
    store::update(tx.conn(), &file).await?;
    let bytes = store::find_bytes(tx.conn(), *id).await?;
    let bytes = bytes.ok_or_else(|| Fault::corrupt("payment_files", "bytes", id))?;
    Ok(Begun::Leaves(Box::new(Outgoing { file, bytes, again })))
}

/// Whether each of its orders may still leave, or was seen leaving: none has failed, is said not to have been carried out, or
/// goes another way now.
fn is_as_it_was(file: &File, refunds: &[Refund]) -> bool {
    use RefundState::{Approved, Returned, Succeeded, Unknown};
    let stands = |refund: &Refund| matches!(refund.state, Approved | Unknown | Succeeded | Returned);
    i32::try_from(refunds.len()) == Ok(file.orders) && refunds.iter().all(stands) && !is_doubted(refunds)
}

fn is_doubted(refunds: &[Refund]) -> bool {
    refunds.iter().any(|refund| refund.state == RefundState::Unknown && refund.proposal.is_some())
}

/// Gives a file up unsent, because an order of it must not leave any more: its channel took the payment back (`gone`), or
/// the rail before carried it out after all. The others go into another file.
async fn withdraw(
    tx: &mut Tx,
    mut file: File,
    mut refunds: Vec<Refund>,
    gone: &[RefundId],
) -> Result<(), RefundError> {
    file.state = FileState::Withdrawn;
    store::update(tx.conn(), &file).await?;
    let unsent = |refund: &Refund| Answered {
        refund: refund.id,
        instruction: refund.instruction,
        state: AttemptState::NotSent,
        answer: Some("its file was withdrawn".to_owned()),
    };
    let unsent: Vec<Answered> = refunds.iter().map(unsent).collect();
    let (now, hub) = (tx.now(), tx.hub().clone());
    attempts::store::update(tx.conn(), now, &unsent).await?;
    for refund in &mut refunds {
        refund.payment_file = None;
        tx.enqueue(refund_jobs::send(&hub, now, refund));
    }
    refund_store::update(tx.conn(), &refunds.iter().collect::<Vec<_>>()).await?;
    let told: Vec<Told> =
        refunds.iter().filter(|refund| gone.contains(&refund.id)).map(not_sent_any_more).collect();
    tell(tx, &told).await?;
    tx.audit("payment_file.withdrawn", file.id, json!({ "taken_back": gone }));
    Ok(())
}

/// What the bank made of a file.
#[derive(Debug, Clone)]
pub struct Sent {
    pub file: PaymentFileId,
    pub answer: Answer,
}

#[derive(Debug, Clone)]
pub enum Answer {
    /// Taken, under the bank's own reference.
    Taken {
        bank_file: String,
    },
    /// Refused as a whole.
    Refused {
        reason: String,
    },
    Silent {
        why: String,
    },
    /// It never left.
    NotSent {
        why: String,
    },
}

/// Writes the answer, for the file and each of its orders.
pub async fn conclude(tx: &mut Tx, sent: &Sent) -> Result<(), RefundError> {
    let refunds = refund_store::lock_of_file(tx.conn(), sent.file).await?;
    let mut file = store::lock(tx.conn(), sent.file).await?.ok_or(RefundError::NotFound)?;
    if file.state != FileState::Sending {
        return Ok(());
    }
    let news = match &sent.answer {
        Answer::NotSent { .. } => {
            file.state = FileState::Written;
            store::update(tx.conn(), &file).await?;
            return Ok(());
        }
        Answer::Taken { bank_file } => {
            file.state = FileState::Sent;
            file.bank_file = Some(bank_file.clone());
            News::Taken { transaction: bank_file.clone() }
        }
        Answer::Refused { reason } => {
            file.state = FileState::Rejected;
            News::Failed { reason: reason.clone() }
        }
        Answer::Silent { why } => {
            file.state = FileState::Unknown;
            // A folder answers under the file's name; over HTTP only a taken file has one.
            if tx.hub().channels.bank(&file.account).is_none() {
                file.bank_file = Some(file.name());
            }
            News::Silent { why: why.clone() }
        }
    };
    file.sent_at = Some(tx.now());
    store::update(tx.conn(), &file).await?;
    let told: Vec<Told> = refunds.iter().map(|refund| news_of(refund, news.clone())).collect();
    tell(tx, &told).await?;
    tx.audit("payment_file.sent", file.id, json!({ "state": file.state, "bank_file": file.bank_file }));
    if file.state != FileState::Rejected && file.bank_file.is_some() {
        tx.enqueue(NewJob::now(jobs::REPORT, file.id).at(tx.now().plus_seconds(REPORT_SECONDS)));
    }
    Ok(())
}

fn news_of(refund: &Refund, news: News) -> Told {
    Told { refund: refund.id, instruction: refund.instruction, news }
}

/// The file a bank is to be asked about; None when nothing of it is on its way any more.
pub async fn who_to_ask(tx: &mut Tx, id: &PaymentFileId) -> Result<Option<File>, RefundError> {
    let file = store::find(tx.conn(), *id).await?.ok_or(RefundError::NotFound)?;
    let open = matches!(file.state, FileState::Sent | FileState::Unknown);
    let refunds = refund_store::page_of_file(tx.conn(), *id).await?;
    let flies = refunds.iter().any(|refund| refund.state.is_in_flight());
    Ok((open && flies).then_some(file))
}

/// A bank's report about a file.
#[derive(Debug, Clone)]
pub struct Report {
    pub file: PaymentFileId,
    pub raw: Vec<u8>,
    pub says: StatusReport,
}

/// Applies a report: rejected orders have failed; those that are done are carried out, which no later word takes back; orders of a
/// silent file turn out to be taken. Answers whether the
/// bank has decided all of them.
pub async fn report(tx: &mut Tx, report: &Report) -> Result<bool, RefundError> {
    let refunds = refund_store::lock_of_file(tx.conn(), report.file).await?;
    let mut file = store::lock(tx.conn(), report.file).await?.ok_or(RefundError::NotFound)?;
    if report.says.is_about_another(&file.msg_id) {
        let about = report.says.original_message_id.as_deref();
        tracing::error!(file = %file.id, about, "a bank's report stands in another file's place, and is not used");
        return Ok(false);
    }
    let (mut told, mut decided) = (Vec::new(), true);
    let transaction = file.bank_file.clone().unwrap_or_else(|| file.msg_id.clone());
    for refund in &refunds {
        let block = (file.msg_id.as_str(), file.msg_id.as_str());
        let Some((status, reasons)) = report.says.of(block, &refund.reference()) else {
            decided = false;
            continue;
        };
        let progress = Progress::of(status);
        decided &= matches!(progress, Progress::Settled | Progress::Rejected);
        let code = reasons.iter().find_map(|reason| reason.code.clone());
        match (progress, refund.state) {
            (Progress::Rejected, _) => {
                let reason = code.unwrap_or_else(|| status.to_owned());
                told.push(news_of(refund, News::Failed { reason }));
            }
            (Progress::Settled, RefundState::Submitted | RefundState::Unknown | RefundState::Failed) => {
                told.push(news_of(refund, News::CarriedOut { transaction: transaction.clone() }));
            }
            (Progress::UnderWay, RefundState::Unknown | RefundState::Failed) => {
                told.push(news_of(refund, News::Taken { transaction: transaction.clone() }));
            }
            _ => {}
        }
    }
    if decided {
        file.state = FileState::Settled;
    }
    store::update(tx.conn(), &file).await?;
    store::update_answer(tx.conn(), file.id, &report.raw).await?;
    tell(tx, &told).await?;
    Ok(decided)
}
