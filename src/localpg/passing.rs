//! Clusters that pass with the process that made them: a demo's, a load's, a simulation's.
//!
//! Their folders carry a mark. What a killed process left is known by the mark and by the lock that nobody holds any
//! more: the kernel drops it with the process, so no number of a process is compared that another may have by now.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::geteuid;

use super::account::Account;
use super::cluster::Cluster;
use super::error::LocalPgError;
use super::local::made_data_dir;
use super::locks::{Turn, Using};
use super::settings::{Durability, Places};
use super::tell::tell;

const MARK: &str = "passes-with-its-process";
/// How often a folder in which somebody still writes is tried again, and after what time.
const REMOVALS_MAX: usize = 100;
const PAUSE: Duration = Duration::from_millis(20);

/// Makes a marked data directory below `home`. Answers its path.
///
/// # Errors
/// When it cannot be made or used.
pub async fn passing_folder(home: &Path, name: &str) -> Result<PathBuf, LocalPgError> {
    let account = Account::find().await?;
    made_data_dir(home, &account)?;
    let folder = made_data_dir(&home.join(name), &account)?;
    let mark = folder.join(MARK);
    fs::write(&mark, "a later `mizan demo` of this user removes this folder\n")
        .map_err(LocalPgError::file(&mark))?;
    Ok(folder)
}

/// Takes the mark away: the folder stays.
///
/// # Errors
/// When the mark is not there.
pub fn keep(folder: &Path) -> Result<(), LocalPgError> {
    let mark = folder.join(MARK);
    fs::remove_file(&mark).map_err(LocalPgError::file(&mark))
}

/// Ends the server of a marked folder, unless another process uses it, and removes the folder. Safe to repeat.
///
/// # Errors
/// When the server does not end or a file cannot be removed.
pub async fn discard(folder: &Path) -> Result<(), LocalPgError> {
    let places = Places::below(folder);
    if !folder.join(MARK).exists() {
        return Ok(());
    }
    let turn = Turn::take(&places).await?;
    if Using::join(&places)?.leave() {
        remove(places).await?;
    }
    drop(turn);
    Ok(())
}

/// Discards every marked folder of this user below `home` whose process is gone. What resists is told and left: it
/// stands in nobody's way.
pub async fn clear_left(home: &Path) {
    let user = geteuid().as_raw();
    for entry in fs::read_dir(home).into_iter().flatten().flatten() {
        let folder = entry.path();
        let is_own = entry.metadata().is_ok_and(|found| found.is_dir() && found.uid() == user);
        let places = Places::below(&folder);
        // One that is only just being made has no lock yet.
        if !is_own || !folder.join(MARK).exists() || !places.users.exists() {
            continue;
        }
        if let Err(error) = clear(places).await {
            tell(&format!("{} of an earlier run stays: {error}", folder.display()));
        }
    }
}

async fn clear(places: Places) -> Result<(), LocalPgError> {
    let Some(turn) = Turn::free(&places)? else { return Ok(()) };
    if Using::join(&places)?.leave() {
        tell(&format!("removing {}, left by a run that was killed", places.data_dir.display()));
        remove(places).await?;
    }
    drop(turn);
    Ok(())
}

/// Needs the turn, and nobody who uses the cluster.
async fn remove(places: Places) -> Result<(), LocalPgError> {
    let account = Account::find().await?;
    let cluster = Cluster { places, account, durability: Durability::UnlessPowerFails };
    cluster.end().await?;
    let Places { data_dir, socket, .. } = &cluster.places;
    if !socket.starts_with(data_dir) && socket.exists() {
        fs::remove_dir_all(socket).map_err(LocalPgError::file(socket))?;
    }
    // What initdb forked as it was killed may write once more before it is seen, and is gone.
    for _ in 0..REMOVALS_MAX {
        match fs::remove_dir_all(data_dir) {
            Err(error) if error.kind() == std::io::ErrorKind::DirectoryNotEmpty => {
                tokio::time::sleep(PAUSE).await;
                cluster.clear_up().await?;
            }
            done => return done.map_err(LocalPgError::file(data_dir)),
        }
    }
    fs::remove_dir_all(data_dir).map_err(LocalPgError::file(data_dir))
}
