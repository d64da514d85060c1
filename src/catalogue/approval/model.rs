use mizan_ledger::Instant;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::catalogue::difference::Difference;
use crate::ids::CatalogueImportId;

/// Where an import stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CatalogueImportState)]
pub enum ImportState {
    /// Nothing of it is in force; it waits for another person.
    Submitted,
    /// In force.
    Approved,
    /// Another person refused it, with a reason.
    Returned,
    /// An author took it back.
    Withdrawn,
}

/// What people do with an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportEvent {
    Approved,
    Refused,
    Withdrawn,
}

/// Why it cannot happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Illegal {
    /// It was decided before.
    Decided(ImportState),
    /// Who submitted it decides nothing but to take it back.
    SamePerson,
}

impl ImportState {
    pub const ALL: [Self; 4] = [Self::Submitted, Self::Approved, Self::Returned, Self::Withdrawn];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::Approved => "approved",
            Self::Returned => "returned",
            Self::Withdrawn => "withdrawn",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// A set of files as submitted, and what became of it.
#[derive(Debug, Clone)]
pub struct Import {
    pub id: CatalogueImportId,
    pub state: ImportState,
    /// Names with their texts, as they came.
    pub files: Vec<(String, String)>,
    pub author: String,
    pub created_at: Instant,
    /// The version of the catalogue that the files were compared with.
    pub head: i64,
    pub decided_by: Option<String>,
    pub decided_at: Option<Instant>,
    /// Why it was refused.
    pub reason: Option<String>,
    /// What it changed, once it is decided.
    pub difference: Option<Difference>,
}

impl Import {
    /// Where it stands after `by` did this.
    pub fn apply(&self, event: ImportEvent, by: &str) -> Result<ImportState, Illegal> {
        match (self.state, event) {
            (ImportState::Submitted, ImportEvent::Withdrawn) => Ok(ImportState::Withdrawn),
            (ImportState::Submitted, _) if by == self.author => Err(Illegal::SamePerson),
            (ImportState::Submitted, ImportEvent::Approved) => Ok(ImportState::Approved),
            (ImportState::Submitted, ImportEvent::Refused) => Ok(ImportState::Returned),
            (decided, _) => Err(Illegal::Decided(decided)),
        }
    }

    /// The SHA-256 over all files: see [`fingerprint`].
    pub fn sha256(&self) -> String {
        fingerprint(&self.files)
    }
}

/// The SHA-256 of a text, in lower-case hexadecimal.
pub fn sha256(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

/// One SHA-256 over all files, names included: what `sha256sum FILE... | sha256sum` prints for them in this order.
pub fn fingerprint(files: &[(String, String)]) -> String {
    let lines: String = files.iter().map(|(name, text)| format!("{}  {name}\n", sha256(text))).collect();
    sha256(&lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_of_state_and_event_is_decided_for_the_author_and_for_another() {
        use ImportState::{Approved, Returned, Submitted, Withdrawn};
        let events = [ImportEvent::Approved, ImportEvent::Refused, ImportEvent::Withdrawn];
        let same = Err(Illegal::SamePerson);
        for state in ImportState::ALL {
            let import = Import {
                id: "ci_01936f2c5b7a7c3e8f1a2b3c4d5e6f70".parse().unwrap(),
                state,
                files: Vec::new(),
                author: "ps_author".to_owned(),
                created_at: "2026-11-22T08:00:00Z".parse().unwrap(),
                head: 1,
                decided_by: None,
                decided_at: None,
                reason: None,
                difference: None,
            };
            let decided = Err(Illegal::Decided(state));
            let (author, another) = match state {
                Submitted => ([same, same, Ok(Withdrawn)], [Ok(Approved), Ok(Returned), Ok(Withdrawn)]),
                Approved | Returned | Withdrawn => ([decided; 3], [decided; 3]),
            };
            assert_eq!(events.map(|event| import.apply(event, "ps_author")), author, "{state:?}");
            assert_eq!(events.map(|event| import.apply(event, "ps_another")), another, "{state:?}");
            assert_eq!(ImportState::parse(state.as_str()), Some(state));
        }
    }

    #[test]
    fn the_fingerprint_is_that_of_sha256sum() {
        let files = [("a.toml", "one\n"), ("b.toml", "two\n")].map(|(name, text)| (name.into(), text.into()));
        // printf 'one\n' > a.toml; printf 'two\n' > b.toml; sha256sum a.toml b.toml | sha256sum
        assert_eq!(fingerprint(&files), "483a9bb558c3e567e4e442ac6a404c8e76979b44d9a0bc7317cf211bca16af7a");
        let [first, second] = files;
        assert_ne!(fingerprint(&[second, first.clone()]), fingerprint(std::slice::from_ref(&first)));
    }
}
