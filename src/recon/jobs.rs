//! The watched folder, where the bank puts its files, and the worker that matches what came in.

use std::collections::HashMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use mizan_adapters::statement::Refused;
use mizan_ledger::Instant;

use super::model::{FileSource, Imported, ReconError};
use super::service::UnreadFile;
use super::staging::NewFile;
use super::{RECONCILE, run, service};
use crate::app::App;
use crate::fault::Fault;
use crate::queue::Job;
use crate::queue::worker::{Done, Work};
use crate::tx::{Actor, Tx};

/// How often the folder is looked at.
const FOLDER_TICK: Duration = Duration::from_secs(2);

/// Reconciles after every import. The lease outlives a run; one that fails comes again after a pause.
pub const WORK: Work = Work { kind: RECONCILE, at_once: 1, lease_seconds: 600, handle: reconcile };

fn reconcile(app: App, _: Job) -> BoxFuture<'static, Result<Done, Fault>> {
    async move {
        let summary = run::reconcile(&app).await?;
        tracing::info!(?summary, "reconciled");
        Ok(Done::Finished)
    }
    .boxed()
}

/// Takes in what stands in the configured folder, until the hub stops. Files are left where they are: a file is known
/// by its bytes, so one that is seen again adds nothing.
pub async fn folder_loop(app: App) {
    let Some(folder) = app.hub.config.statements_folder.clone() else { return };
    let mut seen = Seen::default();
    while !app.stop.is_cancelled() {
        if let Err(fault) = look(&app, &folder, &mut seen).await {
            tracing::error!(%fault, "the statements folder cannot be taken in");
        }
        tokio::select! {
            () = tokio::time::sleep(FOLDER_TICK) => {}
            () = app.stop.cancelled() => {}
        }
    }
}

/// After a fault of ours a file is left alone for so many looks, then read again; so is one that is no statement, which may
/// not be whole yet.
const LOOKS_UNTIL_AGAIN: u32 = 30;

/// Files by their name, as they were when they were taken in or refused.
#[derive(Debug, Default)]
pub struct Seen(HashMap<PathBuf, Last>);

#[derive(Debug)]
struct Last {
    print: Print,
    /// Looks to go until it is read again; None when that would change nothing.
    again_in: Option<u32>,
    /// It was no statement.
    is_unread: bool,
}

/// What changes with any rewriting of a file, also one that keeps name and length: banks correct a digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Print {
    length: u64,
    inode: u64,
    changed: (i64, i64),
}

impl Print {
    fn of(metadata: &Metadata) -> Self {
        let changed = (metadata.ctime(), metadata.ctime_nsec());
        Self { length: metadata.len(), inode: metadata.ino(), changed }
    }
}

impl Seen {
    /// Whether the file is to be read now.
    fn is_due(&mut self, path: &Path, print: Print) -> bool {
        match self.0.get_mut(path).filter(|last| last.print == print) {
            None => true,
            Some(Last { again_in: Some(looks), .. }) => {
                *looks = looks.saturating_sub(1);
                *looks == 0
            }
            Some(_) => false,
        }
    }

    /// Whether it was no statement the last time, as it is now.
    fn was_unread(&self, path: &Path, print: Print) -> bool {
        self.0.get(path).is_some_and(|last| last.print == print && last.is_unread)
    }
}

/// One look into a folder, in the order of the names: banks name days so that they sort. A file that cannot be taken
/// in holds up no other, unless nothing can be taken in because the database is away.
pub async fn look(app: &App, folder: &Path, seen: &mut Seen) -> Result<Vec<Imported>, Fault> {
    let mut taken = Vec::new();
    let bytes_max = u64::try_from(app.hub.config.limits.statement_bytes_max).unwrap_or(u64::MAX);
    for (path, print) in files(folder).await.map_err(|error| Fault::Other(format!("{folder:?}: {error}")))? {
        if !seen.is_due(&path, print) {
            continue;
        }
        let (mut again_in, mut is_unread) = (None, false);
        let read = if print.length > bytes_max {
            let cause = format!("{} bytes, of which at most {bytes_max} are read", print.length);
            Err(ReconError::Unreadable(of_the_file(cause)))
        } else {
            import_file(app, &path).await
        };
        let read = match read {
            Err(ReconError::Unreadable(refused)) if seen.was_unread(&path, print) => {
                not_read(app, &path, print, &refused).await.map(|()| None).map_err(ReconError::Fault)
            }
            read => read.map(Some),
        };
        match read {
            Ok(imported) => taken.extend(imported),
            Err(ReconError::Unreadable(refused)) => {
                tracing::warn!(?path, %refused, "no statement");
                (again_in, is_unread) = (Some(LOOKS_UNTIL_AGAIN), true);
            }
            Err(ReconError::Fault(fault)) if fault.is_unavailable() => return Err(fault),
            Err(ReconError::Fault(fault)) => {
                tracing::error!(?path, %fault, "a statement file could not be taken in");
                again_in = Some(LOOKS_UNTIL_AGAIN);
            }
        }
        seen.0.insert(path, Last { print, again_in, is_unread });
    }
    Ok(taken)
}

/// Endings under which files are written before they are renamed.
const UNFINISHED: [&str; 3] = ["part", "tmp", "filepart"];

/// The finished files of a folder; banks write under another ending and rename.
async fn files(folder: &Path) -> std::io::Result<Vec<(PathBuf, Print)>> {
    let mut entries = tokio::fs::read_dir(folder).await?;
    let mut files = Vec::new();
    while let Some(entry) = entries.next_entry().await? {
        let path = entry.path();
        // Whoever lays files down may take one away meanwhile.
        let Ok(metadata) = entry.metadata().await else { continue };
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        let unfinished = path.extension().is_some_and(|ending| UNFINISHED.iter().any(|one| ending == *one));
        if metadata.is_file() && !hidden && !unfinished {
            files.push((path, Print::of(&metadata)));
        }
    }
    files.sort();
    Ok(files)
}

fn of_the_file(cause: String) -> Refused {
    Refused { place: "the file".to_owned(), cause }
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Somebody is told of it: it may be a statement that was cut short on its way.
async fn not_read(app: &App, path: &Path, print: Print, refused: &Refused) -> Result<(), Fault> {
    let (seconds, nanos) = print.changed;
    let written_at = Instant::from_micros(seconds * 1_000_000 + nanos / 1_000);
    let file = UnreadFile {
        name: printable(&name_of(path)),
        bytes: print.length,
        written_at: written_at.map_or_else(|_| seconds.to_string(), |at| at.to_string()),
        why: printable(&refused.to_string()),
    };
    let actor = Actor::hub("folder");
    app.run(&actor, &file, |tx, file| Box::pin(service::open_file_break(tx, file))).await
}

/// A damaged file may quote anything, and PostgreSQL's text holds no NUL.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

async fn import_file(app: &App, path: &Path) -> Result<Imported, ReconError> {
    let bytes = tokio::fs::read(path).await.map_err(|error| of_the_file(error.to_string()))?;
    let file = NewFile::read_aside(name_of(path), FileSource::Folder, bytes).await?;
    let actor = Actor::hub("folder");
    let import = async |tx: &mut Tx, file: &NewFile| -> Result<Imported, ReconError> {
        let imported = service::import(tx, file).await?;
        service::close_file_break(tx, &printable(&file.name)).await?;
        Ok(imported)
    };
    let imported = app.run(&actor, &file, |tx, file| Box::pin(import(tx, file))).await?;
    for one in imported.statements.iter().filter(|one| one.reason.is_some()) {
        tracing::warn!(file = %imported.file, account = %one.account, reason = ?one.reason, "statement not accepted");
    }
    Ok(imported)
}
