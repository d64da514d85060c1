//! Portals, people and keys in lists, newest first.

use mizan_ledger::Id;
use sqlx::PgConnection;
use uuid::Uuid;

use super::people::standing;
use crate::access::{ListedKey, Owner, Person, Portal};
use crate::fault::Fault;
use crate::ids::{PersonId, PortalId};

pub async fn page_portals(
    conn: &mut PgConnection,
    before: Option<PortalId>,
    limit: i64,
) -> Result<Vec<Portal>, Fault> {
    let before = before.map(PortalId::uuid);
    let rows = sqlx::query!(
        r#"select id, code, name_ar, name_en, return_url_prefixes, created_at from portals
           where $1::uuid is null or id < $1 order by id desc limit $2"#,
        before,
        limit
    )
    .fetch_all(conn)
    .await?;
    let portals = rows.into_iter().map(|row| Portal {
        id: PortalId::from_uuid(row.id),
        code: row.code,
        name_ar: row.name_ar,
        name_en: row.name_en,
        return_url_prefixes: row.return_url_prefixes,
        created_at: row.created_at,
    });
    Ok(portals.collect())
}

pub async fn find_portal(conn: &mut PgConnection, id: PortalId) -> Result<Option<String>, Fault> {
    let code = sqlx::query_scalar!("select code from portals where id = $1", id.uuid());
    Ok(code.fetch_optional(conn).await?)
}

pub async fn page_people(
    conn: &mut PgConnection,
    before: Option<PersonId>,
    limit: i64,
) -> Result<Vec<Person>, Fault> {
    page(conn, None, before.map(PersonId::uuid), limit).await
}

pub async fn find_person(conn: &mut PgConnection, id: PersonId) -> Result<Option<Person>, Fault> {
    Ok(page(conn, Some(id.uuid()), None, 1).await?.pop())
}

async fn page(
    conn: &mut PgConnection,
    id: Option<Uuid>,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Person>, Fault> {
    let rows = sqlx::query!(
        r#"select id, login, name_ar, name_en, roles, created_by, created_at,
               approved_at is not null as "approved!", disabled_at is not null as "disabled!"
           from people
           where ($1::uuid is null or id = $1) and ($2::uuid is null or id < $2) order by id desc limit $3"#,
        id,
        before,
        limit
    )
    .fetch_all(conn)
    .await?;
    let people = rows.into_iter().map(|row| Person {
        id: PersonId::from_uuid(row.id),
        login: row.login,
        name_ar: row.name_ar,
        name_en: row.name_en,
        roles: row.roles,
        standing: standing(row.approved, row.disabled),
        created_by: row.created_by,
        created_at: row.created_at,
    });
    Ok(people.collect())
}

/// Which keys are wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter<'a> {
    pub key_id: Option<&'a str>,
    /// A portal's code or a person's login.
    pub owner: Option<&'a str>,
    /// Revoked ones too.
    pub revoked: bool,
}

/// All of them: a portal holds three at most, a person one for each machine.
pub async fn page_keys(conn: &mut PgConnection, filter: Filter<'_>) -> Result<Vec<ListedKey>, Fault> {
    let rows = sqlx::query!(
        r#"select k.key_id, k.portal, k.person, coalesce(po.code, pe.login) as "owner!", k.algorithm, k.scopes,
               k.created_at, k.proposed_by, k.revoked_at
           from keys k left join portals po on po.id = k.portal left join people pe on pe.id = k.person
           where ($1::text is null or k.key_id = $1) and ($2::text is null or $2 in (po.code, pe.login))
             and ($3 or k.revoked_at is null)
           order by k.created_at desc, k.key_id"#,
        filter.key_id,
        filter.owner,
        filter.revoked,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let owner = match (row.portal, row.person) {
                (Some(portal), None) => Owner::Portal(PortalId::from_uuid(portal)),
                (None, Some(person)) => Owner::Person(PersonId::from_uuid(person)),
                _ => return Err(Fault::corrupt("keys", "portal", &row.key_id)),
            };
            let scopes = row.scopes.iter().map(|scope| scope.parse()).collect::<Result<_, _>>();
            let scopes = scopes.map_err(|_| Fault::corrupt("keys", "scopes", &row.key_id))?;
            Ok(ListedKey {
                key_id: row.key_id,
                owner,
                owner_name: row.owner,
                algorithm: row.algorithm,
                scopes,
                created_at: row.created_at,
                proposed_by: row.proposed_by,
                revoked_at: row.revoked_at,
            })
        })
        .collect()
}

/// One shared secret as it is sealed, to see whether the hub's master key opens it.
pub async fn find_sealed(conn: &mut PgConnection) -> Result<Option<Vec<u8>>, Fault> {
    let sealed = sqlx::query_scalar!(
        r#"select secret_sealed as "sealed!" from keys
           where secret_sealed is not null and revoked_at is null order by created_at desc limit 1"#
    );
    Ok(sealed.fetch_optional(conn).await?)
}
