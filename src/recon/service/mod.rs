//! The use cases of reconciliation, one file each.

mod import;

pub use import::import;
