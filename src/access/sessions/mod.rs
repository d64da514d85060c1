//! Sessions of officers in the console.
//!
//! The cookie holds 32 random bytes; the row holds their SHA-256, so that who reads the table cannot be an officer.
//! A session carries the person's rights as they are now: a disabled person or a lost role counts at once.

pub mod store;

use mizan_ledger::Instant;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::Scope;
use crate::fault::Fault;
use crate::http::language::Language;
use crate::ids::PersonId;
use crate::tx::Tx;

/// How long a session lasts, whatever is done in it.
pub const SECONDS: i64 = 8 * 3_600;

/// An officer who is logged in.
#[derive(Debug, Clone)]
pub struct Session {
    /// SHA-256 of the cookie, in hex.
    pub id: String,
    pub person: PersonId,
    pub name_ar: String,
    pub name_en: String,
    pub scopes: Vec<Scope>,
    /// Stands in every form of this session and nowhere else.
    pub csrf: String,
    pub language: Language,
}

/// A session to be opened.
#[derive(Debug, Clone)]
pub struct NewSession {
    pub person: PersonId,
    pub cookie: String,
    pub csrf: String,
    pub language: Language,
}

/// The id of the session behind a cookie.
pub fn id_of(cookie: &str) -> String {
    hex::encode(Sha256::digest(cookie.as_bytes()))
}

/// Opens a session and sweeps those whose time is up.
pub async fn open(tx: &mut Tx, new: &NewSession) -> Result<Instant, Fault> {
    let now = tx.now();
    let expires_at = now.plus_seconds(SECONDS);
    store::delete_expired(tx.conn(), now).await?;
    store::insert(tx.conn(), new, now, expires_at).await?;
    tx.audit("console.logged_in", new.person, json!({}));
    Ok(expires_at)
}

/// A wrong password for a person who exists leaves a trace.
pub async fn refuse(tx: &mut Tx, person: PersonId) -> Result<(), Fault> {
    tx.audit("console.login_refused", person, json!({}));
    Ok(())
}

pub async fn close(tx: &mut Tx, session: &Session) -> Result<(), Fault> {
    store::delete(tx.conn(), &session.id).await?;
    tx.audit("console.logged_out", session.person, json!({}));
    Ok(())
}

pub async fn speak(tx: &mut Tx, session: &Session, language: Language) -> Result<(), Fault> {
    store::update_language(tx.conn(), &session.id, language).await
}
