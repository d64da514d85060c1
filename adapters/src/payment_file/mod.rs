//! Payment files: orders to a bank, written, and the bank's word about them, read.
//!
//! ```text
//! PaymentFile + Profile ──► check ──► pain.001 bytes, control sum, SHA-256
//! pain.002 or pacs.002, any version ──► StatusReport ──► one status per order
//! ```
//!
//! Invariants:
//! - what we write validates against the ISO 20022 schema of its version; a file with one fault is not written;
//! - what we read may be of any version, wrapped or not: local names decide;
//! - only ACSC and ACCC say that money has moved, and even then the statement has the last word.

mod latin;
mod model;
pub mod pain001;
pub mod pain002;
mod text;
mod xml;

pub use model::{
    Account, Agent, Booking, ChargeBearer, Charset, Choice, Fault, PaymentFile, PaymentOrder, Problem,
    Profile, Version,
};
pub use pain002::{Progress, Reason, StatusReport};
