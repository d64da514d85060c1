//! The program `mizan` as people and scripts run it: the real binary against a real hub.

mod keys;

use std::path::{Path, PathBuf};
use std::process::Stdio;

use mizan::access::Role;
use mizan::queue::ATTEMPTS_MAX;
use mizan_ledger::{Clock as _, SystemClock};
use serde_json::Value;
use sqlx::ConnectOptions as _;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::world::{TODAY, TestDb, World};

const PASSWORD: &str = "a password of one's own";

/// A shell of a person: a home of its own and the settings of a hub.
pub struct Shell {
    home: tempfile::TempDir,
    database: String,
}

/// What a command left behind.
#[derive(Debug)]
pub struct Done {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Done {
    /// The output of a command that must have succeeded.
    fn ok(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.out
    }

    fn json(self) -> Value {
        serde_json::from_str(&self.ok()).unwrap()
    }
}

impl Shell {
    pub fn new(db: &TestDb) -> Self {
        let database = db.app_options().to_url_lossy().to_string();
        Self { home: tempfile::tempdir().unwrap(), database }
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub async fn mizan(&self, arguments: &[&str]) -> Done {
        self.fed(env!("CARGO_BIN_EXE_mizan"), arguments, "").await
    }

    /// Runs a program with text on its standard input.
    async fn fed(&self, program: &str, arguments: &[&str], input: &str) -> Done {
        let binary = Path::new(env!("CARGO_BIN_EXE_mizan")).parent().unwrap();
        let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
        let mut command = Command::new(program);
        command.args(arguments).env_clear().env("PATH", path);
        command.env("XDG_CONFIG_HOME", self.home.path()).env("HOME", self.home.path());
        command.env("MIZAN__DATABASE__URL", &self.database);
        command.env("MIZAN__DATA_DIR", self.file("data")).current_dir(env!("CARGO_MANIFEST_DIR"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command that needs no input may be gone before it is written.
        drop(child.stdin.take().unwrap().write_all(input.as_bytes()).await);
        let output = child.wait_with_output().await.unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Done { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// The hub's banks as a configuration file has them.
    fn settings(&self, world: &World) -> String {
        let banks = world.app.hub.config.banks.iter().map(|bank| {
            format!(
                "[[banks]]\nname = {:?}\naccount = {:?}\ncurrency = \"{}\"\nowner = {:?}\n",
                bank.name, bank.account, bank.currency, bank.owner
            )
        });
        let path = self.file("mizan.toml");
        std::fs::write(&path, banks.collect::<String>()).unwrap();
        path.display().to_string()
    }

    async fn log_in(&self, world: &World, login: &str, roles: &[Role]) -> String {
        world.person(login, roles, PASSWORD).await;
        let key = self.file(&format!("{login}.json")).display().to_string();
        let arguments = ["login", "--hub", &world.base, login, "--out", &key];
        self.fed(env!("CARGO_BIN_EXE_mizan"), &arguments, &format!("{PASSWORD}\n")).await.ok();
        key
    }
}

impl World {
    /// Pays through the first card channel that the payer's page offers: some agencies have one of their own.
    async fn pay_as_offered(&self, intent: &Value) {
        let url = intent["pay_url"].as_str().unwrap();
        let page = self.http.get(url).send().await.unwrap().text().await.unwrap();
        let channel = page.split("name=\"channel\" value=\"").nth(1).unwrap().split('"').next().unwrap();
        let chosen = self.form(url, &format!("channel={channel}")).await;
        self.decide(chosen.headers()["location"].to_str().unwrap(), "approve").await;
        self.settle(1).await;
    }
}

/// A hub whose clock is that of the machine, because the binary signs by it.
async fn world() -> (World, Shell) {
    let world = World::new().await;
    world.clock.set(SystemClock.now());
    let shell = Shell::new(world.db());
    (world, shell)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_administrator_is_made_once_and_the_doctor_says_what_to_do() {
    let db = TestDb::new().await;
    let shell = Shell::new(&db);
    assert!(shell.mizan(&["migrate"]).await.ok().contains("the tables are those of this release"));
    let doctor = shell.mizan(&["doctor"]).await;
    assert_eq!(doctor.code, 1, "{doctor:?}");
    assert!(doctor.out.contains("mizan user create --first"), "{}", doctor.out);
    let create = ["user", "create", "--first", "huda", "--name-en", "Example", "--name-ar", "مثال", "--json"];
    let made = shell.mizan(&create).await.json();
    assert_eq!(made["password"].as_str().map(str::len), Some(16));
    let again = shell.mizan(&create).await;
    assert_eq!((again.code, again.out.as_str()), (1, ""), "{again:?}");
    assert!(again.err.contains("there are people already"), "{}", again.err);
    let doctor = shell.mizan(&["doctor", "--json"]).await;
    let ill: Vec<Value> = doctor
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|one: &Value| one["ok"] == false)
        .collect();
    assert_eq!(ill.len(), 1, "only a second administrator is missing: {ill:?}");
    assert_eq!(ill[0]["what"], "administrators");
    assert!(!doctor.out.contains("mizan_app@"), "no address with a role in it is printed");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_deployment_is_told_line_by_line() {
    let db = TestDb::new().await;
    let mut shell = Shell::new(&db);
    shell.database = "postgres://nobody@127.0.0.1:1/mizan".to_owned();
    let doctor = shell.mizan(&["doctor"]).await;
    assert_eq!(doctor.code, 1);
    assert!(doctor.out.contains("NOT  database"), "{}", doctor.out);
    std::fs::write(shell.file("bad.toml"), "listen = \"127.0.0.1:1\"\ncolour = 5\n").unwrap();
    let config = shell.file("bad.toml").display().to_string();
    let doctor = shell.mizan(&["doctor", "--config", &config]).await;
    assert!(doctor.code == 1 && doctor.out.contains("colour"), "{doctor:?}");
    let serve = shell.mizan(&["user", "list"]).await;
    assert_eq!(serve.code, 3, "{serve:?}");
    assert!(serve.err.contains("mizan login --hub"), "{}", serve.err);
    assert_eq!(shell.mizan(&["user", "create", "x"]).await.code, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_portal_can_run_the_five_calls_it_was_told() {
    let (world, shell) = world().await;
    let administrator = shell.log_in(&world, "huda", &[Role::Administrator]).await;
    let key = shell.file("portal.json").display().to_string();
    let create = [
        "portal",
        "create",
        "tutorial",
        "--name-en",
        "Example",
        "--name-ar",
        "مثال",
        "--return-url",
        "https://portal.example/",
        "--out",
        &key,
        "--key",
        &administrator,
    ];
    let told = shell.mizan(&create).await.ok();
    assert!(told.contains("It may: services:read, quotes:write"), "{told}");
    let calls: Vec<&str> = told.lines().filter_map(|line| line.trim().strip_prefix("mizan call")).collect();
    assert_eq!(calls.len(), 5, "{told}");
    for (call, expected) in calls.iter().zip([0, 0, 0, 1, 0]) {
        let done = shell.fed("sh", &["-c", &format!("mizan call{call}")], "").await;
        assert_eq!(done.code, expected, "mizan call{call}: {done:?}");
    }
    let read = ["call", "GET", "/v1/payment-intents?external_reference=CASE-1", "--key", &key];
    let intent = shell.mizan(&read).await.json()["data"][0].clone();
    world.pay_as_offered(&intent).await;
    let number = shell.mizan(&read).await.json()["data"][0]["receipt"]["number"].clone();
    let fourth = calls[3].replace("NUMBER", number.as_str().unwrap());
    let receipt = shell.fed("sh", &["-c", &format!("mizan call{fourth}")], "").await.json();
    assert_eq!(receipt["number"], number);

    let other = shell.file("other.json").display().to_string();
    let twice = shell.mizan(&create.map(|word| if word == key { &other } else { word })).await;
    assert!(twice.code == 1 && !Path::new(&other).exists(), "{twice:?}");
    assert!(twice.err.contains("(already_exists)"), "{}", twice.err);
    let listed = shell.mizan(&["portal", "list", "--key", &administrator]).await.ok();
    assert!(listed.lines().any(|line| line.starts_with("tutorial ")), "{listed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_that_was_not_judged_is_no_day_that_does_not_tie() {
    let (world, shell) = world().await;
    let administrator = shell.log_in(&world, "huda", &[Role::Administrator]).await;
    let report = ["report", "daily", "--date", TODAY, "--key", &administrator];
    let refused = shell.mizan(&report).await;
    assert!(refused.code == 3 && refused.err.contains("(forbidden_scope)"), "{refused:?}");
    let both = shell.mizan(&[&report[..], &["--config", "nowhere.toml"]].concat()).await;
    assert!(both.code == 2 && both.err.contains("leave one out"), "{both:?}");
    let slash = shell.mizan(&["call", "GET", "v1/services", "--key", &administrator]).await;
    assert!(slash.code == 2 && slash.err.contains("a path begins with a slash"), "{slash:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn catalogue_files_come_in_force_by_two_people() {
    let (world, shell) = world().await;
    let author = shell.log_in(&world, "writer", &[Role::CatalogueAuthor]).await;
    let approver = shell.log_in(&world, "reader", &[Role::CatalogueApprover]).await;
    let folder = "config/catalogue/standards";
    let names = ["agency", "conformity", "laboratories", "publications", "training"];
    let files: Vec<String> = names.iter().map(|name| format!("{folder}/{name}.toml")).collect();
    let with = |first: &[&'static str], key: &[&str]| -> Vec<String> {
        let all = first.iter().copied().chain(files.iter().map(String::as_str)).chain(key.iter().copied());
        all.map(str::to_owned).collect()
    };
    let run = async |arguments: Vec<String>| {
        shell.mizan(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).await
    };
    let sound = run(with(&["catalogue", "check", "--json"], &[])).await.json();
    assert_eq!((sound["ok"].clone(), sound["agencies"].clone()), (true.into(), 1.into()));
    let taken = run(with(&["catalogue", "import", "--json"], &["--key", &author])).await.json();
    let id = taken["id"].as_str().unwrap();
    let own = shell.mizan(&["catalogue", "refuse", id, "--reason", "no", "--key", &author]).await;
    assert_eq!(own.code, 1, "{own:?}");
    let back = shell.mizan(&["catalogue", "withdraw", id, "--key", &author]).await.ok();
    assert!(back.contains("withdrawn"), "{back}");
    let taken = run(with(&["catalogue", "import", "--json"], &["--key", &author])).await.json();
    let id = taken["id"].as_str().unwrap();
    let sent =
        shell.mizan(&["catalogue", "refuse", id, "--reason", "not yet", "--key", &approver]).await.ok();
    assert!(sent.contains("returned"), "{sent}");
    let told = run(with(&["catalogue", "import"], &["--key", &author])).await;
    assert!(
        told.out.contains("5 files submitted as ci_") && told.out.contains("nothing changes"),
        "{told:?}"
    );
    let id = told.out.split_whitespace().find(|word| word.starts_with("ci_")).unwrap();
    let listed = shell.mizan(&["catalogue", "imports", "--key", &approver]).await.ok();
    assert!(
        listed.contains(id) && listed.contains("submitted") && listed.contains("agency.toml"),
        "{listed}"
    );
    let shown = shell.mizan(&["catalogue", "show", id, "--key", &approver]).await;
    assert!(shown.out.contains("config/catalogue/standards/agency.toml"), "{shown:?}");
    // The digest is the one that anybody makes of the files.
    let summed = format!("sha256sum {} | sha256sum", files.join(" "));
    let sha256 = shell.fed("sh", &["-c", &summed], "").await.ok();
    let sha256 = sha256.split_whitespace().next().unwrap();
    assert!(shown.out.contains(&format!("sha256 {sha256} over:")) && shown.err.contains(sha256), "{shown:?}");
    let text = shell.mizan(&["catalogue", "show", id, "--files", "--key", &approver]).await.ok();
    assert!(text.contains("issuer = \"2101\""), "{text}");
    let blind = shell.mizan(&["catalogue", "approve", id, "--key", &approver]).await;
    assert_eq!(blind.code, 2, "{blind:?}");
    let other = ["catalogue", "approve", id, "--sha256", "00", "--key", &approver];
    let other = shell.mizan(&other).await;
    assert!(other.code == 1 && other.err.contains("(other_files)"), "{other:?}");
    let approve = ["catalogue", "approve", id, "--sha256", sha256, "--key", &approver];
    let approved = shell.mizan(&approve).await.ok();
    assert!(approved.contains("in force: 14 services of 1 agencies"), "{approved}");

    let bad = shell.file("bad.toml").display().to_string();
    std::fs::write(&bad, "[[services]]\ncode = \"x\"\nwhat = 1\n").unwrap();
    for command in [vec!["catalogue", "check", &bad], vec!["catalogue", "import", &bad, "--key", &author]] {
        let refused = shell.mizan(&command).await;
        assert_eq!(refused.code, 1, "{refused:?}");
        let places = refused.out.lines().filter(|line| line.starts_with(&format!("{bad}:")));
        assert!(places.count() >= 2, "{}", refused.out);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_is_taken_in_reconciled_reported_and_exported_from_the_command_line() {
    let (world, shell) = world().await;
    let reconciler = shell.log_in(&world, "rima", &[Role::Reconciler]).await;
    let intent = world.intent("CASE-1").await;
    world.pay_by_card(&intent).await;
    let folder = world.data_dir().join("bank/statements");
    let files: Vec<String> = world
        .close_day(TODAY)
        .await
        .iter()
        .map(|file| folder.join(&file.name).display().to_string())
        .collect();
    let mut import = vec!["statement", "import", "--key", &reconciler];
    import.extend(files.iter().map(String::as_str));
    let taken = shell.mizan(&import).await.ok();
    assert_eq!(taken.matches("accepted: ").count(), 3, "{taken}");
    let again = shell.mizan(&import).await.ok();
    assert_eq!(again.matches("these very bytes came before").count(), 3, "{again}");
    let garbage = shell.mizan(&["statement", "import", "Cargo.toml", "nowhere", "--key", &reconciler]).await;
    assert_eq!((garbage.code, garbage.out.as_str()), (1, ""));
    assert!(
        garbage.err.contains("statement_unreadable") && garbage.err.contains("nowhere: cannot be opened")
    );
    let summary = shell.mizan(&["reconcile", "--json", "--key", &reconciler]).await.json();
    assert_eq!(summary["waiting"], 0, "{summary}");

    let config = shell.settings(&world);
    let daily = ["report", "daily", "--date", TODAY, "--config", &config, "--format"];
    let report = shell.mizan(&[&daily[..], &["json"]].concat()).await.json();
    assert_eq!(report["tied"], true, "{report}");
    let report = shell.mizan(&[&daily[..], &["text", "--lang", "ar"]].concat()).await.ok();
    assert!(report.contains("متوازن"), "{report}");
    // The hub knows its banks itself; a configuration without them is no place to ask.
    let remote = ["report", "daily", "--date", TODAY, "--key", &reconciler, "--format"];
    let asked = shell.mizan(&[&remote[..], &["json"]].concat()).await.json();
    assert_eq!(asked["proof"], shell.mizan(&[&daily[..], &["json"]].concat()).await.json()["proof"]);
    assert_eq!(shell.mizan(&[&remote[..], &["text", "--lang", "ar"]].concat()).await.ok(), report);
    let empty = shell.file("empty.toml");
    std::fs::write(&empty, "").unwrap();
    let refused = ["report", "daily", "--date", TODAY, "--config", empty.to_str().unwrap()];
    let refused = shell.mizan(&refused).await;
    assert!(refused.code == 3 && refused.err.contains("names no [[banks]]"), "{refused:?}");
    let balances = shell.mizan(&["ledger", "export", "--format", "balances"]).await.json();
    assert_eq!(balances["totals"][0]["balanced"], true, "{balances}");
    let path = shell.file("book.journal").display().to_string();
    shell.mizan(&["ledger", "export", "--format", "hledger", "--output", &path]).await.ok();
    let journal = std::fs::read_to_string(&path).unwrap();
    assert!(journal.contains("CASE-1") || journal.contains("assets:"), "{journal}");
    let wrong = ["ledger", "export", "--format", "hledger", "--from", "2026-12-01", "--to", "2026-11-01"];
    let wrong = shell.mizan(&wrong).await;
    assert!(wrong.code == 3 && wrong.err.contains("lies after"), "{wrong:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_names_the_jobs_that_were_given_up() {
    let (world, shell) = world().await;
    let jobs = async || {
        let told = shell.mizan(&["doctor", "--json"]).await.out;
        let lines = told.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|one| one["what"] == "jobs").collect::<Vec<_>>()
    };
    let before = jobs().await;
    assert!(before.len() == 1 && before[0]["ok"] == true, "{before:?}");
    world.enqueue("first", "a fault").await;
    world.enqueue("second", "a fault").await;
    world.enqueue("third", "no database").await;
    world.try_jobs(ATTEMPTS_MAX).await;
    world.clock.set(SystemClock.now());
    let after = jobs().await;
    assert!(after.len() == 1 && after[0]["ok"] == false, "{after:?}");
    assert_eq!(after[0]["is"], "2 of test.job given up, the last of second: the example fails");
    let told = shell.mizan(&["doctor"]).await;
    assert!(told.code == 1 && told.out.contains("NOT  jobs"), "{told:?}");

    // What it says is what helps.
    let to_do = after[0]["to_do"].as_str().unwrap();
    let path = to_do.split_once("mizan call --key FILE POST ").unwrap().1;
    let key = shell.log_in(&world, "rima", &[Role::Reconciler]).await;
    let retried = shell.mizan(&["call", "--key", &key, "POST", path]).await.json();
    assert_eq!((&retried["subject"], &retried["gave_up"]), (&"second".into(), &"the example fails".into()));
    let left = jobs().await;
    assert_eq!(left[0]["is"], "1 of test.job given up, the last of first: the example fails");
}
