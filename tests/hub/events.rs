//! The feed: complete, in order, without gaps, whatever commits when.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU16;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mizan::access::service::{NewPortal, add_key, create_portal};
use mizan::access::{NewKey, Owner, Scope};
use mizan::app::App;
use mizan::client::Client;
use mizan::config::Config;
use mizan::entropy::Entropy;
use mizan::events::{NewEvent, publisher, store};
use mizan::http::signature::SigningKey;
use mizan::ids::PortalId;
use mizan::start;
use mizan::tx::{Actor, Tx};
use serde_json::{Value, json};
use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgPool, PgPoolOptions};

use crate::world::World;

/// Another portal, with every scope of portals.
pub async fn other_portal(world: &World) -> (PortalId, Client) {
    let app = &world.app;
    let actor = Actor::hub("test");
    let new = NewPortal {
        code: "other-portal".to_owned(),
        name_ar: "بوابة أخرى (مثال)".to_owned(),
        name_en: "Other portal (example)".to_owned(),
        return_url_prefixes: Vec::new(),
    };
    let portal = app.run(&actor, &new, |tx, new| Box::pin(create_portal(tx, new))).await.unwrap();
    let signing = SigningKey::hmac_sha256(app.hub.entropy.bytes::<32>().to_vec()).unwrap();
    let key = NewKey {
        key_id: "test_other".to_owned(),
        owner: Owner::Portal(portal),
        material: signing.verify_key(),
        scopes: Scope::of_portal(),
        created_at: app.clock.now(),
    };
    app.run(&actor, &key, |tx, key| Box::pin(add_key(tx, key))).await.unwrap();
    let client = Client::new(&world.base, "test_other", signing, app.clock.clone(), app.hub.entropy.clone());
    (portal, client)
}

/// The same hub on the same database with other settings.
async fn hub_with(world: &World, change: impl FnOnce(&mut Config)) -> App {
    let mut config = world.app.hub.config.clone();
    change(&mut config);
    let url = world.db().app_options().to_url_lossy().to_string();
    start::app(config, &url, Arc::new(world.clock.clone()), Entropy::seeded(8)).await.unwrap()
}

pub fn event(portal: PortalId, object: &str, version: i32) -> NewEvent {
    NewEvent {
        portal,
        kind: "payment_intent.opened",
        object: object.to_owned(),
        object_version: version,
        body: json!({ "id": object }).to_string(),
    }
}

/// Emits and publishes `count` events about objects `e1`, `e2`, ...
pub async fn publish(app: &App, portal: PortalId, count: usize) {
    let mut tx = app.begin(Actor::hub("test")).await.unwrap();
    for number in 1..=count {
        tx.emit(event(portal, &format!("e{number}"), 1));
    }
    app.commit(tx).await.unwrap();
    while publisher::publish_once(app).await.unwrap() > 0 {}
}

const WRITERS: u64 = 12;
const TRANSACTIONS: u64 = 20;

/// Writes events and commits late, or not at all. Answers what was committed, per portal.
async fn write(app: App, pool: PgPool, portals: [PortalId; 2], writer: u64) -> BTreeMap<PortalId, usize> {
    let random = Entropy::seeded(1_000 + writer);
    let mut committed = BTreeMap::new();
    let mut versions = BTreeMap::new();
    for _ in 0..TRANSACTIONS {
        let [choice, events, delay, fate] = random.bytes::<4>();
        let portal = portals[usize::from(choice % 2)];
        let mut tx = Tx::begin(&app.hub, &pool, app.clock.now(), Actor::hub("test")).await.unwrap();
        let version: &mut i32 = versions.entry(portal).or_default();
        let new: Vec<NewEvent> = (1..=i32::from(events % 3) + 1)
            .map(|step| event(portal, &format!("w{writer}"), *version + step))
            .collect();
        let entropy = app.hub.entropy.clone();
        store::insert(tx.conn(), &entropy, app.clock.now(), &new).await.unwrap();
        tokio::time::sleep(Duration::from_micros(u64::from(delay) * 60)).await;
        if fate < 32 {
            tx.rollback().await.unwrap();
            continue;
        }
        app.commit(tx).await.unwrap();
        *version += i32::try_from(new.len()).unwrap();
        *committed.entry(portal).or_default() += new.len();
    }
    committed
}

async fn publish_until(app: App, written: Arc<AtomicBool>) {
    loop {
        let last = written.load(Ordering::SeqCst);
        let published = publisher::publish_once(&app).await.unwrap();
        if last && published == 0 {
            return;
        }
        tokio::task::yield_now().await;
    }
}

/// Follows a feed by its positions until it ends.
async fn poll(client: Client, limit: usize, published: Arc<AtomicBool>) -> Vec<Value> {
    let (mut seen, mut after) = (Vec::new(), 0);
    loop {
        let last = published.load(Ordering::SeqCst);
        let reply = client.get(&format!("/v1/events?after={after}&limit={limit}")).await.unwrap();
        assert_eq!(reply.status, 200, "{}", reply.json);
        let data = reply.json["data"].as_array().unwrap();
        seen.extend(data.iter().cloned());
        after = reply.json["next_after"].as_i64().unwrap();
        if last && data.is_empty() {
            return seen;
        }
    }
}

/// A cursor on an id or a clock misses what commits late; a position is given to what is committed only.
#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::disallowed_methods, reason = "writers, publishers and pollers of the test run at once")]
async fn pollers_see_each_event_once_though_commits_come_late() {
    let world = World::new().await;
    let (other, other_client) = other_portal(&world).await;
    let portals = [world.people.portal, other];
    let pool = PgPoolOptions::new().max_connections(16).connect_with(world.db().app_options()).await.unwrap();
    let (written, published) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| tokio::spawn(write(world.app.clone(), pool.clone(), portals, writer)))
        .collect();
    let publishers: Vec<_> =
        (0..2).map(|_| tokio::spawn(publish_until(world.app.clone(), written.clone()))).collect();
    let clients = [world.portal().clone(), world.portal().clone(), other_client];
    let pollers: Vec<_> = clients
        .into_iter()
        .zip([1, 7, 50])
        .map(|(client, limit)| tokio::spawn(poll(client, limit, published.clone())))
        .collect();

    let mut committed: BTreeMap<PortalId, usize> = BTreeMap::new();
    for writer in writers {
        for (portal, count) in writer.await.unwrap() {
            *committed.entry(portal).or_default() += count;
        }
    }
    written.store(true, Ordering::SeqCst);
    for publisher in publishers {
        publisher.await.unwrap();
    }
    published.store(true, Ordering::SeqCst);
    for (poller, portal) in pollers.into_iter().zip([portals[0], portals[0], portals[1]]) {
        holds(&poller.await.unwrap(), committed[&portal]);
    }
}

/// Dense from 1, nothing twice, nothing missing, each object's versions in order.
fn holds(seen: &[Value], count: usize) {
    assert_eq!(seen.len(), count);
    let ids: BTreeSet<&str> = seen.iter().map(|event| event["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), count);
    let mut versions: BTreeMap<&str, i64> = BTreeMap::new();
    for (place, event) in seen.iter().enumerate() {
        assert_eq!(event["position"].as_u64(), Some(place as u64 + 1));
        let version = versions.entry(event["data"]["id"].as_str().unwrap()).or_default();
        *version += 1;
        assert_eq!(event["data"]["version"], *version, "{event}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publisher_without_the_turn_does_nothing() {
    let world = World::new().await;
    let mut tx = world.app.begin(Actor::hub("test")).await.unwrap();
    tx.emit(event(world.people.portal, "e1", 1));
    world.app.commit(tx).await.unwrap();

    let mut holder = world.app.begin(Actor::hub("another-publisher")).await.unwrap();
    assert!(store::try_turn(holder.conn()).await.unwrap());
    assert_eq!(publisher::publish_once(&world.app).await.unwrap(), 0);
    assert_eq!(world.get("/v1/events").await.json["data"], json!([]));
    holder.rollback().await.unwrap();
    assert_eq!(publisher::publish_once(&world.app).await.unwrap(), 1);
    assert_eq!(publisher::publish_once(&world.app).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_feed_tells_the_story_of_a_payment() {
    let world = World::new().await;
    let intent = world.intent("CASE-1").await;
    world.pay_by_card(&intent).await;
    while publisher::publish_once(&world.app).await.unwrap() > 0 {}

    let feed = world.get("/v1/events").await.json;
    let events = feed["data"].as_array().unwrap();
    let types: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(types.first(), Some(&"payment_intent.opened"));
    assert!(types.contains(&"payment_intent.paid"), "{types:?}");
    assert_eq!(feed["has_more"], false);
    assert_eq!(feed["next_after"], events.len());
    let mut version = 0;
    for event in events.iter().filter(|event| event["data"]["id"] == intent["id"]) {
        assert!(event["id"].as_str().unwrap().starts_with("evt_"));
        assert_eq!(event["live"], false);
        assert!(event["created_at"].is_string());
        assert!(event["data"]["version"].as_i64().unwrap() > version, "{event}");
        version = event["data"]["version"].as_i64().unwrap();
    }
    assert_eq!(version, world.find_intent(intent["id"].as_str().unwrap()).await["version"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_is_read_in_stretches() {
    let world = World::new().await;
    publish(&world.app, world.people.portal, 5).await;
    let first = world.get("/v1/events?limit=3").await.json;
    assert_eq!((first["data"].as_array().unwrap().len(), &first["has_more"]), (3, &json!(true)));
    assert_eq!(first["next_after"], 3);
    let rest = world.get("/v1/events?after=3&limit=3").await.json;
    assert_eq!(rest["data"][0]["position"], 4);
    assert_eq!((&rest["next_after"], &rest["has_more"]), (&json!(5), &json!(false)));
    let end = world.get("/v1/events?after=5").await.json;
    assert_eq!(end, json!({ "data": [], "next_after": 5, "has_more": false }));
}

#[tokio::test(flavor = "multi_thread")]
async fn positions_that_never_were_are_refused() {
    let world = World::new().await;
    publish(&world.app, world.people.portal, 2).await;
    for after in ["3", "-1", "9223372036854775807", "two"] {
        let refused = world.get(&format!("/v1/events?after={after}")).await;
        assert_eq!((refused.status, &refused.json["code"]), (400, &json!("query_invalid")), "{after}");
    }
    let refused = world.get("/v1/events?before=1").await;
    assert_eq!(refused.json["code"], "query_invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_belongs_to_its_portal() {
    let world = World::new().await;
    let (other, other_client) = other_portal(&world).await;
    publish(&world.app, world.people.portal, 2).await;
    publish(&world.app, other, 1).await;
    let theirs = other_client.get("/v1/events").await.unwrap().json;
    assert_eq!(theirs["data"].as_array().unwrap().len(), 1);
    assert_eq!(theirs["data"][0]["position"], 1);
    let staff = world.people.reconciler.client.get("/v1/events").await.unwrap();
    assert_eq!((staff.status, &staff.json["code"]), (403, &json!("forbidden_scope")));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_after_the_events_are_gone_is_told_so() {
    let world = World::new().await;
    let portal = world.people.portal;
    let pruning = hub_with(&world, |config| config.events_kept_days = NonZeroU16::new(30)).await;
    publish(&world.app, portal, 3).await;
    world.clock.advance(jiff::SignedDuration::from_hours(24 * 20));
    publish(&world.app, portal, 2).await;
    assert_eq!(publisher::prune_once(&pruning).await.unwrap(), 0, "all are young enough");
    world.clock.advance(jiff::SignedDuration::from_hours(24 * 11));
    assert_eq!(publisher::prune_once(&world.app).await.unwrap(), 0, "kept for ever");
    assert_eq!(publisher::prune_once(&pruning).await.unwrap(), 3);
    assert_eq!(publisher::prune_once(&pruning).await.unwrap(), 0);

    let gone = world.get("/v1/events?after=1").await;
    assert_eq!((gone.status, &gone.json["code"]), (410, &json!("events_gone")));
    assert_eq!(gone.json["after"], 3);
    let kept = world.get("/v1/events?after=3").await.json;
    assert_eq!(kept["data"].as_array().unwrap().len(), 2);
    assert_eq!(world.get("/v1/events").await.json, kept, "without a position: from the oldest kept");
    world.clock.advance(jiff::SignedDuration::from_hours(24 * 60));
    assert_eq!(publisher::prune_once(&pruning).await.unwrap(), 2);
    publish(&world.app, portal, 1).await;
    assert_eq!(world.get("/v1/events?after=5").await.json["data"][0]["position"], 6);
}
