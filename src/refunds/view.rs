//! A refund as its portal sees it and an event carries it, and as staff see it.

use mizan_ledger::{Instant, Money};
use serde::Serialize;

use super::attempts::Attempt;
use super::components::Part;
use super::model::{Payee, Proposal, Rail, Refund, RefundSource};
use super::pay_ins;
use super::state::{PortalState, RefundState};
use crate::catalogue::Bilingual;
use crate::ids::{PaymentFileId, RefundId};
use crate::tx::Hub;

#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = Refund)]
pub struct RefundView {
    pub id: RefundId,
    pub live: bool,
    pub state: PortalState,
    pub version: i32,
    /// A payment intent or an item in suspense.
    #[schema(value_type = String)]
    pub source: RefundSource,
    pub amount: Money,
    /// Empty for money in suspense.
    pub components: Vec<Part>,
    pub reason: String,
    /// `original`: the way the money came; `transfer`: to the payee's account.
    pub method: &'static str,
    /// The account is shortened for portals.
    pub payee: Option<Payee>,
    pub created_at: Instant,
    pub submitted_at: Option<Instant>,
    pub succeeded_at: Option<Instant>,
    /// Why it is failed.
    pub failure: Option<FailureView>,
}

/// Why a refund did not reach the payer.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = RefundFailure)]
pub struct FailureView {
    /// `refused` by an approver, `returned` by the payee's bank, or the rail's word.
    pub code: String,
    pub title: Bilingual,
    /// What the approver said.
    pub note: Option<String>,
}

#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = StaffRefund)]
pub struct StaffView {
    #[serde(flatten)]
    pub refund: RefundView,
    /// The state as it is, of which portals see less.
    pub stage: RefundState,
    pub requested_by: String,
    pub decided_by: Option<String>,
    pub decided_at: Option<Instant>,
    pub note: Option<String>,
    /// The channel, or the name of our account.
    pub channel: String,
    pub original_transaction: Option<String>,
    pub provider_transaction: Option<String>,
    pub payment_file: Option<PaymentFileId>,
    /// While it waits for its agency's money: what the agency writes when it pays in.
    pub pay_in: Option<PayInView>,
    /// What the payment's channel has yet to pay in: a transfer before that gives what is not here. Told of one
    /// refund, not in lists.
    pub outstanding: Option<Money>,
    /// Who proposes to give it up, or of an unknown one that it was not carried out, until another person agrees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposal: Option<Proposal>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub instructions: Vec<InstructionView>,
}

#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = AwaitedPayIn)]
pub struct PayInView {
    pub agency: String,
    /// A creditor reference of ISO 11649.
    pub reference: String,
}

#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = RefundInstruction)]
pub struct InstructionView {
    pub reference: String,
    pub state: &'static str,
    pub answer: Option<String>,
    pub started_at: Instant,
}

pub fn for_portal(hub: &Hub, refund: &Refund) -> RefundView {
    let shortened = |payee: &Payee| Payee { iban: shortened(&payee.iban), ..payee.clone() };
    view(hub, refund, refund.payee.as_ref().map(shortened))
}

/// What is read of one refund alone, and not of a list.
#[derive(Debug, Default)]
pub struct More {
    pub instructions: Vec<Attempt>,
    pub outstanding: Option<Money>,
}

pub fn for_staff(hub: &Hub, refund: &Refund, more: More) -> StaffView {
    let (channel, original_transaction) = match &refund.rail {
        Rail::Gateway { channel, transaction } => (channel.clone(), Some(transaction.clone())),
        Rail::Bank { account } => (account.clone(), None),
    };
    let instruction = |attempt: Attempt| InstructionView {
        reference: attempt.reference,
        state: attempt.state.as_str(),
        answer: attempt.answer,
        started_at: attempt.started_at,
    };
    StaffView {
        refund: view(hub, refund, refund.payee.clone()),
        stage: refund.state,
        requested_by: refund.requested_by.clone(),
        decided_by: refund.decided_by.clone(),
        decided_at: refund.decided_at,
        note: refund.decision_note.clone(),
        channel,
        original_transaction,
        provider_transaction: refund.provider_transaction.clone(),
        payment_file: refund.payment_file,
        pay_in: pay_ins::awaited_from(hub, refund).map(|agency| PayInView {
            agency: agency.to_string(),
            reference: pay_ins::reference(refund.serial).to_string(),
        }),
        outstanding: more.outstanding,
        proposal: refund.proposal.clone(),
        instructions: more.instructions.into_iter().map(instruction).collect(),
    }
}

fn view(hub: &Hub, refund: &Refund, payee: Option<Payee>) -> RefundView {
    RefundView {
        id: refund.id,
        live: hub.config.mode.is_live(),
        state: refund.state.seen_by_portal(),
        version: refund.version,
        source: refund.source,
        amount: refund.amount,
        components: refund.parts.clone(),
        reason: refund.reason.clone(),
        method: match refund.rail {
            Rail::Gateway { .. } => "original",
            Rail::Bank { .. } => "transfer",
        },
        payee,
        created_at: refund.created_at,
        submitted_at: refund.submitted_at,
        succeeded_at: refund.succeeded_at,
        failure: failure(refund),
    }
}

fn failure(refund: &Refund) -> Option<FailureView> {
    let code = match refund.state {
        RefundState::Refused => "refused",
        RefundState::Unclaimed => "unclaimed",
        RefundState::Failed | RefundState::Returned => refund.failure.as_deref().unwrap_or("failed"),
        _ => return None,
    };
    let (ar, en) = match code {
        "refused" => ("رُفض طلب الرد", "The refund was refused"),
        "returned" => ("أعاد مصرف المستفيد المبلغ", "The payee's bank sent the money back"),
        "unclaimed" => ("تعذّر الوصول إلى صاحب المبلغ", "No way to the payer was found"),
        "payment_reversed" => (
            "استعادت قناة الدفع هذه الدفعة قبل الرد",
            "The channel took the payment back before the refund left",
        ),
        "AC03" | "AC04" => ("حساب المستفيد غير صحيح أو مغلق", "The payee's account is wrong or closed"),
        _ => ("لم يُنفَّذ الرد", "The refund was not carried out"),
    };
    let note = refund.decision_note.clone().filter(|_| refund.state == RefundState::Refused);
    Some(FailureView { code: code.to_owned(), title: Bilingual::new(ar, en), note })
}

/// The first and the last four characters of an account.
fn shortened(iban: &str) -> String {
    let (head, tail) = (iban.get(..4).unwrap_or(""), iban.get(iban.len().saturating_sub(4)..).unwrap_or(""));
    format!("{head}...{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_shortened() {
        assert_eq!(shortened("PS92PALS000000000400123456702"), "PS92...6702");
        assert_eq!(shortened(""), "...");
    }
}
