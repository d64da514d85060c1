use std::collections::BTreeMap;

use mizan_ledger::{Id, Instant};
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::{Basket, Quote};
use crate::fault::Fault;
use crate::ids::{IntentId, PortalId, QuoteId};

pub async fn insert(conn: &mut PgConnection, quote: &Quote) -> Result<(), Fault> {
    sqlx::query!(
        "insert into quotes (id, portal, currency, total_minor, body, key_id, signature, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        quote.id.uuid(),
        quote.portal.uuid(),
        quote.basket.currency.code(),
        quote.basket.total.minor(),
        Json(&quote.basket) as _,
        quote.key_id,
        quote.signature,
        quote.created_at as _,
        quote.expires_at as _,
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
    let row = sqlx::query_as!(
        QuoteRow,
        r#"select id, portal, body::text as "body!", key_id, signature, created_at, expires_at,
                  (select intent.id from payment_intents intent where intent.quote = quotes.id) as used_by
           from quotes where id = $1"#,
        id.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    row.map(Quote::try_from).transpose()
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
