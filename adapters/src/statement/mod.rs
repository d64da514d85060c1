//! Bank statements: camt.052, .053 and .054 of every version, MT940 and MT942, read into one neutral model.
//!
//! ```text
//! bytes ── source (encoding) ── detect ──┬── camt  ──┐
//!                                        └── mt940 ──┴── Event: Opened · Line* · Problem* · Closed
//! ```
//!
//! Reading is tolerant, booking is strict: what is odd becomes a [`Problem`] with its place and is shown; only a
//! file that cannot be understood is [`Refused`]. An amount is never rounded and never guessed: a line whose
//! money cannot be read is left out, and its statement then does not close ([`Statement::closes`]).
//!
//! The reader is an iterator in constant memory: a file of any size goes through one line at a time.

mod bounds;
mod camt;
pub mod check;
mod closing;
mod detect;
mod model;
mod mt940;
mod reader;
pub(crate) mod source;
mod values;
pub(crate) mod xml;

pub use closing::{Balance, BalanceKind, Totals};
pub use model::{
    BankCode, Batch, Evidence, Exchange, LineStatus, Page, Party, Problem, References, Refused, ReturnReason,
    Stamp, Statement, StatementKind, StatementLine, Transaction,
};
pub use reader::{Event, Limits, Listed, ReadFile, Reader, open, read_all};
