use mizan_adapters::payment_file::pain001::{self, WriteError, Written};
use mizan_adapters::payment_file::{
    Account, Agent, Booking, Charset, PaymentFile, PaymentOrder, Problem, Profile, Progress, StatusReport,
    Version,
};
use mizan_ledger::{Id, Instant};
use serde_json::json;

use super::{File, FileState, jobs, store};
use crate::config::Bank;
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

/// Orders of one file: each becomes an entry of one posting when the bank takes the file.
const ORDERS_MAX: i64 = 500;
/// When a bank is first asked what became of a file.
const REPORT_SECONDS: i64 = 60;

/// Writes the approved transfers from an account into one file, to be sent after the commit. A refund that no file
/// can carry (a name without a printable letter) has failed.
pub async fn write(tx: &mut Tx, account: &str) -> Result<Option<PaymentFileId>, RefundError> {
    let mut waiting = refund_store::lock_waiting(tx.conn(), account, ORDERS_MAX).await?;
    let hub = tx.hub().clone();
    let bank = hub.config.banks.iter().find(|bank| bank.name == account);
    let bank = bank.ok_or_else(|| Fault::Other(format!("the account {account} is not configured")))?;
    let id: PaymentFileId = tx.id();
    let mut unfit = taken_back(tx, &mut waiting).await?;
    let (file, bytes) = loop {
        if waiting.is_empty() {
            tell(tx, &unfit).await?;
            return Ok(None);
        }
        match compose(&hub, bank, id, tx.now(), &waiting) {
            Ok((written, bytes)) => break (file(id, bank, tx.now(), &written), bytes),
            Err(WriteError::Refused(problems)) => unfit.extend(set_aside(&mut waiting, &problems)?),
            Err(WriteError::Io(error)) => return Err(Fault::Other(error.to_string()).into()),
        }
    };
    let now = tx.now();
    let instructions: Vec<_> =
        waiting.iter().map(|refund| (refund.id, refund.instruction, refund.reference())).collect();
    for refund in &mut waiting {
        refund.payment_file = Some(id);
    }
    refund_store::update(tx.conn(), &waiting.iter().collect::<Vec<_>>()).await?;
    attempts::store::insert(tx.conn(), now, &instructions).await?;
    store::insert(tx.conn(), &file, &bytes).await?;
    tell(tx, &unfit).await?;
    let sha256 = hex::encode(&file.sha256);
    tx.audit(
        "payment_file.written",
        id,
        json!({ "total": file.total, "orders": file.orders, "sha256": sha256 }),
    );
    tx.enqueue(NewJob::now(jobs::SEND, id));
    Ok(Some(id))
}

/// Takes out those whose payment its channel took back since they were approved.
async fn taken_back(tx: &mut Tx, waiting: &mut Vec<Refund>) -> Result<Vec<Told>, Fault> {
    let ids: Vec<RefundId> = waiting.iter().map(|refund| refund.id).collect();
    let gone = refund_store::find_taken_back(tx.conn(), &ids).await?;
    let told = waiting.iter().filter(|refund| gone.contains(&refund.id)).map(not_sent_any_more).collect();
    waiting.retain(|refund| !gone.contains(&refund.id));
    Ok(told)
}

fn file(id: PaymentFileId, bank: &Bank, created_at: Instant, written: &Written) -> File {
    File {
        id,
        msg_id: msg_id(id),
        account: bank.name.clone(),
        orders: i32::try_from(written.orders).unwrap_or(i32::MAX),
        total: written.control_sum,
        sha256: written.sha256.to_vec(),
        state: FileState::Written,
        bank_file: None,
        created_at,
        sent_at: None,
    }
}

/// 34 characters of the SWIFT set; no two files share one.
fn msg_id(id: PaymentFileId) -> String {
    format!("PF{}", id.uuid().simple())
}

fn compose(
    hub: &Hub,
    bank: &Bank,
    id: PaymentFileId,
    now: Instant,
    refunds: &[Refund],
) -> Result<(Written, Vec<u8>), WriteError> {
    let standard = Profile {
        version: Version::V09,
        charset: Charset::Unicode,
        booking: Booking::Single,
        charge_bearer: None,
        service_level: None,
        local_instrument: None,
    };
    let profile = hub.config.payment_files.profiles.get(&bank.name).unwrap_or(&standard);
    let file = PaymentFile {
        msg_id: msg_id(id),
        created: now,
        initiating_party: bank.owner.clone(),
        debtor: bank.owner.clone(),
        debtor_account: account_of(&bank.account),
        debtor_agent: bank.bic.clone().map(Agent::Bic),
        currency: bank.currency,
        execution_day: hub.calendar.business_day_from(hub.calendar.day_of(now)),
        orders: refunds.iter().map(order).collect(),
    };
    let mut bytes = Vec::new();
    let written = pain001::write(&file, profile, &mut bytes)?;
    Ok((written, bytes))
}

fn account_of(text: &str) -> Account {
    text.parse().map_or_else(|_| Account::Other(text.to_owned()), Account::Iban)
}

fn order(refund: &Refund) -> PaymentOrder {
    let reference = refund.reference();
    let (creditor, account) =
        refund.payee.as_ref().map_or(("", ""), |payee| (payee.name.as_str(), payee.iban.as_str()));
    PaymentOrder {
        remittance: Some(format!("Refund of government fees {reference}")),
        end_to_end_id: reference,
        uetr: None,
        money: refund.amount,
        creditor: creditor.to_owned(),
        creditor_account: account_of(account),
        creditor_agent: None,
        creditor_reference: None,
        purpose: None,
    }
}

/// Takes the orders with problems out of the file. A problem of the file itself is one of our configuration.
fn set_aside(waiting: &mut Vec<Refund>, problems: &[Problem]) -> Result<Vec<Told>, Fault> {
    let mut unfit = Vec::new();
    for problem in problems {
        let Some(order) = &problem.order else { return Err(Fault::Other(problem.to_string())) };
        if let Some(at) = waiting.iter().position(|refund| refund.reference() == *order) {
            let refund = waiting.remove(at);
            let reason = format!("invalid_order: {}", problem.fault);
            unfit.push(Told {
                refund: refund.id,
                instruction: refund.instruction,
                news: News::Failed { reason },
            });
        }
    }
    Ok(unfit)
}

/// A file that may leave now.
#[derive(Debug, Clone)]
pub struct Outgoing {
    pub file: File,
    pub bytes: Vec<u8>,
}

/// Commits a written file as `sending`. None when there is nothing to send: also for a file found in `sending`, which
/// may have left, and whose orders are unknown from now on.
pub async fn begin(tx: &mut Tx, id: &PaymentFileId) -> Result<Option<Outgoing>, RefundError> {
    let known = store::find(tx.conn(), *id).await?.ok_or(RefundError::NotFound)?;
    if known.state == FileState::Sending {
        let why = "it was being sent when its worker stopped".to_owned();
        conclude(tx, &Sent { file: *id, answer: Answer::Silent { why } }).await?;
        return Ok(None);
    }
    let refunds = refund_store::lock_of_file(tx.conn(), *id).await?;
    let mut file = store::lock(tx.conn(), *id).await?.ok_or(RefundError::NotFound)?;
    if file.state != FileState::Written {
        return Ok(None);
    }
    let ids: Vec<RefundId> = refunds.iter().map(|refund| refund.id).collect();
    let gone = refund_store::find_taken_back(tx.conn(), &ids).await?;
    let given = attempts::store::find_taken(tx.conn(), &ids).await?;
    if !gone.is_empty() || !given.is_empty() {
        withdraw(tx, file, refunds, &gone).await?;
        return Ok(None);
    }
    file.state = FileState::Sending;
    store::update(tx.conn(), &file).await?;
    let bytes = store::find_bytes(tx.conn(), *id).await?;
    let bytes = bytes.ok_or_else(|| Fault::corrupt("payment_files", "bytes", id))?;
    Ok(Some(Outgoing { file, bytes }))
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

/// Applies a report: rejected orders have failed; orders of a silent file turn out to be taken. Answers whether the
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
            (Progress::Settled | Progress::UnderWay, RefundState::Unknown) => {
                let transaction = file.bank_file.clone().unwrap_or_else(|| file.msg_id.clone());
                told.push(news_of(refund, News::Taken { transaction }));
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
