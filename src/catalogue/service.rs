use std::sync::Arc;

use mizan_ledger::Instant;
use sqlx::PgConnection;

use super::{Agency, Catalogue, CatalogueCache, store};
use crate::fault::Fault;
use crate::tx::Tx;

/// The catalogue in force for this transaction: from the cache when nothing changed since, else read again.
pub async fn current(tx: &mut Tx) -> Result<Arc<Catalogue>, Fault> {
    let hub = tx.hub().clone();
    match tx.catalogue_version() {
        Some(version) => read_at(tx.conn(), &hub.catalogue, version).await,
        None => read(tx.conn(), &hub.catalogue).await,
    }
}

/// As [`current`], for readers without a transaction.
pub async fn read(conn: &mut PgConnection, cache: &CatalogueCache) -> Result<Arc<Catalogue>, Fault> {
    let version = store::head(conn).await?;
    read_at(conn, cache, version).await
}

/// The agencies as they were at an instant: a later change of who holds their money changes no list of a day before.
pub async fn agencies_at(conn: &mut PgConnection, at: Instant) -> Result<Vec<Agency>, Fault> {
    store::find_agencies_at(conn, at).await
}

/// As [`read`], where the version of the catalogue is known.
pub(super) async fn read_at(
    conn: &mut PgConnection,
    cache: &CatalogueCache,
    version: i64,
) -> Result<Arc<Catalogue>, Fault> {
    if let Some(catalogue) = cache.get(version) {
        return Ok(catalogue);
    }
    let (agencies, mut services, versions) = store::find_all(conn).await?;
    for fee in versions {
        if let Some(service) = services.iter_mut().find(|service| service.code == fee.service) {
            service.versions.push(fee);
        }
    }
    let catalogue = Arc::new(Catalogue { agencies, services, example: false });
    cache.put(version, &catalogue);
    Ok(catalogue)
}
