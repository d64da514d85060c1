//! Who did what to which object. Written by `Tx` with the change itself; append only.

pub mod store;
pub use store::insert;

/// One act to be recorded: `refund.approved` on `rf_...` with what changed.
#[derive(Debug, Clone)]
pub struct NewRecord {
    pub action: &'static str,
    pub object: String,
    pub detail: serde_json::Value,
}
