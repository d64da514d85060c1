//! The rooms of the hub and which may use which.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Finding, Source, crate_paths};

/// What every room may use. It uses no slice itself, but for the publisher, which feeds the webhooks.
const FOUNDATION: [&str; 23] = [
    "access",
    "app",
    "audit",
    "books",
    "breaks",
    "channels",
    "client",
    "config",
    "crash",
    "entropy",
    "events",
    "expectations",
    "fault",
    "group",
    "http",
    "ids",
    "journal",
    "keys",
    "localpg",
    "queue",
    "suspense",
    "telemetry",
    "tx",
];

/// Each slice and the slices it may use.
const SLICES: [(&str, &[&str]); 19] = [
    ("catalogue", &[]),
    ("counters", &["inbox", "intents", "refunds"]),
    ("demo", &["catalogue", "inbox", "reports", "start"]),
    ("disputes", &["intents"]),
    ("documents", &[]),
    // A report releases what no refund has taken.
    ("fulfilment", &["intents", "quoting", "catalogue", "refunds"]),
    ("inbox", &["intents", "quoting", "receipts", "refunds", "settlement", "disputes"]),
    ("intents", &["quoting", "catalogue", "receipts"]),
    // Presses the example deployment with a catalogue of its own.
    ("load", &["catalogue", "demo", "start"]),
    ("notify", &[]),
    ("pay", &["intents", "quoting", "catalogue", "receipts"]),
    ("quoting", &["catalogue"]),
    ("receipts", &["documents"]),
    ("recon", &["inbox", "intents", "refunds", "settlement"]),
    // The price says what may be given back: policies stand in the quote's lines.
    ("refunds", &["intents", "quoting", "catalogue", "receipts"]),
    (
        "reports",
        &["catalogue", "counters", "disputes", "documents", "intents", "recon", "refunds", "settlement"],
    ),
    ("settlement", &["catalogue", "intents"]),
    (
        "simulation",
        // A life goes through every slice, in the example deployment, and its days are proved.
        &[
            "catalogue",
            "demo",
            "fulfilment",
            "inbox",
            "intents",
            "quoting",
            "receipts",
            "recon",
            "refunds",
            "reports",
            "settlement",
            "start",
        ],
    ),
    ("webhooks", &[]),
];

/// Ways in, which put the rooms together. Only these and lib and main know them.
const WAYS_IN: [&str; 2] = ["cli", "console"];

/// What starts the hub; it is no room.
const START: &str = "start";

/// Files that assemble: they may name every room but the ways in. (The unit of work carries the catalogue cache.)
const ASSEMBLY: [&str; 5] =
    ["src/app.rs", "src/http/router.rs", "src/http/openapi.rs", "src/start.rs", "src/tx.rs"];

fn slice(room: &str) -> Option<&'static [&'static str]> {
    SLICES.iter().find(|(name, _)| *name == room).map(|(_, uses)| *uses)
}

fn is_room(name: &str) -> bool {
    slice(name).is_some() || FOUNDATION.contains(&name) || WAYS_IN.contains(&name) || name == START
}

pub fn known_to_migrations(room: &str) -> bool {
    room == "ledger" || is_room(room)
}

/// Every folder and file below src/ is a room of the tables above.
pub fn every_room_is_known(file: &Source) -> Vec<Finding> {
    let module = file.module();
    match module.first() {
        Some(room) if file.is_rust() && file.path.starts_with("src/") && !is_room(room) => {
            vec![file.found(
                1,
                format!("`{room}` is no room: add it to tests/tidy/rooms.rs and docs/ARCHITECTURE.md"),
            )]
        }
        _ => Vec::new(),
    }
}

/// A room uses only the rooms its line in the table names, and of another slice never the store.
pub fn directions(file: &Source) -> Vec<Finding> {
    if !file.is_rust() || !file.path.starts_with("src/") {
        return Vec::new();
    }
    let Some(own) = file.module().first().cloned() else { return Vec::new() };
    let mut findings = BTreeSet::new();
    for (line, path) in crate_paths(file) {
        let Some(other) = path.first().filter(|room| **room != own && is_room(room)) else { continue };
        let named = path.join("::");
        if let Some(why) = refusal(file, &own, other, path.get(1).map(String::as_str)) {
            findings.insert(file.found(line, format!("crate::{named}: {why}")));
        }
    }
    findings.into_iter().collect()
}

fn refusal(file: &Source, own: &str, other: &str, part: Option<&str>) -> Option<String> {
    // The console's pages hang on the one router of the hub.
    let routed = other == "console" && file.path == "src/http/router.rs";
    if WAYS_IN.contains(&other) && !routed {
        return Some(format!("only lib and main use {other}"));
    }
    if WAYS_IN.contains(&own) || ASSEMBLY.contains(&file.path.as_str()) || FOUNDATION.contains(&other) {
        return None;
    }
    if part == Some("store") && own != "simulation" {
        return Some("another slice's rows are reached through its service".to_owned());
    }
    if file.path.ends_with("/api.rs") && own != "pay" {
        return Some("an api knows its own slice only".to_owned());
    }
    if FOUNDATION.contains(&own) {
        let feeds = file.path == "src/events/publisher.rs" && other == "webhooks";
        return (!feeds).then(|| format!("{own} lies below the slices"));
    }
    let allowed = slice(own).is_some_and(|uses| uses.contains(&other));
    (!allowed).then(|| format!("{own} may not use {other}"))
}

/// A circle in the table, if there is one.
pub fn circle(edges: &[(&str, &[&str])]) -> Option<String> {
    fn visit<'a>(
        room: &'a str,
        edges: &BTreeMap<&'a str, &'a [&'a str]>,
        trail: &mut Vec<&'a str>,
        done: &mut BTreeSet<&'a str>,
    ) -> Option<String> {
        if trail.contains(&room) {
            return Some(format!("{} -> {room}", trail.join(" -> ")));
        }
        if done.contains(room) {
            return None;
        }
        trail.push(room);
        for next in edges.get(room).copied().unwrap_or_default() {
            if let Some(found) = visit(next, edges, trail, done) {
                return Some(found);
            }
        }
        trail.pop();
        done.insert(room);
        None
    }
    let table: BTreeMap<&str, &[&str]> = edges.iter().copied().collect();
    let mut done = BTreeSet::new();
    table.keys().find_map(|room| visit(room, &table, &mut Vec::new(), &mut done))
}

pub fn table() -> &'static [(&'static str, &'static [&'static str])] {
    &SLICES
}
