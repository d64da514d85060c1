use mizan_ledger::{Currency, Instant};

use super::{Basket, Claim, Inputs, PriceError, QuoteState};
use crate::fault::Fault;
use crate::ids::{IntentId, PortalId, QuoteId};

/// What a portal asks a price for.
#[derive(Debug, Clone)]
pub struct NewQuote {
    pub portal: PortalId,
    pub currency: Currency,
    pub lines: Vec<NewLine>,
}

/// One service of it.
#[derive(Debug, Clone)]
pub struct NewLine {
    pub service: String,
    pub inputs: Inputs,
    pub claim: Option<Claim>,
    pub reference: Option<String>,
}

/// A priced, signed promise with an end.
#[derive(Debug, Clone)]
pub struct Quote {
    pub id: QuoteId,
    pub portal: PortalId,
    pub basket: Basket,
    pub created_at: Instant,
    pub expires_at: Instant,
    /// The intent that redeemed it; once.
    pub used_by: Option<IntentId>,
    pub key_id: String,
    /// Ed25519 over the bytes of its [`super::Promise`].
    pub signature: Vec<u8>,
}

impl Quote {
    /// Where the quote stands: used for ever, else open until its time is up.
    pub fn state(&self, now: Instant) -> QuoteState {
        match self.used_by {
            Some(_) => QuoteState::Used,
            None if self.expires_at <= now => QuoteState::Expired,
            None => QuoteState::Open,
        }
    }
}

/// Why a price was not promised, or a promise not redeemed.
#[derive(Debug, thiserror::Error)]
pub enum QuoteError {
    #[error("there is no such quote")]
    NotFound,
    #[error("the quote expired at {at}")]
    Expired { at: Instant },
    #[error("the quote was used for {by}")]
    Used { by: IntentId },
    #[error(transparent)]
    Price(#[from] PriceError),
    #[error(transparent)]
    Fault(#[from] Fault),
}

crate::service_error!(QuoteError);
