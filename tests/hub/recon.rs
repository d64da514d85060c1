//! What the bank says against what the books expect: the sandbox bank is the outside.

mod days_off;
mod import;
mod settlement;
mod told;
mod transfer;
mod undone;
mod waiting;
mod written;

use axum::http::Method;
use serde_json::{Value, json};

use crate::world::World;

/// A file as the bank wrote it.
pub struct File {
    pub name: String,
    pub bytes: Vec<u8>,
}

impl World {
    /// The bank and the gateway end a day; answers the statements, one per account of the hub.
    pub async fn close_day(&self, day: &str) -> Vec<File> {
        let closed = self.control("day", json!({ "close": day })).await;
        let banks = &self.app.hub.config.banks;
        let names = closed["files"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned());
        let ours = names.filter(|name| banks.iter().any(|bank| name.starts_with(&bank.account)));
        ours.map(|name| self.statement_file(&name)).collect()
    }

    fn statement_file(&self, name: &str) -> File {
        let path = self.data_dir().join("bank/statements").join(name);
        File { name: name.to_owned(), bytes: std::fs::read(path).unwrap() }
    }

    /// Somebody pays into an account of ours.
    pub async fn transfer(
        &self,
        to: &str,
        amount: &str,
        currency: &str,
        reference: Option<&str>,
        text: &str,
    ) {
        let transfer = json!({
            "to": to, "amount": amount, "currency": currency, "reference": reference, "text": text,
            "payer": "A payer (example)",
        });
        self.control("transfers", transfer).await;
    }

    /// An officer uploads a file; answers status and body.
    pub async fn upload(&self, file: &File) -> (u16, Value) {
        let key = self.app.hub.entropy.token::<20>();
        let path = format!("/v1/finance/statements?name={}", file.name);
        let client = &self.people.reconciler.client;
        let kind = "application/octet-stream";
        let reply = client.send(Method::POST, &path, kind, file.bytes.clone(), Some(&key)).await.unwrap();
        (reply.status, reply.json)
    }

    async fn import_all(&self, files: &[File]) {
        for file in files {
            let (status, body) = self.upload(file).await;
            assert_eq!(status, 201, "{body}");
        }
    }

    /// An officer lets it be matched; answers what was done.
    pub async fn reconcile(&self) -> Value {
        let reply = self.people.reconciler.client.post("/v1/finance/reconcile", &json!({})).await.unwrap();
        assert_eq!(reply.status, 200, "{}", reply.json);
        reply.json
    }

    /// The bank ends the day, its statements come in and are matched.
    pub async fn end_day(&self, day: &str) -> Value {
        let files = self.close_day(day).await;
        self.import_all(&files).await;
        self.reconcile().await
    }

    /// Clocks of hub and bank.
    pub async fn next_morning(&self, now: &str) {
        self.clock.set(now.parse().unwrap());
        self.control("clock", json!({ "now": now })).await;
    }

    /// A card payment from its bill to the books, without a notice when the gateway loses it.
    async fn card_payment(&self, case: &str, notices: i64) -> Value {
        let intent = self.intent(case).await;
        let page = self.choose_card(&intent).await;
        self.decide(&page, "approve").await;
        self.settle(notices).await;
        self.find_intent(intent["id"].as_str().unwrap()).await
    }

    async fn finance(&self, path: &str) -> Value {
        let reply = self.people.reconciler.client.get(path).await.unwrap();
        assert_eq!(reply.status, 200, "{}", reply.json);
        reply.json["data"].clone()
    }

    /// Category and state of every break, sorted.
    pub async fn breaks(&self) -> Vec<(String, String)> {
        let listed = self.finance("/v1/finance/breaks").await;
        let word = |one: &Value, name: &str| one[name].as_str().unwrap().to_owned();
        let mut breaks: Vec<(String, String)> = listed
            .as_array()
            .unwrap()
            .iter()
            .map(|one| (word(one, "category"), word(one, "state")))
            .collect();
        breaks.sort();
        breaks
    }
}

/// The accounts of the example.
const USD: &str = "PS92SBOX000000000000000000003";
pub const ILS: &str = "PS49SBOX000000000000000000001";
pub const JOD: &str = "PS22SBOX000000000000000000002";
