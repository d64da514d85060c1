//! One whole reconciliation: ask the channels, match until nothing moves any more, then see what is overdue.

use std::collections::BTreeSet;
use std::time::Duration;

use mizan_adapters::outcome::Outcome;
use serde::Serialize;

use super::service::{self, LINES_MAX, Slice, Step, Told, Treat, Unlined};
use super::store;
use crate::app::App;
use crate::fault::Fault;
use crate::ids::RefundId;
use crate::inbox;
use crate::refunds::service::Heard;
use crate::tx::Actor;

/// Reports asked for in one run.
const REPORTS_MAX: i64 = 100;
/// Passes over the waiting lines; a second one finds what the first one told of, a third nothing new.
const PASSES_MAX: usize = 10;
/// How often a run looks whether the poster, maybe of another hub, has applied what it was told.
const POSTER_LOOKS: usize = 200;
const POSTER_PAUSE: Duration = Duration::from_millis(25);

/// What a reconciliation did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = Reconciliation)]
pub struct Summary {
    /// Settlements that channels reported.
    pub settlements: usize,
    pub matched: usize,
    /// Payments nobody had told of.
    pub told: usize,
    pub to_suspense: usize,
    /// Credits in suspense that were explained by later news.
    pub explained: usize,
    pub overdue: usize,
    /// Lines that still wait, each with its reason.
    pub waiting: i64,
}

/// Runs until nothing moves any more. Safe to repeat, and to run twice at once.
pub async fn reconcile(app: &App) -> Result<Summary, Fault> {
    let actor = Actor::hub("recon");
    app.run(&actor, &(), |tx, unit| Box::pin(service::judge_waiting(tx, unit))).await?;
    let mut summary = Summary { settlements: ask_channels(app, &actor).await?, ..Summary::default() };
    for _ in 0..PASSES_MAX {
        if !pass(app, &actor, &mut summary, false).await? {
            break;
        }
    }
    // What still waits for another line has waited for all that there are.
    pass(app, &actor, &mut summary, true).await?;
    summary.explained = exhaust(app, &actor, Exhausted::Suspense).await?;
    summary.explained += exhaust(app, &actor, Exhausted::Debits).await?;
    summary.overdue = exhaust(app, &actor, Exhausted::Overdue).await?;
    let mut conn = app.pool.acquire().await?;
    summary.waiting = store::count_open_lines(&mut conn).await?;
    Ok(summary)
}

/// Every waiting line once, and what the inbox was told of it or by another run. Answers whether anything moved.
async fn pass(app: &App, actor: &Actor, summary: &mut Summary, last: bool) -> Result<bool, Fault> {
    let before = (summary.matched, summary.told, summary.to_suspense);
    for (refund, heard) in app.run(actor, &(), |tx, unit| Box::pin(service::find_booked(tx, unit))).await? {
        match hear(app, actor, refund, &heard).await {
            Err(fault) if !fault.is_unavailable() && !fault.is_transient() => {
                tracing::error!(%refund, %fault, "a refund cannot be told that its order was booked");
            }
            heard => heard?,
        }
    }
    pass_lines(app, actor, summary, last).await?;
    for unlined in [Unlined::Silent, Unlined::Explained, Unlined::Direct] {
        pass_unlined(app, actor, summary, unlined).await?;
    }
    let was_told = drain_inbox(app).await?;
    Ok(was_told || before != (summary.matched, summary.told, summary.to_suspense))
}

async fn hear(app: &App, actor: &Actor, refund: RefundId, heard: &Heard) -> Result<(), Fault> {
    app.run(actor, heard, |tx, heard| Box::pin(service::hear(tx, heard))).await?;
    app.run(actor, &refund, |tx, refund| Box::pin(service::recover(tx, refund))).await
}

/// The lines of bank statements. What cannot be booked as it was judged does not stop the others: its step is halved until
/// one line remains, which goes to suspense, and is left alone with a break if the book does not take it there either.
async fn pass_lines(app: &App, actor: &Actor, summary: &mut Summary, last_pass: bool) -> Result<(), Fault> {
    let whole = Slice { after: 0, limit: LINES_MAX, last_pass, treat: Treat::Judge };
    let mut slice = whole.clone();
    loop {
        match app.run(actor, &slice, |tx, slice| Box::pin(service::match_lines(tx, slice))).await {
            Ok(step) => {
                add(summary, step);
                let Some(after) = step.last else { return Ok(()) };
                slice = Slice { after, ..whole.clone() };
            }
            Err(fault) if fault.is_unavailable() || fault.is_transient() => return Err(fault),
            Err(_) if slice.limit > 1 => slice.limit /= 2,
            Err(fault) => {
                tracing::error!(after = slice.after, %fault, "a bank line cannot be booked");
                slice.treat = match slice.treat {
                    Treat::Judge => Treat::SetAside(fault.to_string()),
                    Treat::SetAside(_) => Treat::LeaveAlone(fault.to_string()),
                    Treat::LeaveAlone(_) => return Err(fault),
                };
            }
        }
    }
}

/// Settlements that no open line shows. One that cannot be booked stands aside with a break, and does not stop the others.
async fn pass_unlined(
    app: &App,
    actor: &Actor,
    summary: &mut Summary,
    unlined: Unlined,
) -> Result<(), Fault> {
    let mut after = None;
    loop {
        let page = {
            let mut conn = app.pool.acquire().await?;
            match unlined {
                Unlined::Silent => store::page_silent(&mut conn, after, REPORTS_MAX).await?,
                Unlined::Explained => store::page_explained(&mut conn, after, REPORTS_MAX).await?,
                Unlined::Direct => store::page_direct(&mut conn, after, REPORTS_MAX).await?,
            }
        };
        let Some(last) = page.last().copied() else { return Ok(()) };
        after = Some(last);
        for id in page {
            let one = (unlined, id);
            match app.run(actor, &one, |tx, one| Box::pin(service::match_unlined(tx, one))).await {
                Ok(step) => add(summary, step),
                Err(fault) if fault.is_unavailable() || fault.is_transient() => return Err(fault),
                Err(fault) => {
                    tracing::error!(settlement = %id, %fault, "a settlement cannot be booked");
                    let aside = (id, fault.to_string());
                    app.run(actor, &aside, |tx, aside| Box::pin(service::set_aside_unlined(tx, aside)))
                        .await?;
                }
            }
        }
    }
}

fn add(summary: &mut Summary, step: Step) {
    summary.matched += step.matched;
    summary.told += step.told;
    summary.to_suspense += step.to_suspense;
}

#[derive(Clone, Copy)]
enum Exhausted {
    Suspense,
    Debits,
    Overdue,
}

/// Repeats a step while it finds something.
async fn exhaust(app: &App, actor: &Actor, what: Exhausted) -> Result<usize, Fault> {
    let mut total = 0;
    loop {
        let found = match what {
            Exhausted::Suspense => {
                app.run(actor, &(), |tx, unit| Box::pin(service::explain_suspense(tx, unit))).await?
            }
            Exhausted::Debits => {
                app.run(actor, &(), |tx, unit| Box::pin(service::explain_debits(tx, unit))).await?
            }
            Exhausted::Overdue => {
                app.run(actor, &(), |tx, unit| Box::pin(service::open_overdue(tx, unit))).await?
            }
        };
        if found == 0 {
            return Ok(total);
        }
        total += found;
    }
}

/// Asks the channels for the reports that are wanted, outside any transaction. An open day, a silent channel and one whose
/// report cannot be kept are asked again by the next run.
async fn ask_channels(app: &App, actor: &Actor) -> Result<usize, Fault> {
    app.run(actor, &(), |tx, unit| Box::pin(service::want_direct(tx, unit))).await?;
    let wanted = {
        let mut conn = app.pool.acquire().await?;
        store::page_wanted(&mut conn, REPORTS_MAX).await?
    };
    let mut new = 0;
    // Who does not answer holds up the banks once, and is asked for its other days by the next run.
    let mut silent = BTreeSet::new();
    for (channel, day) in wanted {
        if silent.contains(&channel) {
            continue;
        }
        let reporter = app.hub.channels.get(&channel).and_then(|one| one.settlements.clone());
        let answer = match reporter {
            Some(reporter) => reporter.settlements(day).await,
            None => Outcome::NotSent { why: "the channel is not configured any more".to_owned() },
        };
        let why = match answer {
            Outcome::Accepted(Some(settlements)) => {
                let told = Told { channel: channel.clone(), day, settlements };
                match app.run(actor, &told, |tx, told| Box::pin(service::told(tx, told))).await {
                    Ok(count) => {
                        new += count;
                        continue;
                    }
                    Err(fault) if fault.is_unavailable() || fault.is_transient() => return Err(fault),
                    Err(fault) => fault.to_string(),
                }
            }
            Outcome::Accepted(None) => "its day is not closed yet".to_owned(),
            Outcome::Rejected { code, message } => format!("{code}: {message}"),
            Outcome::Unknown { why } | Outcome::NotSent { why } => {
                silent.insert(channel.clone());
                why
            }
        };
        tracing::warn!(%channel, %day, why, "a channel does not tell what it settled");
        let kept = (channel, day, why);
        app.run(actor, &kept, |tx, kept| Box::pin(service::not_told(tx, kept))).await?;
    }
    Ok(new)
}

/// Lets the poster apply what it was told, here or in another hub. Answers whether there was anything.
async fn drain_inbox(app: &App) -> Result<bool, Fault> {
    for look in 0..POSTER_LOOKS {
        let mut conn = app.pool.acquire().await?;
        if inbox::service::count_waiting(&mut conn).await? == 0 {
            return Ok(look > 0);
        }
        drop(conn);
        if inbox::jobs::post_once(app).await? == 0 {
            tokio::time::sleep(POSTER_PAUSE).await;
        }
    }
    Ok(true)
}
