//! PostgreSQL's programs: found, or installed without a question, by the script the tests use too.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::Command;

use super::error::LocalPgError;

const SCRIPT: &str = include_str!("../../config/bootstrap/get-postgres");

/// The folder of `initdb`, `postgres` and `pg_ctl`. `major` is the version an existing cluster was written by.
/// What the script tells (it installs for up to a minute) is passed on as it comes.
pub(super) async fn find_or_install(dest: &Path, major: Option<&str>) -> Result<PathBuf, LocalPgError> {
    let mut script = Command::new("sh")
        .args(["-c", SCRIPT, "get-postgres"])
        .arg(dest)
        .args(major)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(LocalPgError::spawn(Path::new("sh")))?;
    let mut told = BufReader::new(script.stderr.take().expect("stderr is piped")).lines();
    let mut last = String::new();
    while let Ok(Some(line)) = told.next_line().await {
        eprintln!("{line}");
        last = line;
    }
    let mut folder = String::new();
    let mut stdout = script.stdout.take().expect("stdout is piped");
    stdout.read_to_string(&mut folder).await.map_err(LocalPgError::spawn(Path::new("sh")))?;
    let status = script.wait().await.map_err(LocalPgError::spawn(Path::new("sh")))?;
    let folder = folder.trim();
    if status.success() && !folder.is_empty() {
        Ok(PathBuf::from(folder))
    } else {
        Err(LocalPgError::Programs(last))
    }
}
