//! Banks: where payment files go and statements come from.
//!
//! ```text
//! pain.001 ──► submit ──► the bank's reference of the file ──► status ──► pain.002
//! account, day ──► statement ──► camt.053 or MT940 as a file
//! ```
//!
//! Invariants:
//! - what the bank may already have is handed over again to a bank only that refuses what it took before;
//! - a bank's answer about a file is news, the statement is money.

pub mod rest;
