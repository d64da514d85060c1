use mizan_ledger::{Currency, Day, EntryId, Id, Instant, Money};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::fault::Fault;
use crate::ids::{StatementFileId, StatementId};
use crate::recon::model::{Cause, Statement, Summary};
use crate::recon::staging::NewLine;

/// The content of the statement of this identity that is accepted, or waits for its day.
pub async fn find_first_told(
    conn: &mut PgConnection,
    account: &str,
    summary: &Summary,
) -> Result<Option<FirstTold>, Fault> {
    let row = sqlx::query!(
        "select content, currency, closing_minor from statements
         where account = $1 and reference = $2 and period_on = $3 and state in ('accepted', 'waiting')",
        account,
        summary.reference,
        summary.period_on as _,
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        let closing = row.currency.parse().ok().zip(row.closing_minor);
        let closing = closing.map(|(currency, minor)| Money::new(minor, currency));
        Ok(FirstTold { content: row.content, closing })
    })
    .transpose()
}

/// Whether a statement of this identity with these very contents stands aside already as altered.
pub async fn is_altered_known(
    conn: &mut PgConnection,
    account: &str,
    summary: &Summary,
) -> Result<bool, Fault> {
    let known = sqlx::query_scalar!(
        r#"select exists (
             select from statements where account = $1 and reference = $2 and period_on = $3 and content = $4
               and state = 'quarantined' and cause = 'altered') as "known!""#,
        account,
        summary.reference,
        summary.period_on as _,
        &summary.content,
    )
    .fetch_one(conn)
    .await?;
    Ok(known)
}

/// What the bank told first under the name of a statement.
#[derive(Debug)]
pub struct FirstTold {
    /// SHA-256 over balances and booked lines.
    pub content: Vec<u8>,
    pub closing: Option<Money>,
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
    /// The first day it is the truth about; none while it is not accepted.
    pub covers_from: Option<Day>,
    /// Why it is not accepted.
    pub aside: Option<(Cause, &'a str)>,
    pub state: &'static str,
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
    let accepted = new.aside.is_none();
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
        new.state,
        new.aside.map(|(cause, _)| cause.as_str()),
        new.aside.map(|(_, reason)| reason),
        now as _,
        accepted.then_some(now) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) struct StatementRow {
    pub(super) id: Uuid,
    pub(super) file: Uuid,
    pub(super) account: String,
    pub(super) number: String,
    pub(super) currency: String,
    pub(super) reference: String,
    pub(super) sequence: Option<i64>,
    pub(super) period_on: Option<Day>,
    pub(super) opening_minor: Option<i64>,
    pub(super) closing_minor: Option<i64>,
    pub(super) lines_count: i64,
    pub(super) state: String,
    pub(super) cause: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) created_at: Instant,
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
