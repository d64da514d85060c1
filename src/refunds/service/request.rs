//! Asking for a refund: what is left is looked at, and reserved, under the lock of its source.

use mizan_ledger::{Currency, Money};
use serde_json::json;

use super::{Held, basket, emit};
use crate::config::account_number;
use crate::expectations;
use crate::expectations::store::taken_back;
use crate::ids::{IntentId, PortalId, SuspenseId};
use crate::intents::{self, Attempt, shares};
use crate::refunds::components::{self, Part};
use crate::refunds::model::{NewRefund, Payee, Rail, Refund, RefundError, RefundSource, Wanted};
use crate::refunds::state::RefundState;
use crate::refunds::store;
use crate::suspense::{self, Item};
use crate::tx::{Hub, Tx};

/// Asks for money back. It is reserved at once, so that two requests never ask for the same money.
pub async fn request(tx: &mut Tx, new: &NewRefund) -> Result<Refund, RefundError> {
    if let Some(payee) = &new.payee {
        check_payee(tx.hub(), payee)?;
    }
    let taken = match new.source {
        RefundSource::Intent(id) => from_intent(tx, new, id).await?,
        RefundSource::Suspense(id) => from_item(tx, new, id).await?,
    };
    let Taken { portal, amount, parts, rail } = taken;
    let refund = Refund {
        id: tx.id(),
        serial: store::next_serial(tx.conn()).await?,
        portal,
        source: new.source,
        state: RefundState::Requested,
        version: 1,
        amount,
        parts,
        reason: new.reason.clone(),
        rail,
        payee: new.payee.clone(),
        requested_by: tx.actor().as_str().to_owned(),
        decided_by: None,
        decision_note: None,
        instruction: 0,
        provider_transaction: None,
        payment_file: None,
        approved_entry: tx.id(),
        created_at: tx.now(),
        decided_at: None,
        submitted_at: None,
        succeeded_at: None,
        failure: None,
        proposal: None,
    };
    store::insert(tx.conn(), &refund).await?;
    emit(tx, "refund.requested", &refund, json!({ "source": refund.source, "amount": refund.amount }));
    Ok(refund)
}

/// The hub proposes to give back what is left of an item the way it came; another person approves. None where nothing
/// is left, or where the money cannot go back that way: then somebody must name an account.
pub async fn propose(tx: &mut Tx, id: &SuspenseId) -> Result<Option<Refund>, RefundError> {
    let item = suspense::store::lock(tx.conn(), *id).await?.ok_or(RefundError::NotFound)?;
    let source = RefundSource::Suspense(*id);
    let asked_before = !holding(tx, source).await?.is_empty();
    if asked_before || !item.left.is_positive() || original(tx.hub(), &item).is_none() {
        return Ok(None);
    }
    if gone_of(tx, &item).await?.is_positive() {
        return Ok(None);
    }
    let new = NewRefund {
        portal: None,
        source,
        wanted: Wanted::Whole,
        reason: format!("proposed: {}", item.cause),
        refundable: item.left,
        payee: None,
    };
    request(tx, &new).await.map(Some)
}

/// The hub proposes to give back what is refundable of one line, whose service was rejected. None where nothing is, or
/// where the money cannot go back the way it came.
pub async fn propose_line(
    tx: &mut Tx,
    (id, line): &(IntentId, usize),
) -> Result<Option<Refund>, RefundError> {
    let intent = intents::service::lock(tx.conn(), &[*id]).await?.pop().ok_or(RefundError::NotFound)?;
    let paying = intents::attempts::service::lock_paying(tx, *id).await?;
    let basket = basket(tx, &intent).await?;
    let source = RefundSource::Intent(*id);
    let earlier = holding(tx, source).await?;
    let held: Vec<Part> = earlier.iter().flat_map(|refund| refund.parts.iter().cloned()).collect();
    let left = components::left(&basket, &held, |line| intent.is_delivered(line))?;
    let parts = components::whole_line(&left, *line);
    let amount = Money::sum(basket.currency, parts.iter().filter_map(|part| part.amount))?;
    let refundable = shares::refundable(&intent, &basket)?;
    if amount.compare(refundable)?.is_gt() {
        // Its channel took the payment back.
        return Ok(None);
    }
    if parts.is_empty() || way_it_came(tx.hub(), &paying, &earlier, amount)?.is_none() {
        return Ok(None);
    }
    let new = NewRefund {
        portal: None,
        source,
        wanted: Wanted::Parts(parts),
        reason: "proposed: the application was rejected".to_owned(),
        refundable,
        payee: None,
    };
    request(tx, &new).await.map(Some)
}

/// What a request takes, and the way it will go.
struct Taken {
    portal: Option<PortalId>,
    amount: Money,
    parts: Vec<Part>,
    rail: Rail,
}

async fn from_intent(tx: &mut Tx, new: &NewRefund, id: IntentId) -> Result<Taken, RefundError> {
    let mut intent = intents::service::lock(tx.conn(), &[id]).await?.pop().ok_or(RefundError::NotFound)?;
    if new.portal.is_some_and(|portal| portal != intent.portal) {
        return Err(RefundError::NotFound);
    }
    let currency = intent.amount.currency();
    in_currency(new, currency)?;
    let paying = intents::attempts::service::lock_paying(tx, id).await?;
    let basket = basket(tx, &intent).await?;
    let refundable = shares::refundable(&intent, &basket)?;
    if intent.reversed.is_positive() && !refundable.is_positive() {
        return Err(RefundError::PaymentReversed);
    }
    believed(new, refundable)?;
    let earlier = holding(tx, new.source).await?;
    let held: Vec<Part> = earlier.iter().flat_map(|refund| refund.parts.iter().cloned()).collect();
    let parts = components::take(
        &components::left(&basket, &held, |line| intent.is_delivered(line))?,
        &new.wanted,
        refundable,
    )?;
    let amount = Money::sum(currency, parts.iter().map(|part| part.amount))?;
    let hub = tx.hub().clone();
    let rail = match way_it_came(&hub, &paying, &earlier, amount)? {
        Some(rail) => rail,
        None => transfer(tx, new, currency).await?,
    };
    intent.refund_reserved = intent.refund_reserved.checked_add(amount)?;
    intents::service::update(tx.conn(), &[&intent]).await?;
    Ok(Taken { portal: Some(intent.portal), amount, parts, rail })
}

async fn from_item(tx: &mut Tx, new: &NewRefund, id: SuspenseId) -> Result<Taken, RefundError> {
    let item = suspense::store::lock(tx.conn(), id).await?.ok_or(RefundError::NotFound)?;
    let portal = match item.intent {
        Some(intent) => intents::service::find(tx.conn(), intent).await?.map(|intent| intent.portal),
        None => None,
    };
    if new.portal.is_some() && new.portal != portal {
        return Err(RefundError::NotFound);
    }
    let currency = item.left.currency();
    in_currency(new, currency)?;
    let gone = gone_of(tx, &item).await?;
    // A decided refund has used its part of the item up; one that waits for its decision holds it.
    let waiting = holding(tx, new.source).await?;
    let waiting = waiting.iter().filter(|refund| refund.state.is_undecided()).map(|refund| refund.amount);
    let free = item.left.checked_sub(Money::sum(currency, waiting)?)?;
    let refundable = free.checked_sub(gone)?;
    if gone.is_positive() && !refundable.is_positive() {
        return Err(RefundError::PaymentReversed);
    }
    believed(new, refundable)?;
    let amount = match &new.wanted {
        Wanted::Whole => refundable,
        Wanted::Amount(amount) => *amount,
        Wanted::Parts(_) => {
            return Err(RefundError::Component { place: 0, why: "money in suspense has no components" });
        }
    };
    if !amount.is_positive() || amount.compare(refundable)?.is_gt() {
        return Err(RefundError::OverRefund { refundable });
    }
    let hub = tx.hub().clone();
    let rail = match original(&hub, &item) {
        Some(rail) => rail,
        None => transfer(tx, new, currency).await?,
    };
    Ok(Taken { portal, amount, parts: Vec::new(), rail })
}

/// How much the channel that brought this money took back: to give that to the payer would be to give it twice.
async fn gone_of(tx: &mut Tx, item: &Item) -> Result<Money, RefundError> {
    let keys: Vec<String> = item.money_key.iter().cloned().collect();
    let takings = taken_back::find(tx.conn(), &keys).await?;
    Ok(taken_back::in_all(takings.iter(), item.left)?)
}

/// The refunds that hold money of a source.
async fn holding(tx: &mut Tx, source: RefundSource) -> Result<Vec<Refund>, RefundError> {
    let mut earlier = store::page_of(tx.conn(), source).await?;
    earlier.retain(|refund| refund.state.holds_money());
    Ok(earlier)
}

fn in_currency(new: &NewRefund, expected: Currency) -> Result<(), RefundError> {
    let amounts: Vec<Money> = match &new.wanted {
        Wanted::Whole => Vec::new(),
        Wanted::Amount(amount) => vec![*amount],
        Wanted::Parts(parts) => parts.iter().filter_map(|part| part.amount).collect(),
    };
    let fits = amounts.iter().chain([&new.refundable]).all(|money| money.currency() == expected);
    if fits { Ok(()) } else { Err(RefundError::WrongCurrency { expected }) }
}

fn believed(new: &NewRefund, refundable: Money) -> Result<(), RefundError> {
    if new.refundable == refundable { Ok(()) } else { Err(RefundError::RefundableMismatch { refundable }) }
}

/// The transaction that paid and can give the amount back, if a channel can and earlier refunds left enough of it.
fn way_it_came(
    hub: &Hub,
    paying: &[(Attempt, Money)],
    earlier: &[Refund],
    amount: Money,
) -> Result<Option<Rail>, RefundError> {
    for (attempt, brought) in paying {
        let Some(transaction) = attempt.transaction.clone().filter(|_| can_refund(hub, &attempt.channel))
        else {
            continue;
        };
        let rail = Rail::Gateway { channel: attempt.channel.clone(), transaction };
        let gone = earlier.iter().filter(|refund| refund.rail == rail).map(|refund| refund.amount);
        let gone = Money::sum(amount.currency(), gone)?;
        let left = brought.checked_sub(gone)?;
        if !amount.compare(left)?.is_gt() {
            return Ok(Some(rail));
        }
    }
    Ok(None)
}

/// The transaction that brought an item: its money key is the channel and the rail's transaction.
fn original(hub: &Hub, item: &Item) -> Option<Rail> {
    let transaction = item.money_key.as_deref()?.strip_prefix(&item.account)?.strip_prefix(':')?;
    can_refund(hub, &item.account)
        .then(|| Rail::Gateway { channel: item.account.clone(), transaction: transaction.to_owned() })
}

/// The way the money came by this channel, whose it may go back.
pub(super) async fn came_by(tx: &mut Tx, held: &Held, channel: &str) -> Result<Option<Rail>, RefundError> {
    let hub = tx.hub().clone();
    if let Some(item) = &held.item {
        return Ok(original(&hub, item).filter(|_| item.account == channel));
    }
    let RefundSource::Intent(id) = held.refund.source else { return Ok(None) };
    let paying = intents::attempts::service::lock_paying(tx, id).await?;
    let mut of_channel = paying.into_iter().filter(|(attempt, _)| attempt.channel == channel);
    let transaction = of_channel.find_map(|(attempt, _)| attempt.transaction);
    Ok(transaction.map(|transaction| Rail::Gateway { channel: channel.to_owned(), transaction }))
}

fn can_refund(hub: &Hub, channel: &str) -> bool {
    hub.channels.get(channel).is_some_and(|channel| channel.refund.is_some())
}

/// Nobody is paid on an account of the hub's own.
pub(super) fn check_payee(hub: &Hub, payee: &Payee) -> Result<(), RefundError> {
    let named = account_number(&payee.iban);
    let is_ours = hub.config.banks.iter().any(|bank| account_number(&bank.account) == named);
    if is_ours { Err(RefundError::OwnAccount) } else { Ok(()) }
}

/// By payment file to the payee.
async fn transfer(tx: &mut Tx, new: &NewRefund, currency: Currency) -> Result<Rail, RefundError> {
    if new.payee.is_none() {
        return Err(RefundError::PayeeMissing);
    }
    account_for(tx, new.source, currency).await
}

/// The account from which money is transferred back: the one it came into, or that its channel settles into; where it
/// never came to the hub, the first in the currency.
pub(super) async fn account_for(
    tx: &mut Tx,
    source: RefundSource,
    currency: Currency,
) -> Result<Rail, RefundError> {
    let came_by: Vec<String> = match source {
        RefundSource::Intent(id) => {
            let taken = expectations::store::reading::find_taken(tx.conn(), &[id]).await?;
            taken.into_iter().map(|one| one.channel).collect()
        }
        RefundSource::Suspense(id) => {
            let item = suspense::store::find(tx.conn(), id).await?;
            item.into_iter().map(|item| item.account).collect()
        }
    };
    let config = &tx.hub().config;
    let of_currency = || config.banks.iter().filter(|bank| bank.currency == currency);
    let into = |name: &String| {
        of_currency().find(|bank| bank.name == *name).or_else(|| config.settlement_bank(name, currency))
    };
    let bank = came_by.iter().find_map(into).or_else(|| of_currency().next());
    let bank = bank.ok_or(RefundError::NoAccount(currency))?;
    Ok(Rail::Bank { account: bank.name.clone() })
}
