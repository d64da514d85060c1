//! The use of a private cluster by this process.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::account::Account;
use super::bootstrap::{DATABASE, bootstrap};
use super::cluster::Cluster;
use super::error::LocalPgError;
use super::locks::{Turn, Using};
use super::place::own;
use super::programs::find_or_install;
use super::settings::{Places, Settings};
use super::tell::tell;

const HEARTBEAT: Duration = Duration::from_millis(500);

/// A private PostgreSQL cluster in use. Dropped without [`LocalPg::stop`], it leaves the server running for the next
/// process, exactly as a kill would.
#[derive(Debug)]
pub struct LocalPg {
    cluster: Cluster,
    programs: PathBuf,
    using: Using,
}

impl LocalPg {
    /// Brings up the cluster in a data directory: installs PostgreSQL and makes the cluster when they are missing, adopts
    /// a live server, recovers after a crash, and brings roles, database and tables to this release.
    ///
    /// # Errors
    /// When PostgreSQL cannot be had, the directory cannot be used, or the server, bootstrap or a migration fails.
    pub async fn start(data_dir: impl Into<PathBuf>) -> Result<Self, LocalPgError> {
        Self::start_with(Settings::new(data_dir)).await
    }

    /// As [`LocalPg::start`], with settings.
    ///
    /// # Errors
    /// As [`LocalPg::start`].
    pub async fn start_with(settings: Settings) -> Result<Self, LocalPgError> {
        let account = Account::find().await?;
        let data_dir = made_data_dir(&settings.data_dir, &account)?;
        let places = Places::below(&data_dir);
        let turn = Turn::take(&places).await?;
        let using = Using::join(&places)?;
        let cluster = Cluster { places, account, durability: settings.durability };
        let programs = find_or_install(&cluster.places.programs, cluster.major().as_deref()).await?;
        bring_up(&cluster, &programs).await?;
        bootstrap(cluster.superuser()?).await?;
        drop(turn);
        Ok(Self { cluster, programs, using })
    }

    /// Whether a cluster was made in this data directory.
    pub fn exists(data_dir: &Path) -> bool {
        Places::below(data_dir).cluster.exists()
    }

    /// For the hub: the application's role on its database.
    pub fn url_app(&self) -> String {
        self.cluster.places.url("mizan_app", DATABASE)
    }

    /// For bootstrap and backup: the superuser on the hub's database.
    pub fn url_bootstrap(&self) -> String {
        self.cluster.places.url("postgres", DATABASE)
    }

    /// Starts the server again whenever it is found dead; never ends. The hub runs it beside its other loops; pools
    /// connect again by themselves.
    pub async fn supervise(&self) {
        loop {
            tokio::time::sleep(HEARTBEAT).await;
            if !self.cluster.is_alive().await
                && let Err(error) = self.revive().await
            {
                tracing::error!(%error, "the private PostgreSQL is down and does not start");
            }
        }
    }

    async fn revive(&self) -> Result<(), LocalPgError> {
        let turn = Turn::take(&self.cluster.places).await?;
        tell("PostgreSQL is gone; starting it again");
        bring_up(&self.cluster, &self.programs).await?;
        drop(turn);
        Ok(())
    }

    /// Ends this process's use. The last process to use the cluster stops the server, others leave it running.
    ///
    /// # Errors
    /// When the server does not stop.
    pub async fn stop(self) -> Result<(), LocalPgError> {
        let turn = Turn::take(&self.cluster.places).await?;
        if self.using.leave() {
            self.cluster.stop(&self.programs).await?;
        }
        drop(turn);
        Ok(())
    }
}

/// Leaves a live server alone, starts a dead one. Needs the turn.
async fn bring_up(cluster: &Cluster, programs: &Path) -> Result<(), LocalPgError> {
    if cluster.is_alive().await {
        return cluster.wait_until_ready(None).await;
    }
    if !cluster.places.cluster.exists() {
        cluster.create(programs).await?;
    }
    own_socket_folder(cluster)?;
    cluster.clear_up().await?;
    cluster.write_access_rules()?;
    let server = cluster.spawn(programs)?;
    cluster.wait_until_ready(Some(server)).await
}

/// The data directory, absolute and free of links: it names the socket's folder and is compared with processes' folders.
pub(super) fn made_data_dir(asked: &Path, account: &Account) -> Result<PathBuf, LocalPgError> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};

    own(asked)?;
    // under root the server's account must walk through, whatever the umask; what lies in it is closed by itself
    let is_root = account.change_to.is_some();
    let is_new = !asked.exists();
    let mode = if is_root { 0o711 } else { 0o700 };
    fs::DirBuilder::new().recursive(true).mode(mode).create(asked).map_err(LocalPgError::file(asked))?;
    if is_new && is_root {
        fs::set_permissions(asked, fs::Permissions::from_mode(mode)).map_err(LocalPgError::file(asked))?;
    }
    let data_dir = fs::canonicalize(asked).map_err(LocalPgError::file(asked))?;
    account.can_reach(&data_dir)?;
    Ok(data_dir)
}

/// The socket's folder may lie below /tmp, where anybody can make folders first: it must be ours and closed.
fn own_socket_folder(cluster: &Cluster) -> Result<(), LocalPgError> {
    use std::os::unix::fs::MetadataExt;

    let folder = &cluster.places.socket;
    cluster.account.private_folder(folder)?;
    let found = fs::symlink_metadata(folder).map_err(LocalPgError::file(folder))?;
    let owner =
        fs::metadata(&cluster.places.cluster).map_err(LocalPgError::file(&cluster.places.cluster))?.uid();
    if found.is_dir() && found.uid() == owner && found.mode() & 0o077 == 0 {
        return Ok(());
    }
    Err(LocalPgError::SocketFolder(folder.clone()))
}
