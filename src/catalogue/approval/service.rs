use serde_json::json;
use sqlx::PgConnection;

use super::model::{Illegal, Import, ImportEvent, ImportState};
use super::store;
use crate::catalogue::difference::Difference;
use crate::catalogue::import::{InForce, check_against};
use crate::catalogue::service::read_at;
use crate::catalogue::store::{self as catalogue_store, Hands};
use crate::catalogue::{Catalogue, Problem};
use crate::fault::Fault;
use crate::ids::CatalogueImportId;
use crate::tx::{Hub, Tx};

#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    #[error("the files have {} problems", .0.len())]
    Problems(Vec<Problem>),
    #[error("example tariffs are refused in live mode")]
    ExampleTariffs,
    #[error("there is no such import")]
    NotFound,
    #[error("the import is {} already", .0.as_str())]
    AlreadyDecided(ImportState),
    #[error("who submitted the files does not decide on them")]
    SamePerson,
    #[error("the SHA-256 is not that of this import's files: look at them again")]
    OtherFiles,
    #[error("the catalogue in force has changed since these files were compared with it: submit them again")]
    Outdated,
    #[error(transparent)]
    Fault(#[from] Fault),
}

crate::service_error!(CatalogueError);

impl From<Illegal> for CatalogueError {
    fn from(illegal: Illegal) -> Self {
        match illegal {
            Illegal::Decided(state) => Self::AlreadyDecided(state),
            Illegal::SamePerson => Self::SamePerson,
        }
    }
}

/// What was taken for approval.
#[derive(Debug)]
pub struct Submitted {
    pub id: CatalogueImportId,
    pub sha256: String,
    pub difference: Difference,
}

/// Takes files for approval. Every problem of all of them is told at once; nothing is in force yet.
pub async fn submit(tx: &mut Tx, files: &[(String, String)]) -> Result<Submitted, CatalogueError> {
    let hub = tx.hub().clone();
    // Should the catalogue change between the two, then its version is the older one, and the approval is refused.
    let head = catalogue_store::head(tx.conn()).await?;
    let in_force = read_at(tx.conn(), &hub.catalogue, head).await?;
    let (_, difference) = weigh(&hub, InForce { catalogue: &in_force, now: tx.now() }, files)?;
    let import = Import {
        id: tx.id(),
        state: ImportState::Submitted,
        files: files.to_vec(),
        author: tx.actor().as_str().to_owned(),
        created_at: tx.now(),
        head,
        decided_by: None,
        decided_at: None,
        reason: None,
        difference: None,
    };
    store::insert(tx.conn(), &import).await?;
    let (id, sha256) = (import.id, import.sha256());
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    tx.audit("catalogue.submitted", id, json!({ "files": names, "sha256": sha256 }));
    Ok(Submitted { id, sha256, difference })
}

/// What is in the files and what they change, or everything that stands against them.
fn weigh(
    hub: &Hub,
    in_force: InForce<'_>,
    files: &[(String, String)],
) -> Result<(Catalogue, Difference), CatalogueError> {
    let catalogue = check_against(files, in_force).map_err(CatalogueError::Problems)?;
    if catalogue.example && hub.config.mode.is_live() {
        return Err(CatalogueError::ExampleTariffs);
    }
    let difference = Difference::between(in_force.catalogue, &catalogue).map_err(Fault::from)?;
    Ok((catalogue, difference))
}

/// What an approval would do now.
#[derive(Debug)]
pub struct Outlook {
    /// The catalogue in force is another than the files were compared with: the approval would be refused.
    pub outdated: bool,
    /// So it would for these.
    pub problems: Vec<String>,
    /// Against what is in force; none when the files cannot be read as a catalogue.
    pub difference: Option<Difference>,
}

/// Weighs an import that waits for a decision, for who looks at it.
pub async fn outlook(
    conn: &mut PgConnection,
    hub: &Hub,
    now: mizan_ledger::Instant,
    import: &Import,
) -> Result<Outlook, Fault> {
    let head = catalogue_store::head(conn).await?;
    let in_force = read_at(conn, &hub.catalogue, head).await?;
    let outdated = head != import.head;
    match weigh(hub, InForce { catalogue: &in_force, now }, &import.files) {
        Ok((_, difference)) => Ok(Outlook { outdated, problems: Vec::new(), difference: Some(difference) }),
        Err(CatalogueError::Problems(problems)) => {
            let problems = problems.iter().map(ToString::to_string).collect();
            Ok(Outlook { outdated, problems, difference: None })
        }
        Err(CatalogueError::Fault(fault)) => Err(fault),
        Err(refusal) => Ok(Outlook { outdated, problems: vec![refusal.to_string()], difference: None }),
    }
}

/// What an approver says yes to: the files of an import, by the SHA-256 that was shown.
#[derive(Debug)]
pub struct Approval {
    pub import: CatalogueImportId,
    pub sha256: String,
}

/// Another person approves: agencies, services and fee versions are in force from their first days.
pub async fn approve(tx: &mut Tx, approval: &Approval) -> Result<Catalogue, CatalogueError> {
    let mut import = lock(tx, approval.import).await?;
    let approver = tx.actor().as_str().to_owned();
    let state = import.apply(ImportEvent::Approved, &approver)?;
    if import.sha256() != approval.sha256 {
        return Err(CatalogueError::OtherFiles);
    }
    let hub = tx.hub().clone();
    let head = catalogue_store::lock_head(tx.conn()).await?;
    if head != import.head {
        return Err(CatalogueError::Outdated);
    }
    let in_force = read_at(tx.conn(), &hub.catalogue, head).await?;
    let now = tx.now();
    let (catalogue, difference) = weigh(&hub, InForce { catalogue: &in_force, now }, &import.files)?;
    bring_in_force(tx, &in_force, &catalogue, Hands { author: &import.author, approver: &approver }).await?;
    import.difference = Some(difference);
    decided(tx, &mut import, state).await?;
    let detail = json!({ "services": catalogue.services.len(), "sha256": approval.sha256 });
    tx.audit("catalogue.approved", import.id, detail);
    Ok(catalogue)
}

/// Writes what is new or other; what the files leave out, or say as it is, stays untouched.
async fn bring_in_force(
    tx: &mut Tx,
    in_force: &Catalogue,
    catalogue: &Catalogue,
    hands: Hands<'_>,
) -> Result<(), Fault> {
    let now = tx.now();
    for agency in &catalogue.agencies {
        if in_force.agency(&agency.code) != Some(agency) {
            catalogue_store::update_agency(tx.conn(), agency, now).await?;
        }
    }
    let mut new = Vec::new();
    for service in &catalogue.services {
        let known = in_force.service(&service.code);
        if known.is_none_or(|known| known.without_versions() != service.without_versions()) {
            catalogue_store::update_service(tx.conn(), service, now).await?;
        }
        for version in &service.versions {
            match known.and_then(|known| known.version(version.number)) {
                None => new.push(version),
                Some(same) if same == version => {}
                Some(_) => catalogue_store::update_version_end(tx.conn(), version).await?,
            }
        }
    }
    // All ends stand before the first beginning: a file may list the new version above the one that it ends.
    for version in new {
        let id = tx.id();
        catalogue_store::insert_version(tx.conn(), id, version, hands, now).await?;
    }
    Ok(())
}

/// What another person says no to, and why.
#[derive(Debug)]
pub struct Refusal {
    pub import: CatalogueImportId,
    pub reason: String,
}

/// Another person sends the files back to their author.
pub async fn refuse(tx: &mut Tx, refusal: &Refusal) -> Result<Import, CatalogueError> {
    let mut import = lock(tx, refusal.import).await?;
    let state = import.apply(ImportEvent::Refused, tx.actor().as_str())?;
    import.reason = Some(refusal.reason.clone());
    decided(tx, &mut import, state).await?;
    tx.audit("catalogue.refused", import.id, json!({ "reason": refusal.reason, "sha256": import.sha256() }));
    Ok(import)
}

/// An author takes files back before anybody decided on them.
pub async fn withdraw(tx: &mut Tx, id: CatalogueImportId) -> Result<Import, CatalogueError> {
    let mut import = lock(tx, id).await?;
    let state = import.apply(ImportEvent::Withdrawn, tx.actor().as_str())?;
    decided(tx, &mut import, state).await?;
    tx.audit("catalogue.withdrawn", id, json!({}));
    Ok(import)
}

async fn lock(tx: &mut Tx, id: CatalogueImportId) -> Result<Import, CatalogueError> {
    store::lock(tx.conn(), id).await?.ok_or(CatalogueError::NotFound)
}

async fn decided(tx: &mut Tx, import: &mut Import, state: ImportState) -> Result<(), Fault> {
    import.state = state;
    import.decided_by = Some(tx.actor().as_str().to_owned());
    import.decided_at = Some(tx.now());
    store::update_decided(tx.conn(), import).await
}
