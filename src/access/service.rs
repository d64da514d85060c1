use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Argon2, PasswordHash};
use serde_json::json;
use sqlx::PgConnection;

use super::duty::conflicting;
use super::store::listing::Filter;
use super::store::{NewRow, people};
use super::{
    AccessError, Caller, KnownKey, ListedKey, NewKey, Owner, Person, Role, Scope, Standing, sessions, store,
};
use crate::fault::{Fault, constraint};
use crate::http::signature::VerifyKey;
use crate::ids::{PersonId, PortalId};
use crate::keys::HubKeys;
use crate::tx::Tx;
use secrecy::ExposeSecret;

/// One proposes and another approves.
const ADMINISTRATORS_MIN: i64 = 2;
/// Two overlap while one is rotated.
const PORTAL_KEYS_MAX: i64 = 3;

/// A portal to be taken on.
#[derive(Debug, Clone)]
pub struct NewPortal {
    pub code: String,
    pub name_ar: String,
    pub name_en: String,
    pub return_url_prefixes: Vec<String>,
}

/// The successor of a key.
#[derive(Debug, Clone)]
pub struct NextKey {
    /// The key that it succeeds.
    pub of: String,
    pub key_id: String,
    pub material: VerifyKey,
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

/// Takes a person on at once, on the word of the deployment itself (tests, demo).
pub async fn create_person(tx: &mut Tx, new: &NewPerson) -> Result<PersonId, AccessError> {
    write_person(tx, new, Standing::Active, false).await
}

/// The first administrator, while there is nobody: made on the database by who runs the hub.
pub async fn create_first(tx: &mut Tx, new: &NewPerson) -> Result<PersonId, AccessError> {
    people::lock_head(tx.conn()).await?;
    if people::count(tx.conn()).await? > 0 {
        return Err(AccessError::NotTheFirst);
    }
    write_person(tx, new, Standing::Active, true).await
}

/// One administrator proposes a person, another approves. The only administrator there ever was names the second one
/// alone: nobody else could approve. Who disabled the others is not the only one there ever was, or one key could
/// disable, name its own second and approve with both.
pub async fn propose_person(tx: &mut Tx, new: &NewPerson) -> Result<Person, AccessError> {
    people::lock_head(tx.conn()).await?;
    let second =
        new.roles == [Role::Administrator] && people::count_administrators(tx.conn()).await?.ever < 2;
    let standing = if second { Standing::Active } else { Standing::Proposed };
    let id = write_person(tx, new, standing, true).await?;
    found(tx, id).await
}

async fn write_person(
    tx: &mut Tx,
    new: &NewPerson,
    standing: Standing,
    password_given: bool,
) -> Result<PersonId, AccessError> {
    if let Some((left, right)) = conflicting(&new.roles) {
        return Err(AccessError::ConflictingRoles(left.as_str(), right.as_str()));
    }
    let id: PersonId = tx.id();
    let now = tx.now();
    let password = new.password.as_deref();
    let (hash, part) = match standing {
        Standing::Proposed => {
            let seal = |part: &str| tx.hub().keys.seal(&tx.hub().entropy, part.as_bytes());
            (None, password.map(seal).transpose()?)
        }
        Standing::Active | Standing::Disabled => (password.map(hash_password).transpose()?, None),
    };
    let roles: Vec<String> = new.roles.iter().map(|role| role.as_str().to_owned()).collect();
    let created_by = tx.actor().as_str().to_owned();
    let row = NewRow {
        id,
        login: &new.login,
        names: (&new.name_ar, &new.name_en),
        roles: &roles,
        password_hash: hash.as_deref(),
        password_part_sealed: part.as_deref(),
        password_given,
        created_by: &created_by,
        now,
        approved_at: (standing == Standing::Active).then_some(now),
    };
    store::insert_person(tx.conn(), &row).await.map_err(|error| exists_or_fault(error, &new.login))?;
    let detail = json!({ "login": new.login, "roles": roles, "state": standing });
    tx.audit("person.created", id, detail);
    Ok(id)
}

async fn found(tx: &mut Tx, id: PersonId) -> Result<Person, AccessError> {
    let person = store::listing::find_person(tx.conn(), id).await?;
    person.ok_or_else(|| no_person(id))
}

fn no_person(id: PersonId) -> AccessError {
    AccessError::NotFound { what: "person", name: id.to_string() }
}

/// A second administrator's word for a person.
#[derive(Debug, Clone)]
pub struct Approval {
    pub person: PersonId,
    /// What the approver is shown: the second half of the first password.
    pub password_part: String,
}

/// Another administrator approves: from now on the person may log in, with the halves of the password that both were
/// shown. So neither of them alone can act in the name of somebody whom they took on.
pub async fn approve_person(tx: &mut Tx, approval: &Approval) -> Result<Person, AccessError> {
    let id = approval.person;
    let proposed = people::lock(tx.conn(), id).await?.ok_or_else(|| no_person(id))?;
    if proposed.standing != Standing::Proposed {
        return Err(AccessError::AlreadyDecided(proposed.standing.as_str()));
    }
    let approver = tx.actor().as_str().to_owned();
    if approver == proposed.created_by {
        return Err(AccessError::SamePerson);
    }
    let corrupt = || Fault::corrupt("people", "password_part_sealed", id);
    let sealed = proposed.password_part_sealed.ok_or_else(corrupt)?;
    let first = String::from_utf8(tx.hub().keys.unseal(&sealed)?).map_err(|_| corrupt())?;
    let hash = hash_password(&format!("{first}{}", approval.password_part))?;
    let now = tx.now();
    people::update_approved(tx.conn(), id, &approver, &hash, now).await?;
    tx.audit("person.approved", id, json!({}));
    found(tx, id).await
}

/// Takes every right of a person away at once: keys, sessions, password. One administrator is enough to stop somebody, but
/// two administrators must be left, or nobody could be approved ever again. (Without a key an administrator is one still:
/// the next comes with a login. So keys are ended freely.)
pub async fn disable_person(tx: &mut Tx, id: &PersonId) -> Result<Person, AccessError> {
    people::lock_head(tx.conn()).await?;
    let person = people::lock(tx.conn(), *id).await?.ok_or_else(|| no_person(*id))?;
    if person.standing == Standing::Disabled {
        return Err(AccessError::AlreadyDecided(person.standing.as_str()));
    }
    let counts = person.is_administrator && person.standing == Standing::Active;
    if counts && people::count_administrators(tx.conn()).await?.active <= ADMINISTRATORS_MIN {
        return Err(AccessError::TooFewAdministrators);
    }
    let now = tx.now();
    people::update_disabled(tx.conn(), *id, now).await?;
    tx.audit("person.disabled", id, json!({}));
    found(tx, *id).await
}

/// A person's own new password. Whoever was in the console with the old one is not any more; keys stay, and are ended
/// one by one.
pub async fn change_password(tx: &mut Tx, id: PersonId, password: &str) -> Result<(), AccessError> {
    let hash = hash_password(password)?;
    people::update_password(tx.conn(), id, &hash).await?;
    sessions::store::delete_of(tx.conn(), id).await?;
    tx.audit("person.password_changed", id, json!({}));
    Ok(())
}

/// Registers a key of a portal or a person. A portal holds at most three active keys. Of a portal's key that says what
/// was delivered, and so releases money, nobody here may know the secret, and one person gives it while another approves.
pub async fn add_key(tx: &mut Tx, new: &NewKey) -> Result<Option<String>, AccessError> {
    if let Owner::Portal(portal) = new.owner {
        store::lock_portal(tx.conn(), portal).await?;
        if store::count_active_keys(tx.conn(), portal).await? >= PORTAL_KEYS_MAX {
            return Err(AccessError::TooManyKeys);
        }
    }
    let releases = new.scopes.iter().any(|scope| matches!(scope, Scope::Fulfil(_)));
    let proposed_by = Some(tx.actor().clone()).filter(|actor| releases && actor.is_person());
    let sealed = match &new.material {
        VerifyKey::HmacSha256(_) if proposed_by.is_some() => return Err(AccessError::SecretShared),
        VerifyKey::HmacSha256(secret) => Some(tx.hub().keys.seal(&tx.hub().entropy, secret.expose_secret())?),
        VerifyKey::Ed25519(_) => None,
    };
    let proposed_by = proposed_by.map(|actor| actor.as_str().to_owned());
    store::insert_key(tx.conn(), new, sealed.as_deref(), proposed_by.as_deref())
        .await
        .map_err(|error| exists_or_fault(error, &new.key_id))?;
    let scopes: Vec<String> = new.scopes.iter().map(Scope::to_string).collect();
    let detail =
        json!({ "owner": new.owner.to_string(), "scopes": scopes, "proposed": proposed_by.is_some() });
    tx.audit("key.added", &new.key_id, detail);
    Ok(proposed_by)
}

/// Another administrator lets a proposed key sign.
pub async fn approve_key(tx: &mut Tx, key_id: &str) -> Result<ListedKey, AccessError> {
    let key = active_key(tx, key_id).await?;
    match &key.proposed_by {
        None => return Err(AccessError::AlreadyDecided("active")),
        Some(proposer) if proposer == tx.actor().as_str() => return Err(AccessError::SamePerson),
        Some(_) => {}
    }
    if !store::update_key_approved(tx.conn(), key_id).await? {
        return Err(Fault::Stale.into());
    }
    tx.audit("key.approved", key_id, json!({ "owner": key.owner.to_string() }));
    Ok(ListedKey { proposed_by: None, ..key })
}

/// A portal's next key, with the owner and the scopes of an active one. The old key goes on until it is revoked, so
/// that the portal changes over when it likes.
pub async fn rotate_key(tx: &mut Tx, next: &NextKey) -> Result<ListedKey, AccessError> {
    let old = active_key(tx, &next.of).await?;
    if matches!(old.owner, Owner::Person(_)) {
        return Err(AccessError::KeyOfPerson);
    }
    let new = NewKey {
        key_id: next.key_id.clone(),
        owner: old.owner,
        material: next.material.clone(),
        scopes: old.scopes,
        created_at: tx.now(),
    };
    add_key(tx, &new).await?;
    tx.audit("key.rotated", &next.of, json!({ "next": next.key_id }));
    active_key(tx, &next.key_id).await
}

async fn active_key(tx: &mut Tx, key_id: &str) -> Result<ListedKey, AccessError> {
    let filter = Filter { key_id: Some(key_id), ..Filter::default() };
    let found = store::listing::page_keys(tx.conn(), filter).await?.pop();
    found.ok_or_else(|| AccessError::NotFound { what: "active key", name: key_id.to_owned() })
}

/// Ends a key at once, on every hub of the deployment.
pub async fn revoke_key(tx: &mut Tx, key_id: &str) -> Result<ListedKey, AccessError> {
    let now = tx.now();
    let key = active_key(tx, key_id).await?;
    if !store::update_revoked(tx.conn(), key_id, now).await? {
        return Err(AccessError::NotFound { what: "active key", name: key_id.to_owned() });
    }
    tx.audit("key.revoked", key_id, json!({ "owner": key.owner.to_string() }));
    Ok(ListedKey { revoked_at: Some(now), ..key })
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
