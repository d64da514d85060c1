use mizan_ledger::Instant;

use super::signing::WebhookSecret;
use crate::fault::Fault;
use crate::ids::{DeliveryId, EventId, PortalId, WebhookId};

/// Endpoints of one portal.
pub const ENDPOINTS_MAX: usize = 16;

/// How long a delivery is tried, and an endpoint without one success stays enabled.
const TRIED_FOR_SECONDS: i64 = 3 * 86_400;

/// Pauses grow to this.
const PAUSE_SECONDS_MAX: i64 = 3_600;

/// The shortest pause between two tries of one delivery.
const PAUSE_SECONDS_MIN: i64 = 5;

/// How much of an answer is kept.
pub const ANSWER_BYTES_MAX: usize = 1_024;

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

/// A claimed delivery, ready to be sent.
#[derive(Debug, Clone)]
pub struct Parcel {
    pub id: DeliveryId,
    pub endpoint: WebhookId,
    pub subject: Subject,
    /// Counts the claims: whoever writes a result does so for his own.
    pub attempt: i32,
    pub queued_at: Instant,
    pub url: String,
    /// Whether the endpoint was failing when this was claimed.
    pub probe: bool,
    pub contents: Contents,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// By its number.
    Event(i64),
    Test(EventId),
}

/// What is sent.
#[derive(Debug, Clone)]
pub enum Contents {
    Signed {
        id: EventId,
        body: Vec<u8>,
        secrets: Vec<WebhookSecret>,
    },
    /// It cannot be sent for a reason of ours.
    Missing(&'static str),
}

impl Parcel {
    pub fn is_test(&self) -> bool {
        matches!(self.subject, Subject::Test(_))
    }

    /// Tests and tries of failing endpoints share the few connections that may all be stuck.
    pub fn may_be_stuck(&self) -> bool {
        self.probe || self.is_test()
    }
}

/// What came of one try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// An HTTP status, and the beginning of the body.
    Answered { status: u16, answer: String },
    /// No answer, or no connection.
    Unanswered { why: String },
    /// Not tried, for a reason of ours: the endpoint is not blamed.
    NotSent { why: String },
}

impl Outcome {
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Answered { status: 200..=299, .. })
    }

    pub fn status(&self) -> Option<i16> {
        match self {
            Self::Answered { status, .. } => i16::try_from(*status).ok(),
            _ => None,
        }
    }

    pub fn answer(&self) -> Option<&str> {
        match self {
            Self::Answered { answer, .. } => Some(answer),
            _ => None,
        }
    }

    pub fn error(&self) -> Option<&str> {
        match self {
            Self::Answered { .. } => None,
            Self::Unanswered { why } | Self::NotSent { why } => Some(why),
        }
    }
}

#[derive(Debug, Clone)]
pub struct Tried {
    pub parcel: Parcel,
    pub outcome: Outcome,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    Waiting,
    Delivered,
    Failed,
}

impl DeliveryState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Waiting, Self::Delivered, Self::Failed].into_iter().find(|state| state.as_str() == text)
    }
}

impl Tried {
    /// How the delivery stands now, and when it is tried next if it still waits. A test is tried once.
    pub fn next(&self, now: Instant) -> (DeliveryState, Instant) {
        let waited = now.since(self.parcel.queued_at).as_secs();
        if self.outcome.is_success() {
            (DeliveryState::Delivered, now)
        } else if self.parcel.is_test() || waited >= TRIED_FOR_SECONDS {
            (DeliveryState::Failed, now)
        } else {
            let pause = (waited / 2).clamp(PAUSE_SECONDS_MIN, PAUSE_SECONDS_MAX);
            (DeliveryState::Waiting, now.plus_seconds(pause))
        }
    }
}

/// A delivery as its portal sees it.
#[derive(Debug, Clone)]
pub struct Delivery {
    pub id: DeliveryId,
    pub event: EventId,
    /// `None` for a test.
    pub position: Option<i64>,
    pub kind: String,
    pub state: DeliveryState,
    pub attempts: i32,
    pub queued_at: Instant,
    pub next_at: Instant,
    pub tried_at: Option<Instant>,
    pub status: Option<i16>,
    pub answer: Option<String>,
    pub error: Option<String>,
}

/// The type of a test's message.
pub const TEST_TYPE: &str = "webhook_endpoint.test";

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

    fn start() -> Instant {
        "2026-11-22T08:00:00Z".parse().unwrap()
    }

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

    fn tried(outcome: Outcome) -> Tried {
        let parcel = Parcel {
            id: DeliveryId::from_uuid(Uuid::nil()),
            endpoint: WebhookId::from_uuid(Uuid::nil()),
            subject: Subject::Event(1),
            attempt: 1,
            queued_at: start(),
            url: "https://portal.example/".to_owned(),
            probe: false,
            contents: Contents::Missing("not sent in this test"),
        };
        Tried { parcel, outcome }
    }

    fn answered(status: u16) -> Outcome {
        Outcome::Answered { status, answer: String::new() }
    }

    fn silent() -> Outcome {
        Outcome::Unanswered { why: "no answer".to_owned() }
    }

    #[test]
    fn only_2xx_is_a_success() {
        for (status, success) in
            [(199, false), (200, true), (204, true), (299, true), (301, false), (500, false)]
        {
            assert_eq!(answered(status).is_success(), success, "{status}");
        }
        assert!(!silent().is_success());
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
    fn a_delivery_is_tried_for_three_days_with_growing_pauses() {
        let tried = tried(silent());
        let (mut now, mut pauses) = (start(), Vec::new());
        loop {
            let (state, next) = tried.next(now);
            if state == DeliveryState::Failed {
                break;
            }
            assert_eq!(state, DeliveryState::Waiting);
            pauses.push(next.since(now).as_secs());
            now = next;
        }
        assert_eq!(pauses[..4], [5, 5, 5, 7]);
        assert!(pauses.windows(2).all(|pair| pair[0] <= pair[1]));
        assert_eq!(pauses.last(), Some(&PAUSE_SECONDS_MAX));
        assert!((80..120).contains(&pauses.len()), "{}", pauses.len());
        assert!(now.since(start()).as_secs() >= TRIED_FOR_SECONDS);
    }

    #[test]
    fn success_ends_a_delivery_and_a_test_is_tried_once() {
        assert_eq!(tried(answered(204)).next(start()).0, DeliveryState::Delivered);
        let mut test = tried(answered(500));
        test.parcel.subject = Subject::Test(EventId::from_uuid(Uuid::nil()));
        assert_eq!(test.next(start()).0, DeliveryState::Failed);
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
