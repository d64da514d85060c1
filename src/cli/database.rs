//! The database a command works on: the configured one, or the hub's own cluster in its data directory.

use anyhow::Context;
use mizan_ledger::store::Book;
use secrecy::ExposeSecret;
use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection as _, PgConnection, PgPool};

use crate::config::Config;
use crate::localpg::LocalPg;

/// The name of the hub's book.
const BOOK: &str = "main";

/// A database that answers. Close it: the last process that uses the hub's own cluster stops it.
#[derive(Debug)]
pub struct Database {
    url: String,
    cluster: Option<LocalPg>,
}

impl Database {
    /// The configured server as it is; without one the hub's own cluster, which is adopted when it lives and
    /// started when it does not.
    ///
    /// # Errors
    /// When the cluster cannot be brought up.
    pub async fn open(config: &Config) -> anyhow::Result<Self> {
        if let Some(url) = &config.database.url {
            return Ok(Self { url: url.expose_secret().to_owned(), cluster: None });
        }
        let cluster = LocalPg::start(&config.data_dir).await.context("the hub's own database")?;
        Ok(Self { url: cluster.url_app(), cluster: Some(cluster) })
    }

    /// Names the role the hub logs in as.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Starts the hub's own cluster again whenever it dies; a configured server is somebody else's to keep. Never ends.
    pub async fn supervise(&self) {
        match &self.cluster {
            Some(cluster) => cluster.supervise().await,
            None => std::future::pending().await,
        }
    }

    /// The book, and a small pool for a command that reads it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn book(&self) -> anyhow::Result<(PgPool, Book)> {
        let pool = PgPoolOptions::new().max_connections(2).connect(&self.url).await;
        let pool = pool.context("the database does not answer")?;
        let book = Book::open(&pool, BOOK).await.context("the book")?;
        Ok((pool, book))
    }

    /// One connection.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn connect(&self) -> anyhow::Result<PgConnection> {
        PgConnection::connect(&self.url).await.context("the database does not answer")
    }

    /// Ends the use of the database.
    ///
    /// # Errors
    /// When the hub's own cluster does not stop.
    pub async fn close(self) -> anyhow::Result<()> {
        match self.cluster {
            Some(cluster) => Ok(cluster.stop().await?),
            None => Ok(()),
        }
    }
}
