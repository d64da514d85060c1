use mizan_ledger::{Currency, Day, Id, Money};
use sqlx::PgConnection;

use crate::expectations::Kind;
use crate::fault::Fault;
use crate::ids::{ExpectationId, IntentId, SuspenseId};

/// Expected money that the statements do not show.
#[derive(Debug, Clone)]
pub struct Overdue {
    pub id: ExpectationId,
    pub kind: Kind,
    pub channel: String,
    pub account: String,
    pub money: Money,
    pub transaction: Option<String>,
    pub reference: Option<String>,
    pub intent: Option<IntentId>,
    pub due_on: Day,
    /// The account's statements are known through this day.
    pub through_on: Day,
}

/// Open expectations whose last day is on an accepted statement (or, for what a channel pays an agency itself, on a
/// report of the channel), and that have no break of these categories yet.
pub async fn page_overdue(
    conn: &mut PgConnection,
    categories: &[&str],
    limit: i64,
) -> Result<Vec<Overdue>, Fault> {
    let rows = sqlx::query!(
        r#"select expectations.id, kind, channel, expectations.account, expectations.currency, amount_minor, transaction,
                reference, intent, due_on, through_on as "through_on!"
         from expectations
         join (select account, through_on from statement_positions
               union all
               select x.account, max(reports.day)
               from settlement_reports reports
               join expectations x on x.channel = reports.channel and x.state = 'open'
               where reports.state = 'taken' and x.account like 'agency/%' group by x.account)
               known (account, through_on)
             on known.account = expectations.account and expectations.due_on <= known.through_on
         where expectations.state = 'open' and not exists (
             select 1 from breaks where category = any($1)
                 and subject = 'ex_' || replace(expectations.id::text, '-', ''))
         order by expectations.id limit $2"#,
        categories as _,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let id = ExpectationId::from_uuid(row.id);
            let corrupt = |column| Fault::corrupt("expectations", column, id);
            let currency: Currency = row.currency.parse().map_err(|_| corrupt("currency"))?;
            Ok(Overdue {
                id,
                kind: Kind::parse(&row.kind).ok_or_else(|| corrupt("kind"))?,
                channel: row.channel,
                account: row.account,
                money: Money::new(row.amount_minor, currency),
                transaction: row.transaction,
                reference: row.reference,
                intent: row.intent.map(IntentId::from_uuid),
                due_on: row.due_on,
                through_on: row.through_on,
            })
        })
        .collect()
}

/// A credit that went to suspense from a statement, and the expectation of the same money that was born later.
#[derive(Debug, Clone)]
pub struct Explained {
    pub item: SuspenseId,
    pub expectation: ExpectationId,
    pub channel: String,
    /// The suspense account's own name.
    pub suspense: String,
    pub money: Money,
    pub money_key: String,
    pub line: i64,
    pub intent: Option<IntentId>,
}

/// Pairs of them with the same amount, both locked.
pub async fn lock_explained(conn: &mut PgConnection, limit: i64) -> Result<Vec<Explained>, Fault> {
    let rows = sqlx::query!(
        r#"select item.id, expectations.id as expectation, expectations.channel, item.account, item.currency,
                  item.amount_minor, item.money_key as "money_key!", item.statement_line as "line!",
                  expectations.intent
           from suspense_items item
           join expectations on expectations.money_key = item.money_key and expectations.state = 'open'
               and expectations.kind = 'payment' and expectations.currency = item.currency
               and expectations.amount_minor = item.amount_minor
           where item.used_minor = 0 and item.statement_line is not null
           order by item.id limit $1 for no key update of item, expectations"#,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let id = SuspenseId::from_uuid(row.id);
            let currency: Currency =
                row.currency.parse().map_err(|_| Fault::corrupt("suspense_items", "currency", id))?;
            Ok(Explained {
                item: id,
                expectation: ExpectationId::from_uuid(row.expectation),
                channel: row.channel,
                suspense: row.account,
                money: Money::new(row.amount_minor, currency),
                money_key: row.money_key,
                line: row.line,
                intent: row.intent.map(IntentId::from_uuid),
            })
        })
        .collect()
}
