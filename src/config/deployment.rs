//! Test and live apart: a database is of the mode that its first start had, for ever (docs/decisions/0011). So it is of the
//! zone whose days its books are kept by: another would move what was proved to other days.

use mizan_ledger::{Instant, Zone};
use sqlx::PgConnection;

use super::{Mode, store};
use crate::fault::Fault;

/// What a database says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    pub mode: Mode,
    /// The name of its zone; None in a database from before it was kept.
    pub zone: Option<String>,
    pub first_started_at: Instant,
}

/// The database is of one mode and the configuration of the other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
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

/// The days of the database are those of one zone, and the configuration names another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the days of this database are those of {is} since its first start at {since}, and the configuration says \
     zone = \"{says}\": set zone = \"{is}\", or what was proved would stand on other days"
)]
pub struct OtherZone {
    is: String,
    since: Instant,
    says: String,
}

impl Deployment {
    /// # Errors
    /// When a hub of this mode must not run here.
    pub fn admit(&self, configured: Mode) -> Result<(), OtherMode> {
        if self.mode == configured { Ok(()) } else { Err(OtherMode { database: self.clone(), configured }) }
    }

    /// # Errors
    /// When a hub must not count its days in this zone here.
    pub fn admit_zone(&self, configured: &Zone) -> Result<(), OtherZone> {
        match &self.zone {
            Some(zone) if zone != configured.name() => Err(OtherZone {
                is: zone.clone(),
                since: self.first_started_at,
                says: configured.name().to_owned(),
            }),
            _ => Ok(()),
        }
    }
}

/// Mode and zone of the database, which are the given ones if no hub has started here before.
pub async fn settle(
    conn: &mut PgConnection,
    mode: Mode,
    zone: &Zone,
    now: Instant,
) -> Result<Deployment, Fault> {
    store::insert_deployment(conn, mode, zone.name(), now).await?;
    let settled = store::find_deployment(conn).await?;
    Ok(settled.unwrap_or(Deployment { mode, zone: Some(zone.name().to_owned()), first_started_at: now }))
}
