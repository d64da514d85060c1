use mizan_ledger::Instant;
use sqlx::PgConnection;

use super::Mode;
use super::deployment::Deployment;
use crate::fault::Fault;

/// Writes mode and zone if none stand there yet; a database from before the zone was kept gets it now.
pub async fn insert_deployment(
    conn: &mut PgConnection,
    mode: Mode,
    zone: &str,
    now: Instant,
) -> Result<(), Fault> {
    sqlx::query!(
        "insert into deployment (mode, first_started_at, zone) values ($1, $2, $3)
         on conflict (one) do update set zone = excluded.zone where deployment.zone is null",
        mode.as_str(),
        now as _,
        zone,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Nothing while no hub has started here.
pub async fn find_deployment(conn: &mut PgConnection) -> Result<Option<Deployment>, Fault> {
    let row =
        sqlx::query!(r#"select mode, zone, first_started_at as "first_started_at: Instant" from deployment"#)
            .fetch_optional(conn)
            .await?;
    row.map(|row| {
        let mode = Mode::named(&row.mode).ok_or_else(|| Fault::corrupt("deployment", "mode", &row.mode))?;
        Ok(Deployment { mode, zone: row.zone, first_started_at: row.first_started_at })
    })
    .transpose()
}
