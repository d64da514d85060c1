//! One message on its way to one endpoint, and what came of each try.

use mizan_ledger::Instant;

use super::signing::WebhookSecret;
use crate::ids::{DeliveryId, EventId, WebhookId};

/// How long a delivery is tried, and an endpoint without one success stays enabled.
pub(super) const TRIED_FOR_SECONDS: i64 = 3 * 86_400;

/// Pauses grow to this.
pub(super) const PAUSE_SECONDS_MAX: i64 = 3_600;

/// The shortest pause between two tries of one delivery.
const PAUSE_SECONDS_MIN: i64 = 5;

/// How much of an answer is kept.
pub const ANSWER_BYTES_MAX: usize = 1_024;

/// The type of a test's message.
pub const TEST_TYPE: &str = "webhook_endpoint.test";

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

#[cfg(test)]
pub(super) mod tests {
    use mizan_ledger::Id as _;
    use uuid::Uuid;

    use super::*;

    pub fn start() -> Instant {
        "2026-11-22T08:00:00Z".parse().unwrap()
    }

    pub fn tried(outcome: Outcome) -> Tried {
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

    pub fn answered(status: u16) -> Outcome {
        Outcome::Answered { status, answer: String::new() }
    }

    pub fn silent() -> Outcome {
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
}
