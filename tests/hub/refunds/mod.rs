//! Money given back: by two people, once, and never more than was paid.

pub mod bank;
mod chargebacks;
mod crossed;
mod gateway;
mod requests;
mod resent;
mod reversed;
mod strays;
mod told;

use mizan::books::{Place, Returned, Slug, Voucher};
use mizan::ids::RefundId;
use mizan::refunds::service::{Left, Settled, came_back, lock, settle};
use mizan::refunds::{self, RefundError};
use mizan::tx::Actor;
use mizan_ledger::{Currency, EntryId, Money};
use serde_json::{Value, json};

use crate::world::World;

/// A lost passport, urgent: 210.00 and 105.00 until delivered, 100.00 and the 10.38 of the hub never given back (EXAMPLE tariff). Paid by card.
pub async fn paid_passport(world: &World, reference: &str) -> Value {
    let body = json!({
        "currency": "ILS",
        "lines": [{ "service": "interior/passport", "inputs": { "reason": "lost", "urgent": true } }],
        "external_reference": reference,
    });
    let reply = world.portal().post("/v1/payment-intents", &body).await.unwrap();
    assert_eq!(reply.status, 201, "{}", reply.json);
    world.pay_by_card(&reply.json).await;
    world.find_intent(reply.json["id"].as_str().unwrap()).await
}

pub fn ils(amount: &str) -> Value {
    json!({ "amount": amount, "currency": "ILS" })
}

/// A refund of an amount, asked for by the portal.
pub async fn requested(world: &World, intent: &Value, amount: &str) -> Value {
    let body = json!({
        "source": intent["id"], "amount": ils(amount), "reason": "the application was withdrawn",
        "refundable": intent["refundable"],
    });
    let reply = world.portal().post("/v1/refunds", &body).await.unwrap();
    assert_eq!(reply.status, 201, "{}", reply.json);
    reply.json
}

pub fn id(value: &Value) -> &str {
    value["id"].as_str().unwrap()
}

pub async fn approve(world: &World, refund: &Value) -> Value {
    let path = format!("/v1/finance/refunds/{}/approve", id(refund));
    let reply = world.people.approver.client.post(&path, &json!({ "note": "seen" })).await.unwrap();
    assert_eq!(reply.status, 200, "{}", reply.json);
    reply.json
}

/// A passport paid by card, and a refund of an amount of it that two people agree on.
pub async fn agreed(world: &World, amount: &str) -> (Value, Value) {
    let intent = paid_passport(world, "CASE-1").await;
    let refund = requested(world, &intent, amount).await;
    approve(world, &refund).await;
    (intent, refund)
}

pub async fn work(world: &World) -> usize {
    refunds::jobs::work_once(&world.app).await.unwrap()
}

/// As staff see it.
pub async fn staff_view(world: &World, refund: &Value) -> Value {
    let path = format!("/v1/finance/refunds/{}", id(refund));
    world.people.approver.client.get(&path).await.unwrap().json
}

pub async fn seen_by_portal(world: &World, refund: &Value) -> Value {
    world.get(&format!("/v1/refunds/{}", id(refund))).await.json
}

pub fn voucher(world: &World, source_ref: &str) -> Voucher {
    Voucher {
        id: world.app.hub.entropy.id::<EntryId>(world.app.clock.now()),
        effective_on: crate::world::today(),
        actor: "hub:test".to_owned(),
        source_ref: source_ref.to_owned(),
        meta: serde_json::Map::new(),
    }
}

/// What reconciliation does when the gateway's settlement shows the refund.
pub async fn netted(world: &World, refund: &Value) -> Result<(), RefundError> {
    seen(world, refund, Settled::Netted { channel: "card".parse().unwrap() }).await
}

/// What reconciliation does when a settlement or statement shows the refund.
pub async fn seen(world: &World, refund: &Value, how: Settled) -> Result<(), RefundError> {
    let id: RefundId = id(refund).parse().unwrap();
    let input = (id, how, voucher(world, id.to_string().as_str()));
    world
        .app
        .run(&Actor::hub("test"), &input, |tx, (id, how, voucher)| {
            Box::pin(async move {
                lock(tx, &[*id]).await?;
                let left = Left { refund: *id, how: how.clone(), voucher: voucher.clone() };
                let entries = settle(tx, vec![left]).await?;
                Ok::<_, RefundError>(tx.post_all(&entries).await?)
            })
        })
        .await
}

/// What reconciliation does when a statement shows that the whole of a refund came back.
pub async fn returned(world: &World, refund: &Value, minor: i64) {
    let account: Slug = "main-ils".parse().unwrap();
    let returned = Returned {
        place: Place::Bank { account: account.clone() },
        arrived: Money::new(minor, Currency::ILS),
        kept: Money::zero(Currency::ILS),
        kept_by: account,
    };
    let input = (id(refund).parse().unwrap(), returned, voucher(world, id(refund)));
    let actor = Actor::hub("test");
    let booked = world.app.run(&actor, &input, |tx, (id, returned, voucher)| {
        Box::pin(async move {
            let entry = came_back(tx, *id, returned, voucher.clone()).await?;
            Ok::<_, RefundError>(tx.post_all(&[entry]).await?)
        })
    });
    booked.await.unwrap();
}

/// Lets the workers go on until the outside has what they sent and stays silent; then they are killed.
pub async fn killed_when(world: &World, path: &[&str], count: usize) {
    let arrived = async {
        loop {
            let url = format!("{}/control/state", world.bank.url());
            let state: Value = world.http.get(url).send().await.unwrap().json().await.unwrap();
            let things = path.iter().fold(&state, |value, name| &value[*name]);
            let found = things
                .as_object()
                .map_or_else(|| things.as_array().map_or(0, Vec::len), serde_json::Map::len);
            if found == count {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        _ = work(world) => panic!("the outside answered"),
        () = arrived => {}
    }
}

pub fn advance(world: &World, seconds: i64) {
    world.clock.set(mizan_ledger::Clock::now(&world.clock).plus_seconds(seconds));
}
