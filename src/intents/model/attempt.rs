use mizan_ledger::{Instant, Money};
use serde::{Deserialize, Serialize};

use crate::ids::{AttemptId, IntentId};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttemptState {
    Created,
    Redirected,
    Captured,
    Declined,
    Abandoned,
    Unknown,
    Reversed,
}

/// What can happen to an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptEvent {
    /// The provider gave us its page.
    PageOpened,
    Captured,
    Declined,
    /// The payer went away, or the provider never knew the order.
    Abandoned,
    /// Silence past the deadline, or a hint: the provider must be asked.
    Silent,
    Reversed,
}

impl AttemptState {
    pub const ALL: [Self; 7] = [
        Self::Created,
        Self::Redirected,
        Self::Captured,
        Self::Declined,
        Self::Abandoned,
        Self::Unknown,
        Self::Reversed,
    ];

    /// Where the event leads; None when it cannot happen here.
    pub fn apply(self, event: AttemptEvent) -> Option<Self> {
        use AttemptEvent as E;
        match (self, event) {
            (Self::Created, E::PageOpened) => Some(Self::Redirected),
            // Money is a fact: a capture ends an attempt that we had given up.
            (
                Self::Created | Self::Redirected | Self::Unknown | Self::Declined | Self::Abandoned,
                E::Captured,
            ) => Some(Self::Captured),
            // Also where we did not wait for the answer: it says how the attempt ended.
            (Self::Created | Self::Redirected | Self::Unknown | Self::Abandoned, E::Declined) => {
                Some(Self::Declined)
            }
            (Self::Created | Self::Redirected | Self::Unknown, E::Abandoned) => Some(Self::Abandoned),
            (Self::Created | Self::Redirected, E::Silent) => Some(Self::Unknown),
            // Also where the capture was never told: the money came and is gone.
            (
                Self::Captured
                | Self::Created
                | Self::Redirected
                | Self::Unknown
                | Self::Declined
                | Self::Abandoned,
                E::Reversed,
            ) => Some(Self::Reversed),
            _ => None,
        }
    }

    /// A live attempt holds the bill: no second one starts beside it.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Created | Self::Redirected | Self::Unknown)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Redirected => "redirected",
            Self::Captured => "captured",
            Self::Declined => "declined",
            Self::Abandoned => "abandoned",
            Self::Unknown => "unknown",
            Self::Reversed => "reversed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// One try to pay an intent on one channel.
#[derive(Debug, Clone)]
pub struct Attempt {
    pub id: AttemptId,
    pub intent: IntentId,
    pub channel: String,
    pub state: AttemptState,
    pub amount: Money,
    pub provider_session: Option<String>,
    pub page_url: Option<String>,
    pub transaction: Option<String>,
    /// The provider's reason of a decline.
    pub failure: Option<String>,
    pub created_at: Instant,
    pub deadline_at: Instant,
}

impl Attempt {
    /// The key of the money it brought: the channel and the rail's transaction.
    pub fn money_key(&self) -> Option<String> {
        self.transaction.as_ref().map(|name| format!("{}:{name}", self.channel))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every state x event pair, in the order of `AttemptState::ALL`; a dash is illegal.
    #[test]
    fn every_attempt_state_meets_every_event() {
        use AttemptEvent as E;
        let events = [E::PageOpened, E::Captured, E::Declined, E::Abandoned, E::Silent, E::Reversed];
        let table = [
            "created: redirected captured declined abandoned unknown reversed",
            "redirected: - captured declined abandoned unknown reversed",
            "captured: - - - - - reversed",
            "declined: - captured - - - reversed",
            "abandoned: - captured declined - - reversed",
            "unknown: - captured declined abandoned - reversed",
            "reversed: - - - - - -",
        ];
        for (state, row) in AttemptState::ALL.into_iter().zip(table) {
            let cells: Vec<&str> = events
                .into_iter()
                .map(|event| state.apply(event).map_or("-", AttemptState::as_str))
                .collect();
            assert_eq!(format!("{}: {}", state.as_str(), cells.join(" ")), row);
        }
    }
}
