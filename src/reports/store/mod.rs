//! Reads for reports, all in the caller's snapshot: movements from the ledger, open items from the rooms' own tables.
//!
//! A day is one of the hub's zone. What an item says of its own time is turned into a day there; where an item names
//! its entry, the entry's effective date counts.

mod allocated;
mod items;
mod portal;
mod priced;
mod statements;

use mizan_ledger::{Currency, Day, Money, Side};
use sqlx::PgConnection;

pub use allocated::{Allocated, find_collected_on, find_refunded_on};
pub use items::{
    Expected, find_debits, find_direct, find_expected, find_open_breaks, find_paid_in, find_parts,
    find_refunds_payable, find_suspense, find_unclaimed, find_unexpected,
};
pub use portal::{Span, find_come_back, find_given_back, find_paid, find_paid_by_service};
pub use priced::{Earned, find_collected, find_refunded};
pub use statements::{
    Entered, Head, Quarantined, When, find_day_lines, find_heads, find_not_of_day, find_quarantined,
};

use super::movement::Movement;
use crate::fault::Fault;

/// The role of the hub avoids sequential scans; a report reads whole tables. Until the end of the transaction.
pub async fn allow_scans(conn: &mut PgConnection) -> Result<(), Fault> {
    sqlx::query_scalar!("select set_config('enable_seqscan', 'on', true)").fetch_one(conn).await?;
    Ok(())
}

/// The lines of a day on each account, by kind of entry and side.
pub async fn find_movements(
    conn: &mut PgConnection,
    book: &str,
    day: Day,
) -> Result<Vec<(String, Movement)>, Fault> {
    let rows = sqlx::query!(
        r#"select a.code, a.currency, e.kind, l.amount_minor > 0 as "debit!",
             sum(abs(l.amount_minor))::bigint as "amount_minor!", count(distinct e.seq) as "entries!"
           from ledger.books b join ledger.accounts a on a.book_id = b.id
           join ledger.daily_totals d on d.account_id = a.id and d.effective_on = $2
           join ledger.lines l
             on l.account_id = a.id and l.seq between d.first_seq and d.last_seq and l.effective_on = $2
           join ledger.entries e on e.book_id = l.book_id and e.seq = l.seq
           where b.name = $1
           group by 1, 2, 3, 4 order by 1, 2, 3, 4"#,
        book,
        day as _,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let amount = money(row.amount_minor, &row.currency, "accounts")?;
            let side = if row.debit { Side::Debit } else { Side::Credit };
            Ok((row.code, Movement { kind: row.kind, side, amount, entries: row.entries }))
        })
        .collect()
}

fn money(minor: i64, currency: &str, table: &'static str) -> Result<Money, Fault> {
    let currency: Currency = currency.parse().map_err(|_| Fault::corrupt(table, "currency", currency))?;
    Ok(Money::new(minor, currency))
}
