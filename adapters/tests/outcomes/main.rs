//! The adapters against a peer that can be made to answer anything, or nothing.

mod bank;
mod gateway;
mod peer;
