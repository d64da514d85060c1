//! What became of the money under a reference that a bank gave: for officers who hold the bank's number.

use mizan_ledger::{Currency, Day, EntryId, Id, Money};
use serde::Serialize;
use sqlx::PgConnection;

use crate::fault::Fault;
use crate::ids::{BreakId, RefundId, SuspenseId};

/// A line of an accepted statement, and where its money is.
#[derive(Debug, Clone, Serialize)]
pub struct FoundLine {
    /// The account's name.
    pub account: String,
    pub booked_on: Day,
    pub money: Money,
    pub text: String,
    pub payer: Option<String>,
    /// `matched`, `suspense`, or still waiting.
    pub state: String,
    /// The entry that booked it, once it is booked.
    pub entry: Option<EntryId>,
    /// The settlement it paid, with its channel.
    pub settlement: Option<String>,
    pub channel: Option<String>,
    pub refund: Option<RefundId>,
    /// What waits in suspense of it, and how much of that is left.
    pub suspense: Option<SuspenseId>,
    pub left: Option<Money>,
    pub break_id: Option<BreakId>,
    pub break_category: Option<String>,
    pub break_state: Option<String>,
}

/// The lines under these money keys (`bank:<account>:<reference>`), newest first.
pub async fn find_by_money_keys(
    conn: &mut PgConnection,
    money_keys: &[String],
    limit: i64,
) -> Result<Vec<FoundLine>, Fault> {
    let rows = sqlx::query!(
        r#"select line.id, statement.account, line.currency, line.amount_minor, line.booked_on as "booked_on: Day",
                  line.text, line.payer, line.state, line.entry_id, settlement.reference as "settlement?",
                  settlement.channel as "channel?", given.refund as "refund?", item.id as "item?",
                  item.amount_minor - item.used_minor as "left_minor?", broken.id as "broken?",
                  broken.category as "category?", broken.state as "break_state?"
           from statement_lines line
           join statements statement on statement.id = line.statement and statement.state = 'accepted'
           left join settlements settlement on settlement.statement_line = line.id
           left join lateral (select refund from expectations
                              where statement_line = line.id and refund is not null limit 1) given on true
           left join lateral (select id, amount_minor, used_minor from suspense_items
                              where suspense_items.statement_line = line.id limit 1) item on true
           left join breaks broken on broken.subject = line.money_key
               and broken.category = case when line.amount_minor > 0 then 'unknown_credit' else 'unknown_debit' end
           where line.money_key = any($1) order by line.id desc limit $2"#,
        money_keys,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let currency: Currency =
                row.currency.parse().map_err(|_| Fault::corrupt("statement_lines", "currency", row.id))?;
            let booked = matches!(row.state.as_str(), "matched" | "suspense");
            Ok(FoundLine {
                account: row.account,
                booked_on: row.booked_on,
                money: Money::new(row.amount_minor, currency),
                text: row.text,
                payer: row.payer,
                state: row.state,
                entry: booked.then(|| EntryId::from_uuid(row.entry_id)),
                settlement: row.settlement,
                channel: row.channel,
                refund: row.refund.map(RefundId::from_uuid),
                suspense: row.item.map(SuspenseId::from_uuid),
                left: row.left_minor.map(|minor| Money::new(minor, currency)),
                break_id: row.broken.map(BreakId::from_uuid),
                break_category: row.category,
                break_state: row.break_state,
            })
        })
        .collect()
}
