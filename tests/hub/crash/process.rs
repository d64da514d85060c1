//! The hub as a process of its own, and what it runs on.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mizan::demo::{self, Onboarded};
use mizan::entropy::Entropy;
use mizan::localpg::{Durability, LocalPg, Settings};
use mizan::start;
use mizan_adapters::sandbox::Server;
use mizan_ledger::{Clock as _, Day, SystemClock};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{Notify, watch};

const PAUSE: Duration = Duration::from_millis(20);

fn folder(prefix: &str) -> tempfile::TempDir {
    // Under root PostgreSQL's account walks through it.
    let open = std::fs::Permissions::from_mode(0o711);
    tempfile::Builder::new().prefix(prefix).permissions(open).tempdir().unwrap()
}

/// A cluster that syncs, for days on databases of their own.
pub struct Cluster {
    pg: LocalPg,
    _folder: tempfile::TempDir,
}

impl Cluster {
    pub async fn start() -> Self {
        let folder = folder("mizan-crash");
        let settings = Settings { data_dir: folder.path().join("pg"), durability: Durability::Full };
        Self { pg: LocalPg::start_with(settings).await.unwrap(), _folder: folder }
    }

    pub async fn stop(self) {
        self.pg.stop().await.unwrap();
    }
}

/// Where one day is played: a database, a sandbox bank, the people, and the hub's configuration.
pub struct Place {
    pub bank: Server,
    pub people: Onboarded,
    pub today: Day,
    pub base: String,
    pub http: reqwest::Client,
    /// Of the hub at the bank, as printed.
    pub accounts: Vec<String>,
    /// As a superuser.
    database: String,
    config: PathBuf,
    data_dir: PathBuf,
    folder: tempfile::TempDir,
    /// How often somebody of the day was answered.
    answers: watch::Sender<u32>,
}

impl Place {
    pub async fn on(cluster: &Cluster) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("day_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let other = |url: String, name: &str| url.replacen("/mizan?", &format!("/{name}?"), 1);
        let mut admin = PgConnection::connect(&other(cluster.pg.url_bootstrap(), "postgres")).await.unwrap();
        let create = format!("create database {name} template mizan owner mizan_owner");
        sqlx::raw_sql(AssertSqlSafe(create)).execute(&mut admin).await.unwrap();
        admin.close().await.unwrap();
        let folder = folder("mizan-day");
        let (app, superuser) = (other(cluster.pg.url_app(), &name), other(cluster.pg.url_bootstrap(), &name));
        Self::open(folder, &app, superuser, Some(&app)).await
    }

    /// The hub runs a cluster of its own in its data directory.
    pub async fn embedded() -> Self {
        let folder = folder("mizan-day");
        let pg = LocalPg::start(folder.path().join("data")).await.unwrap();
        let place = Self::open(folder, &pg.url_app(), pg.url_bootstrap(), None).await;
        pg.stop().await.unwrap();
        place
    }

    async fn open(folder: tempfile::TempDir, app_url: &str, database: String, named: Option<&str>) -> Self {
        let now = SystemClock.now();
        let today = now.day_in(&mizan::config::Config::default().zone);
        let data_dir = folder.path().join("data");
        let outside = folder.path().join("bank");
        std::fs::create_dir_all(&outside).unwrap();
        let sandbox = demo::sandbox(today, now, Some(&outside), 5);
        let bank = Server::start(sandbox, ([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let base = format!("http://{address}");
        let settings = demo::config(&data_dir, address, bank.url());
        let accounts = settings.banks.iter().map(|bank| bank.account.clone()).collect();
        let config = folder.path().join("mizan.toml");
        std::fs::write(&config, file(&settings, bank.url(), named)).unwrap();
        let app = start::app(settings, app_url, Arc::new(SystemClock), Entropy::system()).await.unwrap();
        let catalogue = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/catalogue");
        let folders = [catalogue.join("standards"), catalogue.join("hukumati")];
        let people = demo::onboard(&app, &base, &[&folders[0], &folders[1]]).await.unwrap();
        app.pool.close().await;
        app.poster_pool.close().await;
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        let http = http.timeout(Duration::from_secs(10)).build().unwrap();
        let answers = watch::Sender::new(0);
        Self { bank, people, today, base, http, accounts, database, config, data_dir, folder, answers }
    }

    pub fn answered(&self) {
        self.answers.send_modify(|count| *count += 1);
    }

    /// Waits until somebody of the day was answered so often.
    pub async fn answers_reach(&self, count: u32) {
        let mut answers = self.answers.subscribe();
        answers.wait_for(|answers| *answers >= count).await.expect("the place keeps the sender");
    }

    /// A file as the bank wrote it.
    pub fn statement(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.folder.path().join("bank/statements").join(name)).unwrap()
    }

    /// As a superuser.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// Starts the hub and waits until it is ready, unless it stops dead before.
    pub async fn start(&self, crash_point: Option<&str>) -> Hub {
        let mut hub = self.spawn(&["serve"], crash_point);
        self.is_ready(&mut hub).await;
        hub
    }

    /// The hub without its loops, which [`Place::work`] runs.
    pub async fn start_alone(&self) -> Hub {
        let mut hub = self.spawn(&["serve", "--no-worker"], None);
        self.is_ready(&mut hub).await;
        hub
    }

    /// The loops without the hub.
    pub fn work(&self, crash_point: Option<&str>) -> Hub {
        self.spawn(&["worker"], crash_point)
    }

    fn spawn(&self, args: &[&str], crash_point: Option<&str>) -> Hub {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mizan"));
        command.args(args).arg("--config").arg(&self.config).stderr(Stdio::piped()).kill_on_drop(true);
        if let Some(point) = crash_point {
            command.env("MIZAN__CRASH_POINT", point);
        }
        let mut child = command.spawn().unwrap();
        let stopped = Arc::new(Notify::new());
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let stops = stopped.clone();
        let log = Arc::new(Mutex::new(String::new()));
        let heard = log.clone();
        #[expect(clippy::disallowed_methods, reason = "the test's own reader of the hub's log")]
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                heard.lock().unwrap().push_str(&format!("{line}\n"));
                if line.contains("stopped at a crash point") {
                    stops.notify_one();
                }
            }
        });
        Hub { child, stopped, log }
    }

    async fn is_ready(&self, hub: &mut Hub) {
        let ready = format!("{}/readyz", self.base);
        for _ in 0..1_500 {
            match self.http.get(&ready).send().await {
                Ok(answer) if answer.status().is_success() => return,
                _ => assert_eq!(hub.child.try_wait().unwrap(), None, "the hub ended by itself"),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// One connection of a superuser; waits for a server that is coming back.
    pub async fn superuser(&self) -> PgConnection {
        for _ in 0..1_500 {
            if let Ok(conn) = PgConnection::connect(&self.database).await {
                return conn;
            }
            tokio::time::sleep(PAUSE).await;
        }
        panic!("the database does not come back");
    }

    /// The time after which the work of a dead process is taken up, and asked about, has passed.
    pub async fn leases_lapse(&self) {
        self.change(
            "update jobs set lease_until = null, run_at = least(run_at, now()) where state = 'ready';
             update refund_attempts set started_at = started_at - interval '1 hour' where state = 'sending'",
        )
        .await;
    }

    /// What waits for its time is due.
    pub async fn time_passes(&self) {
        self.change(
            "update jobs set run_at = now() where state = 'ready' and run_at > now() and lease_until is null",
        )
        .await;
    }

    async fn change(&self, statements: &'static str) {
        for _ in 0..100 {
            let mut conn = self.superuser().await;
            if sqlx::raw_sql(statements).execute(&mut conn).await.is_ok() {
                return;
            }
        }
        panic!("the database does not take {statements}");
    }

    /// The server's process.
    pub fn server(&self) -> Option<u32> {
        let cluster = self.data_dir.canonicalize().unwrap().join("cluster");
        let pid =
            std::fs::read_to_string(cluster.join("postmaster.pid")).ok()?.lines().next()?.parse().ok()?;
        (std::fs::read_link(format!("/proc/{pid}/cwd")).ok()? == cluster).then_some(pid)
    }

    pub async fn kill_server(&self) -> u32 {
        let server = self.server().unwrap();
        assert!(Command::new("kill").args(["-KILL", &server.to_string()]).status().await.unwrap().success());
        server
    }

    /// Waits until a server answers again.
    pub async fn server_is_back(&self) {
        drop(self.superuser().await);
    }

    pub fn servers_started(&self) -> usize {
        let log = std::fs::read_to_string(self.data_dir.join("postgres.log")).unwrap();
        // The one that the people were taken on with is not counted.
        log.matches("starting PostgreSQL").count() - 1
    }

    /// Ends what still runs in its folder.
    pub async fn close(self) {
        if let Some(server) = self.data_dir.exists().then(|| self.server()).flatten() {
            assert!(
                Command::new("kill").args(["-QUIT", &server.to_string()]).status().await.unwrap().success()
            );
            while self.server().is_some() {
                tokio::time::sleep(PAUSE).await;
            }
        }
        self.bank.stop().await;
        drop(self.folder);
    }
}

/// The example deployment as a configuration file.
fn file(settings: &mizan::config::Config, bank: &str, database: Option<&str>) -> String {
    let endpoint = |path: &str| json!({ "base_url": format!("{bank}{path}"), "api_key": "example-api-key-of-the-sandbox" });
    let banks: Vec<Value> = settings
        .banks
        .iter()
        .map(|bank| {
            json!({
                "name": bank.name, "account": bank.account, "currency": bank.currency, "owner": bank.owner,
                "endpoint": {
                    "endpoint": endpoint("/bank/v1"), "statement_format": "camt.053.001.08", "refuses_repeats": true,
                },
            })
        })
        .collect();
    let card = &settings.channels["card"];
    let mut config = json!({
        "listen": settings.listen, "public_url": settings.public_url, "data_dir": settings.data_dir, "banks": banks,
        "payment_files": { "gather_seconds": 1 },
        "channels": { "card": {
            "kind": "hosted_card", "name_ar": card.name_ar, "name_en": card.name_en,
            "settles_into": card.settles_into, "cost_rate": "0.0145", "cost_fixed": card.cost_fixed,
            "gateway": {
                "endpoint": endpoint("/gateway/v1"), "merchant": demo::MERCHANT,
                "callback_keys": ["example-callback-key-of-the-sandbox"],
            },
        } },
    });
    if let Some(url) = database {
        config["database"] = json!({ "url": url });
    }
    toml::to_string(&config).unwrap()
}

/// A running hub.
pub struct Hub {
    child: Child,
    stopped: Arc<Notify>,
    log: Arc<Mutex<String>>,
}

impl Hub {
    /// What it has written to standard error so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Ends when the hub says that it stands at its crash point.
    pub async fn stops_dead(&self) {
        self.stopped.notified().await;
    }

    /// `kill -9`.
    pub async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }
}
