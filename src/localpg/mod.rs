//! The embedded default: a private PostgreSQL cluster in the hub's data directory, for when no database is configured.
//!
//! ```text
//!            programs missing         no cluster        stale files        server answers
//! start() ──► install or unpack ──► initdb ──► clear up ──► postgres ──► roles, database, migrations ──► running
//!                                       a live server is found: adopted ─────────▲
//! running ── killed hub ──► the server goes on, the next start() adopts it
//! running ── killed server ──► supervise() starts it again, which recovers from the write-ahead log
//! running ── stop() ──► the last process that uses it stops it; others leave it
//! passing, its process killed ── clear_left() of a later one ──► server ended, folder removed
//! ```
//!
//! Two locks in the data directory keep processes apart, and vanish with a killed process: `turn` is held alone
//! while a cluster is started or stopped, `users` is held together by everybody who uses it. There is only a UNIX
//! socket, in a folder of mode 0700, and PostgreSQL asks the kernel who calls (`peer`). The hub logs in as
//! `mizan_app`; only the bootstrap is a superuser.

mod account;
mod bootstrap;
mod cluster;
mod error;
mod local;
mod locks;
mod passing;
mod place;
mod programs;
mod settings;
pub mod store;
mod tell;
#[cfg(test)]
mod tests;

pub use bootstrap::{DATABASE, MIGRATIONS, Schema, bootstrap, schema};
pub use error::LocalPgError;
pub use local::LocalPg;
pub use passing::{clear_left, discard, keep, passing_folder};
pub use place::{default_data_dir, own};
pub use settings::{Durability, Settings};
