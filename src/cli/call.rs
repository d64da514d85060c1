//! `mizan call METHOD PATH [JSON]`: signs one request and sends it.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use axum::http::Method;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use mizan_ledger::SystemClock;
use serde::Deserialize;

use super::Answer;
use super::output::say;
use crate::client::Client;
use crate::entropy::Entropy;
use crate::http::signature::SigningKey;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// GET, POST, PATCH or DELETE.
    method: Method,
    /// The path with its query, as /v1/services?limit=5.
    path: String,
    /// The body of a writing request.
    #[arg(default_value = "")]
    body: String,
    /// Key file: {"hub": "https://...", "key_id": "...", "algorithm": "hmac-sha256" or "ed25519", "secret": "base64"}.
    #[arg(long, env = "MIZAN_KEY")]
    key: PathBuf,
    /// The Idempotency-Key; a fresh one when it is left out.
    #[arg(long)]
    idempotency_key: Option<String>,
    /// Also print the signature base, on standard error.
    #[arg(long)]
    explain: bool,
}

/// A key as a person or a portal keeps it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    hub: String,
    key_id: String,
    algorithm: String,
    secret: String,
}

/// A client that signs with the key of a file, and the address of its hub.
pub(super) fn client(path: &std::path::Path) -> anyhow::Result<(Client, String)> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let file: KeyFile = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
    let secret = BASE64.decode(&file.secret).context("secret is not base64")?;
    let key = match file.algorithm.as_str() {
        "hmac-sha256" => SigningKey::hmac_sha256(secret)?,
        "ed25519" => SigningKey::ed25519(&secret)?,
        other => anyhow::bail!("{other} is no algorithm: hmac-sha256 or ed25519"),
    };
    let client = Client::new(&file.hub, &file.key_id, key, Arc::new(SystemClock), Entropy::system());
    Ok((client, file.hub))
}

/// Prints the answer's body; the exit code is 1 when the hub refused.
pub async fn run(args: Args) -> anyhow::Result<Answer> {
    let (client, _) = client(&args.key)?;
    let writes = !matches!(args.method, Method::GET | Method::HEAD);
    let key = args.idempotency_key.unwrap_or_else(|| Entropy::system().token::<26>());
    let key = writes.then_some(key.as_str());
    let body = args.body.into_bytes();
    let reply = client.send(args.method, &args.path, "application/json", body, key).await?;
    if args.explain {
        tell(&reply.signature_base)?;
    }
    tell(&format!("HTTP {}", reply.status))?;
    say(&String::from_utf8_lossy(&reply.bytes))?;
    Ok(if reply.status < 400 { Answer::Yes } else { Answer::No })
}

fn tell(text: &str) -> std::io::Result<()> {
    use std::io::Write;
    writeln!(std::io::stderr(), "{text}")
}
