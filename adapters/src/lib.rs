//! Banks, the monetary authority, gateways, statement and payment-file formats.

pub mod bank;
pub mod channel;
mod dialect;
pub mod gateway;
pub mod http;
pub mod iban;
pub mod outcome;
pub mod payment_file;
pub mod reference;
#[cfg(feature = "sandbox")]
pub mod sandbox;
pub mod statement;
pub mod verify;
