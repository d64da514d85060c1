use mizan_ledger::Day;
use sqlx::PgConnection;

use crate::fault::Fault;

/// The channel is to tell what it settled on these days; days asked for before stay as they are.
pub async fn insert_wanted(conn: &mut PgConnection, channel: &str, days: &[Day]) -> Result<(), Fault> {
    sqlx::query!(
        "insert into settlement_reports (channel, day, state)
         select $1, day, 'wanted' from unnest($2::date[]) as new (day)
         on conflict (channel, day) do nothing",
        channel,
        days as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}
