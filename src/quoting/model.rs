//! How long a promise holds, and the one time it is kept.

use mizan_ledger::{Instant, Zone};
use serde::{Deserialize, Serialize};

use crate::catalogue::FeeVersion;

/// Where a quote stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuoteState {
    Open,
    /// An intent was opened with it; once.
    Used,
    /// Its time passed unused.
    Expired,
}

/// What happens to a quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuoteEvent {
    /// An intent asks for it.
    Redeemed { at: Instant, expires_at: Instant },
    /// Somebody looks whether its time has passed.
    Lapsed { at: Instant, expires_at: Instant },
}

/// Why a quote cannot be redeemed or lapse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QuoteRefusal {
    #[error("the quote expired at {at}")]
    Expired { at: Instant },
    #[error("the quote was used before")]
    Used,
    #[error("the quote holds until {until}")]
    StillOpen { until: Instant },
}

impl QuoteState {
    pub fn apply(self, event: QuoteEvent) -> Result<Self, QuoteRefusal> {
        match (self, event) {
            (Self::Open, QuoteEvent::Redeemed { at, expires_at }) if at < expires_at => Ok(Self::Used),
            (Self::Open, QuoteEvent::Lapsed { at, expires_at }) if expires_at <= at => Ok(Self::Expired),
            (Self::Open, QuoteEvent::Lapsed { expires_at, .. }) => {
                Err(QuoteRefusal::StillOpen { until: expires_at })
            }
            (Self::Open | Self::Expired, QuoteEvent::Redeemed { expires_at, .. })
            | (Self::Expired, QuoteEvent::Lapsed { expires_at, .. }) => {
                Err(QuoteRefusal::Expired { at: expires_at })
            }
            (Self::Used, _) => Err(QuoteRefusal::Used),
        }
    }
}

/// When a promise issued now ends: after `hold_seconds`, but never later than the last moment at which every
/// line still has its price, the end of its version's last day in its agency's zone.
pub fn expiry<'a>(
    issued_at: Instant,
    hold_seconds: i64,
    lines: impl IntoIterator<Item = (&'a FeeVersion, &'a Zone)>,
) -> Instant {
    let ends = lines.into_iter().filter_map(|(version, zone)| Some(version.valid.to?.start_in(zone)));
    ends.fold(issued_at.plus_seconds(hold_seconds), Instant::min)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().expect("an instant")
    }

    #[test]
    fn every_pair_of_state_and_event_is_decided() {
        let expires_at = at("2026-06-15T10:00:00Z");
        let [before, then] = ["2026-06-15T09:59:59.999999Z", "2026-06-15T10:00:00Z"].map(at);
        let expired = Err(QuoteRefusal::Expired { at: expires_at });
        let open = Err(QuoteRefusal::StillOpen { until: expires_at });
        let used = Err(QuoteRefusal::Used);
        for (state, expected) in [
            (QuoteState::Open, [Ok(QuoteState::Used), expired, open, Ok(QuoteState::Expired)]),
            (QuoteState::Used, [used; 4]),
            (QuoteState::Expired, [expired; 4]),
        ] {
            let events = [
                QuoteEvent::Redeemed { at: before, expires_at },
                QuoteEvent::Redeemed { at: then, expires_at },
                QuoteEvent::Lapsed { at: before, expires_at },
                QuoteEvent::Lapsed { at: then, expires_at },
            ];
            assert_eq!(events.map(|event| state.apply(event)), expected, "{state:?}");
        }
    }

    #[test]
    fn no_promise_outlives_the_price_of_any_line() {
        let version = crate::quoting::tests::version(); // to 2027-01-01
        let open_end =
            FeeVersion { valid: crate::catalogue::Validity { to: None, ..version.valid }, ..version.clone() };
        let hebron: Zone = "Asia/Hebron".parse().expect("a zone");
        let issued = at("2026-12-31T21:50:00Z"); // ten minutes before the new year in Hebron
        assert_eq!(expiry(issued, 1_800, [(&version, &hebron)]), at("2026-12-31T22:00:00Z"));
        assert_eq!(expiry(issued, 300, [(&version, &hebron)]), at("2026-12-31T21:55:00Z"));
        assert_eq!(expiry(issued, 1_800, [(&open_end, &hebron)]), at("2026-12-31T22:20:00Z"));
        let both = [(&open_end, &hebron), (&version, &hebron)];
        assert_eq!(expiry(issued, 1_800, both), at("2026-12-31T22:00:00Z"));
    }
}
