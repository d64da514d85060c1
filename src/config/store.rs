use mizan_ledger::Instant;
use sqlx::PgConnection;

use super::Mode;
use super::deployment::Deployment;
use crate::fault::Fault;

/// Writes the mode if none stands there yet.
pub async fn insert_mode(conn: &mut PgConnection, mode: Mode, now: Instant) -> Result<(), Fault> {
    sqlx::query!(
        "insert into deployment (mode, first_started_at) values ($1, $2) on conflict do nothing",
        mode.as_str(),
        now as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Nothing while no hub has started here.
pub async fn find_deployment(conn: &mut PgConnection) -> Result<Option<Deployment>, Fault> {
    let row = sqlx::query!(r#"select mode, first_started_at as "first_started_at: Instant" from deployment"#)
        .fetch_optional(conn)
        .await?;
    row.map(|row| {
        let mode = Mode::named(&row.mode).ok_or_else(|| Fault::corrupt("deployment", "mode", &row.mode))?;
        Ok(Deployment { mode, first_started_at: row.first_started_at })
    })
    .transpose()
}
