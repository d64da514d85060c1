//! The adapters against a peer that can be made to answer anything, or nothing.

mod bank;
mod foreign_bank;
mod gateway;
mod peer;
