//! What a batch of notices does, decided in order on the locked rows: pure.
//!
//! ```text
//! waiting notices ─► decide ─┬─ money ─► pays · part · suspense
//!                            └─ news ──► declined · reversed · told to refunds
//! ```
//! Each notice sees what those before it in the batch did. What is decided is written by the service, all of it as
//! arrays: the number of statements does not grow with the batch.

mod back;
mod batch;
mod money;
mod news;
mod rail;

pub use back::{Back, order_key};
pub use batch::{Batch, Case, Decided, decide};
