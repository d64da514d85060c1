//! What a citizen is promised: a price that says why, until when, and is kept.
//!
//! ```text
//! FeeVersion + inputs + claim + day + currency ──price──▶ Priced (lines, explanation, total)
//! many Priced in one currency ──▶ Basket
//! ```
//!
//! `inputs` reads what was asked, `rules` computes one component, `explain` says it in both languages,
//! `pricing` puts the lines together, `basket` the services; `refusal` names everything wrong with a request.

pub mod basket;
mod explain;
pub mod inputs;
pub mod priced;
pub mod pricing;
pub mod refusal;
mod rules;

#[cfg(test)]
mod tests;

pub use basket::{Asked, Basket, BasketLine, Limits};
pub use inputs::{Claim, Evidence, Given, Inputs};
pub use priced::{Line, Lost, Net, Part, Priced};
pub use pricing::price;
pub use refusal::{PriceCode, PriceError, PriceFault};
