//! The book on PostgreSQL. Run through `.ci/with-pg`.
#![expect(clippy::unwrap_used, reason = "helpers of tests may stop the test too")]

#[path = "../support/mod.rs"]
mod support;

mod chain;
mod changes;
mod export;
mod guards;
mod partitions;
mod posting;
mod schema;
mod statement;
mod together;
mod verify;
