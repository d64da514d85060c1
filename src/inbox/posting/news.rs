//! News that is no money: an attempt failed, a payment was taken back, a refund of ours was decided.

use serde_json::json;

use super::super::model::{Meaning, Notice};
use super::Decided;
use crate::breaks::{Category, NewBreak};
use crate::fault::Fault;
use crate::ids::IntentId;
use crate::intents::AttemptEvent;
use crate::refunds::{self, service::Heard};

impl Decided {
    pub(super) fn declined(&mut self, notice: &Notice, intent: Option<IntentId>) -> Result<String, Fault> {
        let Some(case) = intent.and_then(|id| self.cases.get_mut(&id)) else {
            return Ok("unknown order".to_owned());
        };
        if case.attempt_of(notice).is_none() {
            return Ok("no attempt".to_owned());
        }
        if !case.move_attempt(notice, AttemptEvent::Declined) {
            return Ok("too late".to_owned());
        }
        self.back(intent)?;
        Ok("declined".to_owned())
    }

    /// The channel takes a payment back: what it paid of the intent is not refunded any more, and its portal is told. What
    /// else follows a person decides, because the service may be delivered. Where its capture was never told, the attempt
    /// ends by it and the payer may try again.
    pub(super) fn reversed(&mut self, notice: &Notice, intent: Option<IntentId>) -> Result<String, Fault> {
        let case = intent.and_then(|id| self.cases.get_mut(&id));
        let (subject, money) = self.back.take(case, notice)?;
        let mut detail = self.detail(notice, intent);
        if let Some(case) = intent.and_then(|id| self.cases.get_mut(&id)) {
            if self.back.recount(case)? {
                self.events.push(("payment_intent.reversed", case.intent.id));
            }
            detail["paid"] = json!(case.intent.paid);
            detail["asked_back"] = json!(case.intent.refund_reserved);
            detail["refunded"] = json!(case.intent.refunded);
        }
        self.back(intent)?;
        self.breaks.push(NewBreak {
            category: Category::Reversed,
            subject,
            money: Some(money),
            channel: Some(notice.channel.clone()),
            intent,
            detail,
        });
        Ok("break: reversed".to_owned())
    }

    /// What was told as taken back before it had come is taken back now.
    pub(super) fn recount(&mut self, id: IntentId) -> Result<(), Fault> {
        if let Some(case) = self.cases.get_mut(&id)
            && self.back.recount(case)?
        {
            self.events.push(("payment_intent.reversed", id));
        }
        Ok(())
    }

    /// Tells the portal when the last attempt has ended and its bill waits for payment again.
    pub(super) fn back(&mut self, intent: Option<IntentId>) -> Result<(), Fault> {
        let Some(id) = intent else { return Ok(()) };
        if let Some(case) = self.cases.get_mut(&id)
            && case.settle_attempts()?
        {
            self.events.push(("payment_intent.attempt_failed", id));
        }
        Ok(())
    }

    /// News of a refund of ours: its own worker applies it, because the poster does not lock refunds.
    pub(super) fn refund_told(&mut self, notice: &Notice) -> String {
        let Some(reference) = notice.reference.clone() else { return "no reference".to_owned() };
        let failed = notice.meaning == Meaning::RefundFailed;
        let reason = || notice.reason.clone().unwrap_or_else(|| "failed".to_owned());
        self.jobs.push(refunds::service::notice_job(&Heard {
            channel: notice.channel.clone(),
            reference,
            money: notice.money,
            transaction: notice.transaction.clone(),
            failed: failed.then(reason),
        }));
        "told to refunds".to_owned()
    }
}
