//! A whole deployment of examples: a sandbox bank, a hub that speaks to it over HTTP and files, a portal and
//! officers. `mizan demo` tells a story on it, the tests play in it, the load tool presses it. Nothing in here is
//! reachable in live mode.

mod deployment;
mod onboard;

pub use deployment::{MERCHANT, callback_key, config, sandbox};
pub use onboard::{Officer, Onboarded, onboard};
