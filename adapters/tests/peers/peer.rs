//! A peer on the loopback: an axum router with one answer, or a bare socket that breaks off. Each function
//! answers the peer's address.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::Response;
use mizan_adapters::http::EndpointSettings;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// What the peer was asked: method and path with query, then the body.
pub type Asked = Arc<Mutex<Vec<(String, String)>>>;

pub fn endpoint(address: &str) -> EndpointSettings {
    EndpointSettings {
        base_url: format!("{address}/base"),
        api_key: "example-api-key".into(),
        connect_timeout_ms: 2_000,
        timeout_ms: 2_000,
        trusted_roots_pem: None,
        identity_pem: None,
    }
}

/// A peer that gives the same answer to everything.
pub async fn answering(status: u16, body: impl Into<Vec<u8>>) -> (String, Asked) {
    let (body, asked) = (body.into(), Asked::default());
    let seen = asked.clone();
    let address = serving(move |request| {
        let (body, seen) = (body.clone(), seen.clone());
        async move {
            let key =
                request.headers().get("authorization").expect("a key").to_str().expect("text").to_owned();
            assert_eq!(key, "Bearer example-api-key");
            let asked = format!("{} {}", request.method(), request.uri());
            let sent = to_bytes(request.into_body(), 1 << 20).await.expect("a body");
            let sent = String::from_utf8(sent.to_vec()).expect("text");
            seen.lock().expect("not poisoned").push((asked, sent));
            Response::builder().status(status).body(Body::from(body)).expect("an answer")
        }
    })
    .await;
    (address, asked)
}

#[expect(clippy::disallowed_methods, reason = "a peer of the tests runs beside them")]
pub async fn serving<F, Fut>(answer: F) -> String
where
    F: Fn(Request) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Response> + Send + 'static,
{
    let (listener, address) = bound().await;
    let router = Router::new().fallback(answer);
    tokio::spawn(async move { axum::serve(listener, router).await.expect("serves") });
    address
}

/// A peer that reads the request, says `words` and closes the connection.
#[expect(clippy::disallowed_methods, reason = "a peer of the tests runs beside them")]
pub async fn breaking_off(words: &'static str) -> String {
    let (listener, address) = bound().await;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 64 * 1024];
            let read = stream.read(&mut request).await.expect("a request");
            assert!(read > 0);
            stream.write_all(words.as_bytes()).await.expect("still open");
        }
    });
    address
}

/// Nobody listens there.
pub async fn absent() -> String {
    bound().await.1
}

async fn bound() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    (listener, format!("http://{address}"))
}
