//! Two file locks that keep processes apart. The kernel drops them with the process, however it ends.

use std::fs::{File, Permissions, TryLockError};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::Duration;

use super::error::LocalPgError;
use super::settings::Places;
use super::tell::tell;

const OWNER_ALONE: u32 = 0o600;
const PAUSE: Duration = Duration::from_millis(50);
/// Installing PostgreSQL may take minutes on a slow line; starting and stopping take seconds.
const TRIES_MAX: u32 = 10 * 60 * 20;
const TRIES_BEFORE_WORD: u32 = 40;

/// Held alone while a cluster is started or stopped.
#[derive(Debug)]
pub(super) struct Turn(#[expect(dead_code, reason = "held, not read: closing the file ends the turn")] File);

impl Turn {
    pub(super) async fn take(places: &Places) -> Result<Self, LocalPgError> {
        for n in 0..TRIES_MAX {
            if let Some(turn) = Self::free(places)? {
                return Ok(turn);
            }
            if n == TRIES_BEFORE_WORD {
                tell("another process is starting or stopping the database here; waiting for it");
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(LocalPgError::Busy(places.data_dir.clone()))
    }

    /// The turn if nobody has it.
    pub(super) fn free(places: &Places) -> Result<Option<Self>, LocalPgError> {
        let file = open(&places.turn)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(LocalPgError::file(&places.turn)(source)),
        }
    }
}

/// Held together by every process that uses the cluster.
#[derive(Debug)]
pub(super) struct Using(File);

impl Using {
    /// Waits for nobody: whoever holds it alone has the turn too, which the caller holds.
    pub(super) fn join(places: &Places) -> Result<Self, LocalPgError> {
        let file = open(&places.users)?;
        file.lock_shared().map_err(LocalPgError::file(&places.users))?;
        Ok(Self(file))
    }

    /// Ends this use; true when nobody else is left. Needs the turn, so that nobody joins meanwhile.
    pub(super) fn leave(self) -> bool {
        // a lock taken on the same open file replaces the shared one
        self.0.try_lock().is_ok()
    }
}

/// Who may open it may hold it, and keep a hub from starting: its owner alone, also where it was made with wider rights.
fn open(path: &Path) -> Result<File, LocalPgError> {
    let made = File::options().create(true).truncate(false).write(true).mode(OWNER_ALONE).open(path);
    let file = made.map_err(LocalPgError::file(path))?;
    file.set_permissions(Permissions::from_mode(OWNER_ALONE)).map_err(LocalPgError::file(path))?;
    Ok(file)
}
