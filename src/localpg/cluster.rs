//! One cluster's files and processes: made, found alive, cleared up after a crash, started, stopped.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection};
use tokio::net::UnixStream;
use tokio::process::Child;

use super::account::Account;
use super::error::LocalPgError;
use super::settings::{Durability, Places, server_settings};
use super::tell::tell;

const PAUSE: Duration = Duration::from_millis(25);
/// A server that says it is recovering is waited for; one that says nothing for so many pauses (a minute) is not.
const SILENT_PAUSES_MAX: u32 = 2400;
const PAUSES_BEFORE_WORD: u32 = 200;
/// Processes of a killed server end within moments of noticing its death; ten seconds is plenty.
const ORPHAN_PAUSES_MAX: u32 = 400;
const LOG_BYTES_MAX: u64 = 10 * 1024 * 1024;
const LOG_LINES_TOLD: usize = 20;
const STARTING_UP: &str = "57P03";

#[derive(Debug)]
pub(super) struct Cluster {
    pub places: Places,
    pub account: Account,
    pub durability: Durability,
}

impl Cluster {
    /// The major version that wrote the cluster; `None` before there is one.
    pub(super) fn major(&self) -> Option<String> {
        let version = fs::read_to_string(self.places.cluster.join("PG_VERSION")).ok()?;
        Some(version.trim().to_owned())
    }

    pub(super) fn superuser(&self) -> Result<PgConnectOptions, LocalPgError> {
        Ok(self.places.url("postgres", "postgres").parse::<PgConnectOptions>()?.disable_statement_logging())
    }

    /// initdb in a folder aside, moved into place when it is whole.
    pub(super) async fn create(&self, programs: &Path) -> Result<(), LocalPgError> {
        let Places { fresh, cluster, .. } = &self.places;
        if fresh.exists() {
            fs::remove_dir_all(fresh).map_err(LocalPgError::file(fresh))?;
        }
        self.account.private_folder(fresh)?;
        tell(&format!("creating a database cluster in {} (about 3 seconds)", cluster.display()));
        let ctype = if cfg!(target_os = "macos") { "UTF-8" } else { "C.UTF-8" };
        let program = programs.join("initdb");
        let output = self
            .account
            .command(&program)
            .arg("-D")
            .arg(fresh)
            .args(["--username=postgres", "--encoding=UTF8", "--locale=C", "--data-checksums", "--auth=peer"])
            .arg(format!("--lc-ctype={ctype}"))
            .args((self.durability == Durability::UnlessPowerFails).then_some("--no-sync"))
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .map_err(LocalPgError::spawn(&program))?;
        if !output.status.success() {
            return Err(LocalPgError::Initdb(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
        }
        fs::rename(fresh, cluster).map_err(LocalPgError::file(cluster))
    }

    /// Lets in this process's user and the server's own, each as any role: the kernel says who calls.
    pub(super) fn write_access_rules(&self) -> Result<(), LocalPgError> {
        let mut names = vec![&self.account.own_name];
        names.extend((self.account.name != self.account.own_name).then_some(&self.account.name));
        let mut map = String::new();
        for name in names {
            for role in ["postgres", "mizan_app", "mizan_reader", "mizan_auditor"] {
                map.push_str(&format!("mizan \"{name}\" {role}\n"));
            }
        }
        for (file, text) in
            [("pg_ident.conf", map.as_str()), ("pg_hba.conf", "local all all peer map=mizan\n")]
        {
            let path = self.places.cluster.join(file);
            fs::write(&path, text).map_err(LocalPgError::file(&path))?;
        }
        Ok(())
    }

    /// Whether a server runs here: somebody answers at the socket, or the process of the pid file is a server's.
    pub(super) async fn is_alive(&self) -> bool {
        UnixStream::connect(self.places.socket_file()).await.is_ok() || self.server_process().is_some()
    }

    fn server_process(&self) -> Option<u32> {
        let text = fs::read_to_string(self.places.cluster.join("postmaster.pid")).ok()?;
        let pid = text.lines().next()?.trim().parse().ok()?;
        works_in(pid, &self.places.cluster).then_some(pid)
    }

    /// Removes what a killed server left. Its pid may belong to another program by now, which PostgreSQL would
    /// respect, so the files go; first the last of its processes must be gone. Needs the turn, and no live server.
    pub(super) async fn clear_up(&self) -> Result<(), LocalPgError> {
        let cluster = &self.places.cluster;
        let mut left = self.processes();
        for _ in 0..ORPHAN_PAUSES_MAX {
            if left.is_empty() {
                break;
            }
            tokio::time::sleep(PAUSE).await;
            left = self.processes();
        }
        if !left.is_empty() {
            return Err(LocalPgError::Orphans { cluster: cluster.clone(), pids: left });
        }
        let socket = self.places.socket_file();
        let socket_lock = socket.with_added_extension("lock");
        for path in [cluster.join("postmaster.pid"), socket, socket_lock] {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(LocalPgError::file(&path)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The server's, and those an initdb left that was killed.
    fn processes(&self) -> Vec<u32> {
        [&self.places.cluster, &self.places.fresh]
            .into_iter()
            .flat_map(|folder| processes_in(folder))
            .collect()
    }

    /// Ends the server and all of its processes at once, whatever becomes of the data. Needs the turn.
    pub(super) async fn end(&self) -> Result<(), LocalPgError> {
        if let Some(pid) = self.server_process().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?)) {
            // One that ended by itself meanwhile is what was wanted.
            match kill_process(pid, Signal::QUIT) {
                Ok(()) | Err(Errno::SRCH) => {}
                Err(error) => return Err(LocalPgError::Stop(error.to_string())),
            }
        }
        self.clear_up().await
    }

    /// Starts the server; it goes on when this process ends.
    pub(super) fn spawn(&self, programs: &Path) -> Result<Child, LocalPgError> {
        let log = self.open_log()?;
        let also_log = log.try_clone().map_err(LocalPgError::file(&self.places.log))?;
        let program = programs.join("postgres");
        let mut command = self.account.command(&program);
        command.arg("-D").arg(&self.places.cluster);
        for setting in server_settings(&self.places, self.durability) {
            command.arg("-c").arg(setting);
        }
        command.stdin(Stdio::null()).stdout(log).stderr(also_log);
        command.spawn().map_err(LocalPgError::spawn(&program))
    }

    fn open_log(&self) -> Result<File, LocalPgError> {
        use std::os::unix::fs::OpenOptionsExt;

        let log = &self.places.log;
        if fs::metadata(log).is_ok_and(|file| file.len() > LOG_BYTES_MAX) {
            fs::rename(log, log.with_added_extension("old")).map_err(LocalPgError::file(log))?;
        }
        File::options().create(true).append(true).mode(0o600).open(log).map_err(LocalPgError::file(log))
    }

    /// Waits until the server lets the superuser in, through a recovery of any length. `child` is the server when this
    /// process started it.
    pub(super) async fn wait_until_ready(&self, mut child: Option<Child>) -> Result<(), LocalPgError> {
        let superuser = self.superuser()?;
        let mut silent = 0;
        for n in 0.. {
            match superuser.connect().await {
                Ok(connection) => return Ok(connection.close().await?),
                Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(STARTING_UP) => {
                    silent = 0;
                }
                Err(_) => silent += 1,
            }
            let ended = child.as_mut().is_some_and(|child| !matches!(child.try_wait(), Ok(None)));
            if ended || silent > SILENT_PAUSES_MAX {
                break;
            }
            if n == PAUSES_BEFORE_WORD {
                tell(
                    "PostgreSQL is recovering what it had not yet written when it was killed (seconds to minutes)",
                );
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(LocalPgError::Start { log: self.places.log.clone(), tail: self.log_tail() })
    }

    fn log_tail(&self) -> String {
        let log = fs::read(&self.places.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES_TOLD)..].join("\n")
    }

    /// Ends every session and the server; what was committed is on disk.
    pub(super) async fn stop(&self, programs: &Path) -> Result<(), LocalPgError> {
        let program = programs.join("pg_ctl");
        let output = self
            .account
            .command(&program)
            .args(["stop", "--mode=fast", "--wait", "--timeout=600", "-D"])
            .arg(&self.places.cluster)
            .stdin(Stdio::null())
            .output()
            .await
            .map_err(LocalPgError::spawn(&program))?;
        if !output.status.success() && self.is_alive().await {
            return Err(LocalPgError::Stop(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
        }
        let Places { socket, data_dir, .. } = &self.places;
        if !socket.starts_with(data_dir) {
            fs::remove_dir(socket).map_err(LocalPgError::file(socket))?;
        }
        Ok(())
    }
}

/// PostgreSQL's processes work in their cluster's folder, which tells them from others that got their number later.
fn works_in(pid: u32, cluster: &Path) -> bool {
    if Path::new("/proc/self").exists() {
        return fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|folder| folder == cluster);
    }
    let asked = std::process::Command::new("ps").args(["-o", "args=", "-p", &pid.to_string()]).output();
    asked.is_ok_and(|answer| String::from_utf8_lossy(&answer.stdout).contains(&*cluster.to_string_lossy()))
}

/// Every process that works in a cluster's folder, where /proc tells.
fn processes_in(cluster: &Path) -> Vec<u32> {
    let entries = fs::read_dir(PathBuf::from("/proc")).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| works_in(*pid, cluster))
        .collect()
}
