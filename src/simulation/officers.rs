//! Money asked back and decided on: by two people, whatever they try.

use mizan_ledger::Money;

use super::life::{Done, Life, done};
use super::store;
use crate::app::ServiceError;
use crate::demo;
use crate::fault::Fault;
use crate::ids::RefundId;
use crate::intents::{self, shares};
use crate::quoting;
use crate::refunds::service::{self as refunds, Decision, Redirect};
use crate::refunds::{NewRefund, Payee, RefundError, RefundSource, Wanted};
use crate::suspense;
use crate::tx::Actor;

impl Life {
    pub(super) fn officer(&self) -> Actor {
        self.dice.pick(&self.stage.officers).cloned().unwrap_or_else(|| Actor::hub("nobody"))
    }

    /// Of a payment or of an item in suspense: whole, part, or more than there is.
    pub(super) async fn ask_refund(&mut self) -> Result<Done, Fault> {
        let found = if self.dice.chance(60) { self.paid_source().await? } else { self.item_source().await? };
        let Some((source, refundable)) = found else { return Ok(Done::Nothing) };
        let minor = self.dice.between(1, refundable.minor().saturating_add(100).max(1));
        let wanted = if self.dice.chance(50) {
            Wanted::Whole
        } else {
            Wanted::Amount(Money::new(minor, refundable.currency()))
        };
        let by_portal = self.dice.chance(50);
        let account = match self.dice.below(4) {
            0 => Some(demo::CLOSED_ACCOUNT),
            1 => None,
            _ => Some(demo::PAYER_ACCOUNT),
        };
        let new = NewRefund {
            portal: by_portal.then_some(self.stage.portal),
            source,
            wanted,
            reason: "EXAMPLE".to_owned(),
            refundable,
            payee: account.map(payee),
        };
        let actor = if by_portal { Actor::portal(self.stage.portal) } else { self.officer() };
        let app = &self.stage.app;
        done(app.run(&actor, &new, |tx, new| Box::pin(refunds::request(tx, new))).await)
    }

    async fn paid_source(&self) -> Result<Option<(RefundSource, Money)>, Fault> {
        let mut conn = self.stage.app.pool.acquire().await?;
        let bills = store::page_bills(&mut conn).await?;
        let paid: Vec<_> = bills.iter().filter(|bill| bill.paid.is_positive()).collect();
        let Some(bill) = self.dice.pick(&paid) else { return Ok(None) };
        let Some(intent) = intents::service::find(&mut conn, bill.id).await? else { return Ok(None) };
        let Some(quote) = quoting::service::find(&mut conn, intent.quote).await? else { return Ok(None) };
        let refundable = shares::refundable(&intent, &quote.basket)?;
        Ok(Some((RefundSource::Intent(bill.id), refundable)))
    }

    async fn item_source(&self) -> Result<Option<(RefundSource, Money)>, Fault> {
        let mut conn = self.stage.app.pool.acquire().await?;
        let items = suspense::store::page_open(&mut conn).await?;
        Ok(self.dice.pick(&items).map(|item| (RefundSource::Suspense(item.id), item.left)))
    }

    /// One of the refunds in any of these states.
    async fn refund_in(&self, states: &[&str]) -> Result<Option<RefundId>, Fault> {
        let mut conn = self.stage.app.pool.acquire().await?;
        let refunds = store::page_refunds(&mut conn).await?;
        let fit: Vec<RefundId> = refunds
            .into_iter()
            .filter(|(_, state)| states.contains(&state.as_str()))
            .map(|(id, _)| id)
            .collect();
        Ok(self.dice.pick(&fit).copied())
    }

    /// An officer decides; sometimes the one who asked, which the hub must refuse.
    pub(super) async fn decide_refund(&mut self) -> Result<Done, Fault> {
        let open = ["requested", "awaiting_funds", "approved"];
        let Some(refund) = self.refund_in(&open).await? else { return Ok(Done::Nothing) };
        let (actor, app) = (self.officer(), &self.stage.app);
        let decision = Decision { refund, note: None };
        let decided = match self.dice.below(10) {
            0 => app.run(&actor, &decision, |tx, one| Box::pin(refunds::refuse(tx, one))).await,
            1 => app.run(&actor, &decision, |tx, one| Box::pin(refunds::cancel(tx, one))).await,
            2 => app.run(&actor, &refund, |tx, id| Box::pin(refunds::withdraw(tx, id))).await,
            _ => app.run(&actor, &decision, |tx, one| Box::pin(refunds::approve(tx, one))).await,
        };
        judged(&actor, decided)
    }

    /// After an instruction failed or its money came back: again, to another account, or never.
    pub(super) async fn mend_refund(&mut self) -> Result<Done, Fault> {
        let Some(refund) = self.refund_in(&["failed", "returned"]).await? else { return Ok(Done::Nothing) };
        let (actor, app) = (self.officer(), &self.stage.app);
        let decision = Decision { refund, note: None };
        let decided = match self.dice.below(10) {
            0 => {
                let proposed =
                    app.run(&actor, &decision, |tx, one| Box::pin(refunds::propose_give_up(tx, one))).await;
                match proposed {
                    Ok(_) => {
                        let other = self.officer();
                        app.run(&other, &decision, |tx, one| Box::pin(refunds::give_up(tx, one))).await
                    }
                    refused => refused,
                }
            }
            1 => app.run(&actor, &decision, |tx, one| Box::pin(refunds::cancel(tx, one))).await,
            2..=5 => {
                let redirect = Redirect { refund, payee: payee(demo::PAYER_ACCOUNT) };
                app.run(&actor, &redirect, |tx, one| Box::pin(refunds::redirect(tx, one))).await
            }
            _ => app.run(&actor, &decision, |tx, one| Box::pin(refunds::send_again(tx, one))).await,
        };
        judged(&actor, decided)
    }
}

/// The law of two people, looked at where it is decided: who asked is not who decides.
fn judged(actor: &Actor, decided: Result<crate::refunds::Refund, RefundError>) -> Result<Done, Fault> {
    if let Ok(refund) = &decided
        && refund.requested_by == actor.as_str()
        && refund.decided_by.as_deref() == Some(actor.as_str())
    {
        return Err(Fault::Other(format!("{} asked for {} and decided it", actor.as_str(), refund.id)));
    }
    match decided.map_err(RefundError::into_fault) {
        Ok(_) => Ok(Done::Did),
        Err(Ok(fault)) => Err(fault),
        Err(Err(_)) => Ok(Done::Refused),
    }
}

fn payee(account: &str) -> Payee {
    Payee { name: "Payer (example)".to_owned(), iban: account.to_owned() }
}
