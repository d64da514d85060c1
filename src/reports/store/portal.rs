//! What one portal's payers paid and were given back, for that portal.

use mizan_ledger::{Id as _, Instant, Money};
use sqlx::PgConnection;

use super::money;
use crate::fault::Fault;
use crate::ids::PortalId;

/// From an instant up to and without another.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    pub from: Instant,
    pub to: Instant,
}

/// So many of one currency.
#[derive(Debug, Clone, Copy)]
pub struct Sum {
    pub count: i64,
    pub amount: Money,
}

struct SumRow {
    currency: String,
    count: i64,
    amount_minor: i64,
}

fn sums(rows: Vec<SumRow>, table: &'static str) -> Result<Vec<Sum>, Fault> {
    let sum = |row: SumRow| {
        let amount = money(row.amount_minor, &row.currency, table)?;
        Ok(Sum { count: row.count, amount })
    };
    rows.into_iter().map(sum).collect()
}

/// Payments that were entered in the span.
pub async fn find_paid(conn: &mut PgConnection, portal: PortalId, span: Span) -> Result<Vec<Sum>, Fault> {
    let rows = sqlx::query_as!(
        SumRow,
        r#"select i.currency, count(*) as "count!", sum(i.amount_minor)::bigint as "amount_minor!"
           from payment_intents i
           where i.portal = $1 and exists (
             select from notices n
             where n.intent = i.id and n.outcome = 'paid' and n.applied_at >= $2 and n.applied_at < $3)
           group by 1 order by 1"#,
        portal.uuid(),
        span.from as _,
        span.to as _,
    )
    .fetch_all(conn)
    .await?;
    sums(rows, "payment_intents")
}

/// Of those payments the part of each service, in how many of them it stands.
pub async fn find_paid_by_service(
    conn: &mut PgConnection,
    portal: PortalId,
    span: Span,
) -> Result<Vec<(String, Sum)>, Fault> {
    let rows = sqlx::query!(
        r#"select q.currency, basket->'priced'->>'service' as "service!", count(distinct i.id) as "count!",
             (sum((line->'amount'->>'amount')::numeric) * 10::numeric ^ min(c.exponent))::bigint as "amount_minor!"
           from payment_intents i join quotes q on q.id = i.quote
           join ledger.currencies c on c.code = q.currency
           cross join lateral jsonb_array_elements(q.body->'lines') basket
           cross join lateral jsonb_array_elements(basket->'priced'->'lines') line
           where i.portal = $1 and exists (
             select from notices n
             where n.intent = i.id and n.outcome = 'paid' and n.applied_at >= $2 and n.applied_at < $3)
           group by 1, 2 order by 1, 2"#,
        portal.uuid(),
        span.from as _,
        span.to as _,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let amount = money(row.amount_minor, &row.currency, "quotes")?;
            Ok((row.service, Sum { count: row.count, amount }))
        })
        .collect()
}

/// Refunds that the bank or the channel showed in the span. What became of them later changes nothing: each instruction
/// that was seen stands on its own day. (A refund found without an instruction that was awaited counts when it succeeded.)
pub async fn find_given_back(
    conn: &mut PgConnection,
    portal: PortalId,
    span: Span,
) -> Result<Vec<Sum>, Fault> {
    let rows = sqlx::query_as!(
        SumRow,
        r#"select currency as "currency!", count(*) as "count!", sum(amount_minor)::bigint as "amount_minor!" from (
             select r.currency, -x.amount_minor as amount_minor
             from expectations x join refunds r on r.id = x.refund
             where r.portal = $1 and x.kind in ('refund', 'netted_refund') and x.state = 'met'
               and x.met_at >= $2 and x.met_at < $3
             union all
             select r.currency, r.amount_minor from refunds r
             where r.portal = $1 and r.succeeded_at >= $2 and r.succeeded_at < $3 and not exists (
               select from expectations x
               where x.refund = r.id and x.kind in ('refund', 'netted_refund') and x.met_at = r.succeeded_at)
           ) as seen group by 1 order by 1"#,
        portal.uuid(),
        span.from as _,
        span.to as _,
    )
    .fetch_all(conn)
    .await?;
    sums(rows, "refunds")
}

/// Refunds whose money came back in the span; each is given back again, or is the payer's at the treasury.
pub async fn find_come_back(
    conn: &mut PgConnection,
    portal: PortalId,
    span: Span,
) -> Result<Vec<Sum>, Fault> {
    let rows = sqlx::query_as!(
        SumRow,
        r#"select r.currency, count(*) as "count!", sum(r.amount_minor)::bigint as "amount_minor!"
           from refunds r join refund_attempts a on a.refund = r.id
           join ledger.outcomes o on o.entry_id = a.returned_entry_id and o.accepted
           join ledger.entries e on e.book_id = o.book_id and e.seq = o.seq
           where r.portal = $1 and e.recorded_at >= $2 and e.recorded_at < $3
           group by 1 order by 1"#,
        portal.uuid(),
        span.from as _,
        span.to as _,
    )
    .fetch_all(conn)
    .await?;
    sums(rows, "refunds")
}
