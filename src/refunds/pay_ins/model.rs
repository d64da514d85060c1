use mizan_adapters::reference::RfReference;
use mizan_ledger::{EntryId, Instant, Money};
use serde::Serialize;

use crate::books::Slug;
use crate::ids::{PayInId, RefundId, SuspenseId};
use crate::refunds::service::taken_from;
use crate::refunds::{Refund, RefundState};
use crate::tx::Hub;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PayInState)]
pub enum State {
    Proposed,
    Refused,
    Entered,
}

impl State {
    const ALL: [Self; 3] = [Self::Proposed, Self::Refused, Self::Entered];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Refused => "refused",
            Self::Entered => "entered",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// Money that an agency paid in for a refund.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct PayIn {
    pub id: PayInId,
    pub refund: RefundId,
    pub agency: String,
    pub money: Money,
    /// The bank line that named the refund.
    pub statement_line: Option<i64>,
    /// Or the item in suspense that two people took for it.
    pub item: Option<SuspenseId>,
    pub state: State,
    pub proposed_by: String,
    pub decided_by: Option<String>,
    pub note: Option<String>,
    #[serde(skip)]
    pub entry: EntryId,
    pub created_at: Instant,
    pub decided_at: Option<Instant>,
}

const PREFIX: &str = "MZ";

/// What the agency writes when it pays in for the refund with this serial.
pub fn reference(serial: i64) -> RfReference {
    RfReference::of(&format!("{PREFIX}{serial:09}")).expect("two letters and nine digits or a few more")
}

/// The serial of the refund that a reference is for; None for every other reference.
pub fn serial_of(reference: &RfReference) -> Option<i64> {
    let digits = reference.as_str().get(4..)?.strip_prefix(PREFIX)?;
    (digits.len() == 9).then(|| digits.parse().ok()).flatten()
}

/// The agency that has to pay in before the refund can go on; None when it waits for no money.
pub fn awaited_from(hub: &Hub, refund: &Refund) -> Option<Slug> {
    match refund.state {
        RefundState::AwaitingFunds => only_agency(refund),
        // Its channel did not take it back from the agency: the hub will have to transfer it.
        RefundState::Failed => taken_from(hub, refund),
        _ => None,
    }
}

/// The agency of all its components.
fn only_agency(refund: &Refund) -> Option<Slug> {
    let mut agencies = refund.parts.iter().map(|part| part.service.split('/').next().unwrap_or_default());
    let first = agencies.next()?;
    agencies.all(|other| other == first).then(|| first.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refund_is_known_by_its_reference_and_by_no_other() {
        let twelve = reference(12);
        assert_eq!(twelve.as_str().len(), 15);
        assert_eq!(serial_of(&twelve), Some(12));
        assert_eq!(serial_of(&twelve.grouped().to_lowercase().parse().unwrap()), Some(12));
        assert_eq!(serial_of(&reference(999_999_999)), Some(999_999_999));
        for other in ["RF18539007547034", "RF13PS2026A0042"] {
            assert_eq!(serial_of(&other.parse().unwrap()), None);
        }
    }
}
