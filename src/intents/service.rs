mod ending;
mod opening;

use std::collections::BTreeSet;

use sqlx::PgConnection;

use super::model::{Intent, IntentError};
use super::view::IntentView;
use super::{carrying, store, view};
use crate::catalogue::{self, Catalogue};
use crate::events::NewEvent;
use crate::fault::Fault;
use crate::ids::IntentId;
use crate::quoting::{self, Basket};
use crate::tx::{Hub, Tx};

pub use ending::{cancel, expire_due};
pub use opening::{open, open_all, open_with_lines};

pub use super::store::bills::{BillDue, find_bills};
pub use super::store::releases::{Release, find as find_releases, insert as insert_releases};
pub use super::store::{find, find_by_references, find_by_token, lock, update};

/// The issuer digits with which a bill number of ours may begin.
pub async fn issuers(tx: &mut Tx) -> Result<BTreeSet<u16>, Fault> {
    let catalogue = catalogue::service::current(tx).await?;
    let agencies = catalogue.agencies.iter().map(|agency| agency.issuer.as_str());
    Ok(agencies.chain([tx.hub().config.issuer.as_str()]).filter_map(|issuer| issuer.parse().ok()).collect())
}

/// Whether a channel can carry this payment by the catalogue in force.
pub fn channel_carries(
    hub: &Hub,
    catalogue: &Catalogue,
    (intent, basket): (&Intent, &Basket),
    channel: &str,
) -> Result<(), IntentError> {
    let settings =
        hub.config.channels.get(channel).ok_or_else(|| IntentError::UnknownChannel(channel.to_owned()))?;
    carrying::carries(catalogue, channel, settings, intent, basket).map_err(|unfit| {
        IntentError::ChannelUnavailable { channel: channel.to_owned(), why: unfit.name_en() }
    })
}

/// The priced lines of an intent.
pub async fn basket(conn: &mut PgConnection, intent: &Intent) -> Result<Basket, Fault> {
    let quote = quoting::service::find(conn, intent.quote).await?;
    Ok(quote.ok_or_else(|| Fault::corrupt("payment_intents", "quote", intent.id))?.basket)
}

/// Locks one intent.
pub async fn lock_one(tx: &mut Tx, id: IntentId) -> Result<Intent, IntentError> {
    store::lock_one(tx.conn(), id).await?.ok_or(IntentError::NotFound)
}

/// The intent as the portal sees it.
pub async fn find_view(tx: &mut Tx, id: IntentId) -> Result<Option<IntentView>, Fault> {
    let hub = tx.hub().clone();
    view::find(tx.conn(), &hub, id).await
}

/// Tells a change of an intent to its portal, with the resource as of now.
pub async fn emit(tx: &mut Tx, kind: &'static str, intent: &Intent) -> Result<(), Fault> {
    let basket = basket(tx.conn(), intent).await?;
    emit_view(tx, kind, intent, &basket);
    Ok(())
}

/// As [`emit`], when the priced lines are at hand.
pub fn emit_view(tx: &mut Tx, kind: &'static str, intent: &Intent, basket: &Basket) {
    let hub = tx.hub().clone();
    let body = serde_json::to_string(&view::intent(&hub, intent, basket, &[]))
        .expect("a view is maps, lists and texts");
    tx.emit(NewEvent {
        portal: intent.portal,
        kind,
        object: intent.id.to_string(),
        object_version: intent.version,
        body,
    });
}
