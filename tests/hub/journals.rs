//! The books of a demo before programs that share no code with it: hledger and beancount accept its journals and count
//! the same balances to the last digit, and what it wrote to its bank holds against the schemas of ISO 20022.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use mizan_ledger::{Currency, Money};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::judges::Judge;
use crate::schemas::assert_valid;

const MIZAN: &str = env!("CARGO_BIN_EXE_mizan");

/// By account code and currency, debit-positive.
type Balances = BTreeMap<(String, String), String>;

/// A demo that was told and stays up, as a stranger leaves it running.
struct Demo {
    process: Child,
    /// Where the story says that its configuration and keys lie.
    folder: PathBuf,
    home: tempfile::TempDir,
}

impl Demo {
    async fn tell() -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut command = Command::new(MIZAN);
        command.args(["demo", "--payments", "40"]).env("XDG_DATA_HOME", home.path());
        command.current_dir(env!("CARGO_MANIFEST_DIR")).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut demo = Self { process, folder: PathBuf::new(), home };
        while let Some(line) = lines.next_line().await.unwrap() {
            if let Some((_, config)) = line.split_once("ledger verify --config ") {
                demo.folder = Path::new(config).parent().unwrap().to_owned();
                return demo;
            }
        }
        panic!("the demo ended before it invited anybody");
    }

    /// What a command prints that must succeed.
    async fn mizan(&self, arguments: &[&str]) -> Vec<u8> {
        let output = Command::new(MIZAN).args(arguments).output().await.unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// The book in one of the formats of `mizan ledger export`.
    async fn export(&self, format: &str) -> PathBuf {
        let path = self.home.path().join(format);
        let (config, out) = (self.folder.join("mizan.toml"), path.to_str().unwrap());
        let config = config.to_str().unwrap();
        self.mizan(&["ledger", "export", "--format", format, "--output", out, "--config", config]).await;
        path
    }

    /// An answer of the API to an officer.
    async fn get(&self, path: &str) -> Vec<u8> {
        let key = self.folder.join("approver.json");
        self.mizan(&["call", "GET", path, "--key", key.to_str().unwrap()]).await
    }

    /// What the book itself says that it holds; accounts that hold nothing left out.
    async fn balances(&self) -> Balances {
        let text = std::fs::read(self.export("balances").await).unwrap();
        let document: Value = serde_json::from_slice(&text).unwrap();
        let rows = document["accounts"].as_array().unwrap().iter().map(|row| {
            let text = |name: &str| row[name].as_str().unwrap();
            let currency: Currency = text("currency").parse().unwrap();
            let side = |name: &str| Money::parse(text(name), currency).unwrap();
            let net = side("debits").checked_sub(side("credits")).unwrap();
            ((text("account").to_owned(), currency.to_string()), net)
        });
        rows.filter(|(_, net)| !net.is_zero()).map(|(key, net)| (key, net.amount())).collect()
    }
}

/// Ctrl-C, so that the demo takes its cluster and its folder away, even when the test has failed.
impl Drop for Demo {
    fn drop(&mut self) {
        let Some(id) = self.process.id() else { return };
        let asked = std::process::Command::new("kill").args(["-INT", &id.to_string()]).status();
        assert!(asked.is_ok_and(|status| status.success()), "the demo is gone already");
        while matches!(self.process.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hledger_and_beancount_accept_the_books_of_a_demo_and_count_the_same() {
    let demo = Demo::tell().await;
    let held = demo.balances().await;
    let of = |currency: &str| held.keys().filter(|(_, held)| held == currency).count();
    assert!(of("ILS") >= 8 && of("JOD") >= 5 && of("USD") >= 3, "{held:?}");
    if let Some(counted) = by_hledger(&demo.export("hledger").await).await {
        let ours = held
            .iter()
            .map(|((code, currency), amount)| ((code.replace('/', ":"), currency.clone()), amount.clone()));
        assert_eq!(counted, ours.collect());
    }
    if let Some(counted) = by_beancount(&demo.export("beancount").await).await {
        assert_eq!(counted, held);
    }
    orders_are_valid(&demo).await;
}

/// The files of payment orders that refunds went out in.
async fn orders_are_valid(demo: &Demo) {
    let files: Value = serde_json::from_slice(&demo.get("/v1/finance/payment-files").await).unwrap();
    let files = files["data"].as_array().unwrap();
    assert!(!files.is_empty(), "no refund of the demo went out by file");
    for file in files {
        let path = format!("/v1/finance/payment-files/{}/document", file["id"].as_str().unwrap());
        assert_valid(demo.get(&path).await, "pain.001.001.09");
    }
}

/// What hledger counts, after its strict check; None where it is not installed.
async fn by_hledger(path: &Path) -> Option<Balances> {
    let run = async |arguments: &[&str]| {
        let mut command = Command::new("hledger");
        command.arg("-f").arg(path).args(arguments).env("LC_ALL", "C.UTF-8").output().await
    };
    let Ok(checked) = run(&["check", "-s", "ordereddates"]).await else {
        println!("hledger is not installed: the journal was not checked");
        return None;
    };
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    let listed = run(&["bal", "-N", "--flat", "--layout=tidy", "-O", "csv"]).await.unwrap();
    let text = String::from_utf8(listed.stdout).unwrap();
    let rows = text.lines().skip(1).map(|row| {
        let cells: Vec<&str> = row.trim_matches('"').split("\",\"").collect();
        let (_, code) = cells[0].split_once(':').unwrap();
        ((code.to_owned(), cells[cells.len() - 2].to_owned()), cells[cells.len() - 1].to_owned())
    });
    Some(rows.collect())
}

/// What beancount counts, which reads the file as `bean-check` does; None where it is not installed.
async fn by_beancount(path: &Path) -> Option<Balances> {
    let judge = Judge::Python { script: "read_journal.py", package: "beancount" };
    let read = judge.ask(&json!({ "file": path })).await?;
    assert_eq!(read["errors"], json!([]), "{read}");
    let counted = read["balances"].as_object().unwrap().iter().map(|(name, amount)| {
        let (account, currency) = name.rsplit_once(' ').unwrap();
        let code = account.to_lowercase().replace("--", "_");
        let code = code.strip_prefix("equity:own:").or(code.split_once(':').map(|(_, rest)| rest)).unwrap();
        let code = code.strip_prefix("memo:").unwrap_or(code).replace(':', "/");
        ((code, currency.to_owned()), amount.as_str().unwrap().to_owned())
    });
    Some(counted.collect())
}
