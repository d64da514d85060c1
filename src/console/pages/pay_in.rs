//! /console/refunds/{id}/pay-ins: what an agency paid in for a refund, named by one officer and taken by another.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use futures::future::BoxFuture;
use mizan_ledger::Money;
use serde::Deserialize;
use serde_json::{Value, json};

use super::named;
use super::refund::{Deciding, Refusal, render};
use crate::access::Scope;
use crate::app::{App, ServiceError, Snapshot};
use crate::console::officer::Officer;
use crate::console::shell::Stop;
use crate::http::form::Form;
use crate::http::path::Path;
use crate::ids::{PayInId, RefundId};
use crate::refunds::pay_ins::service::{self, Decision, Proposal};
use crate::refunds::pay_ins::{self, PayIn, State as Standing};
use crate::refunds::{Refund, RefundError};
use crate::suspense;
use crate::tx::Tx;

/// What was paid in, and what may be taken for it: money in suspense of the same currency that is at the hub.
pub(super) async fn shown(
    app: &App,
    look: &mut Snapshot,
    officer: &Officer,
    refund: &Refund,
) -> Result<Value, Stop> {
    let known = pay_ins::store::page_of(look, refund.id).await?;
    let awaited = pay_ins::awaited_from(&app.hub, refund).is_some();
    let may_propose = awaited && officer.session.scopes.contains(&Scope::Reconcile);
    let mut items = Vec::new();
    if may_propose {
        items = suspense::store::page_open(look).await?;
        items.retain(|item| {
            item.left.currency() == refund.amount.currency()
                && app.hub.config.direct_agency(&item.account).is_none()
        });
    }
    let mut people: Vec<String> = known.iter().map(|one| one.proposed_by.clone()).collect();
    people.extend(known.iter().filter_map(|one| one.decided_by.clone()));
    let names = named(look, people.into_iter()).await?;
    let own = officer.actor();
    let row = |one: &PayIn| {
        json!({
            "id": one.id, "money": one.money, "item": one.item, "state": one.state.as_str(), "note": one.note,
            "proposed_by": names(&one.proposed_by), "decided_by": one.decided_by.as_deref().map(&names),
            "waits": one.state == Standing::Proposed, "own": one.proposed_by == own.as_str(),
        })
    };
    let rows: Vec<Value> = known.iter().map(row).collect();
    let approver = officer.session.scopes.contains(&Scope::Approve);
    Ok(json!({
        "rows": rows, "awaited": awaited, "may_propose": may_propose, "items": items, "approver": approver,
    }))
}

#[derive(Debug, Deserialize)]
pub struct Proposing {
    csrf: String,
    item: String,
    /// All that is asked for when empty.
    amount: String,
}

/// POST /console/refunds/{id}/pay-ins
pub async fn propose(
    State(app): State<App>,
    officer: Officer,
    Path(id): Path<String>,
    Form(form): Form<Proposing>,
) -> Result<Response, Stop> {
    officer.check(&form.csrf)?;
    if !officer.session.scopes.contains(&Scope::Reconcile) {
        return Err(Stop::Forbidden);
    }
    let refund: RefundId = id.parse().map_err(|_| Stop::NotFound)?;
    let currency = {
        let mut look = app.snapshot().await?;
        let found = crate::refunds::service::find(&mut look, refund).await?;
        found.ok_or(Stop::NotFound)?.amount.currency()
    };
    let amount = Some(form.amount.trim()).filter(|text| !text.is_empty());
    let amount = amount.map(|text| Money::parse(text, currency)).transpose();
    let (Ok(amount), Ok(item)) = (amount, form.item.parse()) else {
        return render(&app, &officer, &id, Some(Refusal::Amount)).await;
    };
    let proposal = Proposal { refund, item, amount };
    let propose: Work<Proposal> = |tx, asked| Box::pin(service::propose(tx, asked));
    let done = app.run(&officer.actor(), &proposal, propose).await;
    answer(&app, officer, &id, done).await
}

/// POST /console/refunds/{id}/pay-ins/{pay_in}/approve
pub async fn approve(
    State(app): State<App>,
    officer: Officer,
    Path((id, pay_in)): Path<(String, String)>,
    Form(form): Form<Deciding>,
) -> Result<Response, Stop> {
    let note = form.note(&officer)?;
    decide(&app, officer, (&id, &pay_in), note, |tx, decision| Box::pin(service::approve(tx, decision))).await
}

/// POST /console/refunds/{id}/pay-ins/{pay_in}/refuse
pub async fn refuse(
    State(app): State<App>,
    officer: Officer,
    Path((id, pay_in)): Path<(String, String)>,
    Form(form): Form<Deciding>,
) -> Result<Response, Stop> {
    let note = form.reason(&officer)?;
    decide(&app, officer, (&id, &pay_in), note, |tx, decision| Box::pin(service::refuse(tx, decision))).await
}

/// A use case about one thing that was paid in.
type Work<A> = for<'t> fn(&'t mut Tx, &'t A) -> BoxFuture<'t, Result<PayIn, RefundError>>;

async fn decide(
    app: &App,
    officer: Officer,
    (id, pay_in): (&str, &str),
    note: Result<Option<String>, Refusal>,
    decide: Work<Decision>,
) -> Result<Response, Stop> {
    let pay_in: PayInId = pay_in.parse().map_err(|_| Stop::NotFound)?;
    let note = match note {
        Ok(note) => note,
        Err(refusal) => return render(app, &officer, id, Some(refusal)).await,
    };
    let done = app.run(&officer.actor(), &Decision { pay_in, note }, decide).await;
    answer(app, officer, id, done).await
}

async fn answer(
    app: &App,
    officer: Officer,
    id: &str,
    done: Result<PayIn, RefundError>,
) -> Result<Response, Stop> {
    let refusal = match done.map_err(ServiceError::into_fault) {
        Ok(done) => return Ok(Redirect::to(&format!("/console/refunds/{}", done.refund)).into_response()),
        Err(Ok(fault)) => return Err(fault.into()),
        Err(Err(RefundError::NotFound)) => return Err(Stop::NotFound),
        Err(Err(RefundError::SamePerson)) => Refusal::OwnProposal,
        Err(Err(RefundError::OverRefund { .. } | RefundError::WrongCurrency { .. })) => Refusal::Amount,
        Err(Err(RefundError::AlreadyProposed)) => Refusal::Proposed,
        Err(Err(_)) => Refusal::Decided,
    };
    render(app, &officer, id, Some(refusal)).await
}
