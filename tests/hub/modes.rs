//! Test and live apart: one database is of one mode, and so are the keys.

use std::sync::Arc;

use mizan::access::service::{NewPortal, add_key, create_portal};
use mizan::access::{NewKey, Owner, Scope};
use mizan::app::App;
use mizan::config::{Config, Mode};
use mizan::entropy::Entropy;
use mizan::http::signature::{Message, SigningKey, sign};
use mizan::start;
use mizan::tx::Actor;
use mizan_ledger::ManualClock;
use serde_json::Value;
use sqlx::ConnectOptions as _;
use tokio::net::TcpListener;

use crate::cli::Shell;
use crate::world::{MORNING, TestDb, World};

const LIVE: &str = "mode = \"live\"\npublic_url = \"https://hub.example\"\n";

/// A hub of this mode as every command starts it.
async fn started(db: &TestDb, mode: Mode) -> anyhow::Result<(App, tempfile::TempDir)> {
    let data_dir = tempfile::tempdir().unwrap();
    let config = Config {
        mode,
        public_url: "https://hub.example".to_owned(),
        data_dir: data_dir.path().to_owned(),
        ..Config::default()
    };
    let url = db.app_options().to_url_lossy().to_string();
    let clock = Arc::new(ManualClock::new(MORNING.parse().unwrap()));
    Ok((start::app(config, &url, clock, Entropy::seeded(9)).await?, data_dir))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_database_does_not_go_live() {
    let world = World::new().await;
    let refused = started(world.db(), Mode::Live).await.unwrap_err();
    let told = "mode: this database is of a test deployment since its first start at 2026-11-22T08:00:00Z, and the \
                configuration says mode = \"live\": set mode = \"test\", or give the live hub a database and a data_dir \
                of its own";
    assert_eq!(format!("{refused:#}"), told);
    started(world.db(), Mode::Test).await.expect("as it began");

    let shell = Shell::new(world.db());
    std::fs::write(shell.file("live.toml"), LIVE).unwrap();
    let config = shell.file("live.toml").display().to_string();
    for command in ["serve", "worker"] {
        let done = shell.mizan(&[command, "--config", &config]).await;
        assert_eq!((done.code, done.err.contains(told)), (3, true), "{done:?}");
    }
    let doctor = shell.mizan(&["doctor", "--json", "--config", &config]).await;
    let found = |done: &crate::cli::Done| -> Value {
        let lines = done.out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.into_iter().find(|one| one["what"] == "mode").unwrap()
    };
    assert_eq!((doctor.code, &found(&doctor)["ok"]), (1, &Value::Bool(false)), "{doctor:?}");
    assert!(told.ends_with(found(&doctor)["is"].as_str().unwrap()), "{doctor:?}");
    assert_eq!(found(&shell.mizan(&["doctor", "--json"]).await)["is"], "a test database, as configured");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_database_does_not_become_one_of_tests() {
    let db = TestDb::new().await;
    started(&db, Mode::Live).await.expect("a fresh database takes the mode of its first start");
    let refused = started(&db, Mode::Test).await.unwrap_err();
    let told = format!("{refused:#}");
    assert!(told.contains("is of a live deployment") && told.contains("set mode = \"live\""), "{told}");
    let shell = Shell::new(&db);
    let create = ["user", "create", "--first", "huda", "--name-en", "Example", "--name-ar", "مثال"];
    for command in [["serve"].as_slice(), &["worker"], &create] {
        let done = shell.mizan(command).await;
        assert_eq!((done.code, done.err.contains("where nothing is set")), (3, true), "{done:?}");
    }
    started(&db, Mode::Live).await.expect("as it began");
    let rewritten = sqlx::query!("update deployment set mode = 'test'").execute(&db.pool).await.unwrap_err();
    assert!(rewritten.to_string().contains("permission denied"), "{rewritten}");
}

/// A portal's key in the table under this id; what the hub answers to a request that it signs.
async fn asked_with(app: &App, owner: Owner, key_id: &str) -> (u16, Value) {
    let signing = SigningKey::hmac_sha256(vec![7; 32]).unwrap();
    let key = NewKey {
        key_id: key_id.to_owned(),
        owner,
        material: signing.verify_key(),
        scopes: Scope::of_portal(),
        created_at: app.clock.now(),
    };
    app.run(&Actor::hub("test"), &key, |tx, key| Box::pin(add_key(tx, key))).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = start::listen(app, listener).unwrap();
    // What ends TLS before a hub keeps the host and asks it over plain http.
    let uri = format!("https://{address}/v1/services").parse().unwrap();
    let headers = axum::http::HeaderMap::new();
    let message = Message::outgoing(&axum::http::Method::GET, &uri, &headers);
    let signed = sign(&message, b"", &signing, key_id, app.clock.now(), Some("once")).unwrap();
    let request = reqwest::Client::new().get(format!("http://{address}/v1/services")).headers(signed.headers);
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_the_other_mode_is_unknown() {
    // Who came first in this process has chosen the same one.
    drop(rustls::crypto::ring::default_provider().install_default());
    for (mode, own, other) in [(Mode::Live, "live_own", "test_other"), (Mode::Test, "test_own", "live_other")]
    {
        let db = TestDb::new().await;
        let (app, _data_dir) = started(&db, mode).await.unwrap();
        let new = NewPortal {
            code: "example-portal".to_owned(),
            name_ar: "بوابة (مثال)".to_owned(),
            name_en: "Portal (example)".to_owned(),
            return_url_prefixes: Vec::new(),
        };
        let actor = Actor::hub("test");
        let portal = app.run(&actor, &new, |tx, new| Box::pin(create_portal(tx, new))).await.unwrap();
        let owner = Owner::Portal(portal);
        assert_eq!(asked_with(&app, owner, own).await.0, 200, "{own}");
        for wrong in [other, &format!("{}ish_x", mode.as_str())] {
            let (status, problem) = asked_with(&app, owner, wrong).await;
            assert_eq!((status, problem["code"].as_str()), (401, Some("key_unknown")), "{wrong}");
        }
    }
}

/// What was proved on a day stays on it.
#[tokio::test(flavor = "multi_thread")]
async fn the_days_of_a_database_are_those_of_one_zone() {
    let world = World::new().await;
    let shell = Shell::new(world.db());
    std::fs::write(shell.file("east.toml"), "zone = \"Asia/Tokyo\"\n").unwrap();
    let config = shell.file("east.toml").display().to_string();
    let told = "zone: the days of this database are those of Asia/Hebron since its first start at 2026-11-22T08:00:00Z, \
                and the configuration says zone = \"Asia/Tokyo\"";
    let served = shell.mizan(&["serve", "--config", &config]).await;
    assert_eq!((served.code, served.err.contains(told)), (3, true), "{served:?}");
    let doctor = shell.mizan(&["doctor", "--config", &config]).await;
    assert!(doctor.code == 1 && doctor.out.contains("those of Asia/Hebron"), "{doctor:?}");
    let change = sqlx::query!("update deployment set zone = 'Asia/Tokyo'");
    let mut conn = world.app.pool.acquire().await.unwrap();
    assert!(change.execute(&mut *conn).await.unwrap_err().to_string().contains("never changes"));
}
