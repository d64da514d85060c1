//! A database of its own for a test: a clone of the migrated template, dropped at the end.
//!
//! The cluster is started by `.ci/with-pg`, which sets `MIZAN_TEST_PG`. Included with `#[path]` by the tests of
//! the book and of the hub, so it needs no more than std, sqlx and tokio.

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};

const TEMPLATE: &str = "mizan_template";

/// Keep it alive as long as the test uses its pool.
#[derive(Debug)]
pub struct TestDb {
    name: String,
    superuser: PgConnectOptions,
    /// Connected as `mizan_app`, as the hub is.
    pub pool: PgPool,
}

#[allow(dead_code, reason = "each test binary uses its own part")]
impl TestDb {
    pub async fn new() -> Self {
        let url = std::env::var("MIZAN_TEST_PG").expect(
            "MIZAN_TEST_PG is not set: run the tests through .ci/with-pg, which starts a private PostgreSQL",
        );
        let superuser: PgConnectOptions = url.parse().expect("MIZAN_TEST_PG is a connection URL");
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("mizan_test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let mut admin = superuser.connect().await.expect("the cluster of MIZAN_TEST_PG answers");
        for statement in [
            format!("drop database if exists {name} with (force)"),
            format!("create database {name} template {TEMPLATE} owner mizan_owner"),
        ] {
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut admin).await.expect("the template is there");
        }
        admin.close().await.expect("closes");
        let superuser = superuser.database(&name);
        let pool = PgPoolOptions::new()
            .max_connections(16)
            .connect_with(superuser.clone().username("mizan_app"))
            .await
            .expect("mizan_app may log in");
        Self { name, superuser, pool }
    }

    /// How the hub would connect.
    pub fn app_options(&self) -> PgConnectOptions {
        self.superuser.clone().username("mizan_app")
    }

    /// How another role of the bootstrap would connect.
    pub async fn connect_as(&self, role: &str) -> PgConnection {
        self.superuser.clone().username(role).connect().await.expect("the role may log in")
    }

    /// For what only an intruder or an operator with the keys to the house does.
    pub async fn superuser(&self) -> PgConnection {
        self.superuser.connect().await.expect("the superuser may log in")
    }
}

impl Drop for TestDb {
    fn drop(&mut self) {
        // Drop is not async, and the test's runtime may be gone: a thread with a runtime of its own.
        let admin = self.superuser.clone().database("postgres");
        let statement = format!("drop database if exists {} with (force)", self.name);
        let dropped = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let mut admin = admin.connect().await?;
                sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut admin).await?;
                admin.close().await
            })
        })
        .join();
        if !matches!(dropped, Ok(Ok(()))) {
            eprintln!("{} was left behind: {dropped:?}", self.name);
        }
    }
}
