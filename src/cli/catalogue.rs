//! `mizan catalogue ...`: fee catalogue files. Checked here, brought in force by two people through the hub.

mod words;

use std::path::PathBuf;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::Answer;
use super::output::{say, say_list, tell};
use super::remote::Key;
use crate::catalogue::{Catalogue, Problem, check};

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Read catalogue files and tell every problem at once, as FILE:LINE: what.
    ///
    /// The files are one catalogue: a service may name an agency of another file. Nothing is touched. Ends with 1 when
    /// there is a problem.
    #[command(after_help = "Example:\n  mizan catalogue check config/catalogue/standards/*.toml")]
    Check {
        /// The result as one JSON document.
        #[arg(long)]
        json: bool,
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Submit catalogue files to the hub; another person approves.
    #[command(after_help = "Example:\n  mizan catalogue import config/catalogue/standards/*.toml")]
    Import {
        #[arg(required = true)]
        files: Vec<PathBuf>,
        #[command(flatten)]
        key: Key,
        /// The answer as JSON.
        #[arg(long)]
        json: bool,
    },
    /// What was submitted, and what waits for approval, newest first.
    Imports {
        #[command(flatten)]
        key: Key,
        /// One JSON line for each.
        #[arg(long)]
        json: bool,
    },
    /// What an import changes in what is in force, field by field; or its files.
    #[command(after_help = "Example:\n  mizan catalogue show ci_01936f2c5b7a7c3e8f1a2b3c4d5e6f70")]
    Show {
        id: String,
        /// The files as they were submitted, one after the other.
        #[arg(long)]
        files: bool,
        #[command(flatten)]
        key: Key,
        /// All of it as one JSON document.
        #[arg(long, conflicts_with = "files")]
        json: bool,
    },
    /// Bring in force what another person submitted.
    ///
    /// Ends with 1 when the catalogue in force has changed since the submission, or when the files are others than were
    /// looked at.
    #[command(
        after_help = "Example:\n  mizan catalogue approve ci_01936f2c5b7a7c3e8f1a2b3c4d5e6f70 --sha256 9f86d08..."
    )]
    Approve {
        id: String,
        /// Which files: the SHA-256 that `mizan catalogue show` printed, or `sha256sum FILE... | sha256sum`.
        #[arg(long, value_name = "HEX")]
        sha256: String,
        #[command(flatten)]
        key: Key,
        /// The answer as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Send back what another person submitted.
    #[command(
        after_help = "Example:\n  mizan catalogue refuse ci_01936f2c5b7a7c3e8f1a2b3c4d5e6f70 --reason 'the law says 15%'"
    )]
    Refuse {
        id: String,
        /// What the author reads.
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        key: Key,
        /// The answer as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Take back what was submitted, before anybody decides on it.
    #[command(after_help = "Example:\n  mizan catalogue withdraw ci_01936f2c5b7a7c3e8f1a2b3c4d5e6f70")]
    Withdraw {
        id: String,
        #[command(flatten)]
        key: Key,
        /// The answer as JSON.
        #[arg(long)]
        json: bool,
    },
}

const IMPORTS: &str = "/v1/finance/catalogue/imports";

pub async fn run(command: Command) -> anyhow::Result<Answer> {
    match command {
        Command::Check { json, files } => check_files(&read(&files), json),
        Command::Import { files, key, json } => import(&files, &key, json).await,
        Command::Imports { key, json } => {
            let Some(all) = key.open()?.list(IMPORTS).await? else { return Ok(Answer::No) };
            say_list(&all, json, &["/id", "/state", "/author", "/created_at", "/files"])?;
            Ok(Answer::Yes)
        }
        Command::Show { id, files, key, json } => show(&id, &key, files, json).await,
        Command::Approve { id, sha256, key, json } => {
            let body = json!({ "sha256": sha256 });
            let in_force = |done: &Value| {
                format!("in force: {} services of {} agencies", done["services"], done["agencies"])
            };
            decide(&key, &format!("{IMPORTS}/{id}/approve"), &body, json, in_force).await
        }
        Command::Refuse { id, reason, key, json } => {
            let body = json!({ "reason": reason });
            decide(&key, &format!("{IMPORTS}/{id}/refuse"), &body, json, state).await
        }
        Command::Withdraw { id, key, json } => {
            decide(&key, &format!("{IMPORTS}/{id}/withdraw"), &json!({}), json, state).await
        }
    }
}

fn state(done: &Value) -> String {
    format!("{}: {}", done["id"].as_str().unwrap_or("?"), done["state"].as_str().unwrap_or("?"))
}

async fn decide(
    key: &Key,
    path: &str,
    body: &Value,
    json: bool,
    told: impl Fn(&Value) -> String,
) -> anyhow::Result<Answer> {
    let Some(done) = key.open()?.post(path, body).await? else { return Ok(Answer::No) };
    say(&if json { done.to_string() } else { told(&done) })?;
    Ok(Answer::Yes)
}

async fn show(id: &str, key: &Key, files: bool, json: bool) -> anyhow::Result<Answer> {
    let Some(import) = key.open()?.get(&format!("{IMPORTS}/{id}")).await? else { return Ok(Answer::No) };
    if json {
        say(&import.to_string())?;
        return Ok(Answer::Yes);
    }
    if files {
        for file in import["files"].as_array().into_iter().flatten() {
            say(&format!(
                "# {}\n{}",
                file["name"].as_str().unwrap_or("?"),
                file["text"].as_str().unwrap_or("?")
            ))?;
        }
        return Ok(Answer::Yes);
    }
    say(&words::import(&import))?;
    if import["state"] == "submitted" {
        let sha256 = import["sha256"].as_str().unwrap_or("?");
        tell(&format!("yes: mizan catalogue approve {id} --sha256 {sha256}"))?;
        tell(&format!("no:  mizan catalogue refuse {id} --reason '...'"))?;
    }
    Ok(Answer::Yes)
}

/// Files by name with their text; those that cannot be read are problems beside the others.
struct Files {
    read: Vec<(String, String)>,
    problems: Vec<Problem>,
}

fn read(paths: &[PathBuf]) -> Files {
    let bar = ProgressBar::new(u64::try_from(paths.len()).unwrap_or(0));
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} files read, {eta} left") {
        bar.set_style(style);
    }
    let mut files = Files { read: Vec::new(), problems: Vec::new() };
    for path in paths {
        let file = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => files.read.push((file, text)),
            Err(error) => {
                files.problems.push(Problem { file, line: 1, what: format!("cannot be read: {error}") });
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    files
}

/// All problems, of reading and of content.
fn checked(files: &Files) -> Result<Catalogue, Vec<Problem>> {
    let mut problems = files.problems.clone();
    match check(&files.read) {
        Ok(catalogue) if problems.is_empty() => return Ok(catalogue),
        Ok(_) => {}
        Err(more) => problems.extend(more),
    }
    Err(problems)
}

fn check_files(files: &Files, json: bool) -> anyhow::Result<Answer> {
    let checked = checked(files);
    let (agencies, services, versions, problems) = match &checked {
        Ok(catalogue) => {
            let versions: usize = catalogue.services.iter().map(|service| service.versions.len()).sum();
            (catalogue.agencies.len(), catalogue.services.len(), versions, &[][..])
        }
        Err(problems) => (0, 0, 0, problems.as_slice()),
    };
    let ok = problems.is_empty();
    if json {
        let problems: Vec<_> = problems
            .iter()
            .map(|problem| json!({ "file": problem.file, "line": problem.line, "what": problem.what }))
            .collect();
        say(&json!({
            "ok": ok, "agencies": agencies, "services": services, "fee_versions": versions, "problems": problems,
        })
        .to_string())?;
    } else if ok {
        say(&format!("sound: {agencies} agencies, {services} services, {versions} fee versions"))?;
    } else {
        problems.iter().try_for_each(|problem| say(&problem.to_string()))?;
        tell(&format!("{} problems", problems.len()))?;
    }
    Ok(if ok { Answer::Yes } else { Answer::No })
}

async fn import(paths: &[PathBuf], key: &Key, json: bool) -> anyhow::Result<Answer> {
    let files = read(paths);
    if checked(&files).is_err() {
        return check_files(&files, json);
    }
    let bodies: Vec<_> =
        files.read.iter().map(|(name, text)| json!({ "name": name, "text": text })).collect();
    let remote = key.open()?;
    let Some(taken) = remote.post(IMPORTS, &json!({ "files": bodies })).await? else { return Ok(Answer::No) };
    let id = taken["id"].as_str().unwrap_or("?");
    let (count, changes) = (files.read.len(), words::difference(&taken["difference"]));
    say(&if json { taken.to_string() } else { format!("{count} files submitted as {id}\n{changes}") })?;
    tell(&format!("another person looks and approves: mizan catalogue show {id}"))?;
    Ok(Answer::Yes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_read_does_not_hide_the_problems_of_another() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("fees.toml");
        std::fs::write(&path, "services = 5\nnonsense = 1\n").expect("written");
        let files = read(&[folder.path().join("nowhere.toml"), path]);
        let problems = checked(&files).expect_err("problems");
        assert!(problems[0].to_string().contains("nowhere.toml:1: cannot be read"), "{problems:?}");
        assert!(problems.iter().any(|one| one.to_string().contains("fees.toml:1: ")), "{problems:?}");
        assert!(problems.iter().any(|one| one.to_string().contains("fees.toml:2: ")), "{problems:?}");
        assert_eq!(check_files(&files, true).expect("told"), Answer::No);
    }
}
