//! Imports as people see them.

use mizan_ledger::Instant;
use serde::Serialize;

use super::model::{Import, ImportState, sha256};
use super::service::{Outlook, Submitted};
use super::store::Listed;
use crate::catalogue::Catalogue;
use crate::catalogue::difference::Difference;
use crate::ids::CatalogueImportId;

/// What was taken for approval.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = SubmittedCatalogue)]
pub(super) struct SubmittedView {
    id: CatalogueImportId,
    state: ImportState,
    /// Over all files: the approval names it.
    sha256: String,
    difference: Difference,
}

impl From<Submitted> for SubmittedView {
    fn from(taken: Submitted) -> Self {
        let Submitted { id, sha256, difference } = taken;
        Self { id, state: ImportState::Submitted, sha256, difference }
    }
}

/// What is in force now.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ApprovedCatalogue)]
pub(super) struct ApprovedView {
    id: CatalogueImportId,
    state: ImportState,
    services: usize,
    agencies: usize,
}

impl ApprovedView {
    pub fn new(id: CatalogueImportId, catalogue: &Catalogue) -> Self {
        let (services, agencies) = (catalogue.services.len(), catalogue.agencies.len());
        Self { id, state: ImportState::Approved, services, agencies }
    }
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = CatalogueImport)]
pub(super) struct ImportView {
    id: CatalogueImportId,
    state: ImportState,
    author: String,
    created_at: Instant,
    decided_by: Option<String>,
    decided_at: Option<Instant>,
    /// Why it was refused.
    reason: Option<String>,
    /// The names of its files.
    files: Vec<String>,
}

impl From<Listed> for ImportView {
    fn from(row: Listed) -> Self {
        Self {
            id: row.id,
            state: row.state,
            author: row.author,
            created_at: row.created_at,
            decided_by: row.decided_by,
            decided_at: row.decided_at,
            reason: row.reason,
            files: row.files,
        }
    }
}

impl From<Import> for ImportView {
    fn from(import: Import) -> Self {
        Self {
            id: import.id,
            state: import.state,
            author: import.author,
            created_at: import.created_at,
            decided_by: import.decided_by,
            decided_at: import.decided_at,
            reason: import.reason,
            files: import.files.into_iter().map(|(name, _)| name).collect(),
        }
    }
}

/// An import as a whole: what was submitted, and what it changes.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = CatalogueImportDetail)]
pub(super) struct DetailView {
    id: CatalogueImportId,
    state: ImportState,
    author: String,
    created_at: Instant,
    decided_by: Option<String>,
    decided_at: Option<Instant>,
    /// Why it was refused.
    reason: Option<String>,
    /// Over all files, as `sha256sum FILE... | sha256sum` prints it: the approval names it.
    sha256: String,
    files: Vec<FileView>,
    /// The catalogue has changed since the submission: an approval is refused, the files are submitted again.
    outdated: bool,
    /// For these too an approval is refused, as `FILE:LINE: what`.
    problems: Vec<String>,
    /// While it waits: against what is in force now; null when the files have problems. Of one that was approved: what
    /// it changed then.
    difference: Option<Difference>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = SubmittedFile)]
struct FileView {
    name: String,
    sha256: String,
    text: String,
}

impl DetailView {
    /// `outlook` of one that waits.
    pub fn new(import: Import, outlook: Option<Outlook>) -> Self {
        let (outdated, problems, difference) = match outlook {
            Some(outlook) => (outlook.outdated, outlook.problems, outlook.difference),
            None => (false, Vec::new(), import.difference.clone()),
        };
        let digest = import.sha256();
        let file = |(name, text): (String, String)| FileView { name, sha256: sha256(&text), text };
        Self {
            id: import.id,
            state: import.state,
            author: import.author,
            created_at: import.created_at,
            decided_by: import.decided_by,
            decided_at: import.decided_at,
            reason: import.reason,
            sha256: digest,
            files: import.files.into_iter().map(file).collect(),
            outdated,
            problems,
            difference,
        }
    }
}
