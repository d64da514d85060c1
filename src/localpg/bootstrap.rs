//! What a cluster holds before the hub logs in: roles, the database, and its tables.

use sqlx::migrate::{Migrate as _, Migrator};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor, PgConnection};

use super::error::LocalPgError;

/// The tables of this release, in order.
pub static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// The database of the hub.
pub const DATABASE: &str = "mizan";

const ROLES: &str = include_str!("../../config/bootstrap/roles.sql");
const CREATE_DATABASE: &str = "create database mizan owner mizan_owner";
const GRANTS: &str = "revoke all on database mizan from public; \
     grant connect on database mizan to mizan_app, mizan_reader, mizan_auditor";
const DUPLICATE_DATABASE: &str = "42P04";

/// How a database's tables stand to those of this release.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schema {
    pub applied: usize,
    /// Migrations of this release that have not run: `12 suspense items`.
    pub missing: Vec<String>,
    /// Versions that ran and are not of this release, or not as they are in it.
    pub foreign: Vec<i64>,
}

impl Schema {
    pub fn is_current(&self) -> bool {
        self.missing.is_empty() && self.foreign.is_empty()
    }
}

/// Compares. Any role that may read the table of migrations will do.
///
/// # Errors
/// When the table cannot be read.
pub async fn schema(conn: &mut PgConnection) -> Result<Schema, sqlx::migrate::MigrateError> {
    let applied = conn.list_applied_migrations(&MIGRATIONS.table_name).await?;
    let mut schema = Schema { applied: applied.len(), ..Schema::default() };
    for migration in MIGRATIONS.iter() {
        if !applied.iter().any(|one| one.version == migration.version) {
            schema.missing.push(format!("{} {}", migration.version, migration.description));
        }
    }
    for one in &applied {
        let ours = MIGRATIONS.iter().find(|migration| migration.version == one.version);
        if ours.is_none_or(|migration| migration.checksum != one.checksum) {
            schema.foreign.push(one.version);
        }
    }
    Ok(schema)
}

/// Makes roles and database where they are missing and runs the missing migrations as their owner. Changes nothing when
/// all is there. `superuser` names a superuser and any database of the cluster.
///
/// # Errors
/// When PostgreSQL cannot be reached, a statement fails, or a migration differs from the one that ran before.
pub async fn bootstrap(superuser: PgConnectOptions) -> Result<(), LocalPgError> {
    let mut connection = superuser.clone().disable_statement_logging().connect().await?;
    connection.execute(ROLES).await?;
    match connection.execute(CREATE_DATABASE).await {
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(DUPLICATE_DATABASE) => {}
        made => {
            made?;
        }
    }
    connection.execute(GRANTS).await?;
    connection.close().await?;

    // What is there already is no news: the table of migrations is asked for each time.
    let owner = superuser.database(DATABASE);
    let owner = owner.options([("role", "mizan_owner"), ("client_min_messages", "warning")]);
    let mut connection = PgConnection::connect_with(&owner).await?;
    MIGRATIONS.run(&mut connection).await?;
    connection.close().await?;
    Ok(())
}
