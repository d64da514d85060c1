//! `mizan migrate`: brings the tables to this release.

use std::path::Path;

use anyhow::Context;
use secrecy::ExposeSecret as _;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

use super::Answer;
use super::output::{say, tell};
use crate::config::Config;
use crate::localpg::{DATABASE, LocalPg, MIGRATIONS, bootstrap, schema};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    mizan migrate                                     # the hub's own cluster, or only a look at a configured one\n  \
    mizan migrate --admin postgres://postgres@db.example/postgres")]
pub struct Args {
    /// A superuser of the configured server, who makes roles and database where they are missing. The hub itself is
    /// never one. Without it a configured server is only looked at.
    #[arg(long, env = "MIZAN_ADMIN_URL", value_name = "URL", hide_env_values = true)]
    admin: Option<String>,
}

pub async fn run(config: Option<&Path>, args: Args) -> anyhow::Result<Answer> {
    let config = Config::load(config).context("configuration")?;
    match (&config.database.url, args.admin) {
        (None, _) => {
            let cluster = LocalPg::start(&config.data_dir).await.context("the hub's own database")?;
            cluster.stop().await?;
            done(&config.data_dir.display().to_string())
        }
        (Some(url), Some(admin)) => {
            let hub: PgConnectOptions = url.expose_secret().parse().context("database.url")?;
            let named = hub.get_database().unwrap_or(DATABASE).to_owned();
            anyhow::ensure!(
                named == DATABASE,
                "database.url names the database {named}; Mizan's is called {DATABASE}"
            );
            let admin: PgConnectOptions = admin.parse().context("--admin")?;
            bootstrap(admin).await?;
            done(&format!("database {DATABASE}"))
        }
        (Some(url), None) => look(url.expose_secret()).await,
    }
}

fn done(place: &str) -> anyhow::Result<Answer> {
    say(&format!(
        "{place}: the tables are those of this release ({} migrations)",
        MIGRATIONS.iter().count()
    ))?;
    Ok(Answer::Yes)
}

async fn look(url: &str) -> anyhow::Result<Answer> {
    let options: PgConnectOptions = url.parse().context("database.url")?;
    let mut conn = options.connect().await.context("the database does not answer")?;
    let schema = schema(&mut conn).await;
    conn.close().await?;
    let schema = match schema {
        Ok(schema) if schema.is_current() => return done("the configured database"),
        Ok(schema) => schema,
        Err(error) => {
            tell(&format!("the table of migrations cannot be read: {error}"))?;
            tell("run it with a superuser: mizan migrate --admin postgres://...")?;
            return Ok(Answer::No);
        }
    };
    for missing in &schema.missing {
        say(&format!("missing: {missing}"))?;
    }
    for foreign in &schema.foreign {
        say(&format!("not of this release: {foreign}"))?;
    }
    tell(
        "the hub's role may not change tables; run it with a superuser: mizan migrate --admin postgres://...",
    )?;
    Ok(Answer::No)
}
