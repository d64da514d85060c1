//! `mizan statement ...`: bank statement files.

use std::fmt::Write as _;
use std::fs::File;
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use mizan_adapters::statement::Problem;
use mizan_adapters::statement::check::{CheckReport, CheckedStatement, check};
use serde_json::Value;

use super::Answer;
use super::output::{say, tell};
use super::remote::{Key, Remote};
use crate::entropy::Entropy;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Read statement files and say what is in them, without touching anything.
    ///
    /// Ends with 0 only if every file is sound: readable, each statement closes, and no amount is in doubt.
    Check {
        /// One JSON line per file.
        #[arg(long)]
        json: bool,
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Hand statement files to the hub, which takes in what closes and continues the last one. Safe to repeat.
    ///
    /// Ends with 0 only if nothing was quarantined or refused. What is of tomorrow waits for its day.
    #[command(after_help = "Example:\n  mizan statement import bank/statements/*.xml && mizan reconcile")]
    Import {
        /// One JSON line per file.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        key: Key,
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

pub async fn run(command: Command) -> anyhow::Result<Answer> {
    match command {
        Command::Check { json, files } => check_files(&files, json),
        Command::Import { json, key, files } => import(&key.open()?, &files, json).await,
    }
}

/// A file that cannot be read or is refused does not keep its neighbours back.
async fn import(remote: &Remote, files: &[PathBuf], json: bool) -> anyhow::Result<Answer> {
    let bar = ProgressBar::new(u64::try_from(files.len()).unwrap_or(0));
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} files, {eta} left")?);
    let mut answer = Answer::Yes;
    for file in files {
        let taken = match std::fs::read(file) {
            Ok(bytes) => send(remote, file, bytes).await?,
            Err(error) => {
                tell(&format!("{}: cannot be opened: {error}", file.display()))?;
                None
            }
        };
        bar.inc(1);
        let clean = taken.as_ref().is_some_and(|taken| {
            let mut statements = taken["statements"].as_array().into_iter().flatten();
            statements.all(|one| one["outcome"] != "quarantined")
        });
        if !clean {
            answer = Answer::No;
        }
        if let Some(taken) = taken {
            let text = if json { taken.to_string() } else { taken_text(&taken) };
            bar.suspend(|| say(&text))?;
        }
    }
    bar.finish_and_clear();
    Ok(answer)
}

async fn send(remote: &Remote, file: &Path, bytes: Vec<u8>) -> anyhow::Result<Option<Value>> {
    let name = file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let path = format!("/v1/finance/statements?name={}", percent(&name));
    let taken = remote.send_file(&path, bytes, &Entropy::system().token::<26>()).await?;
    if taken.is_none() {
        tell(&format!("  in {}", file.display()))?;
    }
    Ok(taken)
}

/// For a query (RFC 3986 section 2.3).
fn percent(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encoded = text
        .bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") });
    encoded.collect()
}

fn taken_text(taken: &Value) -> String {
    let part = |one: &Value, name: &str| one[name].as_str().unwrap_or("-").to_owned();
    let mut block = part(taken, "file");
    if taken["known"] == true {
        block.push_str(": these very bytes came before");
    }
    for one in taken["statements"].as_array().into_iter().flatten() {
        let (account, reference) = (part(one, "account"), part(one, "reference"));
        let (day, outcome) = (part(one, "period_on"), part(one, "outcome"));
        let lines = &one["lines"];
        block.push_str(&format!("\n  {outcome}: {account} {day} {reference}, {lines} lines"));
        if let Some(reason) = one["reason"].as_str() {
            block.push_str(&format!(" ({reason})"));
        }
    }
    block
}

fn check_files(files: &[PathBuf], json: bool) -> anyhow::Result<Answer> {
    let mut answer = Answer::Yes;
    for file in files {
        let report = check_file(file);
        if !report.ok {
            answer = Answer::No;
        }
        say(&if json { serde_json::to_string(&report)? } else { text(&report) })?;
    }
    Ok(answer)
}

/// A file that cannot be opened is reported like one that cannot be understood: its neighbours are still read.
fn check_file(path: &Path) -> CheckReport {
    let name = path.display().to_string();
    let error = match File::open(path) {
        Ok(file) => return check(&name, file),
        Err(error) => error,
    };
    let problem = Problem {
        place: "the file".to_owned(),
        what: format!("cannot be opened: {error}"),
        touches_money: true,
    };
    CheckReport {
        file: name,
        format: None,
        encoding: None,
        statements: Vec::new(),
        problems: vec![problem],
        ok: false,
    }
}

/// One block per file: verdict, statements, problems.
fn text(report: &CheckReport) -> String {
    let mut block = format!("{}: {}", report.file, if report.ok { "ok" } else { "NOT OK" });
    if let Some(format) = &report.format {
        block.push_str(&format!("  ({format}, {})", report.encoding.unwrap_or("encoding unknown")));
    }
    for statement in &report.statements {
        add_statement(&mut block, statement);
    }
    for Problem { place, what, .. } in &report.problems {
        block.push_str(&format!("\n  problem: {place}: {what}"));
    }
    block
}

fn add_statement(block: &mut String, statement: &CheckedStatement) {
    let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let currency = statement.currency.map_or_else(|| "-".to_owned(), |currency| currency.to_string());
    let closes = match statement.closes {
        Some(true) => "closes",
        Some(false) => "DOES NOT CLOSE",
        None => "gives no two balances to close between",
    };
    let rows = [
        ("opening", or_dash(&statement.opening)),
        ("credits", statement.credits.clone()),
        ("debits", statement.debits.clone()),
        ("closing", or_dash(&statement.closing)),
    ];
    let width = rows.iter().map(|(_, amount)| amount.len()).max().unwrap_or(0);
    block.push_str(&format!(
        "\n  statement {}, account {}, {currency}, {} lines: {closes}",
        or_dash(&statement.id),
        or_dash(&statement.account),
        statement.lines,
    ));
    for (name, amount) in rows {
        write!(block, "\n    {name:<7}  {amount:>width$}").expect("writing to a string cannot fail");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = ":20:REF1\r\n:25:PS92PALS000000000400123456702\r\n:28C:5/1\r\n:60F:C260301JOD100,000\r\n\
        :61:2603010301C12,500NTRFNONREF//B1\r\n:61:2603010301D2,000NTRFNONREF//B2\r\n:62F:C260301JOD110,500\r\n";

    fn checked(name: &str, bytes: &str) -> (tempfile::TempDir, CheckReport) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("a file");
        let mut report = check_file(&path);
        report.file = name.to_owned();
        (folder, report)
    }

    #[test]
    fn a_sound_file_is_a_block_with_its_sums() {
        let (_folder, report) = checked("day.sta", SOUND);
        assert!(report.ok, "{:?}", report.problems);
        let expected = "day.sta: ok  (MT940, UTF-8)\n  \
            statement REF1, account PS92PALS000000000400123456702, JOD, 2 lines: closes\n    \
            opening  100.000\n    credits   12.500\n    debits     2.000\n    closing  110.500";
        assert_eq!(text(&report), expected);
    }

    #[test]
    fn a_file_that_does_not_close_is_not_ok() {
        let (_folder, report) = checked("day.sta", &SOUND.replace("110,500", "110,501"));
        assert!(!report.ok);
        assert!(text(&report).starts_with("day.sta: NOT OK"), "{}", text(&report));
        assert!(text(&report).contains("DOES NOT CLOSE"));
    }

    #[test]
    fn a_missing_file_is_not_ok_and_its_neighbour_is_still_read() {
        let (folder, _) = checked("day.sta", SOUND);
        let files = [folder.path().join("nowhere.sta"), folder.path().join("day.sta")];
        let reports: Vec<CheckReport> = files.iter().map(|file| check_file(file)).collect();
        assert_eq!(reports.iter().map(|report| report.ok).collect::<Vec<_>>(), [false, true]);
        assert_eq!(check_files(&files, true).expect("written"), Answer::No);
    }
}
