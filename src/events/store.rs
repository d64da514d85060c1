use mizan_ledger::{Id, Instant};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::NewEvent;
use crate::entropy::Entropy;
use crate::fault::Fault;
use crate::ids::EventId;

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
    let ids: Vec<Uuid> = events.iter().map(|_| entropy.id::<EventId>(now).uuid()).collect();
    let portals: Vec<Uuid> = events.iter().map(|event| event.portal.uuid()).collect();
    let kinds: Vec<&str> = events.iter().map(|event| event.kind).collect();
    let objects: Vec<&str> = events.iter().map(|event| event.object.as_str()).collect();
    let versions: Vec<i32> = events.iter().map(|event| event.object_version).collect();
    let bodies: Vec<&Value> = events.iter().map(|event| &event.body).collect();
    sqlx::query!(
        "insert into events (id, portal, type, object, object_version, body, created_at)
         select id, portal, type, object, version, body, $7
         from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::int[], $6::jsonb[])
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
