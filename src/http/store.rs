use mizan_ledger::Instant;
use sqlx::PgConnection;

use super::idempotency::{Fingerprint, IdempotencyKey};
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

/// Takes the advisory lock of (caller, key) until the end of the transaction, and tells what is known of the key. The
/// versions of what processes keep in memory come along: each would cost a statement of its own.
pub async fn lock(conn: &mut PgConnection, caller: &str, key: &IdempotencyKey) -> Result<Seen, Fault> {
    let row = sqlx::query!(
        r#"select pg_try_advisory_xact_lock(hashtextextended($3, 0)) as "locked!", h.version as keys_version,
                  c.version as catalogue_version,
                  i.fingerprint as "fingerprint?", i.status as "status?", i.body as "body?"
           from keys_head h cross join catalogue_head c left join idempotency i on i.caller = $1 and i.key = $2"#,
        caller,
        key.as_str(),
        format!("{caller} {}", key.as_str()),
    )
    .fetch_one(conn)
    .await?;
    let answer = match (row.fingerprint, row.status, row.body) {
        (Some(fingerprint), Some(status), Some(body)) => Some(FirstAnswer {
            fingerprint,
            status: u16::try_from(status)
                .map_err(|_| Fault::corrupt("idempotency", "status", key.as_str()))?,
            body,
        }),
        _ => None,
    };
    let (keys_version, catalogue_version) = (row.keys_version, row.catalogue_version);
    Ok(Seen { locked: row.locked, keys_version, catalogue_version, answer })
}

/// Stores the first answer. False when the key has one already.
pub async fn insert(
    conn: &mut PgConnection,
    caller: &str,
    key: &IdempotencyKey,
    fingerprint: &Fingerprint,
    status: u16,
    body: &[u8],
    now: Instant,
) -> Result<bool, Fault> {
    let done = sqlx::query!(
        "insert into idempotency (caller, key, fingerprint, status, body, created_at)
         values ($1, $2, $3, $4, $5, $6) on conflict (caller, key) do nothing",
        caller,
        key.as_str(),
        fingerprint.bytes(),
        i16::try_from(status).unwrap_or(i16::MAX),
        body,
        now as _,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The database's clock.
pub async fn clock(conn: &mut PgConnection) -> Result<Instant, Fault> {
    let now = sqlx::query_scalar!(r#"select clock_timestamp() as "now!""#).fetch_one(conn).await?;
    Ok(now)
}
