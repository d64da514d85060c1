//! `mizan call METHOD PATH [JSON]`: signs one request and sends it.

use axum::http::Method;
use axum::http::uri::PathAndQuery;

use super::Answer;
use super::output::{say, tell};
use super::remote::Key;
use crate::entropy::Entropy;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    mizan call GET '/v1/services?limit=5' --key portal.json\n  \
    mizan call POST /v1/quotes '{\"currency\": \"ILS\", \"lines\": [...]}' --key portal.json --explain")]
pub struct Args {
    /// GET, POST, PATCH or DELETE.
    method: Method,
    /// The path with its query, as /v1/services?limit=5.
    #[arg(value_parser = path)]
    path: String,
    /// The body of a writing request.
    #[arg(default_value = "")]
    body: String,
    #[command(flatten)]
    key: Key,
    /// The Idempotency-Key; a fresh one when it is left out.
    #[arg(long)]
    idempotency_key: Option<String>,
    /// Also print the signature base, on standard error.
    #[arg(long)]
    explain: bool,
}

fn path(text: &str) -> Result<String, String> {
    if !text.starts_with('/') {
        return Err("a path begins with a slash, as /v1/services".to_owned());
    }
    text.parse::<PathAndQuery>().map(|_| text.to_owned()).map_err(|error| error.to_string())
}

/// Prints the answer's body; the exit code is 1 when the hub refused.
pub async fn run(args: Args) -> anyhow::Result<Answer> {
    let client = args.key.open()?.client;
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
