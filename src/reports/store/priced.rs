//! Whose money was collected, by the priced lines of the payments; independent of the book.

use mizan_ledger::{Day, Money};
use serde_json::Value;
use sqlx::PgConnection;

use super::money;
use crate::catalogue::Beneficiary;
use crate::fault::Fault;

/// What a beneficiary earned, or gave back.
#[derive(Debug, Clone)]
pub struct Earned {
    pub agency: String,
    pub beneficiary: Beneficiary,
    pub amount: Money,
    pub items: i64,
}

struct EarnedRow {
    currency: String,
    agency: String,
    beneficiary: Value,
    amount_minor: i64,
    items: i64,
}

fn earned(rows: Vec<EarnedRow>, table: &'static str) -> Result<Vec<Earned>, Fault> {
    let earned = rows.into_iter().map(|row| {
        let amount = money(row.amount_minor, &row.currency, table)?;
        let beneficiary = serde_json::from_value(row.beneficiary)?;
        Ok(Earned { agency: row.agency, beneficiary, amount, items: row.items })
    });
    earned.collect()
}

/// The lines of payments that were paid by the day. The day of a payment is the one on which it was applied: the books
/// have it from then on.
pub async fn find_collected(conn: &mut PgConnection, zone: &str, day: Day) -> Result<Vec<Earned>, Fault> {
    let rows = sqlx::query_as!(
        EarnedRow,
        r#"with paid as (
             select i.id, i.quote from payment_intents i
             where i.state = 'paid' and (coalesce(
               (select max(n.applied_at) from notices n where n.intent = i.id and n.outcome = 'paid'), i.paid_at)
                 at time zone $1)::date <= $2
           )
           select q.currency, split_part(basket->'priced'->>'service', '/', 1) as "agency!",
             line->'beneficiary' as "beneficiary!",
             (sum((line->'amount'->>'amount')::numeric) * 10::numeric ^ min(c.exponent))::bigint as "amount_minor!",
             count(distinct p.id) as "items!"
           from paid p join quotes q on q.id = p.quote join ledger.currencies c on c.code = q.currency
           cross join lateral jsonb_array_elements(q.body->'lines') basket
           cross join lateral jsonb_array_elements(basket->'priced'->'lines') line
           group by 1, 2, 3 order by 1, 2, 3"#,
        zone,
        day as _,
    )
    .fetch_all(conn)
    .await?;
    earned(rows, "quotes")
}

/// The components of refunds of payments that were approved by the day, and not canceled again by then.
pub async fn find_refunded(conn: &mut PgConnection, zone: &str, day: Day) -> Result<Vec<Earned>, Fault> {
    let rows = sqlx::query_as!(
        EarnedRow,
        r#"select r.currency, split_part(part->>'service', '/', 1) as "agency!",
             line->'beneficiary' as "beneficiary!",
             (sum((part->'amount'->>'amount')::numeric) * 10::numeric ^ min(c.exponent))::bigint as "amount_minor!",
             count(distinct r.id) as "items!"
           from refunds r join payment_intents i on i.id = r.intent join quotes q on q.id = i.quote
           join ledger.currencies c on c.code = r.currency
           left join ledger.outcomes o on o.entry_id = r.approved_entry_id and o.accepted
           left join ledger.entries e on e.book_id = o.book_id and e.seq = o.seq
           left join ledger.outcomes p on p.entry_id = r.ended_entry_id and p.accepted
           left join ledger.entries ended on ended.book_id = p.book_id and ended.seq = p.seq
           cross join lateral jsonb_array_elements(r.components) part
           cross join lateral jsonb_array_elements(q.body->'lines'->(part->>'line')::int->'priced'->'lines') line
           where r.state not in ('requested', 'refused', 'awaiting_funds')
             and (r.state <> 'canceled' or ended.effective_on > $2)
             and coalesce(e.effective_on, (r.decided_at at time zone $1)::date) <= $2
             and line->>'component' = part->>'component' and line->>'part' = 'charge'
           group by 1, 2, 3 order by 1, 2, 3"#,
        zone,
        day as _,
    )
    .fetch_all(conn)
    .await?;
    earned(rows, "refunds")
}
