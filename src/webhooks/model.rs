use mizan_ledger::Instant;

use super::delivery::{Outcome, PAUSE_SECONDS_MAX, TRIED_FOR_SECONDS, Tried};
use crate::fault::Fault;
use crate::ids::{PortalId, WebhookId};

/// Endpoints of one portal.
pub const ENDPOINTS_MAX: usize = 16;

/// Where a portal hears its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub id: WebhookId,
    pub portal: PortalId,
    pub url: String,
    /// None means all.
    pub types: Vec<String>,
    /// Newest first; two during rotation.
    pub secrets_sealed: Vec<Vec<u8>>,
    pub state: EndpointState,
    pub created_at: Instant,
    /// Since when no try succeeded; `None` while it is sound.
    pub failing_since: Option<Instant>,
    /// Not tried before.
    pub paused_until: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndpointState {
    Enabled,
    Disabled(DisabledReason),
    /// Kept for the record of its deliveries; its portal sees it no more.
    Deleted,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisabledReason {
    /// By its portal.
    Asked,
    /// Three days without a success.
    Failing,
}

impl DisabledReason {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Failing => "failing",
        }
    }
}

/// What one try taught about an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lesson {
    Nothing,
    Changed,
    /// It has just been disabled: somebody must hear of it.
    Disabled,
}

impl Endpoint {
    pub fn wants(&self, kind: &str) -> bool {
        self.types.is_empty() || self.types.iter().any(|wanted| wanted == kind)
    }

    /// Enabling begins anew: what failed before does not count.
    pub fn enable(&mut self) {
        self.state = EndpointState::Enabled;
        self.failing_since = None;
        self.paused_until = None;
    }

    /// Learns from a try. The pause before the next one is half of the time since the failures began, so that it
    /// grows by half with each: quick ones at first, hourly ones later.
    pub fn learn(&mut self, tried: &Tried, now: Instant) -> Lesson {
        match tried.outcome {
            _ if self.state == EndpointState::Deleted => Lesson::Nothing,
            Outcome::NotSent { .. } => Lesson::Nothing,
            _ if tried.outcome.is_success() => {
                let was_failing = self.failing_since.take().is_some() | self.paused_until.take().is_some();
                if was_failing { Lesson::Changed } else { Lesson::Nothing }
            }
            _ if tried.parcel.is_test() => Lesson::Nothing,
            _ => {
                let failing_for = now.since(*self.failing_since.get_or_insert(now)).as_secs();
                self.paused_until = Some(now.plus_seconds((failing_for / 2).min(PAUSE_SECONDS_MAX)));
                if failing_for < TRIED_FOR_SECONDS || self.state != EndpointState::Enabled {
                    return Lesson::Changed;
                }
                self.state = EndpointState::Disabled(DisabledReason::Failing);
                Lesson::Disabled
            }
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    #[error("this portal has no such webhook endpoint")]
    NotFound,
    #[error("a portal has at most {ENDPOINTS_MAX} webhook endpoints")]
    TooManyEndpoints,
    #[error("the endpoint has two secrets: drop the old one first")]
    TwoSecrets,
    #[error("events up to {pruned} are no longer kept")]
    EventsGone { pruned: i64 },
    #[error(transparent)]
    Fault(#[from] Fault),
}

crate::service_error!(WebhookError);

#[cfg(test)]
mod tests {
    use mizan_ledger::Id as _;
    use uuid::Uuid;

    use super::*;
    use crate::ids::EventId;
    use crate::webhooks::delivery::Subject;
    use crate::webhooks::delivery::tests::{answered, silent, start, tried};

    fn endpoint() -> Endpoint {
        Endpoint {
            id: WebhookId::from_uuid(Uuid::nil()),
            portal: PortalId::from_uuid(Uuid::nil()),
            url: "https://portal.example/".to_owned(),
            types: Vec::new(),
            secrets_sealed: vec![vec![1]],
            state: EndpointState::Enabled,
            created_at: start(),
            failing_since: None,
            paused_until: None,
        }
    }

    #[test]
    fn no_types_means_all() {
        let mut endpoint = endpoint();
        assert!(endpoint.wants("payment_intent.paid"));
        endpoint.types = vec!["refund.succeeded".to_owned()];
        assert!(!endpoint.wants("payment_intent.paid"));
        assert!(endpoint.wants("refund.succeeded"));
    }

    #[test]
    fn a_dead_endpoint_is_disabled_after_three_days() {
        let mut endpoint = endpoint();
        let (mut now, mut probes) = (start(), 0);
        while endpoint.learn(&tried(silent()), now) == Lesson::Changed {
            let until = endpoint.paused_until.expect("a pause");
            // Ten seconds of silence before it is known again that nobody answers.
            now = until.plus_seconds(10);
            probes += 1;
        }
        assert_eq!(endpoint.state, EndpointState::Disabled(DisabledReason::Failing));
        assert!(now.since(start()).as_secs() >= TRIED_FOR_SECONDS);
        assert!((70..120).contains(&probes), "{probes}");
        endpoint.enable();
        assert_eq!((endpoint.failing_since, endpoint.paused_until), (None, None));
    }

    #[test]
    fn one_success_makes_an_endpoint_sound_again() {
        let mut endpoint = endpoint();
        assert_eq!(endpoint.learn(&tried(answered(500)), start()), Lesson::Changed);
        let later = start().plus_seconds(2 * 86_400);
        assert_eq!(endpoint.learn(&tried(answered(200)), later), Lesson::Changed);
        assert_eq!(endpoint.learn(&tried(answered(200)), later), Lesson::Nothing);
        let much_later = start().plus_seconds(4 * 86_400);
        assert_eq!(endpoint.learn(&tried(silent()), much_later), Lesson::Changed);
        assert_eq!(endpoint.state, EndpointState::Enabled);
    }

    #[test]
    fn neither_our_own_faults_nor_tests_blame_an_endpoint() {
        let mut endpoint = endpoint();
        let ours = tried(Outcome::NotSent { why: "ours".to_owned() });
        assert_eq!(endpoint.learn(&ours, start()), Lesson::Nothing);
        let mut test = tried(silent());
        test.parcel.subject = Subject::Test(EventId::from_uuid(Uuid::nil()));
        assert_eq!(endpoint.learn(&test, start()), Lesson::Nothing);
        assert_eq!(endpoint, super::tests::endpoint());
    }
}
