//! The bodies of refund requests, read and checked in form.

use mizan_adapters::iban::Iban;
use mizan_ledger::{Id, Money};
use serde::Deserialize;

use super::model::{NewRefund, Payee, RefundSource, Wanted, WantedPart};
use super::service::{Decision, Redirect};
use crate::http::problem::{Faults, FieldCode, Problem};
use crate::ids::{IntentId, PortalId, RefundId};

/// Components named in one request.
const COMPONENTS_MAX: usize = 500;

/// A refund asked for: a whole payment, an amount of it, or some of its components.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewRefund)]
pub struct RefundBody {
    source: String,
    amount: Option<Money>,
    components: Option<Vec<ComponentBody>>,
    reason: String,
    refundable: Money,
    payee: Option<Payee>,
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RefundComponent)]
struct ComponentBody {
    line: usize,
    component: String,
    amount: Option<Money>,
}

impl RefundBody {
    /// # Errors
    /// `validation_failed` with every fault of form.
    pub fn read(self, portal: Option<PortalId>) -> Result<NewRefund, Problem> {
        let mut faults = Faults::default();
        let source = faults.check("/source", source(&self.source));
        faults.text("/reason", &self.reason, 500);
        if self.refundable.is_negative() {
            faults.add("/refundable", FieldCode::OutOfRange);
        }
        let positive = |faults: &mut Faults, pointer: &str, money: Option<Money>| {
            if money.is_some_and(|money| !money.is_positive()) {
                faults.add(pointer, FieldCode::NotPositive);
            }
        };
        positive(&mut faults, "/amount", self.amount);
        let parts = self.components.as_deref().unwrap_or_default();
        for (place, part) in parts.iter().enumerate().take(COMPONENTS_MAX) {
            positive(&mut faults, &format!("/components/{place}/amount"), part.amount);
        }
        match (&self.amount, self.components.as_deref()) {
            (Some(_), Some(_)) => faults.add("/components", FieldCode::NotTogether),
            (None, Some([])) => faults.add("/components", FieldCode::Empty),
            (None, Some(parts)) if parts.len() > COMPONENTS_MAX => {
                faults.add("/components", FieldCode::TooMany);
            }
            _ => {}
        }
        let payee = self.payee.map(|payee| read_payee(payee, "/payee", &mut faults));
        faults.finish()?;
        let wanted = match (self.amount, self.components) {
            (Some(amount), _) => Wanted::Amount(amount),
            (None, Some(parts)) => Wanted::Parts(parts.into_iter().map(ComponentBody::read).collect()),
            (None, None) => Wanted::Whole,
        };
        Ok(NewRefund {
            portal,
            source: source.unwrap_or(RefundSource::Intent(IntentId::from_uuid(uuid::Uuid::nil()))),
            wanted,
            reason: self.reason,
            refundable: self.refundable,
            payee,
        })
    }
}

impl ComponentBody {
    fn read(self) -> WantedPart {
        WantedPart { line: self.line, component: self.component, amount: self.amount }
    }
}

/// `pi_...` or `su_...`
pub fn source(text: &str) -> Result<RefundSource, FieldCode> {
    let intent = text.parse().map(RefundSource::Intent);
    intent.or_else(|_| text.parse().map(RefundSource::Suspense)).map_err(|_| FieldCode::NotAnId)
}

/// The account in its one spelling. Names on payment files have at most 70 characters at most banks.
fn read_payee(payee: Payee, pointer: &str, faults: &mut Faults) -> Payee {
    faults.text(&format!("{pointer}/name"), &payee.name, 70);
    let iban =
        faults.check(&format!("{pointer}/iban"), payee.iban.parse::<Iban>().map_err(|_| FieldCode::Invalid));
    Payee { name: payee.name, iban: iban.map_or(payee.iban, |iban| iban.to_string()) }
}

/// What an approver says with a decision.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Decision)]
pub struct DecisionBody {
    note: Option<String>,
}

impl DecisionBody {
    pub fn read(self, refund: RefundId) -> Result<Decision, Problem> {
        let mut faults = Faults::default();
        if let Some(note) = &self.note {
            faults.text("/note", note, 500);
        }
        faults.finish()?;
        Ok(Decision { refund, note: self.note })
    }

    /// A refusal, or giving up, says why.
    pub fn read_with_note(self, refund: RefundId) -> Result<Decision, Problem> {
        if self.note.is_none() {
            let mut faults = Faults::default();
            faults.add("/note", FieldCode::Required);
            faults.finish()?;
        }
        self.read(refund)
    }
}

/// Another account for a refund that failed or came back.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPayee)]
pub struct RedirectBody {
    payee: Payee,
}

impl RedirectBody {
    pub fn read(self, refund: RefundId) -> Result<Redirect, Problem> {
        let mut faults = Faults::default();
        let payee = read_payee(self.payee, "/payee", &mut faults);
        faults.finish()?;
        Ok(Redirect { refund, payee })
    }
}
