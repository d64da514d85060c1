//! Keys as they lie on a disk. A hub shows a secret once, so its file is made before the hub is asked for one, and no
//! file of anybody is written over.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use mizan_ledger::SystemClock;
use serde::{Deserialize, Serialize};

use super::Usage;
use super::output::say;
use crate::client::Client;
use crate::entropy::Entropy;
use crate::http::signature::SigningKey;

/// A key as a person or a portal keeps it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyFile {
    pub hub: String,
    pub key_id: String,
    pub algorithm: String,
    /// An HMAC secret, or an Ed25519 private key (the seed of RFC 8032), in base64.
    pub secret: String,
}

/// Where a person's own key is kept: `$XDG_CONFIG_HOME/mizan/key.json`, or below `~/.config`.
///
/// # Errors
/// Without a home directory.
pub fn own_key() -> anyhow::Result<PathBuf> {
    let folder = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = folder.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".config")));
    Ok(folder.context("neither XDG_CONFIG_HOME nor HOME is set")?.join("mizan/key.json"))
}

impl KeyFile {
    /// # Errors
    /// When the file cannot be read or holds no key.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        serde_json::from_str(&text).with_context(|| path.display().to_string())
    }

    /// # Errors
    /// When the algorithm or the secret is none.
    pub fn client(&self) -> anyhow::Result<Client> {
        let secret = BASE64.decode(&self.secret).context("secret is not base64")?;
        let key = match self.algorithm.as_str() {
            "hmac-sha256" => SigningKey::hmac_sha256(secret)?,
            "ed25519" => SigningKey::ed25519(&secret)?,
            other => anyhow::bail!("{other} is no algorithm: hmac-sha256 or ed25519"),
        };
        Ok(Client::new(&self.hub, &self.key_id, key, Arc::new(SystemClock), Entropy::system()))
    }

    /// As a file holds it.
    ///
    /// # Errors
    /// Never: four texts are always JSON.
    pub fn text(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self)
    }
}

/// A file that waits for its key, readable by its owner alone. Dropped without one, it is taken away again.
#[derive(Debug)]
pub struct Place {
    path: PathBuf,
    /// What was made: `path` itself, or a file beside it that takes its name in the end.
    made: PathBuf,
    file: File,
    kept: bool,
}

impl Place {
    /// A new file.
    ///
    /// # Errors
    /// Wrong usage when there is one already; or it cannot be made.
    pub fn new(path: &Path) -> anyhow::Result<Self> {
        match make(path) {
            Ok(file) => Ok(Self { path: path.to_owned(), made: path.to_owned(), file, kept: false }),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let shown = path.display();
                Err(Usage(format!("{shown} exists, and may hold a key: name a file that does not")).into())
            }
            Err(error) => Err(error).with_context(|| path.display().to_string()),
        }
    }

    /// A file that replaces the one of before, at once or not at all.
    ///
    /// # Errors
    /// When nothing can be written beside it.
    pub fn replacing(path: &Path) -> anyhow::Result<Self> {
        let mut beside = path.as_os_str().to_owned();
        beside.push(format!(".{}", Entropy::system().token::<10>()));
        let made = PathBuf::from(beside);
        let file = make(&made).with_context(|| path.display().to_string())?;
        Ok(Self { path: path.to_owned(), made, file, kept: false })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the key. Where that fails the key goes to standard output: the hub does not show it again.
    ///
    /// # Errors
    /// When it could not be kept.
    pub fn keep(mut self, key: &KeyFile) -> anyhow::Result<()> {
        let text = key.text()?;
        let Err(error) = self.write(&text) else { return Ok(()) };
        say(&text)?;
        let shown = self.path.display();
        Err(error).with_context(|| {
            format!("{shown} could not be written. The key is made and stands on standard output: keep it now, it is not shown again")
        })
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.file, "{text}")?;
        self.file.sync_all()?;
        if self.made != self.path {
            fs::rename(&self.made, &self.path)?;
        }
        self.kept = true;
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.kept {
            drop(fs::remove_file(&self.made));
        }
    }
}

fn make(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn key(id: &str) -> KeyFile {
        KeyFile {
            hub: "http://127.0.0.1:8080".to_owned(),
            key_id: id.to_owned(),
            algorithm: "ed25519".to_owned(),
            secret: BASE64.encode([7; 32]),
        }
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .expect("readable")
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_key_file_is_its_owners_alone_and_replaces_nothing_but_itself() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("deeper/key.json");
        Place::replacing(&path).expect("a place").keep(&key("first")).expect("written");
        fs::write(path.with_extension("new"), "another's").expect("written");
        Place::replacing(&path).expect("a place").keep(&key("second")).expect("replaced");
        let mode = fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(KeyFile::read(&path).expect("readable").key_id, "second");
        assert_eq!(names(path.parent().expect("a folder")), ["key.json", "key.new"]);
    }

    #[test]
    fn a_file_that_is_there_stays_and_one_without_a_key_goes() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("portal.json");
        drop(Place::new(&path).expect("a place"));
        drop(Place::replacing(&path).expect("a place"));
        assert!(names(folder.path()).is_empty());
        Place::new(&path).expect("a place").keep(&key("first")).expect("written");
        let mode = fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let refused = Place::new(&path).expect_err("it is there");
        assert!(refused.is::<Usage>() && refused.to_string().contains("exists"), "{refused:#}");
        assert_eq!(KeyFile::read(&path).expect("readable").key_id, "first");
    }

    #[test]
    fn a_key_that_is_none_is_refused_by_name() {
        let other = KeyFile { algorithm: "rsa".to_owned(), ..key("x") };
        assert!(other.client().expect_err("no algorithm").to_string().contains("rsa is no algorithm"));
        let short = KeyFile { secret: BASE64.encode([7; 31]), ..key("x") };
        assert!(short.client().expect_err("short").to_string().contains("32 bytes"));
    }
}
