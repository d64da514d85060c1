//! Test and live apart: a database is of the mode that its first start had, for ever (docs/decisions/0011).

use mizan_ledger::Instant;
use sqlx::PgConnection;

use super::{Mode, store};
use crate::fault::Fault;

/// What a database says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deployment {
    pub mode: Mode,
    pub first_started_at: Instant,
}

/// The database is of one mode and the configuration of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "this database is of a {is} deployment since its first start at {since}, and the configuration says mode = \"{says}\"\
     {unset}: set mode = \"{is}\", or give the {says} hub a database and a data_dir of its own",
    is = .database.mode.as_str(),
    since = .database.first_started_at,
    says = .configured.as_str(),
    unset = if .configured.is_live() { "" } else { " (as it does where nothing is set)" }
)]
pub struct OtherMode {
    database: Deployment,
    configured: Mode,
}

impl Deployment {
    /// # Errors
    /// When a hub of this mode must not run here.
    pub fn admit(self, configured: Mode) -> Result<(), OtherMode> {
        if self.mode == configured { Ok(()) } else { Err(OtherMode { database: self, configured }) }
    }
}

/// The mode of the database, which is the given one if no hub has started here before.
pub async fn settle(conn: &mut PgConnection, mode: Mode, now: Instant) -> Result<Deployment, Fault> {
    store::insert_mode(conn, mode, now).await?;
    Ok(store::find_deployment(conn).await?.unwrap_or(Deployment { mode, first_started_at: now }))
}
