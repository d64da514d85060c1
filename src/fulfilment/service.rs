use mizan_ledger::{Entry, EntryId};
use serde_json::{Map, json};

use super::model::{self, Cause, Freed, FulfilmentError, Refunds, Report, Reported};
use super::view::{self, ReportView};
use crate::books::{Slug, Voucher, rules};
use crate::breaks::{self, Category, NewBreak};
use crate::fault::Fault;
use crate::ids::IntentId;
use crate::intents::service::Release;
use crate::intents::{self, Intent, IntentState, Outcome};
use crate::queue::NewJob;
use crate::quoting::Basket;
use crate::refunds::{self, RefundSource};
use crate::tx::Tx;

/// A paid intent under lock, and what its money is bound by.
struct Case {
    intent: Intent,
    basket: Basket,
    refunds: Refunds,
    released: Vec<(usize, String)>,
    /// Nothing is released: the channel paid the agency itself and nothing is held here, or it took the payment back and
    /// a person decides about what is held.
    nothing_leaves: bool,
}

/// Takes an agency's report: releases what was held, or proposes to give it back. The same report again changes
/// nothing.
pub async fn report(tx: &mut Tx, report: &Report) -> Result<ReportView, FulfilmentError> {
    let mut case = lock(tx, report.intent).await?;
    if case.intent.state != IntentState::Paid {
        return Err(FulfilmentError::NotPaid { state: case.intent.state });
    }
    check(&case, report)?;
    let mut freed: Vec<(Cause, Freed)> = Vec::new();
    let mut told: Vec<Outcome> = Vec::new();
    for reported in &report.lines {
        if case.intent.fulfilment.of(reported.line) == Some(reported.outcome) {
            continue;
        }
        freed.extend(take_report(&mut case, reported)?);
        if !told.contains(&reported.outcome) {
            told.push(reported.outcome);
        }
        let detail = json!({ "line": reported.line, "outcome": reported.outcome, "reason": reported.reason });
        tx.audit("fulfilment.reported", case.intent.id, detail);
        if reported.outcome == Outcome::Rejected {
            let subject = format!("{}:{}", case.intent.id, reported.line);
            tx.enqueue(NewJob::now(refunds::jobs::PROPOSE_LINE, subject));
        }
    }
    if told.is_empty() {
        return Ok(view::told(&case.intent, &case.basket, report));
    }
    case.intent.version += 1;
    let entries = release(tx, &case, &freed).await?;
    intents::service::update(tx.conn(), &[&case.intent]).await?;
    let subjects: Vec<String> =
        report.lines.iter().map(|one| format!("{}:{}", case.intent.id, one.line)).collect();
    let now = tx.now();
    let because = "the agency reported what became of it";
    breaks::store::update_self_resolved(tx.conn(), now, Category::PaidNotDelivered, &subjects, because)
        .await?;
    tx.post_all(&entries).await?;
    for outcome in told {
        let kind = match outcome {
            Outcome::Delivered => "fulfilment.delivered",
            Outcome::Rejected => "fulfilment.rejected",
        };
        intents::service::emit_view(tx, kind, &case.intent, &case.basket);
    }
    Ok(view::told(&case.intent, &case.basket, report))
}

/// Releases what is held no longer than so many days after the payment. Where no agency has said what became of the
/// service, that is a break.
pub async fn release_by_time(tx: &mut Tx, (id, days): &(IntentId, u16)) -> Result<usize, FulfilmentError> {
    let case = lock(tx, *id).await?;
    if case.intent.state != IntentState::Paid || case.nothing_leaves {
        return Ok(0);
    }
    let cause = Cause::Time(*days);
    let mut freed: Vec<(Cause, Freed)> = Vec::new();
    for line in 0..case.basket.lines.len() {
        let held = model::freed(&case.basket, line, cause, &case.refunds, &case.released)?;
        // What was rejected waits for its refund.
        if case.intent.fulfilment.of(line) != Some(Outcome::Rejected) {
            freed.extend(held.into_iter().map(|one| (cause, one)));
        }
    }
    let entries = release(tx, &case, &freed).await?;
    let silent = freed.iter().filter(|(_, one)| case.intent.fulfilment.of(one.line).is_none());
    let mut breaks: Vec<NewBreak> = silent
        .map(|(_, one)| NewBreak {
            category: Category::PaidNotDelivered,
            subject: format!("{id}:{}", one.line),
            money: Some(one.amount),
            channel: None,
            intent: Some(*id),
            detail: json!({ "line": one.line, "days": days }),
        })
        .collect();
    breaks.dedup_by(|one, other| one.subject == other.subject);
    let (now, entropy) = (tx.now(), tx.hub().entropy.clone());
    breaks::store::insert(tx.conn(), &entropy, now, &breaks).await?;
    tx.post_all(&entries).await?;
    Ok(freed.len())
}

async fn lock(tx: &mut Tx, id: IntentId) -> Result<Case, FulfilmentError> {
    let intent = intents::service::lock(tx.conn(), &[id]).await?.pop().ok_or(FulfilmentError::NotFound)?;
    let carrying = intents::attempts::service::lock_carrying(tx, id).await?;
    let direct = carrying.iter().any(|attempt| tx.hub().config.direct_agency(&attempt.channel).is_some());
    let nothing_leaves = direct || intent.reversed.is_positive();
    let basket = intents::service::basket(tx.conn(), &intent).await?;
    let released = intents::service::find_releases(tx.conn(), id).await?;
    let mut refunds = Refunds::default();
    for refund in refunds::service::page_of(tx.conn(), RefundSource::Intent(id)).await? {
        if refund.state.holds_money() {
            if !refund.state.is_undecided() {
                refunds.taken.extend(refund.parts.iter().cloned());
            }
            refunds.holding.extend(refund.parts);
        }
    }
    Ok(Case { intent, basket, refunds, released, nothing_leaves })
}

/// Every line is there, of an agency of the caller, and does not go back from rejected.
fn check(case: &Case, report: &Report) -> Result<(), FulfilmentError> {
    for (place, reported) in report.lines.iter().enumerate() {
        let line = reported.line;
        let priced = case.basket.lines.get(line).map(|line| &line.priced);
        let priced = priced.ok_or(FulfilmentError::NoSuchLine { place, line })?;
        let agency = priced.service.agency();
        if !report.agencies.iter().any(|own| own == agency.as_str()) {
            return Err(FulfilmentError::OtherAgency { line, agency: agency.clone() });
        }
        let was = case.intent.fulfilment.of(line);
        if (was, reported.outcome) == (Some(Outcome::Rejected), Outcome::Delivered) {
            return Err(FulfilmentError::AlreadyRejected { line });
        }
    }
    Ok(())
}

/// Notes the outcome of a line, and what it makes refundable or not; answers what it releases.
fn take_report(case: &mut Case, reported: &Reported) -> Result<Vec<(Cause, Freed)>, Fault> {
    let line = reported.line;
    let kept = model::kept(&case.basket, line, &case.refunds)?;
    let was_delivered = case.intent.is_delivered(line);
    let cause = match reported.outcome {
        Outcome::Delivered => {
            case.intent.kept = case.intent.kept.checked_add(kept)?;
            Cause::Delivered
        }
        Outcome::Rejected => {
            if was_delivered {
                case.intent.kept = case.intent.kept.checked_sub(kept)?;
            }
            Cause::Rejected
        }
    };
    case.intent.fulfilment.report(line, reported.outcome);
    let freed = model::freed(&case.basket, line, cause, &case.refunds, &case.released)?;
    Ok(freed.into_iter().map(|one| (cause, one)).collect())
}

/// Writes releases, one entry for each line; of direct money, and of money taken back, there is none.
async fn release(tx: &mut Tx, case: &Case, freed: &[(Cause, Freed)]) -> Result<Vec<Entry>, Fault> {
    if case.nothing_leaves {
        return Ok(Vec::new());
    }
    let only: Vec<Freed> = freed.iter().map(|(_, one)| one.clone()).collect();
    let (mut entries, mut releases) = (Vec::new(), Vec::new());
    for (line, amount) in model::by_line(&only)? {
        let entry: EntryId = tx.id();
        let own = freed.iter().filter(|(_, one)| one.line == line);
        releases.extend(own.map(|(cause, one)| Release {
            line,
            component: one.component.clone(),
            amount: one.amount,
            cause: cause.as_str(),
            entry,
        }));
        if amount.is_positive() {
            let agency = case.basket.lines[line].priced.service.agency();
            entries.push(entry_of(tx, entry, case, line, agency, amount)?);
        }
    }
    let now = tx.now();
    intents::service::insert_releases(tx.conn(), now, case.intent.id, &releases).await?;
    Ok(entries)
}

fn entry_of(
    tx: &Tx,
    id: EntryId,
    case: &Case,
    line: usize,
    agency: &Slug,
    amount: mizan_ledger::Money,
) -> Result<Entry, Fault> {
    let voucher = Voucher {
        id,
        effective_on: tx.hub().calendar.day_of(tx.now()),
        actor: tx.actor().as_str().to_owned(),
        source_ref: case.intent.id.to_string(),
        meta: Map::from_iter([("line".to_owned(), line.into())]),
    };
    rules::payout::released(voucher, agency, amount).map_err(|error| Fault::Other(error.to_string()))
}
