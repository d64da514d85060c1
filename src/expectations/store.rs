use mizan_ledger::{Currency, Day, Id, Instant, Money};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Expectation, Keys, Kind, Met, NewExpectation};
use crate::entropy::Entropy;
use crate::fault::Fault;
use crate::ids::{ExpectationId, IntentId, RefundId};

pub mod reading;
pub mod taken_back;

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
    money_key: Option<String>,
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
            money_key: row.money_key,
            intent: row.intent.map(IntentId::from_uuid),
            refund: row.refund.map(RefundId::from_uuid),
            born_on: row.born_on,
            due_on: row.due_on,
        })
    }
}

/// Locks the open expectations of these refunds.
pub async fn lock_by_refund(
    conn: &mut PgConnection,
    refunds: &[RefundId],
) -> Result<Vec<Expectation>, Fault> {
    let refunds: Vec<Uuid> = refunds.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query_as!(
        ExpectationRow,
        "select id, kind, channel, account, currency, amount_minor, cost_minor, transaction, reference, money_key,
                intent, refund, born_on, due_on
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
        "select id, kind, channel, account, currency, amount_minor, cost_minor, transaction, reference, money_key,
                intent, refund, born_on, due_on
         from expectations where state = 'open' order by born_on, id",
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Expectation::try_from).collect()
}

/// Locks the open expectations that one of the keys finds, in one statement.
pub async fn lock_by_keys(conn: &mut PgConnection, keys: &Keys) -> Result<Vec<Expectation>, Fault> {
    let (channels, transactions): (Vec<&str>, Vec<&str>) =
        keys.transactions.iter().map(|(channel, name)| (channel.as_str(), name.as_str())).unzip();
    let rows = sqlx::query_as!(
        ExpectationRow,
        "select id, kind, channel, account, currency, amount_minor, cost_minor, transaction, reference, money_key,
                intent, refund, born_on, due_on
         from expectations
         where state = 'open' and id in (
             select id from expectations where money_key = any($1) and state = 'open'
             union
             select id from expectations where reference = any($2) and state = 'open'
             union
             select expectations.id from unnest($3::text[], $4::text[]) as asked (channel, transaction)
             join expectations on expectations.channel = asked.channel
                 and expectations.transaction = asked.transaction and expectations.state = 'open')
         order by id for no key update",
        &keys.money_keys,
        &keys.references,
        &channels as _,
        &transactions as _,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Expectation::try_from).collect()
}

/// Those of these payments that were ever expected: channel and transaction.
pub async fn find_known_payments(
    conn: &mut PgConnection,
    asked: &[(String, String)],
) -> Result<Vec<(String, String)>, Fault> {
    let (channels, transactions): (Vec<&str>, Vec<&str>) =
        asked.iter().map(|(channel, name)| (channel.as_str(), name.as_str())).unzip();
    let rows = sqlx::query!(
        r#"select asked.channel as "channel!", asked.transaction as "transaction!"
           from unnest($1::text[], $2::text[]) as asked (channel, transaction)
           where exists (select 1 from expectations
                         where expectations.channel = asked.channel
                           and expectations.transaction = asked.transaction and kind = 'payment')"#,
        &channels as _,
        &transactions as _,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.channel, row.transaction)).collect())
}

/// Those of these orders of ours, each with its channel, that brought money.
pub async fn find_known_orders(
    conn: &mut PgConnection,
    asked: &[(String, String)],
) -> Result<Vec<(String, String)>, Fault> {
    let (channels, references): (Vec<&str>, Vec<&str>) =
        asked.iter().map(|(channel, name)| (channel.as_str(), name.as_str())).unzip();
    let rows = sqlx::query!(
        r#"select asked.channel as "channel!", asked.reference as "reference!"
           from unnest($1::text[], $2::text[]) as asked (channel, reference)
           where exists (select from expectations
                         where expectations.reference = asked.reference
                           and expectations.channel = asked.channel and kind = 'payment')"#,
        &channels as _,
        &references as _,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.channel, row.reference)).collect())
}

/// A refund under our reference on the rail, and whether its money was seen leaving.
#[derive(Debug, Clone)]
pub struct KnownRefund {
    pub reference: String,
    pub refund: RefundId,
    /// Below zero.
    pub money: Money,
    pub seen_at_bank: bool,
}

/// The refunds that were ever expected under these references.
pub async fn find_known_refunds(
    conn: &mut PgConnection,
    references: &[String],
) -> Result<Vec<KnownRefund>, Fault> {
    let rows = sqlx::query!(
        r#"select reference as "reference!", refund as "refund!", currency, amount_minor,
                  (kind = 'refund' and state = 'met') as "seen_at_bank!"
           from expectations where reference = any($1) and refund is not null and state <> 'withdrawn'
           order by reference, id"#,
        references,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let currency: Currency = row
                .currency
                .parse()
                .map_err(|_| Fault::corrupt("expectations", "currency", &row.reference))?;
            Ok(KnownRefund {
                reference: row.reference,
                refund: RefundId::from_uuid(row.refund),
                money: Money::new(row.amount_minor, currency),
                seen_at_bank: row.seen_at_bank,
            })
        })
        .collect()
}

/// Expectations met by bank lines, each on its own or inside a settlement; one statement.
pub async fn update_met(conn: &mut PgConnection, now: Instant, met: &[Met]) -> Result<(), Fault> {
    if met.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = met.iter().map(|one| one.expectation.uuid()).collect();
    let lines: Vec<Option<i64>> = met.iter().map(|one| one.statement_line).collect();
    let settlements: Vec<Option<&str>> = met.iter().map(|one| one.settlement.as_deref()).collect();
    let entries: Vec<Uuid> = met.iter().map(|one| one.entry.uuid()).collect();
    sqlx::query!(
        "update expectations
         set state = 'met', statement_line = met.line, settlement = met.settlement, entry_id = met.entry, met_at = $5
         from unnest($1::uuid[], $2::bigint[], $3::text[], $4::uuid[]) as met (id, line, settlement, entry)
         where expectations.id = met.id and state = 'open'",
        &ids,
        &lines as _,
        &settlements as _,
        &entries,
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
