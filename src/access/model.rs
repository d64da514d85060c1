use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, PoisonError, RwLock};

use mizan_ledger::Instant;
use serde::{Deserialize, Serialize};

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

/// What a key may do. A scope `fulfil:<agency>` or a role's scopes are given at onboarding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Scope {
    ServicesRead,
    QuotesWrite,
    IntentsRead,
    IntentsWrite,
    RefundsRead,
    RefundsWrite,
    EventsRead,
    WebhooksWrite,
    ReceiptsRead,
    ReportsRead,
    /// Report the outcome of one agency's services.
    Fulfil(String),
    /// Staff: read everything finance sees.
    FinanceRead,
    /// Staff: import statements, work breaks.
    Reconcile,
    /// Staff: approve or refuse what another asked for.
    Approve,
    /// Staff: ask for refunds on behalf of a payer.
    RefundRequest,
    CatalogueWrite,
    CatalogueApprove,
    /// Staff: portals, people and keys; no money.
    Administer,
}

/// The text is not a scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a scope")]
pub struct NotAScope(pub String);

const SCOPES: &[(&str, Scope)] = &[
    ("services:read", Scope::ServicesRead),
    ("quotes:write", Scope::QuotesWrite),
    ("payment_intents:read", Scope::IntentsRead),
    ("payment_intents:write", Scope::IntentsWrite),
    ("refunds:read", Scope::RefundsRead),
    ("refunds:write", Scope::RefundsWrite),
    ("events:read", Scope::EventsRead),
    ("webhooks:write", Scope::WebhooksWrite),
    ("receipts:read", Scope::ReceiptsRead),
    ("reports:read", Scope::ReportsRead),
    ("finance:read", Scope::FinanceRead),
    ("finance:reconcile", Scope::Reconcile),
    ("finance:approve", Scope::Approve),
    ("finance:refund", Scope::RefundRequest),
    ("catalogue:write", Scope::CatalogueWrite),
    ("catalogue:approve", Scope::CatalogueApprove),
    ("administer", Scope::Administer),
];

impl Scope {
    /// What a portal gets when nothing else is asked for.
    pub fn of_portal() -> Vec<Self> {
        SCOPES[..10].iter().map(|(_, scope)| scope.clone()).collect()
    }
}

impl FromStr for Scope {
    type Err = NotAScope;

    fn from_str(text: &str) -> Result<Self, NotAScope> {
        if let Some(agency) = text.strip_prefix("fulfil:").filter(|agency| !agency.is_empty()) {
            return Ok(Self::Fulfil(agency.to_owned()));
        }
        let known = SCOPES.iter().find(|(name, _)| *name == text);
        known.map(|(_, scope)| scope.clone()).ok_or_else(|| NotAScope(text.to_owned()))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Fulfil(agency) = self {
            return write!(f, "fulfil:{agency}");
        }
        f.write_str(SCOPES.iter().find(|(_, scope)| scope == self).map_or("", |(name, _)| name))
    }
}

impl TryFrom<String> for Scope {
    type Error = NotAScope;

    fn try_from(text: String) -> Result<Self, NotAScope> {
        text.parse()
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.to_string()
    }
}

/// A duty of a person (design: separation of duties). Each brings the scopes of its keys.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Reconciler,
    Approver,
    CatalogueAuthor,
    CatalogueApprover,
    Auditor,
    Administrator,
}

impl Role {
    pub const ALL: [Self; 6] = [
        Self::Reconciler,
        Self::Approver,
        Self::CatalogueAuthor,
        Self::CatalogueApprover,
        Self::Auditor,
        Self::Administrator,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reconciler => "reconciler",
            Self::Approver => "approver",
            Self::CatalogueAuthor => "catalogue_author",
            Self::CatalogueApprover => "catalogue_approver",
            Self::Auditor => "auditor",
            Self::Administrator => "administrator",
        }
    }

    pub fn scopes(self) -> Vec<Scope> {
        match self {
            Self::Reconciler => vec![Scope::FinanceRead, Scope::Reconcile, Scope::RefundRequest],
            Self::Approver => vec![Scope::FinanceRead, Scope::Approve],
            Self::CatalogueAuthor => vec![Scope::ServicesRead, Scope::CatalogueWrite],
            Self::CatalogueApprover => vec![Scope::ServicesRead, Scope::CatalogueApprove],
            Self::Auditor => vec![Scope::FinanceRead],
            Self::Administrator => vec![Scope::Administer],
        }
    }
}

impl FromStr for Role {
    type Err = NotAScope;

    fn from_str(text: &str) -> Result<Self, NotAScope> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or_else(|| NotAScope(text.to_owned()))
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
    #[error("who proposed a person does not approve them")]
    SamePerson,
    #[error("the person is {0} already")]
    AlreadyDecided(&'static str),
    #[error("there are people already: they are created through the hub, with an administrator's key")]
    NotTheFirst,
    #[error("the key of a person is renewed by that person, with `mizan login`")]
    KeyOfPerson,
    #[error(transparent)]
    Fault(#[from] Fault),
}

crate::service_error!(AccessError);

/// Duties that one person must not hold together.
pub fn conflicting(roles: &[Role]) -> Option<(Role, Role)> {
    const CONFLICTS: [(Role, Role); 5] = [
        (Role::Reconciler, Role::Approver),
        (Role::CatalogueAuthor, Role::CatalogueApprover),
        (Role::Administrator, Role::Reconciler),
        (Role::Administrator, Role::Approver),
        (Role::Administrator, Role::CatalogueApprover),
    ];
    CONFLICTS.into_iter().find(|(left, right)| roles.contains(left) && roles.contains(right))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scope_survives_text() {
        for (name, scope) in SCOPES {
            assert_eq!(name.parse::<Scope>().as_ref(), Ok(scope));
            assert_eq!(scope.to_string(), *name);
        }
        assert_eq!("fulfil:psi".parse(), Ok(Scope::Fulfil("psi".to_owned())));
        assert!("fulfil:".parse::<Scope>().is_err());
        assert!("everything".parse::<Scope>().is_err());
    }

    #[test]
    fn a_portal_gets_no_scope_of_staff() {
        let scopes = Scope::of_portal();
        for staff in
            Role::ALL.into_iter().flat_map(Role::scopes).filter(|scope| *scope != Scope::ServicesRead)
        {
            assert!(!scopes.contains(&staff), "{staff}");
        }
    }

    #[test]
    fn who_asks_never_approves() {
        assert!(conflicting(&[Role::Reconciler, Role::Approver]).is_some());
        assert!(conflicting(&[Role::CatalogueApprover, Role::CatalogueAuthor]).is_some());
        assert!(conflicting(&[Role::Auditor, Role::Approver]).is_none());
    }
}
