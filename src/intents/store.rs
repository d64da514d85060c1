use std::collections::BTreeMap;

use mizan_ledger::{Currency, Day, Id, Instant, Money};
use serde_json::{Map, Value};
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::model::{Intent, IntentState, Payer};
use crate::fault::Fault;
use crate::ids::{IntentId, PortalId, QuoteId};

pub mod bills;
pub mod releases;
pub mod search;

/// Inserts new intents, and locks their predecessors: the newest ended one of each reference. Answers the predecessor of
/// each that was inserted; one is not when a live one of the portal holds the same reference and purpose, or another
/// names its quote.
pub async fn insert(
    conn: &mut PgConnection,
    intents: &[&Intent],
) -> Result<BTreeMap<IntentId, Option<IntentId>>, Fault> {
    if intents.is_empty() {
        return Ok(BTreeMap::new());
    }
    let ids: Vec<Uuid> = intents.iter().map(|intent| intent.id.uuid()).collect();
    let portals: Vec<Uuid> = intents.iter().map(|intent| intent.portal.uuid()).collect();
    let references: Vec<&str> = intents.iter().map(|intent| intent.external_reference.as_str()).collect();
    let purposes: Vec<&str> = intents.iter().map(|intent| intent.purpose.as_str()).collect();
    let states: Vec<&str> = intents.iter().map(|intent| intent.state.as_str()).collect();
    let versions: Vec<i32> = intents.iter().map(|intent| intent.version).collect();
    let currencies: Vec<Currency> = intents.iter().map(|intent| intent.amount.currency()).collect();
    let currencies: Vec<&str> = currencies.iter().map(Currency::code).collect();
    let amounts: Vec<i64> = intents.iter().map(|intent| intent.amount.minor()).collect();
    let bills: Vec<String> = intents.iter().map(|intent| intent.bill_number.to_string()).collect();
    let tokens: Vec<&str> = intents.iter().map(|intent| intent.pay_token.as_str()).collect();
    let quotes: Vec<Uuid> = intents.iter().map(|intent| intent.quote.uuid()).collect();
    let payers: Vec<Option<Json<&Payer>>> =
        intents.iter().map(|intent| intent.payer.as_ref().map(Json)).collect();
    let urls: Vec<Option<&str>> = intents.iter().map(|intent| intent.return_url.as_deref()).collect();
    let metadata: Vec<Json<&Map<String, Value>>> =
        intents.iter().map(|intent| Json(&intent.metadata)).collect();
    let channels: Vec<Json<&[String]>> =
        intents.iter().map(|intent| Json(intent.channels.as_slice())).collect();
    let created: Vec<Instant> = intents.iter().map(|intent| intent.created_at).collect();
    let expire: Vec<Instant> = intents.iter().map(|intent| intent.expires_at).collect();
    let rows = sqlx::query!(
        "insert into payment_intents (id, portal, external_reference, purpose, state, version, currency, amount_minor,
             paid_minor, bill_number, pay_token, quote, payer, return_url, metadata, channels, created_at, expires_at,
             predecessor)
         select id, portal, external_reference, purpose, state, version, currency, amount_minor, 0, bill_number,
             pay_token, quote, payer, return_url, metadata, array(select jsonb_array_elements_text(channels)),
             created_at, expires_at,
             (select ended.id from payment_intents ended
              where ended.portal = new.portal and ended.external_reference = new.external_reference
                and ended.purpose = new.purpose
                and (ended.state in ('expired', 'canceled') or ended.reversed_minor >= ended.amount_minor and ended.amount_minor > 0)
              order by ended.id desc limit 1 for no key update)
         from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::int[], $7::text[], $8::bigint[],
                 $9::text[], $10::text[], $11::uuid[], $12::jsonb[], $13::text[], $14::jsonb[], $15::jsonb[],
                 $16::timestamptz[], $17::timestamptz[])
             as new (id, portal, external_reference, purpose, state, version, currency, amount_minor, bill_number,
                 pay_token, quote, payer, return_url, metadata, channels, created_at, expires_at)
         on conflict do nothing
         returning id, predecessor",
        &ids,
        &portals,
        &references as _,
        &purposes as _,
        &states as _,
        &versions,
        &currencies as _,
        &amounts,
        &bills,
        &tokens as _,
        &quotes,
        &payers as _,
        &urls as _,
        &metadata as _,
        &channels as _,
        &created as _,
        &expire as _,
    )
    .fetch_all(conn)
    .await?;
    let inserted =
        |id, predecessor: Option<Uuid>| (IntentId::from_uuid(id), predecessor.map(IntentId::from_uuid));
    Ok(rows.into_iter().map(|row| inserted(row.id, row.predecessor)).collect())
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
    reversed_minor: i64,
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
            reversed: Money::new(row.reversed_minor, currency),
        })
    }
}

/// The columns of an [`IntentRow`], of the intents that the rest of the statement chooses.
macro_rules! intents {
    ($chosen:literal, $($bound:expr),* $(,)?) => {
        sqlx::query_as!(
            IntentRow,
            "select id, portal, external_reference, purpose, state, version, currency, amount_minor, paid_minor,
                    refund_reserved_minor, refunded_minor, bill_number, pay_token, quote, payer, return_url, metadata,
                    channels, predecessor, created_at, expires_at, paid_at, settlement_on, receipt, fulfilment, kept_minor,
                    reversed_minor
             from payment_intents " + $chosen,
            $($bound),*
        )
    };
}

pub async fn find(conn: &mut PgConnection, id: IntentId) -> Result<Option<Intent>, Fault> {
    let row = intents!("where id = $1", id.uuid(),).fetch_optional(conn).await?;
    row.map(Intent::try_from).transpose()
}

/// The intent behind a payer's page.
pub async fn find_by_token(conn: &mut PgConnection, token: &str) -> Result<Option<Intent>, Fault> {
    let row = intents!("where pay_token = $1", token,).fetch_optional(conn).await?;
    row.map(Intent::try_from).transpose()
}

/// By intents that could not be inserted: the live one that holds the same reference of the same portal.
pub async fn find_live(
    conn: &mut PgConnection,
    refused: &[&Intent],
) -> Result<BTreeMap<IntentId, (IntentId, IntentState)>, Fault> {
    if refused.is_empty() {
        return Ok(BTreeMap::new());
    }
    let ids: Vec<Uuid> = refused.iter().map(|intent| intent.id.uuid()).collect();
    let portals: Vec<Uuid> = refused.iter().map(|intent| intent.portal.uuid()).collect();
    let references: Vec<&str> = refused.iter().map(|intent| intent.external_reference.as_str()).collect();
    let purposes: Vec<&str> = refused.iter().map(|intent| intent.purpose.as_str()).collect();
    let rows = sqlx::query!(
        r#"select refused.id as "refused!", live.id, live.state as "state: String"
           from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[])
               as refused (id, portal, external_reference, purpose)
           join payment_intents live using (portal, external_reference, purpose)
           where live.state in ('requires_payment', 'processing', 'partially_paid', 'paid')
             and (live.state <> 'paid' or live.reversed_minor < live.amount_minor or live.amount_minor = 0)"#,
        &ids,
        &portals,
        &references as _,
        &purposes as _,
    )
    .fetch_all(conn)
    .await?;
    let live = rows.into_iter().map(|row| {
        let state = IntentState::parse(&row.state);
        let state = state.ok_or_else(|| Fault::corrupt("payment_intents", "state", row.id))?;
        Ok((IntentId::from_uuid(row.refused), (IntentId::from_uuid(row.id), state)))
    });
    live.collect()
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
    let row = intents!("where id = $1 for no key update", id.uuid(),).fetch_optional(conn).await?;
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
    let rows = intents!("where id = any($1) order by id for no key update", &ids,).fetch_all(conn).await?;
    rows.into_iter().map(Intent::try_from).collect()
}

/// Up to `limit` intents whose time is up and that no attempt keeps alive.
pub async fn lock_due(conn: &mut PgConnection, now: Instant, limit: i64) -> Result<Vec<Intent>, Fault> {
    let rows = intents!(
        "where state in ('requires_payment', 'partially_paid') and expires_at <= $1
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
    let reversed: Vec<i64> = each().map(|intent| intent.reversed.minor()).collect();
    sqlx::query!(
        "update payment_intents set state = new.state, version = new.version, paid_minor = new.paid,
             refund_reserved_minor = new.reserved, refunded_minor = new.refunded, paid_at = new.paid_at,
             settlement_on = new.settlement_on, receipt = new.receipt, fulfilment = new.fulfilment,
             kept_minor = new.kept, reversed_minor = new.reversed
         from unnest($1::uuid[], $2::text[], $3::int[], $4::bigint[], $5::bigint[], $6::bigint[], $7::timestamptz[],
                     $8::date[], $9::text[], $10::jsonb[], $11::bigint[], $12::bigint[])
             as new (id, state, version, paid, reserved, refunded, paid_at, settlement_on, receipt, fulfilment, kept,
                     reversed)
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
        &reversed,
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
    let rows = intents!(
        "where ($1::uuid is null or portal = $1) and ($2::text is null or state = $2)
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

/// Which intent a reference names: an attempt's id (our order at the provider, with its channel, because nobody else got it)
/// or a bill number. One statement.
pub async fn find_by_references(
    conn: &mut PgConnection,
    orders: &[Uuid],
    bill_numbers: &[String],
) -> Result<BTreeMap<String, (IntentId, Option<String>)>, Fault> {
    let rows = sqlx::query!(
        r#"select 'at_' || replace(id::text, '-', '') as "reference!", intent as "intent!", channel
           from attempts where id = any($1)
           union all
           select bill_number, id, null from payment_intents where bill_number = any($2)"#,
        orders,
        bill_numbers,
    )
    .fetch_all(conn)
    .await?;
    let named = |intent, channel| (IntentId::from_uuid(intent), channel);
    Ok(rows.into_iter().map(|row| (row.reference, named(row.intent, row.channel))).collect())
}
