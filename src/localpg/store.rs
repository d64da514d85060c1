//! What a database says of itself, for `mizan doctor`.

use mizan_ledger::Instant;
use sqlx::PgConnection;

use crate::fault::Fault;

#[derive(Debug, Clone)]
pub struct Examined {
    pub version: String,
    pub role: String,
    pub superuser: bool,
    /// Entries of the book are append-only: the hub's role may not change them.
    pub may_rewrite: bool,
    pub clock: Instant,
}

pub async fn examine(conn: &mut PgConnection) -> Result<Examined, Fault> {
    let row = sqlx::query!(
        r#"select current_setting('server_version') as "version!", current_user::text as "role!",
               (select rolsuper from pg_roles where rolname = current_user) as "superuser!",
               coalesce(has_table_privilege(to_regclass('ledger.entries'), 'update, delete, truncate'), false)
                   as "may_rewrite!",
               clock_timestamp() as "clock!""#
    )
    .fetch_one(conn)
    .await?;
    Ok(Examined {
        version: row.version,
        role: row.role,
        superuser: row.superuser,
        may_rewrite: row.may_rewrite,
        clock: row.clock,
    })
}
