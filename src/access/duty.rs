//! What keys may do, and which duties of staff bring which of it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

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
