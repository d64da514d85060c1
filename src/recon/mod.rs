//! Reconciliation: what the bank says against what the books expect.
//!
//! ```text
//! file ─► statement ─► accepted ─► lines: new ─► matched
//!              │ does not close,          ├─► noticed (a payment nobody told of) ─poster─► matched
//!              │ does not continue        └─► suspense (fits nothing: break)
//!              ├─► quarantined (break) ─► accepted, when what it continues comes · superseded
//!              │ its day is the hub's next
//!              └─► waiting ─► accepted or quarantined, when its day has come
//! ```
//! A bank line is a fact: it is always booked in the end. A verdict is pure, deterministic and stored with its rule
//! and reason; what is ambiguous is never confirmed by the machine. Whatever is read twice adds nothing.

pub mod api;
mod booking;
pub mod jobs;
mod matching;
mod model;
mod rails;
pub mod run;
pub mod service;
mod staging;
pub mod store;

pub use model::{FileSource, Imported, ImportedStatement, ReconError, Statement, Taken};
pub use staging::NewFile;

/// The job that an import leaves: to match what is new.
pub const RECONCILE: &str = "recon.reconcile";
