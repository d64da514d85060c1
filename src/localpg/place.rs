//! Which folder is this process's own to keep data in.

use std::env;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

use super::error::LocalPgError;

/// Where data lies when nothing is configured: `/var/lib/mizan` for root, `$XDG_DATA_HOME/mizan` or
/// `~/.local/share/mizan` for a user. Who this is, the kernel says and not `HOME`, which `sudo` may leave another's.
pub fn default_data_dir() -> PathBuf {
    data_dir_of(geteuid().is_root(), |name| env::var_os(name).map(PathBuf::from))
}

fn data_dir_of(is_root: bool, variable: impl Fn(&str) -> Option<PathBuf>) -> PathBuf {
    if is_root {
        return PathBuf::from("/var/lib/mizan");
    }
    let share = variable("XDG_DATA_HOME").filter(|path| path.is_absolute());
    let home = || variable("HOME").map(|home| home.join(".local/share"));
    share.or_else(home).unwrap_or_else(env::temp_dir).join("mizan")
}

/// Refuses a data directory of somebody else: what is written there by another user, root for one, its owner cannot open
/// afterwards.
///
/// # Errors
/// [`LocalPgError::NotOwn`]; a folder that is not there yet is nobody's.
pub fn own(folder: &Path) -> Result<(), LocalPgError> {
    let Ok(found) = fs::metadata(folder) else { return Ok(()) };
    let (owner, own) = (found.uid(), geteuid().as_raw());
    if owner == own {
        return Ok(());
    }
    Err(LocalPgError::NotOwn { path: folder.to_owned(), owner, own })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_keeps_its_data_outside_every_home() {
        assert_eq!(data_dir_of(true, |_| Some("/h".into())), PathBuf::from("/var/lib/mizan"));
    }

    #[test]
    fn a_user_keeps_data_where_the_desktop_says() {
        let both = |name: &str| Some(PathBuf::from(if name == "HOME" { "/h" } else { "/x" }));
        let home = |name: &str| (name == "HOME").then(|| PathBuf::from("/h"));
        let relative = |name: &str| Some(PathBuf::from(if name == "HOME" { "/h" } else { "x" }));
        assert_eq!(data_dir_of(false, both), PathBuf::from("/x/mizan"));
        assert_eq!(data_dir_of(false, home), PathBuf::from("/h/.local/share/mizan"));
        assert_eq!(data_dir_of(false, relative), PathBuf::from("/h/.local/share/mizan"));
        assert_eq!(
            data_dir_of(false, |name| relative(name).filter(|_| name != "HOME")),
            env::temp_dir().join("mizan")
        );
    }

    #[test]
    fn a_folder_of_another_owner_is_refused_by_name() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(own(folder.path()).is_ok());
        assert!(own(&folder.path().join("later")).is_ok());
        let foreign = if geteuid().is_root() {
            std::os::unix::fs::chown(folder.path(), Some(12_345), None).expect("root gives away");
            folder.path()
        } else {
            Path::new("/")
        };
        let refused = own(foreign).expect_err("another's").to_string();
        assert!(refused.contains("belongs to user") && refused.contains("sudo -u"), "{refused}");
    }
}
