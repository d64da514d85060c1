//! After the pressing: the portal's feed must tell of every payment exactly once, without a gap.

use std::collections::HashSet;

use anyhow::{Context, ensure};

use crate::client::Client;

/// What is wrong with the feed, in words; empty when it tells of exactly these payments.
///
/// # Errors
/// When the feed cannot be read.
pub async fn faults_of_feed(portal: &Client, told: &[String]) -> anyhow::Result<Vec<String>> {
    let mut missing: HashSet<&str> = told.iter().map(String::as_str).collect();
    let mut faults = Vec::new();
    let mut after = 0;
    loop {
        let reply = portal.get(&format!("/v1/events?after={after}&limit=500")).await?;
        ensure!(reply.status == 200, "GET /v1/events: {} {}", reply.status, reply.json);
        for event in reply.json["data"].as_array().context("a feed without a list")? {
            let position = event["position"].as_i64().context("an event without a position")?;
            if position != after + 1 {
                faults.push(format!("the feed goes from {after} to {position}"));
            }
            after = position;
            let id = event.pointer("/data/id").and_then(serde_json::Value::as_str).unwrap_or_default();
            if event["type"] == "payment_intent.paid" && !missing.remove(id) {
                faults.push(format!("{id} was told as paid twice, or was never called back"));
            }
        }
        if reply.json["has_more"] != true {
            break;
        }
    }
    faults.extend(missing.iter().take(FAULTS_MAX).map(|id| format!("{id} was never told as paid")));
    Ok(faults)
}

/// So many missing payments are named; one is enough to fail.
const FAULTS_MAX: usize = 1_000;
