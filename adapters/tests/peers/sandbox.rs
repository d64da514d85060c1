//! The adapters against the sandbox bank and gateway, over HTTP, by its manual: the world they meet in.

mod card;
mod payouts;

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use mizan_adapters::bank::rest::{self, Bank, StatementFormat};
use mizan_adapters::channel::{Channel, Collection, Language, Notice, OrderState, Started, Verdict};
use mizan_adapters::gateway::hosted::{self, Gateway};
use mizan_adapters::http::EndpointSettings;
use mizan_adapters::outcome::Outcome;
use mizan_adapters::sandbox::{Config, Server};
use mizan_adapters::statement::{Statement, StatementLine, read_all};
use mizan_ledger::{Currency, Day, Money};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

const COLLECTION: &str = "JO94CBJO0010000000000131000302";
const CLOSED: &str = "0101999002";
const DAY: &str = "2026-11-22";

/// The sandbox, our two channels to it and our door for callbacks.
struct World {
    card: Channel,
    bank: Channel,
    url: String,
    client: reqwest::Client,
    callback_url: String,
    callbacks: mpsc::UnboundedReceiver<(HeaderMap, Bytes)>,
    _server: Server,
    _door: JoinSet<()>,
}

fn config() -> Config {
    serde_json::from_value(json!({
        "merchants": [{"id": "EXAMPLE", "name": "بوابة مثال", "api_key": "api-key", "callback_key": "callback-key",
            "contracts": [{"currency": "JOD", "account": COLLECTION, "rate": "0.015", "fixed": "0.050"}]}],
        "accounts": [{"iban": COLLECTION, "currency": "JOD", "owner": "تحصيل (مثال)", "opening": "500.000"}],
        "closed": [CLOSED],
        "day": DAY,
        "now": "2026-11-22T08:00:00Z",
        "pace": "standing",
        "callback_retry_ms": 5,
    }))
    .expect("settings")
}

fn endpoint(base_url: String) -> EndpointSettings {
    EndpointSettings {
        base_url,
        api_key: "api-key".into(),
        connect_timeout_ms: 2_000,
        timeout_ms: 2_000,
        trusted_roots_pem: None,
        identity_pem: None,
    }
}

impl World {
    async fn start() -> Self {
        Self::reading(StatementFormat::Camt05308).await
    }

    async fn reading(statement_format: StatementFormat) -> Self {
        let loopback: SocketAddr = "127.0.0.1:0".parse().expect("an address");
        let server = Server::start(config(), loopback).await.expect("a sandbox");
        let url = server.url().to_owned();
        let card = Gateway::new(hosted::Settings {
            endpoint: endpoint(format!("{url}/gateway/v1")),
            merchant: "EXAMPLE".to_owned(),
            callback_keys: vec!["next-callback-key".into(), "callback-key".into()],
        });
        let bank = Bank::new(&rest::Settings {
            endpoint: endpoint(format!("{url}/bank/v1")),
            statement_format,
            refuses_repeats: true,
        });
        let listener = tokio::net::TcpListener::bind(loopback).await.expect("a port");
        let callback_url = format!("http://{}/callback", listener.local_addr().expect("bound"));
        let (sender, callbacks) = mpsc::unbounded_channel();
        let router = Router::new().route("/callback", post(take)).with_state(sender);
        let mut door = JoinSet::new();
        door.spawn(async move { axum::serve(listener, router).await.expect("serves") });
        let no_redirects = reqwest::redirect::Policy::none();
        let client = reqwest::Client::builder().no_proxy().redirect(no_redirects).build().expect("a client");
        Self {
            card: card.expect("settings").channel("card"),
            bank: bank.expect("settings").channel("bank"),
            url,
            client,
            callback_url,
            callbacks,
            _server: server,
            _door: door,
        }
    }

    fn collection(&self, order: &str, minor: i64) -> Collection {
        Collection {
            order: order.to_owned(),
            money: jod(minor),
            description_ar: "رسوم رخصة (مثال)".to_owned(),
            description_en: "Licence fee (example)".to_owned(),
            language: Language::Ar,
            return_url: "http://127.0.0.1:9/return".to_owned(),
            callback_url: self.callback_url.clone(),
        }
    }

    async fn open(&self, order: &str, minor: i64) -> Started {
        let collect = self.card.collect.as_ref().expect("a gateway collects");
        collect.start(self.collection(order, minor)).await.accepted().expect("a page")
    }

    /// What the payer does on the page.
    async fn choose(&self, started: &Started, outcome: &'static str) {
        let form = self.client.post(format!("{}/pay", started.page_url));
        let form = form.header("content-type", "application/x-www-form-urlencoded").body(outcome);
        assert_eq!(form.send().await.expect("an answer").status(), 303);
    }

    async fn control(&self, path: &str, body: Value) {
        let request = self.client.post(format!("{}/control/{path}", self.url)).json(&body);
        let answer = request.send().await.expect("an answer");
        assert!(answer.status().is_success(), "{path}: {}", answer.text().await.expect("text"));
    }

    /// The verdict on the next callback; a test fails when none comes.
    async fn verdict(&mut self) -> Verdict {
        let waited = tokio::time::timeout(Duration::from_secs(30), self.callbacks.recv());
        let (headers, body) = waited.await.expect("a callback").expect("an open door");
        self.card.notices.as_ref().expect("a gateway notifies").verify(&headers, &body)
    }

    async fn notice(&mut self) -> Notice {
        match self.verdict().await {
            Verdict::Authentic(notice) => notice,
            other => panic!("{other:?}"),
        }
    }

    async fn order(&self, order: &str) -> Outcome<OrderState> {
        self.card.query.as_ref().expect("a gateway answers").order(order.to_owned()).await
    }

    async fn statement(&self) -> Option<(Statement, Vec<StatementLine>)> {
        let statements = self.bank.statements.as_ref().expect("a bank reports");
        let file = statements.statement(COLLECTION.to_owned(), day()).await.accepted().expect("an answer")?;
        let read = read_all(&file.raw[..]).expect("a statement");
        assert_eq!(read.problems, [], "{}", file.name);
        assert_eq!(read.statements.len(), 1);
        let listed = read.statements.into_iter().next()?;
        Some((listed.statement, listed.lines))
    }
}

async fn take(
    State(sender): State<mpsc::UnboundedSender<(HeaderMap, Bytes)>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    sender.send((headers, body)).expect("somebody listens");
    StatusCode::NO_CONTENT
}

fn day() -> Day {
    DAY.parse().expect("a day")
}

fn jod(minor: i64) -> Money {
    Money::new(minor, Currency::JOD)
}
