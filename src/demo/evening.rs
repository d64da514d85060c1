//! The evening: the bank closes, its statements are taken in and matched, and the day is proved.

use std::collections::BTreeMap;

use anyhow::ensure;
use mizan_ledger::Day;
use serde_json::{Value, json};

use super::stage::{Stage, text};
use crate::reports::{self, Asked, Proof};

/// The bank closes a day; its statements are handed to the hub and matched. Answers what became of each statement.
pub async fn close(stage: &Stage, day: Day) -> anyhow::Result<Vec<Value>> {
    stage.control("day", &json!({ "close": day })).await?;
    let client = &stage.people.reconciler.client;
    let mut statements = Vec::new();
    for bank in &stage.hub.app.hub.config.banks {
        let (name, bytes) = stage.statement(&bank.name, &bank.account, day).await?;
        let key = format!("statement-{}-{day}", bank.name);
        let path = format!("/v1/finance/statements?name={name}");
        let method = axum::http::Method::POST;
        let reply = client.send(method, &path, "application/octet-stream", bytes, Some(&key)).await?;
        ensure!(reply.status < 300, "{name}: {} {}", reply.status, reply.json);
        for mut one in reply.json["statements"].as_array().into_iter().flatten().cloned() {
            one["format"] = reply.json["format"].clone();
            statements.push(one);
        }
    }
    stage.post(client, "/v1/finance/reconcile", &json!({})).await?;
    Ok(statements)
}

/// What the story came to.
#[derive(Debug)]
pub struct Outcome {
    pub payments: usize,
    /// How many payments are in each state.
    pub states: BTreeMap<String, usize>,
    /// Refunds that were seen leaving.
    pub refunds: usize,
    /// Every break of the story, also those that resolved themselves.
    pub breaks: Vec<Value>,
    pub proof: Proof,
    /// What the check of the whole book found.
    pub verified: mizan_ledger::store::Report,
}

/// The day as it stands in the books now.
pub async fn outcome(stage: &Stage) -> anyhow::Result<Outcome> {
    let (app, reader) = (&stage.hub.app, &stage.people.reconciler.client);
    let intents = stage.all(stage.portal(), "/v1/payment-intents?").await?;
    let mut states: BTreeMap<String, usize> = BTreeMap::new();
    for intent in &intents {
        *states.entry(text(intent, "/state")?.to_owned()).or_default() += 1;
    }
    let refunds = stage.all(reader, "/v1/finance/refunds?state=succeeded&").await?;
    let mut breaks = stage.all(reader, "/v1/finance/breaks?").await?;
    breaks.sort_by_key(|one| (!one["resolved_at"].is_null(), one["category"].to_string()));
    let mut look = app.snapshot().await?;
    let asked = Asked {
        book: &app.hub.book,
        calendar: &app.hub.calendar,
        banks: &app.hub.config.banks,
        day: stage.today,
    };
    let proof = reports::service::daily(&mut look, &asked).await?;
    drop(look);
    let mut conn = app.pool.acquire().await?;
    let verified = app.hub.book.verify(&mut conn, &mut |_| {}).await?;
    Ok(Outcome { payments: intents.len(), states, refunds: refunds.len(), breaks, proof, verified })
}

impl Outcome {
    /// Breaks by category; only those that wait for a person when `open`.
    pub fn count_breaks(&self, open: bool) -> BTreeMap<&str, usize> {
        let waits = |one: &&Value| !open || one["resolved_at"].is_null();
        let mut counted = BTreeMap::new();
        for category in self.breaks.iter().filter(waits).filter_map(|one| one["category"].as_str()) {
            *counted.entry(category).or_default() += 1;
        }
        counted
    }

    /// The books hold and every unit is explained.
    pub fn is_good(&self) -> bool {
        self.proof.ties() && self.verified.is_clean()
    }

    pub fn json(&self) -> anyhow::Result<Value> {
        let proof = serde_json::to_value(reports::view::daily(&self.proof))?;
        let broken = |one: &Value| {
            json!({
                "category": one["category"], "state": one["state"], "money": one["money"], "subject": one["subject"],
            })
        };
        Ok(json!({
            "payments": self.payments,
            "paid": self.states.get("paid").copied().unwrap_or_default(),
            "states": self.states,
            "refunds": self.refunds,
            "breaks": self.count_breaks(false),
            "waiting": self.count_breaks(true),
            "broken": self.breaks.iter().map(broken).collect::<Vec<_>>(),
            "proof": proof["proof"],
            "tied": self.proof.ties(),
            "laws": if self.verified.is_clean() { "hold" } else { "broken" },
        }))
    }
}
