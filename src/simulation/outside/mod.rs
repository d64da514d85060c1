//! Everybody the hub deals with: a card gateway and a bank, in memory, with books of their own and faults on purpose.
//!
//! They share no code with the adapters but the values of `channel`, and their statements are written here as text, so
//! that the hub's reading is held against another writing. Nothing in here knows what the hub believes.

mod accounts;
mod bank;
mod gateway;
mod parties;
mod settling;
mod statement;
mod world;

pub(super) use accounts::Given;
pub(super) use bank::Transfer;
pub(super) use parties::Outside;
pub(super) use world::{Decision, MERCHANTS};
