//! Statements that are not taken as the truth, and the break that names each.

use mizan_ledger::{Day, Money};
use serde_json::json;

use crate::breaks::{self, Category, NewBreak};
use crate::fault::Fault;
use crate::ids::StatementId;
use crate::recon::model::{Cause, Statement};
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
    /// By how much it does not close, or ends elsewhere than the accepted one of its name, where that can be said.
    pub difference: Option<Money>,
}

impl<'a> Aside<'a> {
    pub fn of(statement: &'a Statement) -> Self {
        Self {
            id: statement.id,
            account: &statement.account,
            reference: &statement.reference,
            period_on: statement.period_on,
            opening: statement.opening,
            closing: statement.closing,
            difference: None,
        }
    }

    /// A quarantined statement waits for a person.
    pub async fn open_break(&self, tx: &mut Tx, cause: Cause, why: &str) -> Result<(), Fault> {
        let new = NewBreak {
            category: category(cause),
            subject: subject(self.account, self.reference, self.period_on),
            money: self.difference,
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

/// A file of the watched folder that is no statement waits for a person too: it may be one that was cut short. Once two people
/// have ended that, the same file says nothing new.
pub async fn open_file_break(tx: &mut Tx, file: &UnreadFile) -> Result<(), Fault> {
    let new = NewBreak {
        category: Category::StatementInDoubt,
        subject: file_subject(&file.name),
        money: None,
        channel: None,
        intent: None,
        detail: json!({
            "file": file.name, "bytes": file.bytes, "written_at": file.written_at, "why": file.why,
        }),
    };
    if breaks::store::is_told(tx.conn(), &new).await? {
        return Ok(());
    }
    let (now, entropy) = (tx.now(), tx.hub().entropy.clone());
    breaks::store::insert(tx.conn(), &entropy, now, &[new]).await
}

/// A file of this name was read: when it could not be, it was not whole yet, or the bank has mended it.
pub async fn close_file_break(tx: &mut Tx, name: &str) -> Result<(), Fault> {
    let (now, subject) = (tx.now(), file_subject(name));
    let read = "the file was read";
    breaks::store::update_self_resolved(tx.conn(), now, Category::StatementInDoubt, &[subject], read).await?;
    Ok(())
}

fn file_subject(name: &str) -> String {
    format!("file:{name}")
}

/// A file that nobody can read as a statement.
#[derive(Debug)]
pub struct UnreadFile {
    pub name: String,
    pub bytes: u64,
    /// When it was last changed: one that was mended is another.
    pub written_at: String,
    pub why: String,
}

fn category(cause: Cause) -> Category {
    match cause {
        Cause::DoesNotClose => Category::StatementDoesNotClose,
        Cause::UnknownAccount | Cause::NoDay | Cause::FutureDay | Cause::NoBalances | Cause::Doubtful => {
            Category::StatementInDoubt
        }
        Cause::Gap => Category::StatementGap,
        Cause::Altered | Cause::Repeats => Category::Altered,
    }
}

/// The name of a statement in breaks: the same for every file that brings it.
pub(super) fn subject(account: &str, reference: &str, period_on: Option<Day>) -> String {
    let day = period_on.map_or_else(|| "-".to_owned(), |day| day.to_string());
    format!("statement:{account}:{reference}:{day}")
}
