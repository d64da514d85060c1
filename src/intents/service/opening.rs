//! How intents begin: several at a time, each refused or opened for itself, in as many statements as one.

use std::collections::BTreeMap;

use mizan_adapters::reference::BillNumber;
use mizan_ledger::Money;

use super::super::fulfilled::Fulfilment;
use super::super::model::{Intent, IntentError, IntentEvent, IntentState, NewIntent};
use super::super::view::IntentView;
use super::super::{shares, store, view};
use super::{channel_carries, emit_view};
use crate::access;
use crate::books::Voucher;
use crate::catalogue::{self, Catalogue};
use crate::fault::Fault;
use crate::ids::PortalId;
use crate::quoting::{self, Basket, Quote, QuoteError};
use crate::tx::{Actor, Hub, Tx};

type Opened = Result<IntentView, IntentError>;

/// Opens an intent on a quote: the quote is used up, the bill number is drawn, the reference is held.
pub async fn open(tx: &mut Tx, new: &NewIntent) -> Opened {
    only(open_all(tx, &[new]).await?)
}

/// The same for several intents. Whom it refuses, it has written nothing for.
pub async fn open_all(tx: &mut Tx, all: &[&NewIntent]) -> Result<Vec<Opened>, Fault> {
    let asked: Vec<_> = all.iter().map(|new| (new.portal, new.quote)).collect();
    let quotes = quoting::service::redeem_all(tx, &asked).await?;
    open_on(tx, all.iter().copied().zip(quotes).collect()).await
}

/// Prices the lines and opens the intent in one call: the quote is made and used in the same transaction.
pub async fn open_with_lines(tx: &mut Tx, new: &NewIntent, lines: &quoting::NewQuote) -> Opened {
    let quote = quoting::service::create(tx, lines).await?;
    only(open_on(tx, vec![(new, Ok(quote))]).await?)
}

fn only(mut results: Vec<Opened>) -> Opened {
    results.pop().unwrap_or_else(|| Err(Fault::Other("one intent has one result".to_owned()).into()))
}

/// Opens each intent on its quote, when there is one.
async fn open_on(
    tx: &mut Tx,
    asked: Vec<(&NewIntent, Result<Quote, QuoteError>)>,
) -> Result<Vec<Opened>, Fault> {
    let urls = asked.iter().filter(|(new, _)| new.return_url.is_some()).map(|(new, _)| new.portal);
    let prefixes = access::store::find_return_prefixes(tx.conn(), &urls.collect::<Vec<_>>()).await?;
    let catalogue = catalogue::service::current(tx).await?;
    let hub = tx.hub().clone();
    let mut serials = hub.serials.draw(tx.conn(), asked.len()).await?.into_iter();
    let draft = |(new, quote): (&NewIntent, Result<Quote, QuoteError>)| {
        let quote = quote?;
        check_return_url(&prefixes, new)?;
        check_channels(&hub, new)?;
        let serial = serials.next().ok_or(Fault::Stale)?;
        let intent = draw_up(tx, &catalogue, new, &quote, serial)?;
        check_payable(&hub, &catalogue, &intent, &quote.basket)?;
        Ok((intent, quote.basket))
    };
    let mut drafts: Vec<Result<(Intent, Basket), IntentError>> = asked.into_iter().map(draft).collect();
    insert(tx, &mut drafts).await?;
    for (intent, basket) in drafts.iter().flatten() {
        emit_view(tx, "payment_intent.opened", intent, basket);
    }
    let free = drafts.iter_mut().flatten().filter(|(intent, _)| intent.amount.is_zero());
    exempt(tx, free.map(|(intent, basket)| (intent, &*basket)).collect()).await?;
    let shown = |draft: Result<(Intent, Basket), IntentError>| {
        draft.map(|(intent, basket)| view::intent(&hub, &intent, &basket, &[]))
    };
    Ok(drafts.into_iter().map(shown).collect())
}

fn check_return_url(prefixes: &BTreeMap<PortalId, Vec<String>>, new: &NewIntent) -> Result<(), IntentError> {
    let Some(url) = &new.return_url else { return Ok(()) };
    let mut registered = prefixes.get(&new.portal).into_iter().flatten();
    if registered.any(|prefix| url.starts_with(prefix.as_str())) {
        return Ok(());
    }
    Err(IntentError::ReturnUrlNotRegistered)
}

fn check_channels(hub: &Hub, new: &NewIntent) -> Result<(), IntentError> {
    let unknown = new.channels.iter().find(|channel| !hub.config.channels.contains_key(*channel));
    unknown.map_or(Ok(()), |channel| Err(IntentError::UnknownChannel(channel.clone())))
}

/// What no channel carries is not opened: its payer would find no way to pay it.
fn check_payable(
    hub: &Hub,
    catalogue: &Catalogue,
    intent: &Intent,
    basket: &Basket,
) -> Result<(), IntentError> {
    if intent.amount.is_zero() {
        return Ok(());
    }
    let mut why = Vec::new();
    for channel in hub.config.channels.keys() {
        match channel_carries(hub, catalogue, (intent, basket), channel) {
            Err(IntentError::ChannelUnavailable { channel, why: unfit }) => {
                why.push(format!("{channel}: {unfit}"));
            }
            carried => return carried,
        }
    }
    Err(IntentError::NoChannel { why: why.join("; ") })
}

/// The intent as it begins.
fn draw_up(
    tx: &Tx,
    catalogue: &Catalogue,
    new: &NewIntent,
    quote: &Quote,
    serial: u32,
) -> Result<Intent, Fault> {
    let (hub, now) = (tx.hub(), tx.now());
    let zero = Money::zero(quote.basket.currency);
    let issuer = issuer(catalogue, &quote.basket, hub);
    let bill_number = issuer
        .parse()
        .ok()
        .and_then(|issuer| BillNumber::new(issuer, serial))
        .ok_or_else(|| Fault::Other(format!("no bill number for issuer {issuer} and serial {serial}")))?;
    Ok(Intent {
        id: tx.id(),
        portal: new.portal,
        external_reference: new.external_reference.clone(),
        purpose: new.purpose.clone(),
        state: IntentState::RequiresPayment,
        version: 1,
        amount: quote.basket.total,
        paid: zero,
        refund_reserved: zero,
        refunded: zero,
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
            quoting::service::versions(catalogue, &quote.basket),
        ),
        paid_at: None,
        settlement_on: None,
        receipt: None,
        fulfilment: Fulfilment::default(),
        kept: zero,
        reversed: zero,
    })
}

/// The four digits a bill begins with: the agency's, or the hub's own for a basket of several agencies.
fn issuer(catalogue: &Catalogue, basket: &Basket, hub: &Hub) -> String {
    let mut agencies = basket.lines.iter().map(|line| line.priced.service.agency());
    let first = agencies.next();
    let one = first.filter(|first| agencies.all(|agency| agency == *first));
    one.and_then(|agency| catalogue.agency(agency))
        .map_or_else(|| hub.config.issuer.clone(), |agency| agency.issuer.clone())
}

/// Writes the drafts; one whose reference is held by another is refused.
async fn insert(tx: &mut Tx, drafts: &mut [Result<(Intent, Basket), IntentError>]) -> Result<(), Fault> {
    let intents: Vec<&Intent> = drafts.iter().flatten().map(|(intent, _)| intent).collect();
    let inserted = store::insert(tx.conn(), &intents).await?;
    let refused: Vec<&Intent> =
        intents.into_iter().filter(|intent| !inserted.contains_key(&intent.id)).collect();
    let live = store::find_live(tx.conn(), &refused).await?;
    for draft in drafts {
        let Ok((intent, _)) = draft else { continue };
        if let Some(predecessor) = inserted.get(&intent.id) {
            intent.predecessor = *predecessor;
            continue;
        }
        // Else the quote was used by another meanwhile, who is seen when all begins again.
        let (holder, state) = live.get(&intent.id).copied().ok_or(Fault::Stale)?;
        *draft = Err(IntentError::ReferenceInUse { intent: holder, state });
    }
    Ok(())
}

/// A total of zero is paid at opening: a receipt, an event, and in the books what the exemptions gave up, if anything.
async fn exempt(tx: &mut Tx, mut free: Vec<(&mut Intent, &Basket)>) -> Result<(), Fault> {
    if free.is_empty() {
        return Ok(());
    }
    let (now, hub) = (tx.now(), tx.hub().clone());
    let today = hub.calendar.day_of(now);
    let mut entries = Vec::new();
    for (intent, basket) in &mut free {
        intent.apply(IntentEvent::Exempted).map_err(|illegal| Fault::Other(illegal.to_string()))?;
        intent.paid_at = Some(now);
        intent.settlement_on = Some(today);
        let head = Voucher {
            id: tx.id(),
            effective_on: today,
            actor: Actor::portal(intent.portal).as_str().to_owned(),
            source_ref: intent.id.to_string(),
            meta: serde_json::Map::new(),
        };
        entries.extend(shares::exempted(head, basket)?);
    }
    tx.post_all(&entries).await?;
    let receipts: Vec<_> =
        free.iter().map(|(intent, basket)| view::receipt(intent, basket, "exemption", "-")).collect();
    let issued = crate::receipts::service::issue(tx, &receipts).await?;
    for ((intent, _), receipt) in free.iter_mut().zip(issued) {
        intent.receipt = Some(receipt.number);
    }
    store::update(tx.conn(), &free.iter().map(|(intent, _)| &**intent).collect::<Vec<_>>()).await?;
    for (intent, basket) in &free {
        emit_view(tx, "payment_intent.paid", intent, basket);
    }
    Ok(())
}
