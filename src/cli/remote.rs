//! The running hub as a command meets it: through its API, with the key of who runs the command.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use mizan_ledger::SystemClock;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::output::tell;
use crate::client::{Client, Reply};
use crate::entropy::Entropy;
use crate::http::signature::SigningKey;

/// Whose key signs.
#[derive(Debug, clap::Args)]
pub struct Key {
    /// Key file; what `mizan login` wrote when it is left out.
    ///
    /// A file holds {"hub": "https://...", "key_id": "...", "algorithm": "hmac-sha256" or "ed25519", "secret": "base64"}.
    #[arg(long, env = "MIZAN_KEY", value_name = "FILE")]
    key: Option<PathBuf>,
}

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
    fn read(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        serde_json::from_str(&text).with_context(|| path.display().to_string())
    }

    /// Writes it so that nobody else may read it; a file that is there is replaced at once or not at all.
    ///
    /// # Errors
    /// When the folder or the file cannot be written.
    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        let shown = || path.display().to_string();
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).with_context(shown)?;
        }
        let aside = path.with_extension("new");
        drop(fs::remove_file(&aside));
        let mut file = fs::OpenOptions::new();
        let mut file = file.write(true).create_new(true).mode(0o600).open(&aside).with_context(shown)?;
        writeln!(file, "{}", serde_json::to_string_pretty(self)?).with_context(shown)?;
        file.sync_all().with_context(shown)?;
        fs::rename(&aside, path).with_context(shown)
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
}

/// A hub and the key that speaks to it.
#[derive(Debug)]
pub struct Remote {
    pub client: Client,
    pub hub: String,
}

impl Key {
    /// Somebody said whose key it is.
    pub fn is_named(&self) -> bool {
        self.key.is_some()
    }

    /// # Errors
    /// When there is no key, or it cannot be read.
    pub fn open(&self) -> anyhow::Result<Remote> {
        let path = match &self.key {
            Some(path) => path.clone(),
            None => {
                let own = own_key()?;
                anyhow::ensure!(
                    own.exists(),
                    "no key: name one with --key FILE, or log in first: mizan login --hub URL LOGIN"
                );
                own
            }
        };
        Remote::of(&path)
    }
}

impl Remote {
    /// With the key of a file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of(path: &Path) -> anyhow::Result<Self> {
        let file = KeyFile::read(path)?;
        let client = file.client().with_context(|| path.display().to_string())?;
        Ok(Self { client, hub: file.hub })
    }

    /// The answer, or nothing when the hub refused: then why stands on standard error.
    ///
    /// # Errors
    /// When the hub does not answer.
    pub async fn get(&self, path: &str) -> anyhow::Result<Option<Value>> {
        accepted(self.client.get(path).await.with_context(|| self.hub.clone())?)
    }

    /// As [`Remote::get`], for a writing request under a fresh idempotency key.
    ///
    /// # Errors
    /// When the hub does not answer.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Option<Value>> {
        accepted(self.client.post(path, body).await.with_context(|| self.hub.clone())?)
    }

    /// As [`Remote::post`], with any bytes as body and under this idempotency key.
    ///
    /// # Errors
    /// When the hub does not answer.
    pub async fn send_file(&self, path: &str, bytes: Vec<u8>, key: &str) -> anyhow::Result<Option<Value>> {
        let sent = self.client.send(Method::POST, path, "application/octet-stream", bytes, Some(key)).await;
        accepted(sent.with_context(|| self.hub.clone())?)
    }

    /// Every item of a list, page after page.
    ///
    /// # Errors
    /// When the hub does not answer.
    pub async fn list(&self, path: &str) -> anyhow::Result<Option<Vec<Value>>> {
        let mut items = Vec::new();
        let joint = if path.contains('?') { '&' } else { '?' };
        let mut next = path.to_owned();
        loop {
            let Some(mut page) = self.get(&next).await? else { return Ok(None) };
            if let Value::Array(data) = page["data"].take() {
                items.extend(data);
            }
            match page["next_cursor"].as_str() {
                Some(cursor) => next = format!("{path}{joint}cursor={cursor}"),
                None => return Ok(Some(items)),
            }
        }
    }
}

fn accepted(reply: Reply) -> anyhow::Result<Option<Value>> {
    if reply.status < 400 {
        return Ok(Some(reply.json));
    }
    tell(&refusal(&reply))?;
    Ok(None)
}

/// A refusal with everything that is known of it, one thing a line.
pub fn refusal(reply: &Reply) -> String {
    let text = |name: &str| reply.json[name].as_str();
    let Some(code) = text("code") else {
        return format!("refused: HTTP {}: {}", reply.status, String::from_utf8_lossy(&reply.bytes));
    };
    let mut block = format!("refused: {} ({code})", text("title").unwrap_or("?"));
    if let Some(detail) = text("detail") {
        block.push_str(&format!("\n  {detail}"));
    }
    for error in reply.json["errors"].as_array().into_iter().flatten() {
        let part = |name: &str| error[name].as_str().unwrap_or("?").to_owned();
        block.push_str(&format!("\n  {}: {} ({})", part("field"), part("title"), part("code")));
    }
    for problem in reply.json["problems"].as_array().into_iter().flatten() {
        block.push_str(&format!("\n{}", problem.as_str().unwrap_or("?")));
    }
    if let Some(id) = text("request_id") {
        block.push_str(&format!("\n  request {id}"));
    }
    block
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use axum::http::HeaderMap;
    use serde_json::json;

    use super::*;

    fn file() -> KeyFile {
        KeyFile {
            hub: "http://127.0.0.1:8080".to_owned(),
            key_id: "test_reconciler_1".to_owned(),
            algorithm: "ed25519".to_owned(),
            secret: BASE64.encode([7; 32]),
        }
    }

    #[test]
    fn a_key_file_is_its_owners_alone_and_replaces_another() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("deeper/key.json");
        file().write(&path).expect("written");
        KeyFile { key_id: "second".to_owned(), ..file() }.write(&path).expect("replaced");
        let mode = fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(KeyFile::read(&path).expect("readable").key_id, "second");
        assert_eq!(fs::read_dir(path.parent().expect("a folder")).expect("readable").count(), 1);
    }

    #[test]
    fn a_key_that_is_none_is_refused_by_name() {
        let other = KeyFile { algorithm: "rsa".to_owned(), ..file() };
        assert!(other.client().expect_err("no algorithm").to_string().contains("rsa is no algorithm"));
        let short = KeyFile { secret: BASE64.encode([7; 31]), ..file() };
        assert!(short.client().expect_err("short").to_string().contains("32 bytes"));
    }

    #[test]
    fn a_refusal_tells_every_fault() {
        let json = json!({
            "code": "validation_failed", "title": "Some fields are wrong", "detail": "two",
            "errors": [{ "field": "/a", "code": "required", "title": "The field is required" }],
            "problems": ["a.toml:3: wrong"], "request_id": "req_1",
        });
        let reply = Reply {
            status: 422,
            headers: HeaderMap::new(),
            bytes: Vec::new(),
            json,
            signature_base: String::new(),
        };
        let expected = "refused: Some fields are wrong (validation_failed)\n  two\n  \
            /a: The field is required (required)\na.toml:3: wrong\n  request req_1";
        assert_eq!(refusal(&reply), expected);
    }
}
