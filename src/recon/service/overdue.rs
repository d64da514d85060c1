//! What the clock and later news change: expected money that does not come, and money in suspense that is told of.

use serde_json::{Map, json};

use crate::books::{Parked, Voucher, chart, rules};
use crate::breaks::{self, Category, NewBreak};
use crate::expectations::{self, Kind, Met};
use crate::fault::Fault;
use crate::ids::RefundId;
use crate::intents::shares::slug;
use crate::recon::booking::{RefundSeen, Seen, overdue_category};
use crate::recon::store::{self, Overdue};
use crate::suspense;
use crate::tx::Tx;

/// Rows of one unit of work.
const AT_ONCE: i64 = 400;

/// Opens breaks for what should stand on a statement and does not: one for a whole settlement that its channel says it
/// paid, a cut-off for each payment that its channel left out on its day, else one for each expectation. They resolve
/// themselves when the money comes; a cut-off also when the next settlement is told without it, for then it is missing.
/// Answers how many expectations are concerned; to be called again while it is some.
pub async fn open_overdue(tx: &mut Tx, _: &()) -> Result<usize, Fault> {
    store::take_turn(tx.conn()).await?;
    let overdue = store::page_overdue(tx.conn(), AT_ONCE).await?;
    let (now, entropy) = (tx.now(), tx.hub().entropy.clone());
    let missing: Vec<NewBreak> = overdue.iter().map(missing).collect();
    let not_followed = overdue.iter().filter(|one| !one.may_follow).filter_map(cut_off);
    let not_followed: Vec<String> = not_followed.collect();
    let why = "the next settlement did not bring it either";
    breaks::store::update_self_resolved(tx.conn(), now, Category::CutOff, &not_followed, why).await?;
    breaks::store::insert(tx.conn(), &entropy, now, &missing).await?;
    Ok(missing.len())
}

/// The name under which a payment is a cut-off.
fn cut_off(one: &Overdue) -> Option<String> {
    let transaction = one.transaction.as_ref().filter(|_| one.kind == Kind::Payment);
    transaction.map(|transaction| format!("{}:{transaction}", one.channel))
}

fn missing(one: &Overdue) -> NewBreak {
    let follows = cut_off(one).filter(|_| one.may_follow);
    let (category, subject, money, intent) = match (&one.settlement, follows) {
        (Some((settlement, net)), _) => {
            let name = format!("{}:{settlement}:{}", one.channel, net.currency());
            (Category::MissingAtBank, name, *net, None)
        }
        (None, Some(subject)) => (Category::CutOff, subject, one.money, one.intent),
        (None, None) => (overdue_category(one.kind), one.id.to_string(), one.money, one.intent),
    };
    let mut detail =
        json!({ "account": one.account, "due_on": one.due_on, "statements_through": one.through_on });
    if one.settlement.is_none() {
        detail["expectation"] = json!(one.id);
        detail["transaction"] = json!(one.transaction);
        detail["reference"] = json!(one.reference);
    }
    NewBreak { category, subject, money: Some(money), channel: Some(one.channel.clone()), intent, detail }
}

/// Money that a statement showed first and that was told of afterwards: what waits in suspense settles the channel.
/// Answers how many; to be called again while it is some.
pub async fn explain_suspense(tx: &mut Tx, _: &()) -> Result<usize, Fault> {
    store::take_turn(tx.conn()).await?;
    let explained = store::lock_explained(tx.conn(), AT_ONCE).await?;
    let now = tx.now();
    let (mut entries, mut met, mut subjects) = (Vec::new(), Vec::new(), Vec::new());
    for one in &explained {
        let source = one.intent.map_or_else(|| format!("line:{}", one.line), |id| id.to_string());
        let voucher = voucher(tx, source, one.line);
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
        subjects.push(one.money_key.clone());
    }
    let used: Vec<_> = explained.iter().map(|one| (one.item, one.money)).collect();
    suspense::store::update_used(tx.conn(), &used).await?;
    expectations::store::update_met(tx.conn(), now, &met).await?;
    let told = "the payment was told of afterwards";
    breaks::store::update_self_resolved(tx.conn(), now, Category::UnknownCredit, &subjects, told).await?;
    tx.post_all(&entries).await?;
    Ok(explained.len())
}

/// What explains a line counts from today; the day of the line is proved as it was known then.
fn voucher(tx: &Tx, source_ref: String, line: i64) -> Voucher {
    Voucher {
        id: tx.id(),
        effective_on: tx.hub().calendar.day_of(tx.now()),
        actor: "hub:recon".to_owned(),
        source_ref,
        meta: Map::from_iter([("statement_line".to_owned(), line.into())]),
    }
}

/// Refunds that a statement showed before they were known to be on their way: what was booked as an unknown debit is theirs.
/// Answers how many; to be called again while it is some.
pub async fn explain_debits(tx: &mut Tx, _: &()) -> Result<usize, Fault> {
    store::take_turn(tx.conn()).await?;
    let explained = store::page_explained_refunds(tx.conn(), AT_ONCE).await?;
    let ids: Vec<RefundId> = explained.iter().map(|one| one.refund).collect();
    let locked = super::refunds::lock(tx, &ids).await?;
    let now = tx.now();
    let (mut seen, mut met, mut subjects, mut awaited) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for one in explained.iter().filter(|one| locked.in_flight.contains(&one.refund)) {
        let voucher = voucher(tx, one.refund.to_string(), one.line);
        met.push(Met {
            expectation: one.expectation,
            statement_line: Some(one.line),
            settlement: None,
            entry: voucher.id,
        });
        subjects.push(one.money_key.clone());
        awaited.push(one.expectation.to_string());
        seen.push(RefundSeen {
            refund: one.refund,
            how: Seen::AtBankUnknown { account: slug(&one.account)? },
            voucher,
        });
    }
    let entries = super::refunds::settle(tx, seen).await?;
    expectations::store::update_met(tx.conn(), now, &met).await?;
    let ours = "it was a refund of ours";
    breaks::store::update_self_resolved(tx.conn(), now, Category::UnknownDebit, &subjects, ours).await?;
    let shown = "the bank shows it";
    breaks::store::update_self_resolved(tx.conn(), now, Category::RefundUnconfirmed, &awaited, shown).await?;
    tx.post_all(&entries).await?;
    Ok(met.len())
}
