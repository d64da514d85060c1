//! The sandbox over real HTTP, as its manual describes it. Only `readers` and
//! `adapters` use the rest of the crate: there the two meet.
#![cfg(feature = "sandbox")]
#![expect(clippy::unwrap_used, reason = "what a test needs and does not get fails it")]

mod adapters;
mod bank;
mod callbacks;
mod faults;
mod folder;
mod gateway;
mod payments;
mod readers;
mod schemas;
mod support;
