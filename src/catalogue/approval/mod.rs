//! Catalogue files on their way into force: one person submits, another sees what they change and decides.
//!
//! ```text
//! submitted ──approved──▶ approved     in force, from the first days of its versions
//!     ├──────refused────▶ returned     by another person, with a reason
//!     └─────withdrawn───▶ withdrawn    by an author
//! ```
//!
//! The approver names the SHA-256 of the files that were shown, and the catalogue is still the one that they were
//! compared with: nobody approves blindly, and no old file takes a newer decision back. Mending is submitting again.

pub mod api;
pub mod model;
pub mod service;
pub mod store;
mod view;

pub use model::{Illegal, Import, ImportEvent, ImportState, fingerprint};
pub use service::{Approval, CatalogueError, Refusal, Submitted};
