//! Matching in steps: each takes the next lines, judges them and books what was judged, in one unit of work.

use std::collections::{BTreeMap, BTreeSet};

use mizan_adapters::reference::{BillNumber, RfReference};
use mizan_ledger::Instant;
use serde::Serialize;

use super::{refunds, undone};
use crate::breaks::{self, Category};
use crate::expectations::{self, Keys};
use crate::fault::Fault;
use crate::ids::RefundId;
use crate::recon::booking::{Booking, Known};
use crate::recon::matching::settlement::{Item, ItemKind, Settlement};
use crate::recon::matching::{self, Bill, Candidates, Left, Line, Named};
use crate::recon::rails::transfer_channel;
use crate::recon::store::{self, OpenLine};
use crate::refunds::pay_ins;
use crate::tx::Tx;
use crate::{inbox, intents, suspense};

/// Lines looked at in one unit of work.
pub const LINES_MAX: i64 = 500;
/// The book takes 512 entries at once; one line makes a few.
const ENTRIES_ENOUGH: usize = 400;

/// What one step did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The last line looked at; None when there was none.
    pub last: Option<i64>,
    pub matched: usize,
    /// Payments told to the inbox, to be booked by the poster.
    pub told: usize,
    pub to_suspense: usize,
    pub waiting: usize,
}

/// Which lines a step looks at, and how.
#[derive(Debug, Clone)]
pub struct Slice {
    pub after: i64,
    pub limit: i64,
    /// Nothing else moves any more: no line waits for another.
    pub last_pass: bool,
    pub treat: Treat,
}

/// How lines are treated.
#[derive(Debug, Clone)]
pub enum Treat {
    /// As what they are.
    Judge,
    /// Why they could not be booked so: each is money that nobody knows.
    SetAside(String),
    /// Why they could not be booked at all: each is left as it is, with a break.
    LeaveAlone(String),
}

/// Judges and books the next lines.
pub async fn match_lines(tx: &mut Tx, slice: &Slice) -> Result<Step, Fault> {
    store::take_turn(tx.conn()).await?;
    let open = store::lock_open_lines(tx.conn(), slice.after, slice.limit).await?;
    let Some(last) = open.last().map(|line| line.id) else { return Ok(Step::default()) };
    let lines = read_lines(tx, &open).await?;
    let (candidates, ruled) = match &slice.treat {
        Treat::SetAside(why) => (Candidates::default(), matching::set_aside(&lines, why)),
        Treat::LeaveAlone(why) => (Candidates::default(), matching::left_alone(&lines, why)),
        Treat::Judge => {
            let mut candidates = gather(tx, &open, &lines).await?;
            candidates.last_pass = slice.last_pass;
            let ruled = matching::run(&lines, &candidates)?;
            (candidates, ruled)
        }
    };
    let known = Known::new(&candidates);
    let by_id: BTreeMap<i64, &OpenLine> = open.iter().map(|line| (line.id, line)).collect();
    let mut booking = Booking::new(tx.hub().clone(), tx.now());
    let mut step = Step { last: Some(last), ..Step::default() };
    for one in ruled {
        let Some(line) = by_id.get(&one.line) else { continue };
        booking.carry_out(line, one, &known)?;
        step.last = Some(line.id);
        if booking.entries_count() >= ENTRIES_ENOUGH {
            break;
        }
    }
    for line in &booking.lines {
        match line.state {
            "matched" => step.matched += 1,
            "suspense" => step.to_suspense += 1,
            _ => step.waiting += 1,
        }
    }
    step.told = booking.notices.len();
    write(tx, booking).await?;
    Ok(step)
}

/// The lines with the bills they name.
async fn read_lines(tx: &mut Tx, open: &[OpenLine]) -> Result<Vec<Line>, Fault> {
    let issuers = intents::service::issuers(tx).await?;
    let known = |issuer| issuers.contains(&issuer);
    let line = |line: &OpenLine| {
        let field = line.end_to_end.as_deref();
        let named = matching::named(&[line.creditor_reference.as_deref(), field], &line.text, known);
        // A payer quotes his refund beside the bill that he pays, or an agency beside what it pays in: those count.
        let text = if named == Named::default() { line.text.as_str() } else { "" };
        Line {
            id: line.id,
            account: line.account.clone(),
            money: line.money,
            money_key: line.money_key.clone(),
            end_to_end: matching::own_reference(field, text),
            text: line.text.clone(),
            named,
            noticed: line.noticed,
        }
    };
    Ok(open.iter().map(line).collect())
}

/// Everything the lines may be: read and locked in the order in which the hub locks.
async fn gather(tx: &mut Tx, open: &[OpenLine], lines: &[Line]) -> Result<Candidates, Fault> {
    let mut accounts: Vec<String> = open.iter().map(|line| line.account.clone()).collect();
    accounts.sort_unstable();
    accounts.dedup();
    let mut settlements = store::lock_reported(tx.conn(), &accounts).await?;
    settlements.retain(|one| lines.iter().any(|line| matching::names(&line.text, &one.reference)));
    store::find_items(tx.conn(), &mut settlements).await?;
    let named: BTreeSet<BillNumber> =
        lines.iter().flat_map(|line| line.named.structured.union(&line.named.free)).copied().collect();
    let mut keys = Keys::default();
    keys.money_keys.extend(lines.iter().map(|line| line.money_key.clone()));
    keys.references.extend(lines.iter().filter_map(|line| line.end_to_end.clone()));
    for bill in &named {
        keys.references.extend([bill.to_string(), RfReference::from(*bill).to_string()]);
    }
    let bills = find_bills(tx, &named).await?;
    let serials: BTreeSet<i64> = lines.iter().flat_map(|line| line.named.refunds.iter().copied()).collect();
    let named = pay_ins::service::find_by_serials(tx, &Vec::from_iter(serials)).await?;
    let mut candidates = with_expectations(tx, settlements, keys, &named).await?;
    candidates.bills = bills;
    for line in open {
        let charge = tx.hub().channels.return_charge_max(&line.account, line.money.currency());
        candidates.return_charges.insert(line.account.clone(), charge);
        if let Some(channel) = transfer_channel(tx.hub(), &line.account, line.money.currency()) {
            candidates.transfers.insert(line.account.clone(), channel);
        }
    }
    candidates.undone = undone::find(tx, open, lines, &candidates).await?;
    Ok(candidates)
}

async fn find_bills(tx: &mut Tx, named: &BTreeSet<BillNumber>) -> Result<BTreeMap<BillNumber, Bill>, Fault> {
    let numbers: Vec<String> = named.iter().map(ToString::to_string).collect();
    let mut bills = BTreeMap::new();
    for found in intents::service::find_bills(tx.conn(), &numbers).await? {
        let corrupt = |_| Fault::corrupt("payment_intents", "bill_number", found.intent);
        let number: BillNumber = found.bill_number.parse().map_err(corrupt)?;
        let due = found.amount.checked_sub(found.paid)?;
        bills.insert(number, Bill { intent: found.intent, amount: found.amount, due });
    }
    Ok(bills)
}

/// Refunds first, those that are `named` among them, then expectations: those the keys find, and those of the
/// settlements' parts.
pub(super) async fn with_expectations(
    tx: &mut Tx,
    mut settlements: Vec<Settlement>,
    mut keys: Keys,
    named: &[RefundId],
) -> Result<Candidates, Fault> {
    name_originals(tx, &mut settlements).await?;
    for settlement in &settlements {
        for item in &settlement.items {
            match item.kind {
                ItemKind::Payment => {
                    keys.transactions.push((settlement.channel.clone(), item.transaction.clone()));
                }
                ItemKind::Refund => {
                    keys.references.push(item.reference.clone());
                    keys.transactions.push((settlement.channel.clone(), item.transaction.clone()));
                }
            }
        }
    }
    let known_refunds = expectations::store::find_known_refunds(tx.conn(), &keys.references).await?;
    let ids: BTreeSet<RefundId> =
        known_refunds.iter().map(|one| one.refund).chain(named.iter().copied()).collect();
    let locked = refunds::lock(tx, &ids.into_iter().collect::<Vec<_>>()).await?;
    let in_doubt = crate::refunds::service::find_in_doubt(tx.conn(), &keys.references).await?;
    let refused = crate::refunds::service::find_refused(tx.conn(), &keys.references).await?;
    let orders = each_taken(&settlements, |item| item.reference.clone());
    let known_orders = expectations::store::find_known_orders(tx.conn(), &orders).await?;
    let known_payments = expectations::store::find_known_payments(tx.conn(), &keys.transactions).await?;
    let open = expectations::store::lock_by_keys(tx.conn(), &keys).await?;
    let mut candidates = Candidates {
        expectations: open,
        settlements,
        known_payments: known_payments.into_iter().collect(),
        known_orders: known_orders.into_iter().collect(),
        refunds_in_doubt: in_doubt.into_iter().collect(),
        refunds_refused: refused.into_iter().map(|(reference, _)| reference).collect(),
        refunds_in_flight: locked.in_flight,
        awaited: locked.awaited,
        ..Candidates::default()
    };
    for one in known_refunds {
        if one.seen_at_bank && locked.succeeded.contains(&one.refund) {
            let amount = one.money.checked_neg()?;
            candidates.refunds_left.insert(one.reference.clone(), Left { refund: one.refund, amount });
        }
        candidates.known_refunds.insert(one.reference);
    }
    Ok(candidates)
}

/// What a channel gave back at its own desk, or by its own word, goes by a name of its own: once a callback said of which
/// payment, the settlement's part is of that payment.
async fn name_originals(tx: &mut Tx, settlements: &mut [Settlement]) -> Result<(), Fault> {
    let taken = each_taken(settlements, |item| item.transaction.clone());
    if taken.is_empty() {
        return Ok(());
    }
    let originals: BTreeMap<_, _> =
        inbox::store::reading::find_originals(tx.conn(), &taken).await?.into_iter().collect();
    let orders = each_taken(settlements, |item| item.reference.clone());
    let ours: BTreeSet<_> =
        crate::refunds::service::find_ordered(tx.conn(), &orders).await?.into_iter().collect();
    for one in settlements {
        for item in one.items.iter_mut().filter(|item| item.kind == ItemKind::Refund) {
            let told = originals.get(&(one.channel.clone(), item.transaction.clone()));
            if let Some(original) = told
                && !ours.contains(&(one.channel.clone(), item.reference.clone()))
            {
                item.transaction.clone_from(original);
            }
        }
    }
    Ok(())
}

/// A name of each part that a settlement took from us, with its channel.
fn each_taken(settlements: &[Settlement], name: impl Fn(&Item) -> String) -> Vec<(String, String)> {
    let all = settlements.iter().flat_map(|one| one.items.iter().map(move |item| (one, item)));
    let taken = all.filter(|(_, item)| item.kind == ItemKind::Refund);
    taken.map(|(one, item)| (one.channel.clone(), name(item))).collect()
}

/// Writes what was decided: the rows, then the posting.
pub(super) async fn write(tx: &mut Tx, mut booking: Booking) -> Result<(), Fault> {
    let (now, entropy) = (tx.now(), tx.hub().entropy.clone());
    let entries = refunds::settle(tx, std::mem::take(&mut booking.refunds)).await?;
    booking.entries.extend(entries);
    let entries = refunds::take_paid_in(tx, std::mem::take(&mut booking.paid_in)).await?;
    booking.entries.extend(entries);
    suspense::store::insert(tx.conn(), now, &booking.suspense).await?;
    suspense::store::update_used(tx.conn(), &booking.used).await?;
    expectations::store::update_met(tx.conn(), now, &booking.met).await?;
    let mut born: BTreeMap<Instant, Vec<_>> = BTreeMap::new();
    for (at, new) in std::mem::take(&mut booking.born) {
        born.entry(at).or_default().push(new);
    }
    for (at, new) in born {
        expectations::store::insert(tx.conn(), &entropy, at, &new).await?;
    }
    let told: Vec<_> = booking.notices.iter().chain(&booking.taken_back).collect();
    inbox::service::take_all(tx, &told).await?;
    for heard in &booking.heard {
        tx.enqueue(crate::refunds::service::notice_job(heard));
    }
    breaks::store::insert(tx.conn(), &entropy, now, &booking.breaks).await?;
    let mut over: BTreeMap<(Category, &str), Vec<String>> = BTreeMap::new();
    for one in std::mem::take(&mut booking.resolved) {
        over.entry((one.category, one.because)).or_default().push(one.subject);
    }
    for ((category, because), subjects) in over {
        breaks::store::update_self_resolved(tx.conn(), now, category, &subjects, because).await?;
    }
    store::update_lines(tx.conn(), &booking.lines).await?;
    store::update_matched(tx.conn(), now, &booking.settlements).await?;
    tx.post_all(&booking.entries).await
}
