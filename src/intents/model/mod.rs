//! What an intent is and what may happen to it: pure.

mod attempt;
mod error;
mod intent;
mod new;
mod state;

pub use attempt::{Attempt, AttemptEvent, AttemptState};
pub use error::IntentError;
pub use intent::{Arrival, Intent, Misfit};
pub use new::{NewIntent, Payer, PayerKind};
pub use state::{Illegal, IntentEvent, IntentState};
