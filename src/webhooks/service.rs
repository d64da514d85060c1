use std::collections::{BTreeMap, BTreeSet};

use mizan_ledger::Id as _;
use serde_json::json;
use uuid::Uuid;

use super::delivery::{Contents, Parcel, Subject, TEST_TYPE, Tried};
use super::model::{DisabledReason, ENDPOINTS_MAX, Endpoint, EndpointState, Lesson, WebhookError};
use super::signing::WebhookSecret;
use super::store::{self, Claimed, NewDeliveries, Room};
use crate::events::{self, Event, EventView, Published};
use crate::fault::Fault;
use crate::ids::{DeliveryId, EventId, PortalId, WebhookId};
use crate::tx::{Hub, Tx};

/// The most events that one replay queues; the answer says where the next one goes on.
const REPLAY_MAX: i64 = 5_000;

#[derive(Debug)]
pub struct NewEndpoint {
    pub portal: PortalId,
    pub url: String,
    pub types: Vec<String>,
    pub secret: WebhookSecret,
}

pub async fn open(tx: &mut Tx, new: &NewEndpoint) -> Result<Endpoint, WebhookError> {
    // Two at once may both see the last place free: the limit is there to bound the work, not to the unit.
    if store::page(tx.conn(), new.portal).await?.len() >= ENDPOINTS_MAX {
        return Err(WebhookError::TooManyEndpoints);
    }
    let endpoint = Endpoint {
        id: tx.id(),
        portal: new.portal,
        url: new.url.clone(),
        types: new.types.clone(),
        secrets_sealed: vec![seal(tx, &new.secret)?],
        state: EndpointState::Enabled,
        created_at: tx.now(),
        failing_since: None,
        paused_until: None,
    };
    store::insert(tx.conn(), &endpoint).await?;
    tx.audit(
        "webhook_endpoint.created",
        endpoint.id,
        json!({ "url": endpoint.url, "types": endpoint.types }),
    );
    Ok(endpoint)
}

fn seal(tx: &Tx, secret: &WebhookSecret) -> Result<Vec<u8>, Fault> {
    tx.hub().keys.seal(&tx.hub().entropy, secret.expose())
}

/// What a portal wants changed; the rest stays.
#[derive(Debug)]
pub struct Change {
    pub portal: PortalId,
    pub id: WebhookId,
    pub url: Option<String>,
    pub types: Option<Vec<String>>,
    pub state: Option<EndpointState>,
    pub secrets: Option<SecretsChange>,
}

#[derive(Debug)]
pub enum SecretsChange {
    /// The new one signs beside the old one from now on.
    Rotate(WebhookSecret),
    DropOld,
}

pub async fn change(tx: &mut Tx, change: &Change) -> Result<Endpoint, WebhookError> {
    let mut endpoint = lock(tx, change.portal, change.id).await?;
    if let Some(url) = &change.url {
        endpoint.url.clone_from(url);
    }
    if let Some(types) = &change.types {
        endpoint.types.clone_from(types);
    }
    match change.state {
        Some(EndpointState::Enabled) => endpoint.enable(),
        Some(state) => endpoint.state = state,
        None => {}
    }
    match &change.secrets {
        Some(SecretsChange::Rotate(_)) if endpoint.secrets_sealed.len() > 1 => {
            return Err(WebhookError::TwoSecrets);
        }
        Some(SecretsChange::Rotate(secret)) => endpoint.secrets_sealed.insert(0, seal(tx, secret)?),
        Some(SecretsChange::DropOld) => endpoint.secrets_sealed.truncate(1),
        None => {}
    }
    store::update(tx.conn(), &endpoint).await?;
    tx.audit(
        "webhook_endpoint.changed",
        endpoint.id,
        json!({
            "url": change.url,
            "types": change.types,
            "enabled": change.state.map(|state| state == EndpointState::Enabled),
            "secrets": endpoint.secrets_sealed.len(),
        }),
    );
    Ok(endpoint)
}

async fn lock(tx: &mut Tx, portal: PortalId, id: WebhookId) -> Result<Endpoint, WebhookError> {
    let endpoint = store::lock(tx.conn(), &[id.uuid()]).await?.pop();
    endpoint.filter(|endpoint| endpoint.portal == portal).ok_or(WebhookError::NotFound)
}

/// Forgets an endpoint and its secrets; the record of its deliveries stays, and those that wait have ended.
pub async fn delete(tx: &mut Tx, (portal, id): &(PortalId, WebhookId)) -> Result<Endpoint, WebhookError> {
    let mut endpoint = lock(tx, *portal, *id).await?;
    endpoint.state = EndpointState::Deleted;
    endpoint.secrets_sealed.clear();
    store::update(tx.conn(), &endpoint).await?;
    store::update_waiting_ended(tx.conn(), endpoint.id, "the endpoint was deleted").await?;
    tx.audit("webhook_endpoint.deleted", endpoint.id, json!({ "url": endpoint.url }));
    Ok(endpoint)
}

/// Queues a message that is no event, to be tried once, whether the endpoint is enabled or not.
pub async fn test(
    tx: &mut Tx,
    (portal, id): &(PortalId, WebhookId),
) -> Result<(DeliveryId, EventId), WebhookError> {
    let endpoint = lock(tx, *portal, *id).await?;
    let (delivery, message, now) = (tx.id(), tx.id(), tx.now());
    store::insert_test(tx.conn(), delivery, endpoint.id, message, now).await?;
    Ok((delivery, message))
}

/// Which stretch of the feed is sent again.
#[derive(Debug)]
pub struct Replay {
    pub portal: PortalId,
    pub id: WebhookId,
    /// The events behind this position.
    pub after: i64,
    /// Up to this one; without it, all that are there.
    pub until: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replayed {
    pub queued: usize,
    /// Where the next call goes on, if the stretch was longer than one call queues.
    pub next_after: Option<i64>,
}

/// Queues a stretch of the feed once more, whatever became of it before.
pub async fn replay(tx: &mut Tx, replay: &Replay) -> Result<Replayed, WebhookError> {
    let endpoint = lock(tx, replay.portal, replay.id).await?;
    let reach = events::store::find_reach(tx.conn(), replay.portal).await?;
    if replay.after < reach.pruned {
        return Err(WebhookError::EventsGone { pruned: reach.pruned });
    }
    let until = replay.until.unwrap_or(reach.last).min(reach.last);
    let stretch =
        events::store::page_published(tx.conn(), replay.portal, replay.after, until, REPLAY_MAX).await?;
    let reached = stretch.last().map_or(until, |last| last.position);
    let queued = queue_to(tx, std::slice::from_ref(&endpoint), &stretch).await?;
    let next_after = (reached < until).then_some(reached);
    tx.audit(
        "webhook_endpoint.replayed",
        endpoint.id,
        json!({ "after": replay.after, "until": reached, "queued": queued }),
    );
    Ok(Replayed { queued, next_after })
}

/// Queues what was just published for every endpoint that wants it. Answers how many deliveries that are.
pub async fn queue(tx: &mut Tx, published: &[Published]) -> Result<usize, Fault> {
    let portals: BTreeSet<Uuid> = published.iter().map(|event| event.portal.uuid()).collect();
    let portals: Vec<Uuid> = portals.into_iter().collect();
    let endpoints = store::find_enabled(tx.conn(), &portals).await?;
    queue_to(tx, &endpoints, published).await
}

async fn queue_to(tx: &mut Tx, endpoints: &[Endpoint], published: &[Published]) -> Result<usize, Fault> {
    let mut new = NewDeliveries::default();
    for endpoint in endpoints {
        let wanted =
            published.iter().filter(|event| event.portal == endpoint.portal && endpoint.wants(&event.kind));
        for event in wanted {
            new.ids.push(tx.id::<DeliveryId>().uuid());
            new.endpoints.push(endpoint.id.uuid());
            new.events.push(event.n);
        }
    }
    let now = tx.now();
    store::insert_deliveries(tx.conn(), &new, now).await?;
    Ok(new.ids.len())
}

/// Takes due deliveries for this worker and packs what is to be sent.
pub async fn claim(tx: &mut Tx, room: &Room) -> Result<Vec<Parcel>, Fault> {
    let now = tx.now();
    let claimed = store::claim(tx.conn(), now, *room).await?;
    let numbers: Vec<i64> = claimed
        .iter()
        .filter_map(|one| match one.parcel.subject {
            Subject::Event(n) => Some(n),
            Subject::Test(_) => None,
        })
        .collect();
    let found = events::store::find(tx.conn(), &numbers).await?;
    let found: BTreeMap<i64, Event> = found.into_iter().map(|event| (event.n, event)).collect();
    let hub = tx.hub().clone();
    claimed
        .into_iter()
        .map(|one| {
            let contents = pack(&hub, &one, &found)?;
            Ok(Parcel { contents, ..one.parcel })
        })
        .collect()
}

fn pack(hub: &Hub, one: &Claimed, found: &BTreeMap<i64, Event>) -> Result<Contents, Fault> {
    let live = hub.config.mode.is_live();
    let view = match one.parcel.subject {
        Subject::Event(n) => match found.get(&n) {
            Some(event) => EventView::new(event.clone(), live),
            None => return Ok(Contents::Missing("the event is no longer kept")),
        },
        Subject::Test(id) => EventView {
            id,
            position: None,
            kind: TEST_TYPE.to_owned(),
            live,
            created_at: one.parcel.queued_at,
            data: json!({ "id": one.parcel.endpoint, "portal": one.portal, "url": one.parcel.url }),
        },
    };
    let secrets: Option<Vec<WebhookSecret>> = one
        .secrets_sealed
        .iter()
        .map(|sealed| WebhookSecret::from_bytes(hub.keys.unseal(sealed).ok()?).ok())
        .collect();
    Ok(match secrets {
        Some(secrets) => Contents::Signed { id: view.id, body: serde_json::to_vec(&view)?, secrets },
        None => Contents::Missing("the endpoint's secrets do not open with the hub's master key"),
    })
}

/// Writes down what came of tries, and what they teach about their endpoints. Endpoints that are sound and stay
/// sound are neither locked nor written.
pub async fn record(tx: &mut Tx, tried: &[Tried]) -> Result<(), Fault> {
    let now = tx.now();
    let touched: BTreeSet<Uuid> = tried
        .iter()
        .filter(|one| one.parcel.probe || !one.outcome.is_success())
        .map(|one| one.parcel.endpoint.uuid())
        .collect();
    let touched: Vec<Uuid> = touched.into_iter().collect();
    for mut endpoint in store::lock(tx.conn(), &touched).await? {
        let id = endpoint.id;
        let lessons: Vec<Lesson> = tried
            .iter()
            .filter(|one| one.parcel.endpoint == id)
            .map(|one| endpoint.learn(one, now))
            .collect();
        if lessons.contains(&Lesson::Disabled) {
            let why = DisabledReason::Failing.as_str();
            tracing::warn!(endpoint = %endpoint.id, portal = %endpoint.portal, "a webhook endpoint is disabled: {why}");
            tx.audit(
                "webhook_endpoint.disabled",
                endpoint.id,
                json!({ "reason": why, "failing_since": endpoint.failing_since }),
            );
        }
        if lessons.iter().any(|lesson| *lesson != Lesson::Nothing) {
            store::update(tx.conn(), &endpoint).await?;
        }
    }
    store::update_tried(tx.conn(), tried, now).await
}
