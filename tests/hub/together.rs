//! Requests of one kind that come at the same time are done in one transaction, and each is answered for itself.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::{BoxFuture, join_all};
use mizan::client::Reply;
use mizan::ids::QuoteId;
use serde_json::{Value, json};
use sqlx::Connection as _;

use crate::world::World;

fn passport(currency: &str) -> Value {
    let line = json!({ "service": "interior/passport", "inputs": { "reason": "new", "urgent": false } });
    json!({ "currency": currency, "lines": [line] })
}

impl World {
    /// Sends requests under their keys while the first of them is held up in the database, so that the others wait for it.
    async fn crowd(&self, path: &str, requests: &[(String, Value)]) -> Vec<Reply> {
        let mut intruder = self.db().superuser().await;
        let mut held = intruder.begin().await.unwrap();
        sqlx::raw_sql("lock table idempotency in access exclusive mode").execute(&mut *held).await.unwrap();
        let sent = requests.iter().map(|(key, body)| self.portal().post_once(path, body, key));
        let release: BoxFuture<'_, ()> = Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(300)).await;
            held.rollback().await.unwrap();
        });
        let (replies, ()) = tokio::join!(join_all(sent), release);
        replies.into_iter().map(Result::unwrap).collect()
    }
}

fn keyed(bodies: impl IntoIterator<Item = Value>) -> Vec<(String, Value)> {
    bodies.into_iter().enumerate().map(|(n, body)| (format!("crowd-{n}"), body)).collect()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} in {value}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_a_crowd_has_its_own_quote_and_its_own_refusal() {
    let world = World::new().await;
    let unknown = json!({ "currency": "ILS", "lines": [{ "service": "interior/dragon", "inputs": {} }] });
    let bodies = (0..16).map(|n| if n % 5 == 3 { unknown.clone() } else { passport("ILS") });
    let requests = keyed(bodies);
    let first = world.crowd("/v1/quotes", &requests).await;
    let mut quotes = BTreeSet::new();
    for (n, reply) in first.iter().enumerate() {
        if n % 5 == 3 {
            assert_eq!(
                (reply.status, text(&reply.json, "code")),
                (422, "validation_failed"),
                "{}",
                reply.json
            );
        } else {
            assert_eq!(reply.status, 201, "{}", reply.json);
            quotes.insert(text(&reply.json, "id").to_owned());
        }
    }
    assert_eq!(quotes.len(), 13);
    let transactions = sqlx::query_scalar!(r#"select count(distinct xmin::text) as "count!" from quotes"#)
        .fetch_one(&world.db().pool);
    assert!(transactions.await.unwrap() < 13, "no two were written together");

    let again = world.crowd("/v1/quotes", &requests).await;
    for (first, again) in first.iter().zip(&again).filter(|(first, _)| first.status == 201) {
        assert_eq!(again.json, first.json);
        assert_eq!(again.headers["idempotent-replayed"], "true");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_in_a_crowd_is_done_once() {
    let world = World::new().await;
    let requests: Vec<(String, Value)> =
        (0..8).map(|n| (format!("key-{}", n % 2), passport(if n < 6 { "ILS" } else { "USD" }))).collect();
    let replies = world.crowd("/v1/quotes", &requests).await;
    let mut quotes = BTreeSet::new();
    for reply in &replies {
        match reply.status {
            201 => _ = quotes.insert(text(&reply.json, "id").to_owned()),
            409 => {
                assert_eq!(text(&reply.json, "code"), "idempotency_key_busy");
                assert_eq!(reply.headers["retry-after"], "1");
            }
            422 => assert_eq!(text(&reply.json, "code"), "idempotency_key_reused"),
            _ => panic!("{} {}", reply.status, reply.json),
        }
    }
    assert_eq!(quotes.len(), 2, "two keys, two quotes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_opens_what_it_may() {
    let world = World::new().await;
    let mut quotes = Vec::new();
    for _ in 0..10 {
        quotes.push(world.portal().post("/v1/quotes", &passport("ILS")).await.unwrap().json);
    }
    // Of ten, the ninth asks for the reference of the first, and the tenth for a quote that nobody gave.
    let bodies = quotes.iter().enumerate().map(|(n, quote)| {
        let reference = if n == 8 { "CASE-0".to_owned() } else { format!("CASE-{n}") };
        let nobodys = || json!(world.app.hub.entropy.id::<QuoteId>(world.app.clock.now()));
        let id = if n == 9 { nobodys() } else { quote["id"].clone() };
        json!({ "quote": id, "external_reference": reference })
    });
    let requests = keyed(bodies);
    let replies = world.crowd("/v1/payment-intents", &requests).await;
    let statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 8, "{statuses:?}");
    let numbers: BTreeSet<_> =
        replies.iter().filter_map(|reply| reply.json["bill_number"].as_str()).collect();
    assert_eq!(numbers.len(), 8);
    let transactions =
        sqlx::query_scalar!(r#"select count(distinct xmin::text) as "count!" from payment_intents"#)
            .fetch_one(&world.db().pool);
    assert!(transactions.await.unwrap() < 8, "no two were written together");
    let refused =
        [0, 8].into_iter().find(|n| replies[*n].status == 409).expect("one of the two has the reference");
    assert_eq!(text(&replies[refused].json, "code"), "reference_in_use");
    assert_eq!(replies[refused].json["payment_intent"], replies[8 - refused].json["id"]);
    assert_eq!((statuses[9], text(&replies[9].json, "code")), (404, "quote_not_found"));

    // A refusal that was decided is kept as an answer is.
    let (key, body) = &requests[refused];
    let again = world.portal().post_once("/v1/payment-intents", body, key).await.unwrap();
    assert_eq!((again.status, &again.json["code"]), (409, &json!("reference_in_use")));
    assert_eq!(again.headers["idempotent-replayed"], "true");
}

/// Two on one quote make the whole group fail: then each is done for itself.
#[tokio::test(flavor = "multi_thread")]
async fn two_on_one_quote_keep_no_other_out() {
    let world = World::new().await;
    let mut bodies = Vec::new();
    for n in 0..6 {
        let quote = world.portal().post("/v1/quotes", &passport("ILS")).await.unwrap().json;
        bodies.push(json!({ "quote": quote["id"], "external_reference": format!("CASE-{n}") }));
    }
    bodies.push(json!({ "quote": bodies[5]["quote"], "external_reference": "CASE-6" }));
    let replies = world.crowd("/v1/payment-intents", &keyed(bodies)).await;
    let opened = replies.iter().filter(|reply| reply.status == 201).count();
    assert_eq!(opened, 6, "{:?}", replies.iter().map(|reply| &reply.json["code"]).collect::<Vec<_>>());
    let refused = replies.iter().find(|reply| reply.status != 201).unwrap();
    assert_eq!(text(&refused.json, "code"), "quote_used");
}
