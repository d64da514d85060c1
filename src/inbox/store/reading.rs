//! Notices as people read them, with what became of each.

use mizan_ledger::{EntryId, Id, Instant};
use serde::Serialize;
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::NoticeRow;
use crate::fault::Fault;
use crate::ids::IntentId;
use crate::inbox::model::Notice;

/// A fact as it was told and what became of it.
#[derive(Debug, Clone, Serialize)]
pub struct Record {
    #[serde(flatten)]
    pub notice: Notice,
    pub received_at: Instant,
    pub applied_at: Option<Instant>,
    pub state: String,
    pub outcome: Option<String>,
    pub intent: Option<IntentId>,
}

impl Record {
    /// The entries it may have made; which of them stands in the book is for the book to say.
    pub fn entries(&self) -> [EntryId; 2] {
        [self.notice.entry, self.notice.fallback_entry]
    }
}

/// What came over the wire, to the byte.
#[derive(Debug, Clone)]
pub struct Wire {
    pub raw: Vec<u8>,
    pub headers: Value,
}

struct RecordRow {
    n: i64,
    channel: String,
    transaction: String,
    status: String,
    meaning: String,
    source: String,
    reference: Option<String>,
    currency: String,
    amount_minor: i64,
    original_transaction: Option<String>,
    reason: Option<String>,
    money_key: String,
    occurred_at: Instant,
    received_at: Instant,
    applied_at: Option<Instant>,
    state: String,
    outcome: Option<String>,
    intent: Option<Uuid>,
    entry_id: Uuid,
    fallback_entry_id: Uuid,
}

impl TryFrom<RecordRow> for Record {
    type Error = Fault;

    fn try_from(row: RecordRow) -> Result<Self, Fault> {
        let notice = NoticeRow {
            n: row.n,
            channel: row.channel,
            transaction: row.transaction,
            status: row.status,
            meaning: row.meaning,
            source: row.source,
            reference: row.reference,
            currency: row.currency,
            amount_minor: row.amount_minor,
            original_transaction: row.original_transaction,
            reason: row.reason,
            money_key: row.money_key,
            occurred_at: row.occurred_at,
            entry_id: row.entry_id,
            fallback_entry_id: row.fallback_entry_id,
        };
        Ok(Self {
            notice: notice.try_into()?,
            received_at: row.received_at,
            applied_at: row.applied_at,
            state: row.state,
            outcome: row.outcome,
            intent: row.intent.map(IntentId::from_uuid),
        })
    }
}

/// The columns of a [`RecordRow`], of the notices that the rest of the statement chooses.
macro_rules! records {
    ($chosen:literal, $($bound:expr),*) => {
        sqlx::query_as!(
            RecordRow,
            "select n, channel, transaction, status, meaning, source, reference, currency, amount_minor,
                    original_transaction, reason, money_key, occurred_at, received_at, applied_at, state, outcome,
                    intent, entry_id, fallback_entry_id
             from notices " + $chosen,
            $($bound),*
        )
    };
}

/// The notice of this number, whatever became of it.
pub async fn find(conn: &mut PgConnection, n: i64) -> Result<Option<Record>, Fault> {
    let row = records!("where n = $1", n).fetch_optional(conn).await?;
    row.map(Record::try_from).transpose()
}

/// The notices that were applied to an intent, in the order of arrival.
pub async fn page_of_intent(conn: &mut PgConnection, intent: IntentId) -> Result<Vec<Record>, Fault> {
    let rows = records!("where intent = $1 order by n", intent.uuid()).fetch_all(conn).await?;
    rows.into_iter().map(Record::try_from).collect()
}

pub async fn find_wire(conn: &mut PgConnection, n: i64) -> Result<Option<Wire>, Fault> {
    let wire = sqlx::query_as!(Wire, "select raw, headers from notices where n = $1", n)
        .fetch_optional(conn)
        .await?;
    Ok(wire)
}

/// Those of these transactions, each with its channel, that were told to take money back from us, and the payment that each
/// takes back.
pub async fn find_originals(
    conn: &mut PgConnection,
    asked: &[(String, String)],
) -> Result<Vec<((String, String), String)>, Fault> {
    let (channels, transactions): (Vec<&str>, Vec<&str>) =
        asked.iter().map(|(channel, name)| (channel.as_str(), name.as_str())).unzip();
    let rows = sqlx::query!(
        r#"select notices.channel, notices.transaction, min(original_transaction) as "original!"
           from unnest($1::text[], $2::text[]) as asked (channel, transaction)
           join notices using (channel, transaction)
           where meaning in ('refunded', 'reversed') and original_transaction is not null
           group by notices.channel, notices.transaction"#,
        &channels as _,
        &transactions as _,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| ((row.channel, row.transaction), row.original)).collect())
}
