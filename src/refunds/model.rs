use std::fmt;

use mizan_ledger::{Currency, EntryId, Instant, Money};
use serde::{Deserialize, Serialize};

use super::components::Part;
use super::state::{Illegal, RefundEvent, RefundState};
use crate::fault::Fault;
use crate::ids::{IntentId, PaymentFileId, PortalId, RefundId, SuspenseId};

/// Where the money comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum RefundSource {
    Intent(IntentId),
    /// Money that was never applied: late, twice, too much.
    Suspense(SuspenseId),
}

impl RefundSource {
    pub fn intent(self) -> Option<IntentId> {
        match self {
            Self::Intent(id) => Some(id),
            Self::Suspense(_) => None,
        }
    }
}

impl fmt::Display for RefundSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Intent(id) => id.fmt(f),
            Self::Suspense(id) => id.fmt(f),
        }
    }
}

/// How the money goes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rail {
    /// The way it came: the channel gives back part or all of its transaction.
    Gateway { channel: String, transaction: String },
    /// By payment file from one of our accounts (its name in the books) to the payee.
    Bank { account: String },
}

/// To whom a transfer goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Payee {
    pub name: String,
    /// Checked for country, length and check digits; without spaces.
    pub iban: String,
}

/// What a portal or a member of staff asks for; already validated in form.
#[derive(Debug, Clone)]
pub struct NewRefund {
    /// The asking portal; none for staff, who see the money of all.
    pub portal: Option<PortalId>,
    pub source: RefundSource,
    pub wanted: Wanted,
    pub reason: String,
    /// What the asker believes is left to refund.
    pub refundable: Money,
    pub payee: Option<Payee>,
}

/// How much.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// Everything that may be given back.
    Whole,
    /// Shared among the refundable components in proportion to what is left of each.
    Amount(Money),
    Parts(Vec<WantedPart>),
}

/// One component, whole or in part.
#[derive(Debug, Clone)]
pub struct WantedPart {
    /// The place of the line in the intent, from 0.
    pub line: usize,
    pub component: String,
    /// All that is left of it when none is given.
    pub amount: Option<Money>,
}

/// Money on its way back.
#[derive(Debug, Clone)]
pub struct Refund {
    pub id: RefundId,
    /// Of its references on payment files.
    pub serial: i64,
    pub portal: Option<PortalId>,
    pub source: RefundSource,
    pub state: RefundState,
    /// Grows with every change.
    pub version: i32,
    pub amount: Money,
    /// Which components it takes from; empty for money in suspense.
    pub parts: Vec<Part>,
    pub reason: String,
    pub rail: Rail,
    pub payee: Option<Payee>,
    /// The portal or person who asked, or who last named another payee.
    pub requested_by: String,
    pub decided_by: Option<String>,
    pub decision_note: Option<String>,
    /// Which instruction is the current one; 0 before the first.
    pub instruction: i32,
    /// The rail's own id of the current instruction.
    pub provider_transaction: Option<String>,
    pub payment_file: Option<PaymentFileId>,
    /// The id under which the approval is entered; another one after the book refused.
    pub approved_entry: EntryId,
    pub created_at: Instant,
    pub decided_at: Option<Instant>,
    pub submitted_at: Option<Instant>,
    pub succeeded_at: Option<Instant>,
    /// Why the last instruction failed, in the rail's word.
    pub failure: Option<String>,
    pub proposal: Option<Proposal>,
}

/// A proposal of a refund's end, which another person agrees to: of a failed or returned one that it is given up, of an unknown
/// one that it was not carried out.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = RefundProposal)]
pub struct Proposal {
    pub by: String,
    pub note: Option<String>,
}

impl Refund {
    /// Moves the state machine.
    pub fn apply(&mut self, event: RefundEvent) -> Result<(), Illegal> {
        self.state = self.state.apply(event)?;
        self.changed();
        Ok(())
    }

    /// The version grows with every change, and what was proposed of it before is over.
    pub fn changed(&mut self) {
        self.version += 1;
        self.proposal = None;
    }

    /// Whether another account was named since the last instruction: the next one has its number already, and waits
    /// for a person to send it.
    pub fn is_redirected(&self) -> bool {
        matches!(self.state, RefundState::Failed | RefundState::Returned) && self.decided_by.is_none()
    }

    /// Our reference of the current instruction on its rail, never used for another one. A gateway takes the id; on
    /// payment files and statements it must fit 16 characters of the SWIFT set, which is all some banks give back.
    pub fn reference(&self) -> String {
        match (&self.rail, self.instruction) {
            (Rail::Gateway { .. }, ..=1) => self.id.to_string(),
            (Rail::Gateway { .. }, instruction) => format!("{}-{instruction}", self.id),
            (Rail::Bank { .. }, instruction) => format!("MZ{:09}-{instruction}", self.serial),
        }
    }
}

/// Why a refund was not asked for, decided or changed.
#[derive(Debug, thiserror::Error)]
pub enum RefundError {
    #[error("nobody has proposed it")]
    NotProposed,
    #[error("there is no such refund, payment intent or item")]
    NotFound,
    #[error("{refundable} is left to refund")]
    OverRefund { refundable: Money },
    #[error("{refundable} is left to refund, not what the request believes")]
    RefundableMismatch { refundable: Money },
    #[error("the amount is not in {expected}")]
    WrongCurrency { expected: Currency },
    #[error("component {place} of the request: {why}")]
    Component { place: usize, why: &'static str },
    #[error("the money cannot go back the way it came: name the payee's account")]
    PayeeMissing,
    #[error("the hub has no bank account in {0} to refund from")]
    NoAccount(Currency),
    #[error("who asked for a refund or decided on it does not take the next step")]
    SamePerson,
    #[error("the money is at the agency {agency}: it has to pay it in before the hub can transfer it")]
    FundsMissing { agency: String },
    #[error("somebody has proposed this item already")]
    AlreadyProposed,
    #[error("the decision has been taken: what was paid in is {state}")]
    PayInDecided { state: &'static str },
    #[error("the decision has been taken: the refund is {state}")]
    AlreadyDecided { state: RefundState },
    #[error("a refund that is {state} is not approved or sent again")]
    NotApprovable { state: RefundState },
    #[error(
        "only of a refund that is unknown, or submitted and overdue, it is said that it was not carried out; this one is {state}"
    )]
    NotDeniable { state: RefundState },
    #[error("its rail told that it was carried out: have the rail trace the money")]
    ToldAsDone { state: RefundState },
    #[error("the payee's account is the hub's own")]
    OwnAccount,
    #[error("its payment file is being handed to the bank: ask again when that is answered")]
    Leaving { state: RefundState },
    #[error("an earlier instruction of this refund was carried out after all: the payer has the money")]
    CarriedOut { state: RefundState },
    #[error("the channel has taken this money back: the payer has it again")]
    PaymentReversed,
    #[error("a refund that is {state} cannot be canceled: {why}")]
    NotCancelable { state: RefundState, why: &'static str },
    #[error(transparent)]
    Illegal(#[from] Illegal),
    #[error(transparent)]
    Fault(#[from] Fault),
}

crate::service_error!(RefundError);

impl From<mizan_ledger::MoneyError> for RefundError {
    fn from(error: mizan_ledger::MoneyError) -> Self {
        Self::Fault(error.into())
    }
}

#[cfg(test)]
mod tests {
    use mizan_ledger::Id;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn each_instruction_has_a_reference_that_its_rail_carries_whole() {
        let mut refund = example();
        refund.instruction = 1;
        let first = refund.reference();
        refund.instruction = 2;
        let second = refund.reference();
        assert_eq!(second, format!("{first}-2"));
        assert!(second.len() <= 40);
        refund.rail = Rail::Bank { account: "main".to_owned() };
        assert_eq!(refund.reference(), "MZ000000042-2");
        refund.serial = 999_999_999;
        refund.instruction = 999;
        assert!(refund.reference().len() <= 16);
    }

    fn example() -> Refund {
        let nil = Uuid::from_u128(1);
        Refund {
            id: RefundId::from_uuid(nil),
            serial: 42,
            portal: None,
            source: RefundSource::Intent(IntentId::from_uuid(nil)),
            state: RefundState::Approved,
            version: 1,
            amount: Money::new(100, Currency::ILS),
            parts: Vec::new(),
            reason: "EXAMPLE".to_owned(),
            rail: Rail::Gateway { channel: "card".to_owned(), transaction: "T1".to_owned() },
            payee: None,
            requested_by: "po_1".to_owned(),
            decided_by: None,
            decision_note: None,
            instruction: 0,
            provider_transaction: None,
            payment_file: None,
            approved_entry: EntryId::from_uuid(nil),
            created_at: "2026-11-22T08:00:00Z".parse().expect("an instant"),
            decided_at: None,
            submitted_at: None,
            succeeded_at: None,
            failure: None,
            proposal: None,
        }
    }
}
