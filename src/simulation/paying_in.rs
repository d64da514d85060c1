//! What agencies pay in for refunds that the hub has to transfer, and who finds it when they do not say what it is for.

use mizan_ledger::Money;

use super::life::{Done, Life, done};
use super::outside::Transfer;
use super::store;
use crate::fault::Fault;
use crate::refunds::pay_ins::service::{self as pay_ins, Decision, Proposal};
use crate::refunds::pay_ins::{awaited_from, reference};
use crate::refunds::{Refund, service};
use crate::suspense;

impl Life {
    /// One of the refunds for which an agency has to pay in.
    async fn awaited(&self) -> Result<Option<Refund>, Fault> {
        let app = &self.stage.app;
        let mut conn = app.pool.acquire().await?;
        let mut awaited = Vec::new();
        for (id, state) in store::page_refunds(&mut conn).await? {
            if matches!(state.as_str(), "awaiting_funds" | "failed") {
                let refund = service::find(&mut conn, id).await?;
                awaited.extend(refund.filter(|refund| awaited_from(&app.hub, refund).is_some()));
            }
        }
        Ok(self.dice.pick(&awaited).cloned())
    }

    /// Its agency pays in: what is asked for, or part of it, or more; under its reference, or in words.
    pub(super) async fn pay_in(&mut self) -> Result<Done, Fault> {
        let Some(refund) = self.awaited().await? else { return Ok(Done::Nothing) };
        let asked = refund.amount.minor();
        let minor = match self.dice.below(10) {
            0 => self.dice.between(1, asked),
            1 => asked + self.dice.between(1, 5_000),
            _ => asked,
        };
        let named = reference(refund.serial).grouped();
        let (reference, text) = match self.dice.below(10) {
            0..=4 => (Some(named.replace(' ', "")), String::new()),
            5..=6 => (None, format!("توريد {named}")),
            _ => (None, "توريد".to_owned()),
        };
        let money = Money::new(minor, refund.amount.currency());
        self.stage.outside.world().transfer(Transfer { money, reference, text });
        Ok(Done::Did)
    }

    /// An officer takes an item in suspense for what was paid in, or decides what another took for it.
    pub(super) async fn match_pay_in(&mut self) -> Result<Done, Fault> {
        let (actor, app) = (self.officer(), &self.stage.app);
        let proposed = {
            let mut conn = app.pool.acquire().await?;
            store::page_proposed(&mut conn).await?
        };
        if let Some(pay_in) = self.dice.pick(&proposed).copied().filter(|_| self.dice.chance(70)) {
            let decision = Decision { pay_in, note: None };
            let decided = if self.dice.chance(20) {
                app.run(&actor, &decision, |tx, one| Box::pin(pay_ins::refuse(tx, one))).await
            } else {
                app.run(&actor, &decision, |tx, one| Box::pin(pay_ins::approve(tx, one))).await
            };
            return done(decided);
        }
        let Some(refund) = self.awaited().await? else { return Ok(Done::Nothing) };
        let items = {
            let mut conn = app.pool.acquire().await?;
            suspense::store::page_open(&mut conn).await?
        };
        let Some(item) = self.dice.pick(&items) else { return Ok(Done::Nothing) };
        let amount = self.dice.chance(30).then(|| {
            Money::new(self.dice.between(1, item.left.minor().saturating_add(50)), item.left.currency())
        });
        let proposal = Proposal { refund: refund.id, item: item.id, amount };
        done(app.run(&actor, &proposal, |tx, one| Box::pin(pay_ins::propose(tx, one))).await)
    }
}
