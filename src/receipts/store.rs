use mizan_ledger::{Currency, Id, Instant, Money};
use sqlx::PgConnection;
use uuid::Uuid;

use super::model::Receipt;
use crate::fault::Fault;
use crate::ids::{IntentId, PortalId};

/// Draws the next `count` numbers of a series and answers the last of them. The row stays locked until the commit,
/// so that a number is never lost.
pub async fn update_series(conn: &mut PgConnection, series: &str, count: i64) -> Result<i64, Fault> {
    let last = sqlx::query_scalar!(
        "insert into receipt_series (code, last) values ($1, $2)
         on conflict (code) do update set last = receipt_series.last + excluded.last
         returning last",
        series,
        count,
    )
    .fetch_one(conn)
    .await?;
    Ok(last)
}

/// Writes receipts as one statement.
pub async fn insert(conn: &mut PgConnection, receipts: &[Receipt]) -> Result<(), Fault> {
    let each = || receipts.iter();
    let numbers: Vec<&str> = each().map(|receipt| receipt.number.as_str()).collect();
    let codes: Vec<&str> = each().map(|receipt| receipt.code.as_str()).collect();
    let intents: Vec<Uuid> = each().map(|receipt| receipt.intent.uuid()).collect();
    let states: Vec<&str> = each().map(|receipt| receipt.state.as_str()).collect();
    let currencies: Vec<Currency> = each().map(|receipt| receipt.amount.currency()).collect();
    let amounts: Vec<i64> = each().map(|receipt| receipt.amount.minor()).collect();
    let bodies: Vec<&str> = each().map(|receipt| receipt.body.as_str()).collect();
    let key_ids: Vec<&str> = each().map(|receipt| receipt.key_id.as_str()).collect();
    let signatures: Vec<&[u8]> = each().map(|receipt| receipt.signature.as_slice()).collect();
    let issued: Vec<Instant> = each().map(|receipt| receipt.issued_at).collect();
    sqlx::query!(
        "insert into receipts (number, code, intent, state, currency, amount_minor, body, key_id, signature, issued_at)
         select * from unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::bigint[], $7::text[],
                              $8::text[], $9::bytea[], $10::timestamptz[])",
        &numbers as _,
        &codes as _,
        &intents,
        &states as _,
        &currencies as _,
        &amounts,
        &bodies as _,
        &key_ids as _,
        &signatures as _,
        &issued as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

struct ReceiptRow {
    number: String,
    code: String,
    intent: Uuid,
    state: String,
    currency: String,
    amount_minor: i64,
    credited_minor: i64,
    reversed_minor: i64,
    body: String,
    key_id: String,
    signature: Vec<u8>,
    issued_at: Instant,
}

impl TryFrom<ReceiptRow> for Receipt {
    type Error = Fault;

    fn try_from(row: ReceiptRow) -> Result<Self, Fault> {
        let currency: Currency =
            row.currency.parse().map_err(|_| Fault::corrupt("receipts", "currency", &row.number))?;
        Ok(Self {
            number: row.number,
            code: row.code,
            intent: IntentId::from_uuid(row.intent),
            state: row.state,
            amount: Money::new(row.amount_minor, currency),
            credited: Money::new(row.credited_minor, currency),
            reversed: Money::new(row.reversed_minor, currency),
            body: row.body,
            key_id: row.key_id,
            signature: row.signature,
            issued_at: row.issued_at,
        })
    }
}

/// The receipts that the rest of the statement chooses, with what the channel took back of their payment.
macro_rules! receipts {
    ($chosen:literal, $bound:expr) => {
        sqlx::query_as!(
            ReceiptRow,
            "select number, code, intent, receipts.state, receipts.currency, receipts.amount_minor, credited_minor,
                    reversed_minor, body, key_id, signature, issued_at
             from receipts join payment_intents on payment_intents.id = intent " + $chosen,
            $bound
        )
    };
}

pub async fn find(conn: &mut PgConnection, number: &str) -> Result<Option<Receipt>, Fault> {
    let row = receipts!("where number = $1", number).fetch_optional(conn).await?;
    row.map(Receipt::try_from).transpose()
}

pub async fn find_by_code(conn: &mut PgConnection, code: &str) -> Result<Option<Receipt>, Fault> {
    let row = receipts!("where code = $1", code).fetch_optional(conn).await?;
    row.map(Receipt::try_from).transpose()
}

/// Refunds were seen leaving: each receipt is credited by their amounts; below zero when one came back.
pub async fn update_credited(conn: &mut PgConnection, credits: &[(String, Money)]) -> Result<(), Fault> {
    let numbers: Vec<&str> = credits.iter().map(|(number, _)| number.as_str()).collect();
    let amounts: Vec<i64> = credits.iter().map(|(_, by)| by.minor()).collect();
    sqlx::query!(
        "update receipts set credited_minor = credited_minor + credit.minor,
             state = case credited_minor + credit.minor when amount_minor then 'credited' when 0 then 'issued'
                          else 'credited_part' end
         from (select number, sum(minor)::bigint as minor from unnest($1::text[], $2::bigint[]) as one (number, minor)
               group by number) as credit
         where receipts.number = credit.number",
        &numbers as _,
        &amounts,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The portal whose intent the receipt is of.
pub async fn find_portal(conn: &mut PgConnection, intent: IntentId) -> Result<Option<PortalId>, Fault> {
    let portal = sqlx::query_scalar!("select portal from payment_intents where id = $1", intent.uuid())
        .fetch_optional(conn)
        .await?;
    Ok(portal.map(PortalId::from_uuid))
}
