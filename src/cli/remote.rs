//! The running hub as a command meets it: through its API, with the key of who runs the command.

use std::path::{Path, PathBuf};

use anyhow::Context;
use axum::http::Method;
use serde_json::Value;

use super::key_file::{KeyFile, own_key};
use super::output::tell;
use crate::client::{Client, Reply};

/// Whose key signs.
#[derive(Debug, clap::Args)]
pub struct Key {
    /// Key file; what `mizan login` wrote when it is left out.
    ///
    /// A file holds {"hub": "https://...", "key_id": "...", "algorithm": "hmac-sha256" or "ed25519", "secret": "base64"}.
    #[arg(long, env = "MIZAN_KEY", value_name = "FILE")]
    key: Option<PathBuf>,
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
    use axum::http::HeaderMap;
    use serde_json::json;

    use super::*;

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
