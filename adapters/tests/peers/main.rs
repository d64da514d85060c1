//! The adapters against their peers: one that can be made to answer anything, or nothing; a bank nobody here
//! wrote; and the sandbox.

mod bank;
mod foreign_bank;
mod gateway;
mod peer;
#[cfg(feature = "sandbox")]
mod sandbox;
