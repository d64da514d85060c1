//! Webhook endpoints and their deliveries as portals see them, and what portals send.

use mizan_ledger::Instant;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::delivery::{Delivery, DeliveryState};
use super::model::{Endpoint, EndpointState};
use crate::ids::{DeliveryId, EventId, WebhookId};
use crate::tx::Hub;

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookEndpoint)]
pub struct EndpointView {
    pub id: WebhookId,
    pub live: bool,
    pub url: String,
    /// None means all.
    pub types: Vec<String>,
    pub state: &'static str,
    pub disabled_reason: Option<&'static str>,
    pub created_at: Instant,
    pub failing_since: Option<Instant>,
    /// How many sign: two during rotation.
    pub secrets: usize,
    /// Only in the first answer to the call that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

impl EndpointView {
    pub fn new(endpoint: &Endpoint, hub: &Hub) -> Self {
        let (state, disabled_reason) = match endpoint.state {
            EndpointState::Enabled => ("enabled", None),
            EndpointState::Disabled(reason) => ("disabled", Some(reason.as_str())),
            EndpointState::Deleted => ("deleted", None),
        };
        Self {
            id: endpoint.id,
            live: hub.config.mode.is_live(),
            url: endpoint.url.clone(),
            types: endpoint.types.clone(),
            state,
            disabled_reason,
            created_at: endpoint.created_at,
            failing_since: endpoint.failing_since,
            secrets: endpoint.secrets_sealed.len(),
            secret: None,
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewWebhookEndpoint)]
pub struct OpenBody {
    pub url: String,
    #[serde(default)]
    pub types: Vec<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WebhookChange)]
pub struct ChangeBody {
    pub url: Option<String>,
    pub types: Option<Vec<String>>,
    pub state: Option<StateBody>,
    pub secrets: Option<SecretsBody>,
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = WebhookState)]
pub enum StateBody {
    Enabled,
    Disabled,
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = WebhookSecretsChange)]
pub enum SecretsBody {
    Rotate,
    DropOld,
}

/// The message that was queued; `/deliveries` tells what became of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookTest)]
pub struct TestView {
    pub id: DeliveryId,
    pub event: EventId,
    #[serde(rename = "type")]
    pub kind: &'static str,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WebhookReplay)]
pub struct ReplayBody {
    pub after: i64,
    pub until: Option<i64>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookReplayed)]
pub struct ReplayView {
    pub queued: usize,
    pub next_after: Option<i64>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookDelivery)]
pub struct DeliveryView {
    pub id: DeliveryId,
    pub event: EventId,
    pub position: Option<i64>,
    #[serde(rename = "type")]
    pub kind: String,
    pub state: &'static str,
    pub attempts: i32,
    pub queued_at: Instant,
    /// Of the last try.
    pub tried_at: Option<Instant>,
    /// While it waits.
    pub next_at: Option<Instant>,
    pub status: Option<i16>,
    /// The first 1,024 bytes of the last answer.
    pub answer: Option<String>,
    /// Why there was none.
    pub error: Option<String>,
}

impl From<Delivery> for DeliveryView {
    fn from(delivery: Delivery) -> Self {
        Self {
            id: delivery.id,
            event: delivery.event,
            position: delivery.position,
            kind: delivery.kind,
            state: delivery.state.as_str(),
            attempts: delivery.attempts,
            queued_at: delivery.queued_at,
            tried_at: delivery.tried_at,
            next_at: Some(delivery.next_at).filter(|_| delivery.state == DeliveryState::Waiting),
            status: delivery.status,
            answer: delivery.answer,
            error: delivery.error,
        }
    }
}
