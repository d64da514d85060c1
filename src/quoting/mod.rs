//! What a citizen is promised: a price that says why, until when, and is kept.
//!
//! ```text
//! FeeVersion + inputs + claim + day + currency ──price──▶ Priced (lines, explanation, total)
//! many Priced in one currency ──▶ Basket ──Promise──▶ bytes to sign
//!
//! open ──redeemed──▶ used        once, by one intent
//!   └────time────▶ expired       never later than the last day of any line's fee version
//! ```
//!
//! `inputs` reads what was asked, `rules` computes one component, `explain` says it in both languages,
//! `pricing` puts the lines together, `basket` the services; `refusal` names everything wrong with a request.
//! `promise` lays out what is signed, `model` says how long it holds.

pub mod api;
pub mod basket;
pub mod body;
mod explain;
pub mod inputs;
pub mod model;
pub mod priced;
pub mod pricing;
pub mod promise;
mod quote;
pub mod refusal;
mod rules;
pub mod service;
pub mod store;
pub mod view;

#[cfg(test)]
mod tests;

pub use basket::{Asked, Basket, BasketLine, Limits};
pub use inputs::{Claim, Evidence, Given, Inputs};
pub use model::{QuoteState, expiry};
pub use priced::{Line, Lost, Net, Part, Priced};
pub use pricing::price;
pub use promise::Promise;
pub use quote::{NewLine, NewQuote, Quote, QuoteError};
pub use refusal::{PriceCode, PriceError, PriceFault};
