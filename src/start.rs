//! From configuration to a running hub: pools, migrations, keys, channels, book; then listener and loops.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use mizan_ledger::store::Book;
use mizan_ledger::{Calendar, Clock, Instant};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection as _, PgPool};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::access::KeyCache;
use crate::app::{App, Parts, Wake};
use crate::catalogue::CatalogueCache;
use crate::channels::Channels;
use crate::config::{Config, deployment};
use crate::crash::CrashPoints;
use crate::entropy::Entropy;
use crate::http::pace::Pace;
use crate::http::router::router;
use crate::inbox::door::Arrivals;
use crate::intents::Serials;
use crate::keys::HubKeys;
use crate::tx::Hub;
use crate::{events, fulfilment, inbox, queue, recon, refunds, webhooks};

/// Connections for requests when nothing else is configured: two cores serve no more at once.
const CONNECTIONS: u32 = 16;

/// An idle connection is asked whether it lives when it was not used for so long.
const TRUSTED_FOR: Duration = Duration::from_millis(500);

/// Builds the hub on a migrated database; `database_url` logs in as `mizan_app`.
pub async fn app(
    config: Config,
    database_url: &str,
    clock: Arc<dyn Clock>,
    entropy: Entropy,
) -> anyhow::Result<App> {
    let channels = Channels::new(&config).context("the channels")?;
    app_among(channels, config, database_url, clock, entropy).await
}

/// As [`app`], among outside parties of the caller's own.
pub async fn app_among(
    channels: Channels,
    config: Config,
    database_url: &str,
    clock: Arc<dyn Clock>,
    entropy: Entropy,
) -> anyhow::Result<App> {
    ensure!(config.is_reached_safely(), "public_url: portals and payers reach a live hub over https alone");
    let crash = CrashPoints::new(&config).context("crash_point")?;
    let options: PgConnectOptions = database_url.parse().context("database.url")?;
    let connections = config.database.connections.unwrap_or(CONNECTIONS);
    // Batches come as arrays, whose lengths the planner would plan for each time anew.
    let of_poster = options.clone().options([("plan_cache_mode", "force_generic_plan")]);
    let pool = pool(options, connections).await?;
    let poster_pool = self::pool(of_poster, 3).await?;
    let book = Book::open(&pool, "main").await.context("the book")?;
    of_this_deployment(&pool, &config, clock.now()).await?;
    let keys = HubKeys::open(&config.data_dir, &entropy).context("the hub's keys")?;
    webhooks::Policy::new(&config).context("webhooks.networks")?;
    let calendar = Calendar::friday_saturday(config.zone.clone());
    let catalogue = CatalogueCache::default();
    let serials = Serials::default();
    let pace = Pace::new(&config.limits);
    let hub = Hub { config, keys, book, entropy, calendar, channels, catalogue, serials, crash };
    Ok(App::new(Parts {
        hub: Arc::new(hub),
        pool,
        poster_pool,
        clock,
        key_cache: KeyCache::default(),
        pace,
        tasks: TaskTracker::new(),
        stop: CancellationToken::new(),
        wake: Wake::default(),
        arrivals: Arrivals::default(),
        quotes: Default::default(),
        intents: Default::default(),
    }))
}

/// Refuses a database of the other mode or of another zone; one that no hub has started on is of these from now on.
async fn of_this_deployment(pool: &PgPool, config: &Config, now: Instant) -> anyhow::Result<()> {
    let mut conn = pool.acquire().await?;
    let deployment = deployment::settle(&mut conn, config.mode, &config.zone, now).await;
    let deployment =
        deployment.context("the mode of the database (is it migrated? mizan migrate says so)")?;
    deployment.admit(config.mode).context("mode")?;
    deployment.admit_zone(&config.zone).context("zone")
}

async fn pool(options: PgConnectOptions, connections: u32) -> anyhow::Result<PgPool> {
    // A connection that was just used lives; asking it before every use would cost as much as a statement.
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(10))
        .test_before_acquire(false)
        .before_acquire(|conn, known| {
            Box::pin(async move {
                if known.idle_for > TRUSTED_FOR {
                    conn.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_with(options)
        .await
        .context("the database does not answer")
}

/// A listening hub.
#[derive(Debug)]
pub struct Running {
    pub app: App,
    pub address: SocketAddr,
}

/// Listens and starts the background loops.
pub async fn serve(app: App, listener: TcpListener) -> anyhow::Result<Running> {
    loops(&app);
    let address = listen(&app, listener)?;
    Ok(Running { app, address })
}

/// Answers requests, and nothing beside them: the loops run here or in other processes.
pub fn listen(app: &App, listener: TcpListener) -> std::io::Result<SocketAddr> {
    let address = listener.local_addr()?;
    let routes = router(app.clone());
    let stop = app.stop.clone();
    app.tasks.spawn(async move {
        let served = axum::serve(listener, routes.into_make_service_with_connect_info::<SocketAddr>())
            .with_graceful_shutdown(stop.cancelled_owned())
            .await;
        if let Err(error) = served {
            tracing::error!(%error, "the listener failed");
        }
    });
    Ok(address)
}

/// Everything that runs beside the requests.
pub fn loops(app: &App) {
    app.tasks.spawn(inbox::jobs::post_loop(app.clone()));
    app.tasks.spawn(inbox::sweeper::sweep_loop(app.clone()));
    app.tasks.spawn(recon::jobs::folder_loop(app.clone()));
    app.tasks.spawn(events::publisher::publish_loop(app.clone()));
    app.tasks.spawn(events::publisher::prune_loop(app.clone()));
    app.tasks.spawn(webhooks::jobs::deliver_loop(app.clone()));
    for work in refunds::jobs::WORKS.into_iter().chain([recon::jobs::WORK, fulfilment::jobs::WORK]) {
        app.tasks.spawn(queue::worker::work_loop(app.clone(), work));
    }
}

impl Running {
    /// Lets running work end, then closes.
    pub async fn stop(self) {
        stop(&self.app).await;
    }
}

/// Lets running work end, then closes.
pub async fn stop(app: &App) {
    app.stop.cancel();
    app.tasks.close();
    app.tasks.wait().await;
    app.pool.close().await;
    app.poster_pool.close().await;
}
