use std::collections::{BTreeMap, BTreeSet};

use mizan_adapters::reference::{BillNumber, RfReference};
use mizan_ledger::{EntryId, Id};
use serde_json::json;
use uuid::Uuid;

use super::model::{First, InboxError, Meaning, NewNotice, Notice, Taken, TakenUp};
use super::posting::{Back, Batch, Case, Decided, decide, order_key};
use super::store::{self, Arrival};
use crate::breaks::{self, Category, NewBreak};
use crate::crash::Point;
use crate::expectations::store::taken_back;
use crate::fault::Fault;
use crate::ids::{AttemptId, IntentId};
use crate::intents::{Attempt, AttemptEvent};
use crate::tx::Tx;
use crate::{expectations, intents, quoting, receipts, refunds, suspense};

pub use super::store::count_waiting;

/// Takes a fact in. Duplicates are recognised, altered ones kept beside the first with a break.
pub async fn take(tx: &mut Tx, new: &NewNotice) -> Result<Taken, Fault> {
    let (now, entry, fallback_entry) = (tx.now(), tx.id(), tx.id());
    let arrival = Arrival { new, entry, fallback_entry };
    if !store::insert(tx.conn(), &[arrival], now).await?.is_empty() {
        return Ok(Taken::New);
    }
    let first = store::find(tx.conn(), &new.channel, &new.transaction, &new.status).await?;
    let first = first.ok_or(Fault::Stale)?;
    if first.same_facts(new) {
        return Ok(Taken::Duplicate);
    }
    let Some(n) = store::insert_altered(tx.conn(), new, entry, now).await? else {
        return Ok(Taken::Altered);
    };
    let altered = NewBreak {
        category: Category::Altered,
        subject: first.fact(),
        money: Some(new.money),
        channel: Some(new.channel.clone()),
        intent: None,
        detail: json!({
            "notice": n, "first_notice": first.n, "first_amount": first.money, "amount": new.money,
            "first_reference": first.reference, "reference": new.reference,
        }),
    };
    let entropy = tx.hub().entropy.clone();
    breaks::store::insert(tx.conn(), &entropy, now, &[altered]).await?;
    tx.audit("notice.altered", format!("{}:{}", new.channel, new.transaction), json!({ "notice": n }));
    Ok(Taken::Altered)
}

/// Facts taken in with one statement; only those that are known already are looked at by themselves.
const FACTS_AT_ONCE: usize = 1_000;

/// The same of many facts, in their order.
pub async fn take_all(tx: &mut Tx, all: &[&NewNotice]) -> Result<(), Fault> {
    for some in all.chunks(FACTS_AT_ONCE) {
        let arrivals: Vec<Arrival<'_>> =
            some.iter().map(|&new| Arrival { new, entry: tx.id(), fallback_entry: tx.id() }).collect();
        let now = tx.now();
        let news: BTreeSet<EntryId> = store::insert(tx.conn(), &arrivals, now).await?.into_iter().collect();
        for known in arrivals.iter().filter(|arrival| !news.contains(&arrival.entry)) {
            take(tx, known.new).await?;
        }
    }
    Ok(())
}

pub use super::store::entry_of;

/// How much of the queue the poster takes, and how.
#[derive(Debug, Clone, Copy)]
pub struct Turn {
    pub limit: i64,
    /// This notice, if it is the first that waits.
    pub only: Option<i64>,
    /// After the book refused the entry of a lone notice: its money goes to suspense.
    pub to_suspense: bool,
}

/// What a turn of the poster did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turned {
    /// Another hub's poster has the turn.
    Elsewhere,
    Applied(usize),
}

impl Turned {
    pub fn count(self) -> usize {
        match self {
            Self::Elsewhere => 0,
            Self::Applied(count) => count,
        }
    }
}

/// The first notice that waits.
pub async fn head(tx: &mut Tx) -> Result<Option<i64>, Fault> {
    Ok(store::page_waiting(tx.conn(), 1).await?.first().map(|notice| notice.n))
}

/// Applies up to `limit` waiting notices in the order of arrival: one posting, a constant number of statements.
pub async fn apply_waiting(tx: &mut Tx, turn: &Turn) -> Result<Turned, Fault> {
    if !store::try_turn(tx.conn()).await? {
        return Ok(Turned::Elsewhere);
    }
    let mut notices = store::page_waiting(tx.conn(), turn.limit).await?;
    let first = notices.first().map(|notice| notice.n);
    if first.is_none() || turn.only.is_some_and(|only| first != Some(only)) {
        return Ok(Turned::Applied(0));
    }
    give_back_elsewhere(tx, &mut notices).await?;
    let (claimed, firsts) = claim(tx, &notices).await?;
    tx.hub().crash.reach(Point::Claimed).await;
    let named = named_intents(tx, &notices).await?;
    let cases = lock_cases(tx, named.values().copied().collect()).await?;
    let back = remember(tx, &notices, &cases).await?;
    let hub = tx.hub().clone();
    let batch = Batch { hub: &hub, now: tx.now(), to_suspense: turn.to_suspense, claimed, named, firsts };
    let decided = decide(&batch, (cases, back), &notices)?;
    write(tx, decided).await?;
    Ok(Turned::Applied(notices.len()))
}

/// Money that a channel gave back and that we did not order, at its own desk: taken back from us, as by a chargeback.
async fn give_back_elsewhere(tx: &mut Tx, notices: &mut [Notice]) -> Result<(), Fault> {
    let named = |notice: &Notice| Some((notice.channel.clone(), notice.reference.clone()?));
    let refunded = notices.iter().filter(|notice| notice.meaning == Meaning::Refunded);
    let told: Vec<(String, String)> = refunded.filter_map(named).collect();
    if told.is_empty() {
        return Ok(());
    }
    let ours: BTreeSet<(String, String)> =
        refunds::service::find_ordered(tx.conn(), &told).await?.into_iter().collect();
    for notice in notices.iter_mut().filter(|notice| notice.meaning == Meaning::Refunded) {
        let is_ours = named(notice).is_some_and(|told| ours.contains(&told));
        if !is_ours && notice.original_transaction.is_some() {
            notice.meaning = Meaning::Reversed;
            notice.reference = None;
        }
    }
    Ok(())
}

/// Claims the money keys of a batch. The answer holds the notices that claimed theirs: where two tell of one money, the
/// first in the order of arrival; and what was told first of the keys of the others.
async fn claim(tx: &mut Tx, notices: &[Notice]) -> Result<(BTreeSet<i64>, BTreeMap<String, First>), Fault> {
    let money: Vec<&Notice> = notices.iter().filter(|notice| notice.meaning == Meaning::Money).collect();
    let keys: Vec<String> = money.iter().map(|notice| notice.money_key.clone()).collect();
    let numbers: Vec<i64> = money.iter().map(|notice| notice.n).collect();
    let entries: Vec<_> = money.iter().map(|notice| notice.entry).collect();
    let now = tx.now();
    let claimed = store::insert_money_keys(tx.conn(), &keys, &numbers, &entries, now).await?;
    let claimed: BTreeSet<i64> = claimed.into_iter().collect();
    let others = money.iter().filter(|notice| !claimed.contains(&notice.n));
    let others: Vec<String> = others.map(|notice| notice.money_key.clone()).collect();
    let firsts = if others.is_empty() { Vec::new() } else { store::find_firsts(tx.conn(), &others).await? };
    Ok((claimed, firsts.into_iter().collect()))
}

/// What was taken back of the money of these notices, and more where it matters: what of it paid which intent, and what was
/// taken back of the rest that these intents were brought.
async fn remember(tx: &mut Tx, notices: &[Notice], cases: &BTreeMap<IntentId, Case>) -> Result<Back, Fault> {
    let taking: Vec<String> = notices.iter().flat_map(Notice::taken_keys).collect();
    let money = notices.iter().filter(|notice| notice.meaning == Meaning::Money);
    let money = money.map(|notice| notice.money_key.clone());
    let named: BTreeSet<String> =
        taking.iter().cloned().chain(money).chain(notices.iter().filter_map(order_key)).collect();
    let mut takings = taken_back::find(tx.conn(), &Vec::from_iter(named.clone())).await?;
    if taking.is_empty() && takings.is_empty() {
        return Ok(Back::default());
    }
    let intents: Vec<IntentId> = cases.keys().copied().collect();
    let paying = intents::attempts::service::find_paying_keys(tx.conn(), &intents).await?;
    let attempts = cases.values().flat_map(|case| &case.attempts).filter_map(Attempt::money_key);
    let others: BTreeSet<String> = paying.keys().cloned().chain(attempts).collect();
    let others: Vec<String> = others.difference(&named).cloned().collect();
    takings.extend(taken_back::find(tx.conn(), &others).await?);
    let known = store::find_money_keys(tx.conn(), &taking).await?;
    Ok(Back::new(paying, known.into_iter().collect(), takings))
}

/// Which intent each notice is about: the one that its reference names, or else the one whose money it takes back.
async fn named_intents(tx: &mut Tx, notices: &[Notice]) -> Result<BTreeMap<i64, IntentId>, Fault> {
    let mut orders: Vec<Uuid> = Vec::new();
    let mut bills: Vec<String> = Vec::new();
    for reference in notices.iter().filter_map(|notice| notice.reference.as_deref()) {
        match read_reference(reference) {
            Some(Reference::Order(attempt)) => orders.push(attempt.uuid()),
            Some(Reference::Bill(bill)) => bills.push(bill.to_string()),
            None => {}
        }
    }
    let found = intents::service::find_by_references(tx.conn(), &orders, &bills).await?;
    let mut named = BTreeMap::new();
    for notice in notices {
        let canonical = match notice.reference.as_deref().and_then(read_reference) {
            Some(Reference::Order(attempt)) => attempt.to_string(),
            Some(Reference::Bill(bill)) => bill.to_string(),
            None => continue,
        };
        if let Some((intent, channel)) = found.get(&canonical)
            && channel.as_ref().is_none_or(|channel| *channel == notice.channel)
        {
            named.insert(notice.n, *intent);
        }
    }
    let nameless: Vec<&Notice> = notices.iter().filter(|notice| !named.contains_key(&notice.n)).collect();
    let keys: Vec<String> = nameless.iter().flat_map(|notice| notice.taken_keys()).collect();
    if !keys.is_empty() {
        let taken = expectations::store::reading::find_taken_by_keys(tx.conn(), &keys).await?;
        for notice in nameless {
            let names = notice.taken_keys();
            let paid = names.iter().find_map(|key| taken.iter().find(|one| one.money_key == *key));
            named.extend(paid.map(|paid| (notice.n, paid.intent)));
        }
    }
    Ok(named)
}

enum Reference {
    Order(AttemptId),
    Bill(BillNumber),
}

fn read_reference(text: &str) -> Option<Reference> {
    if let Ok(attempt) = text.parse::<AttemptId>() {
        return Some(Reference::Order(attempt));
    }
    let bill = text.parse::<BillNumber>().ok();
    bill.or_else(|| text.parse::<RfReference>().ok()?.bill_number()).map(Reference::Bill)
}

/// Locks the intents, then their attempts, and reads their priced lines.
async fn lock_cases(tx: &mut Tx, mut ids: Vec<IntentId>) -> Result<BTreeMap<IntentId, Case>, Fault> {
    ids.sort_unstable();
    ids.dedup();
    let locked = intents::service::lock(tx.conn(), &ids).await?;
    let mut attempts = intents::attempts::service::lock_of(tx.conn(), &ids).await?;
    let quotes: Vec<_> = locked.iter().map(|intent| intent.quote).collect();
    let mut baskets = quoting::service::find_baskets(tx.conn(), &quotes).await?;
    let mut cases = BTreeMap::new();
    for intent in locked {
        let basket = baskets
            .remove(&intent.quote)
            .ok_or_else(|| Fault::corrupt("payment_intents", "quote", intent.id))?;
        let (own, others) = attempts.into_iter().partition(|attempt| attempt.intent == intent.id);
        attempts = others;
        cases.insert(intent.id, Case::new(intent, basket, own));
    }
    Ok(cases)
}

/// Writes what was decided: first what locks by key, then the posting, then appends.
async fn write(tx: &mut Tx, mut decided: Decided) -> Result<(), Fault> {
    let (now, entropy) = (tx.now(), tx.hub().entropy.clone());
    suspense::store::insert(tx.conn(), now, &decided.suspense).await?;
    expectations::store::insert(tx.conn(), &entropy, now, &decided.expectations).await?;
    taken_back::update_key(tx.conn(), &decided.back.renamed).await?;
    taken_back::insert(tx.conn(), decided.back.news()).await?;
    breaks::store::insert(tx.conn(), &entropy, now, &decided.breaks).await?;
    resolve_parts(tx, &decided.completed).await?;
    if !decided.entries.is_empty() {
        let outcomes = tx.post(&decided.entries).await?;
        if let Some(refusal) = outcomes.iter().find_map(|outcome| outcome.refusal()) {
            return Err(Fault::Other(format!("the book refused an entry: {refusal}")));
        }
    }
    let news: Vec<_> = decided.receipts.iter().map(|(_, new)| new.clone()).collect();
    let issued = receipts::service::issue(tx, &news).await?;
    for ((intent, _), receipt) in decided.receipts.iter().zip(issued) {
        if let Some(case) = decided.cases.get_mut(intent) {
            case.intent.receipt = Some(receipt.number);
        }
    }
    let changed: Vec<_> =
        decided.cases.values().filter(|case| case.changed).map(|case| &case.intent).collect();
    intents::service::update(tx.conn(), &changed).await?;
    let attempts: Vec<_> = decided
        .cases
        .values()
        .flat_map(|case| case.attempts.iter().filter(|attempt| case.touched.contains(&attempt.id)))
        .collect();
    intents::attempts::service::update(tx, &attempts).await?;
    store::update_applied(tx.conn(), now, &decided.applied).await?;
    for job in std::mem::take(&mut decided.jobs) {
        tx.enqueue(job);
    }
    for (kind, intent) in &decided.events {
        if let Some(case) = decided.cases.get(intent) {
            intents::service::emit_view(tx, kind, &case.intent, &case.basket);
        }
    }
    Ok(())
}

/// The rest came: nothing is missing any more where a part had been too little.
async fn resolve_parts(tx: &mut Tx, completed: &[IntentId]) -> Result<(), Fault> {
    if completed.is_empty() {
        return Ok(());
    }
    let taken = expectations::store::reading::find_taken(tx.conn(), completed).await?;
    let subjects: Vec<String> = taken.into_iter().map(|one| one.money_key).collect();
    let now = tx.now();
    breaks::store::update_self_resolved(tx.conn(), now, Category::AmountUnder, &subjects, "the rest came")
        .await?;
    Ok(())
}

/// A notice that cannot be applied, nor posted to suspense, stands aside with a break for a person. Answers it.
pub async fn set_aside(tx: &mut Tx, n: i64, why: &str) -> Result<Option<Notice>, Fault> {
    if !store::try_turn(tx.conn()).await? {
        return Ok(None);
    }
    let head = store::page_waiting(tx.conn(), 1).await?.pop();
    let Some(notice) = head.filter(|notice| notice.n == n) else { return Ok(None) };
    let (now, entropy) = (tx.now(), tx.hub().entropy.clone());
    store::update_set_aside(tx.conn(), now, notice.n, why).await?;
    let aside = NewBreak {
        category: Category::NoticeSetAside,
        subject: format!("notice:{}", notice.n),
        money: Some(notice.money),
        channel: Some(notice.channel.clone()),
        intent: None,
        detail: json!({ "notice": notice.n, "transaction": notice.transaction, "why": why }),
    };
    breaks::store::insert(tx.conn(), &entropy, now, &[aside]).await?;
    Ok(Some(notice))
}

/// The cause is gone for which a notice stood aside: the poster takes it up again. Its break ends, and is opened again should
/// the notice be set aside once more.
pub async fn apply_again(tx: &mut Tx, n: &i64) -> Result<TakenUp, InboxError> {
    let Some(why) = store::update_waiting_again(tx.conn(), *n).await? else {
        let known = store::reading::find(tx.conn(), *n).await?;
        return Err(known.map_or(InboxError::NotFound, |known| InboxError::NotAside(known.state)));
    };
    let (now, subjects) = (tx.now(), [format!("notice:{n}")]);
    let because = "a person had the notice applied again";
    breaks::store::update_self_resolved(tx.conn(), now, Category::NoticeSetAside, &subjects, because).await?;
    tx.audit("notice.applied_again", &subjects[0], json!({ "notice": n, "stood_aside": why }));
    Ok(TakenUp { notice: *n, stood_aside: Some(why) })
}

/// The attempt of a notice that stands aside has ended all the same, and its bill goes on.
pub async fn end_attempt(tx: &mut Tx, aside: &Notice) -> Result<(), Fault> {
    let event = match aside.meaning {
        Meaning::Money => AttemptEvent::Captured,
        Meaning::Declined => AttemptEvent::Declined,
        Meaning::Reversed => AttemptEvent::Reversed,
        Meaning::Refunded | Meaning::RefundFailed | Meaning::Information => return Ok(()),
    };
    let named = named_intents(tx, std::slice::from_ref(aside)).await?;
    let mut cases = lock_cases(tx, named.into_values().collect()).await?;
    let mut back = remember(tx, std::slice::from_ref(aside), &cases).await?;
    for case in cases.values_mut() {
        let mut told = None;
        if event == AttemptEvent::Reversed {
            back.take(Some(&mut *case), aside)?;
            told = back.recount(case)?.then_some("payment_intent.reversed");
        } else if !case.move_attempt(aside, event) {
            continue;
        }
        let ended = case.attempts.iter().filter(|attempt| case.touched.contains(&attempt.id));
        intents::attempts::service::update(tx, &ended.collect::<Vec<_>>()).await?;
        if case.settle_attempts()? {
            told = Some("payment_intent.attempt_failed");
        }
        if let Some(kind) = told {
            intents::service::update(tx.conn(), &[&case.intent]).await?;
            intents::service::emit_view(tx, kind, &case.intent, &case.basket);
        }
    }
    taken_back::insert(tx.conn(), back.news()).await?;
    Ok(())
}
