use mizan_ledger::Instant;
use serde_json::Value;
use sqlx::PgConnection;

use super::NewRecord;
use crate::fault::Fault;
use crate::tx::Actor;

/// Writes the records of one transaction as one statement.
pub async fn insert(
    conn: &mut PgConnection,
    now: Instant,
    actor: &Actor,
    records: &[NewRecord],
) -> Result<(), Fault> {
    if records.is_empty() {
        return Ok(());
    }
    let actions: Vec<&str> = records.iter().map(|record| record.action).collect();
    let objects: Vec<&str> = records.iter().map(|record| record.object.as_str()).collect();
    let details: Vec<&Value> = records.iter().map(|record| &record.detail).collect();
    sqlx::query!(
        "insert into audit (at, actor, action, object, detail)
         select $1, $2, action, object, detail
         from unnest($3::text[], $4::text[], $5::jsonb[]) as record (action, object, detail)",
        now as _,
        actor.as_str(),
        &actions as _,
        &objects as _,
        &details as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}
