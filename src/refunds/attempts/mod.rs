//! Instructions to a rail. One is committed as `sending` before its first byte leaves; whoever finds it so knows
//! only that nobody knows.
//!
//! ```text
//! sending ─► accepted · carried_out · rejected · unknown ─ asked ─► accepted · carried_out · rejected
//!    ▲  └─► not_sent                                           accepted ─► carried_out · rejected
//!    └─────────┘
//! ```

pub mod store;

use mizan_ledger::Instant;

use crate::ids::RefundId;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptState {
    Sending,
    /// The rail has it, and has not said what became of it.
    Accepted,
    /// The rail says that the payer has the money: no word of it to the contrary moves anything.
    CarriedOut,
    Rejected,
    Unknown,
    /// No byte of it reached the part that acts: the same instruction may be sent again.
    NotSent,
}

impl AttemptState {
    const ALL: [Self; 6] =
        [Self::Sending, Self::Accepted, Self::CarriedOut, Self::Rejected, Self::Unknown, Self::NotSent];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sending => "sending",
            Self::Accepted => "accepted",
            Self::CarriedOut => "carried_out",
            Self::Rejected => "rejected",
            Self::Unknown => "unknown",
            Self::NotSent => "not_sent",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// One instruction.
#[derive(Debug, Clone)]
pub struct Attempt {
    pub refund: RefundId,
    pub instruction: i32,
    pub state: AttemptState,
    pub reference: String,
    pub answer: Option<String>,
    pub started_at: Instant,
}
