//! The use cases of reconciliation, one file each.

mod aside;
mod chain;
mod direct;
mod explained;
mod import;
mod overdue;
mod reconcile;
mod refunds;
mod reports;

pub use chain::judge_waiting;
pub use direct::{match_direct, set_aside_direct};
pub use explained::match_explained;
pub use import::import;
pub use overdue::{explain_suspense, open_overdue};
pub use reconcile::{LINES_MAX, Slice, Step, match_lines, match_silent};
pub use reports::{Told, not_told, told, want_direct};
