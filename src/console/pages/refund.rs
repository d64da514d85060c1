//! /console/refunds/{id}: one refund with the payment it takes from, and the decision on it by another person.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use futures::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{named, pay_in};
use crate::access::Scope;
use crate::app::{App, ServiceError, Snapshot};
use crate::console::officer::Officer;
use crate::console::shell::{Stop, page};
use crate::http::form::Form;
use crate::http::language::Language;
use crate::http::path::Path;
use crate::ids::RefundId;
use crate::intents;
use crate::quoting::Priced;
use crate::refunds::service::{self, Decision};
use crate::refunds::{self, Refund, RefundError, RefundSource};
use crate::suspense;
use crate::tx::Tx;

/// What an officer may write with a decision.
const NOTE_CHARS_MAX: usize = 500;

pub async fn show(
    State(app): State<App>,
    officer: Officer,
    Path(id): Path<String>,
) -> Result<Response, Stop> {
    render(&app, &officer, &id, None).await
}

#[derive(Debug, Deserialize)]
pub struct Deciding {
    csrf: String,
    note: String,
}

impl Deciding {
    /// The note of an officer who may decide, or why it will not do.
    pub(super) fn note(&self, officer: &Officer) -> Result<Result<Option<String>, Refusal>, Stop> {
        officer.check(&self.csrf)?;
        if !officer.session.scopes.contains(&Scope::Approve) {
            return Err(Stop::Forbidden);
        }
        let note = Some(self.note.trim()).filter(|note| !note.is_empty());
        // PostgreSQL's text holds no NUL.
        if note.is_some_and(|note| note.chars().count() > NOTE_CHARS_MAX || note.contains('\0')) {
            return Ok(Err(Refusal::NoteTooLong));
        }
        Ok(Ok(note.map(str::to_owned)))
    }

    /// The same of one who says no: that is never without a reason.
    pub(super) fn reason(&self, officer: &Officer) -> Result<Result<Option<String>, Refusal>, Stop> {
        Ok(self.note(officer)?.and_then(|note| note.map(Some).ok_or(Refusal::NoReason)))
    }
}

/// POST /console/refunds/{id}/approve
pub async fn approve(
    State(app): State<App>,
    officer: Officer,
    Path(id): Path<String>,
    Form(form): Form<Deciding>,
) -> Result<Response, Stop> {
    let note = form.note(&officer)?;
    decide(&app, officer, &id, note, |tx, decision| Box::pin(service::approve(tx, decision))).await
}

/// POST /console/refunds/{id}/refuse
pub async fn refuse(
    State(app): State<App>,
    officer: Officer,
    Path(id): Path<String>,
    Form(form): Form<Deciding>,
) -> Result<Response, Stop> {
    let note = form.reason(&officer)?;
    decide(&app, officer, &id, note, |tx, decision| Box::pin(service::refuse(tx, decision))).await
}

/// A use case in which an approver decides.
type Decide = for<'t> fn(&'t mut Tx, &'t Decision) -> BoxFuture<'t, Result<Refund, RefundError>>;

async fn decide(
    app: &App,
    officer: Officer,
    id: &str,
    note: Result<Option<String>, Refusal>,
    decide: Decide,
) -> Result<Response, Stop> {
    let refund: RefundId = id.parse().map_err(|_| Stop::NotFound)?;
    let note = match note {
        Ok(note) => note,
        Err(refusal) => return render(app, &officer, id, Some(refusal)).await,
    };
    let decided = app.run(&officer.actor(), &Decision { refund, note }, decide).await;
    match decided.map_err(ServiceError::into_fault) {
        Ok(_) => Ok(Redirect::to(&format!("/console/refunds/{refund}")).into_response()),
        Err(Ok(fault)) => Err(fault.into()),
        Err(Err(RefundError::NotFound)) => Err(Stop::NotFound),
        Err(Err(RefundError::SamePerson)) => render(app, &officer, id, Some(Refusal::Own)).await,
        Err(Err(RefundError::PaymentReversed)) => render(app, &officer, id, Some(Refusal::TakenBack)).await,
        Err(Err(_)) => render(app, &officer, id, Some(Refusal::Decided)).await,
    }
}

/// Why a decision was not taken.
#[derive(Debug, Clone, Copy)]
pub(super) enum Refusal {
    Own,
    OwnProposal,
    Amount,
    Proposed,
    Decided,
    TakenBack,
    NoReason,
    NoteTooLong,
}

impl Refusal {
    fn status(self) -> StatusCode {
        match self {
            Self::Own | Self::OwnProposal => StatusCode::FORBIDDEN,
            Self::Decided | Self::TakenBack | Self::Proposed => StatusCode::CONFLICT,
            Self::NoReason | Self::NoteTooLong | Self::Amount => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }

    fn text(self, language: Language) -> &'static str {
        let (ar, en) = match self {
            Self::Own => (
                "أنت من طلب هذا الرد. القرار لشخص آخر. لم يُغيَّر شيء.",
                "You asked for this refund yourself. Another person decides. Nothing was changed.",
            ),
            Self::OwnProposal => (
                "أنت من سمّى هذا المال. القرار لشخص آخر. لم يُغيَّر شيء.",
                "You named this money yourself. Another person decides. Nothing was changed.",
            ),
            Self::Amount => (
                "المبلغ ليس مما في المعلّقات أو يتجاوز ما ينتظره الرد. لم يُغيَّر شيء.",
                "The amount is not in suspense, or is more than the refund waits for. Nothing was changed.",
            ),
            Self::Proposed => (
                "سُمّي هذا المال من قبل وينتظر قرارًا. لم يُغيَّر شيء.",
                "This money was named before and waits for a decision. Nothing was changed.",
            ),
            Self::Decided => (
                "لم يعد هذا الرد ينتظر قرارًا. لم يُغيَّر شيء.",
                "This refund does not wait for a decision any more. Nothing was changed.",
            ),
            Self::TakenBack => (
                "استعادت القناة هذه الدفعة، والمال عند الدافع. ارفض الرد. لم يُغيَّر شيء.",
                "The channel took this payment back, and the payer has the money. Refuse the refund. Nothing was changed.",
            ),
            Self::NoReason => ("اكتب سبب الرفض.", "Write why you refuse."),
            Self::NoteTooLong => ("الملاحظة أطول من ٥٠٠ حرف.", "The note is longer than 500 characters."),
        };
        if language == Language::Arabic { ar } else { en }
    }
}

pub(super) async fn render(
    app: &App,
    officer: &Officer,
    id: &str,
    refusal: Option<Refusal>,
) -> Result<Response, Stop> {
    let id: RefundId = id.parse().map_err(|_| Stop::NotFound)?;
    let mut look = app.snapshot().await?;
    let refund = service::find(&mut look, id).await?.ok_or(Stop::NotFound)?;
    let more = service::more(&mut look, id).await?;
    let source = source(app, &mut look, &refund).await?;
    let pay_ins = pay_in::shown(app, &mut look, officer, &refund).await?;
    let people = [Some(refund.requested_by.clone()), refund.decided_by.clone()];
    let names = named(&mut look, people.into_iter().flatten()).await?;
    let own = refund.requested_by == officer.actor().as_str();
    let approver = officer.session.scopes.contains(&Scope::Approve);
    let undecided = refund.state == refunds::RefundState::Requested;
    let values = json!({
        "pay_ins": pay_ins, "refund": refunds::view::for_staff(&app.hub, &refund, more), "source": source,
        "requested_by": names(&refund.requested_by), "decided_by": refund.decided_by.as_deref().map(&names),
        "own": own, "undecided": undecided, "approver": approver, "may_decide": undecided && approver && !own,
        "wrong": refusal.map(|refusal| refusal.text(officer.session.language)),
    });
    let officer = Officer { path: format!("/console/refunds/{id}"), ..officer.clone() };
    let answer = page(app, &officer, "refund.html", values)?;
    Ok((refusal.map_or(StatusCode::OK, Refusal::status), answer).into_response())
}

/// What the refund takes from: a payment with the components concerned, or money in suspense.
async fn source(app: &App, look: &mut Snapshot, refund: &Refund) -> Result<Value, Stop> {
    let (intent, item) = match refund.source {
        RefundSource::Intent(id) => (Some(id), None),
        RefundSource::Suspense(id) => {
            let item = suspense::store::find(look, id).await?.ok_or(Stop::NotFound)?;
            (item.intent, Some(item))
        }
    };
    let Some(id) = intent else { return Ok(json!({ "payment": null, "item": item, "parts": [] })) };
    let payment = intents::view::find(look, &app.hub, id).await?.ok_or(Stop::NotFound)?;
    let intent = intents::service::find(look, id).await?.ok_or(Stop::NotFound)?;
    let basket = intents::service::basket(look, &intent).await?;
    let part = |part: &refunds::Part| {
        let priced = basket.lines.get(part.line).map(|line| &line.priced);
        let nets = priced.map(Priced::nets).unwrap_or_default();
        let net = nets.iter().find(|net| net.charge.component.as_str() == part.component);
        json!({
            "service": part.service, "component": part.component, "amount": part.amount,
            "name": net.map(|net| net.charge.name.clone()), "policy": net.map(|net| net.charge.refund),
            "article": net.map(|net| net.charge.article.clone()), "charged": net.map(|net| net.amount),
        })
    };
    let parts: Vec<Value> = refund.parts.iter().map(part).collect();
    Ok(json!({ "payment": payment, "item": item, "parts": parts }))
}
