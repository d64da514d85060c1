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
