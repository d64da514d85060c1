pub mod listing;
pub mod people;

use std::collections::BTreeMap;

use mizan_ledger::{Id, Instant};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{NewKey, Owner, Scope};
use crate::fault::Fault;
use crate::http::signature::VerifyKey;
use crate::ids::{PersonId, PortalId};

/// A live key with its secret still sealed, and the version of the key table it was read at.
#[derive(Debug)]
pub struct KeyRow {
    pub key_id: String,
    pub version: i64,
    pub owner: Owner,
    pub scopes: Vec<Scope>,
    pub secret_sealed: Option<Vec<u8>>,
    pub public_key: Option<Vec<u8>>,
}

/// The key, unless it is unknown, proposed or revoked, or its owner is disabled.
pub async fn find_key(conn: &mut PgConnection, key_id: &str) -> Result<Option<KeyRow>, Fault> {
    let Some(row) = sqlx::query!(
        r#"select k.key_id, k.portal, k.person, k.secret_sealed, k.public_key, k.scopes, h.version
           from keys k cross join keys_head h
           left join portals po on po.id = k.portal
           left join people pe on pe.id = k.person
           where k.key_id = $1 and k.revoked_at is null and k.proposed_by is null and po.disabled_at is null and pe.disabled_at is null
             and (k.person is null or pe.approved_at is not null)"#,
        key_id
    )
    .fetch_optional(conn)
    .await?
    else {
        return Ok(None);
    };
    let owner = match (row.portal, row.person) {
        (Some(portal), None) => Owner::Portal(PortalId::from_uuid(portal)),
        (None, Some(person)) => Owner::Person(PersonId::from_uuid(person)),
        _ => return Err(Fault::corrupt("keys", "portal", key_id)),
    };
    let scopes = row
        .scopes
        .iter()
        .map(|scope| scope.parse().map_err(|_| Fault::corrupt("keys", "scopes", key_id)))
        .collect::<Result<_, _>>()?;
    Ok(Some(KeyRow {
        key_id: row.key_id,
        version: row.version,
        owner,
        scopes,
        secret_sealed: row.secret_sealed,
        public_key: row.public_key,
    }))
}

pub async fn insert_portal(
    conn: &mut PgConnection,
    id: PortalId,
    code: &str,
    names: (&str, &str),
    return_url_prefixes: &[String],
    now: Instant,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into portals (id, code, name_ar, name_en, return_url_prefixes, created_at)
         values ($1, $2, $3, $4, $5, $6)",
        id.uuid(),
        code,
        names.0,
        names.1,
        return_url_prefixes,
        now as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A person to be written.
#[derive(Debug)]
pub struct NewRow<'a> {
    pub id: PersonId,
    pub login: &'a str,
    pub names: (&'a str, &'a str),
    pub roles: &'a [String],
    pub password_hash: Option<&'a str>,
    /// Of a person who waits for approval.
    pub password_part_sealed: Option<&'a [u8]>,
    /// Somebody else knows the password.
    pub password_given: bool,
    pub created_by: &'a str,
    pub now: Instant,
    /// Null while a second administrator is waited for.
    pub approved_at: Option<Instant>,
}

pub async fn insert_person(conn: &mut PgConnection, new: &NewRow<'_>) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into people (id, login, name_ar, name_en, roles, password_hash, password_given, created_by,
             created_at, approved_at, approved_by, password_part_sealed)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, case when $10::timestamptz is null then null else $8 end,
             $11)",
        new.id.uuid(),
        new.login,
        new.names.0,
        new.names.1,
        new.roles,
        new.password_hash,
        new.password_given,
        new.created_by,
        new.now as _,
        new.approved_at as _,
        new.password_part_sealed,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Registers a key; a shared secret comes sealed. Somebody has proposed it while another one is waited for.
pub async fn insert_key(
    conn: &mut PgConnection,
    key: &NewKey,
    secret_sealed: Option<&[u8]>,
    proposed_by: Option<&str>,
) -> Result<(), sqlx::Error> {
    let (portal, person): (Option<Uuid>, Option<Uuid>) = match key.owner {
        Owner::Portal(id) => (Some(id.uuid()), None),
        Owner::Person(id) => (None, Some(id.uuid())),
    };
    let (algorithm, public_key) = match &key.material {
        VerifyKey::HmacSha256(_) => ("hmac-sha256", None),
        VerifyKey::Ed25519(public) => ("ed25519", Some(public.as_slice())),
    };
    let scopes: Vec<String> = key.scopes.iter().map(ToString::to_string).collect();
    sqlx::query!(
        "insert into keys (key_id, portal, person, algorithm, secret_sealed, public_key, scopes, created_at, proposed_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        key.key_id,
        portal,
        person,
        algorithm,
        secret_sealed,
        public_key,
        &scopes,
        key.created_at as _,
        proposed_by,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The version of the key table: it grows with every change of keys, portals and people.
pub async fn keys_version(conn: &mut PgConnection) -> Result<i64, Fault> {
    Ok(sqlx::query_scalar!("select version from keys_head").fetch_one(conn).await?)
}

/// Locks a portal, so that its keys are made one after the other.
pub async fn lock_portal(conn: &mut PgConnection, portal: PortalId) -> Result<(), Fault> {
    sqlx::query!("select id from portals where id = $1 for no key update", portal.uuid())
        .fetch_optional(conn)
        .await?;
    Ok(())
}

/// How many active keys a portal has.
pub async fn count_active_keys(conn: &mut PgConnection, portal: PortalId) -> Result<i64, Fault> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from keys where portal = $1 and revoked_at is null"#,
        portal.uuid()
    )
    .fetch_one(conn)
    .await?;
    Ok(count)
}

/// Lets a proposed key sign. False when it waits no more.
pub async fn update_key_approved(conn: &mut PgConnection, key_id: &str) -> Result<bool, Fault> {
    let done = sqlx::query!(
        "update keys set proposed_by = null where key_id = $1 and proposed_by is not null and revoked_at is null",
        key_id
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Revokes a key. False when there is no active key of that id.
pub async fn update_revoked(conn: &mut PgConnection, key_id: &str, now: Instant) -> Result<bool, Fault> {
    let done = sqlx::query!(
        "update keys set revoked_at = $2 where key_id = $1 and revoked_at is null",
        key_id,
        now as _
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The prefixes under which a portal's return URLs must stand.
pub async fn find_return_prefixes(
    conn: &mut PgConnection,
    portals: &[PortalId],
) -> Result<BTreeMap<PortalId, Vec<String>>, Fault> {
    if portals.is_empty() {
        return Ok(BTreeMap::new());
    }
    let portals: Vec<Uuid> = portals.iter().map(|portal| portal.uuid()).collect();
    let rows = sqlx::query!("select id, return_url_prefixes from portals where id = any($1)", &portals)
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(|row| (PortalId::from_uuid(row.id), row.return_url_prefixes)).collect())
}

/// A person who may log in.
#[derive(Debug)]
pub struct PersonRow {
    pub id: PersonId,
    pub login: String,
    pub name_ar: String,
    pub name_en: String,
    pub roles: Vec<String>,
    pub password_hash: Option<String>,
    /// Somebody else knows the password: it opens nothing but the change of it.
    pub password_given: bool,
}

pub async fn find_person(conn: &mut PgConnection, login: &str) -> Result<Option<PersonRow>, Fault> {
    let row = sqlx::query!(
        "select id, login, name_ar, name_en, roles, password_hash, password_given from people
         where login = $1 and disabled_at is null and approved_at is not null",
        login
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| PersonRow {
        id: PersonId::from_uuid(row.id),
        login: row.login,
        name_ar: row.name_ar,
        name_en: row.name_en,
        roles: row.roles,
        password_hash: row.password_hash,
        password_given: row.password_given,
    }))
}

/// The names, Arabic and English, of those of these people and portals that are known, by their id as an actor.
pub async fn find_names(
    conn: &mut PgConnection,
    actors: &[String],
) -> Result<BTreeMap<String, (String, String)>, Fault> {
    let people: Vec<Uuid> =
        actors.iter().filter_map(|one| one.parse::<PersonId>().ok()).map(Id::uuid).collect();
    let portals: Vec<Uuid> =
        actors.iter().filter_map(|one| one.parse::<PortalId>().ok()).map(Id::uuid).collect();
    let rows = sqlx::query!(
        r#"select id as "id!", name_ar as "ar!", name_en as "en!", true as "person!" from people where id = any($1)
           union all
           select id, name_ar, name_en, false from portals where id = any($2)"#,
        &people,
        &portals,
    )
    .fetch_all(conn)
    .await?;
    let named = rows.into_iter().map(|row| {
        let actor = if row.person {
            PersonId::from_uuid(row.id).to_string()
        } else {
            PortalId::from_uuid(row.id).to_string()
        };
        (actor, (row.ar, row.en))
    });
    Ok(named.collect())
}
