use std::collections::BTreeMap;

use mizan_ledger::{Id, Instant};
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::{Basket, Quote};
use crate::fault::Fault;
use crate::ids::{IntentId, PortalId, QuoteId};

/// Writes new quotes, one statement.
pub async fn insert(conn: &mut PgConnection, quotes: &[&Quote]) -> Result<(), Fault> {
    if quotes.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = quotes.iter().map(|quote| quote.id.uuid()).collect();
    let portals: Vec<Uuid> = quotes.iter().map(|quote| quote.portal.uuid()).collect();
    let currencies: Vec<&str> = quotes.iter().map(|quote| quote.basket.currency.code()).collect();
    let totals: Vec<i64> = quotes.iter().map(|quote| quote.basket.total.minor()).collect();
    let bodies: Vec<Json<&Basket>> = quotes.iter().map(|quote| Json(&quote.basket)).collect();
    let key_ids: Vec<&str> = quotes.iter().map(|quote| quote.key_id.as_str()).collect();
    let signatures: Vec<&[u8]> = quotes.iter().map(|quote| quote.signature.as_slice()).collect();
    let created: Vec<Instant> = quotes.iter().map(|quote| quote.created_at).collect();
    let expire: Vec<Instant> = quotes.iter().map(|quote| quote.expires_at).collect();
    sqlx::query!(
        "insert into quotes (id, portal, currency, total_minor, body, key_id, signature, created_at, expires_at)
         select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::jsonb[], $6::text[], $7::bytea[],
             $8::timestamptz[], $9::timestamptz[])",
        &ids,
        &portals,
        &currencies as _,
        &totals,
        &bodies as _,
        &key_ids as _,
        &signatures as _,
        &created as _,
        &expire as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

struct QuoteRow {
    id: Uuid,
    portal: Uuid,
    body: String,
    key_id: String,
    signature: Vec<u8>,
    created_at: Instant,
    expires_at: Instant,
    used_by: Option<Uuid>,
}

impl TryFrom<QuoteRow> for Quote {
    type Error = Fault;

    fn try_from(row: QuoteRow) -> Result<Self, Fault> {
        Ok(Self {
            id: QuoteId::from_uuid(row.id),
            portal: PortalId::from_uuid(row.portal),
            basket: basket(row.id, &row.body)?,
            created_at: row.created_at,
            expires_at: row.expires_at,
            used_by: row.used_by.map(IntentId::from_uuid),
            key_id: row.key_id,
            signature: row.signature,
        })
    }
}

fn basket(id: Uuid, body: &str) -> Result<Basket, Fault> {
    serde_json::from_str(body).map_err(|_| Fault::corrupt("quotes", "body", QuoteId::from_uuid(id)))
}

pub async fn find(conn: &mut PgConnection, id: QuoteId) -> Result<Option<Quote>, Fault> {
    Ok(find_all(conn, &[id]).await?.remove(&id))
}

/// Several quotes, one statement.
pub async fn find_all(conn: &mut PgConnection, ids: &[QuoteId]) -> Result<BTreeMap<QuoteId, Quote>, Fault> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query_as!(
        QuoteRow,
        r#"select id, portal, body::text as "body!", key_id, signature, created_at, expires_at,
                  (select intent.id from payment_intents intent where intent.quote = quotes.id) as used_by
           from quotes where id = any($1)"#,
        &ids,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| Ok((QuoteId::from_uuid(row.id), Quote::try_from(row)?))).collect()
}

/// The priced lines of several quotes, one statement.
pub async fn find_baskets(
    conn: &mut PgConnection,
    ids: &[QuoteId],
) -> Result<BTreeMap<QuoteId, Basket>, Fault> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query!(r#"select id, body::text as "body!" from quotes where id = any($1)"#, &ids)
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(|row| Ok((QuoteId::from_uuid(row.id), basket(row.id, &row.body)?))).collect()
}
