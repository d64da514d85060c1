//! Real clusters, started, shared, killed and recovered.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{env, fs};

use sqlx::{Connection, Executor, PgConnection, Row};
use tempfile::TempDir;

use super::account::Account;
use super::*;

/// A data directory that ends whatever still runs in it.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        // under root PostgreSQL's account walks through it
        let open = fs::Permissions::from_mode(0o711);
        Self(tempfile::Builder::new().prefix("mizan-local").permissions(open).tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().canonicalize().unwrap().join("data")
    }

    fn settings(&self) -> Settings {
        Settings { data_dir: self.path(), durability: Durability::UnlessPowerFails }
    }

    async fn start(&self) -> LocalPg {
        LocalPg::start_with(self.settings()).await.unwrap()
    }

    /// The server's process, if it is one.
    fn server(&self) -> Option<u32> {
        let cluster = self.path().join("cluster");
        let pid = fs::read_to_string(cluster.join("postmaster.pid")).ok()?.lines().next()?.parse().ok()?;
        (fs::read_link(format!("/proc/{pid}/cwd")).ok()? == cluster).then_some(pid)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(pid) = self.server() {
            kill("-QUIT", pid);
        }
    }
}

fn kill(signal: &str, pid: u32) {
    assert!(Command::new("kill").args([signal, &pid.to_string()]).status().unwrap().success());
}

/// Kills the server as a power cut would, and waits until it is gone.
async fn kill_server(place: &Place) {
    let pid = place.server().unwrap();
    kill("-KILL", pid);
    while place.server().is_some() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn text(url: &str, sql: &'static str) -> String {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let value = connection.fetch_one(sql).await.unwrap().get(0);
    connection.close().await.unwrap();
    value
}

async fn note(pg: &LocalPg, sql: &'static str) {
    let mut connection = PgConnection::connect(&pg.url_bootstrap()).await.unwrap();
    connection.execute(sql).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn a_cluster_is_made_and_the_hub_is_no_superuser_in_it() {
    let place = Place::new();
    let pg = place.start().await;
    assert_eq!(
        text(&pg.url_app(), "select current_user || ' of ' || current_database()").await,
        "mizan_app of mizan"
    );
    assert_eq!(text(&pg.url_app(), "select current_setting('is_superuser')").await, "off");
    assert_eq!(text(&pg.url_app(), "select current_setting('data_checksums')").await, "on");
    assert_eq!(text(&pg.url_app(), "select current_setting('lock_timeout')").await, "5s");
    let applied = text(&pg.url_bootstrap(), "select count(*)::text from _sqlx_migrations").await;
    assert_eq!(applied, MIGRATIONS.iter().count().to_string());
    let owner = "select pg_get_userbyid(datdba)::text from pg_database where datname = 'mizan'";
    assert_eq!(text(&pg.url_bootstrap(), owner).await, "mizan_owner");
    pg.stop().await.unwrap();
    assert_eq!(place.server(), None);
}

#[test]
fn every_migration_file_is_in_the_program() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let files = fs::read_dir(folder)
        .unwrap()
        .filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|extension| extension == "sql"));
    assert_eq!(files.count(), MIGRATIONS.iter().count(), "touch src/localpg/bootstrap.rs and build again");
}

#[tokio::test]
async fn only_the_owner_can_come_near_the_socket() {
    let place = Place::new();
    let pg = place.start().await;
    let mode = |path: &str| fs::metadata(place.path().join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!([mode("socket"), mode("cluster")], [0o700; 2]);
    assert_eq!([mode("postgres.log"), mode("turn.lock"), mode("users.lock")], [0o600; 3]);
    assert_eq!(text(&pg.url_app(), "select current_setting('listen_addresses')").await, "");
    let rules = "select string_agg(auth_method, ',') from pg_hba_file_rules";
    assert_eq!(text(&pg.url_bootstrap(), rules).await, "peer");
    pg.stop().await.unwrap();
}

#[tokio::test]
async fn what_was_written_is_there_after_a_restart() {
    let place = Place::new();
    let pg = place.start().await;
    note(&pg, "create table kept as select 'here' as word").await;
    pg.stop().await.unwrap();
    let pg = place.start().await;
    assert_eq!(text(&pg.url_bootstrap(), "select word from kept").await, "here");
    pg.stop().await.unwrap();
}

#[tokio::test]
async fn a_second_user_finds_the_live_server_and_the_last_one_stops_it() {
    let place = Place::new();
    let hub = place.start().await;
    let server = place.server();
    let command = place.start().await;
    assert_eq!(place.server(), server);
    command.stop().await.unwrap();
    assert_eq!(place.server(), server, "a command took the server from the hub");

    let command = place.start().await;
    hub.stop().await.unwrap();
    assert_eq!(text(&command.url_app(), "select 'still here'").await, "still here");
    command.stop().await.unwrap();
    assert_eq!(place.server(), None);
}

const HELD_BY_A_CHILD: &str = "MIZAN_TEST_HOLDS";

#[tokio::test]
#[ignore = "no test of its own: the process that a_server_whose_hub_was_killed_is_adopted kills"]
async fn a_hub_to_be_killed() {
    let data_dir = PathBuf::from(env::var_os(HELD_BY_A_CHILD).unwrap());
    let settings = Settings { data_dir: data_dir.clone(), durability: Durability::UnlessPowerFails };
    let _pg = LocalPg::start_with(settings).await.unwrap();
    fs::write(data_dir.join("held"), "").unwrap();
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn a_server_whose_hub_was_killed_is_adopted() {
    let place = Place::new();
    let mut hub = tokio::process::Command::new(env::current_exe().unwrap())
        .args(["--ignored", "--exact", "localpg::tests::a_hub_to_be_killed"])
        .env(HELD_BY_A_CHILD, place.path())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    while !place.path().join("held").exists() {
        assert_eq!(hub.try_wait().unwrap(), None, "the hub ended by itself");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let server = place.server();
    hub.kill().await.unwrap();
    assert!(server.is_some() && place.server() == server, "the server went with the hub");

    let pg = place.start().await;
    assert_eq!(place.server(), server);
    assert_eq!(text(&pg.url_app(), "select 'up'").await, "up");
    pg.stop().await.unwrap();
    assert_eq!(place.server(), None, "the killed hub still counts as a user");
}

#[tokio::test]
async fn a_killed_server_is_recovered_with_all_that_was_committed() {
    let place = Place::new();
    let pg = place.start().await;
    note(&pg, "create table kept as select 'committed' as word").await;
    kill_server(&place).await;
    assert!(place.path().join("cluster/postmaster.pid").exists(), "a killed server leaves its pid file");
    drop(pg);
    let pg = place.start().await;
    assert_eq!(text(&pg.url_bootstrap(), "select word from kept").await, "committed");
    pg.stop().await.unwrap();
}

#[tokio::test]
async fn a_pid_file_that_names_another_program_by_now_is_no_obstacle() {
    let place = Place::new();
    let pg = place.start().await;
    kill_server(&place).await;
    drop(pg);
    let account = Account::find().await.unwrap();
    let mut other = account.command(Path::new("sleep")).arg("60").kill_on_drop(true).spawn().unwrap();
    let pid_file = place.path().join("cluster/postmaster.pid");
    let stale = fs::read_to_string(&pid_file).unwrap();
    let (_, rest) = stale.split_once('\n').unwrap();
    fs::write(&pid_file, format!("{}\n{rest}", other.id().unwrap())).unwrap();

    let pg = place.start().await;
    assert_eq!(other.try_wait().unwrap(), None, "the other program was harmed");
    assert_eq!(text(&pg.url_app(), "select 'up'").await, "up");
    pg.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_killed_under_a_running_hub_comes_back() {
    let place = Place::new();
    let pg = place.start().await;
    note(&pg, "create table kept as select 'committed' as word").await;
    let killed = place.server();
    kill_server(&place).await;
    let back = async {
        while PgConnection::connect(&pg.url_app()).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        () = pg.supervise() => unreachable!("supervision never ends"),
        () = back => {}
    }
    assert_ne!(place.server(), killed);
    assert_eq!(text(&pg.url_bootstrap(), "select word from kept").await, "committed");
    pg.stop().await.unwrap();
}

#[tokio::test]
async fn two_starters_on_one_directory_share_one_server() {
    let place = Place::new();
    let (one, other) = tokio::join!(place.start(), place.start());
    assert_eq!(one.url_app(), other.url_app());
    let starts = fs::read_to_string(place.path().join("postgres.log")).unwrap();
    assert_eq!(starts.matches("starting PostgreSQL").count(), 1);
    one.stop().await.unwrap();
    other.stop().await.unwrap();
    assert_eq!(place.server(), None);
}

#[tokio::test]
async fn an_initdb_that_was_killed_leaves_nothing_behind() {
    let place = Place::new();
    fs::create_dir_all(place.path().join("cluster.new/base")).unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o711)).unwrap();
    let pg = place.start().await;
    assert!(!place.path().join("cluster.new").exists());
    pg.stop().await.unwrap();
}

#[tokio::test]
async fn a_path_too_long_for_a_socket_is_no_obstacle() {
    let place = Place::new();
    let deep = place.path().join("a folder, with a rather long name/".repeat(4));
    fs::create_dir_all(&deep).unwrap();
    for folder in deep.ancestors().take_while(|folder| folder.starts_with(place.path())) {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o711)).unwrap();
    }
    let settings = Settings { data_dir: deep, durability: Durability::UnlessPowerFails };
    let pg = LocalPg::start_with(settings).await.unwrap();
    assert!(pg.url_app().contains("host=/tmp/mizan-"), "{}", pg.url_app());
    assert_eq!(text(&pg.url_app(), "select 'up'").await, "up");
    let socket = pg.url_app().split_once("host=").unwrap().1.split_once('&').unwrap().0.to_owned();
    pg.stop().await.unwrap();
    assert!(!Path::new(&socket).exists(), "{socket} was left behind");
}

#[tokio::test]
async fn under_root_a_closed_folder_on_the_way_is_named() {
    let Some(_) = Account::find().await.unwrap().change_to else {
        println!("not root: PostgreSQL runs as this user, who can reach all this user's folders");
        return;
    };
    let shut = fs::Permissions::from_mode(0o700);
    let closed = tempfile::Builder::new().permissions(shut).tempdir().unwrap();
    let error = LocalPg::start(closed.path().join("data")).await.unwrap_err();
    assert!(
        error.to_string().starts_with(closed.path().canonicalize().unwrap().to_str().unwrap()),
        "{error}"
    );
}

#[tokio::test]
async fn a_folder_without_programs_is_named_and_nothing_else_is_tried() {
    let output = Command::new("sh")
        .args(["-c", include_str!("../../config/bootstrap/get-postgres"), "get-postgres", "/nonexistent"])
        .env("MIZAN_PG_BIN", "/nonexistent/bin")
        .output()
        .unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    assert!(String::from_utf8_lossy(&output.stderr).contains("MIZAN_PG_BIN=/nonexistent/bin"));
}

/// Under root the other tests run PostgreSQL as another account; here the whole process is an ordinary user's.
#[tokio::test]
async fn an_ordinary_user_needs_no_root() {
    if Account::find().await.unwrap().change_to.is_none() {
        println!("not root: every other test here is an ordinary user's");
        return;
    }
    let folder = tempfile::Builder::new().prefix("mizan-user").tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let program = folder.path().join("tests");
    fs::copy(env::current_exe().unwrap(), &program).unwrap();
    for test in [
        "a_killed_server_is_recovered_with_all_that_was_committed",
        "a_cluster_is_made_and_the_hub_is_no_superuser_in_it",
    ] {
        let output = Command::new("setpriv")
            .args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"])
            .arg(&program)
            .args(["--exact", &format!("localpg::tests::{test}")])
            .env("TMPDIR", folder.path())
            .env("HOME", folder.path())
            .current_dir("/")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("1 passed"), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// A passing cluster of this test's own home, dropped as a kill drops it: the server goes on.
async fn killed(home: &Path, name: &str) -> PathBuf {
    let folder = passing_folder(home, name).await.unwrap();
    let settings = Settings { data_dir: folder.clone(), durability: Durability::UnlessPowerFails };
    drop(LocalPg::start_with(settings).await.unwrap());
    folder
}

#[tokio::test]
async fn what_a_killed_run_left_is_cleared_away_by_the_next_and_nothing_else_is() {
    let place = Place::new();
    let home = place.0.path().canonicalize().unwrap();
    let dead = killed(&home, "demo-1").await;
    let server = fs::read_to_string(dead.join("cluster/postmaster.pid")).unwrap();
    let server = PathBuf::from(format!("/proc/{}/cwd", server.lines().next().unwrap()));
    assert!(fs::read_link(&server).is_ok());
    let kept = killed(&home, "simulation-1").await;
    keep(&kept).unwrap();
    let live = passing_folder(&home, "demo-2").await.unwrap();
    let settings = Settings { data_dir: live.clone(), durability: Durability::UnlessPowerFails };
    let used = LocalPg::start_with(settings).await.unwrap();
    let own = place.start().await;
    let begun = passing_folder(&home, "demo-3").await.unwrap();

    clear_left(&home).await;
    assert!(!dead.exists() && fs::read_link(&server).is_err(), "the dead one is gone with its server");
    assert!(kept.exists() && begun.exists());
    for pg in [&used, &own] {
        assert_eq!(text(&pg.url_app(), "select 'lives'").await, "lives");
    }
    clear_left(&home).await;

    used.stop().await.unwrap();
    discard(&live).await.unwrap();
    assert!(!live.exists());
    discard(&place.path()).await.unwrap();
    assert!(place.server().is_some(), "what carries no mark is not discarded");
    own.stop().await.unwrap();
    let settings = Settings { data_dir: kept, durability: Durability::UnlessPowerFails };
    LocalPg::start_with(settings).await.unwrap().stop().await.unwrap();
}
