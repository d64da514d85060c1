use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use mizan_ledger::Instant;
use serde::Serialize;

use super::duty::Scope;
use crate::fault::Fault;
use crate::http::signature::VerifyKey;
use crate::ids::{PersonId, PortalId};
use crate::tx::Actor;

/// Who owns a key, and so who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Owner {
    Portal(PortalId),
    Person(PersonId),
}

impl Owner {
    pub fn actor(self) -> Actor {
        match self {
            Self::Portal(id) => Actor::portal(id),
            Self::Person(id) => Actor::person(id),
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Portal(id) => id.fmt(f),
            Self::Person(id) => id.fmt(f),
        }
    }
}

/// Where a member of staff stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PersonState)]
pub enum Standing {
    /// Waits for a second administrator.
    Proposed,
    Active,
    Disabled,
}

impl Standing {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Active => "active",
            Self::Disabled => "disabled",
        }
    }
}

/// A member of staff as lists show them.
#[derive(Debug, Clone)]
pub struct Person {
    pub id: PersonId,
    pub login: String,
    pub name_ar: String,
    pub name_en: String,
    pub roles: Vec<String>,
    pub standing: Standing,
    /// Who proposed.
    pub created_by: String,
    pub created_at: Instant,
}

/// A portal as lists show it.
#[derive(Debug, Clone)]
pub struct Portal {
    pub id: PortalId,
    pub code: String,
    pub name_ar: String,
    pub name_en: String,
    pub return_url_prefixes: Vec<String>,
    pub created_at: Instant,
}

/// A key without its secret.
#[derive(Debug, Clone)]
pub struct ListedKey {
    pub key_id: String,
    pub owner: Owner,
    /// The portal's code or the person's login.
    pub owner_name: String,
    pub algorithm: String,
    pub scopes: Vec<Scope>,
    pub created_at: Instant,
    /// Who gave the key, while another administrator is waited for.
    pub proposed_by: Option<String>,
    pub revoked_at: Option<Instant>,
}

impl ListedKey {
    /// As it stands once it is registered.
    pub fn new(key: NewKey, owner_name: String) -> Self {
        Self {
            key_id: key.key_id,
            owner: key.owner,
            owner_name,
            algorithm: key.material.algorithm().to_owned(),
            scopes: key.scopes,
            created_at: key.created_at,
            proposed_by: None,
            revoked_at: None,
        }
    }
}

/// Who signed a request.
#[derive(Debug, Clone)]
pub struct Caller {
    pub owner: Owner,
    pub key_id: String,
    pub scopes: Arc<[Scope]>,
}

impl Caller {
    pub fn may(&self, scope: &Scope) -> bool {
        self.scopes.contains(scope)
    }

    pub fn actor(&self) -> Actor {
        self.owner.actor()
    }
}

/// A key that is not revoked, as read from the database.
#[derive(Clone)]
pub struct KnownKey {
    pub caller: Caller,
    pub material: VerifyKey,
}

/// A key to be registered.
#[derive(Clone)]
pub struct NewKey {
    pub key_id: String,
    pub owner: Owner,
    pub material: VerifyKey,
    pub scopes: Vec<Scope>,
    pub created_at: Instant,
}

/// Keys seen lately, valid for one version of `keys_head`.
#[derive(Default)]
pub struct KeyCache(RwLock<(i64, HashMap<String, Arc<KnownKey>>)>);

impl KeyCache {
    /// The key and the version of the key table it was read at.
    pub fn get(&self, key_id: &str) -> Option<(i64, Arc<KnownKey>)> {
        let cache = self.0.read().unwrap_or_else(PoisonError::into_inner);
        cache.1.get(key_id).map(|key| (cache.0, key.clone()))
    }

    /// Keeps a key read at `version`; an older version's keys are forgotten.
    pub fn put(&self, version: i64, key: &Arc<KnownKey>) {
        let mut cache = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if cache.0 != version {
            *cache = (version, HashMap::new());
        }
        cache.1.insert(key.caller.key_id.clone(), key.clone());
    }
}

impl fmt::Debug for KeyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyCache")
    }
}

impl fmt::Debug for KnownKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KnownKey({})", self.caller.key_id)
    }
}

impl fmt::Debug for NewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewKey({})", self.key_id)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    #[error("{0} exists already")]
    Exists(String),
    #[error("no such {what}: {name}")]
    NotFound { what: &'static str, name: String },
    #[error("a portal holds at most three active keys")]
    TooManyKeys,
    #[error("the roles {0} and {1} are held by two people, never by one")]
    ConflictingRoles(&'static str, &'static str),
    #[error("who proposed does not approve")]
    SamePerson,
    #[error("it is {0} already")]
    AlreadyDecided(&'static str),
    #[error(
        "a key that reports what was delivered brings its own public key: nobody at the hub may know its secret"
    )]
    SecretShared,
    #[error("two administrators must be left: take on another one first")]
    TooFewAdministrators,
    #[error("there are people already: they are created through the hub, with an administrator's key")]
    NotTheFirst,
    #[error("the key of a person is renewed by that person, with `mizan login`")]
    KeyOfPerson,
    #[error(transparent)]
    Fault(#[from] Fault),
}

crate::service_error!(AccessError);
