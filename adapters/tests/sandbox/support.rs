//! A sandbox with one merchant, and the merchant's own end where callbacks arrive.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use mizan_adapters::sandbox::{Account, Config, Contract, Format, Merchant, Pace, Server};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

pub const ILS: &str = "PS92PALS000000000400123456702";
pub const JOD: &str = "JO94CBJO0010000000000131000302";
pub const AGENCY: &str = "EG380019000500000000263180002";
pub const RETURNING: &str = "0101999001";
pub const CLOSED: &str = "0101999002";
pub const DAY: &str = "2026-11-22";

/// Settings with made-up keys and published example account numbers.
pub fn config() -> Config {
    let account = |iban: &str, currency: &str, owner: &str, opening: &str| Account {
        iban: iban.into(),
        currency: currency.into(),
        owner: owner.into(),
        opening: opening.into(),
        statement: Format::default(),
    };
    let contract = |currency: &str, account: &str, fixed: &str| Contract {
        currency: currency.into(),
        account: account.into(),
        rate: "0.015".into(),
        fixed: fixed.into(),
    };
    let merchant = |id: &str, key: &str| Merchant {
        id: id.into(),
        name: "بوابة الخدمات (مثال)".into(),
        api_key: key.into(),
        callback_key: "callback-key".into(),
        contracts: vec![contract("ILS", ILS, "0.50"), contract("JOD", JOD, "0.050")],
    };
    Config {
        merchants: vec![merchant("PORTAL", "key-of-portal"), merchant("OTHER", "key-of-other")],
        accounts: vec![
            account(ILS, "ILS", "Collection ILS (example)", "1000.00"),
            account(JOD, "JOD", "تحصيل دينار (مثال)", "0.000"),
            account(AGENCY, "ILS", "Agency (example)", "-25.50"),
        ],
        returning: [RETURNING.to_owned()].into(),
        closed: [CLOSED.to_owned()].into(),
        folder: None,
        seed: 7,
        day: DAY.parse().unwrap(),
        now: "2026-11-22T08:00:00Z".parse().unwrap(),
        pace: Pace::Standing,
        callback_retry_ms: 5,
    }
}

/// A callback as it came in.
#[derive(Clone, Debug)]
pub struct Received {
    pub headers: HeaderMap,
    pub signature: String,
    pub delivery: String,
    pub raw: Vec<u8>,
    pub body: Value,
}

#[derive(Debug)]
struct Door {
    sender: mpsc::UnboundedSender<Received>,
    answer: AtomicU16,
}

/// A running sandbox and the merchant's door for callbacks.
pub struct Sandbox {
    pub server: Option<Server>,
    pub url: String,
    http: reqwest::Client,
    callbacks: Mutex<mpsc::UnboundedReceiver<Received>>,
    door: Arc<Door>,
    pub callback_url: String,
    _loops: JoinSet<()>,
}

pub fn client() -> reqwest::Client {
    // Another test may have installed it already.
    rustls::crypto::ring::default_provider().install_default().ok();
    reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

fn loopback() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

impl Sandbox {
    pub async fn start() -> Self {
        Self::with(config()).await
    }

    pub async fn in_folder(folder: PathBuf) -> Self {
        Self::with(Config { folder: Some(folder), ..config() }).await
    }

    pub async fn with(config: Config) -> Self {
        let server = Server::start(config, loopback()).await.unwrap();
        let (sender, callbacks) = mpsc::unbounded_channel();
        let door = Arc::new(Door { sender, answer: AtomicU16::new(204) });
        let listener = tokio::net::TcpListener::bind(loopback()).await.unwrap();
        let callback_url = format!("http://{}/callback", listener.local_addr().unwrap());
        let router = Router::new().route("/callback", post(take)).with_state(Arc::clone(&door));
        let mut loops = JoinSet::new();
        loops.spawn(async move { axum::serve(listener, router).await.unwrap() });
        let url = server.url().to_owned();
        let callbacks = Mutex::new(callbacks);
        Self { server: Some(server), url, http: client(), callbacks, door, callback_url, _loops: loops }
    }

    /// From now on callbacks are answered with this status.
    pub fn answer_callbacks(&self, status: u16) {
        self.door.answer.store(status, Ordering::SeqCst);
    }

    /// The next callback; a test fails when none comes.
    #[expect(clippy::await_holding_lock, reason = "one test waits for callbacks at one place")]
    pub async fn callback(&self) -> Received {
        let mut callbacks = self.callbacks.lock().unwrap();
        tokio::time::timeout(Duration::from_secs(30), callbacks.recv()).await.expect("a callback").unwrap()
    }

    pub async fn get(&self, path: &str) -> (u16, Value) {
        self.get_as("key-of-portal", path).await
    }

    pub async fn get_as(&self, key: &str, path: &str) -> (u16, Value) {
        json_of(self.http.get(format!("{}{path}", self.url)).bearer_auth(key).send().await.unwrap()).await
    }

    pub async fn get_text(&self, path: &str) -> String {
        String::from_utf8(self.get_bytes(path).await).unwrap()
    }

    pub async fn get_bytes(&self, path: &str) -> Vec<u8> {
        let answer =
            self.http.get(format!("{}{path}", self.url)).bearer_auth("key-of-portal").send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200, "{path}");
        answer.bytes().await.unwrap().to_vec()
    }

    pub async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.post_bytes(path, body.to_string().into_bytes()).await
    }

    pub async fn post_bytes(&self, path: &str, body: Vec<u8>) -> (u16, Value) {
        json_of(self.request(path, body).send().await.unwrap()).await
    }

    pub fn request(&self, path: &str, body: Vec<u8>) -> reqwest::RequestBuilder {
        self.http.post(format!("{}{path}", self.url)).bearer_auth("key-of-portal").body(body)
    }

    pub fn order(&self, order: &str, amount: &str, currency: &str) -> Value {
        json!({
            "merchant": "PORTAL", "order": order, "amount": amount, "currency": currency,
            "description": "رسوم <رخصة> & خدمة", "return_url": "http://127.0.0.1:9/return?x=1",
            "callback_url": self.callback_url,
        })
    }

    /// Opens a session; gives the page's address.
    pub async fn open(&self, order: &str, amount: &str, currency: &str) -> String {
        let (status, body) = self.post("/gateway/v1/sessions", self.order(order, amount, currency)).await;
        assert_eq!(status, 201, "{body}");
        body["page_url"].as_str().unwrap().to_owned()
    }

    /// Posts the page's form; gives where the payer is sent.
    pub async fn choose(&self, page_url: &str, form: &str) -> String {
        let request = self.http.post(format!("{page_url}/pay")).body(form.to_owned());
        let answer =
            request.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 303);
        answer.headers()["location"].to_str().unwrap().to_owned()
    }

    /// A payment from the first call to its callback; gives the transaction.
    pub async fn pay(&self, order: &str, amount: &str, currency: &str) -> String {
        let page_url = self.open(order, amount, currency).await;
        self.choose(&page_url, "outcome=approve").await;
        let (status, body) = self.get(&format!("/gateway/v1/orders/{order}")).await;
        assert_eq!((status, body["status"].as_str()), (200, Some("CAPTURED")));
        body["transaction"].as_str().unwrap().to_owned()
    }

    pub async fn faults(&self, faults: Value) {
        let (status, body) = self.post("/control/faults", faults).await;
        assert_eq!(status, 200, "{body}");
    }

    pub async fn close(&self, day: &str) -> Value {
        let (status, body) = self.post("/control/day", json!({"close": day})).await;
        assert_eq!(status, 200, "{body}");
        body
    }

    pub async fn set_clock(&self, now: &str) {
        assert_eq!(self.post("/control/clock", json!({"now": now})).await.0, 200);
    }

    pub async fn transfer(&self, transfer: Value) -> String {
        let (status, body) = self.post("/control/transfers", transfer).await;
        assert_eq!(status, 200, "{body}");
        body["bank_reference"].as_str().unwrap().to_owned()
    }

    pub async fn state(&self) -> Value {
        let (status, state) = self.get("/control/state").await;
        assert_eq!(status, 200);
        assert_eq!(state["totals_hold"], true);
        state
    }

    pub async fn camt(&self, account: &str, day: &str) -> Camt {
        let path = format!("/bank/v1/accounts/{account}/statements/{day}?format=camt.053.001.08");
        Camt(self.get_text(&path).await)
    }
}

async fn take(State(door): State<Arc<Door>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header =
        |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
    let received = Received {
        headers: headers.clone(),
        signature: header("x-gateway-signature"),
        delivery: header("x-gateway-delivery"),
        raw: body.to_vec(),
        body: serde_json::from_slice(&body).unwrap(),
    };
    assert_eq!(header("content-type"), "application/json");
    door.sender.send(received).ok();
    StatusCode::from_u16(door.answer.load(Ordering::SeqCst)).unwrap()
}

async fn json_of(answer: reqwest::Response) -> (u16, Value) {
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap_or(Value::Null))
}

/// A camt.053 read with plain string search: an eye of its own.
pub struct Camt(pub String);

impl Camt {
    /// The signed minor units of a balance.
    pub fn balance(&self, code: &str) -> i64 {
        let balance = inside_all(&self.0, "Bal")
            .into_iter()
            .find(|balance| balance.contains(&format!("<Cd>{code}</Cd>")));
        signed(&balance.unwrap())
    }

    pub fn entries(&self) -> Vec<String> {
        inside_all(&self.0, "Ntry")
    }

    pub fn amounts(&self) -> Vec<i64> {
        self.entries().iter().map(|entry| signed(entry)).collect()
    }

    pub fn sequence(&self) -> u32 {
        inside(&self.0, "ElctrncSeqNb").unwrap().parse().unwrap()
    }
}

fn signed(xml: &str) -> i64 {
    let minor: i64 = inside(xml, "Amt").unwrap().replace('.', "").parse().unwrap();
    if inside(xml, "CdtDbtInd").unwrap() == "DBIT" { -minor } else { minor }
}

/// The content of the first element of this name.
pub fn inside(xml: &str, name: &str) -> Option<String> {
    inside_all(xml, name).into_iter().next()
}

/// The contents of all elements of this name.
pub fn inside_all(xml: &str, name: &str) -> Vec<String> {
    let (mut found, mut rest) = (Vec::new(), xml);
    while let Some(start) = rest.find(&format!("<{name}>")).or_else(|| rest.find(&format!("<{name} "))) {
        let content = start + rest[start..].find('>').unwrap() + 1;
        let end = content + rest[content..].find(&format!("</{name}>")).unwrap();
        found.push(rest[content..end].to_owned());
        rest = &rest[end..];
    }
    found
}
