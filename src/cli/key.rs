//! `mizan key ...`: the keys that sign requests.

use std::path::PathBuf;

use anyhow::Context;
use serde_json::{Value, json};

use super::Answer;
use super::key_file::{KeyFile, Place};
use super::output::{say, say_list, tell};
use super::remote::Key;

/// How a portal's new key is made, and where it goes.
#[derive(Debug, clap::Args)]
pub struct NewKey {
    /// The portal's own Ed25519 public key (32 bytes in base64); without it the hub makes a shared secret.
    #[arg(long, value_name = "BASE64")]
    pub public_key: Option<String>,
    /// Keep the new key in this file (mode 0600) instead of showing it; there must be none of this name.
    #[arg(long, value_name = "FILE", conflicts_with = "public_key")]
    pub out: Option<PathBuf>,
}

impl NewKey {
    /// The file for the key where one is named. Made before the hub is asked: a key is shown once.
    pub fn place(&self) -> anyhow::Result<Option<Place>> {
        self.out.as_deref().map(Place::new).transpose()
    }
}

/// The key as the hub showed it; kept in its file, its secret is not shown again.
pub fn keep(place: Option<Place>, hub: &str, shown: &mut Value) -> anyhow::Result<KeyFile> {
    let text = |name: &str| shown[name].as_str().unwrap_or_default().to_owned();
    let (key_id, algorithm, secret) = (text("key_id"), text("algorithm"), text("secret"));
    let file = KeyFile { hub: hub.to_owned(), key_id, algorithm, secret };
    if let Some(place) = place {
        place.keep(&file)?;
        shown.as_object_mut().context("a key is an object")?.remove("secret");
    }
    Ok(file)
}

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
        #[command(flatten)]
        new: NewKey,
        #[command(flatten)]
        key: Key,
        /// The answer as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Approve a key that another administrator gave: one that may report what was delivered.
    #[command(after_help = "Example:\n  mizan key approve test_ab3k7mnp2qrs")]
    Approve {
        key_id: String,
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
            let columns = [
                "/key_id",
                "/state",
                "/owner_kind",
                "/owner",
                "/algorithm",
                "/created_at",
                "/revoked_at",
                "/scopes",
            ];
            say_list(&keys, json, &columns)?;
        }
        Command::Rotate { key_id, new, key, json } => {
            let (remote, place) = (key.open()?, new.place()?);
            let path = format!("/v1/finance/keys/{key_id}/rotate");
            let body = json!({ "public_key": new.public_key });
            let Some(mut made) = remote.post(&path, &body).await? else { return Ok(Answer::No) };
            let file = keep(place, &remote.hub, &mut made)?;
            match &new.out {
                _ if json || new.public_key.is_some() => say(&made.to_string())?,
                Some(path) => say(&format!("{} is kept in {}", file.key_id, path.display()))?,
                None => say(&file.text()?)?,
            }
            tell(&format!("when the portal has changed over: mizan key revoke {key_id}"))?;
        }
        Command::Approve { key_id, key, json } => {
            let path = format!("/v1/finance/keys/{key_id}/approve");
            let Some(approved) = key.open()?.post(&path, &json!({})).await? else { return Ok(Answer::No) };
            say(&if json { approved.to_string() } else { format!("{key_id} is active") })?;
        }
        Command::Revoke { key_id, key, json } => {
            let path = format!("/v1/finance/keys/{key_id}/revoke");
            let Some(ended) = key.open()?.post(&path, &json!({})).await? else { return Ok(Answer::No) };
            say(&if json { ended.to_string() } else { format!("{key_id} is revoked") })?;
        }
    }
    Ok(Answer::Yes)
}
