//! The sandbox: a bank, a card gateway and their customers in one process, for the demo, tests and onboarding.
//! Its manual is `docs/SANDBOX.md`.
//!
//! It stands for the world outside. It uses none of this crate's other modules, no money type of the hub and no
//! reader's model, so that a mistake made there is not made here a second time and hidden by it.
//!
//! ```text
//! gateway_api page bank_api control_api folder    the ways in
//!        \      |      |        |       /
//!   World: gateway refunds settlement · bank payment_orders · day      what happens, under one lock
//!        |                                    |
//!      books: every movement, debit and credit, checked at each day's end
//! statement_file mt940 payment_status · callback · templates/          the ways out
//! ```

mod amount;
mod bank;
mod bank_api;
mod books;
mod callback;
mod clock;
mod config;
mod control_api;
mod day;
mod faults;
mod folder;
mod gateway;
mod gateway_api;
mod http;
mod mt940;
mod page;
mod pain001;
mod payment_orders;
mod payment_status;
mod refunds;
mod refusal;
mod seed;
mod server;
mod settlement;
mod statement_file;
mod templates;
mod text;
mod world;

pub use clock::Pace;
pub use config::{Account, Config, ConfigError, Contract, Format, Merchant};
pub use server::{Server, StartError};
