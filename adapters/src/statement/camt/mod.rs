//! camt.052, camt.053 and camt.054 of every version, told apart by element names alone.
//!
//! ```text
//! BkToCstmrStmt / Stmt · BkToCstmrAcctRpt / Rpt · BkToCstmrDbtCdtNtfctn / Ntfctn
//!     Bal*  Ntry*  ( NtryDtls / Btch?  TxDtls* )
//! ```
//!
//! Differences between the versions that matter here: `Sts` is a text until .06 and a choice since; dates are `Dt`
//! or `DtTm`; parties stand inside `Pty` and BIC is called BICFI since .08; `TxDtls` has `Amt` and `CdtDbtInd` of its
//! own since .04. All of them are accepted in any version.

mod details;
mod entry;
mod message;
mod names;
mod statement;

pub(super) use message::Camt;

use mizan_ledger::{Currency, Money};

use super::values::{decimal, shown};
use super::xml::Leaf;

/// A text with the line it stood in.
#[derive(Debug, Clone)]
struct Word {
    text: String,
    line: u64,
}

impl Word {
    fn new(leaf: Leaf<'_>) -> Self {
        Self { text: leaf.text.to_owned(), line: leaf.line }
    }
}

/// An amount as it stands, with its `Ccy` attribute.
#[derive(Debug, Clone)]
struct RawAmount {
    text: String,
    currency: Option<String>,
    line: u64,
}

impl RawAmount {
    fn new(leaf: Leaf<'_>) -> Self {
        Self { text: leaf.text.to_owned(), currency: leaf.currency.map(str::to_owned), line: leaf.line }
    }

    /// `fallback` is the currency when none is given.
    fn money(&self, fallback: Option<Currency>) -> Result<Money, String> {
        let currency = match (&self.currency, fallback) {
            (Some(code), _) => code.parse::<Currency>().map_err(|error| error.to_string())?,
            (None, Some(currency)) => currency,
            (None, None) => return Err(format!("the amount {} has no currency", shown(&self.text))),
        };
        decimal(&self.text, currency)
    }
}

/// `CRDT` is true, `DBIT` false.
fn sign_of(indicator: &str) -> Option<bool> {
    match indicator {
        "CRDT" => Some(true),
        "DBIT" => Some(false),
        _ => None,
    }
}
