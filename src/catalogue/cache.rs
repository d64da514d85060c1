use std::sync::{Arc, PoisonError, RwLock};

use super::Catalogue;

/// The catalogue as last read, with the version it was read at. Whoever uses it compares that version with
/// `catalogue_head` in its own transaction, so a price is never older than the transaction that promises it.
#[derive(Debug, Default)]
pub struct CatalogueCache(RwLock<Option<(i64, Arc<Catalogue>)>>);

impl CatalogueCache {
    pub fn get(&self, version: i64) -> Option<Arc<Catalogue>> {
        let cache = self.0.read().unwrap_or_else(PoisonError::into_inner);
        cache.as_ref().filter(|(at, _)| *at == version).map(|(_, catalogue)| catalogue.clone())
    }

    pub fn put(&self, version: i64, catalogue: &Arc<Catalogue>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some((version, catalogue.clone()));
    }
}
