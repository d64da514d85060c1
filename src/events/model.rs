use mizan_ledger::Instant;
use serde::Serialize;
use serde_json::Value;

use crate::ids::{EventId, PortalId};

/// Every type an event may have (design: a closed list). Portals filter their webhooks by them.
pub const TYPES: &[&str] = &[
    "dispute.lost",
    "dispute.opened",
    "dispute.won",
    "fee_version.approved",
    "fulfilment.delivered",
    "fulfilment.overdue",
    "fulfilment.rejected",
    "payment_intent.attempt_failed",
    "payment_intent.canceled",
    "payment_intent.expired",
    "payment_intent.money_late",
    "payment_intent.opened",
    "payment_intent.paid",
    "payment_intent.partially_paid",
    "payment_intent.processing",
    "payment_intent.reversed",
    "payout.released",
    "payout.returned",
    "payout.seen",
    "receipt.credited",
    "receipt.issued",
    "refund.approved",
    "refund.canceled",
    "refund.failed",
    "refund.refused",
    "refund.requested",
    "refund.returned",
    "refund.submitted",
    "refund.succeeded",
];

pub fn is_type(text: &str) -> bool {
    TYPES.binary_search(&text).is_ok()
}

/// A fact of the past with the full resource as of then.
#[derive(Debug, Clone)]
pub struct NewEvent {
    pub portal: PortalId,
    /// One of [`TYPES`].
    pub kind: &'static str,
    /// The resource's id.
    pub object: String,
    /// Grows with every change of the object: an older version never overwrites a newer.
    pub object_version: i32,
    /// The resource as JSON text.
    pub body: String,
}

/// An event just given its position, or found by it: enough to decide who hears of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    pub n: i64,
    pub portal: PortalId,
    pub kind: String,
    pub position: i64,
}

/// An event of the feed.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub n: i64,
    pub id: EventId,
    pub position: i64,
    pub kind: String,
    pub object_version: i32,
    pub body: Value,
    pub created_at: Instant,
}

/// An event as portals get it, from the feed and by webhook alike.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(as = Event)]
pub struct EventView {
    pub id: EventId,
    /// The place in the portal's feed, without gaps from 1; null for a webhook's test, which is no event.
    pub position: Option<i64>,
    #[serde(rename = "type")]
    pub kind: String,
    pub live: bool,
    pub created_at: Instant,
    /// The resource as of then, with its `version`.
    pub data: Value,
}

impl EventView {
    pub fn new(event: Event, live: bool) -> Self {
        let mut data = event.body;
        if let Value::Object(members) = &mut data {
            members.insert("version".to_owned(), event.object_version.into());
        }
        Self {
            id: event.id,
            position: Some(event.position),
            kind: event.kind,
            live,
            created_at: event.created_at,
            data,
        }
    }
}

#[cfg(test)]
mod tests {
    use mizan_ledger::Id as _;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn types_are_sorted_and_stand_once() {
        assert!(TYPES.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(TYPES.iter().all(|kind| is_type(kind)));
        assert!(!is_type("payment_intent.exploded"));
        assert!(!is_type(""));
    }

    #[test]
    fn the_envelope_carries_the_resource_with_its_version() {
        let event = Event {
            n: 9,
            id: EventId::from_uuid(Uuid::nil()),
            position: 3,
            kind: "payment_intent.paid".to_owned(),
            object_version: 2,
            body: json!({"id": "pi_1", "state": "paid"}),
            created_at: "2026-11-22T08:00:00Z".parse().unwrap(),
        };
        assert_eq!(
            serde_json::to_value(EventView::new(event, false)).unwrap(),
            json!({
                "id": "evt_00000000000000000000000000000000",
                "position": 3,
                "type": "payment_intent.paid",
                "live": false,
                "created_at": "2026-11-22T08:00:00Z",
                "data": {"id": "pi_1", "state": "paid", "version": 2},
            })
        );
    }
}
