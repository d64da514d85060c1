//! The use cases of reconciliation, one file each.

mod aside;
mod chain;
mod import;
mod overdue;
mod reconcile;
mod refunds;
mod reports;
mod undone;
mod unlined;

pub use aside::{UnreadFile, close_file_break, open_file_break};
pub use chain::judge_waiting;
pub use import::import;
pub use overdue::{explain_debits, explain_suspense, open_overdue};
pub use reconcile::{LINES_MAX, Slice, Step, Treat, match_lines};
pub use refunds::{find_booked, hear, recover};
pub use reports::{Told, not_told, told, want_direct};
pub use unlined::{Unlined, match_unlined, set_aside_unlined};
