use std::fmt;

use serde::{Deserialize, Serialize};

#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum IntentState {
    RequiresPayment,
    Processing,
    PartiallyPaid,
    Paid,
    Expired,
    Canceled,
}

/// What can happen to an intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntentEvent {
    /// A payer began to pay on a channel.
    AttemptStarted,
    /// The last live attempt failed or was abandoned.
    AttemptsEnded,
    /// Money arrived; `completes` when nothing is left to pay.
    MoneyArrived {
        completes: bool,
    },
    /// The total is zero: paid at opening.
    Exempted,
    /// The time is up and no attempt lives.
    TimePassed,
    Canceled,
}

/// The event cannot happen in this state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{event:?} cannot happen to an intent that is {state}")]
pub struct Illegal {
    pub state: IntentState,
    pub event: IntentEvent,
}

impl IntentState {
    pub const ALL: [Self; 6] = [
        Self::RequiresPayment,
        Self::Processing,
        Self::PartiallyPaid,
        Self::Paid,
        Self::Expired,
        Self::Canceled,
    ];

    /// Where the event leads. `paid_before` tells whether some of the amount had been paid: a failed attempt goes
    /// back to where the payer stood.
    pub fn apply(self, event: IntentEvent, paid_before: bool) -> Result<Self, Illegal> {
        use IntentEvent as E;
        let next = match (self, event) {
            (Self::RequiresPayment | Self::PartiallyPaid, E::AttemptStarted) => Self::Processing,
            (Self::Processing, E::AttemptsEnded) if paid_before => Self::PartiallyPaid,
            (Self::Processing, E::AttemptsEnded) => Self::RequiresPayment,
            (
                Self::RequiresPayment | Self::Processing | Self::PartiallyPaid,
                E::MoneyArrived { completes: true },
            ) => Self::Paid,
            (Self::RequiresPayment | Self::PartiallyPaid, E::MoneyArrived { completes: false }) => {
                Self::PartiallyPaid
            }
            // As long as an attempt lives nothing else may begin or end, a part or not.
            (Self::Processing, E::MoneyArrived { completes: false }) => Self::Processing,
            (Self::RequiresPayment, E::Exempted) => Self::Paid,
            (Self::RequiresPayment | Self::PartiallyPaid, E::TimePassed) => Self::Expired,
            (Self::RequiresPayment | Self::PartiallyPaid, E::Canceled) => Self::Canceled,
            _ => return Err(Illegal { state: self, event }),
        };
        Ok(next)
    }

    /// A live intent holds its external reference; no second one is opened beside it.
    pub fn is_live(self) -> bool {
        matches!(self, Self::RequiresPayment | Self::Processing | Self::PartiallyPaid | Self::Paid)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::RequiresPayment => "requires_payment",
            Self::Processing => "processing",
            Self::PartiallyPaid => "partially_paid",
            Self::Paid => "paid",
            Self::Expired => "expired",
            Self::Canceled => "canceled",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

impl fmt::Display for IntentState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENTS: [IntentEvent; 7] = [
        IntentEvent::AttemptStarted,
        IntentEvent::AttemptsEnded,
        IntentEvent::MoneyArrived { completes: true },
        IntentEvent::MoneyArrived { completes: false },
        IntentEvent::Exempted,
        IntentEvent::TimePassed,
        IntentEvent::Canceled,
    ];

    /// Every state x event pair, in the order of `IntentState::ALL` and `EVENTS`; a dash is illegal.
    #[test]
    fn every_state_meets_every_event() {
        let table = [
            "requires_payment: processing - paid partially_paid paid expired canceled",
            "processing: - requires_payment paid processing - - -",
            "partially_paid: processing - paid partially_paid - expired canceled",
            "paid: - - - - - - -",
            "expired: - - - - - - -",
            "canceled: - - - - - - -",
        ];
        for (state, row) in IntentState::ALL.into_iter().zip(table) {
            let cells: Vec<&str> = EVENTS
                .into_iter()
                .map(|event| state.apply(event, false).map_or("-", IntentState::as_str))
                .collect();
            assert_eq!(format!("{state}: {}", cells.join(" ")), row);
        }
        assert_eq!(
            IntentState::Processing.apply(IntentEvent::AttemptsEnded, true),
            Ok(IntentState::PartiallyPaid)
        );
    }
}
