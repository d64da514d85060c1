//! The sandbox over real HTTP, as its manual describes it. Nothing here uses the crate's readers.
#![cfg(feature = "sandbox")]
#![expect(clippy::unwrap_used, reason = "what a test needs and does not get fails it")]

mod bank;
mod callbacks;
mod faults;
mod folder;
mod gateway;
mod payments;
mod schemas;
mod support;
