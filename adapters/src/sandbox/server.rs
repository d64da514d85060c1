//! The running sandbox: its address, its loops, its end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::config::{Config, ConfigError};
use super::world::{Shared, World};
use super::{bank_api, callback, control_api, folder, gateway_api, http, page};

/// How long requests under way may take when the sandbox stops.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// A sandbox listening at an address. Dropped, it ends at once; [`Server::stop`] lets it end in order.
#[derive(Debug)]
pub struct Server {
    pub addr: SocketAddr,
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    loops: JoinSet<()>,
}

/// Why a sandbox does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("a sandbox listens on loopback, since whoever reaches it controls it; {0} is not loopback")]
    NotLoopback(SocketAddr),
    #[error("cannot use the folder: {0}")]
    Folder(std::io::Error),
    #[error("cannot listen: {0}")]
    Listen(std::io::Error),
    #[error("cannot make the client for callbacks: {0}")]
    Client(reqwest::Error),
}

impl Server {
    /// Starts a sandbox at a loopback address; port 0 takes a free one.
    pub async fn start(config: Config, addr: SocketAddr) -> Result<Self, StartError> {
        config.check()?;
        if !addr.ip().is_loopback() {
            return Err(StartError::NotLoopback(addr));
        }
        let kept = match &config.folder {
            Some(path) => folder::open(path).await.map_err(StartError::Folder)?,
            None => None,
        };
        let config = Arc::new(config);
        let world = match kept {
            Some(kept) => World::resumed(config, kept),
            None => World::new(config),
        };
        let client = callback::client().map_err(StartError::Client)?;
        let listener = TcpListener::bind(addr).await.map_err(StartError::Listen)?;
        let addr = listener.local_addr().map_err(StartError::Listen)?;
        let (stop, stopping) = watch::channel(false);
        let (sender, queue) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared::new(world, format!("http://{addr}"), sender, stopping));
        let mut loops = JoinSet::new();
        loops.spawn(serve(listener, Arc::clone(&shared)));
        loops.spawn(callback::courier(Arc::clone(&shared), client, queue));
        if shared.config.folder.is_some() {
            loops.spawn(folder::watch(Arc::clone(&shared)));
        }
        tracing::info!(%addr, "sandbox bank listens");
        Ok(Self { addr, shared, stop, loops })
    }

    /// `http://127.0.0.1:4711`, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.shared.url
    }

    /// Lets requests under way end, drops callbacks not yet taken, and writes down what the sandbox knows.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        let ended = async { while self.loops.join_next().await.is_some() {} };
        if tokio::time::timeout(STOP_TIMEOUT, ended).await.is_err() {
            self.loops.shutdown().await;
        }
        if let Some(path) = &self.shared.config.folder
            && let Err(error) = folder::keep(&self.shared, path).await
        {
            tracing::error!(%error, "the sandbox cannot write into its folder");
        }
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let stopping = Arc::clone(&shared);
    let served =
        axum::serve(listener, router(shared)).with_graceful_shutdown(async move { stopping.stopped().await });
    if let Err(error) = served.await {
        tracing::error!(%error, "the sandbox has ended");
    }
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .nest("/gateway/v1", gateway_api::routes())
        .nest("/gateway/page", page::routes())
        .nest("/bank/v1", bank_api::routes())
        .nest("/control", control_api::routes())
        .fallback(http::no_such_place)
        .method_not_allowed_fallback(http::no_such_method)
        .with_state(shared)
}
