//! A whole deployment of examples: a sandbox bank, a hub that speaks to it over HTTP and files, a portal and
//! officers. `mizan demo` tells a story on it, the tests play in it, the load tool presses it. Nothing in here is
//! reachable in live mode.

pub mod day;
mod deployment;
mod onboard;
mod stage;
pub mod story;

pub use deployment::{
    CLOSED_ACCOUNT, MERCHANT, PAYER_ACCOUNT, RETURNING_ACCOUNT, callback_key, config, sandbox,
};
pub use onboard::{Officer, Onboarded, bring_in_force, onboard};
pub use stage::Stage;
pub use story::Teller;
