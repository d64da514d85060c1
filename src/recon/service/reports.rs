//! What channels say they settled, as it comes in.

use mizan_adapters::channel;
use mizan_ledger::Day;

use crate::breaks;
use crate::fault::Fault;
use crate::recon::booking;
use crate::recon::matching::settlement::{Item, ItemKind, Settlement};
use crate::recon::store;
use crate::tx::Tx;

/// A channel's report of one of its days.
#[derive(Debug, Clone)]
pub struct Told {
    pub channel: String,
    pub day: Day,
    pub settlements: Vec<channel::Settlement>,
}

/// Keeps a report. A settlement in a currency for which the channel has no account of ours cannot be found on any
/// statement; it is a fault of the configuration, with a break, and the report stays wanted while the others are kept. One that
/// was told before adds nothing; with other contents it is a break, and the first telling stands.
pub async fn told(tx: &mut Tx, told: &Told) -> Result<usize, Fault> {
    store::take_turn(tx.conn()).await?;
    let (now, hub) = (tx.now(), tx.hub().clone());
    let account_of = |one: &channel::Settlement| hub.config.settlement_account(&told.channel, one.currency);
    if let Some(one) = told.settlements.iter().find(|one| account_of(one).is_none()) {
        let why = format!("{} settles {} into no account of ours", told.channel, one.currency);
        store::update_not_told(tx.conn(), &told.channel, told.day, &why, now).await?;
    } else if !store::update_told(tx.conn(), &told.channel, told.day, now).await? {
        return Ok(0);
    }
    let (mut new, mut breaks) = (0, Vec::new());
    for one in &told.settlements {
        let account = account_of(one);
        let settlement = Settlement {
            id: tx.id(),
            channel: told.channel.clone(),
            reference: one.reference.clone(),
            account: account.clone().unwrap_or_default(),
            day: told.day,
            costs: one.costs,
            net: one.net,
            items: one.items.iter().map(item).collect(),
            entry: tx.id(),
        };
        if account.is_none() {
            let why = format!("{} settles {} into no account of ours", told.channel, one.currency);
            breaks.push(booking::set_aside(&settlement, &why));
            continue;
        }
        if store::insert_settlement(tx.conn(), &settlement, now).await? {
            new += 1;
            continue;
        }
        let known = store::find_told(tx.conn(), &told.channel, &one.reference, one.currency).await?;
        if let Some(known) = known.filter(|known| !known.says(&settlement)) {
            tracing::error!(settlement = %settlement.name(), "a channel tells a settlement again, and otherwise");
            breaks.push(booking::altered(&known, &settlement));
        }
    }
    breaks::store::insert(tx.conn(), &hub.entropy, now, &breaks).await?;
    Ok(new)
}

fn item(told: &channel::SettlementItem) -> Item {
    Item {
        kind: match told.kind {
            channel::SettlementKind::Payment => ItemKind::Payment,
            channel::SettlementKind::Refund => ItemKind::Refund,
        },
        transaction: told.transaction.clone(),
        reference: told.reference.clone(),
        gross: told.gross,
        cost: told.cost,
    }
}

/// Keeps why a channel did not tell; it will be asked again.
pub async fn not_told(tx: &mut Tx, (channel, day, why): &(String, Day, String)) -> Result<(), Fault> {
    let now = tx.now();
    store::update_not_told(tx.conn(), channel, *day, why, now).await
}

/// How far back a direct channel is asked for what it has not reported.
const DIRECT_DAYS_MAX: i32 = 31;

/// No statement of ours calls for the reports of channels that pay agencies themselves: each is asked for every day since
/// it took its first payment.
pub async fn want_direct(tx: &mut Tx, _: &()) -> Result<(), Fault> {
    let hub = tx.hub().clone();
    let direct: Vec<String> = hub
        .config
        .channels
        .iter()
        .filter(|(_, settings)| settings.direct_to.is_some())
        .map(|(instance, _)| instance.clone())
        .collect();
    let today = hub.calendar.day_of(tx.now());
    for (channel, since) in store::find_untold_since(tx.conn(), &direct).await? {
        let first = since.max(today.plus_days(-DIRECT_DAYS_MAX));
        let days: Vec<Day> = (0..=DIRECT_DAYS_MAX)
            .map(|ahead| first.plus_days(ahead))
            .take_while(|day| *day <= today)
            .collect();
        store::insert_wanted(tx.conn(), &channel, &days).await?;
    }
    Ok(())
}
