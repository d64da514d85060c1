//! `mizan report ...`: what finance reads.

use std::path::Path;

use anyhow::Context;
use clap::ValueEnum;
use mizan_ledger::{Calendar, Day};

use super::Answer;
use super::database::Database;
use super::output::say;
use crate::app::SNAPSHOT;
use crate::config::Config;
use crate::http::language::Language;
use crate::reports::{self, Asked, Proof};

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// The day's proof: per currency, what the books say against what is listed; ends with 1 when any unit is
    /// unexplained.
    Daily {
        /// The day, as 2026-11-22.
        #[arg(long)]
        date: Day,
        #[arg(long, default_value = "text")]
        format: Format,
        /// Language of the text.
        #[arg(long, default_value = "en")]
        lang: Lang,
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

pub async fn run(config: Option<&Path>, command: Command) -> anyhow::Result<Answer> {
    let Command::Daily { date, format, lang } = command;
    let config = Config::load(config).context("configuration")?;
    let database = Database::open(&config).await?;
    let proof = daily(&config, &database, date).await;
    database.close().await?;
    let proof = proof?;
    let language = match lang {
        Lang::Ar => Language::Arabic,
        Lang::En => Language::English,
    };
    say(&match format {
        Format::Text => reports::text::daily(&proof, language),
        Format::Json => serde_json::to_string(&reports::view::daily(&proof))?,
    })?;
    Ok(if proof.ties() { Answer::Yes } else { Answer::No })
}

async fn daily(config: &Config, database: &Database, day: Day) -> anyhow::Result<Proof> {
    let (pool, book) = database.book().await?;
    let calendar = Calendar::friday_saturday(config.zone.clone());
    let asked = Asked { book: &book, calendar: &calendar, banks: &config.banks, day };
    let mut snapshot = pool.begin_with(SNAPSHOT).await?;
    let proof = reports::service::daily(&mut snapshot, &asked).await?;
    snapshot.rollback().await?;
    Ok(proof)
}
