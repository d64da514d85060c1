//! The hub as its users meet it: real HTTP, a real PostgreSQL, the sandbox bank outside. Modules mirror the rooms.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "what a test needs and does not get fails it, or it says so"
)]

mod access;
mod arrivals;
mod bad_input;
mod breaks;
mod catalogue;
mod cli;
mod configuration;
mod console;
mod crash;
mod demo;
mod direct_refunds;
mod ending;
mod events;
mod evidence;
mod example_portal;
mod free_of_charge;
mod fulfilment;
mod hostile;
mod jobs;
mod journals;
#[expect(clippy::print_stdout, reason = "it says which judge is missing")]
#[path = "../judges/mod.rs"]
mod judges;
mod large_postings;
mod load;
mod modes;
mod money_modes;
mod one_connection;
mod openapi;
mod parts;
mod payments;
mod prices;
mod recon;
mod refunds;
mod reports;
#[path = "../support/schemas.rs"]
mod schemas;
mod set_aside;
mod signatures;
mod silence;
mod simulation;
mod stray_money;
mod together;
mod two_people;
mod webhooks;
mod world;
