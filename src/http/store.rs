use mizan_ledger::Instant;
use sqlx::PgConnection;

use super::idempotency::{Fingerprint, IdempotencyKey};
use super::once::Answer;
use crate::fault::Fault;

/// What is known of a key, and the version of the key table at the time.
#[derive(Debug)]
pub struct Seen {
    /// False when another transaction holds the key's lock.
    pub locked: bool,
    pub keys_version: i64,
    pub catalogue_version: i64,
    pub answer: Option<FirstAnswer>,
}

/// The first answer to a request.
#[derive(Debug)]
pub struct FirstAnswer {
    pub fingerprint: Vec<u8>,
    pub status: u16,
    pub body: Vec<u8>,
}

/// What is asked under which key.
#[derive(Debug)]
pub struct Ticket<'a> {
    pub caller: String,
    pub key: &'a IdempotencyKey,
    pub fingerprint: &'a Fingerprint,
}

/// Takes the advisory lock of each (caller, key) until the end of the transaction, and tells what is known of the keys,
/// in their order. The versions of what processes keep in memory come along: each would cost a statement of its own.
pub async fn lock(conn: &mut PgConnection, tickets: &[&Ticket<'_>]) -> Result<Vec<Seen>, Fault> {
    let callers: Vec<&str> = tickets.iter().map(|ticket| ticket.caller.as_str()).collect();
    let keys: Vec<&str> = tickets.iter().map(|ticket| ticket.key.as_str()).collect();
    let rows = sqlx::query!(
        r#"select pg_try_advisory_xact_lock(hashtextextended(asked.caller || ' ' || asked.key, 0)) as "locked!",
                  keys_head.version as keys_version, catalogue_head.version as catalogue_version,
                  first.fingerprint as "fingerprint?", first.status as "status?", first.body as "body?"
           from unnest($1::text[], $2::text[]) with ordinality as asked (caller, key, place)
           cross join keys_head cross join catalogue_head
           left join lateral (
               select fingerprint, status, body from idempotency
               where caller = asked.caller and key = asked.key limit 1) as first on true
           order by place"#,
        &callers as _,
        &keys as _,
    )
    .fetch_all(conn)
    .await?;
    let seen = rows.into_iter().zip(&keys).map(|(row, key)| {
        let answer = match (row.fingerprint, row.status, row.body) {
            (Some(fingerprint), Some(status), Some(body)) => Some(FirstAnswer {
                fingerprint,
                status: u16::try_from(status).map_err(|_| Fault::corrupt("idempotency", "status", *key))?,
                body,
            }),
            _ => None,
        };
        let (keys_version, catalogue_version) = (row.keys_version, row.catalogue_version);
        Ok(Seen { locked: row.locked, keys_version, catalogue_version, answer })
    });
    seen.collect()
}

/// Stores first answers. False when one of the keys has one already.
pub async fn insert(
    conn: &mut PgConnection,
    answers: &[(&Ticket<'_>, &Answer)],
    now: Instant,
) -> Result<bool, Fault> {
    let callers: Vec<&str> = answers.iter().map(|(ticket, _)| ticket.caller.as_str()).collect();
    let keys: Vec<&str> = answers.iter().map(|(ticket, _)| ticket.key.as_str()).collect();
    let fingerprints: Vec<&[u8]> =
        answers.iter().map(|(ticket, _)| ticket.fingerprint.bytes().as_slice()).collect();
    let statuses: Vec<i16> =
        answers.iter().map(|(_, answer)| i16::try_from(answer.status.as_u16()).unwrap_or(i16::MAX)).collect();
    let bodies: Vec<&[u8]> = answers.iter().map(|(_, answer)| answer.body.as_slice()).collect();
    let done = sqlx::query!(
        "insert into idempotency (caller, key, fingerprint, status, body, created_at)
         select caller, key, fingerprint, status, body, $6
         from unnest($1::text[], $2::text[], $3::bytea[], $4::smallint[], $5::bytea[])
             as answer (caller, key, fingerprint, status, body)
         on conflict (caller, key) do nothing",
        &callers as _,
        &keys as _,
        &fingerprints as _,
        &statuses,
        &bodies as _,
        now as _,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == answers.len() as u64)
}

/// The database's clock.
pub async fn clock(conn: &mut PgConnection) -> Result<Instant, Fault> {
    let now = sqlx::query_scalar!(r#"select clock_timestamp() as "now!""#).fetch_one(conn).await?;
    Ok(now)
}
