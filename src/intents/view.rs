//! An intent as its portal sees it, and as an event carries it.

use std::collections::BTreeMap;

use mizan_adapters::reference::RfReference;
use mizan_ledger::{Instant, Money};
use serde::Serialize;
use serde_json::{Map, Value};
use sqlx::PgConnection;

use super::attempts;
use super::fulfilled::Outcome;
use super::model::{Attempt, AttemptState, Intent, IntentState, Payer};
use super::{shares, store};
use crate::expectations;
use crate::fault::Fault;
use crate::ids::{AttemptId, IntentId, QuoteId, SuspenseId};
use crate::quoting::{self, Basket, view::LineView};
use crate::receipts::{NewReceipt, ReceiptLine};
use crate::suspense;
use crate::tx::Hub;

#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = PaymentIntent)]
pub struct IntentView {
    pub id: IntentId,
    pub live: bool,
    pub state: IntentState,
    pub version: i32,
    pub external_reference: String,
    pub purpose: String,
    pub created_at: Instant,
    pub expires_at: Instant,
    pub paid_at: Option<Instant>,
    pub amount: Money,
    pub paid: Money,
    pub refundable: Money,
    pub refunded: Money,
    /// Of what was paid: its channel took it back, so that the payer has it again. It is not refundable any more.
    pub reversed: Money,
    pub bill_number: String,
    /// The ISO 11649 creditor reference of the bill, for transfers.
    pub reference: String,
    pub pay_url: String,
    pub return_url: Option<String>,
    #[schema(value_type = Object)]
    pub metadata: Map<String, Value>,
    pub payer: Option<Payer>,
    pub lines: Vec<LineView>,
    pub predecessor: Option<IntentId>,
    pub receipt: Option<ReceiptLink>,
    pub attempts: Vec<AttemptView>,
    pub settlement: &'static str,
    /// What the agencies of its lines reported.
    pub fulfilment: Vec<FulfilmentView>,
    /// Money that came for this payment and was not applied to it: late, twice, too much, or a part of what ended.
    /// Each can be given back through `POST /v1/refunds` with its id as source, unless its channel took it back.
    pub unapplied: Vec<UnappliedView>,
}

/// A line by its place, from 0, and what became of its service.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = Fulfilment)]
pub struct FulfilmentView {
    pub line: usize,
    pub outcome: Outcome,
}

/// What is left of money in suspense.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = UnappliedMoney)]
pub struct UnappliedView {
    pub id: SuspenseId,
    pub amount: Money,
    /// The category of its break.
    pub cause: String,
}

#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ReceiptLink {
    pub number: String,
    pub url: String,
}

#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = Attempt)]
pub struct AttemptView {
    pub id: AttemptId,
    pub channel: String,
    pub state: AttemptState,
    pub failure: Option<FailureView>,
}

/// Why an attempt failed, and what the payer can do.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = AttemptFailure)]
pub struct FailureView {
    /// The provider's word.
    pub code: String,
    pub title: crate::catalogue::Bilingual,
    /// `same`: the same way again; `other`: another card or channel; `never`.
    pub retry: &'static str,
}

/// The view of an intent whose lines and attempts are at hand. Money just paid is on its way to the bank.
pub fn intent(hub: &Hub, intent: &Intent, basket: &Basket, attempts: &[Attempt]) -> IntentView {
    let public = &hub.config.public_url;
    let refundable = shares::refundable(intent, basket).unwrap_or(Money::zero(intent.amount.currency()));
    IntentView {
        id: intent.id,
        live: hub.config.mode.is_live(),
        state: intent.state,
        version: intent.version,
        external_reference: intent.external_reference.clone(),
        purpose: intent.purpose.clone(),
        created_at: intent.created_at,
        expires_at: intent.expires_at,
        paid_at: intent.paid_at,
        amount: intent.amount,
        paid: intent.paid,
        refundable,
        refunded: intent.refunded,
        reversed: intent.reversed,
        bill_number: intent.bill_number.to_string(),
        reference: creditor_reference(intent).to_string(),
        pay_url: format!("{public}/pay/{}", intent.pay_token),
        return_url: intent.return_url.clone(),
        metadata: intent.metadata.clone(),
        payer: intent.payer.clone(),
        lines: quoting::view::lines(basket),
        predecessor: intent.predecessor,
        receipt: intent.receipt.as_ref().map(|number| ReceiptLink {
            number: number.clone(),
            url: format!("{public}/v1/receipts/{number}"),
        }),
        attempts: attempts.iter().map(attempt).collect(),
        settlement: if intent.paid.is_positive() { "in_transit" } else { "none" },
        fulfilment: intent
            .fulfilment
            .iter()
            .map(|(line, outcome)| FulfilmentView { line, outcome })
            .collect(),
        unapplied: Vec::new(),
    }
}

fn attempt(attempt: &Attempt) -> AttemptView {
    AttemptView {
        id: attempt.id,
        channel: attempt.channel.clone(),
        state: attempt.state,
        failure: attempt.failure.as_deref().map(failure),
    }
}

fn failure(code: &str) -> FailureView {
    let (ar, en, retry) = match code {
        "insufficient_funds" => ("الرصيد لا يكفي", "Not enough money in the account", "other"),
        "do_not_honour" => ("رفض المصرف العملية", "The bank refused the payment", "other"),
        "expired_card" => ("انتهت صلاحية البطاقة", "The card has expired", "other"),
        "no_answer" => ("لم تُجب بوابة الدفع", "The payment gateway did not answer", "other"),
        _ => ("لم تنجح العملية", "The payment did not succeed", "same"),
    };
    FailureView { code: code.to_owned(), title: crate::catalogue::Bilingual::new(ar, en), retry }
}

/// The ISO 11649 reference of the bill.
pub fn creditor_reference(intent: &Intent) -> RfReference {
    RfReference::from(intent.bill_number)
}

/// The intent as it stands in the database.
pub async fn find(conn: &mut PgConnection, hub: &Hub, id: IntentId) -> Result<Option<IntentView>, Fault> {
    let Some(found) = store::find(conn, id).await? else { return Ok(None) };
    Ok(page(conn, hub, vec![found]).await?.pop())
}

/// Intents with all that belongs to them, a constant number of statements.
pub async fn page(
    conn: &mut PgConnection,
    hub: &Hub,
    intents: Vec<Intent>,
) -> Result<Vec<IntentView>, Fault> {
    if intents.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<IntentId> = intents.iter().map(|intent| intent.id).collect();
    let baskets = baskets(conn, &intents).await?;
    let attempts = attempts::store::page_of(conn, &ids).await?;
    let arrived = expectations::store::reading::find_arrived(conn, &ids).await?;
    let unapplied = suspense::store::page_of_intents(conn, &ids).await?;
    let whole = |one: Intent| {
        let own: Vec<Attempt> = attempts.iter().filter(|attempt| attempt.intent == one.id).cloned().collect();
        let basket = baskets.get(&one.quote);
        let basket = basket.ok_or_else(|| Fault::corrupt("payment_intents", "quote", one.id))?;
        let mut view = intent(hub, &one, basket, &own);
        if let Some(money) = arrived.iter().find(|money| money.intent == one.id) {
            view.settlement = if money.direct { "direct" } else { "at_bank" };
        }
        let left = unapplied.iter().filter(|item| item.intent == Some(one.id));
        view.unapplied = left
            .map(|item| UnappliedView { id: item.id, amount: item.left, cause: item.cause.clone() })
            .collect();
        Ok(view)
    };
    intents.into_iter().map(whole).collect()
}

/// The priced lines of several intents, one statement.
pub async fn baskets(
    conn: &mut PgConnection,
    intents: &[Intent],
) -> Result<BTreeMap<QuoteId, Basket>, Fault> {
    let quotes: Vec<QuoteId> = intents.iter().map(|intent| intent.quote).collect();
    quoting::service::find_baskets(conn, &quotes).await
}

/// What the receipt of a paid intent says.
pub fn receipt(intent: &Intent, basket: &Basket, channel: &str, transaction: &str) -> NewReceipt {
    let lines = basket.lines.iter().flat_map(|line| {
        line.priced.lines.iter().map(|part| ReceiptLine {
            service: line.priced.service.to_string(),
            component: part.component.to_string(),
            agency: line.priced.service.agency().to_string(),
            article: part.article.clone(),
            amount: part.amount,
        })
    });
    NewReceipt {
        intent: intent.id,
        bill_number: intent.bill_number.to_string(),
        external_reference: intent.external_reference.clone(),
        amount: intent.amount,
        lines: lines.collect(),
        paid_at: intent.paid_at.unwrap_or(intent.created_at),
        channel: channel.to_owned(),
        transaction: transaction.to_owned(),
    }
}
