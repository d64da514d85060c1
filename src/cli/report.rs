//! `mizan report ...`: what finance reads.

use std::path::Path;

use anyhow::Context;
use clap::ValueEnum;
use mizan_ledger::{Calendar, Day};

use super::database::Database;
use super::output::say;
use super::remote::{Key, Remote, refusal};
use super::stop::Stop;
use super::{Answer, Usage};
use crate::app::SNAPSHOT;
use crate::config::Config;
use crate::config::store::find_deployment;
use crate::http::language::Language;
use crate::reports::api::TIED;
use crate::reports::{self, Asked, Proof};

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// The day's proof: per currency, what the books say against what is listed; ends with 1 when any unit is
    /// unexplained.
    ///
    /// The running hub is asked, with an officer's key; with --config the hub's own database, which needs no hub. One of
    /// the two: both together are wrong usage (2). A hub that refuses to tell ends it with 3.
    #[command(after_help = "Examples:\n  \
        mizan report daily --date 2026-11-22\n  \
        mizan report daily --date 2026-11-22 --format json --config /etc/mizan.toml")]
    Daily {
        /// The day, as 2026-11-22.
        #[arg(long)]
        date: Day,
        #[arg(long, default_value = "text")]
        format: Format,
        /// Language of the text.
        #[arg(long, default_value = "en")]
        lang: Lang,
        #[command(flatten)]
        key: Key,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Format {
    Text,
    Json,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Lang {
    Ar,
    En,
}

impl Lang {
    fn language(self) -> Language {
        match self {
            Self::Ar => Language::Arabic,
            Self::En => Language::English,
        }
    }
}

pub async fn run(config: Option<&Path>, command: Command) -> anyhow::Result<Answer> {
    let Command::Daily { date, format, lang, key } = command;
    if config.is_some() && key.is_named() {
        let both = "both a key (--key, MIZAN_KEY) and a configuration (--config, MIZAN_CONFIG) are named: \
            the key asks the hub, the configuration its database; leave one out";
        return Err(Usage(both.to_owned()).into());
    }
    let Some(file) = config else { return ask(&key.open()?, date, format, lang).await };
    let config = Config::load(Some(file)).context("configuration")?;
    // Without them the proof would pass over every bank account and still seem whole.
    anyhow::ensure!(
        !config.banks.is_empty(),
        "{} names no [[banks]]: use the hub's own configuration, or ask the hub with --key FILE",
        file.display()
    );
    let mut stop = Stop::listen()?;
    let database = stop.unless(Database::open(&config)).await?;
    let proof = stop.unless(daily(&config, &database, date)).await;
    database.close().await?;
    let proof = proof?;
    say(&match format {
        Format::Text => reports::text::daily(&proof, lang.language()),
        Format::Json => serde_json::to_string(&reports::view::daily(&proof))?,
    })?;
    Ok(if proof.ties() { Answer::Yes } else { Answer::No })
}

/// What the hub itself says of the day.
async fn ask(remote: &Remote, date: Day, format: Format, lang: Lang) -> anyhow::Result<Answer> {
    let media_type = match format {
        Format::Text => "text/plain",
        Format::Json => "application/json",
    };
    let client = remote.client.in_language(lang.language().tag()).accepting(media_type);
    let reply = client.get(&format!("/v1/finance/reports/daily?date={date}")).await;
    let reply = reply.with_context(|| remote.hub.clone())?;
    // "No" would say that the day does not tie.
    anyhow::ensure!(reply.status < 400, "{}", refusal(&reply));
    say(&String::from_utf8_lossy(&reply.bytes))?;
    let in_words = reply.headers.get(TIED).is_some_and(|tied| tied == "true");
    Ok(if in_words || reply.json["tied"] == true { Answer::Yes } else { Answer::No })
}

async fn daily(config: &Config, database: &Database, day: Day) -> anyhow::Result<Proof> {
    let (pool, book) = database.book().await?;
    let mut conn = pool.acquire().await?;
    if let Some(deployment) = find_deployment(&mut conn).await? {
        deployment.admit_zone(&config.zone).context("zone")?;
    }
    drop(conn);
    let calendar = Calendar::friday_saturday(config.zone.clone());
    let asked = Asked { book: &book, calendar: &calendar, banks: &config.banks, day };
    let mut snapshot = pool.begin_with(SNAPSHOT).await?;
    let proof = reports::service::daily(&mut snapshot, &asked).await?;
    snapshot.rollback().await?;
    Ok(proof)
}
