mod again;
mod changes;
mod decide;
mod recover;
mod request;
mod settle;
mod tell;

use mizan_ledger::EntryId;
use serde_json::{Map, Value};
use sqlx::PgConnection;

use super::model::{Rail, Refund, RefundError, RefundSource};
use super::{store, view};
use crate::books::{Slug, Voucher};
use crate::breaks::Category;
use crate::events::NewEvent;
use crate::fault::Fault;
use crate::ids::RefundId;
use crate::intents::{self, Intent};
use crate::quoting::{self, Basket};
use crate::suspense::{self, Item};
use crate::tx::{Hub, Tx};

pub use super::attempts::store::{find_in_doubt, find_ordered, find_refused, page_of as instructions};
pub use super::store::{Filter, find, page, page_of};
pub use super::view::More;
pub use again::{
    Redirect, deny, give_up, propose_denial, propose_give_up, redirect, refuse_proposal, send_again,
};
pub use decide::{Decision, approve, cancel, fund, refuse, withdraw};
pub use recover::recover;
pub use request::{propose, propose_line, request};
pub use settle::{Left, Settled, came_back, lock, settle, settle_told_late};
pub use tell::{
    Asked, Heard, News, Order, Told, begin, hear, not_sent_any_more, notice_job, tell, who_to_ask,
};

/// A refund under lock, with what it takes from.
struct Held {
    refund: Refund,
    intent: Option<Intent>,
    item: Option<Item>,
}

/// The category of an item's break.
fn cause(item: &Item) -> Result<Category, Fault> {
    item.cause.parse().map_err(|_| Fault::corrupt("suspense_items", "cause", item.id))
}

/// Locks what a refund takes from, then the refund: the order in which the hub locks.
async fn lock_with_source(tx: &mut Tx, id: RefundId) -> Result<Held, RefundError> {
    let known = store::find(tx.conn(), id).await?.ok_or(RefundError::NotFound)?;
    let (mut intent, mut item) = (None, None);
    match known.source {
        RefundSource::Intent(id) => intent = intents::service::lock(tx.conn(), &[id]).await?.pop(),
        RefundSource::Suspense(id) => item = suspense::store::lock(tx.conn(), id).await?,
    }
    let refund = store::lock(tx.conn(), &[id]).await?.pop().ok_or(RefundError::NotFound)?;
    Ok(Held { refund, intent, item })
}

/// The channel took back what this refund is to give back: the payer has it already.
async fn is_taken_back(tx: &mut Tx, id: RefundId) -> Result<bool, Fault> {
    Ok(!store::find_taken_back(tx.conn(), &[id]).await?.is_empty())
}

/// The priced lines of an intent.
async fn basket(tx: &mut Tx, intent: &Intent) -> Result<Basket, Fault> {
    let quote = quoting::service::find(tx.conn(), intent.quote).await?;
    Ok(quote.ok_or_else(|| Fault::corrupt("payment_intents", "quote", intent.id))?.basket)
}

pub(super) fn voucher(tx: &Tx, id: EntryId, refund: &Refund) -> Voucher {
    let mut meta = Map::new();
    meta.insert("source".to_owned(), Value::from(refund.source.to_string()));
    Voucher {
        id,
        effective_on: tx.hub().calendar.day_of(tx.now()),
        actor: tx.actor().as_str().to_owned(),
        source_ref: refund.id.to_string(),
        meta,
    }
}

pub(super) fn rule(error: crate::books::RuleError) -> Fault {
    Fault::Other(error.to_string())
}

/// The agency from which a channel that pays it itself takes a refund back: money that never came to the hub.
pub(super) fn taken_from(hub: &Hub, refund: &Refund) -> Option<Slug> {
    let Rail::Gateway { channel, .. } = &refund.rail else { return None };
    hub.config.direct_agency(channel).cloned()
}

/// Tells a change of a refund to its portal and to the audit.
fn emit(tx: &mut Tx, kind: &'static str, refund: &Refund, detail: Value) {
    tx.audit(kind, refund.id, detail);
    let Some(portal) = refund.portal else { return };
    let hub = tx.hub().clone();
    let body =
        serde_json::to_string(&view::for_portal(&hub, refund)).expect("a view is maps, lists and texts");
    tx.emit(NewEvent { portal, kind, object: refund.id.to_string(), object_version: refund.version, body });
}

/// Who acts is neither who asked nor who decided before.
fn another_person(tx: &Tx, refund: &Refund) -> Result<(), RefundError> {
    let actor = tx.actor().as_str();
    if refund.requested_by == actor || refund.decided_by.as_deref() == Some(actor) {
        return Err(RefundError::SamePerson);
    }
    Ok(())
}

/// What officers see of one refund beside itself.
pub async fn more(conn: &mut PgConnection, id: RefundId) -> Result<More, Fault> {
    Ok(More {
        instructions: instructions(conn, id).await?,
        outstanding: store::find_outstanding(conn, id).await?,
    })
}
