//! Components that were held and are payable now.

use mizan_ledger::{Currency, EntryId, Id, Instant, Money};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::fault::Fault;
use crate::ids::IntentId;

/// One component released to its agency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// The place of the line in the intent, from 0.
    pub line: usize,
    pub component: String,
    pub amount: Money,
    /// `delivered`, `rejected` or `time`.
    pub cause: &'static str,
    pub entry: EntryId,
}

/// The components of an intent that were released: place of the line, and component.
pub async fn find(conn: &mut PgConnection, intent: IntentId) -> Result<Vec<(usize, String)>, Fault> {
    let rows = sqlx::query!("select line, component from releases where intent = $1", intent.uuid())
        .fetch_all(conn)
        .await?;
    rows.into_iter()
        .map(|row| {
            let line = usize::try_from(row.line).map_err(|_| Fault::corrupt("releases", "line", intent))?;
            Ok((line, row.component))
        })
        .collect()
}

pub async fn insert(
    conn: &mut PgConnection,
    now: Instant,
    intent: IntentId,
    releases: &[Release],
) -> Result<(), Fault> {
    let each = || releases.iter();
    let lines: Vec<i32> = each().map(|one| i32::try_from(one.line).unwrap_or(i32::MAX)).collect();
    let components: Vec<&str> = each().map(|one| one.component.as_str()).collect();
    let currencies: Vec<Currency> = each().map(|one| one.amount.currency()).collect();
    let amounts: Vec<i64> = each().map(|one| one.amount.minor()).collect();
    let causes: Vec<&str> = each().map(|one| one.cause).collect();
    let entries: Vec<Uuid> = each().map(|one| one.entry.uuid()).collect();
    sqlx::query!(
        "insert into releases (intent, line, component, currency, amount_minor, cause, entry_id, released_at)
         select $1, line, component, currency, amount, cause, entry, $8
         from unnest($2::int[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::uuid[])
             as new (line, component, currency, amount, cause, entry)",
        intent.uuid(),
        &lines,
        &components as _,
        &currencies as _,
        &amounts,
        &causes as _,
        &entries,
        now as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}
