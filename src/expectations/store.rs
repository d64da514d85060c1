use mizan_ledger::{Currency, Day, EntryId, Id, Instant, Money};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Expectation, Kind, NewExpectation};
use crate::entropy::Entropy;
use crate::fault::Fault;
use crate::ids::{ExpectationId, IntentId, RefundId};

pub mod reading;

/// Writes expectations as one statement.
pub async fn insert(
    conn: &mut PgConnection,
    entropy: &Entropy,
    now: Instant,
    expectations: &[NewExpectation],
) -> Result<(), Fault> {
    if expectations.is_empty() {
        return Ok(());
    }
    let each = || expectations.iter();
    let ids: Vec<Uuid> = each().map(|_| entropy.id::<ExpectationId>(now).uuid()).collect();
    let kinds: Vec<&str> = each().map(|new| new.kind.as_str()).collect();
    let channels: Vec<&str> = each().map(|new| new.channel.as_str()).collect();
    let accounts: Vec<&str> = each().map(|new| new.account.as_str()).collect();
    let currencies: Vec<Currency> = each().map(|new| new.money.currency()).collect();
    let amounts: Vec<i64> = each().map(|new| new.money.minor()).collect();
    let costs: Vec<i64> = each().map(|new| new.cost.minor()).collect();
    let transactions: Vec<Option<&str>> = each().map(|new| new.transaction.as_deref()).collect();
    let references: Vec<Option<&str>> = each().map(|new| new.reference.as_deref()).collect();
    let money_keys: Vec<Option<&str>> = each().map(|new| new.money_key.as_deref()).collect();
    let intents: Vec<Option<Uuid>> = each().map(|new| new.intent.map(Id::uuid)).collect();
    let refunds: Vec<Option<Uuid>> = each().map(|new| new.refund.map(Id::uuid)).collect();
    let born: Vec<Day> = each().map(|new| new.born_on).collect();
    let due: Vec<Day> = each().map(|new| new.due_on).collect();
    sqlx::query!(
        "insert into expectations (id, kind, channel, account, currency, amount_minor, cost_minor, transaction,
                                   reference, money_key, intent, refund, born_on, due_on, state, created_at)
         select id, kind, channel, account, currency, amount, cost, transaction, reference, money_key, intent,
                refund, born_on, due_on, 'open', $15
         from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[],
                     $8::text[], $9::text[], $10::text[], $11::uuid[], $12::uuid[], $13::date[], $14::date[])
             as new (id, kind, channel, account, currency, amount, cost, transaction, reference, money_key,
                     intent, refund, born_on, due_on)",
        &ids,
        &kinds as _,
        &channels as _,
        &accounts as _,
        &currencies as _,
        &amounts,
        &costs,
        &transactions as _,
        &references as _,
        &money_keys as _,
        &intents as _,
        &refunds as _,
        &born as _,
        &due as _,
        now as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

struct ExpectationRow {
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
    refund: Option<Uuid>,
    born_on: Day,
    due_on: Day,
}

impl TryFrom<ExpectationRow> for Expectation {
    type Error = Fault;

    fn try_from(row: ExpectationRow) -> Result<Self, Fault> {
        let id = ExpectationId::from_uuid(row.id);
        let corrupt = |column| Fault::corrupt("expectations", column, id);
        let currency: Currency = row.currency.parse().map_err(|_| corrupt("currency"))?;
        Ok(Self {
            id,
            kind: Kind::parse(&row.kind).ok_or_else(|| corrupt("kind"))?,
            channel: row.channel,
            account: row.account,
            money: Money::new(row.amount_minor, currency),
            cost: Money::new(row.cost_minor, currency),
            transaction: row.transaction,
            reference: row.reference,
            intent: row.intent.map(IntentId::from_uuid),
            refund: row.refund.map(RefundId::from_uuid),
            born_on: row.born_on,
            due_on: row.due_on,
        })
    }
}

/// Locks the open expectations of a channel that carry one of these transaction ids.
pub async fn lock_by_transaction(
    conn: &mut PgConnection,
    channel: &str,
    transactions: &[String],
) -> Result<Vec<Expectation>, Fault> {
    let rows = sqlx::query_as!(
        ExpectationRow,
        "select id, kind, channel, account, currency, amount_minor, cost_minor, transaction, reference, intent,
                refund, born_on, due_on
         from expectations
         where channel = $1 and transaction = any($2) and state = 'open'
         order by id for no key update",
        channel,
        transactions,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Expectation::try_from).collect()
}

/// Locks open expectations whose own reference (EndToEndId) is one of these.
pub async fn lock_by_reference(
    conn: &mut PgConnection,
    references: &[String],
) -> Result<Vec<Expectation>, Fault> {
    let rows = sqlx::query_as!(
        ExpectationRow,
        "select id, kind, channel, account, currency, amount_minor, cost_minor, transaction, reference, intent,
                refund, born_on, due_on
         from expectations where reference = any($1) and state = 'open' order by id for no key update",
        references,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Expectation::try_from).collect()
}

/// Locks the open expectations of these refunds.
pub async fn lock_by_refund(
    conn: &mut PgConnection,
    refunds: &[RefundId],
) -> Result<Vec<Expectation>, Fault> {
    let refunds: Vec<Uuid> = refunds.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query_as!(
        ExpectationRow,
        "select id, kind, channel, account, currency, amount_minor, cost_minor, transaction, reference, intent,
                refund, born_on, due_on
         from expectations where refund = any($1) and state = 'open' order by id for no key update",
        &refunds,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Expectation::try_from).collect()
}

/// The open expectations, oldest first.
pub async fn page_open(conn: &mut PgConnection) -> Result<Vec<Expectation>, Fault> {
    let rows = sqlx::query_as!(
        ExpectationRow,
        "select id, kind, channel, account, currency, amount_minor, cost_minor, transaction, reference, intent,
                refund, born_on, due_on
         from expectations where state = 'open' order by born_on, id",
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Expectation::try_from).collect()
}

/// The expectations were met by a bank line, on its own or inside a settlement.
pub async fn update_met(
    conn: &mut PgConnection,
    now: Instant,
    ids: &[ExpectationId],
    statement_line: i64,
    settlement: Option<&str>,
    entry: EntryId,
) -> Result<(), Fault> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    sqlx::query!(
        "update expectations set state = 'met', statement_line = $2, settlement = $3, entry_id = $4, met_at = $5
         where id = any($1) and state = 'open'",
        &ids,
        statement_line,
        settlement,
        entry as _,
        now as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The rail told its transaction id after the expectation was born.
pub async fn update_transaction(
    conn: &mut PgConnection,
    id: ExpectationId,
    transaction: &str,
) -> Result<(), Fault> {
    sqlx::query!(
        "update expectations set transaction = $2 where id = $1 and state = 'open'",
        id.uuid(),
        transaction,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The money will not come any more: reversed before the bank saw it.
pub async fn update_withdrawn(
    conn: &mut PgConnection,
    now: Instant,
    ids: &[ExpectationId],
) -> Result<(), Fault> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    sqlx::query!(
        "update expectations set state = 'withdrawn', met_at = $2 where id = any($1) and state = 'open'",
        &ids,
        now as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether all money expected for an intent was seen at the bank (and there was some).
pub async fn is_met(conn: &mut PgConnection, intent: Uuid) -> Result<bool, Fault> {
    let met = sqlx::query_scalar!(
        r#"select coalesce(bool_and(state = 'met'), false) as "met!" from expectations
           where intent = $1 and kind = 'payment' and state <> 'withdrawn'"#,
        intent,
    )
    .fetch_one(conn)
    .await?;
    Ok(met)
}
