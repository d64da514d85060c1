use mizan_ledger::{Currency, Day, EntryId, Id, Money};
use serde::Serialize;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::fault::Fault;
use crate::ids::StatementId;

/// A line of an accepted statement that is not decided yet.
#[derive(Debug, Clone)]
pub struct OpenLine {
    pub id: i64,
    pub account: String,
    pub money: Money,
    pub booked_on: Day,
    /// The day on which it changed the balance: of those that its statement covers, the nearest to the bank's own.
    pub counts_on: Day,
    pub bank_reference: Option<String>,
    pub end_to_end: Option<String>,
    pub creditor_reference: Option<String>,
    pub payer: Option<String>,
    pub text: String,
    pub reversal: bool,
    pub money_key: String,
    pub noticed: bool,
    /// The entry that will book it.
    pub entry: EntryId,
}

struct LineRow {
    id: i64,
    account: String,
    currency: String,
    amount_minor: i64,
    booked_on: Day,
    counts_on: Day,
    bank_reference: Option<String>,
    end_to_end: Option<String>,
    creditor_reference: Option<String>,
    payer: Option<String>,
    text: String,
    reversal: bool,
    money_key: String,
    noticed: bool,
    entry_id: Uuid,
}

impl TryFrom<LineRow> for OpenLine {
    type Error = Fault;

    fn try_from(row: LineRow) -> Result<Self, Fault> {
        let currency: Currency =
            row.currency.parse().map_err(|_| Fault::corrupt("statement_lines", "currency", row.id))?;
        Ok(Self {
            id: row.id,
            account: row.account,
            money: Money::new(row.amount_minor, currency),
            booked_on: row.booked_on,
            counts_on: row.counts_on,
            bank_reference: row.bank_reference,
            end_to_end: row.end_to_end,
            creditor_reference: row.creditor_reference,
            payer: row.payer,
            text: row.text,
            reversal: row.reversal,
            money_key: row.money_key,
            noticed: row.noticed,
            entry: EntryId::from_uuid(row.entry_id),
        })
    }
}

/// Locks up to `limit` undecided lines after `after`, in the order in which the bank listed them.
pub async fn lock_open_lines(
    conn: &mut PgConnection,
    after: i64,
    limit: i64,
) -> Result<Vec<OpenLine>, Fault> {
    let rows = sqlx::query_as!(
        LineRow,
        r#"select line.id, statements.account, line.currency, line.amount_minor, line.booked_on,
                  greatest(least(line.booked_on, period_on), least(covers_from, period_on)) as "counts_on!: Day",
                  line.bank_reference, line.end_to_end, line.creditor_reference, line.payer, line.text,
                  line.reversal, line.money_key, (line.state = 'noticed') as "noticed!", line.entry_id
           from statement_lines line
           join statements on statements.id = line.statement and statements.state = 'accepted'
           where line.state in ('new', 'noticed') and line.id > $1
           order by line.id limit $2 for no key update of line"#,
        after,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(OpenLine::try_from).collect()
}

/// Money that came by a line of an accepted statement.
#[derive(Debug, Clone)]
pub struct Credit {
    pub money_key: String,
    pub money: Money,
    /// There is an entry of it, as what it is or in suspense.
    pub is_booked: bool,
}

/// The credits with these money keys.
pub async fn find_credits(conn: &mut PgConnection, keys: &[String]) -> Result<Vec<Credit>, Fault> {
    let rows = sqlx::query!(
        r#"select line.id, money_key, amount_minor, line.currency, line.state in ('matched', 'suspense') as "is_booked!"
           from statement_lines line
           join statements on statements.id = line.statement and statements.state = 'accepted'
           where money_key = any($1) and amount_minor > 0"#,
        keys,
    )
    .fetch_all(conn)
    .await?;
    let each = rows.into_iter().map(|row| {
        let currency = row.currency.parse();
        let currency = currency.map_err(|_| Fault::corrupt("statement_lines", "currency", row.id))?;
        let money = Money::new(row.amount_minor, currency);
        Ok(Credit { money_key: row.money_key, money, is_booked: row.is_booked })
    });
    each.collect()
}

/// Money that left by an open line, under the reference that its order had.
#[derive(Debug, Clone)]
pub struct Debit {
    pub account: String,
    pub reference: String,
    /// Above zero.
    pub money: Money,
    pub money_key: String,
}

/// What left by the open lines under any reference.
pub async fn page_debits(conn: &mut PgConnection) -> Result<Vec<Debit>, Fault> {
    let rows = sqlx::query!(
        r#"select line.id, statements.account, end_to_end as "reference!", -amount_minor as "minor!", line.currency, money_key
           from statement_lines line
           join statements on statements.id = line.statement and statements.state = 'accepted'
           where line.state = 'new' and amount_minor < 0 and end_to_end is not null order by line.id"#
    )
    .fetch_all(conn)
    .await?;
    let each = rows.into_iter().map(|row| {
        let currency = row.currency.parse();
        let currency = currency.map_err(|_| Fault::corrupt("statement_lines", "currency", row.id))?;
        let money = Money::new(row.minor, currency);
        Ok(Debit { account: row.account, reference: row.reference, money, money_key: row.money_key })
    });
    each.collect()
}

/// A line as people read it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ShownLine {
    pub ordinal: i64,
    /// Positive when it came in.
    pub money: Money,
    pub booked_on: Day,
    pub value_on: Option<Day>,
    pub bank_reference: Option<String>,
    pub end_to_end: Option<String>,
    pub creditor_reference: Option<String>,
    pub payer: Option<String>,
    pub text: String,
    /// As the bank wrote it.
    pub raw: String,
    pub state: String,
    pub rule: Option<String>,
    pub reason: Option<String>,
    /// The entry that booked it.
    pub entry: Option<EntryId>,
}

/// What became of a line.
#[derive(Debug, Clone)]
pub struct Decided {
    pub line: i64,
    /// `new` (it waits, and why), `noticed`, `matched`, `suspense`.
    pub state: &'static str,
    pub rule: &'static str,
    pub reason: String,
}

pub async fn update_lines(conn: &mut PgConnection, decided: &[Decided]) -> Result<(), Fault> {
    let ids: Vec<i64> = decided.iter().map(|one| one.line).collect();
    let states: Vec<&str> = decided.iter().map(|one| one.state).collect();
    let rules: Vec<&str> = decided.iter().map(|one| one.rule).collect();
    let reasons: Vec<&str> = decided.iter().map(|one| one.reason.as_str()).collect();
    sqlx::query!(
        "update statement_lines set state = new.state, rule = new.rule, reason = new.reason
         from unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) as new (id, state, rule, reason)
         where statement_lines.id = new.id and statement_lines.state in ('new', 'noticed')
           and (statement_lines.state, statement_lines.rule, statement_lines.reason)
               is distinct from (new.state, new.rule, new.reason)",
        &ids,
        &states as _,
        &rules as _,
        &reasons as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Lines of a statement in the bank's order, after the ordinal `after`.
pub async fn page_lines(
    conn: &mut PgConnection,
    statement: StatementId,
    after: i64,
    limit: i64,
) -> Result<Vec<ShownLine>, Fault> {
    let rows = sqlx::query!(
        r#"select ordinal, currency, amount_minor, booked_on as "booked_on: Day", value_on as "value_on: Day",
                  bank_reference, end_to_end, creditor_reference, payer, text, raw, state, rule, reason, entry_id
           from statement_lines where statement = $1 and ordinal > $2 order by ordinal limit $3"#,
        statement.uuid(),
        after,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let currency: Currency = row
                .currency
                .parse()
                .map_err(|_| Fault::corrupt("statement_lines", "currency", row.ordinal))?;
            let booked = matches!(row.state.as_str(), "matched" | "suspense");
            Ok(ShownLine {
                ordinal: row.ordinal,
                money: Money::new(row.amount_minor, currency),
                booked_on: row.booked_on,
                value_on: row.value_on,
                bank_reference: row.bank_reference,
                end_to_end: row.end_to_end,
                creditor_reference: row.creditor_reference,
                payer: row.payer,
                text: row.text,
                raw: row.raw,
                state: row.state,
                rule: row.rule,
                reason: row.reason,
                entry: booked.then(|| EntryId::from_uuid(row.entry_id)),
            })
        })
        .collect()
}

/// How many lines of accepted statements wait.
pub async fn count_open_lines(conn: &mut PgConnection) -> Result<i64, Fault> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from statement_lines line
           join statements on statements.id = line.statement and statements.state = 'accepted'
           where line.state in ('new', 'noticed')"#
    )
    .fetch_one(conn)
    .await?;
    Ok(count)
}
