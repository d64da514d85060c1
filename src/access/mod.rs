//! Who may call: portals and people, their keys and scopes.
//!
//! A key belongs to one portal or one person. The caller is the portal or the person, never the key, so that a
//! rotated key keeps its owner's idempotency keys. Known keys are cached per process and checked against
//! `keys_head.version` in the same transaction.
//!
//! ```text
//! person:  proposed by one administrator ──approved by another──▶ active ──▶ disabled
//! key:     (proposed ──approved by another──▶) active ──▶ revoked            (a rotated key and its successor are active together until the old is revoked)
//! ```
//! The first administrator is made on the database, while no person exists; the second alone by the first. After that
//! two administrators stand behind every person.

pub mod api;
mod duty;
pub mod login;
mod model;
pub mod service;
pub mod sessions;
pub mod store;
mod tries;
mod view;

pub use duty::{Role, Scope};
pub use model::{
    AccessError, Caller, KeyCache, KnownKey, ListedKey, NewKey, Owner, Person, Portal, Standing,
};
pub use tries::{TRIES, Tries};
