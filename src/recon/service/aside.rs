//! Statements that are not taken as the truth, and the break that names each.

use mizan_ledger::{Day, Money};
use serde_json::json;

use crate::breaks::{self, Category, NewBreak};
use crate::fault::Fault;
use crate::ids::StatementId;
use crate::recon::model::Cause;
use crate::tx::Tx;

/// A statement that stands aside.
#[derive(Debug)]
pub(super) struct Aside<'a> {
    pub id: StatementId,
    pub account: &'a str,
    pub reference: &'a str,
    pub period_on: Option<Day>,
    pub opening: Option<Money>,
    pub closing: Option<Money>,
    /// By how much it does not close, where that can be said.
    pub difference: Option<Money>,
}

impl Aside<'_> {
    /// A quarantined statement waits for a person, unless it is about an account that is none of ours.
    pub async fn open_break(&self, tx: &mut Tx, cause: Cause, why: &str) -> Result<(), Fault> {
        let Some(category) = category(cause) else { return Ok(()) };
        let new = NewBreak {
            category,
            subject: subject(self.account, self.reference, self.period_on),
            money: self.difference.filter(|_| cause == Cause::DoesNotClose),
            channel: None,
            intent: None,
            detail: json!({
                "statement": self.id, "account": self.account, "reference": self.reference,
                "period_on": self.period_on, "opening": self.opening, "closing": self.closing,
                "cause": cause.as_str(), "why": why,
            }),
        };
        let (now, entropy) = (tx.now(), tx.hub().entropy.clone());
        breaks::store::insert(tx.conn(), &entropy, now, &[new]).await
    }
}

fn category(cause: Cause) -> Option<Category> {
    match cause {
        Cause::UnknownAccount => None,
        Cause::DoesNotClose => Some(Category::StatementDoesNotClose),
        Cause::NoDay | Cause::FutureDay | Cause::NoBalances | Cause::Doubtful => {
            Some(Category::StatementInDoubt)
        }
        Cause::Gap => Some(Category::StatementGap),
        Cause::Altered | Cause::Repeats => Some(Category::Altered),
    }
}

/// The name of a statement in breaks: the same for every file that brings it.
pub(super) fn subject(account: &str, reference: &str, period_on: Option<Day>) -> String {
    let day = period_on.map_or_else(|| "-".to_owned(), |day| day.to_string());
    format!("statement:{account}:{reference}:{day}")
}
