use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use mizan_ledger::SystemClock;
use tokio::net::TcpListener;

use super::Answer;
use super::database::Database;
use super::stop::Stop;
use crate::config::Config;
use crate::entropy::Entropy;
use crate::start;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Address to listen on, over the configured one.
    #[arg(long)]
    listen: Option<std::net::SocketAddr>,
}

pub async fn run(config: Option<&Path>, args: Args) -> anyhow::Result<Answer> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let mut stop = Stop::listen()?;
    let config = Config::load(config).context("configuration")?;
    let database = stop.unless(Database::open(&config)).await?;
    let listen = args.listen.unwrap_or(config.listen);
    let app = start::app(config, database.url(), Arc::new(SystemClock), Entropy::system()).await?;
    let listener = TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
    let running = start::serve(app, listener).await?;
    tracing::info!(address = %running.address, "listening");
    tokio::select! {
        () = stop.asked() => {}
        () = database.supervise() => {}
    }
    running.stop().await;
    database.close().await?;
    Ok(Answer::Yes)
}
