use mizan_ledger::{Id, Instant};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::fault::Fault;
use crate::ids::{DeliveryId, EventId, PortalId, WebhookId};
use crate::webhooks::delivery::{Contents, Delivery, DeliveryState, Parcel, Subject, TEST_TYPE, Tried};

/// Deliveries to be made: of this event to this endpoint.
#[derive(Debug, Default)]
pub struct NewDeliveries {
    pub ids: Vec<Uuid>,
    pub endpoints: Vec<Uuid>,
    pub events: Vec<i64>,
}

/// Queues deliveries, in the order of endpoint and event. One that was made or given up before is made again; one
/// that waits is made at once.
pub async fn insert_deliveries(
    conn: &mut PgConnection,
    new: &NewDeliveries,
    now: Instant,
) -> Result<(), Fault> {
    if new.ids.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "insert into webhook_deliveries (id, endpoint, event_n, state, queued_at, next_at)
         select id, endpoint, event_n, 'waiting', $4, $4
         from unnest($1::uuid[], $2::uuid[], $3::bigint[]) as new (id, endpoint, event_n)
         order by endpoint, event_n
         on conflict (endpoint, event_n) do update
             set state = 'waiting', queued_at = excluded.queued_at, next_at = excluded.next_at",
        &new.ids,
        &new.endpoints,
        &new.events,
        now as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn insert_test(
    conn: &mut PgConnection,
    id: DeliveryId,
    endpoint: WebhookId,
    test: EventId,
    now: Instant,
) -> Result<(), Fault> {
    sqlx::query!(
        "insert into webhook_deliveries (id, endpoint, test, state, queued_at, next_at)
         values ($1, $2, $3, 'waiting', $4, $4)",
        id.uuid(),
        endpoint.uuid(),
        test.uuid(),
        now as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Ends what still waits for a locked endpoint.
pub async fn update_waiting_ended(
    conn: &mut PgConnection,
    endpoint: WebhookId,
    why: &str,
) -> Result<(), Fault> {
    sqlx::query!(
        "with mine as (
             select id from webhook_deliveries where endpoint = $1 and state = 'waiting'
             order by endpoint, event_n for no key update
         )
         update webhook_deliveries d set state = 'failed', error = $2, lease_until = null
         from mine where d.id = mine.id",
        endpoint.uuid(),
        why,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// How much a worker can take on.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    /// Deliveries to sound endpoints.
    pub sound: i64,
    /// Tests, and deliveries to failing endpoints.
    pub stuck: i64,
    /// Deliveries at a time to one sound endpoint, over all workers; a failing one gets one.
    pub per_endpoint: i64,
    pub lease_until: Instant,
}

/// A claimed delivery with its endpoint's address and secrets.
#[derive(Debug)]
pub struct Claimed {
    pub parcel: Parcel,
    pub portal: PortalId,
    pub secrets_sealed: Vec<Vec<u8>>,
}

/// Takes due deliveries: endpoints take turns, so that a long queue of one does not hold up the others. An endpoint is
/// sent one test at a time, and portals take turns where an answer may not come: no portal fills those few places.
pub async fn claim(conn: &mut PgConnection, now: Instant, room: Room) -> Result<Vec<Claimed>, Fault> {
    let rows = sqlx::query!(
        r#"with open as (
             select e.id, e.portal, e.failing_since is not null as stuck,
                    case when e.failing_since is null then $3::bigint else 1 end
                        - (select count(*) from webhook_deliveries l where l.endpoint = e.id and l.lease_until > $1)
                        as room
             from webhook_endpoints e
             where e.state = 'enabled' and (e.paused_until is null or e.paused_until <= $1)
         ), due as (
             select d.id, d.next_at, open.portal, open.stuck,
                    row_number() over (partition by open.id order by d.next_at, d.id) as turn
             from open cross join lateral (
                 select id, next_at from webhook_deliveries
                 where endpoint = open.id and state = 'waiting' and test is null and next_at <= $1
                   and (lease_until is null or lease_until <= $1)
                 order by next_at, id limit greatest(open.room, 0)) as d
             union all
             select d.id, d.next_at, e.portal, true, 1
             from webhook_endpoints e cross join lateral (
                 select id, next_at from webhook_deliveries
                 where endpoint = e.id and state = 'waiting' and test is not null and next_at <= $1
                   and (lease_until is null or lease_until <= $1)
                 order by next_at limit 1) as d
             where e.state <> 'deleted' and not exists (
                 select from webhook_deliveries l
                 where l.endpoint = e.id and l.test is not null and l.state = 'waiting' and l.lease_until > $1)
         ), turns as (
             select id, next_at, stuck,
                    case when stuck then row_number() over (partition by portal, stuck order by next_at, id)
                         else turn end as turn
             from due
         ), placed as (
             select id, stuck, row_number() over (partition by stuck order by turn, next_at, id) as place from turns
         )
         update webhook_deliveries d set attempt = d.attempt + 1, lease_until = $2
         from webhook_endpoints e
         where e.id = d.endpoint and e.state <> 'deleted' and d.id in (
             select id from webhook_deliveries
             where id in (select id from placed where place <= case when stuck then $5::bigint else $4::bigint end)
               and state = 'waiting' and (lease_until is null or lease_until <= $1)
             for update skip locked)
         returning d.id, d.endpoint, d.event_n, d.test, d.attempt, d.queued_at, e.portal, e.url, e.secrets_sealed,
             e.failing_since is not null as "probe!""#,
        now as _,
        room.lease_until as _,
        room.per_endpoint,
        room.sound,
        room.stuck,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let id = DeliveryId::from_uuid(row.id);
            let subject = match (row.event_n, row.test) {
                (Some(n), None) => Subject::Event(n),
                (None, Some(test)) => Subject::Test(EventId::from_uuid(test)),
                _ => return Err(Fault::corrupt("webhook_deliveries", "event_n", id)),
            };
            let parcel = Parcel {
                id,
                endpoint: WebhookId::from_uuid(row.endpoint),
                subject,
                attempt: row.attempt,
                queued_at: row.queued_at,
                url: row.url,
                probe: row.probe,
                contents: Contents::Missing("it was not packed"),
            };
            let portal = PortalId::from_uuid(row.portal);
            Ok(Claimed { parcel, portal, secrets_sealed: row.secrets_sealed })
        })
        .collect()
}

/// Writes what came of tries, each only if nobody claimed the delivery since.
pub async fn update_tried(conn: &mut PgConnection, tried: &[Tried], now: Instant) -> Result<(), Fault> {
    let each = || tried.iter();
    let ids: Vec<Uuid> = each().map(|one| one.parcel.id.uuid()).collect();
    let attempts: Vec<i32> = each().map(|one| one.parcel.attempt).collect();
    let (states, nexts): (Vec<&str>, Vec<Instant>) =
        each().map(|one| one.next(now)).map(|(state, next)| (state.as_str(), next)).unzip();
    let statuses: Vec<Option<i16>> = each().map(|one| one.outcome.status()).collect();
    let answers: Vec<Option<&str>> = each().map(|one| one.outcome.answer()).collect();
    let errors: Vec<Option<&str>> = each().map(|one| one.outcome.error()).collect();
    sqlx::query!(
        "with mine as (
             select d.id, new.state, new.next_at, new.status, new.answer, new.error
             from webhook_deliveries d
             join unnest($1::uuid[], $2::int[], $3::text[], $4::timestamptz[], $5::smallint[], $6::text[], $7::text[])
                 as new (id, attempt, state, next_at, status, answer, error)
                 on new.id = d.id and new.attempt = d.attempt
             where d.state = 'waiting'
             order by d.endpoint, d.event_n for no key update of d
         )
         update webhook_deliveries set state = mine.state, next_at = mine.next_at, status = mine.status,
             answer = mine.answer, error = mine.error, tried_at = $8, lease_until = null
         from mine where webhook_deliveries.id = mine.id",
        &ids,
        &attempts,
        &states as _,
        &nexts as _,
        &statuses as _,
        &answers as _,
        &errors as _,
        now as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Deliveries of an endpoint, the youngest first; `before` continues a page.
pub async fn page_deliveries(
    conn: &mut PgConnection,
    endpoint: WebhookId,
    state: Option<DeliveryState>,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Delivery>, Fault> {
    let rows = sqlx::query!(
        r#"select d.id, coalesce(d.test, e.id) as "event!", e.position as "position?", e.type as "kind?", d.state,
                  d.attempt, d.queued_at, d.next_at, d.tried_at, d.status, d.answer, d.error
           from webhook_deliveries d left join events e on e.n = d.event_n
           where d.endpoint = $1 and ($2::text is null or d.state = $2) and ($3::uuid is null or d.id < $3)
             and (d.test is not null or e.n is not null)
           order by d.id desc limit $4"#,
        endpoint.uuid(),
        state.map(DeliveryState::as_str),
        before,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let id = DeliveryId::from_uuid(row.id);
            let state = DeliveryState::parse(&row.state);
            Ok(Delivery {
                id,
                event: EventId::from_uuid(row.event),
                position: row.position,
                kind: row.kind.unwrap_or_else(|| TEST_TYPE.to_owned()),
                state: state.ok_or_else(|| Fault::corrupt("webhook_deliveries", "state", id))?,
                attempts: row.attempt,
                queued_at: row.queued_at,
                next_at: row.next_at,
                tried_at: row.tried_at,
                status: row.status,
                answer: row.answer,
                error: row.error,
            })
        })
        .collect()
}
