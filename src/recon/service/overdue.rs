//! What the clock and later news change: expected money that does not come, and money in suspense that is told of.

use serde_json::{Map, json};

use crate::books::{Parked, Voucher, chart, rules};
use crate::breaks::{self, Category, NewBreak};
use crate::expectations::{self, Met};
use crate::fault::Fault;
use crate::intents::shares::slug;
use crate::recon::booking::overdue_category;
use crate::recon::store;
use crate::suspense;
use crate::tx::Tx;

/// Rows of one unit of work.
const AT_ONCE: i64 = 400;

/// Opens a break for each expectation whose last day stands on an accepted statement without it. It resolves itself
/// when the money comes. Answers how many; to be called again while it is some.
pub async fn open_overdue(tx: &mut Tx, _: &()) -> Result<usize, Fault> {
    store::take_turn(tx.conn()).await?;
    let categories = [Category::MissingAtBank, Category::RefundUnconfirmed, Category::PayoutUnconfirmed];
    let overdue = store::page_overdue(tx.conn(), &categories.map(Category::as_str), AT_ONCE).await?;
    let (now, entropy) = (tx.now(), tx.hub().entropy.clone());
    let missing: Vec<NewBreak> = overdue
        .iter()
        .map(|one| NewBreak {
            category: overdue_category(one.kind),
            subject: one.id.to_string(),
            money: Some(one.money),
            channel: Some(one.channel.clone()),
            intent: one.intent,
            detail: json!({
                "expectation": one.id, "account": one.account, "transaction": one.transaction,
                "reference": one.reference, "due_on": one.due_on, "statements_through": one.through_on,
            }),
        })
        .collect();
    breaks::store::insert(tx.conn(), &entropy, now, &missing).await?;
    Ok(missing.len())
}

/// Money that a statement showed first and that was told of afterwards: what waits in suspense settles the channel.
/// Answers how many; to be called again while it is some.
pub async fn explain_suspense(tx: &mut Tx, _: &()) -> Result<usize, Fault> {
    store::take_turn(tx.conn()).await?;
    let explained = store::lock_explained(tx.conn(), AT_ONCE).await?;
    let (now, today) = (tx.now(), tx.hub().calendar.day_of(tx.now()));
    let (mut entries, mut met, mut subjects) = (Vec::new(), Vec::new(), Vec::new());
    for one in &explained {
        let voucher = Voucher {
            id: tx.id(),
            effective_on: today,
            actor: "hub:recon".to_owned(),
            source_ref: one.intent.map_or_else(|| format!("line:{}", one.line), |id| id.to_string()),
            meta: Map::from_iter([("statement_line".to_owned(), one.line.into())]),
        };
        met.push(Met {
            expectation: one.expectation,
            statement_line: Some(one.line),
            settlement: None,
            entry: voucher.id,
        });
        let parked = Parked { suspense: slug(&one.suspense)?, amount: one.money };
        let receivable = chart::receivable(&slug(&one.channel)?, one.money.currency());
        let entry = rules::suspense::suspense_credit_explained(voucher, &parked, receivable);
        entries.push(entry.map_err(|error| Fault::Other(error.to_string()))?);
        suspense::store::update_used(tx.conn(), one.item, one.money).await?;
        subjects.push(one.money_key.clone());
    }
    expectations::store::update_met(tx.conn(), now, &met).await?;
    let told = "the payment was told of afterwards";
    breaks::store::update_self_resolved(tx.conn(), now, Category::UnknownCredit, &subjects, told).await?;
    tx.post_all(&entries).await?;
    Ok(explained.len())
}
