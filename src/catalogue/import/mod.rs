//! Catalogue files: TOML in, a checked catalogue or every problem at once, each with file and line.
//!
//! `tree` reads keys out of a parsed file and remembers where they stood; `read` makes agencies, services and
//! fee versions of them; `across` checks what only shows when all files lie side by side, `succession` what only shows
//! beside the catalogue in force.

mod across;
mod read;
mod read_fee;
mod succession;
mod tree;

#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeSet;
use std::fmt;

use toml::de::DeTable;

use super::model::{Catalogue, Service};
use super::words::ServiceCode;
use crate::books::Slug;
pub use succession::InForce;
use tree::{Fields, Place, Source};

/// Something wrong in a file. Shown as `FILE:LINE: what`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub file: String,
    /// Counts from 1.
    pub line: usize,
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}

/// A thing read and where it stood.
struct Read<'a, T> {
    value: T,
    place: Place<'a>,
}

struct ReadService<'a> {
    service: Service,
    place: Place<'a>,
    /// One for each of the service's versions, in their order.
    versions: Vec<Place<'a>>,
}

/// Every code some table gave, readable as a whole or not: what refers to it is not lost as well.
#[derive(Default)]
struct Codes {
    agencies: BTreeSet<Slug>,
    services: BTreeSet<ServiceCode>,
}

/// Reads catalogue files given as (name, text). The files are one catalogue: a service may name an agency of
/// another file. Problems come in the order of the files and their lines.
pub fn check<N: AsRef<str>, T: AsRef<str>>(files: &[(N, T)]) -> Result<Catalogue, Vec<Problem>> {
    read(files, None)
}

/// As [`check`], and the files may follow on the catalogue in force: what was charged up to today stays as it is.
pub fn check_against<N: AsRef<str>, T: AsRef<str>>(
    files: &[(N, T)],
    in_force: InForce<'_>,
) -> Result<Catalogue, Vec<Problem>> {
    read(files, Some(in_force))
}

fn read<N: AsRef<str>, T: AsRef<str>>(
    files: &[(N, T)],
    in_force: Option<InForce<'_>>,
) -> Result<Catalogue, Vec<Problem>> {
    let parsed: Vec<_> = files
        .iter()
        .map(|(name, text)| {
            let (root, errors) = DeTable::parse_recoverable(text.as_ref());
            let source = Source::new(name.as_ref(), text.as_ref());
            for error in errors {
                source.report(error.span().map_or(0, |span| span.start), error.message());
            }
            (source, root)
        })
        .collect();
    let mut agencies = Vec::new();
    let mut services = Vec::new();
    let mut codes = Codes::default();
    let mut example = false;
    for (source, root) in &parsed {
        let fields = Fields::root(source, root.get_ref());
        example |= fields.flag("example");
        for table in fields.tables("agencies") {
            agencies.extend(read::agency(table, &mut codes));
        }
        for table in fields.tables("services") {
            services.extend(read::service(table, &mut codes));
        }
        fields.finish();
    }
    across::check(&agencies, &services, &codes);
    if let Some(in_force) = in_force {
        succession::check(&agencies, &services, in_force);
    }
    let problems: Vec<Problem> = parsed.iter().flat_map(|(source, _)| source.problems()).collect();
    if problems.is_empty() {
        Ok(Catalogue {
            agencies: agencies.into_iter().map(|read| read.value).collect(),
            services: services.into_iter().map(|read| read.service).collect(),
            example,
        })
    } else {
        Err(problems)
    }
}
