//! A seeded life of the hub: portals ask, payers pay, banks err, processes die, and the laws hold all the same.
//!
//! ```text
//! seed ─► dice ─► the next step: open · choose · pay · fulfil · refund · deliver · post · publish · work · sweep · close a day · crash ...
//!                    │ one awaited at a time; no loop runs, and the clock stands until a step moves it
//!                    ▼
//!          the hub ◄──► outside: a card gateway and a bank with books of their own, in memory, erring on purpose
//!                    │
//!                    ▼ every few hundred steps, and at the end when everything has settled
//!                  laws: the book, the payments, the suspense, the bank, the feed and every day's proof
//! ```
//! The same seed gives the same life, down to the hash of the last entry: a broken law is reproduced by its seed.
//! One module for `mizan simulate` and for the tests.

mod agencies;
mod dice;
mod giving;
mod laws;
mod life;
mod officers;
mod outside;
mod payers;
mod paying_in;
mod stage;
mod store;
mod upkeep;

pub use life::{Outcome, Plan, run};
