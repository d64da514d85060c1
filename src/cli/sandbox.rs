use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use mizan_adapters::sandbox::{Config, Server};

use super::Answer;
use super::output::log;
use super::stop::Stop;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Address to listen on; loopback only.
    #[arg(long, default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
    /// Settings of docs/SANDBOX.md as TOML; without it the example merchant and accounts.
    #[arg(long)]
    settings: Option<PathBuf>,
    /// Folder for statements, payment files and the sandbox's books.
    #[arg(long)]
    folder: Option<PathBuf>,
}

pub async fn run(args: Args) -> anyhow::Result<Answer> {
    log();
    let mut stop = Stop::listen()?;
    let config = match &args.settings {
        Some(path) => {
            let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
            toml::from_str::<Config>(&text).with_context(|| path.display().to_string())?
        }
        None => {
            let now = mizan_ledger::Clock::now(&mizan_ledger::SystemClock);
            let day = now.day_in(&crate::config::Config::default().zone);
            crate::demo::sandbox(day, now, args.folder.as_deref(), 1)
        }
    };
    let server = Server::start(config, args.listen).await.context("the sandbox does not start")?;
    tracing::info!(address = %server.addr, "the sandbox bank listens");
    stop.asked().await;
    server.stop().await;
    Ok(Answer::Yes)
}
