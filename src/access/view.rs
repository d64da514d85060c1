//! Portals, people and keys as administrators see them, and what they send.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use mizan_ledger::Instant;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::service::{NewPerson, NewPortal};
use super::{ListedKey, Owner, Person, Portal, Role, Scope, Standing};
use crate::http::problem::{Faults, FieldCode};
use crate::http::signature::VerifyKey;
use crate::http::url;
use crate::ids::{PersonId, PortalId};

/// A name in both languages.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Names {
    pub ar: String,
    pub en: String,
}

impl Names {
    fn check(&self, faults: &mut Faults) {
        faults.text("/name/ar", &self.ar, 200);
        faults.text("/name/en", &self.en, 200);
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPortal)]
pub struct PortalBody {
    /// Lower-case letters, digits and hyphens.
    #[schema(example = "hukumati")]
    pub code: String,
    pub name: Names,
    /// Where payers may be sent back to: each with a scheme, a host and at least `/`.
    #[schema(example = json!(["https://portal.example/"]))]
    pub return_url_prefixes: Vec<String>,
    /// What the first key may do; without it everything a portal may. `fulfil:<agency>` is added here: such a key brings
    /// its own `public_key`, and another administrator approves it.
    #[schema(value_type = Option<Vec<String>>)]
    pub scopes: Option<Vec<Scope>>,
    /// The 32 bytes of an Ed25519 public key in base64. Without it the hub makes a shared secret and shows it once.
    pub public_key: Option<String>,
}

impl PortalBody {
    /// The portal, the scopes of its first key, and its public key if it has one.
    pub fn read(self, live: bool, faults: &mut Faults) -> (NewPortal, Vec<Scope>, Option<VerifyKey>) {
        code("/code", &self.code, faults);
        self.name.check(faults);
        if self.return_url_prefixes.len() > 20 {
            faults.add("/return_url_prefixes", FieldCode::TooMany);
        }
        for (place, prefix) in self.return_url_prefixes.iter().enumerate() {
            if !is_prefix(prefix, live) {
                faults.add(format!("/return_url_prefixes/{place}"), FieldCode::NotAUrl);
            }
        }
        let scopes = self.scopes.unwrap_or_else(Scope::of_portal);
        let of_portal = Scope::of_portal();
        for (place, scope) in scopes.iter().enumerate() {
            if !of_portal.contains(scope) && !matches!(scope, Scope::Fulfil(_)) {
                faults.add(format!("/scopes/{place}"), FieldCode::NotAllowed);
            }
        }
        let public = public_key(self.public_key.as_deref(), faults);
        let portal = NewPortal {
            code: self.code,
            name_ar: self.name.ar,
            name_en: self.name.en,
            return_url_prefixes: self.return_url_prefixes,
        };
        (portal, scopes, public)
    }
}

fn code(pointer: &str, text: &str, faults: &mut Faults) {
    let plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b'_');
    if !(2..=40).contains(&text.len()) || !text.bytes().all(plain) {
        faults.add(pointer, FieldCode::Invalid);
    }
}

/// A prefix without a path would also fit a longer host: `https://portal.example.evil.example`.
fn is_prefix(text: &str, live: bool) -> bool {
    let path = text.split_once("://").is_some_and(|(_, rest)| rest.contains('/'));
    path && url::read(text, live).is_some_and(|uri| uri.query().is_none())
}

pub fn public_key(text: Option<&str>, faults: &mut Faults) -> Option<VerifyKey> {
    let bytes = BASE64.decode(text?).ok();
    let key = bytes.and_then(|bytes| VerifyKey::ed25519(&bytes).ok());
    faults.check("/public_key", key.ok_or(FieldCode::Invalid))
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Portal)]
pub struct PortalView {
    pub id: PortalId,
    pub code: String,
    pub name: Names,
    pub return_url_prefixes: Vec<String>,
    pub created_at: Instant,
}

impl From<Portal> for PortalView {
    fn from(portal: Portal) -> Self {
        Self {
            id: portal.id,
            code: portal.code,
            name: Names { ar: portal.name_ar, en: portal.name_en },
            return_url_prefixes: portal.return_url_prefixes,
            created_at: portal.created_at,
        }
    }
}

/// A portal just taken on, with its first key.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PortalWithKey)]
pub struct NewPortalView {
    #[serde(flatten)]
    pub portal: PortalView,
    pub key: KeyView,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Key)]
pub struct KeyView {
    #[schema(example = "test_ab3k7mnp2qrs")]
    pub key_id: String,
    /// `portal` or `person`.
    pub owner_kind: &'static str,
    /// The portal's code or the person's login.
    pub owner: String,
    /// `hmac-sha256` or `ed25519`.
    pub algorithm: String,
    #[schema(value_type = Vec<String>)]
    pub scopes: Vec<Scope>,
    /// `proposed`, `active` or `revoked`. A proposed key signs nothing until another administrator approves it.
    pub state: &'static str,
    pub created_at: Instant,
    /// Who gave a proposed key: may not approve it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposed_by: Option<String>,
    pub revoked_at: Option<Instant>,
    /// The shared secret in base64: only in the first answer to the call that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

impl From<ListedKey> for KeyView {
    fn from(key: ListedKey) -> Self {
        let owner_kind = match key.owner {
            Owner::Portal(_) => "portal",
            Owner::Person(_) => "person",
        };
        let state = match (key.revoked_at, &key.proposed_by) {
            (Some(_), _) => "revoked",
            (None, Some(_)) => "proposed",
            (None, None) => "active",
        };
        Self {
            key_id: key.key_id,
            owner_kind,
            owner: key.owner_name,
            algorithm: key.algorithm,
            scopes: key.scopes,
            state,
            created_at: key.created_at,
            proposed_by: key.proposed_by,
            revoked_at: key.revoked_at,
            secret: None,
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NextKey)]
pub struct RotateBody {
    /// As when a portal is created.
    pub public_key: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPerson)]
pub struct PersonBody {
    #[schema(example = "officer1")]
    pub login: String,
    pub name: Names,
    /// Duties that control each other are not given to one person.
    pub roles: Vec<Role>,
}

impl PersonBody {
    pub fn read(self, password: String, faults: &mut Faults) -> NewPerson {
        code("/login", &self.login, faults);
        self.name.check(faults);
        if self.roles.is_empty() {
            faults.add("/roles", FieldCode::Empty);
        }
        let mut roles = self.roles;
        roles.sort();
        roles.dedup();
        NewPerson {
            login: self.login,
            name_ar: self.name.ar,
            name_en: self.name.en,
            roles,
            password: Some(password),
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Person)]
pub struct PersonView {
    pub id: PersonId,
    pub login: String,
    pub name: Names,
    pub roles: Vec<String>,
    pub state: Standing,
    /// Who proposed: may not approve.
    pub created_by: String,
    pub created_at: Instant,
    /// Opens nothing but `mizan login`, where it is replaced: only in the first answer to the call that made it. The first
    /// half to who proposes, the second to who approves; whole for a second administrator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

impl From<Person> for PersonView {
    fn from(person: Person) -> Self {
        Self {
            id: person.id,
            login: person.login,
            name: Names { ar: person.name_ar, en: person.name_en },
            roles: person.roles,
            state: person.standing,
            created_by: person.created_by,
            created_at: person.created_at,
            password: None,
        }
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Login)]
pub struct LoginBody {
    pub login: String,
    pub password: String,
    /// Needed once, when the password was given by somebody else; 12 to 200 characters.
    pub new_password: Option<String>,
    /// The 32 bytes of an Ed25519 public key in base64, made on the person's own machine.
    pub public_key: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_holds_its_host_in() {
        for good in ["https://portal.example/", "https://portal.example/pay/", "https://p.example:8443/x"] {
            assert!(is_prefix(good, true), "{good}");
        }
        for test in ["http://127.0.0.1:3000/", "http://localhost/"] {
            assert!(is_prefix(test, false) && !is_prefix(test, true), "{test}");
        }
        for bad in [
            "https://portal.example",
            "http://portal.example/",
            "portal.example/",
            "https://u@p.example/",
            "/x",
            "",
        ] {
            assert!(!is_prefix(bad, false), "{bad}");
        }
    }
}
