use std::sync::Arc;

use mizan_ledger::Instant;
use serde_json::json;
use sqlx::PgConnection;

use super::store::{self, Hands};
use super::{Agency, Catalogue, CatalogueCache, FeeVersion, Problem, check};
use crate::fault::{Fault, constraint};
use crate::ids::CatalogueImportId;
use crate::tx::Tx;

#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    #[error("the files have {} problems", .0.len())]
    Problems(Vec<Problem>),
    #[error("there is no such import")]
    NotFound,
    #[error("the import is {0} already")]
    AlreadyDecided(String),
    #[error("who submitted the files does not approve them")]
    SamePerson,
    #[error(
        "version {number} of {service} is in the catalogue with other content: a change is a new version"
    )]
    VersionChanged { service: String, number: u32 },
    #[error("two versions of {service} are valid on the same day")]
    Overlap { service: String },
    #[error("{0}")]
    Refused(String),
    #[error(transparent)]
    Fault(#[from] Fault),
}

crate::service_error!(CatalogueError);

/// The catalogue in force for this transaction: from the cache when nothing changed since, else read again.
pub async fn current(tx: &mut Tx) -> Result<Arc<Catalogue>, Fault> {
    let hub = tx.hub().clone();
    match tx.catalogue_version() {
        Some(version) => read_at(tx.conn(), &hub.catalogue, version).await,
        None => read(tx.conn(), &hub.catalogue).await,
    }
}

/// As [`current`], for readers without a transaction.
pub async fn read(conn: &mut PgConnection, cache: &CatalogueCache) -> Result<Arc<Catalogue>, Fault> {
    let version = store::head(conn).await?;
    read_at(conn, cache, version).await
}

/// The agencies as they were at an instant: a later change of who holds their money changes no list of a day before.
pub async fn agencies_at(conn: &mut PgConnection, at: Instant) -> Result<Vec<Agency>, Fault> {
    store::find_agencies_at(conn, at).await
}

async fn read_at(
    conn: &mut PgConnection,
    cache: &CatalogueCache,
    version: i64,
) -> Result<Arc<Catalogue>, Fault> {
    if let Some(catalogue) = cache.get(version) {
        return Ok(catalogue);
    }
    let (agencies, mut services, versions) = store::find_all(conn).await?;
    for fee in versions {
        if let Some(service) = services.iter_mut().find(|service| service.code == fee.service) {
            service.versions.push(fee);
        }
    }
    let catalogue = Arc::new(Catalogue { agencies, services, example: false });
    cache.put(version, &catalogue);
    Ok(catalogue)
}

/// Takes files for approval. Every problem of all of them is told at once; nothing is in force yet.
pub async fn submit(tx: &mut Tx, files: &[(String, String)]) -> Result<CatalogueImportId, CatalogueError> {
    checked(tx, files)?;
    let id: CatalogueImportId = tx.id();
    let (now, author) = (tx.now(), tx.actor().as_str().to_owned());
    store::insert_import(tx.conn(), id, files, &author, now).await?;
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    tx.audit("catalogue.submitted", id, json!({ "files": names }));
    Ok(id)
}

/// Another person approves: agencies, services and fee versions are in force from their first days.
pub async fn approve(tx: &mut Tx, id: CatalogueImportId) -> Result<Catalogue, CatalogueError> {
    let import = store::lock_import(tx.conn(), id).await?.ok_or(CatalogueError::NotFound)?;
    if import.state != "submitted" {
        return Err(CatalogueError::AlreadyDecided(import.state));
    }
    let approver = tx.actor().as_str().to_owned();
    if approver == import.author {
        return Err(CatalogueError::SamePerson);
    }
    let catalogue = checked(tx, &import.files)?;
    let now = tx.now();
    for agency in &catalogue.agencies {
        store::update_agency(tx.conn(), agency, now)
            .await
            .map_err(|error| refused(error, agency.code.as_str()))?;
    }
    let hands = Hands { author: &import.author, approver: &approver };
    let mut new = Vec::new();
    for service in &catalogue.services {
        let code = service.code.to_string();
        store::update_service(tx.conn(), service, now).await.map_err(|error| refused(error, &code))?;
        for version in &service.versions {
            if !take_known(tx, version).await? {
                new.push(version);
            }
        }
    }
    // All ends stand before the first beginning: a file may list the new version above the one that it ends.
    for version in new {
        let (id, service) = (tx.id(), version.service.to_string());
        store::insert_version(tx.conn(), id, version, hands, now)
            .await
            .map_err(|error| refused(error, &service))?;
    }
    store::update_import_decided(tx.conn(), id, "approved", &approver, now).await?;
    tx.audit("catalogue.approved", id, json!({ "services": catalogue.services.len() }));
    Ok(catalogue)
}

/// Whether a version is there already: with the same content, or it ends now. With any other content it is refused.
async fn take_known(tx: &mut Tx, version: &FeeVersion) -> Result<bool, CatalogueError> {
    let service = version.service.to_string();
    let Some(known) = store::lock_version(tx.conn(), &service, version.number).await? else {
        return Ok(false);
    };
    if known.document == *version {
        return Ok(true);
    }
    let mut ended = known.document.clone();
    ended.valid.to = version.valid.to;
    if known.document.valid.to.is_none() && ended == *version {
        store::update_version_end(tx.conn(), version).await.map_err(|error| refused(error, &service))?;
        return Ok(true);
    }
    Err(CatalogueError::VersionChanged { service, number: version.number })
}

/// Checks files; example tariffs never get into a live deployment.
fn checked(tx: &Tx, files: &[(String, String)]) -> Result<Catalogue, CatalogueError> {
    let catalogue = check(files).map_err(CatalogueError::Problems)?;
    if catalogue.example && tx.hub().config.mode.is_live() {
        return Err(CatalogueError::Refused("example tariffs are refused in live mode".to_owned()));
    }
    Ok(catalogue)
}

fn refused(error: sqlx::Error, what: &str) -> CatalogueError {
    match constraint(&error) {
        Some("fee_versions_overlap_excl") => CatalogueError::Overlap { service: what.to_owned() },
        Some("agencies_issuer_key") => {
            CatalogueError::Refused(format!("the issuer digits of {what} belong to another agency"))
        }
        _ => CatalogueError::Fault(error.into()),
    }
}
