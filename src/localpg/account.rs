//! As whom PostgreSQL runs: it refuses root, so under root its programs change to an account without rights.

use std::path::Path;

use tokio::process::Command;

use super::error::LocalPgError;

/// The user of this process, and the one its PostgreSQL programs run as.
#[derive(Debug, Clone)]
pub(super) struct Account {
    /// Name of this process's user.
    pub own_name: String,
    /// Name of the programs' user: the same one, unless that is root.
    pub name: String,
    /// User and group the programs change to, when this process is root.
    pub change_to: Option<(u32, u32)>,
}

impl Account {
    pub(super) async fn find() -> Result<Self, LocalPgError> {
        let own_name = id(&["-un"]).await?;
        if id(&["-u"]).await? != "0" {
            return Ok(Self { name: own_name.clone(), own_name, change_to: None });
        }
        for name in ["postgres", "nobody"] {
            if let (Ok(user), Ok(group)) = (id(&["-u", name]).await, id(&["-g", name]).await)
                && let (Ok(user), Ok(group)) = (user.parse(), group.parse())
            {
                return Ok(Self { own_name, name: name.to_owned(), change_to: Some((user, group)) });
            }
        }
        Err(LocalPgError::Account("id -u nobody".to_owned()))
    }

    /// A command that runs as this account, knows nothing of the caller's PostgreSQL settings and outlives a Ctrl-C at
    /// the caller's terminal.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir("/").process_group(0);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        if let Some((user, group)) = self.change_to {
            command.uid(user).gid(group);
        }
        command
    }

    /// Makes a folder that only this account (and root) can enter.
    pub(super) fn private_folder(&self, path: &Path) -> Result<(), LocalPgError> {
        use std::os::unix::fs::{DirBuilderExt, chown};

        match std::fs::DirBuilder::new().mode(0o700).create(path) {
            Ok(()) => {
                if let Some((user, group)) = self.change_to {
                    chown(path, Some(user), Some(group)).map_err(LocalPgError::file(path))?;
                }
                Ok(())
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(LocalPgError::file(path)(error)),
        }
    }

    /// Under root: whether the account can walk down to `folder`, which needs the last execute bit all the way.
    pub(super) fn can_reach(&self, folder: &Path) -> Result<(), LocalPgError> {
        use std::os::unix::fs::PermissionsExt;

        if self.change_to.is_none() {
            return Ok(());
        }
        for path in folder.ancestors() {
            let mode = std::fs::metadata(path).map_err(LocalPgError::file(path))?.permissions().mode();
            if mode & 0o001 == 0 {
                return Err(LocalPgError::Unreachable { path: path.to_owned(), account: self.name.clone() });
            }
        }
        Ok(())
    }
}

async fn id(arguments: &[&str]) -> Result<String, LocalPgError> {
    let asked = || LocalPgError::Account(format!("id {}", arguments.join(" ")));
    let output = Command::new("id").args(arguments).output().await.map_err(|_| asked())?;
    let answer = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if output.status.success() && !answer.is_empty() { Ok(answer) } else { Err(asked()) }
}
