//! A whole deployment of examples: a sandbox bank, a hub that speaks to it over HTTP and files, a portal and
//! officers. `mizan demo` tells a story on it, the tests play in it, the load tool presses it. Nothing in here is
//! reachable in live mode.

mod clock;
mod day;
mod deployment;
mod evening;
mod onboard;
mod stage;
mod story;
mod wrong;

pub use clock::StoryClock;
pub use day::{Day, before, order, ordinary};
pub use deployment::{
    CLOSED_ACCOUNT, MERCHANT, PAYER_ACCOUNT, RETURNING_ACCOUNT, callback_key, config, sandbox,
};
pub use evening::{Outcome, close, outcome};
pub use onboard::{Officer, Onboarded, bring_in_force, onboard};
pub use stage::{Order, Stage, text};
pub use story::{Teller, one_payment, refund_by_transfer, settled};
pub use wrong::{EVERYDAY, Wrong};
