//! Expectations as people read them: what was taken for a payment, how it stands, and what a channel owes item by item.

use mizan_ledger::{Currency, Day, EntryId, Id, Instant, Money};
use serde::Serialize;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::fault::Fault;
use crate::ids::{ExpectationId, IntentId};

/// An expectation and what became of it.
#[derive(Debug, Clone, Serialize)]
pub struct Listed {
    pub id: ExpectationId,
    pub kind: String,
    pub channel: String,
    pub account: String,
    pub money: Money,
    pub cost: Money,
    pub transaction: Option<String>,
    pub reference: Option<String>,
    pub intent: Option<IntentId>,
    pub born_on: Day,
    pub due_on: Day,
    pub state: String,
    /// The line of a bank statement on which it was seen.
    pub statement_line: Option<i64>,
    pub settlement: Option<String>,
    /// The entry that met it.
    pub entry: Option<EntryId>,
    pub met_at: Option<Instant>,
}

struct ListedRow {
    id: Uuid,
    kind: String,
    channel: String,
    account: String,
    currency: String,
    amount_minor: i64,
    cost_minor: i64,
    transaction: Option<String>,
    reference: Option<String>,
    intent: Option<Uuid>,
    born_on: Day,
    due_on: Day,
    state: String,
    statement_line: Option<i64>,
    settlement: Option<String>,
    entry_id: Option<Uuid>,
    met_at: Option<Instant>,
}

impl TryFrom<ListedRow> for Listed {
    type Error = Fault;

    fn try_from(row: ListedRow) -> Result<Self, Fault> {
        let id = ExpectationId::from_uuid(row.id);
        let currency: Currency =
            row.currency.parse().map_err(|_| Fault::corrupt("expectations", "currency", id))?;
        Ok(Self {
            id,
            kind: row.kind,
            channel: row.channel,
            account: row.account,
            money: Money::new(row.amount_minor, currency),
            cost: Money::new(row.cost_minor, currency),
            transaction: row.transaction,
            reference: row.reference,
            intent: row.intent.map(IntentId::from_uuid),
            born_on: row.born_on,
            due_on: row.due_on,
            state: row.state,
            statement_line: row.statement_line,
            settlement: row.settlement,
            entry: row.entry_id.map(EntryId::from_uuid),
            met_at: row.met_at,
        })
    }
}

/// Everything expected because of an intent, oldest first.
pub async fn page_of_intent(conn: &mut PgConnection, intent: IntentId) -> Result<Vec<Listed>, Fault> {
    let rows = sqlx::query_as!(
        ListedRow,
        "select id, kind, channel, account, currency, amount_minor, cost_minor, transaction, reference, intent, born_on,
                due_on, state, statement_line, settlement, entry_id, met_at
         from expectations where intent = $1 order by id",
        intent.uuid(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Listed::try_from).collect()
}

/// Money that a channel or a bank took for an intent, whatever became of it there.
#[derive(Debug, Clone)]
pub struct Taken {
    pub intent: IntentId,
    pub channel: String,
    pub money: Money,
    pub money_key: String,
}

struct TakenRow {
    intent: Uuid,
    channel: String,
    currency: String,
    amount_minor: i64,
    money_key: String,
}

impl TryFrom<TakenRow> for Taken {
    type Error = Fault;

    fn try_from(row: TakenRow) -> Result<Self, Fault> {
        let currency: Currency =
            row.currency.parse().map_err(|_| Fault::corrupt("expectations", "currency", &row.money_key))?;
        Ok(Self {
            intent: IntentId::from_uuid(row.intent),
            channel: row.channel,
            money: Money::new(row.amount_minor, currency),
            money_key: row.money_key,
        })
    }
}

/// The payments taken for these intents, in the order in which they came; one that was withdrawn is none.
pub async fn find_taken(conn: &mut PgConnection, intents: &[IntentId]) -> Result<Vec<Taken>, Fault> {
    let ids: Vec<Uuid> = intents.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query_as!(
        TakenRow,
        r#"select intent as "intent!", channel, currency, amount_minor, money_key as "money_key!"
           from expectations
           where intent = any($1) and kind = 'payment' and money_key is not null and state <> 'withdrawn'
           order by id"#,
        &ids,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Taken::try_from).collect()
}

/// The same by the keys of the money; what was taken for no intent is none.
pub async fn find_taken_by_keys(conn: &mut PgConnection, keys: &[String]) -> Result<Vec<Taken>, Fault> {
    let rows = sqlx::query_as!(
        TakenRow,
        r#"select intent as "intent!", channel, currency, amount_minor, money_key as "money_key!"
           from expectations
           where money_key = any($1) and kind = 'payment' and intent is not null and state <> 'withdrawn'
           order by id"#,
        keys,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Taken::try_from).collect()
}

/// How the money of an intent stands, when all of it that was expected has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrived {
    pub intent: IntentId,
    /// All of it was paid to an agency by the channel itself; else some is at a bank of the hub.
    pub direct: bool,
}

/// Those of these intents of which all money expected has come (and there was some).
pub async fn find_arrived(conn: &mut PgConnection, intents: &[IntentId]) -> Result<Vec<Arrived>, Fault> {
    let ids: Vec<Uuid> = intents.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query!(
        r#"select intent as "intent!", bool_and(account like 'agency/%') as "direct!" from expectations
           where intent = any($1) and kind = 'payment' and state <> 'withdrawn'
           group by intent having bool_and(state = 'met')"#,
        &ids,
    )
    .fetch_all(conn)
    .await?;
    let arrived =
        rows.into_iter().map(|row| Arrived { intent: IntentId::from_uuid(row.intent), direct: row.direct });
    Ok(arrived.collect())
}

/// The payments a channel still owes in one currency, oldest day first.
pub async fn page_owed(
    conn: &mut PgConnection,
    channel: &str,
    currency: Currency,
    limit: i64,
) -> Result<Vec<Listed>, Fault> {
    let rows = sqlx::query_as!(
        ListedRow,
        "select id, kind, channel, account, currency, amount_minor, cost_minor, transaction, reference, intent, born_on,
                due_on, state, statement_line, settlement, entry_id, met_at
         from expectations
         where state = 'open' and kind = 'payment' and channel = $1 and currency = $2
         order by born_on, id limit $3",
        channel,
        currency.code(),
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Listed::try_from).collect()
}
