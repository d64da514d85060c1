use mizan_ledger::{Currency, Instant};

use super::{Basket, Claim, Inputs, PriceError, Promise, QuoteState};
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
    /// Ed25519 over its [`Quote::promise`].
    pub signature: Vec<u8>,
}

impl Quote {
    /// The text that is signed.
    pub fn promise(&self, live: bool) -> String {
        let (id, portal) = (self.id.to_string(), self.portal.to_string());
        let (issued_at, expires_at) = (self.created_at, self.expires_at);
        Promise { id: &id, live, portal: &portal, issued_at, expires_at, basket: &self.basket }.text()
    }

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
