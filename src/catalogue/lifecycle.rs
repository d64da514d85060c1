//! The stored states of a fee version. Scheduled, active and retired are not stored: they follow from the
//! version's days (`FeeVersion::phase`).

use mizan_ledger::Day;
use serde::{Deserialize, Serialize};

/// Where a fee version stands on its way to being charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VersionState {
    /// Being written; only its author sees it.
    Draft,
    /// Waits for a second person. An edit sends it back to draft and voids approvals.
    Submitted,
    /// Charged from its first day to its last.
    Approved,
    /// Stopped by one person; quotes are refused with the reason until two resume it.
    Suspended,
    /// Taken back before its first day; never charged.
    Withdrawn,
}

/// What happens to a fee version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionEvent {
    Submitted,
    Returned,
    Recalled,
    Approved,
    Withdrawn { on: Day, first_day: Day },
    Suspended,
    Resumed,
}

/// The event cannot happen in this state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a fee version that is {state:?} cannot be {event:?}")]
pub struct Illegal {
    pub state: VersionState,
    pub event: VersionEvent,
}

impl VersionState {
    pub fn apply(self, event: VersionEvent) -> Result<Self, Illegal> {
        match (self, event) {
            (Self::Draft, VersionEvent::Submitted) => Ok(Self::Submitted),
            (Self::Submitted, VersionEvent::Returned | VersionEvent::Recalled) => Ok(Self::Draft),
            (Self::Submitted, VersionEvent::Approved) => Ok(Self::Approved),
            (Self::Approved, VersionEvent::Withdrawn { on, first_day }) if on < first_day => {
                Ok(Self::Withdrawn)
            }
            (Self::Approved, VersionEvent::Suspended) => Ok(Self::Suspended),
            (Self::Suspended, VersionEvent::Resumed) => Ok(Self::Approved),
            (state, event) => Err(Illegal { state, event }),
        }
    }

    /// May a price be promised by this version?
    pub fn sells(self) -> bool {
        self == Self::Approved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_of_state_and_event_is_decided() {
        use VersionState as S;
        let day = |text: &str| text.parse::<Day>().unwrap();
        let before = VersionEvent::Withdrawn { on: day("2026-01-31"), first_day: day("2026-02-01") };
        let begun = VersionEvent::Withdrawn { on: day("2026-02-01"), first_day: day("2026-02-01") };
        let events = [
            VersionEvent::Submitted,
            VersionEvent::Returned,
            VersionEvent::Recalled,
            VersionEvent::Approved,
            before,
            begun,
            VersionEvent::Suspended,
            VersionEvent::Resumed,
        ];
        let (no, draft, sent, good) = (None, Some(S::Draft), Some(S::Submitted), Some(S::Approved));
        for (state, expected) in [
            (S::Draft, [sent, no, no, no, no, no, no, no]),
            (S::Submitted, [no, draft, draft, good, no, no, no, no]),
            (S::Approved, [no, no, no, no, Some(S::Withdrawn), no, Some(S::Suspended), no]),
            (S::Suspended, [no, no, no, no, no, no, no, good]),
            (S::Withdrawn, [no; 8]),
        ] {
            assert_eq!(events.map(|event| state.apply(event).ok()), expected, "{state:?}");
            assert_eq!(state.sells(), state == S::Approved);
        }
    }
}
