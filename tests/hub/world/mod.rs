//! A world of its own for a test: a database, a hub on a port, the sandbox bank, a portal and officers.
//!
//! Nothing runs by itself but the listener and the sandbox: the test says when the poster, the sweeper and the other
//! loops take a step, so that it never waits for time to pass.

#![allow(dead_code, reason = "each test module uses its own part of the world")]

#[path = "../../support/pg.rs"]
mod pg;
pub use pg::TestDb;
mod staff;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mizan::app::App;
use mizan::client::{Client, Reply};
use mizan::config::Config;
use mizan::demo::{self, Onboarded};
use mizan::entropy::Entropy;
use mizan::{inbox, start};
use mizan_adapters::sandbox::Server;
use mizan_ledger::{Day, Instant, ManualClock};
use serde_json::{Value, json};
use sqlx::ConnectOptions;
use tokio::net::TcpListener;

pub struct World {
    pub app: App,
    pub clock: ManualClock,
    pub bank: Server,
    pub people: Onboarded,
    pub base: String,
    pub http: reqwest::Client,
    data_dir: tempfile::TempDir,
    db: pg::TestDb,
    listener: tokio::task::JoinHandle<()>,
}

/// A Sunday morning in Hebron.
pub const MORNING: &str = "2026-11-22T08:00:00Z";
pub const TODAY: &str = "2026-11-22";

pub fn today() -> Day {
    TODAY.parse().unwrap()
}

fn project() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

impl World {
    pub async fn new() -> Self {
        Self::configured(|_| {}).await
    }

    /// A world whose hub somebody has configured otherwise.
    pub async fn configured(change: impl FnOnce(&mut Config)) -> Self {
        let catalogue = project().join("config/catalogue");
        Self::of(&[catalogue.join("standards"), catalogue.join("hukumati")], change).await
    }

    /// A world whose example tariffs somebody has changed.
    pub async fn with_tariffs(edit: impl Fn(String) -> String) -> Self {
        let changed = tempfile::tempdir().unwrap();
        let folders = ["standards", "hukumati"].map(|folder| {
            let (from, to) = (project().join("config/catalogue").join(folder), changed.path().join(folder));
            std::fs::create_dir_all(&to).unwrap();
            for file in std::fs::read_dir(from).unwrap().map(|file| file.unwrap().path()) {
                let text = edit(std::fs::read_to_string(&file).unwrap());
                std::fs::write(to.join(file.file_name().unwrap()), text).unwrap();
            }
            to
        });
        Self::of(&folders, |_| {}).await
    }

    async fn of(catalogue: &[PathBuf], change: impl FnOnce(&mut Config)) -> Self {
        let db = pg::TestDb::new().await;
        let data_dir = tempfile::tempdir().unwrap();
        let now: Instant = MORNING.parse().unwrap();
        let clock = ManualClock::new(now);
        let outside = data_dir.path().join("bank");
        std::fs::create_dir_all(&outside).unwrap();
        let settings = demo::sandbox(today(), now, Some(&outside), 7);
        let bank = Server::start(settings, ([127, 0, 0, 1], 0).into()).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut config = demo::config(data_dir.path(), address, bank.url());
        change(&mut config);
        let url = db.app_options().to_url_lossy().to_string();
        let app = start::app(config, &url, Arc::new(clock.clone()), Entropy::seeded(7)).await.unwrap();
        let routes = mizan::http::router::router(app.clone());
        let routes = routes.into_make_service_with_connect_info::<SocketAddr>();
        #[expect(clippy::disallowed_methods, reason = "the test's own listener; no hub loop")]
        let listener = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        let base = format!("http://{address}");
        let folders: Vec<&Path> = catalogue.iter().map(PathBuf::as_path).collect();
        let people = demo::onboard(&app, &base, &folders).await.unwrap();
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { app, clock, bank, people, base, http, data_dir, db, listener }
    }

    pub fn portal(&self) -> &Client {
        &self.people.portal_client
    }

    pub fn data_dir(&self) -> &Path {
        self.data_dir.path()
    }

    pub fn db(&self) -> &pg::TestDb {
        &self.db
    }

    /// An intent for one passport in shekels (EXAMPLE tariff), opened in one call.
    pub async fn intent(&self, reference: &str) -> Value {
        let reply = self.try_intent(reference).await;
        assert_eq!(reply.status, 201, "{}", reply.json);
        reply.json
    }

    /// The same, whatever is answered.
    pub async fn try_intent(&self, reference: &str) -> Reply {
        let body = json!({
            "currency": "ILS",
            "lines": [{ "service": "interior/passport", "inputs": { "reason": "new", "urgent": false } }],
            "external_reference": reference,
        });
        self.portal().post("/v1/payment-intents", &body).await.unwrap()
    }

    /// The payer chooses the card; answers the gateway's page.
    pub async fn choose_card(&self, intent: &Value) -> String {
        let url = intent["pay_url"].as_str().unwrap();
        let response = self.form(url, "channel=card").await;
        assert_eq!(response.status(), 303);
        response.headers()["location"].to_str().unwrap().to_owned()
    }

    /// The payer decides on the gateway's page: `approve` or `decline`.
    pub async fn decide(&self, page: &str, outcome: &str) {
        let response = self.form(&format!("{page}/pay"), &format!("outcome={outcome}")).await;
        assert_eq!(response.status(), 303);
    }

    /// What a browser sends for a form.
    pub async fn form(&self, url: &str, fields: &str) -> reqwest::Response {
        let request = self.http.post(url).header("content-type", "application/x-www-form-urlencoded");
        request.body(fields.to_owned()).send().await.unwrap()
    }

    /// Pays by card up to the hub's books.
    pub async fn pay_by_card(&self, intent: &Value) {
        let page = self.choose_card(intent).await;
        self.decide(&page, "approve").await;
        self.settle(1).await;
    }

    /// Waits until `notices` more have arrived than were applied, then lets the poster apply all.
    pub async fn settle(&self, notices: i64) {
        for _ in 0..200 {
            let mut conn = self.app.pool.acquire().await.unwrap();
            if inbox::store::count_waiting(&mut conn).await.unwrap() >= notices {
                break;
            }
            drop(conn);
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        while inbox::jobs::post_once(&self.app).await.unwrap() > 0 {}
    }

    pub async fn find_intent(&self, id: &str) -> Value {
        self.get(&format!("/v1/payment-intents/{id}")).await.json
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.portal().get(path).await.unwrap()
    }

    /// One of the sandbox's control calls.
    pub async fn control(&self, path: &str, body: Value) -> Value {
        let url = format!("{}/control/{path}", self.bank.url());
        let response = self.http.post(url).json(&body).send().await.unwrap();
        assert!(response.status().is_success(), "{}", response.text().await.unwrap());
        response.json().await.unwrap()
    }

    /// Debit-positive balances of the book by account code and currency.
    pub async fn balances(&self) -> std::collections::BTreeMap<String, i64> {
        let mut conn = self.app.pool.acquire().await.unwrap();
        let balances = self.app.hub.book.balances(&mut conn).await.unwrap();
        balances
            .into_iter()
            .map(|one| (format!("{} {}", one.account.code, one.account.currency), one.balance.net_minor()))
            .filter(|(_, minor)| *minor != 0)
            .collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

impl World {
    /// An intent that the hub refuses; answers the problem.
    pub async fn intent_refused(&self, reference: &str) -> Value {
        let body = json!({
            "currency": "ILS",
            "lines": [{ "service": "interior/passport", "inputs": { "reason": "new", "urgent": false } }],
            "external_reference": reference,
        });
        let reply = self.portal().post("/v1/payment-intents", &body).await.unwrap();
        assert!(reply.status >= 400, "{}", reply.json);
        reply.json
    }
}
