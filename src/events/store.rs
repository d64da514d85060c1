use mizan_ledger::{Id, Instant};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Event, NewEvent, Published, is_type};
use crate::entropy::Entropy;
use crate::fault::Fault;
use crate::ids::{EventId, PortalId};

/// Writes the events of one transaction, in the order they were emitted, as one statement.
pub async fn insert(
    conn: &mut PgConnection,
    entropy: &Entropy,
    now: Instant,
    events: &[NewEvent],
) -> Result<(), Fault> {
    if events.is_empty() {
        return Ok(());
    }
    debug_assert!(events.iter().all(|event| is_type(event.kind)), "an event of an unknown type: {events:?}");
    let ids: Vec<Uuid> = events.iter().map(|_| entropy.id::<EventId>(now).uuid()).collect();
    let portals: Vec<Uuid> = events.iter().map(|event| event.portal.uuid()).collect();
    let kinds: Vec<&str> = events.iter().map(|event| event.kind).collect();
    let objects: Vec<&str> = events.iter().map(|event| event.object.as_str()).collect();
    let versions: Vec<i32> = events.iter().map(|event| event.object_version).collect();
    let bodies: Vec<&str> = events.iter().map(|event| event.body.as_str()).collect();
    sqlx::query!(
        "insert into events (id, portal, type, object, object_version, body, created_at)
         select id, portal, type, object, version, body::json, $7
         from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::int[], $6::text[])
             with ordinality as event (id, portal, type, object, version, body, place)
         order by place",
        &ids,
        &portals,
        &kinds as _,
        &objects as _,
        &versions,
        &bodies as _,
        now as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes the publisher's turn until the end of the transaction; false when another publisher has it.
pub async fn try_turn(conn: &mut PgConnection) -> Result<bool, Fault> {
    let got = sqlx::query_scalar!(
        r#"select pg_try_advisory_xact_lock(hashtextextended('mizan publisher', 0)) as "got!""#
    )
    .fetch_one(conn)
    .await?;
    Ok(got)
}

/// Gives the next position of its portal's feed to each of up to `limit` events without one, by `n`. Call it in a
/// statement after [`try_turn`]: its snapshot must be younger than the turn, or it would miss what the last
/// publisher did.
pub async fn publish(conn: &mut PgConnection, limit: i64) -> Result<Vec<Published>, Fault> {
    let rows = sqlx::query!(
        r#"with batch as (
             select n, portal, type from events where position is null order by n limit $1
         ), placed as (
             select n, portal, type, row_number() over (partition by portal order by n) as place from batch
         ), moved as (
             insert into feeds (portal, last) select portal, count(*) from batch group by portal order by portal
             on conflict (portal) do update set last = feeds.last + excluded.last
             returning portal, last
         ), counted as (
             select portal, count(*) as count from batch group by portal
         )
         update events set position = moved.last - counted.count + placed.place
         from placed join moved on moved.portal = placed.portal join counted on counted.portal = placed.portal
         where events.n = placed.n
         returning events.n, events.portal, events.type as kind, events.position as "position!""#,
        limit,
    )
    .fetch_all(conn)
    .await?;
    let mut published: Vec<Published> = rows
        .into_iter()
        .map(|row| Published {
            n: row.n,
            portal: PortalId::from_uuid(row.portal),
            kind: row.kind,
            position: row.position,
        })
        .collect();
    published.sort_unstable_by_key(|event| event.n);
    Ok(published)
}

struct EventRow {
    n: i64,
    id: Uuid,
    position: i64,
    kind: String,
    object_version: i32,
    body: Value,
    created_at: Instant,
}

impl From<EventRow> for Event {
    fn from(row: EventRow) -> Self {
        Self {
            n: row.n,
            id: EventId::from_uuid(row.id),
            position: row.position,
            kind: row.kind,
            object_version: row.object_version,
            body: row.body,
            created_at: row.created_at,
        }
    }
}

/// Events of a portal after a position, in order.
pub async fn page(
    conn: &mut PgConnection,
    portal: PortalId,
    after: i64,
    limit: i64,
) -> Result<Vec<Event>, Fault> {
    let rows = sqlx::query_as!(
        EventRow,
        r#"select n, id, position as "position!", type as kind, object_version, body, created_at
           from events where portal = $1 and position > $2 order by position limit $3"#,
        portal.uuid(),
        after,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(Event::from).collect())
}

/// The same without what they say, up to a position: what a replay sends again.
pub async fn page_published(
    conn: &mut PgConnection,
    portal: PortalId,
    after: i64,
    until: i64,
    limit: i64,
) -> Result<Vec<Published>, Fault> {
    let rows = sqlx::query!(
        r#"select n, type as kind, position as "position!" from events
           where portal = $1 and position > $2 and position <= $3 order by position limit $4"#,
        portal.uuid(),
        after,
        until,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Published { n: row.n, portal, kind: row.kind, position: row.position })
        .collect())
}

/// Published events by their numbers.
pub async fn find(conn: &mut PgConnection, numbers: &[i64]) -> Result<Vec<Event>, Fault> {
    let rows = sqlx::query_as!(
        EventRow,
        r#"select n, id, position as "position!", type as kind, object_version, body, created_at
           from events where n = any($1) and position is not null"#,
        numbers,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(Event::from).collect())
}

/// How far a feed reaches: positions after `pruned` up to `last` are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    pub pruned: i64,
    pub last: i64,
}

pub async fn find_reach(conn: &mut PgConnection, portal: PortalId) -> Result<Reach, Fault> {
    let reach = sqlx::query_as!(Reach, "select pruned, last from feeds where portal = $1", portal.uuid())
        .fetch_optional(conn)
        .await?;
    Ok(reach.unwrap_or(Reach { pruned: 0, last: 0 }))
}

/// Drops from the beginning of each feed up to `limit` events that are older than `before` and that no webhook
/// waits for, with what is remembered of their deliveries. Answers how many. Needs the publisher's turn.
pub async fn prune(conn: &mut PgConnection, before: Instant, limit: i64) -> Result<i64, Fault> {
    let dropped = sqlx::query_scalar!(
        r#"with head as (
             select event.n, event.portal, event.position,
                    event.created_at >= $1 or exists (
                        select from webhook_deliveries where event_n = event.n and state = 'waiting') as kept
             from feeds cross join lateral (
                 select n, portal, position, created_at from events
                 where portal = feeds.portal and position > feeds.pruned order by position limit $2) as event
         ), stop as (
             select portal, min(position) as position from head where kept group by portal
         ), gone as (
             delete from events using head left join stop on stop.portal = head.portal
             where events.n = head.n and (stop.position is null or head.position < stop.position)
             returning events.n, events.portal, events.position
         ), forgotten as (
             delete from webhook_deliveries where event_n in (select n from gone)
         ), moved as (
             update feeds set pruned = reached.position
             from (select portal, max(position) as position from gone group by portal) as reached
             where feeds.portal = reached.portal
         )
         select count(*) as "count!" from gone"#,
        before as _,
        limit,
    )
    .fetch_one(conn)
    .await?;
    Ok(dropped)
}
