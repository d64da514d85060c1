//! What happens to a member of staff after the proposal.

use mizan_ledger::{Id, Instant};
use sqlx::PgConnection;

use crate::access::Standing;
use crate::fault::Fault;
use crate::ids::PersonId;

/// Who counts people waits until nobody else changes keys, portals or people.
pub async fn lock_head(conn: &mut PgConnection) -> Result<(), Fault> {
    sqlx::query!("select version from keys_head for no key update").fetch_one(conn).await?;
    Ok(())
}

pub async fn count(conn: &mut PgConnection) -> Result<i64, Fault> {
    let count = sqlx::query_scalar!(r#"select count(*) as "count!" from people"#).fetch_one(conn).await?;
    Ok(count)
}

/// How many administrators there are.
#[derive(Debug, Clone, Copy)]
pub struct Administrators {
    /// Who may sign now.
    pub active: i64,
    /// And those who once might, and were disabled.
    pub ever: i64,
}

pub async fn count_administrators(conn: &mut PgConnection) -> Result<Administrators, Fault> {
    let row = sqlx::query!(
        r#"select count(*) as "ever!", count(*) filter (where disabled_at is null) as "active!" from people
           where 'administrator' = any (roles) and approved_at is not null"#
    )
    .fetch_one(conn)
    .await?;
    Ok(Administrators { active: row.active, ever: row.ever })
}

/// A person whom somebody decides about.
#[derive(Debug)]
pub struct Locked {
    pub standing: Standing,
    pub is_administrator: bool,
    /// Who proposed.
    pub created_by: String,
    /// What the proposer was shown of the password, while the other half is missing.
    pub password_part_sealed: Option<Vec<u8>>,
}

pub async fn lock(conn: &mut PgConnection, id: PersonId) -> Result<Option<Locked>, Fault> {
    let row = sqlx::query!(
        r#"select created_by, approved_at is not null as "approved!", disabled_at is not null as "disabled!",
               'administrator' = any (roles) as "administrator!", password_part_sealed
           from people where id = $1 for no key update"#,
        id.uuid()
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Locked {
        standing: standing(row.approved, row.disabled),
        is_administrator: row.administrator,
        created_by: row.created_by,
        password_part_sealed: row.password_part_sealed,
    }))
}

pub(super) fn standing(approved: bool, disabled: bool) -> Standing {
    match (approved, disabled) {
        (_, true) => Standing::Disabled,
        (true, false) => Standing::Active,
        (false, false) => Standing::Proposed,
    }
}

pub async fn update_approved(
    conn: &mut PgConnection,
    id: PersonId,
    by: &str,
    password_hash: &str,
    now: Instant,
) -> Result<(), Fault> {
    sqlx::query!(
        "update people set approved_at = $2, approved_by = $3, password_hash = $4, password_part_sealed = null
         where id = $1",
        id.uuid(),
        now as _,
        by,
        password_hash
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn update_disabled(conn: &mut PgConnection, id: PersonId, now: Instant) -> Result<(), Fault> {
    sqlx::query!("update people set disabled_at = $2 where id = $1", id.uuid(), now as _)
        .execute(conn)
        .await?;
    Ok(())
}

/// The person's own password: nobody else knows it.
pub async fn update_password(conn: &mut PgConnection, id: PersonId, hash: &str) -> Result<(), Fault> {
    sqlx::query!(
        "update people set password_hash = $2, password_given = false where id = $1",
        id.uuid(),
        hash
    )
    .execute(conn)
    .await?;
    Ok(())
}
