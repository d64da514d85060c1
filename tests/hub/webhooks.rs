//! Webhooks: at least once, signed, to where they may go; one portal's dead server is nobody else's trouble.

mod delivering;
mod endpoints;
mod receiver;

use axum::http::Method;
use jiff::SignedDuration;
use mizan::client::Reply;
use mizan::webhooks::jobs;
use mizan::webhooks::sender::Sender;
use mizan::webhooks::signing::{WEBHOOK_SIGNATURE, WebhookSecret, sign};
use serde_json::{Value, json};

use crate::world::World;
use receiver::Received;

const ENDPOINTS: &str = "/v1/webhook-endpoints";

impl World {
    async fn endpoint(&self, url: &str, types: &[&str]) -> Value {
        let reply = self.portal().post(ENDPOINTS, &json!({ "url": url, "types": types })).await.unwrap();
        assert_eq!(reply.status, 201, "{}", reply.json);
        reply.json
    }

    async fn change(&self, endpoint: &Value, change: Value) -> Reply {
        let path = format!("{ENDPOINTS}/{}", endpoint["id"].as_str().unwrap());
        let body = change.to_string().into_bytes();
        let key = self.app.hub.entropy.token::<26>();
        self.portal().send(Method::PATCH, &path, "application/json", body, Some(&key)).await.unwrap()
    }

    async fn ask(&self, endpoint: &Value, what: &str, body: Value) -> Value {
        let path = format!("{ENDPOINTS}/{}/{what}", endpoint["id"].as_str().unwrap());
        let reply = self.portal().post(&path, &body).await.unwrap();
        assert_eq!(reply.status, 202, "{}", reply.json);
        reply.json
    }

    async fn seen(&self, endpoint: &Value) -> Value {
        self.get(&format!("{ENDPOINTS}/{}", endpoint["id"].as_str().unwrap())).await.json
    }

    async fn deliveries(&self, endpoint: &Value) -> Vec<Value> {
        let path = format!("{ENDPOINTS}/{}/deliveries?limit=500", endpoint["id"].as_str().unwrap());
        self.get(&path).await.json["data"].as_array().unwrap().clone()
    }

    /// A client that waits for an answer no longer than a test can.
    fn sender(&self) -> Sender {
        let mut config = self.app.hub.config.clone();
        config.webhooks.timeout_ms = 1_000;
        Sender::new(&config).unwrap()
    }

    /// Delivers until nothing is due.
    async fn deliver(&self) -> usize {
        let sender = self.sender();
        let mut tries = 0;
        loop {
            match jobs::deliver_once(&self.app, &sender).await.unwrap() {
                0 => return tries,
                more => tries += more,
            }
        }
    }

    fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }
}

fn secret(shown: &Value) -> WebhookSecret {
    WebhookSecret::parse(shown["secret"].as_str().unwrap()).unwrap()
}

/// The signatures of a delivery are those of these secrets.
fn signed_with(received: &Received, secrets: &[WebhookSecret]) -> bool {
    let seconds: i64 = received.header("webhook-timestamp").parse().unwrap();
    let at = mizan_ledger::Instant::from_micros(seconds * 1_000_000).unwrap();
    let expected = sign(received.header("webhook-id"), at, &received.body, secrets);
    received.headers[WEBHOOK_SIGNATURE] == expected[WEBHOOK_SIGNATURE]
}
