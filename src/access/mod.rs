//! Who may call: portals and people, their keys and scopes.
//!
//! A key belongs to one portal or one person. The caller is the portal or the person, never the key, so that a
//! rotated key keeps its owner's idempotency keys. Known keys are cached per process and checked against
//! `keys_head.version` in the same transaction.

mod model;
pub mod service;
pub mod sessions;
pub mod store;

pub use model::{AccessError, Caller, KeyCache, KnownKey, NewKey, Owner, Role, Scope};
