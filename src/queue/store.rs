use mizan_ledger::Instant;
use serde_json::Value;
use sqlx::PgConnection;

use super::given_up::Retried;
use super::{ATTEMPTS_MAX, Job, NewJob, pause_seconds};
use crate::fault::Fault;

/// Writes the jobs of one transaction as one statement. A live job of the same kind and subject that waits does this work
/// too, at the earlier of the two times unless it has failed before; one that a worker has begun may have read what was
/// before, so it is done again afterwards.
pub async fn insert(conn: &mut PgConnection, now: Instant, jobs: &[NewJob]) -> Result<(), Fault> {
    if jobs.is_empty() {
        return Ok(());
    }
    let kinds: Vec<&str> = jobs.iter().map(|job| job.kind).collect();
    let subjects: Vec<&str> = jobs.iter().map(|job| job.subject.as_str()).collect();
    let bodies: Vec<&Value> = jobs.iter().map(|job| &job.body).collect();
    let times: Vec<Instant> = jobs.iter().map(|job| job.run_at.unwrap_or(now)).collect();
    sqlx::query!(
        "insert into jobs (kind, subject, body, state, run_at, created_at)
         select distinct on (kind, subject) kind, subject, body, 'ready', run_at, $5::timestamptz
         from unnest($1::text[], $2::text[], $3::jsonb[], $4::timestamptz[])
             with ordinality as job (kind, subject, body, run_at, place)
         order by kind, subject, place
         on conflict (kind, subject) where state = 'ready' do update set
             again_at = case when jobs.lease_until > $5 then excluded.run_at else jobs.again_at end,
             again_body = case when jobs.lease_until > $5 then excluded.body else jobs.again_body end,
             run_at = case when jobs.lease_until > $5 then jobs.run_at else excluded.run_at end
             where jobs.lease_until > $5 or jobs.attempt = 0 and excluded.run_at < jobs.run_at",
        &kinds as _,
        &subjects as _,
        &bodies as _,
        &times as _,
        now as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes up to `limit` due jobs of one kind for `lease_seconds`.
pub async fn claim(
    conn: &mut PgConnection,
    now: Instant,
    kind: &str,
    limit: i64,
    lease_seconds: i64,
) -> Result<Vec<Job>, Fault> {
    let jobs = sqlx::query_as!(
        Job,
        "update jobs set attempt = attempt + 1, lease_until = $4
         where id in (
             select id from jobs
             where kind = $1 and state = 'ready' and run_at <= $2 and (lease_until is null or lease_until <= $2)
             order by run_at, id limit $3 for update skip locked)
         returning id, kind, subject, body, attempt",
        kind,
        now as _,
        limit,
        now.plus_seconds(lease_seconds) as _,
    )
    .fetch_all(conn)
    .await?;
    Ok(jobs)
}

/// A job that is done, and whether it was asked for again meanwhile.
#[derive(Debug)]
pub struct Finished {
    pub again_at: Option<Instant>,
    pub again_body: Option<Value>,
}

/// The claimed job is done. None when another worker has it by now.
pub async fn finish(conn: &mut PgConnection, job: &Job) -> Result<Option<Finished>, Fault> {
    let done = sqlx::query_as!(
        Finished,
        r#"update jobs set state = 'done', lease_until = null where id = $1 and attempt = $2 and state = 'ready'
           returning again_at as "again_at: Instant", again_body"#,
        job.id,
        job.attempt,
    )
    .fetch_optional(conn)
    .await?;
    Ok(done)
}

/// What was given up of this kind and about this object is done by another job.
pub async fn finish_dead(conn: &mut PgConnection, kind: &str, subject: &str) -> Result<(), Fault> {
    sqlx::query!(
        "update jobs set state = 'done' where kind = $1 and subject = $2 and state = 'dead'",
        kind,
        subject,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The claimed job failed: it comes again after a growing pause, or is dead after the last attempt. True when it is dead
/// now.
pub async fn fail(conn: &mut PgConnection, now: Instant, job: &Job, error: &str) -> Result<bool, Fault> {
    let again_at = now.plus_seconds(pause_seconds(job.attempt));
    let failed = sqlx::query!(
        "update jobs set lease_until = null, last_error = $3, run_at = $4,
             state = case when attempt >= $5 then 'dead' else 'ready' end
         where id = $1 and attempt = $2 and state = 'ready'",
        job.id,
        job.attempt,
        error,
        again_at as _,
        ATTEMPTS_MAX,
    )
    .execute(conn)
    .await?;
    Ok(failed.rows_affected() == 1 && job.attempt >= ATTEMPTS_MAX)
}

/// The claimed job met a database that was away: it comes again after a pause, and the try does not count.
pub async fn postpone(conn: &mut PgConnection, now: Instant, job: &Job, error: &str) -> Result<(), Fault> {
    let again_at = now.plus_seconds(pause_seconds(job.attempt));
    sqlx::query!(
        "update jobs set lease_until = null, last_error = $3, run_at = $4, attempt = attempt - 1
         where id = $1 and attempt = $2 and state = 'ready'",
        job.id,
        job.attempt,
        error,
        again_at as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A dead job is ready again, as if it had never been tried. None when it is not dead, or a live one does its work.
pub async fn update_ready_again(
    conn: &mut PgConnection,
    now: Instant,
    id: i64,
) -> Result<Option<Retried>, Fault> {
    let retried = sqlx::query_as!(
        Retried,
        r#"update jobs as dead set state = 'ready', attempt = 0, lease_until = null, run_at = $2
           where id = $1 and state = 'dead' and not exists (
               select from jobs as live
               where live.kind = dead.kind and live.subject = dead.subject and live.state = 'ready')
           returning id as job, kind as work, subject, coalesce(last_error, '') as "gave_up!""#,
        id,
        now as _,
    )
    .fetch_optional(conn)
    .await?;
    Ok(retried)
}

pub async fn find_state(conn: &mut PgConnection, id: i64) -> Result<Option<String>, Fault> {
    let state = sqlx::query_scalar!("select state from jobs where id = $1", id).fetch_optional(conn).await?;
    Ok(state)
}

/// Jobs of one kind that nobody tries any more.
#[derive(Debug)]
pub struct Dead {
    pub kind: String,
    pub count: i64,
    /// The last of them.
    pub id: i64,
    pub subject: String,
    pub error: String,
}

/// Dead jobs by kind, each with one subject and its error.
pub async fn find_dead(conn: &mut PgConnection) -> Result<Vec<Dead>, Fault> {
    let dead = sqlx::query_as!(
        Dead,
        r#"select distinct on (kind) kind, count(*) over (partition by kind) as "count!", id, subject,
             coalesce(last_error, '') as "error!"
           from jobs where state = 'dead' order by kind, id desc"#
    )
    .fetch_all(conn)
    .await?;
    Ok(dead)
}

/// How many jobs of a kind are ready, whether due or not.
pub async fn count_ready(conn: &mut PgConnection, kind: &str) -> Result<i64, Fault> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from jobs where kind = $1 and state = 'ready'"#,
        kind
    )
    .fetch_one(conn)
    .await?;
    Ok(count)
}
