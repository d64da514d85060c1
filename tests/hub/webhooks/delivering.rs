//! From the feed to a portal's server.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use mizan::events::publisher;
use mizan::tx::Actor;
use mizan::webhooks::sender::Sender;
use mizan::webhooks::service::NewEndpoint;
use mizan::webhooks::signing::WebhookSecret;
use mizan::webhooks::{Outcome, Tried, jobs, service};
use mizan_ledger::{Clock as _, SystemClock};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::receiver::Receiver;
use super::{ENDPOINTS, secret, signed_with};
use crate::events::{event, other_portal, publish};
use crate::judges::Judge;
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn an_event_reaches_its_endpoint_as_the_feed_has_it() {
    let world = World::new().await;
    let server = Receiver::start().await;
    let endpoint = world.endpoint(&server.url, &[]).await;
    let intent = world.intent("CASE-1").await;
    publisher::publish_once(&world.app).await.unwrap();
    assert_eq!(world.deliver().await, 1);

    let received = server.received();
    assert_eq!(received.len(), 1);
    let feed = world.get("/v1/events").await.json;
    assert_eq!(received[0].json(), feed["data"][0]);
    assert_eq!(received[0].json()["data"]["id"], intent["id"]);
    assert_eq!(received[0].header("webhook-id"), feed["data"][0]["id"]);
    assert_eq!(received[0].header("content-type"), "application/json");
    assert_eq!(received[0].path, "/hooks");
    assert!(signed_with(&received[0], &[secret(&endpoint)]));
    let delivery = &world.deliveries(&endpoint).await[0];
    assert_eq!((&delivery["state"], &delivery["status"]), (&json!("delivered"), &json!(204)));
    assert_eq!((&delivery["position"], &delivery["attempts"]), (&json!(1), &json!(1)));
    world.pass(4 * 86_400);
    assert_eq!(world.deliver().await, 0, "what was taken is not sent again");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_standards_own_library_accepts_what_arrives() {
    let world = World::new().await;
    // The library holds the timestamp against the real clock.
    world.clock.set(SystemClock.now());
    let server = Receiver::start().await;
    let endpoint = world.endpoint(&server.url, &[]).await;
    let rotated = world.change(&endpoint, json!({ "secrets": "rotate" })).await.json;
    world.intent("قضية-1").await;
    publisher::publish_once(&world.app).await.unwrap();
    world.deliver().await;
    let received = &server.received()[0];
    let headers: BTreeMap<&str, &str> = ["webhook-id", "webhook-timestamp", "webhook-signature"]
        .map(|name| (name, received.header(name)))
        .into();
    let stranger = WebhookSecret::from_bytes(vec![9; 32]).unwrap();
    let stranger = secrecy::ExposeSecret::expose_secret(&stranger.reveal()).to_owned();
    let deliveries: Vec<Value> = [&endpoint["secret"], &rotated["secret"], &json!(stranger)]
        .iter()
        .map(|secret| {
            json!({ "secret": secret, "headers": headers, "body": String::from_utf8_lossy(&received.body) })
        })
        .collect();
    let judge = Judge::Python { script: "receive_webhook.py", package: "standardwebhooks" };
    if let Some(accepted) = judge.ask(&Value::from(deliveries)).await {
        assert_eq!(accepted, json!([true, true, false]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_delivery_comes_again_until_it_is_taken() {
    let world = World::new().await;
    let server = Receiver::start().await;
    let endpoint = world.endpoint(&server.url, &[]).await;
    publish(&world.app, world.people.portal, 1).await;
    server.answer(503, &"ش".repeat(3_000));
    assert_eq!(world.deliver().await, 1);
    let delivery = &world.deliveries(&endpoint).await[0];
    assert_eq!((&delivery["state"], &delivery["status"]), (&json!("waiting"), &json!(503)));
    assert_eq!(delivery["answer"].as_str().unwrap(), "ش".repeat(512), "the first 1,024 bytes");
    assert!(delivery["next_at"].is_string());
    assert!(world.seen(&endpoint).await["failing_since"].is_string());
    assert_eq!(world.deliver().await, 0, "a pause follows");

    for _ in 0..3 {
        world.pass(60);
        assert_eq!(world.deliver().await, 1);
    }
    server.answer(200, "taken");
    world.pass(300);
    assert_eq!(world.deliver().await, 1);
    world.pass(86_400);
    assert_eq!(world.deliver().await, 0);
    let received = server.received();
    assert_eq!(received.len(), 5);
    let ids: BTreeSet<&str> = received.iter().map(|one| one.header("webhook-id")).collect();
    let times: BTreeSet<&str> = received.iter().map(|one| one.header("webhook-timestamp")).collect();
    assert_eq!((ids.len(), times.len()), (1, 5), "one id, a new timestamp on each try");
    assert!(received.iter().all(|one| signed_with(one, &[secret(&endpoint)])));
    let delivery = &world.deliveries(&endpoint).await[0];
    assert_eq!((&delivery["state"], &delivery["answer"]), (&json!("delivered"), &json!("taken")));
    assert_eq!(world.seen(&endpoint).await["failing_since"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_not_followed() {
    let world = World::new().await;
    let (server, elsewhere) = (Receiver::start().await, Receiver::start().await);
    let endpoint = world.endpoint(&server.url, &[]).await;
    publish(&world.app, world.people.portal, 1).await;
    server.redirect(&elsewhere.url);
    world.deliver().await;
    assert_eq!((server.received().len(), elsewhere.received().len()), (1, 0));
    assert_eq!(world.deliveries(&endpoint).await[0]["status"], 307);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_wanted_types_are_sent_and_nobody_hears_of_others() {
    let world = World::new().await;
    let (all, some, theirs) = (Receiver::start().await, Receiver::start().await, Receiver::start().await);
    let (_, other) = other_portal(&world).await;
    world.endpoint(&all.url, &[]).await;
    let chosen = world.endpoint(&some.url, &["payment_intent.paid", "refund.succeeded"]).await;
    assert_eq!(other.post(ENDPOINTS, &json!({ "url": theirs.url })).await.unwrap().status, 201);
    let intent = world.intent("CASE-1").await;
    world.pay_by_card(&intent).await;
    while publisher::publish_once(&world.app).await.unwrap() > 0 {}
    world.deliver().await;
    let types = |server: &Receiver| -> Vec<String> {
        server.received().iter().map(|one| one.json()["type"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(types(&some), ["payment_intent.paid"]);
    assert_eq!(all.received().len(), world.get("/v1/events").await.json["data"].as_array().unwrap().len());
    assert!(theirs.received().is_empty());
    let path = format!("{ENDPOINTS}/{}", chosen["id"].as_str().unwrap());
    assert_eq!(other.get(&path).await.unwrap().status, 404, "an endpoint belongs to its portal");
    assert_eq!(other.get(&format!("{path}/deliveries")).await.unwrap().status, 404);
    assert_eq!(other.post(&format!("{path}/test"), &json!({})).await.unwrap().status, 404);
}

/// A server that takes connections and never says a word.
pub async fn silence() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    (listener, url)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_endpoint_never_starves_the_others() {
    let world = World::new().await;
    let (_held, dead_url) = silence().await;
    let dead = world.endpoint(&dead_url, &[]).await;
    let server = Receiver::start().await;
    world.endpoint(&server.url, &[]).await;
    publish(&world.app, world.people.portal, 60).await;
    let mut config = world.app.hub.config.clone();
    config.webhooks.timeout_ms = 200;
    let sender = Sender::new(&config).unwrap();

    let mut rounds = 0;
    while server.received().len() < 60 {
        jobs::deliver_once(&world.app, &sender).await.unwrap();
        rounds += 1;
        assert!(rounds < 10, "the sound endpoint waits: {} of 60", server.received().len());
    }
    let tried = world.deliveries(&dead).await.iter().filter(|one| one["attempts"] != 0).count();
    assert!((16..30).contains(&tried), "a burst at first, then one at a time: {tried}");
    world.pass(60);
    assert_eq!(jobs::deliver_once(&world.app, &sender).await.unwrap(), 1, "one probe");
    assert_eq!(jobs::deliver_once(&world.app, &sender).await.unwrap(), 0, "then a pause");
    let error = &world.deliveries(&dead).await.into_iter().find(|one| one["attempts"] != 0).unwrap()["error"];
    assert_eq!(error, "no answer within 200 ms");
}

#[tokio::test(flavor = "multi_thread")]
async fn three_days_without_a_success_disable_an_endpoint() {
    let world = World::new().await;
    let server = Receiver::start().await;
    let endpoint = world.endpoint(&server.url, &[]).await;
    publish(&world.app, world.people.portal, 2).await;
    server.answer(500, "");
    let mut hours = 0;
    while world.seen(&endpoint).await["state"] == "enabled" {
        world.deliver().await;
        world.pass(3_600);
        hours += 1;
        assert!(hours < 24 * 4, "it is never disabled");
    }
    assert!(hours >= 72, "disabled after {hours} hours");
    assert_eq!(world.seen(&endpoint).await["disabled_reason"], "failing");
    let recorded = sqlx::query_scalar!(
        r#"select count(*) as "count!" from audit where action = 'webhook_endpoint.disabled' and object = $1"#,
        endpoint["id"].as_str().unwrap(),
    );
    assert_eq!(recorded.fetch_one(&world.app.pool).await.unwrap(), 1);

    server.answer(204, "");
    server.take();
    publish(&world.app, world.people.portal, 1).await;
    world.pass(86_400);
    assert_eq!(world.deliver().await, 0, "nothing is sent to a disabled endpoint");
    let enabled = world.change(&endpoint, json!({ "state": "enabled" })).await.json;
    assert_eq!((&enabled["state"], &enabled["failing_since"]), (&json!("enabled"), &Value::Null));
    let replayed = world.ask(&endpoint, "replay", json!({ "after": 0 })).await;
    assert_eq!(replayed, json!({ "queued": 3, "next_after": null }));
    world.deliver().await;
    let positions: BTreeSet<i64> =
        server.received().iter().map(|one| one.json()["position"].as_i64().unwrap()).collect();
    assert_eq!(positions, BTreeSet::from([1, 2, 3]), "what was missed came with the replay");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_lost_its_lease_writes_nothing() {
    let world = World::new().await;
    let server = Receiver::start().await;
    let endpoint = world.endpoint(&server.url, &[]).await;
    publish(&world.app, world.people.portal, 1).await;
    let room = jobs::room(&world.app, 8, 8);
    let actor = Actor::hub("test");
    let claim = || world.app.run(&actor, &room, |tx, room| Box::pin(service::claim(tx, room)));
    let mut lost = claim().await.unwrap();
    assert_eq!((lost.len(), claim().await.unwrap().len()), (1, 0), "claimed once");
    world.pass(61);
    assert_eq!(world.deliver().await, 1, "another worker has it");
    let outcome = Outcome::Unanswered { why: "too late".to_owned() };
    let late = [Tried { parcel: lost.remove(0), outcome }];
    world.app.run(&actor, &late[..], |tx, late| Box::pin(service::record(tx, late))).await.unwrap();
    assert_eq!(world.deliveries(&endpoint).await[0]["state"], "delivered");
}

/// What was allowed when the endpoint was made may not be allowed any more.
#[tokio::test(flavor = "multi_thread")]
async fn a_url_is_judged_again_at_every_try() {
    let world = World::new().await;
    let new = NewEndpoint {
        portal: world.people.portal,
        url: "https://portal.example/hooks".to_owned(),
        types: Vec::new(),
        secret: WebhookSecret::generate(&world.app.hub.entropy),
    };
    let actor = Actor::portal(new.portal);
    let endpoint = world.app.run(&actor, &new, |tx, new| Box::pin(service::open(tx, new))).await.unwrap();
    publish(&world.app, world.people.portal, 1).await;
    assert_eq!(world.deliver().await, 1);
    let delivery = &world.deliveries(&json!({ "id": endpoint.id })).await[0];
    assert_eq!(delivery["error"], "the host is not registered for webhooks");
    assert_eq!(delivery["state"], "waiting");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_loops_deliver_by_themselves_and_end_with_the_hub() {
    let world = World::new().await;
    let server = Receiver::start().await;
    world.endpoint(&server.url, &[]).await;
    let app = &world.app;
    app.tasks.spawn(publisher::publish_loop(app.clone()));
    app.tasks.spawn(jobs::deliver_loop(app.clone()));
    app.tasks.spawn(jobs::deliver_loop(app.clone()));
    for number in 0..40 {
        let mut tx = app.begin(Actor::hub("test")).await.unwrap();
        tx.emit(event(world.people.portal, &format!("e{number}"), 1));
        app.commit(tx).await.unwrap();
    }
    while server.received().len() < 40 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    app.stop.cancel();
    app.tasks.close();
    app.tasks.wait().await;
    let ids: BTreeSet<String> =
        server.received().iter().map(|one| one.header("webhook-id").to_owned()).collect();
    assert_eq!((ids.len(), server.received().len()), (40, 40));
}
