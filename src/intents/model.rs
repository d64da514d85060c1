use std::fmt;

use mizan_adapters::reference::BillNumber;
use mizan_ledger::{Day, Instant, Money};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::fulfilled::{Fulfilment, Outcome};
use crate::fault::Fault;
use crate::ids::{AttemptId, IntentId, PortalId, QuoteId};

/// What a portal asks for when it opens an intent; already validated in form.
#[derive(Debug, Clone)]
pub struct NewIntent {
    pub portal: PortalId,
    pub quote: QuoteId,
    pub external_reference: String,
    pub purpose: String,
    pub payer: Option<Payer>,
    pub return_url: Option<String>,
    pub metadata: Map<String, Value>,
    /// The channels the portal allows; empty for all.
    pub channels: Vec<String>,
}

/// Who pays; not always the beneficiary of the service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Payer {
    pub kind: PayerKind,
    pub id_type: Option<String>,
    pub id_number: Option<String>,
    pub name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    /// `ar` or `en`.
    pub language: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PayerKind {
    Person,
    Company,
}

#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum IntentState {
    RequiresPayment,
    Processing,
    PartiallyPaid,
    Paid,
    Reversed,
    Expired,
    Canceled,
}

/// What can happen to an intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntentEvent {
    /// A payer began to pay on a channel.
    AttemptStarted,
    /// The last live attempt failed or was abandoned.
    AttemptsEnded,
    /// Money arrived; `completes` when nothing is left to pay.
    MoneyArrived {
        completes: bool,
    },
    /// The total is zero: paid by exemption at opening.
    Exempted,
    /// The time is up and no attempt lives.
    TimePassed,
    Canceled,
    /// An officer applies late money while the price is still right.
    LateMoneyApplied,
    /// Dishonoured, chargeback lost, or the confirmation was withdrawn.
    ConfirmationWithdrawn,
}

/// The event cannot happen in this state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{event:?} cannot happen to an intent that is {state}")]
pub struct Illegal {
    pub state: IntentState,
    pub event: IntentEvent,
}

impl IntentState {
    pub const ALL: [Self; 7] = [
        Self::RequiresPayment,
        Self::Processing,
        Self::PartiallyPaid,
        Self::Paid,
        Self::Reversed,
        Self::Expired,
        Self::Canceled,
    ];

    /// Where the event leads. `paid_before` tells whether some of the amount had been paid: a failed attempt goes
    /// back to where the payer stood.
    pub fn apply(self, event: IntentEvent, paid_before: bool) -> Result<Self, Illegal> {
        use IntentEvent as E;
        let next = match (self, event) {
            (Self::RequiresPayment | Self::PartiallyPaid, E::AttemptStarted) => Self::Processing,
            (Self::Processing, E::AttemptsEnded) if paid_before => Self::PartiallyPaid,
            (Self::Processing, E::AttemptsEnded) => Self::RequiresPayment,
            (
                Self::RequiresPayment | Self::Processing | Self::PartiallyPaid | Self::Reversed,
                E::MoneyArrived { completes: true },
            ) => Self::Paid,
            (Self::RequiresPayment | Self::PartiallyPaid, E::MoneyArrived { completes: false }) => {
                Self::PartiallyPaid
            }
            // As long as an attempt lives nothing else may begin or end, a part or not.
            (Self::Processing, E::MoneyArrived { completes: false }) => Self::Processing,
            (Self::RequiresPayment, E::Exempted) => Self::Paid,
            (Self::RequiresPayment | Self::PartiallyPaid, E::TimePassed) => Self::Expired,
            (Self::RequiresPayment | Self::PartiallyPaid, E::Canceled) => Self::Canceled,
            (Self::Expired | Self::Canceled, E::LateMoneyApplied) => Self::Paid,
            (Self::Paid, E::ConfirmationWithdrawn) => Self::Reversed,
            _ => return Err(Illegal { state: self, event }),
        };
        Ok(next)
    }

    /// A live intent holds its external reference; no second one is opened beside it.
    pub fn is_live(self) -> bool {
        matches!(self, Self::RequiresPayment | Self::Processing | Self::PartiallyPaid | Self::Paid)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::RequiresPayment => "requires_payment",
            Self::Processing => "processing",
            Self::PartiallyPaid => "partially_paid",
            Self::Paid => "paid",
            Self::Reversed => "reversed",
            Self::Expired => "expired",
            Self::Canceled => "canceled",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

impl fmt::Display for IntentState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The life of one payment.
#[derive(Debug, Clone)]
pub struct Intent {
    pub id: IntentId,
    pub portal: PortalId,
    pub external_reference: String,
    pub purpose: String,
    pub state: IntentState,
    /// Grows with every change.
    pub version: i32,
    pub amount: Money,
    pub paid: Money,
    /// Asked back and not refused: never more than was paid.
    pub refund_reserved: Money,
    /// Seen leaving at the bank.
    pub refunded: Money,
    pub bill_number: BillNumber,
    pub pay_token: String,
    pub quote: QuoteId,
    pub payer: Option<Payer>,
    pub return_url: Option<String>,
    pub metadata: Map<String, Value>,
    pub channels: Vec<String>,
    pub predecessor: Option<IntentId>,
    pub created_at: Instant,
    pub expires_at: Instant,
    pub paid_at: Option<Instant>,
    pub settlement_on: Option<Day>,
    pub receipt: Option<String>,
    /// What became of the services of its lines.
    pub fulfilment: Fulfilment,
    /// Of what was paid: no longer refundable, because its service was delivered.
    pub kept: Money,
}

/// What arriving money does to an intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// The whole amount is paid now; `surplus` is what came beyond it and belongs in suspense.
    Pays { surplus: Money },
    /// Less than the amount came: held until the rest comes.
    Part { received: Money },
    /// The intent takes no money any more (or never in this currency): all of it belongs in suspense.
    Suspense(Misfit),
}

/// Why money does not fit its intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Misfit {
    /// Paid already: the payer paid twice.
    Duplicate,
    /// Expired or canceled before the money came.
    Late,
    WrongCurrency,
}

impl Intent {
    pub fn due(&self) -> Result<Money, Fault> {
        Ok(self.amount.checked_sub(self.paid)?)
    }

    /// The agency reported that the service of this line was given.
    pub fn is_delivered(&self, line: usize) -> bool {
        self.fulfilment.of(line) == Some(Outcome::Delivered)
    }

    /// Decides what arriving money does; changes nothing.
    pub fn arrival(&self, money: Money) -> Result<Arrival, Fault> {
        if money.currency() != self.amount.currency() {
            return Ok(Arrival::Suspense(Misfit::WrongCurrency));
        }
        let due = match self.state {
            IntentState::Paid => return Ok(Arrival::Suspense(Misfit::Duplicate)),
            IntentState::Expired | IntentState::Canceled => return Ok(Arrival::Suspense(Misfit::Late)),
            IntentState::Reversed => self.amount,
            _ => self.due()?,
        };
        let surplus = money.checked_sub(due)?;
        if surplus.is_negative() {
            return Ok(Arrival::Part { received: money });
        }
        Ok(Arrival::Pays { surplus })
    }

    /// Moves the state machine; the version grows with every change.
    pub fn apply(&mut self, event: IntentEvent) -> Result<(), Illegal> {
        self.state = self.state.apply(event, self.paid.is_positive())?;
        self.version += 1;
        Ok(())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttemptState {
    Created,
    Redirected,
    Authorised,
    Captured,
    Declined,
    Abandoned,
    Voided,
    Unknown,
    Reversed,
}

/// What can happen to an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptEvent {
    /// The provider gave us its page.
    PageOpened,
    Authorised,
    Captured,
    Declined,
    /// The payer went away, or the provider never knew the order.
    Abandoned,
    Voided,
    /// Silence past the deadline, or a hint: the provider must be asked.
    Silent,
    Reversed,
}

impl AttemptState {
    pub const ALL: [Self; 9] = [
        Self::Created,
        Self::Redirected,
        Self::Authorised,
        Self::Captured,
        Self::Declined,
        Self::Abandoned,
        Self::Voided,
        Self::Unknown,
        Self::Reversed,
    ];

    /// Where the event leads; None when it cannot happen here.
    pub fn apply(self, event: AttemptEvent) -> Option<Self> {
        use AttemptEvent as E;
        match (self, event) {
            (Self::Created, E::PageOpened) => Some(Self::Redirected),
            (Self::Created | Self::Redirected | Self::Unknown, E::Authorised) => Some(Self::Authorised),
            // Money is a fact: a capture ends an attempt that we had given up.
            (
                Self::Created
                | Self::Redirected
                | Self::Authorised
                | Self::Unknown
                | Self::Declined
                | Self::Abandoned,
                E::Captured,
            ) => Some(Self::Captured),
            (Self::Created | Self::Redirected | Self::Authorised | Self::Unknown, E::Declined) => {
                Some(Self::Declined)
            }
            (Self::Created | Self::Redirected | Self::Unknown, E::Abandoned) => Some(Self::Abandoned),
            (Self::Authorised | Self::Unknown, E::Voided) => Some(Self::Voided),
            (Self::Created | Self::Redirected | Self::Authorised, E::Silent) => Some(Self::Unknown),
            // Also where the capture was never told: the money came and is gone.
            (
                Self::Captured
                | Self::Created
                | Self::Redirected
                | Self::Authorised
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
        matches!(self, Self::Created | Self::Redirected | Self::Authorised | Self::Unknown)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Redirected => "redirected",
            Self::Authorised => "authorised",
            Self::Captured => "captured",
            Self::Declined => "declined",
            Self::Abandoned => "abandoned",
            Self::Voided => "voided",
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

#[cfg(test)]
mod tests {
    use super::*;

    const EVENTS: [IntentEvent; 9] = [
        IntentEvent::AttemptStarted,
        IntentEvent::AttemptsEnded,
        IntentEvent::MoneyArrived { completes: true },
        IntentEvent::MoneyArrived { completes: false },
        IntentEvent::Exempted,
        IntentEvent::TimePassed,
        IntentEvent::Canceled,
        IntentEvent::LateMoneyApplied,
        IntentEvent::ConfirmationWithdrawn,
    ];

    /// Every state x event pair, in the order of `IntentState::ALL` and `EVENTS`; a dash is illegal.
    #[test]
    fn every_state_meets_every_event() {
        let table = [
            "requires_payment: processing - paid partially_paid paid expired canceled - -",
            "processing: - requires_payment paid processing - - - - -",
            "partially_paid: processing - paid partially_paid - expired canceled - -",
            "paid: - - - - - - - - reversed",
            "reversed: - - paid - - - - - -",
            "expired: - - - - - - - paid -",
            "canceled: - - - - - - - paid -",
        ];
        for (state, row) in IntentState::ALL.into_iter().zip(table) {
            let cells: Vec<&str> = EVENTS
                .into_iter()
                .map(|event| state.apply(event, false).map_or("-", IntentState::as_str))
                .collect();
            assert_eq!(format!("{state}: {}", cells.join(" ")), row);
        }
        assert_eq!(
            IntentState::Processing.apply(IntentEvent::AttemptsEnded, true),
            Ok(IntentState::PartiallyPaid)
        );
    }

    #[test]
    fn every_attempt_state_meets_every_event() {
        use AttemptEvent as E;
        let events = [
            E::PageOpened,
            E::Authorised,
            E::Captured,
            E::Declined,
            E::Abandoned,
            E::Voided,
            E::Silent,
            E::Reversed,
        ];
        let table = [
            "created: redirected authorised captured declined abandoned - unknown reversed",
            "redirected: - authorised captured declined abandoned - unknown reversed",
            "authorised: - - captured declined - voided unknown reversed",
            "captured: - - - - - - - reversed",
            "declined: - - captured - - - - reversed",
            "abandoned: - - captured - - - - reversed",
            "voided: - - - - - - - -",
            "unknown: - authorised captured declined abandoned voided - reversed",
            "reversed: - - - - - - - -",
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
