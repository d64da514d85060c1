//! Banks: where payment files go and statements come from.
//!
//! ```text
//! pain.001 ──► submit ──► the bank's reference of the file ──► status ──► pain.002
//! account, day ──► statement ──► camt.053 or MT940 as a file
//! ```
//!
//! Invariants:
//! - a file is handed over once: what the bank may already have is never handed over again;
//! - a bank's answer about a file is news, the statement is money.

pub mod rest;
