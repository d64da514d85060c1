//! `mizan serve` and `mizan worker`: the hub whole, or its two halves apart.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use mizan_ledger::SystemClock;
use tokio::net::TcpListener;

use super::Answer;
use super::database::Database;
use super::output::log;
use super::stop::Stop;
use crate::app::App;
use crate::config::Config;
use crate::entropy::Entropy;
use crate::start;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Address to listen on, over the configured one.
    #[arg(long)]
    listen: Option<std::net::SocketAddr>,
    /// HTTP alone: poster, publisher, deliveries and jobs run elsewhere, with `mizan worker`.
    #[arg(long)]
    no_worker: bool,
}

pub async fn run(config: Option<&Path>, args: Args) -> anyhow::Result<Answer> {
    let begun = Begun::begin(config).await?;
    let listen = args.listen.unwrap_or(begun.app.hub.config.listen);
    let listener = TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
    if !args.no_worker {
        start::loops(&begun.app);
    }
    let address = start::listen(&begun.app, listener)?;
    tracing::info!(%address, "listening");
    begun.stay().await
}

/// Everything but HTTP, on the same configuration and database as `mizan serve`.
pub async fn work(config: Option<&Path>) -> anyhow::Result<Answer> {
    let begun = Begun::begin(config).await?;
    start::loops(&begun.app);
    tracing::info!("working");
    begun.stay().await
}

struct Begun {
    stop: Stop,
    database: Database,
    app: App,
}

impl Begun {
    async fn begin(config: Option<&Path>) -> anyhow::Result<Self> {
        log();
        let mut stop = Stop::listen()?;
        let config = Config::load(config).context("configuration")?;
        let database = stop.unless(Database::open(&config)).await?;
        let app = start::app(config, database.url(), Arc::new(SystemClock), Entropy::system()).await?;
        Ok(Self { stop, database, app })
    }

    /// Runs until it is asked to end, and then lets running work end.
    async fn stay(mut self) -> anyhow::Result<Answer> {
        tokio::select! {
            () = self.stop.asked() => {}
            () = self.database.supervise() => {}
        }
        start::stop(&self.app).await;
        self.database.close().await?;
        Ok(Answer::Yes)
    }
}
