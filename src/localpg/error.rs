//! Why there is no embedded database.

use std::io;
use std::path::{Path, PathBuf};

/// Every variant tells its reader what to do, or where to look.
#[derive(Debug, thiserror::Error)]
pub enum LocalPgError {
    #[error("{0}")]
    Programs(String),
    #[error("`{0}` is needed to find out who runs this and did not answer")]
    Account(String),
    #[error("{path} cannot be entered by `{account}`, as whom PostgreSQL runs under root: choose a data directory outside {}", path.display())]
    Unreachable { path: PathBuf, account: String },
    #[error("{} belongs to user {owner}, and this runs as user {own}: run it as its owner (sudo -u '#{owner}' mizan ...), or name another data directory with MIZAN__DATA_DIR", path.display())]
    NotOwn { path: PathBuf, owner: u32, own: u32 },
    #[error("{} belongs to somebody else or is open to others: remove it", .0.display())]
    SocketFolder(PathBuf),
    #[error("another process has been starting or stopping the database in {} for ten minutes", .0.display())]
    Busy(PathBuf),
    #[error("initdb failed: {0}")]
    Initdb(String),
    #[error("PostgreSQL did not start; the end of {}:\n{tail}", log.display())]
    Start { log: PathBuf, tail: String },
    #[error("PostgreSQL did not stop: {0}")]
    Stop(String),
    #[error("a server that died left processes in {} that do not end: {pids:?}", cluster.display())]
    Orphans { cluster: PathBuf, pids: Vec<u32> },
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("{program}: {source}")]
    Spawn { program: String, source: io::Error },
    #[error("the bootstrap of the database failed: {0}")]
    Bootstrap(#[from] sqlx::Error),
    #[error("a migration failed: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
}

impl LocalPgError {
    pub(super) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }

    pub(super) fn spawn(program: &Path) -> impl FnOnce(io::Error) -> Self {
        let program = program.display().to_string();
        move |source| Self::Spawn { program, source }
    }
}
