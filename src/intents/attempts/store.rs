use mizan_ledger::{Currency, Id, Instant, Money};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::fault::Fault;
use crate::ids::{AttemptId, IntentId};
use crate::intents::model::{Attempt, AttemptState};

/// Inserts an attempt. False when a live one holds the bill.
pub async fn insert(conn: &mut PgConnection, attempt: &Attempt) -> Result<bool, Fault> {
    let currency = attempt.amount.currency();
    let done = sqlx::query!(
        "insert into attempts (id, intent, channel, state, amount_minor, currency, created_at, deadline_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $7)
         on conflict (intent) where state in ('created', 'redirected', 'unknown') do nothing",
        attempt.id.uuid(),
        attempt.intent.uuid(),
        attempt.channel,
        attempt.state.as_str(),
        attempt.amount.minor(),
        currency.code(),
        attempt.created_at as _,
        attempt.deadline_at as _,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

struct AttemptRow {
    id: Uuid,
    intent: Uuid,
    channel: String,
    state: String,
    amount_minor: i64,
    currency: String,
    provider_session: Option<String>,
    page_url: Option<String>,
    transaction: Option<String>,
    failure: Option<String>,
    created_at: Instant,
    deadline_at: Instant,
}

impl TryFrom<AttemptRow> for Attempt {
    type Error = Fault;

    fn try_from(row: AttemptRow) -> Result<Self, Fault> {
        let id = AttemptId::from_uuid(row.id);
        let corrupt = |column| Fault::corrupt("attempts", column, id);
        let currency: Currency = row.currency.parse().map_err(|_| corrupt("currency"))?;
        Ok(Self {
            id,
            intent: IntentId::from_uuid(row.intent),
            channel: row.channel,
            state: AttemptState::parse(&row.state).ok_or_else(|| corrupt("state"))?,
            amount: Money::new(row.amount_minor, currency),
            provider_session: row.provider_session,
            page_url: row.page_url,
            transaction: row.transaction,
            failure: row.failure,
            created_at: row.created_at,
            deadline_at: row.deadline_at,
        })
    }
}

pub async fn find(conn: &mut PgConnection, id: AttemptId) -> Result<Option<Attempt>, Fault> {
    let row = sqlx::query_as!(
        AttemptRow,
        "select id, intent, channel, state, amount_minor, currency, provider_session, page_url, transaction, failure,
                created_at, deadline_at
         from attempts where id = $1",
        id.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    row.map(Attempt::try_from).transpose()
}

/// The attempts of these intents, oldest first. Their intents are locked, and so are they.
pub async fn lock_of(conn: &mut PgConnection, intents: &[IntentId]) -> Result<Vec<Attempt>, Fault> {
    let intents: Vec<Uuid> = intents.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query_as!(
        AttemptRow,
        "select id, intent, channel, state, amount_minor, currency, provider_session, page_url, transaction, failure,
                created_at, deadline_at
         from attempts where intent = any($1) order by id for no key update",
        &intents,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Attempt::try_from).collect()
}

/// The attempts of these intents, oldest first, for reading.
pub async fn page_of(conn: &mut PgConnection, intents: &[IntentId]) -> Result<Vec<Attempt>, Fault> {
    let intents: Vec<Uuid> = intents.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query_as!(
        AttemptRow,
        "select id, intent, channel, state, amount_minor, currency, provider_session, page_url, transaction, failure,
                created_at, deadline_at
         from attempts where intent = any($1) order by id",
        &intents,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Attempt::try_from).collect()
}

/// Takes up to `limit` live attempts whose deadline has passed, the longest overdue first, and moves their deadline: the
/// provider must be asked. Of several hubs each takes others.
pub async fn claim_silent(
    conn: &mut PgConnection,
    now: Instant,
    ask_again_at: Instant,
    limit: i64,
) -> Result<Vec<Attempt>, Fault> {
    let rows = sqlx::query_as!(
        AttemptRow,
        "update attempts set deadline_at = $2, updated_at = $1
         where id in (
             select id from attempts
             where state in ('created', 'redirected', 'unknown') and deadline_at <= $1
             order by deadline_at, id limit $3 for no key update skip locked)
         returning id, intent, channel, state, amount_minor, currency, provider_session, page_url, transaction, failure,
                   created_at, deadline_at",
        now as _,
        ask_again_at as _,
        limit,
    )
    .fetch_all(conn)
    .await?;
    let claimed: Result<Vec<Attempt>, Fault> = rows.into_iter().map(Attempt::try_from).collect();
    let mut claimed = claimed?;
    claimed.sort_unstable_by_key(|attempt| attempt.id);
    Ok(claimed)
}

/// Lets the deadline of a live attempt on this channel be now, if it is later.
pub async fn update_due(
    conn: &mut PgConnection,
    id: AttemptId,
    channel: &str,
    now: Instant,
) -> Result<(), Fault> {
    sqlx::query!(
        "update attempts set deadline_at = $3
         where id = $1 and channel = $2 and deadline_at > $3
           and state in ('created', 'redirected', 'unknown')",
        id.uuid(),
        channel,
        now as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The provider's page is open: writes it to an attempt that still stands as before. None when it does not.
pub async fn update_opened(
    conn: &mut PgConnection,
    now: Instant,
    id: AttemptId,
    [before, after]: [AttemptState; 2],
    session: &str,
    page_url: &str,
) -> Result<Option<Attempt>, Fault> {
    let row = sqlx::query_as!(
        AttemptRow,
        "update attempts set state = $3, provider_session = $4, page_url = $5, updated_at = $6
         where id = $1 and state = $2
         returning id, intent, channel, state, amount_minor, currency, provider_session, page_url, transaction, failure,
                   created_at, deadline_at",
        id.uuid(),
        before.as_str(),
        after.as_str(),
        session,
        page_url,
        now as _,
    )
    .fetch_optional(conn)
    .await?;
    row.map(Attempt::try_from).transpose()
}

/// Writes what can change of locked attempts, as one statement.
pub async fn update(conn: &mut PgConnection, now: Instant, attempts: &[&Attempt]) -> Result<(), Fault> {
    if attempts.is_empty() {
        return Ok(());
    }
    let each = || attempts.iter();
    let ids: Vec<Uuid> = each().map(|attempt| attempt.id.uuid()).collect();
    let states: Vec<&str> = each().map(|attempt| attempt.state.as_str()).collect();
    let sessions: Vec<Option<&str>> = each().map(|attempt| attempt.provider_session.as_deref()).collect();
    let pages: Vec<Option<&str>> = each().map(|attempt| attempt.page_url.as_deref()).collect();
    let transactions: Vec<Option<&str>> = each().map(|attempt| attempt.transaction.as_deref()).collect();
    let failures: Vec<Option<&str>> = each().map(|attempt| attempt.failure.as_deref()).collect();
    let deadlines: Vec<Instant> = each().map(|attempt| attempt.deadline_at).collect();
    sqlx::query!(
        "update attempts set state = new.state, provider_session = new.session, page_url = new.page,
             transaction = new.transaction, failure = new.failure, deadline_at = new.deadline_at, updated_at = $8
         from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[])
             as new (id, state, session, page, transaction, failure, deadline_at)
         where attempts.id = new.id",
        &ids,
        &states as _,
        &sessions as _,
        &pages as _,
        &transactions as _,
        &failures as _,
        &deadlines as _,
        now as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}
