use std::collections::BTreeMap;

use mizan_ledger::Money;

use crate::books::{Beneficiary, Slug, Stage};
use crate::catalogue::{RefundPolicy, Release};
use crate::fault::Fault;
use crate::ids::IntentId;
pub use crate::intents::Outcome;
use crate::intents::{IntentState, shares};
use crate::quoting::{Basket, Net};
use crate::refunds::Part;

/// What one agency says of some lines of an intent; already checked in form.
#[derive(Debug, Clone)]
pub struct Report {
    pub intent: IntentId,
    /// The agencies the caller may speak for.
    pub agencies: Vec<String>,
    pub lines: Vec<Reported>,
}

#[derive(Debug, Clone)]
pub struct Reported {
    /// The place of the line in the intent, from 0.
    pub line: usize,
    pub outcome: Outcome,
    /// Always there for a rejection.
    pub reason: Option<String>,
}

/// Why a report was not taken.
#[derive(Debug, thiserror::Error)]
pub enum FulfilmentError {
    #[error("there is no such payment intent")]
    NotFound,
    #[error("an intent that is {state} is not paid")]
    NotPaid { state: IntentState },
    #[error("the intent has no line {line}")]
    NoSuchLine { place: usize, line: usize },
    #[error("this key does not speak for the agency {agency} of line {line}")]
    OtherAgency { line: usize, agency: Slug },
    #[error("line {line} was rejected, and its refund proposed: it cannot become delivered")]
    AlreadyRejected { line: usize },
    #[error(transparent)]
    Fault(#[from] Fault),
}

crate::service_error!(FulfilmentError);

/// What refunds hold of a payment.
#[derive(Debug, Clone, Default)]
pub struct Refunds {
    /// Of all that are not refused or canceled.
    pub holding: Vec<Part>,
    /// Of those whose money has left its components.
    pub taken: Vec<Part>,
}

/// A component that stops being held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Freed {
    pub line: usize,
    pub component: String,
    pub amount: Money,
}

/// Why a component is released.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    Delivered,
    Rejected,
    /// So many days have passed.
    Time(u16),
}

impl Cause {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Rejected => "rejected",
            Self::Time(_) => "time",
        }
    }

    fn frees(self, net: &Net<'_>) -> bool {
        match self {
            Self::Delivered => true,
            Self::Rejected => net.charge.refund == RefundPolicy::Never,
            Self::Time(days) => matches!(net.charge.release, Release::AfterDays(wanted) if wanted <= days),
        }
    }
}

/// The components of a line that are held and that the cause releases; what refunds have taken of them is gone.
pub fn freed(
    basket: &Basket,
    line: usize,
    cause: Cause,
    refunds: &Refunds,
    released: &[(usize, String)],
) -> Result<Vec<Freed>, Fault> {
    let Some(priced) = basket.lines.get(line).map(|line| &line.priced) else { return Ok(Vec::new()) };
    let mut freed = Vec::new();
    for net in priced.nets() {
        let component = net.charge.component.to_string();
        let held =
            matches!(shares::beneficiary(priced, net.charge), Beneficiary::Agency { stage: Stage::Held, .. });
        let known = released.iter().any(|(at, name)| *at == line && *name == component);
        if held && !known && cause.frees(&net) {
            let amount = net.amount.checked_sub(taken(basket, &refunds.taken, line, &component)?)?;
            freed.push(Freed { line, component, amount });
        }
    }
    Ok(freed)
}

/// What a delivery of the line makes the agency's for good: components refundable until then, less what refunds hold.
pub fn kept(basket: &Basket, line: usize, refunds: &Refunds) -> Result<Money, Fault> {
    let mut kept = Money::zero(basket.currency);
    let Some(priced) = basket.lines.get(line).map(|line| &line.priced) else { return Ok(kept) };
    for net in priced.nets().iter().filter(|net| net.charge.refund == RefundPolicy::UntilDelivered) {
        let component = net.charge.component.to_string();
        let left = net.amount.checked_sub(taken(basket, &refunds.holding, line, &component)?)?;
        kept = kept.checked_add(left)?;
    }
    Ok(kept)
}

fn taken(basket: &Basket, parts: &[Part], line: usize, component: &str) -> Result<Money, Fault> {
    let own = parts.iter().filter(|part| part.line == line && part.component == component);
    Ok(Money::sum(basket.currency, own.map(|part| part.amount))?)
}

/// What each agency is released, by line.
pub fn by_line(freed: &[Freed]) -> Result<BTreeMap<usize, Money>, Fault> {
    let mut sums: BTreeMap<usize, Money> = BTreeMap::new();
    for one in freed {
        let sum = sums.get(&one.line).copied().unwrap_or(Money::zero(one.amount.currency()));
        sums.insert(one.line, sum.checked_add(one.amount)?);
    }
    Ok(sums)
}
