mod ending;

use std::collections::BTreeSet;

use mizan_adapters::reference::BillNumber;
use sqlx::PgConnection;

use super::fulfilled::Fulfilment;
use super::model::{Intent, IntentError, IntentEvent, IntentState, NewIntent};
use super::view::IntentView;
use super::{carrying, store, view};
use crate::access;
use crate::catalogue::{self, Catalogue};
use crate::events::NewEvent;
use crate::fault::Fault;
use crate::ids::IntentId;
use crate::quoting::{self, Basket, Quote};
use crate::tx::{Hub, Tx};

pub use ending::{cancel, expire_due};

pub use super::store::releases::{Release, find as find_releases, insert as insert_releases};
pub use super::store::{BillDue, find, find_bills, find_by_references, find_by_token, lock, update};

/// Opens an intent on a quote: the quote is used up, the bill number is drawn, the reference is held.
pub async fn open(tx: &mut Tx, new: &NewIntent) -> Result<IntentView, IntentError> {
    let quote = quoting::service::redeem(tx, new.portal, new.quote).await?;
    open_on(tx, new, &quote).await
}

/// Prices the lines and opens the intent in one call: the quote is made and used in the same transaction.
pub async fn open_with_lines(
    tx: &mut Tx,
    new: &NewIntent,
    lines: &quoting::NewQuote,
) -> Result<IntentView, IntentError> {
    let quote = quoting::service::create(tx, lines).await?;
    open_on(tx, &NewIntent { quote: quote.id, ..new.clone() }, &quote).await
}

/// Opens an intent on an open quote.
async fn open_on(tx: &mut Tx, new: &NewIntent, quote: &Quote) -> Result<IntentView, IntentError> {
    check_return_url(tx, new).await?;
    let catalogue = catalogue::service::current(tx).await?;
    let hub = tx.hub().clone();
    let serial = hub.serials.draw(tx.conn()).await?;
    for channel in &new.channels {
        if !hub.config.channels.contains_key(channel) {
            return Err(IntentError::UnknownChannel(channel.clone()));
        }
    }
    let issuer = issuer(&catalogue, &quote.basket, &hub);
    let bill_number = issuer
        .parse()
        .ok()
        .and_then(|issuer| BillNumber::new(issuer, serial))
        .ok_or_else(|| Fault::Other(format!("no bill number for issuer {issuer} and serial {serial}")))?;
    let now = tx.now();
    let mut intent = Intent {
        id: tx.id(),
        portal: new.portal,
        external_reference: new.external_reference.clone(),
        purpose: new.purpose.clone(),
        state: IntentState::RequiresPayment,
        version: 1,
        amount: quote.basket.total,
        paid: mizan_ledger::Money::zero(quote.basket.currency),
        refund_reserved: mizan_ledger::Money::zero(quote.basket.currency),
        refunded: mizan_ledger::Money::zero(quote.basket.currency),
        bill_number,
        pay_token: hub.entropy.token::<26>(),
        quote: quote.id,
        payer: new.payer.clone(),
        return_url: new.return_url.clone(),
        metadata: new.metadata.clone(),
        channels: new.channels.clone(),
        predecessor: None,
        created_at: now,
        // No later than the last day on which the price of every line is right.
        expires_at: quoting::expiry(
            now,
            i64::from(hub.config.intent_hours) * 3_600,
            quoting::service::versions(&catalogue, &quote.basket),
        ),
        paid_at: None,
        settlement_on: None,
        receipt: None,
        fulfilment: Fulfilment::default(),
        kept: mizan_ledger::Money::zero(quote.basket.currency),
    };
    let Some(inserted) = store::insert(tx.conn(), &intent).await? else {
        let live = store::find_live(tx.conn(), new.portal, &new.external_reference, &new.purpose).await?;
        // Else the quote was used by another meanwhile, who is seen when all begins again.
        let (intent, state) = live.ok_or(Fault::Stale)?;
        return Err(IntentError::ReferenceInUse { intent, state });
    };
    intent.predecessor = inserted.predecessor;
    emit_view(tx, "payment_intent.opened", &intent, &quote.basket);
    if intent.amount.is_zero() {
        exempt(tx, &mut intent, &quote.basket).await?;
    }
    Ok(view::intent(&hub, &intent, &quote.basket, &[]))
}

/// A total of zero is paid at opening: a receipt, an event, and in the books what the exemptions gave up, if anything.
async fn exempt(tx: &mut Tx, intent: &mut Intent, basket: &Basket) -> Result<(), IntentError> {
    intent.apply(IntentEvent::Exempted).map_err(|illegal| Fault::Other(illegal.to_string()))?;
    let now = tx.now();
    let hub = tx.hub().clone();
    intent.paid_at = Some(now);
    intent.settlement_on = Some(hub.calendar.day_of(now));
    let head = crate::books::Voucher {
        id: tx.id(),
        effective_on: hub.calendar.day_of(now),
        actor: tx.actor().as_str().to_owned(),
        source_ref: intent.id.to_string(),
        meta: serde_json::Map::new(),
    };
    let entry = super::shares::exempted(head, basket)?;
    tx.post_all(entry.as_slice()).await?;
    let new = view::receipt(intent, basket, "exemption", "-");
    let issued = crate::receipts::service::issue(tx, &[new]).await?;
    intent.receipt = issued.first().map(|receipt| receipt.number.clone());
    store::update(tx.conn(), &[intent]).await?;
    emit_view(tx, "payment_intent.paid", intent, basket);
    Ok(())
}

async fn check_return_url(tx: &mut Tx, new: &NewIntent) -> Result<(), IntentError> {
    let Some(url) = &new.return_url else { return Ok(()) };
    let prefixes = access::store::find_return_prefixes(tx.conn(), new.portal).await?;
    if prefixes.iter().any(|prefix| url.starts_with(prefix.as_str())) {
        return Ok(());
    }
    Err(IntentError::ReturnUrlNotRegistered)
}

/// The four digits a bill begins with: the agency's, or the hub's own for a basket of several agencies.
fn issuer(catalogue: &Catalogue, basket: &Basket, hub: &Hub) -> String {
    let mut agencies = basket.lines.iter().map(|line| line.priced.service.agency());
    let first = agencies.next();
    let one = first.filter(|first| agencies.all(|agency| agency == *first));
    one.and_then(|agency| catalogue.agency(agency))
        .map_or_else(|| hub.config.issuer.clone(), |agency| agency.issuer.clone())
}

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
