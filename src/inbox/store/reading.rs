//! Notices as people read them, with what became of each.

use mizan_ledger::{Currency, EntryId, Id, Instant, Money};
use serde::Serialize;
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::fault::Fault;
use crate::ids::IntentId;

/// A fact as it was told and what became of it.
#[derive(Debug, Clone, Serialize)]
pub struct Record {
    pub n: i64,
    pub channel: String,
    pub transaction: String,
    pub status: String,
    pub meaning: String,
    pub source: String,
    pub reference: Option<String>,
    pub money: Money,
    pub original_transaction: Option<String>,
    pub reason: Option<String>,
    pub money_key: String,
    pub occurred_at: Instant,
    pub received_at: Instant,
    pub applied_at: Option<Instant>,
    pub state: String,
    pub outcome: Option<String>,
    pub intent: Option<IntentId>,
    /// The entries it may have made; which of them stands in the book is for the book to say.
    pub entries: [EntryId; 2],
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
        let currency: Currency =
            row.currency.parse().map_err(|_| Fault::corrupt("notices", "currency", row.n))?;
        Ok(Self {
            n: row.n,
            channel: row.channel,
            transaction: row.transaction,
            status: row.status,
            meaning: row.meaning,
            source: row.source,
            reference: row.reference,
            money: Money::new(row.amount_minor, currency),
            original_transaction: row.original_transaction,
            reason: row.reason,
            money_key: row.money_key,
            occurred_at: row.occurred_at,
            received_at: row.received_at,
            applied_at: row.applied_at,
            state: row.state,
            outcome: row.outcome,
            intent: row.intent.map(IntentId::from_uuid),
            entries: [EntryId::from_uuid(row.entry_id), EntryId::from_uuid(row.fallback_entry_id)],
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
