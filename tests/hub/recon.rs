//! What the bank says against what the books expect: the sandbox bank is the outside.

mod import;

use axum::http::Method;
use serde_json::{Value, json};

use crate::world::World;

/// A file as the bank wrote it.
pub struct File {
    pub name: String,
    pub bytes: Vec<u8>,
}

impl World {
    /// The bank and the gateway end a day; answers the statements, one per account.
    async fn close_day(&self, day: &str) -> Vec<File> {
        let closed = self.control("day", json!({ "close": day })).await;
        let names = closed["files"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned());
        names.map(|name| self.statement_file(&name)).collect()
    }

    fn statement_file(&self, name: &str) -> File {
        let path = self.data_dir().join("bank/statements").join(name);
        File { name: name.to_owned(), bytes: std::fs::read(path).unwrap() }
    }

    /// Somebody pays into an account of ours.
    async fn transfer(&self, to: &str, amount: &str, currency: &str, reference: Option<&str>, text: &str) {
        let transfer = json!({
            "to": to, "amount": amount, "currency": currency, "reference": reference, "text": text,
            "payer": "A payer (example)",
        });
        self.control("transfers", transfer).await;
    }

    /// An officer uploads a file; answers status and body.
    async fn upload(&self, file: &File) -> (u16, Value) {
        let key = self.app.hub.entropy.token::<20>();
        let path = format!("/v1/finance/statements?name={}", file.name);
        let client = &self.people.reconciler.client;
        let kind = "application/octet-stream";
        let reply = client.send(Method::POST, &path, kind, file.bytes.clone(), Some(&key)).await.unwrap();
        (reply.status, reply.json)
    }

    async fn finance(&self, path: &str) -> Value {
        let reply = self.people.reconciler.client.get(path).await.unwrap();
        assert_eq!(reply.status, 200, "{}", reply.json);
        reply.json["data"].clone()
    }

    /// Category and state of every break, sorted.
    async fn breaks(&self) -> Vec<(String, String)> {
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
pub const ILS: &str = "PS49SBOX000000000000000000001";
