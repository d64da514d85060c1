//! `mizan ledger ...`: the book, checked again from its first entry and written out for other programs.

use std::path::Path;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use mizan_ledger::store::{Difference, Progress, Report};
use serde_json::{Value, json};

use super::Answer;
use super::database::Database;
use super::output::say;
use super::stop::Stop;
use crate::config::Config;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Check every law of the book and its hash chain again, from the entries alone.
    Verify {
        #[arg(long)]
        json: bool,
    },
    /// Write the book out for programs that share no code with Mizan, and check it again.
    #[command(after_help = "Examples:\n  \
        mizan ledger export --format hledger --output book.journal && hledger -f book.journal check\n  \
        mizan ledger export --format beancount --from 2026-11-01 --to 2026-11-30 >november.beancount\n  \
        mizan ledger export --format balances >balances.json")]
    Export(super::ledger_export::Args),
}

pub async fn run(config: Option<&Path>, command: Command) -> anyhow::Result<Answer> {
    let config = Config::load(config).context("configuration")?;
    let mut stop = Stop::listen()?;
    let database = stop.unless(Database::open(&config)).await?;
    let answer = stop
        .unless(async {
            match command {
                Command::Verify { json } => verify(&database, json).await,
                Command::Export(args) => super::ledger_export::run(&config, &database, &args).await,
            }
        })
        .await;
    database.close().await?;
    answer
}

async fn verify(database: &Database, json: bool) -> anyhow::Result<Answer> {
    let (pool, book) = database.book().await?;
    let bar = ProgressBar::new(0);
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} entries, {eta} left")?;
    bar.set_style(style);
    let mut progress = |at: Progress| {
        bar.set_length(at.entries_total.unsigned_abs());
        bar.set_position(at.entries_done.unsigned_abs());
    };
    let report = book.verify(&mut *pool.acquire().await?, &mut progress).await?;
    bar.finish_and_clear();
    say(&if json { body(&report).to_string() } else { text(&report) })?;
    Ok(if report.is_clean() { Answer::Yes } else { Answer::No })
}

fn verdict(report: &Report) -> &'static str {
    if report.is_clean() { "hold" } else { "broken" }
}

fn body(report: &Report) -> Value {
    json!({
        "laws": verdict(report),
        "head": {
            "seq": report.head.seq,
            "batch": report.head.batch,
            "hash": hex::encode(report.head.hash),
            "at": report.head.at,
        },
        "batches": report.batches,
        "events": report.events,
        "entries": report.entries,
        "lines": report.lines,
        "refusals": report.refusals,
        "accounts": report.accounts,
        "differences_count": report.differences_count,
        "differences": report.differences,
    })
}

fn text(report: &Report) -> String {
    let mut block = format!(
        "{} entries with {} lines on {} accounts, in {} batches ({} of them events of the book); {} refusals\n\
         head: entry {}, batch {}, {}\nlaws: {}",
        report.entries,
        report.lines,
        report.accounts,
        report.batches,
        report.events,
        report.refusals,
        report.head.seq,
        report.head.batch,
        hex::encode(report.head.hash),
        verdict(report),
    );
    for Difference { check, at, detail } in &report.differences {
        block.push_str(&format!("\n  {check:?} at {at}: {detail}"));
    }
    let kept = u64::try_from(report.differences.len()).unwrap_or(u64::MAX);
    if let Some(more) = report.differences_count.checked_sub(kept).filter(|more| *more > 0) {
        block.push_str(&format!("\n  and {more} more"));
    }
    block
}

#[cfg(test)]
mod tests {
    use super::*;
    use mizan_ledger::Instant;
    use mizan_ledger::store::{Check, Head};

    fn report(differences: Vec<Difference>, differences_count: u64) -> Report {
        Report {
            head: Head { seq: 3, batch: 2, hash: [0; 32], at: Instant::from_micros(0).expect("1970") },
            batches: 2,
            events: 0,
            entries: 3,
            lines: 9,
            refusals: 1,
            accounts: 4,
            differences,
            differences_count,
        }
    }

    #[test]
    fn a_clean_book_holds_its_laws() {
        let clean = report(Vec::new(), 0);
        assert_eq!(body(&clean)["laws"], "hold");
        assert_eq!(body(&clean)["head"]["at"], "1970-01-01T00:00:00Z");
        assert!(text(&clean).ends_with("laws: hold"), "{}", text(&clean));
    }

    #[test]
    fn every_difference_is_named_and_those_not_kept_are_counted() {
        let difference = Difference { check: Check::ZeroSum, at: "entry 2".into(), detail: "1 JOD".into() };
        let broken = report(vec![difference], 1_001);
        assert_eq!(body(&broken)["laws"], "broken");
        assert_eq!(body(&broken)["differences"][0]["check"], "zero_sum");
        assert!(text(&broken).ends_with("ZeroSum at entry 2: 1 JOD\n  and 1000 more"), "{}", text(&broken));
    }
}
