//! The command line, one file per command. Results on stdout, everything else on stderr.
//!
//! Exit codes: 0 done, 1 the answer is "no", 2 wrong usage, 3 environment (database, network).

mod call;
mod catalogue;
mod database;
mod demo;
mod doctor;
mod key;
mod key_file;
mod ledger;
mod ledger_export;
mod load;
mod login;
mod migrate;
mod output;
mod portal;
mod reconcile;
mod remote;
mod report;
mod run;
mod sandbox;
mod serve;
mod simulate;
mod statement;
mod stop;
mod user;

pub use run::{Cli, run};

/// What was asked cannot be meant: exit code 2, where the arguments alone did not show it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

/// The answer of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Yes,
    /// Exit code 1: a check failed, a law is broken.
    No,
}
