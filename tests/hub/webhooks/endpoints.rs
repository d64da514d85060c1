//! What a portal does with its endpoints.

use std::collections::BTreeSet;

use axum::http::Method;
use mizan::webhooks::jobs;
use serde_json::{Value, json};

use super::delivering::silence;
use super::receiver::Receiver;
use super::{ENDPOINTS, secret, signed_with};
use crate::events::{other_portal, publish};
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_stretch_of_the_feed_is_sent_again() {
    let world = World::new().await;
    let server = Receiver::start().await;
    publish(&world.app, world.people.portal, 2).await;
    let endpoint = world.endpoint(&server.url, &[]).await;
    publish(&world.app, world.people.portal, 3).await;
    world.deliver().await;
    let first: Vec<String> = server.take().iter().map(|one| one.header("webhook-id").to_owned()).collect();
    assert_eq!(first.len(), 3, "what was before the endpoint is not sent by itself");

    let replayed = world.ask(&endpoint, "replay", json!({ "after": 1, "until": 4 })).await;
    assert_eq!(replayed, json!({ "queued": 3, "next_after": null }));
    assert_eq!(world.deliver().await, 3);
    let mut again: Vec<(i64, String)> = server
        .take()
        .iter()
        .map(|one| (one.json()["position"].as_i64().unwrap(), one.header("webhook-id").to_owned()))
        .collect();
    again.sort();
    assert_eq!(again.iter().map(|one| one.0).collect::<Vec<_>>(), [2, 3, 4]);
    assert!(first.contains(&again[1].1) && first.contains(&again[2].1), "under the same ids");
    let nothing = world.ask(&endpoint, "replay", json!({ "after": 5 })).await;
    assert_eq!(nothing, json!({ "queued": 0, "next_after": null }));

    let path = format!("{ENDPOINTS}/{}/replay", endpoint["id"].as_str().unwrap());
    for bad in [json!({ "after": -1 }), json!({ "after": 3, "until": 3 }), json!({})] {
        let refused = world.portal().post(&path, &bad).await.unwrap();
        assert_eq!(refused.json["code"], "validation_failed", "{bad}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_shown_once_and_kept_sealed() {
    let world = World::new().await;
    let body = json!({ "url": "http://127.0.0.1:9/hooks" });
    let first = world.portal().post_once(ENDPOINTS, &body, "open-1").await.unwrap();
    let shown = first.json["secret"].as_str().unwrap().to_owned();
    assert!(shown.starts_with("whsec_"));
    let again = world.portal().post_once(ENDPOINTS, &body, "open-1").await.unwrap();
    assert_eq!(again.headers["idempotent-replayed"], "true");
    assert_eq!((again.status, &again.json["id"]), (201, &first.json["id"]));
    assert!(again.json.get("secret").is_none());
    assert!(world.seen(&first.json).await.get("secret").is_none());
    assert!(world.get(ENDPOINTS).await.json["data"][0].get("secret").is_none());
    let stored = sqlx::query_scalar!(
        r#"select (select string_agg(encode(body, 'escape'), ' ') from idempotency)
                  || (select string_agg(detail::text, ' ') from audit)
                  || (select string_agg(encode(secret, 'escape'), ' ')
                      from webhook_endpoints, unnest(secrets_sealed) as secret) as "all!""#
    );
    let stored = stored.fetch_one(&world.app.pool).await.unwrap();
    assert!(!stored.contains(&shown["whsec_".len()..]), "the secret stands in the clear");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_secrets_sign_during_rotation() {
    let world = World::new().await;
    let server = Receiver::start().await;
    let endpoint = world.endpoint(&server.url, &[]).await;
    let rotated = world.change(&endpoint, json!({ "secrets": "rotate" })).await.json;
    assert_eq!(rotated["secrets"], 2);
    publish(&world.app, world.people.portal, 1).await;
    world.deliver().await;
    assert!(signed_with(&server.take()[0], &[secret(&rotated), secret(&endpoint)]));
    let refused = world.change(&endpoint, json!({ "secrets": "rotate" })).await;
    assert_eq!((refused.status, &refused.json["code"]), (409, &json!("webhook_limit_reached")));

    let dropped = world.change(&endpoint, json!({ "secrets": "drop_old" })).await.json;
    assert_eq!((&dropped["secrets"], dropped.get("secret")), (&json!(1), None));
    publish(&world.app, world.people.portal, 1).await;
    world.deliver().await;
    assert!(signed_with(&server.take()[0], &[secret(&rotated)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_is_tried_once_and_is_no_event() {
    let world = World::new().await;
    let server = Receiver::start().await;
    let endpoint = world.endpoint(&server.url, &["refund.succeeded"]).await;
    world.change(&endpoint, json!({ "state": "disabled" })).await;
    server.answer(500, "not yet");
    let asked = world.ask(&endpoint, "test", json!({})).await;
    assert_eq!(world.deliver().await, 1);
    world.pass(86_400);
    assert_eq!(world.deliver().await, 0);
    let received = &server.received()[0];
    assert_eq!(received.json()["type"], "webhook_endpoint.test");
    assert_eq!(received.json()["position"], Value::Null);
    assert_eq!(received.header("webhook-id"), asked["event"]);
    assert!(signed_with(received, &[secret(&endpoint)]));
    let delivery = &world.deliveries(&endpoint).await[0];
    assert_eq!((&delivery["id"], &delivery["state"]), (&asked["id"], &json!("failed")));
    assert_eq!(delivery["answer"], "not yet");
    assert_eq!(world.seen(&endpoint).await["failing_since"], Value::Null);
    assert_eq!(world.get("/v1/events").await.json["data"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn urls_that_lead_elsewhere_are_refused() {
    let world = World::new().await;
    for (url, code) in [
        ("http://portal.example/", "not_a_url"),
        ("http://10.0.0.1/", "not_a_url"),
        ("http://127.0.0.1.evil.example/", "not_a_url"),
        ("https://user:pass@127.0.0.1/", "not_a_url"),
        ("file:///etc/passwd", "not_a_url"),
        ("gopher://127.0.0.1/", "not_a_url"),
        ("javascript:alert(1)", "not_a_url"),
        ("", "not_a_url"),
        ("https://portal.example/", "not_registered"),
        ("https://169.254.169.254/latest/meta-data", "not_registered"),
        ("https://[::ffff:10.0.0.1]/", "not_registered"),
        ("https://192.168.1.1/", "not_registered"),
    ] {
        let refused = world.portal().post(ENDPOINTS, &json!({ "url": url })).await.unwrap();
        assert_eq!((refused.status, &refused.json["code"]), (422, &json!("validation_failed")), "{url}");
        assert_eq!(refused.json["errors"][0]["field"], "/url", "{url}");
        assert_eq!(refused.json["errors"][0]["code"], code, "{url}");
    }
    let endpoint = world.endpoint("http://127.0.0.1:9/", &[]).await;
    let refused = world.change(&endpoint, json!({ "url": "https://evil.example/" })).await;
    assert_eq!(refused.json["errors"][0]["code"], "not_registered");
    let refused =
        world.portal().post(ENDPOINTS, &json!({ "url": "http://127.0.0.1:9/", "types": ["x"] })).await;
    assert_eq!(refused.unwrap().json["errors"][0]["field"], "/types/0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_endpoint_hears_nothing_and_is_not_found() {
    let world = World::new().await;
    let server = Receiver::start().await;
    let endpoint = world.endpoint(&server.url, &[]).await;
    publish(&world.app, world.people.portal, 1).await;
    let path = format!("{ENDPOINTS}/{}", endpoint["id"].as_str().unwrap());
    let delete = |key: &'static str| {
        world.portal().send(Method::DELETE, &path, "application/json", Vec::new(), Some(key))
    };
    let deleted = delete("delete-1").await.unwrap();
    assert_eq!((deleted.status, &deleted.json["state"]), (200, &json!("deleted")));
    assert_eq!(delete("delete-2").await.unwrap().status, 404);
    publish(&world.app, world.people.portal, 1).await;
    assert_eq!(world.deliver().await, 0);
    assert_eq!(world.get(&path).await.status, 404);
    assert_eq!(world.get(ENDPOINTS).await.json["data"], json!([]));
    assert!(server.received().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_deleted_endpoint_has_ended_and_holds_up_no_other() {
    let world = World::new().await;
    let gone = world.endpoint("http://127.0.0.1:9/", &[]).await;
    for _ in 0..20 {
        world.ask(&gone, "test", json!({})).await;
    }
    let path = format!("{ENDPOINTS}/{}", gone["id"].as_str().unwrap());
    let deleted =
        world.portal().send(Method::DELETE, &path, "application/json", Vec::new(), Some("delete-1"));
    assert_eq!(deleted.await.unwrap().status, 200);
    let waiting =
        sqlx::query_scalar!(r#"select count(*) as "count!" from webhook_deliveries where state = 'waiting'"#);
    assert_eq!(waiting.fetch_one(&world.app.pool).await.unwrap(), 0);

    let server = Receiver::start().await;
    let sound = world.endpoint(&server.url, &[]).await;
    world.ask(&sound, "test", json!({})).await;
    jobs::deliver_once(&world.app, &world.sender()).await.unwrap();
    assert_eq!(server.received().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tests_of_one_portal_do_not_hold_up_those_of_another() {
    let world = World::new().await;
    let (_held, silent) = silence().await;
    for _ in 0..16 {
        let endpoint = world.endpoint(&silent, &[]).await;
        world.ask(&endpoint, "test", json!({})).await;
        world.ask(&endpoint, "test", json!({})).await;
    }
    let (_, other) = other_portal(&world).await;
    let server = Receiver::start().await;
    let theirs = other.post(ENDPOINTS, &json!({ "url": server.url, "types": [] })).await.unwrap().json;
    let path = format!("{ENDPOINTS}/{}/test", theirs["id"].as_str().unwrap());
    assert_eq!(other.post(&path, &json!({})).await.unwrap().status, 202);

    assert_eq!(jobs::deliver_once(&world.app, &world.sender()).await.unwrap(), 16, "as many as may be stuck");
    assert_eq!(server.received().len(), 1, "portals take turns");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_portal_has_at_most_sixteen_endpoints() {
    let world = World::new().await;
    for number in 0..16 {
        world.endpoint(&format!("http://127.0.0.1:9/{number}"), &[]).await;
    }
    let refused = world.portal().post(ENDPOINTS, &json!({ "url": "http://127.0.0.1:9/" })).await.unwrap();
    assert_eq!((refused.status, &refused.json["code"]), (409, &json!("webhook_limit_reached")));
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_are_listed_in_pages_and_by_state() {
    let world = World::new().await;
    let server = Receiver::start().await;
    let endpoint = world.endpoint(&server.url, &[]).await;
    publish(&world.app, world.people.portal, 5).await;
    world.deliver().await;
    publish(&world.app, world.people.portal, 1).await;
    let path = format!("{ENDPOINTS}/{}/deliveries", endpoint["id"].as_str().unwrap());
    let (mut seen, mut cursor) = (BTreeSet::new(), String::new());
    loop {
        let page = world.get(&format!("{path}?limit=2{cursor}")).await.json;
        seen.extend(page["data"].as_array().unwrap().iter().map(|one| one["id"].to_string()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 6);
    let waiting = world.get(&format!("{path}?state=waiting")).await.json;
    assert_eq!(waiting["data"].as_array().unwrap().len(), 1);
    assert_eq!(world.get(&format!("{path}?state=lost")).await.json["code"], "query_invalid");
}
