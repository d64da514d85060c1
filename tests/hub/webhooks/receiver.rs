//! A portal's own server: takes webhooks in, keeps them, and answers as it is told.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::net::TcpListener;

#[derive(Debug, Clone)]
pub struct Received {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Received {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

#[derive(Debug, Clone)]
struct Told {
    status: StatusCode,
    location: Option<String>,
    body: String,
}

#[derive(Clone)]
struct Shared(Arc<Mutex<(Vec<Received>, Told)>>);

pub struct Receiver {
    pub url: String,
    shared: Shared,
    server: tokio::task::JoinHandle<()>,
}

impl Receiver {
    pub async fn start() -> Self {
        let told = Told { status: StatusCode::NO_CONTENT, location: None, body: String::new() };
        let shared = Shared(Arc::new(Mutex::new((Vec::new(), told))));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hooks", listener.local_addr().unwrap());
        let routes = Router::new().fallback(take).with_state(shared.clone());
        #[expect(clippy::disallowed_methods, reason = "a server outside the hub")]
        let server = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { url, shared, server }
    }

    /// From now on it answers with this status and body.
    pub fn answer(&self, status: u16, body: &str) {
        let status = StatusCode::from_u16(status).unwrap();
        self.shared.0.lock().unwrap().1 = Told { status, location: None, body: body.to_owned() };
    }

    pub fn redirect(&self, to: &str) {
        let told = Told {
            status: StatusCode::TEMPORARY_REDIRECT,
            location: Some(to.to_owned()),
            body: String::new(),
        };
        self.shared.0.lock().unwrap().1 = told;
    }

    pub fn received(&self) -> Vec<Received> {
        self.shared.0.lock().unwrap().0.clone()
    }

    /// What `received` answers, which is then forgotten.
    pub fn take(&self) -> Vec<Received> {
        std::mem::take(&mut self.shared.0.lock().unwrap().0)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn take(State(shared): State<Shared>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let mut shared = shared.0.lock().unwrap();
    shared.0.push(Received { path: uri.path().to_owned(), headers, body });
    let told = shared.1.clone();
    let location = told.location.map(|to| [("location", to)]);
    match location {
        Some(location) => (told.status, location, told.body).into_response(),
        None => (told.status, told.body).into_response(),
    }
}
