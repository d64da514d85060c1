//! A portal's webhook endpoint: hears of every paid intent and notes how long it took.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, ensure};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::routing::post;
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use super::measure::{Call, Times};
use crate::client::Client;

/// A listening endpoint.
#[derive(Debug)]
pub struct Hook {
    heard: Arc<Heard>,
    /// Where the hub keeps the endpoint.
    path: String,
    _stop: DropGuard,
}

#[derive(Debug)]
struct Heard {
    times: Arc<Times>,
    count: AtomicUsize,
    /// What came before the client had its answer to the callback, or is still awaited.
    waiting: Mutex<HashMap<String, Instant>>,
}

impl Hook {
    /// Listens on the loopback and registers with the hub.
    ///
    /// # Errors
    /// When the hub refuses the endpoint.
    pub async fn open(portal: &Client, times: Arc<Times>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/hook", listener.local_addr()?);
        let heard = Arc::new(Heard { times, count: AtomicUsize::new(0), waiting: Mutex::default() });
        let routes = axum::Router::new().route("/hook", post(hear)).with_state(heard.clone());
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        TaskTracker::new()
            .spawn(async move { axum::serve(listener, routes).with_graceful_shutdown(stopped).await });
        let endpoint = json!({ "url": url, "types": ["payment_intent.paid"] });
        let reply = portal.post("/v1/webhook-endpoints", &endpoint).await?;
        ensure!(reply.status == 201, "POST /v1/webhook-endpoints: {} {}", reply.status, reply.json);
        let id = reply.json["id"].as_str().context("an endpoint without an id")?;
        Ok(Self { heard, path: format!("/v1/webhook-endpoints/{id}"), _stop: stop.drop_guard() })
    }

    /// The callback of a payment was sent at this moment.
    pub fn expect(&self, intent: &str, sent: Instant) {
        self.heard.meet(intent, sent, |first| first.saturating_duration_since(sent));
    }

    /// How many payments were heard of.
    pub fn count(&self) -> usize {
        self.heard.count.load(Ordering::Relaxed)
    }

    /// Takes the endpoint off the hub again.
    ///
    /// # Errors
    /// When the hub refuses.
    pub async fn withdraw(&self, portal: &Client) -> anyhow::Result<()> {
        let key = self.path.rsplit('/').next();
        let reply = portal.send(Method::DELETE, &self.path, "application/json", Vec::new(), key).await?;
        ensure!(reply.status == 200, "DELETE {}: {} {}", self.path, reply.status, reply.json);
        Ok(())
    }
}

impl Heard {
    /// Notes one side of a payment; when the other side was there first, the time between them is known.
    fn meet(&self, intent: &str, at: Instant, took: impl Fn(Instant) -> std::time::Duration) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        match waiting.remove(intent) {
            Some(other) => self.times.add(Call::Webhook, took(other)),
            None => {
                waiting.insert(intent.to_owned(), at);
            }
        }
    }
}

#[derive(Deserialize)]
struct Event {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    id: String,
}

async fn hear(State(heard): State<Arc<Heard>>, body: Bytes) -> StatusCode {
    let now = Instant::now();
    let Ok(event) = serde_json::from_slice::<Event>(&body) else { return StatusCode::BAD_REQUEST };
    heard.count.fetch_add(1, Ordering::Relaxed);
    heard.meet(&event.data.id, now, |sent| now.saturating_duration_since(sent));
    StatusCode::NO_CONTENT
}
