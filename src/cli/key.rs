//! `mizan key ...`: the keys that sign requests.

use std::path::PathBuf;

use anyhow::Context;
use serde_json::json;

use super::Answer;
use super::output::{say, say_list, tell};
use super::remote::{Key, KeyFile};

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Active keys, newest first, without their secrets.
    #[command(after_help = "Example:\n  mizan key list --owner hukumati --revoked")]
    List {
        /// A portal's code or a person's login.
        #[arg(long)]
        owner: Option<String>,
        /// Revoked keys too.
        #[arg(long)]
        revoked: bool,
        #[command(flatten)]
        key: Key,
        /// One JSON line for each key.
        #[arg(long)]
        json: bool,
    },
    /// Give a portal its next key and show it once; the old one goes on until it is revoked.
    #[command(after_help = "Example:\n  \
        mizan key rotate test_ab3k7mnp2qrs --out next.json   # the portal changes over, then\n  \
        mizan key revoke test_ab3k7mnp2qrs")]
    Rotate {
        key_id: String,
        /// The portal's own Ed25519 public key (32 bytes in base64); without it the hub makes a shared secret.
        #[arg(long, value_name = "BASE64")]
        public_key: Option<String>,
        /// Keep the new key in this file (mode 0600) instead of showing it.
        #[arg(long, value_name = "FILE", conflicts_with = "public_key")]
        out: Option<PathBuf>,
        #[command(flatten)]
        key: Key,
        /// The answer as JSON.
        #[arg(long)]
        json: bool,
    },
    /// End a key at once.
    #[command(after_help = "Example:\n  mizan key revoke test_ab3k7mnp2qrs")]
    Revoke {
        key_id: String,
        #[command(flatten)]
        key: Key,
        /// The answer as JSON.
        #[arg(long)]
        json: bool,
    },
}

pub async fn run(command: Command) -> anyhow::Result<Answer> {
    match command {
        Command::List { owner, revoked, key, json } => {
            let owner = owner.map(|owner| format!("&owner={owner}")).unwrap_or_default();
            let path = format!("/v1/finance/keys?revoked={revoked}{owner}");
            let Some(keys) = key.open()?.list(&path).await? else { return Ok(Answer::No) };
            let columns =
                ["/key_id", "/owner_kind", "/owner", "/algorithm", "/created_at", "/revoked_at", "/scopes"];
            say_list(&keys, json, &columns)?;
        }
        Command::Rotate { key_id, public_key, out, key, json } => {
            let remote = key.open()?;
            let path = format!("/v1/finance/keys/{key_id}/rotate");
            let body = json!({ "public_key": public_key });
            let Some(made) = remote.post(&path, &body).await? else { return Ok(Answer::No) };
            let text = |name: &str| made[name].as_str().unwrap_or_default().to_owned();
            let file = KeyFile {
                hub: remote.hub,
                key_id: text("key_id"),
                algorithm: text("algorithm"),
                secret: text("secret"),
            };
            match out {
                Some(path) => {
                    file.write(&path)?;
                    say(&format!("{} is kept in {}", file.key_id, path.display()))?;
                }
                None if json || public_key.is_some() => say(&made.to_string())?,
                None => say(&serde_json::to_string_pretty(&file).context("the key")?)?,
            }
            tell(&format!("when the portal has changed over: mizan key revoke {key_id}"))?;
        }
        Command::Revoke { key_id, key, json } => {
            let path = format!("/v1/finance/keys/{key_id}/revoke");
            let Some(ended) = key.open()?.post(&path, &json!({})).await? else { return Ok(Answer::No) };
            say(&if json { ended.to_string() } else { format!("{key_id} is revoked") })?;
        }
    }
    Ok(Answer::Yes)
}
