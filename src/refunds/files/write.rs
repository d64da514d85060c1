//! From approved transfers to a file.

use mizan_adapters::payment_file::pain001::{self, WriteError, Written};
use mizan_adapters::payment_file::{
    Account, Agent, Booking, Charset, PaymentFile, PaymentOrder, Problem, Profile, Version,
};
use mizan_ledger::{Id, Instant};
use serde_json::json;

use super::{File, FileState, jobs, store};
use crate::config::Bank;
use crate::fault::Fault;
use crate::ids::{PaymentFileId, RefundId};
use crate::queue::NewJob;
use crate::refunds::attempts;
use crate::refunds::model::{Refund, RefundError};
use crate::refunds::service::{News, Told, not_sent_any_more, tell};
use crate::refunds::store as refund_store;
use crate::tx::{Hub, Tx};

/// Orders of one file: each becomes an entry of one posting when the bank takes the file.
const ORDERS_MAX: i64 = 500;
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
