use mizan_ledger::{Currency, Day, EntryId, Id, Instant, Money};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::fault::Fault;
use crate::ids::{StatementFileId, StatementId};
use crate::recon::model::{Cause, Position, Statement, Summary};
use crate::recon::staging::NewLine;

/// How far the account is known; None before its first accepted statement.
pub async fn find_position(conn: &mut PgConnection, account: &str) -> Result<Option<Position>, Fault> {
    let row = sqlx::query!(
        "select currency, closing_minor, through_on from statement_positions where account = $1",
        account,
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        let currency: Currency =
            row.currency.parse().map_err(|_| Fault::corrupt("statement_positions", "currency", account))?;
        Ok(Position { closing: Money::new(row.closing_minor, currency), through_on: row.through_on })
    })
    .transpose()
}

/// The content of the accepted statement of this identity.
pub async fn find_accepted_content(
    conn: &mut PgConnection,
    account: &str,
    summary: &Summary,
) -> Result<Option<Vec<u8>>, Fault> {
    let content = sqlx::query_scalar!(
        "select content from statements
         where account = $1 and reference = $2 and period_on = $3 and state = 'accepted'",
        account,
        summary.reference,
        summary.period_on as _,
    )
    .fetch_optional(conn)
    .await?;
    Ok(content)
}

/// With what the first accepted statement after a day opens.
pub async fn find_opening_after(
    conn: &mut PgConnection,
    account: &str,
    day: Day,
) -> Result<Option<Money>, Fault> {
    let row = sqlx::query!(
        r#"select currency, opening_minor as "opening_minor!" from statements
           where account = $1 and period_on > $2 and state = 'accepted'
           order by period_on, sequence nulls first, id limit 1"#,
        account,
        day as _,
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        let currency: Currency =
            row.currency.parse().map_err(|_| Fault::corrupt("statements", "currency", account))?;
        Ok(Money::new(row.opening_minor, currency))
    })
    .transpose()
}

/// Writes the lines of one statement as one statement of SQL, each with the entry's id that will book it.
pub async fn insert_lines(
    conn: &mut PgConnection,
    statement: StatementId,
    account: &str,
    day: Day,
    lines: &[NewLine],
    entries: &[EntryId],
) -> Result<(), Fault> {
    let each = || lines.iter();
    let ordinals: Vec<i64> = each().map(|line| line.ordinal).collect();
    let currencies: Vec<Currency> = each().map(|line| line.money.currency()).collect();
    let amounts: Vec<i64> = each().map(|line| line.money.minor()).collect();
    let booked: Vec<Day> = each().map(|line| line.booked_on.unwrap_or(day)).collect();
    let values: Vec<Option<Day>> = each().map(|line| line.value_on).collect();
    let bank_references: Vec<Option<&str>> = each().map(|line| line.bank_reference.as_deref()).collect();
    let end_to_ends: Vec<Option<&str>> = each().map(|line| line.end_to_end.as_deref()).collect();
    let creditor: Vec<Option<&str>> = each().map(|line| line.creditor_reference.as_deref()).collect();
    let payers: Vec<Option<&str>> = each().map(|line| line.payer.as_deref()).collect();
    let texts: Vec<&str> = each().map(|line| line.text.as_str()).collect();
    let raws: Vec<&str> = each().map(|line| line.raw.as_str()).collect();
    let reversals: Vec<bool> = each().map(|line| line.reversal).collect();
    let keys: Vec<String> = each().map(|line| format!("bank:{account}:{}", line.key)).collect();
    let entries: Vec<Uuid> = entries.iter().map(|entry| entry.uuid()).collect();
    sqlx::query!(
        "insert into statement_lines (statement, ordinal, currency, amount_minor, booked_on, value_on, bank_reference,
                                      end_to_end, creditor_reference, payer, text, raw, reversal, money_key, state,
                                      entry_id)
         select $1, ordinal, currency, amount, booked_on, value_on, bank_reference, end_to_end, creditor, payer, text,
                raw, reversal, money_key, 'new', entry_id
         from unnest($2::bigint[], $3::text[], $4::bigint[], $5::date[], $6::date[], $7::text[], $8::text[],
                     $9::text[], $10::text[], $11::text[], $12::text[], $13::boolean[], $14::text[], $15::uuid[])
             as line (ordinal, currency, amount, booked_on, value_on, bank_reference, end_to_end, creditor, payer,
                      text, raw, reversal, money_key, entry_id)
         order by ordinal",
        statement.uuid(),
        &ordinals,
        &currencies as _,
        &amounts,
        &booked as _,
        &values as _,
        &bank_references as _,
        &end_to_ends as _,
        &creditor as _,
        &payers as _,
        &texts as _,
        &raws as _,
        &reversals,
        &keys,
        &entries,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// How a statement enters the table.
#[derive(Debug)]
pub struct NewStatement<'a> {
    pub id: StatementId,
    pub file: StatementFileId,
    pub account: &'a str,
    pub summary: &'a Summary,
    /// The first day it is the truth about; none when it is quarantined.
    pub covers_from: Option<Day>,
    /// Why it is quarantined.
    pub quarantined: Option<(Cause, &'a str)>,
}

/// ISO 4217's code for "no currency is involved": of a statement in which none could be read. It has no amounts either.
const NO_CURRENCY: &str = "XXX";

pub async fn insert_statement(
    conn: &mut PgConnection,
    new: &NewStatement<'_>,
    now: Instant,
) -> Result<(), Fault> {
    let summary = new.summary;
    let currency = summary.currency.as_ref().map_or(NO_CURRENCY, |currency| currency.code());
    let accepted = new.quarantined.is_none();
    sqlx::query!(
        "insert into statements (id, file, account, number, currency, reference, sequence, period_on, covers_from,
                                 opening_minor, closing_minor, lines_count, content, state, cause, reason,
                                 created_at, accepted_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
        new.id.uuid(),
        new.file.uuid(),
        new.account,
        summary.number,
        currency,
        summary.reference,
        summary.sequence,
        summary.period_on as _,
        new.covers_from as _,
        summary.opening.map(Money::minor),
        summary.closing.map(Money::minor),
        i64::try_from(summary.lines).unwrap_or(i64::MAX),
        summary.content.as_slice(),
        if accepted { "accepted" } else { "quarantined" },
        new.quarantined.map(|(cause, _)| cause.as_str()),
        new.quarantined.map(|(_, reason)| reason),
        now as _,
        accepted.then_some(now) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A quarantined statement becomes the truth: what was missing before it has come.
pub async fn update_accepted(
    conn: &mut PgConnection,
    id: StatementId,
    covers_from: Day,
    now: Instant,
) -> Result<(), Fault> {
    sqlx::query!(
        "update statements set state = 'accepted', cause = null, reason = null, covers_from = $2, accepted_at = $3
         where id = $1 and state = 'quarantined'",
        id.uuid(),
        covers_from as _,
        now as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A quarantined statement stays so, for another reason than before.
pub async fn update_quarantined(
    conn: &mut PgConnection,
    id: StatementId,
    cause: Cause,
    reason: &str,
) -> Result<(), Fault> {
    sqlx::query!(
        "update statements set cause = $2, reason = $3 where id = $1 and state = 'quarantined'",
        id.uuid(),
        cause.as_str(),
        reason,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Others of the same identity that were quarantined are replaced by the accepted one.
pub async fn update_superseded(
    conn: &mut PgConnection,
    account: &str,
    reference: &str,
    period_on: Day,
) -> Result<(), Fault> {
    sqlx::query!(
        "update statements set state = 'superseded'
         where account = $1 and reference = $2 and period_on = $3 and state = 'quarantined'",
        account,
        reference,
        period_on as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The bank's reference of a line that an accepted statement of the account listed already, with the same amount and
/// day.
pub async fn find_repeated(conn: &mut PgConnection, id: StatementId) -> Result<Option<String>, Fault> {
    let key = sqlx::query_scalar!(
        "select new.money_key
         from statement_lines new
         join statement_lines old on old.money_key = new.money_key and old.amount_minor = new.amount_minor
             and old.booked_on = new.booked_on and old.statement <> new.statement
         join statements on statements.id = old.statement and statements.state = 'accepted'
         where new.statement = $1 order by new.ordinal limit 1",
        id.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(key)
}

/// Where a bank gives one reference to different moneys, the later one is known by its place in the statement.
pub async fn update_keys(conn: &mut PgConnection, id: StatementId, account: &str) -> Result<(), Fault> {
    sqlx::query!(
        "update statement_lines set money_key = 'bank:' || $2 || ':' || statement || ':' || ordinal
         where statement = $1 and exists (
             select 1 from statement_lines old
             join statements on statements.id = old.statement and statements.state = 'accepted'
             where old.money_key = statement_lines.money_key and old.statement <> $1)",
        id.uuid(),
        account,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The account is known through the end of this statement.
pub async fn update_position(
    conn: &mut PgConnection,
    account: &str,
    id: StatementId,
    opening: Money,
    closing: Money,
    period_on: Day,
) -> Result<(), Fault> {
    let currency = closing.currency();
    sqlx::query!(
        "insert into statement_positions (account, currency, opened_on, opening_minor, through_on, closing_minor,
                                          statement)
         values ($1, $2, $3, $4, $3, $5, $6)
         on conflict (account) do update
         set through_on = excluded.through_on, closing_minor = excluded.closing_minor, statement = excluded.statement",
        account,
        currency.code(),
        period_on as _,
        opening.minor(),
        closing.minor(),
        id.uuid(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

struct StatementRow {
    id: Uuid,
    file: Uuid,
    account: String,
    number: String,
    currency: String,
    reference: String,
    sequence: Option<i64>,
    period_on: Option<Day>,
    opening_minor: Option<i64>,
    closing_minor: Option<i64>,
    lines_count: i64,
    state: String,
    cause: Option<String>,
    reason: Option<String>,
    created_at: Instant,
}

impl TryFrom<StatementRow> for Statement {
    type Error = Fault;

    fn try_from(row: StatementRow) -> Result<Self, Fault> {
        let id = StatementId::from_uuid(row.id);
        let money = |minor: Option<i64>| {
            let amount = |minor| row.currency.parse().map(|currency: Currency| Money::new(minor, currency));
            minor.map(amount).transpose().map_err(|_| Fault::corrupt("statements", "currency", id))
        };
        let (opening, closing) = (money(row.opening_minor)?, money(row.closing_minor)?);
        Ok(Self {
            id,
            file: StatementFileId::from_uuid(row.file),
            account: row.account,
            number: row.number,
            reference: row.reference,
            sequence: row.sequence,
            period_on: row.period_on,
            opening,
            closing,
            lines: row.lines_count,
            state: row.state,
            cause: row.cause,
            reason: row.reason,
            created_at: row.created_at,
        })
    }
}

/// The quarantined statement that continues an account from here, the earliest first.
pub async fn find_next(
    conn: &mut PgConnection,
    account: &str,
    from: &Position,
) -> Result<Option<Statement>, Fault> {
    let currency = from.closing.currency();
    let row = sqlx::query_as!(
        StatementRow,
        "select id, file, account, number, currency, reference, sequence, period_on, opening_minor, closing_minor,
                lines_count, state, cause, reason, created_at
         from statements
         where account = $1 and currency = $2 and opening_minor = $3 and period_on >= $4
           and state = 'quarantined' and cause = 'gap'
         order by period_on, id limit 1",
        account,
        currency.code(),
        from.closing.minor(),
        from.through_on as _,
    )
    .fetch_optional(conn)
    .await?;
    row.map(Statement::try_from).transpose()
}

pub async fn exists(conn: &mut PgConnection, id: StatementId) -> Result<bool, Fault> {
    let found = sqlx::query_scalar!(
        r#"select exists (select 1 from statements where id = $1) as "found!""#,
        id.uuid()
    );
    Ok(found.fetch_one(conn).await?)
}

/// Statements, newest first; `before` continues a page.
pub async fn page(
    conn: &mut PgConnection,
    state: Option<&str>,
    before: Option<StatementId>,
    limit: i64,
) -> Result<Vec<Statement>, Fault> {
    let rows = sqlx::query_as!(
        StatementRow,
        "select id, file, account, number, currency, reference, sequence, period_on, opening_minor, closing_minor,
                lines_count, state, cause, reason, created_at
         from statements
         where ($1::text is null or state = $1) and ($2::uuid is null or id < $2)
         order by id desc limit $3",
        state,
        before.map(Id::uuid),
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Statement::try_from).collect()
}
