//! `mizan ledger export`: the book as text. Streamed out of one snapshot; memory does not grow with the book.

use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::ValueEnum;
use mizan_ledger::export::{Beancount, Hledger, Journal, Span, balances_csv, balances_json};
use mizan_ledger::store::{Book, ExportError};
use mizan_ledger::{Clock as _, Day, SystemClock};
use sqlx::PgConnection;

use super::Answer;
use super::database::Database;
use super::output::tell;
use crate::config::Config;

/// Before the first entry of any book.
const BEGINNING: &str = "2000-01-01";

#[derive(Debug, clap::Args)]
pub struct Args {
    #[arg(long)]
    format: Format,
    /// First day, as 2026-11-01; from the beginning when left out.
    #[arg(long)]
    from: Option<Day>,
    /// Last day; today when left out. Balances are those at its end.
    #[arg(long)]
    to: Option<Day>,
    /// File to write instead of standard output; it appears whole or not at all.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Hledger,
    Beancount,
    /// Every account with its balance, as JSON.
    Balances,
    /// The same for spreadsheets.
    BalancesCsv,
}

pub async fn run(config: &Config, database: &Database, args: &Args) -> anyhow::Result<Answer> {
    let today = SystemClock.now().day_in(&config.zone);
    let from = args.from.map_or_else(|| BEGINNING.parse(), Ok).context("the beginning")?;
    let to = args.to.unwrap_or(today);
    anyhow::ensure!(from <= to, "--from {from} lies after --to {to}");
    let span = Span { from, to };
    let (pool, book) = database.book().await?;
    let mut conn = pool.acquire().await?;
    match &args.output {
        Some(path) => to_file(&book, &mut conn, args.format, span, path).await?,
        None => {
            let mut out = BufWriter::new(io::stdout());
            let written = write(&book, &mut conn, args.format, span, &mut out).await;
            gone(written.and_then(|()| Ok(out.flush()?)))?;
        }
    }
    Ok(Answer::Yes)
}

async fn to_file(
    book: &Book,
    conn: &mut PgConnection,
    format: Format,
    span: Span,
    path: &Path,
) -> anyhow::Result<()> {
    let aside = path.with_extension("part");
    let file = File::create(&aside).with_context(|| aside.display().to_string())?;
    let mut out = BufWriter::new(file);
    write(book, conn, format, span, &mut out).await?;
    out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    std::fs::rename(&aside, path).with_context(|| path.display().to_string())?;
    Ok(tell(&format!("written to {}", path.display()))?)
}

async fn write(
    book: &Book,
    conn: &mut PgConnection,
    format: Format,
    span: Span,
    out: &mut (dyn Write + Send),
) -> Result<(), ExportError> {
    let journal: &dyn Journal = match format {
        Format::Hledger => &Hledger,
        Format::Beancount => &Beancount,
        Format::Balances | Format::BalancesCsv => {
            let rows = book.balances_on(conn, span.to).await?;
            let written = match format {
                Format::Balances => balances_json(out, book.name(), Some(span.to), &rows),
                _ => balances_csv(out, &rows),
            };
            return Ok(written?);
        }
    };
    book.export(conn, journal, span, out).await?;
    Ok(())
}

/// A reader that went away has had enough.
fn gone(written: Result<(), ExportError>) -> Result<(), ExportError> {
    match written {
        Err(ExportError::Io(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}
