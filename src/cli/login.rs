//! `mizan login`: a key of one's own on this machine. The key pair is made here; the hub gets its public half.

use std::io::{self, BufRead as _, IsTerminal as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::Context;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use super::Answer;
use super::key_file::{KeyFile, Place, own_key};
use super::output::{say, tell};
use super::remote::refusal;
use crate::client::Reply;
use crate::entropy::Entropy;
use crate::http::signature::{SigningKey, VerifyKey};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    mizan login --hub https://mizan.example officer1\n  \
    mizan login --hub http://127.0.0.1:8080 officer1 --new-password <passwords.txt\n\n\
    The password is asked for on a terminal; otherwise it is the first line of standard input, and a new one the second.")]
pub struct Args {
    /// Your login.
    login: String,
    /// Where the hub answers.
    #[arg(long, env = "MIZAN_HUB")]
    hub: String,
    /// Replace the password too: needed once, when somebody else gave it to you.
    #[arg(long)]
    new_password: bool,
    /// Keep the key in this file, of which there must be none, instead of the configuration folder's, which is replaced.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The answer as JSON.
    #[arg(long)]
    json: bool,
}

pub async fn run(args: Args) -> anyhow::Result<Answer> {
    let place = match &args.out {
        Some(path) => Place::new(path)?,
        None => Place::replacing(&own_key()?)?,
    };
    let password = ask("Password: ")?;
    let mut new_password = if args.new_password { Some(ask_twice()?) } else { None };
    let seed = Entropy::system().bytes::<32>();
    let VerifyKey::Ed25519(public) = SigningKey::ed25519(&seed)?.verify_key() else {
        anyhow::bail!("the key is of another kind than it was made");
    };
    let hub = args.hub.trim_end_matches('/').to_owned();
    let mut reply = send(&hub, &args.login, &password, new_password.as_deref(), &public).await?;
    if reply.json["code"] == "password_change_needed" && new_password.is_none() && io::stdin().is_terminal() {
        tell("Somebody else gave you this password: choose one of your own, of 12 characters or more.")?;
        new_password = Some(ask_twice()?);
        reply = send(&hub, &args.login, &password, new_password.as_deref(), &public).await?;
    }
    if reply.status >= 400 {
        tell(&refusal(&reply))?;
        return Ok(Answer::No);
    }
    let key_id = reply.json["key_id"].as_str().context("the hub named no key")?.to_owned();
    let file = KeyFile { hub, key_id, algorithm: "ed25519".to_owned(), secret: BASE64.encode(seed) };
    let path = place.path().to_owned();
    place.keep(&file)?;
    if args.json {
        say(&reply.json.to_string())?;
        return Ok(Answer::Yes);
    }
    let scopes = reply.json["scopes"].as_array().into_iter().flatten().filter_map(Value::as_str);
    say(&format!("{} may: {}", args.login, scopes.collect::<Vec<_>>().join(", ")))?;
    tell(&format!("the key {} is kept in {}", file.key_id, path.display()))?;
    Ok(Answer::Yes)
}

/// No key signs this call; its answer is read like any other.
async fn send(
    hub: &str,
    login: &str,
    password: &str,
    new_password: Option<&str>,
    public: &[u8],
) -> anyhow::Result<Reply> {
    // Adapters of the same process may have chosen the provider already; it is the same one.
    drop(rustls::crypto::ring::default_provider().install_default());
    let body = json!({
        "login": login, "password": password, "new_password": new_password,
        "public_key": BASE64.encode(public),
    });
    let request = reqwest::Client::new().post(format!("{hub}/v1/login"));
    let response = request.header("accept-language", "en").json(&body).send().await;
    let response = response.with_context(|| hub.to_owned())?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = response.bytes().await?.to_vec();
    let json = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    Ok(Reply { status, headers, bytes, json, signature_base: String::new() })
}

fn ask_twice() -> anyhow::Result<String> {
    let first = ask("New password: ")?;
    if io::stdin().is_terminal() {
        anyhow::ensure!(ask("New password again: ")? == first, "the two are not the same");
    }
    Ok(first)
}

/// One line of standard input; nothing of it is shown on a terminal.
fn ask(prompt: &str) -> anyhow::Result<String> {
    let terminal = io::stdin().is_terminal();
    if terminal {
        tell(prompt)?;
        echo("-echo");
    }
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line);
    if terminal {
        echo("echo");
    }
    read.context("standard input")?;
    let line = line.trim_end_matches(['\n', '\r']);
    anyhow::ensure!(!line.is_empty(), "a password is expected on standard input");
    Ok(line.to_owned())
}

/// Where there is no `stty`, the password is seen as it is typed.
fn echo(setting: &str) {
    drop(Command::new("stty").arg(setting).stdin(Stdio::inherit()).stderr(Stdio::null()).status());
}
