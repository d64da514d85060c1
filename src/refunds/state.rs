//! Where a refund stands, what can happen to it, and what its portal sees of that.

use std::fmt;

use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RefundStage)]
pub enum RefundState {
    Requested,
    Refused,
    Canceled,
    /// Approved, but giving it back now would take its account below its limit.
    AwaitingFunds,
    Approved,
    Submitted,
    /// Sent, and nobody knows whether it was taken: asked about, or handed over again to a bank that refuses repeats.
    Unknown,
    Failed,
    Succeeded,
    /// Seen leaving, then seen coming back.
    Returned,
    /// No way to the payer was found within the legal time.
    Unclaimed,
}

/// What can happen to a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundEvent {
    /// Another person agreed, and the book took the entry.
    Approved,
    /// Another person agreed, and the book refused the entry below a floor.
    FundsMissing,
    Refused,
    Canceled,
    /// The rail has the instruction.
    Taken,
    /// The instruction left and no answer came.
    Silent,
    /// The rail did not carry it out.
    Failed,
    /// A person sends the next instruction.
    SentAgain,
    /// A statement or settlement shows the money leaving.
    Seen,
    /// A statement shows it coming back.
    CameBack,
    GivenUp,
}

/// The event cannot happen in this state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{event:?} cannot happen to a refund that is {state}")]
pub struct Illegal {
    pub state: RefundState,
    pub event: RefundEvent,
}

/// What a portal sees of the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RefundState)]
pub enum PortalState {
    Pending,
    Succeeded,
    /// Not carried out, refused, or given up. It is pending again when staff send the next instruction.
    Failed,
    Canceled,
}

impl RefundState {
    pub const ALL: [Self; 11] = [
        Self::Requested,
        Self::Refused,
        Self::Canceled,
        Self::AwaitingFunds,
        Self::Approved,
        Self::Submitted,
        Self::Unknown,
        Self::Failed,
        Self::Succeeded,
        Self::Returned,
        Self::Unclaimed,
    ];

    /// Nothing more is to be done for it; what was seen leaving may still come back.
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Refused | Self::Canceled | Self::Succeeded | Self::Unclaimed)
    }

    /// Where the event leads.
    pub fn apply(self, event: RefundEvent) -> Result<Self, Illegal> {
        use RefundEvent as E;
        let next = match (self, event) {
            (Self::Requested | Self::AwaitingFunds, E::Approved) => Self::Approved,
            (Self::Requested | Self::AwaitingFunds, E::FundsMissing) => Self::AwaitingFunds,
            (Self::Requested, E::Refused) => Self::Refused,
            // A failed or returned one only when the channel has taken the payment back: the payer has the money.
            (
                Self::Requested | Self::AwaitingFunds | Self::Approved | Self::Failed | Self::Returned,
                E::Canceled,
            ) => Self::Canceled,
            // What the rail says of its own is a fact: it may tell of success after we had given up.
            (Self::Approved | Self::Unknown | Self::Failed, E::Taken) => Self::Submitted,
            (Self::Approved, E::Silent) => Self::Unknown,
            (Self::Approved | Self::Submitted | Self::Unknown, E::Failed) => Self::Failed,
            (Self::Failed | Self::Returned, E::SentAgain) => Self::Approved,
            (Self::Submitted | Self::Unknown, E::Seen) => Self::Succeeded,
            (Self::Succeeded, E::CameBack) => Self::Returned,
            (Self::Failed | Self::Returned, E::GivenUp) => Self::Unclaimed,
            _ => return Err(Illegal { state: self, event }),
        };
        Ok(next)
    }

    /// The money stands in `refunds/in_flight`: it has left our hands and no statement has shown it yet.
    pub fn is_in_flight(self) -> bool {
        matches!(self, Self::Submitted | Self::Unknown)
    }

    /// Nothing was taken from the components yet.
    pub fn is_undecided(self) -> bool {
        matches!(self, Self::Requested | Self::AwaitingFunds)
    }

    /// The money stays set apart for this refund; a refused or canceled one gives it free.
    pub fn holds_money(self) -> bool {
        !matches!(self, Self::Refused | Self::Canceled)
    }

    pub fn seen_by_portal(self) -> PortalState {
        match self {
            Self::Requested | Self::AwaitingFunds | Self::Approved | Self::Submitted | Self::Unknown => {
                PortalState::Pending
            }
            Self::Succeeded => PortalState::Succeeded,
            Self::Refused | Self::Failed | Self::Returned | Self::Unclaimed => PortalState::Failed,
            Self::Canceled => PortalState::Canceled,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Refused => "refused",
            Self::Canceled => "canceled",
            Self::AwaitingFunds => "awaiting_funds",
            Self::Approved => "approved",
            Self::Submitted => "submitted",
            Self::Unknown => "unknown",
            Self::Failed => "failed",
            Self::Succeeded => "succeeded",
            Self::Returned => "returned",
            Self::Unclaimed => "unclaimed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

impl fmt::Display for RefundState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl PortalState {
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "pending" => Some(Self::Pending),
            "succeeded" => Some(Self::Succeeded),
            "failed" => Some(Self::Failed),
            "canceled" => Some(Self::Canceled),
            _ => None,
        }
    }

    /// The states it stands for.
    pub fn states(self) -> Vec<RefundState> {
        RefundState::ALL.into_iter().filter(|state| state.seen_by_portal() == self).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENTS: [RefundEvent; 11] = [
        RefundEvent::Approved,
        RefundEvent::FundsMissing,
        RefundEvent::Refused,
        RefundEvent::Canceled,
        RefundEvent::Taken,
        RefundEvent::Silent,
        RefundEvent::Failed,
        RefundEvent::SentAgain,
        RefundEvent::Seen,
        RefundEvent::CameBack,
        RefundEvent::GivenUp,
    ];

    /// Every state x event pair, in the order of `RefundState::ALL` and `EVENTS`; a dash is illegal.
    #[test]
    fn every_state_meets_every_event() {
        let table = [
            "requested: approved awaiting_funds refused canceled - - - - - - -",
            "refused: - - - - - - - - - - -",
            "canceled: - - - - - - - - - - -",
            "awaiting_funds: approved awaiting_funds - canceled - - - - - - -",
            "approved: - - - canceled submitted unknown failed - - - -",
            "submitted: - - - - - - failed - succeeded - -",
            "unknown: - - - - submitted - failed - succeeded - -",
            "failed: - - - canceled submitted - - approved - - unclaimed",
            "succeeded: - - - - - - - - - returned -",
            "returned: - - - canceled - - - approved - - unclaimed",
            "unclaimed: - - - - - - - - - - -",
        ];
        for (state, row) in RefundState::ALL.into_iter().zip(table) {
            let cells: Vec<&str> =
                EVENTS.into_iter().map(|event| state.apply(event).map_or("-", RefundState::as_str)).collect();
            assert_eq!(format!("{state}: {}", cells.join(" ")), row);
        }
    }

    #[test]
    fn every_state_survives_text_and_has_one_name_for_portals() {
        for state in RefundState::ALL {
            assert_eq!(RefundState::parse(state.as_str()), Some(state));
            assert!(state.seen_by_portal().states().contains(&state));
        }
        assert_eq!(RefundState::parse("paid"), None);
        let named: usize =
            ["pending", "succeeded", "failed", "canceled"].map(|name| states(name).len()).iter().sum();
        assert_eq!(named, RefundState::ALL.len());
    }

    fn states(name: &str) -> Vec<RefundState> {
        PortalState::parse(name).expect("a name portals see").states()
    }
}
