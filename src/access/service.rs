use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Argon2, PasswordHash};
use serde_json::json;
use sqlx::PgConnection;

use super::model::conflicting;
use super::{AccessError, Caller, KnownKey, NewKey, Owner, Role, Scope, store};
use crate::fault::{Fault, constraint};
use crate::http::signature::VerifyKey;
use crate::ids::{PersonId, PortalId};
use crate::keys::HubKeys;
use crate::tx::Tx;
use secrecy::ExposeSecret;

/// A portal to be taken on.
#[derive(Debug, Clone)]
pub struct NewPortal {
    pub code: String,
    pub name_ar: String,
    pub name_en: String,
    pub return_url_prefixes: Vec<String>,
}

/// A member of staff to be taken on.
#[derive(Debug, Clone)]
pub struct NewPerson {
    pub login: String,
    pub name_ar: String,
    pub name_en: String,
    pub roles: Vec<Role>,
    pub password: Option<String>,
}

pub async fn create_portal(tx: &mut Tx, new: &NewPortal) -> Result<PortalId, AccessError> {
    let id: PortalId = tx.id();
    let now = tx.now();
    let names = (new.name_ar.as_str(), new.name_en.as_str());
    store::insert_portal(tx.conn(), id, &new.code, names, &new.return_url_prefixes, now)
        .await
        .map_err(|error| exists_or_fault(error, &new.code))?;
    tx.audit(
        "portal.created",
        id,
        json!({ "code": new.code, "return_url_prefixes": new.return_url_prefixes }),
    );
    Ok(id)
}

pub async fn create_person(tx: &mut Tx, new: &NewPerson) -> Result<PersonId, AccessError> {
    if let Some((left, right)) = conflicting(&new.roles) {
        return Err(AccessError::ConflictingRoles(left.as_str(), right.as_str()));
    }
    let id: PersonId = tx.id();
    let now = tx.now();
    let hash = new.password.as_deref().map(hash_password).transpose()?;
    let roles: Vec<String> = new.roles.iter().map(|role| role.as_str().to_owned()).collect();
    let names = (new.name_ar.as_str(), new.name_en.as_str());
    store::insert_person(tx.conn(), id, &new.login, names, &roles, hash.as_deref(), now)
        .await
        .map_err(|error| exists_or_fault(error, &new.login))?;
    tx.audit("person.created", id, json!({ "login": new.login, "roles": roles }));
    Ok(id)
}

/// Registers a key of a portal or a person. A portal holds at most three active keys, so that two can overlap
/// while one is rotated.
pub async fn add_key(tx: &mut Tx, new: &NewKey) -> Result<(), AccessError> {
    if let Owner::Portal(portal) = new.owner
        && store::lock_active_keys(tx.conn(), portal).await? >= 3
    {
        return Err(AccessError::TooManyKeys);
    }
    let sealed = match &new.material {
        VerifyKey::HmacSha256(secret) => Some(tx.hub().keys.seal(&tx.hub().entropy, secret.expose_secret())?),
        VerifyKey::Ed25519(_) => None,
    };
    store::insert_key(tx.conn(), new, sealed.as_deref())
        .await
        .map_err(|error| exists_or_fault(error, &new.key_id))?;
    let scopes: Vec<String> = new.scopes.iter().map(Scope::to_string).collect();
    tx.audit("key.added", &new.key_id, json!({ "owner": new.owner.to_string(), "scopes": scopes }));
    Ok(())
}

pub async fn revoke_key(tx: &mut Tx, key_id: &str) -> Result<(), AccessError> {
    let now = tx.now();
    if !store::update_revoked(tx.conn(), key_id, now).await? {
        return Err(AccessError::NotFound { what: "active key", name: key_id.to_owned() });
    }
    tx.audit("key.revoked", key_id, json!({}));
    Ok(())
}

/// The key with its secret opened, and the version of the key table it was read at.
pub async fn find_key(
    conn: &mut PgConnection,
    keys: &HubKeys,
    key_id: &str,
) -> Result<Option<(i64, KnownKey)>, Fault> {
    let Some(row) = store::find_key(conn, key_id).await? else { return Ok(None) };
    let corrupt = |column| Fault::corrupt("keys", column, key_id);
    let material = match (row.secret_sealed, row.public_key) {
        (Some(sealed), None) => {
            VerifyKey::hmac_sha256(keys.unseal(&sealed)?).map_err(|_| corrupt("secret_sealed"))?
        }
        (None, Some(public)) => VerifyKey::ed25519(&public).map_err(|_| corrupt("public_key"))?,
        _ => return Err(corrupt("public_key")),
    };
    let caller = Caller { owner: row.owner, key_id: row.key_id, scopes: row.scopes.into() };
    Ok(Some((row.version, KnownKey { caller, material })))
}

/// The scopes of a person's roles, each once.
pub fn scopes_of(roles: &[Role]) -> Vec<Scope> {
    let mut scopes: Vec<Scope> = roles.iter().flat_map(|role| role.scopes()).collect();
    scopes.sort();
    scopes.dedup();
    scopes
}

/// Argon2id with the library's parameters (RFC 9106).
fn hash_password(password: &str) -> Result<String, Fault> {
    let hash = Argon2::default()
        .hash_password(password.as_bytes())
        .map_err(|_| Fault::Crypto("a password could not be hashed"))?;
    Ok(hash.to_string())
}

/// Whether the password is the one behind the hash.
pub fn password_fits(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash)
        .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

fn exists_or_fault(error: sqlx::Error, name: &str) -> AccessError {
    if constraint(&error).is_some() {
        return AccessError::Exists(name.to_owned());
    }
    AccessError::Fault(error.into())
}
