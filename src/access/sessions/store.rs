use mizan_ledger::{Id, Instant};
use sqlx::PgConnection;

use super::{NewSession, Session, id_of};
use crate::access::{Role, service::scopes_of};
use crate::fault::Fault;
use crate::http::language::Language;
use crate::ids::PersonId;

pub async fn insert(
    conn: &mut PgConnection,
    new: &NewSession,
    now: Instant,
    expires_at: Instant,
) -> Result<(), Fault> {
    sqlx::query!(
        "insert into console_sessions (id, person, csrf, language, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6)",
        id_of(&new.cookie),
        new.person.uuid(),
        new.csrf,
        new.language.tag(),
        now as _,
        expires_at as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The session of this id, unless it is over or its person is disabled.
pub async fn find(conn: &mut PgConnection, id: &str, now: Instant) -> Result<Option<Session>, Fault> {
    let row = sqlx::query!(
        "select s.person, s.csrf, s.language, p.name_ar, p.name_en, p.roles
         from console_sessions s join people p on p.id = s.person
         where s.id = $1 and s.expires_at > $2 and p.disabled_at is null",
        id,
        now as _,
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let person = PersonId::from_uuid(row.person);
    let roles: Vec<Role> = row
        .roles
        .iter()
        .map(|role| role.parse().map_err(|_| Fault::corrupt("people", "roles", person)))
        .collect::<Result<_, _>>()?;
    Ok(Some(Session {
        id: id.to_owned(),
        person,
        name_ar: row.name_ar,
        name_en: row.name_en,
        scopes: scopes_of(&roles),
        csrf: row.csrf,
        language: if row.language == Language::English.tag() { Language::English } else { Language::Arabic },
    }))
}

pub async fn update_language(conn: &mut PgConnection, id: &str, language: Language) -> Result<(), Fault> {
    sqlx::query!("update console_sessions set language = $2 where id = $1", id, language.tag())
        .execute(conn)
        .await?;
    Ok(())
}

pub async fn delete(conn: &mut PgConnection, id: &str) -> Result<(), Fault> {
    sqlx::query!("delete from console_sessions where id = $1", id).execute(conn).await?;
    Ok(())
}

/// Every session of a person.
pub async fn delete_of(conn: &mut PgConnection, person: PersonId) -> Result<(), Fault> {
    sqlx::query!("delete from console_sessions where person = $1", person.uuid()).execute(conn).await?;
    Ok(())
}

pub async fn delete_expired(conn: &mut PgConnection, now: Instant) -> Result<(), Fault> {
    sqlx::query!("delete from console_sessions where expires_at <= $1", now as _).execute(conn).await?;
    Ok(())
}
