use mizan_ledger::{Id, Instant};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::fault::Fault;
use crate::ids::{PortalId, WebhookId};
use crate::webhooks::model::{DisabledReason, Endpoint, EndpointState};

pub async fn insert(conn: &mut PgConnection, endpoint: &Endpoint) -> Result<(), Fault> {
    let (state, reason) = state_columns(endpoint.state);
    sqlx::query!(
        "insert into webhook_endpoints (id, portal, url, types, secrets_sealed, state, disabled_reason, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        endpoint.id.uuid(),
        endpoint.portal.uuid(),
        endpoint.url,
        &endpoint.types,
        &endpoint.secrets_sealed,
        state,
        reason,
        endpoint.created_at as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

struct EndpointRow {
    id: Uuid,
    portal: Uuid,
    url: String,
    types: Vec<String>,
    secrets_sealed: Vec<Vec<u8>>,
    state: String,
    disabled_reason: Option<String>,
    created_at: Instant,
    failing_since: Option<Instant>,
    paused_until: Option<Instant>,
}

impl TryFrom<EndpointRow> for Endpoint {
    type Error = Fault;

    fn try_from(row: EndpointRow) -> Result<Self, Fault> {
        let id = WebhookId::from_uuid(row.id);
        let state = match (row.state.as_str(), row.disabled_reason.as_deref()) {
            ("enabled", None) => EndpointState::Enabled,
            ("disabled", Some("asked")) => EndpointState::Disabled(DisabledReason::Asked),
            ("disabled", Some("failing")) => EndpointState::Disabled(DisabledReason::Failing),
            ("deleted", None) => EndpointState::Deleted,
            _ => return Err(Fault::corrupt("webhook_endpoints", "state", id)),
        };
        Ok(Self {
            id,
            portal: PortalId::from_uuid(row.portal),
            url: row.url,
            types: row.types,
            secrets_sealed: row.secrets_sealed,
            state,
            created_at: row.created_at,
            failing_since: row.failing_since,
            paused_until: row.paused_until,
        })
    }
}

fn state_columns(state: EndpointState) -> (&'static str, Option<&'static str>) {
    match state {
        EndpointState::Enabled => ("enabled", None),
        EndpointState::Disabled(reason) => ("disabled", Some(reason.as_str())),
        EndpointState::Deleted => ("deleted", None),
    }
}

/// The endpoints of a portal, oldest first.
pub async fn page(conn: &mut PgConnection, portal: PortalId) -> Result<Vec<Endpoint>, Fault> {
    let rows = sqlx::query_as!(
        EndpointRow,
        "select id, portal, url, types, secrets_sealed, state, disabled_reason, created_at, failing_since,
                paused_until
         from webhook_endpoints where portal = $1 and state <> 'deleted' order by id",
        portal.uuid(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Endpoint::try_from).collect()
}

/// One endpoint of a portal.
pub async fn find(
    conn: &mut PgConnection,
    portal: PortalId,
    id: WebhookId,
) -> Result<Option<Endpoint>, Fault> {
    let row = sqlx::query_as!(
        EndpointRow,
        "select id, portal, url, types, secrets_sealed, state, disabled_reason, created_at, failing_since,
                paused_until
         from webhook_endpoints where id = $1 and portal = $2 and state <> 'deleted'",
        id.uuid(),
        portal.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    row.map(Endpoint::try_from).transpose()
}

/// The endpoints of these portals to which events are to be sent.
pub async fn find_enabled(conn: &mut PgConnection, portals: &[Uuid]) -> Result<Vec<Endpoint>, Fault> {
    let rows = sqlx::query_as!(
        EndpointRow,
        "select id, portal, url, types, secrets_sealed, state, disabled_reason, created_at, failing_since,
                paused_until
         from webhook_endpoints where portal = any($1) and state = 'enabled' order by id",
        portals,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Endpoint::try_from).collect()
}

/// Locks endpoints in ascending order of their ids, one statement. Deleted ones are not among the answer.
pub async fn lock(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Endpoint>, Fault> {
    let rows = sqlx::query_as!(
        EndpointRow,
        "select id, portal, url, types, secrets_sealed, state, disabled_reason, created_at, failing_since,
                paused_until
         from webhook_endpoints where id = any($1) and state <> 'deleted' order by id for no key update",
        ids,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Endpoint::try_from).collect()
}

/// Writes what can change of a locked endpoint.
pub async fn update(conn: &mut PgConnection, endpoint: &Endpoint) -> Result<(), Fault> {
    let (state, reason) = state_columns(endpoint.state);
    sqlx::query!(
        "update webhook_endpoints set url = $2, types = $3, secrets_sealed = $4, state = $5, disabled_reason = $6,
             failing_since = $7, paused_until = $8
         where id = $1",
        endpoint.id.uuid(),
        endpoint.url,
        &endpoint.types,
        &endpoint.secrets_sealed,
        state,
        reason,
        endpoint.failing_since as _,
        endpoint.paused_until as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}
