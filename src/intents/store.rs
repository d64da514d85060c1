use std::collections::BTreeMap;

use mizan_ledger::{Currency, Day, Id, Instant, Money};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::model::{Intent, IntentState};
use crate::fault::Fault;
use crate::ids::{IntentId, PortalId, QuoteId};

pub mod releases;
pub mod search;

/// An intent was inserted after the newest ended one of its reference, if there was one.
#[derive(Debug)]
pub struct Inserted {
    pub predecessor: Option<IntentId>,
}

/// Inserts an intent, and locks its predecessor: the newest ended one of its reference. None when a live one of the
/// portal holds the same reference and purpose, or another names its quote.
pub async fn insert(conn: &mut PgConnection, intent: &Intent) -> Result<Option<Inserted>, Fault> {
    let payer = intent.payer.as_ref().map(serde_json::to_value).transpose()?;
    let currency = intent.amount.currency();
    let row = sqlx::query!(
        "insert into payment_intents (id, portal, external_reference, purpose, state, version, currency, amount_minor,
             paid_minor, bill_number, pay_token, quote, payer, return_url, metadata, channels, created_at, expires_at,
             paid_at, settlement_on, receipt, predecessor)
         values ($1, $2, $3, $4, $5::text, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
             (select id from payment_intents
              where portal = $2 and external_reference = $3 and purpose = $4
                and state in ('reversed', 'expired', 'canceled')
              order by id desc limit 1 for no key update))
         on conflict do nothing
         returning predecessor",
        intent.id.uuid(),
        intent.portal.uuid(),
        intent.external_reference,
        intent.purpose,
        intent.state.as_str(),
        intent.version,
        currency.code(),
        intent.amount.minor(),
        intent.paid.minor(),
        intent.bill_number.to_string(),
        intent.pay_token,
        intent.quote.uuid(),
        payer,
        intent.return_url,
        Value::Object(intent.metadata.clone()),
        &intent.channels,
        intent.created_at as _,
        intent.expires_at as _,
        intent.paid_at as _,
        intent.settlement_on as _,
        intent.receipt,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Inserted { predecessor: row.predecessor.map(IntentId::from_uuid) }))
}

struct IntentRow {
    id: Uuid,
    portal: Uuid,
    external_reference: String,
    purpose: String,
    state: String,
    version: i32,
    currency: String,
    amount_minor: i64,
    paid_minor: i64,
    refund_reserved_minor: i64,
    refunded_minor: i64,
    bill_number: String,
    pay_token: String,
    quote: Uuid,
    payer: Option<Value>,
    return_url: Option<String>,
    metadata: Value,
    channels: Vec<String>,
    predecessor: Option<Uuid>,
    created_at: Instant,
    expires_at: Instant,
    paid_at: Option<Instant>,
    settlement_on: Option<Day>,
    receipt: Option<String>,
    fulfilment: Value,
    kept_minor: i64,
}

impl TryFrom<IntentRow> for Intent {
    type Error = Fault;

    fn try_from(row: IntentRow) -> Result<Self, Fault> {
        let id = IntentId::from_uuid(row.id);
        let corrupt = |column| Fault::corrupt("payment_intents", column, id);
        let currency: Currency = row.currency.parse().map_err(|_| corrupt("currency"))?;
        let Value::Object(metadata) = row.metadata else { return Err(corrupt("metadata")) };
        Ok(Self {
            id,
            portal: PortalId::from_uuid(row.portal),
            external_reference: row.external_reference,
            purpose: row.purpose,
            state: IntentState::parse(&row.state).ok_or_else(|| corrupt("state"))?,
            version: row.version,
            amount: Money::new(row.amount_minor, currency),
            paid: Money::new(row.paid_minor, currency),
            refund_reserved: Money::new(row.refund_reserved_minor, currency),
            refunded: Money::new(row.refunded_minor, currency),
            bill_number: row.bill_number.parse().map_err(|_| corrupt("bill_number"))?,
            pay_token: row.pay_token,
            quote: QuoteId::from_uuid(row.quote),
            payer: row.payer.map(serde_json::from_value).transpose().map_err(|_| corrupt("payer"))?,
            return_url: row.return_url,
            metadata,
            channels: row.channels,
            predecessor: row.predecessor.map(IntentId::from_uuid),
            created_at: row.created_at,
            expires_at: row.expires_at,
            paid_at: row.paid_at,
            settlement_on: row.settlement_on,
            receipt: row.receipt,
            fulfilment: serde_json::from_value(row.fulfilment).map_err(|_| corrupt("fulfilment"))?,
            kept: Money::new(row.kept_minor, currency),
        })
    }
}

pub async fn find(conn: &mut PgConnection, id: IntentId) -> Result<Option<Intent>, Fault> {
    let row = sqlx::query_as!(
        IntentRow,
        "select id, portal, external_reference, purpose, state, version, currency, amount_minor, paid_minor,
                refund_reserved_minor, refunded_minor, bill_number, pay_token, quote, payer, return_url, metadata,
                channels, predecessor, created_at, expires_at, paid_at, settlement_on, receipt, fulfilment, kept_minor
         from payment_intents where id = $1",
        id.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    row.map(Intent::try_from).transpose()
}

/// The intent behind a payer's page.
pub async fn find_by_token(conn: &mut PgConnection, token: &str) -> Result<Option<Intent>, Fault> {
    let row = sqlx::query_as!(
        IntentRow,
        "select id, portal, external_reference, purpose, state, version, currency, amount_minor, paid_minor,
                refund_reserved_minor, refunded_minor, bill_number, pay_token, quote, payer, return_url, metadata,
                channels, predecessor, created_at, expires_at, paid_at, settlement_on, receipt, fulfilment, kept_minor
         from payment_intents where pay_token = $1",
        token,
    )
    .fetch_optional(conn)
    .await?;
    row.map(Intent::try_from).transpose()
}

/// The live intent that holds a portal's reference.
pub async fn find_live(
    conn: &mut PgConnection,
    portal: PortalId,
    external_reference: &str,
    purpose: &str,
) -> Result<Option<(IntentId, IntentState)>, Fault> {
    let row = sqlx::query!(
        "select id, state from payment_intents
         where portal = $1 and external_reference = $2 and purpose = $3
           and state in ('requires_payment', 'processing', 'partially_paid', 'paid')",
        portal.uuid(),
        external_reference,
        purpose,
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        let state = IntentState::parse(&row.state);
        let state = state.ok_or_else(|| Fault::corrupt("payment_intents", "state", row.id))?;
        Ok((IntentId::from_uuid(row.id), state))
    })
    .transpose()
}

/// Takes the next serials of bill numbers out of the sequence, in ascending order.
pub async fn next_serials(conn: &mut PgConnection, count: i32) -> Result<Vec<u32>, Fault> {
    let serials = sqlx::query_scalar!(
        r#"select nextval('bill_serials') as "serial!" from generate_series(1, $1)"#,
        count
    )
    .fetch_all(conn)
    .await?;
    let number =
        |serial| u32::try_from(serial).map_err(|_| Fault::corrupt("bill_serials", "last_value", serial));
    serials.into_iter().map(number).collect()
}

/// Locks one intent.
pub async fn lock_one(conn: &mut PgConnection, id: IntentId) -> Result<Option<Intent>, Fault> {
    let row = sqlx::query_as!(
        IntentRow,
        "select id, portal, external_reference, purpose, state, version, currency, amount_minor, paid_minor,
                refund_reserved_minor, refunded_minor, bill_number, pay_token, quote, payer, return_url, metadata,
                channels, predecessor, created_at, expires_at, paid_at, settlement_on, receipt, fulfilment, kept_minor
         from payment_intents where id = $1 for no key update",
        id.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    row.map(Intent::try_from).transpose()
}

/// Writes the state of a locked intent, when nothing else of it changed.
pub async fn update_state(conn: &mut PgConnection, intent: &Intent) -> Result<(), Fault> {
    sqlx::query!(
        "update payment_intents set state = $2::text, version = $3 where id = $1",
        intent.id.uuid(),
        intent.state.as_str(),
        intent.version,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Locks intents in ascending order of their ids, one statement.
pub async fn lock(conn: &mut PgConnection, ids: &[IntentId]) -> Result<Vec<Intent>, Fault> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query_as!(
        IntentRow,
        "select id, portal, external_reference, purpose, state, version, currency, amount_minor, paid_minor,
                refund_reserved_minor, refunded_minor, bill_number, pay_token, quote, payer, return_url, metadata,
                channels, predecessor, created_at, expires_at, paid_at, settlement_on, receipt, fulfilment, kept_minor
         from payment_intents where id = any($1) order by id for no key update",
        &ids,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Intent::try_from).collect()
}

/// Up to `limit` intents whose time is up and that no attempt keeps alive.
pub async fn lock_due(conn: &mut PgConnection, now: Instant, limit: i64) -> Result<Vec<Intent>, Fault> {
    let rows = sqlx::query_as!(
        IntentRow,
        "select id, portal, external_reference, purpose, state, version, currency, amount_minor, paid_minor,
                refund_reserved_minor, refunded_minor, bill_number, pay_token, quote, payer, return_url, metadata,
                channels, predecessor, created_at, expires_at, paid_at, settlement_on, receipt, fulfilment, kept_minor
         from payment_intents
         where state in ('requires_payment', 'partially_paid') and expires_at <= $1
         order by id limit $2 for no key update skip locked",
        now as _,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Intent::try_from).collect()
}

/// Writes what can change of locked intents, as one statement.
pub async fn update(conn: &mut PgConnection, intents: &[&Intent]) -> Result<(), Fault> {
    if intents.is_empty() {
        return Ok(());
    }
    let each = || intents.iter();
    let ids: Vec<Uuid> = each().map(|intent| intent.id.uuid()).collect();
    let states: Vec<&str> = each().map(|intent| intent.state.as_str()).collect();
    let versions: Vec<i32> = each().map(|intent| intent.version).collect();
    let paid: Vec<i64> = each().map(|intent| intent.paid.minor()).collect();
    let reserved: Vec<i64> = each().map(|intent| intent.refund_reserved.minor()).collect();
    let refunded: Vec<i64> = each().map(|intent| intent.refunded.minor()).collect();
    let paid_at: Vec<Option<Instant>> = each().map(|intent| intent.paid_at).collect();
    let settlement_on: Vec<Option<Day>> = each().map(|intent| intent.settlement_on).collect();
    let receipts: Vec<Option<&str>> = each().map(|intent| intent.receipt.as_deref()).collect();
    let fulfilments = each().map(|intent| serde_json::to_value(&intent.fulfilment));
    let fulfilments: Vec<Value> = fulfilments.collect::<Result<_, _>>()?;
    let kept: Vec<i64> = each().map(|intent| intent.kept.minor()).collect();
    sqlx::query!(
        "update payment_intents set state = new.state, version = new.version, paid_minor = new.paid,
             refund_reserved_minor = new.reserved, refunded_minor = new.refunded, paid_at = new.paid_at,
             settlement_on = new.settlement_on, receipt = new.receipt, fulfilment = new.fulfilment,
             kept_minor = new.kept
         from unnest($1::uuid[], $2::text[], $3::int[], $4::bigint[], $5::bigint[], $6::bigint[], $7::timestamptz[],
                     $8::date[], $9::text[], $10::jsonb[], $11::bigint[])
             as new (id, state, version, paid, reserved, refunded, paid_at, settlement_on, receipt, fulfilment, kept)
         where payment_intents.id = new.id",
        &ids,
        &states as _,
        &versions,
        &paid,
        &reserved,
        &refunded,
        &paid_at as _,
        &settlement_on as _,
        &receipts as _,
        &fulfilments,
        &kept,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What a list of intents is narrowed to.
#[derive(Debug, Default)]
pub struct Filter {
    pub portal: Option<PortalId>,
    pub state: Option<IntentState>,
    pub external_reference: Option<String>,
    pub created_from: Option<Instant>,
    pub created_to: Option<Instant>,
}

/// Intents, newest first; `before` continues a page. Ids grow with time, so a page is stable under inserts.
pub async fn page(
    conn: &mut PgConnection,
    filter: &Filter,
    before: Option<IntentId>,
    limit: i64,
) -> Result<Vec<Intent>, Fault> {
    let rows = sqlx::query_as!(
        IntentRow,
        "select id, portal, external_reference, purpose, state, version, currency, amount_minor, paid_minor,
                refund_reserved_minor, refunded_minor, bill_number, pay_token, quote, payer, return_url, metadata,
                channels, predecessor, created_at, expires_at, paid_at, settlement_on, receipt, fulfilment, kept_minor
         from payment_intents
         where ($1::uuid is null or portal = $1) and ($2::text is null or state = $2)
           and ($3::text is null or external_reference = $3)
           and ($4::timestamptz is null or created_at >= $4) and ($5::timestamptz is null or created_at < $5)
           and ($6::uuid is null or id < $6)
         order by id desc limit $7",
        filter.portal.map(Id::uuid),
        filter.state.map(IntentState::as_str),
        filter.external_reference.as_deref(),
        filter.created_from as _,
        filter.created_to as _,
        before.map(Id::uuid),
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Intent::try_from).collect()
}

/// Which intent a reference names: an attempt's id (our order at the provider) or a bill number. One statement.
pub async fn find_by_references(
    conn: &mut PgConnection,
    orders: &[Uuid],
    bill_numbers: &[String],
) -> Result<BTreeMap<String, IntentId>, Fault> {
    let rows = sqlx::query!(
        r#"select 'at_' || replace(id::text, '-', '') as "reference!", intent as "intent!"
           from attempts where id = any($1)
           union all
           select bill_number, id from payment_intents where bill_number = any($2)"#,
        orders,
        bill_numbers,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.reference, IntentId::from_uuid(row.intent))).collect())
}

/// What is asked for and what is left to pay on a bill.
#[derive(Debug, Clone)]
pub struct BillDue {
    pub bill_number: String,
    pub intent: IntentId,
    pub amount: Money,
    pub paid: Money,
}

/// The bills of ours among these numbers.
pub async fn find_bills(conn: &mut PgConnection, bill_numbers: &[String]) -> Result<Vec<BillDue>, Fault> {
    let rows = sqlx::query!(
        "select id, bill_number, currency, amount_minor, paid_minor from payment_intents where bill_number = any($1)",
        bill_numbers,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let currency: Currency =
                row.currency.parse().map_err(|_| Fault::corrupt("payment_intents", "currency", row.id))?;
            Ok(BillDue {
                bill_number: row.bill_number,
                intent: IntentId::from_uuid(row.id),
                amount: Money::new(row.amount_minor, currency),
                paid: Money::new(row.paid_minor, currency),
            })
        })
        .collect()
}
