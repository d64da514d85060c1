//! What was collected and given back on one day, by service, channel and general-ledger code.

use mizan_ledger::{Day, Money};
use sqlx::PgConnection;

use super::money;
use crate::fault::Fault;

/// Components of one service paid on one channel under one code; the hub's own are left out.
#[derive(Debug, Clone)]
pub struct Allocated {
    pub service: String,
    pub channel: String,
    pub gl: String,
    pub amount: Money,
    pub payments: i64,
}

struct AllocatedRow {
    currency: String,
    service: String,
    channel: String,
    gl: String,
    amount_minor: i64,
    payments: i64,
}

fn allocated(rows: Vec<AllocatedRow>, table: &'static str) -> Result<Vec<Allocated>, Fault> {
    let allocated = rows.into_iter().map(|row| {
        let amount = money(row.amount_minor, &row.currency, table)?;
        let AllocatedRow { service, channel, gl, payments, .. } = row;
        Ok(Allocated { service, channel, gl, amount, payments })
    });
    allocated.collect()
}

/// Of the payments that were entered on the day.
pub async fn find_collected_on(
    conn: &mut PgConnection,
    zone: &str,
    day: Day,
) -> Result<Vec<Allocated>, Fault> {
    let rows = sqlx::query_as!(
        AllocatedRow,
        r#"select q.currency, basket->'priced'->>'service' as "service!", n.channel, line->>'gl' as "gl!",
             (sum((line->'amount'->>'amount')::numeric) * 10::numeric ^ min(c.exponent))::bigint as "amount_minor!",
             count(distinct i.id) as "payments!"
           from notices n join payment_intents i on i.id = n.intent join quotes q on q.id = i.quote
           join ledger.currencies c on c.code = q.currency
           cross join lateral jsonb_array_elements(q.body->'lines') basket
           cross join lateral jsonb_array_elements(basket->'priced'->'lines') line
           where n.outcome = 'paid' and (n.applied_at at time zone $1)::date = $2
             and line->'beneficiary' <> '"hub"'
           group by 1, 2, 3, 4 order by 1, 2, 3, 4"#,
        zone,
        day as _,
    )
    .fetch_all(conn)
    .await?;
    allocated(rows, "quotes")
}

/// Of the refunds that were approved on the day, less those that were canceled on it after their approval: a day's list
/// stays as it is, whatever happens later.
pub async fn find_refunded_on(conn: &mut PgConnection, day: Day) -> Result<Vec<Allocated>, Fault> {
    let rows = sqlx::query_as!(
        AllocatedRow,
        r#"select r.currency, part->>'service' as "service!", paid.channel as "channel!", line->>'gl' as "gl!",
             (sum(moved.sign * (part->'amount'->>'amount')::numeric) * 10::numeric ^ min(c.exponent))::bigint as "amount_minor!",
             count(distinct i.id) as "payments!"
           from refunds r join payment_intents i on i.id = r.intent join quotes q on q.id = i.quote
           join ledger.currencies c on c.code = r.currency
           cross join lateral (values (r.approved_entry_id, 1), (r.ended_entry_id, -1)) as moved (entry, sign)
           join ledger.outcomes o on o.entry_id = moved.entry and o.accepted
           join ledger.entries e on e.book_id = o.book_id and e.seq = o.seq
           cross join lateral (
             select n.channel from notices n
             where n.intent = i.id and n.outcome = 'paid' and n.applied_at <= e.recorded_at
             order by n.n desc limit 1) paid
           cross join lateral jsonb_array_elements(r.components) part
           cross join lateral jsonb_array_elements(q.body->'lines'->(part->>'line')::int->'priced'->'lines') line
           where (moved.sign = 1 or r.state = 'canceled') and e.effective_on = $1
             and line->>'component' = part->>'component' and line->>'part' = 'charge'
             and line->'beneficiary' <> '"hub"'
           group by 1, 2, 3, 4 order by 1, 2, 3, 4"#,
        day as _,
    )
    .fetch_all(conn)
    .await?;
    allocated(rows, "refunds")
}
