//! Finding a payment by whatever number a person holds.

use mizan_ledger::Id;
use sqlx::PgConnection;

use super::IntentRow;
use crate::fault::Fault;
use crate::ids::{AttemptId, IntentId, RefundId};
use crate::intents::Intent;

/// What to look for; each by an index.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    pub id: Option<IntentId>,
    /// Our own reference at a provider.
    pub attempt: Option<AttemptId>,
    pub refund: Option<RefundId>,
    pub bill_number: Option<String>,
    /// An external reference, the number or code of a receipt, a transaction of a rail, our reference of a refund there.
    pub text: String,
    /// The rails whose transactions are meant.
    pub channels: Vec<String>,
    /// The number as a reference of each bank, as money is keyed: `bank:<account>:<reference>`.
    pub money_keys: Vec<String>,
}

/// The payments that carry the number, newest first.
pub async fn page(conn: &mut PgConnection, wanted: &Wanted, limit: i64) -> Result<Vec<Intent>, Fault> {
    let rows = sqlx::query_as!(
        IntentRow,
        "select id, portal, external_reference, purpose, state, version, currency, amount_minor, paid_minor,
                refund_reserved_minor, refunded_minor, bill_number, pay_token, quote, payer, return_url, metadata,
                channels, predecessor, created_at, expires_at, paid_at, settlement_on, receipt, fulfilment, kept_minor,
                reversed_minor
         from payment_intents
         where id in (
             select id from payment_intents where id = $1
             union select id from payment_intents where bill_number = $2
             union select id from payment_intents where external_reference = $3
             union select intent from attempts where id = $4
             union select intent from refunds where id = $8
             union select refunds.intent from refund_attempts join refunds on refunds.id = refund_attempts.refund
                   where refund_attempts.reference = $3
             union select intent from receipts where number = $3
             union select intent from receipts where code = $3
             union select intent from notices where channel = any($5) and transaction = $3
             union select intent from expectations where channel = any($5) and transaction = $3
             union select notices.intent from money_keys join notices on notices.n = money_keys.notice
                   where money_keys.money_key = any($6)
             union select coalesce(expectations.intent, refunds.intent) from statement_lines
                   join expectations on expectations.statement_line = statement_lines.id
                   left join refunds on refunds.id = expectations.refund
                   where statement_lines.money_key = any($6)
             union select expectations.intent from statement_lines
                   join settlements on settlements.statement_line = statement_lines.id
                   join settlement_items on settlement_items.settlement = settlements.id
                   join expectations on expectations.channel = settlements.channel
                                    and expectations.transaction = settlement_items.transaction
                   where statement_lines.money_key = any($6))
         order by id desc limit $7",
        wanted.id.map(Id::uuid),
        wanted.bill_number,
        wanted.text,
        wanted.attempt.map(Id::uuid),
        &wanted.channels,
        &wanted.money_keys,
        limit,
        wanted.refund.map(Id::uuid),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Intent::try_from).collect()
}

/// The newest payments of all portals.
pub async fn page_newest(conn: &mut PgConnection, limit: i64) -> Result<Vec<Intent>, Fault> {
    let rows = sqlx::query_as!(
        IntentRow,
        "select id, portal, external_reference, purpose, state, version, currency, amount_minor, paid_minor,
                refund_reserved_minor, refunded_minor, bill_number, pay_token, quote, payer, return_url, metadata,
                channels, predecessor, created_at, expires_at, paid_at, settlement_on, receipt, fulfilment, kept_minor,
                reversed_minor
         from payment_intents order by id desc limit $1",
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Intent::try_from).collect()
}
