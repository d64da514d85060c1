//! A card gateway that keeps nothing: it opens a page for every order and never shows it. What the payer would
//! decide there, and the callback that follows, is the pressing client's part.

use std::net::SocketAddr;

use anyhow::Context;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use hmac::{Hmac, KeyInit, Mac as _};
use mizan_ledger::{Clock as _, SystemClock};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A running gateway.
#[derive(Debug)]
pub struct Gateway {
    pub address: SocketAddr,
    tasks: TaskTracker,
    stop: CancellationToken,
}

#[derive(Debug, Deserialize)]
struct Order {
    order: String,
}

impl Gateway {
    /// Listens for the hub's orders below any path that ends in `/sessions`.
    ///
    /// # Errors
    /// When the address is taken.
    pub async fn start(listen: SocketAddr) -> anyhow::Result<Self> {
        let listener =
            TcpListener::bind(listen).await.with_context(|| format!("the gateway's place {listen}"))?;
        let address = listener.local_addr()?;
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let routes = Router::new()
            .route("/{*path}", post(session))
            .route("/sessions", post(session))
            .with_state(address);
        let stopped = stop.clone().cancelled_owned();
        tasks.spawn(async move { axum::serve(listener, routes).with_graceful_shutdown(stopped).await });
        Ok(Self { address, tasks, stop })
    }

    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

async fn session(
    State(address): State<SocketAddr>,
    Json(Order { order }): Json<Order>,
) -> (StatusCode, Json<Value>) {
    let expires_at = SystemClock.now().plus_seconds(1_800);
    let opened = json!({
        "session": format!("gs_{order}"), "order": order, "expires_at": expires_at,
        "page_url": format!("http://{address}/page/{order}"),
    });
    (StatusCode::CREATED, Json(opened))
}

/// The order behind a page of this gateway.
pub fn order_of(page_url: &str) -> Option<&str> {
    page_url.rsplit_once("/page/").map(|(_, order)| order)
}

/// The callback of a captured payment, in the gateway's dialect (docs/SANDBOX.md).
pub fn captured(merchant: &str, order: &str, money: &Value) -> Vec<u8> {
    let body = json!({
        "event": "payment.captured", "merchant": merchant, "order": order, "session": format!("gs_{order}"),
        "transaction": format!("T-{order}"), "status": "CAPTURED",
        "amount": money["amount"], "currency": money["currency"],
        "reason": null, "original_transaction": null, "created_at": SystemClock.now(),
    });
    body.to_string().into_bytes()
}

/// Lower-case hexadecimal HMAC-SHA256 over the raw body.
pub fn signature(key: &SecretString, body: &[u8]) -> String {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key.expose_secret().as_bytes())
        .expect("HMAC takes keys of any length");
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}
