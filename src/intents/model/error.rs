use mizan_ledger::Instant;

use super::state::IntentState;
use crate::fault::Fault;
use crate::ids::IntentId;

/// Why an intent was not opened, changed or read.
#[derive(Debug, thiserror::Error)]
pub enum IntentError {
    #[error("there is no such payment intent")]
    NotFound,
    #[error("the reference is used by the live intent {intent}, which is {state}")]
    ReferenceInUse { intent: IntentId, state: IntentState },
    #[error(transparent)]
    Quote(#[from] crate::quoting::QuoteError),
    #[error("the return URL does not stand under a prefix registered for this portal")]
    ReturnUrlNotRegistered,
    #[error("there is no channel {0}")]
    UnknownChannel(String),
    #[error("the channel {channel} cannot carry this payment: {why}")]
    ChannelUnavailable { channel: String, why: &'static str },
    #[error("no channel can carry this payment ({why}): ask for its parts one by one")]
    NoChannel { why: String },
    #[error("an attempt to pay is under way until {until}")]
    AttemptInProgress { until: Instant },
    #[error("an intent that is {state} cannot be canceled")]
    NotCancelable { state: IntentState },
    #[error("an intent that is {state} takes no payment")]
    NotPayable { state: IntentState },
    #[error(transparent)]
    Fault(#[from] Fault),
}

crate::service_error!(IntentError);
