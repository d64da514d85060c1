//! How each account is known from statement to statement, and which wait for their place.

use mizan_ledger::{Currency, Day, Id, Instant, Money};
use sqlx::PgConnection;

use super::statements::StatementRow;
use crate::fault::Fault;
use crate::ids::StatementId;
use crate::recon::model::{Cause, Position, Statement};

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

/// Where in the chain of its account a statement stands that came after those that follow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Junction {
    /// Of the statement before it; None also where that one stands before all others.
    pub place: Option<i64>,
    /// No statement is before it.
    pub begins: bool,
    /// An accepted statement of its own day is there already.
    pub day_is_told: bool,
}

/// Between which accepted statements one of this day fits that begins and ends with this balance: the one closes and the other
/// opens with it. The last such place, and the one before all others.
pub async fn find_junction(
    conn: &mut PgConnection,
    account: &str,
    day: Day,
    balance: Money,
) -> Result<Option<Junction>, Fault> {
    let currency = balance.currency();
    let row = sqlx::query!(
        r#"with chain as (
             select period_on, opening_minor, closing_minor, place, row_number() over chained as nth,
                    lead(period_on) over chained as next_on, lead(opening_minor) over chained as next_opening
             from statements where account = $1 and currency = $4 and state = 'accepted'
             window chained as (order by period_on, place nulls first, opening_minor = closing_minor, id))
           select place, false as "begins!", exists (select from chain where period_on = $2) as "day_is_told!"
           from chain where period_on <= $2 and closing_minor = $3 and next_on >= $2 and next_opening = $3
           union all
           select null, true, exists (select from chain where period_on = $2)
           from chain where nth = 1 and period_on >= $2 and opening_minor = $3
           order by 2, 1 desc nulls last limit 1"#,
        account,
        day as _,
        balance.minor(),
        currency.code(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Junction { place: row.place, begins: row.begins, day_is_told: row.day_is_told }))
}

/// It stands directly after the statement of this place, beside others that left the balance as it was.
pub async fn update_place(conn: &mut PgConnection, id: StatementId, place: i64) -> Result<(), Fault> {
    sqlx::query!("update statements set place = $2 where id = $1", id.uuid(), place).execute(conn).await?;
    Ok(())
}

/// A statement that waited becomes the truth: what was missing before it has come, or its day.
pub async fn update_accepted(
    conn: &mut PgConnection,
    id: StatementId,
    covers_from: Day,
    now: Instant,
) -> Result<(), Fault> {
    sqlx::query!(
        "update statements set state = 'accepted', cause = null, reason = null, covers_from = $2, accepted_at = $3
         where id = $1 and state in ('quarantined', 'waiting')",
        id.uuid(),
        covers_from as _,
        now as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A statement that waited does not continue its account, or not any more for the reason that it had.
pub async fn update_quarantined(
    conn: &mut PgConnection,
    id: StatementId,
    cause: Cause,
    reason: &str,
) -> Result<(), Fault> {
    sqlx::query!(
        "update statements set state = 'quarantined', cause = $2, reason = $3
         where id = $1 and state in ('quarantined', 'waiting')",
        id.uuid(),
        cause.as_str(),
        reason,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Others of the same identity that stand aside are replaced by the accepted one, and those that the bank gave the same
/// name on a day that has not come. What could be booked and has other content than the accepted one stands for itself.
/// Answers the days under which they stood.
pub async fn update_superseded(
    conn: &mut PgConnection,
    accepted: StatementId,
    account: &str,
    reference: &str,
    period_on: Day,
) -> Result<Vec<Option<Day>>, Fault> {
    let days = sqlx::query_scalar!(
        r#"update statements set state = 'superseded'
           where account = $1 and reference = $2 and state in ('quarantined', 'waiting') and cause <> 'altered'
             and (cause <> 'gap' or content = (select content from statements where id = $4))
             and (period_on = $3 or cause = 'future_day' and state = 'quarantined')
           returning period_on as "period_on: Day""#,
        account,
        reference,
        period_on as _,
        accepted.uuid(),
    )
    .fetch_all(conn)
    .await?;
    Ok(days)
}

/// Those of the same identity that waited for one before them, as the accepted one did, and say other things: the bank told
/// one statement twice, and which of the two is true a person finds out.
pub async fn update_altered(
    conn: &mut PgConnection,
    accepted: StatementId,
    account: &str,
    reference: &str,
    period_on: Day,
) -> Result<Vec<Statement>, Fault> {
    let rows = sqlx::query_as!(
        StatementRow,
        "update statements set cause = 'altered', reason = 'statement ' || reference || ' came with other content, too'
         where account = $1 and reference = $2 and period_on = $3 and state = 'quarantined' and cause = 'gap' and id <> $4
         returning id, file, account, number, currency, reference, sequence, period_on, opening_minor, closing_minor,
                lines_count, state, cause, reason, created_at",
        account,
        reference,
        period_on as _,
        accepted.uuid(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Statement::try_from).collect()
}

/// Statements that wait for one before them, and that leave the balance as it was: they may stand between others.
pub async fn page_even_gaps(conn: &mut PgConnection, account: &str) -> Result<Vec<Statement>, Fault> {
    let rows = sqlx::query_as!(
        StatementRow,
        "select id, file, account, number, currency, reference, sequence, period_on, opening_minor, closing_minor,
                lines_count, state, cause, reason, created_at
         from statements
         where account = $1 and state = 'quarantined' and cause = 'gap' and opening_minor = closing_minor
         order by period_on, id",
        account,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Statement::try_from).collect()
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

/// The bank's name of an accepted statement of the same account and day, between the same balances, with the same movements:
/// as many of each amount and day.
pub async fn find_told_before(
    conn: &mut PgConnection,
    id: StatementId,
    account: &str,
    period_on: Day,
    (opening, closing): (Money, Money),
) -> Result<Option<String>, Fault> {
    let currency = opening.currency();
    let name = sqlx::query_scalar!(
        "select old.reference from statements old
         where old.account = $2 and old.period_on = $3 and old.state = 'accepted' and old.id <> $1
           and old.currency = $4 and old.opening_minor = $5 and old.closing_minor = $6
           and exists (select from statement_lines where statement = $1)
           and not exists (
               select from (
                   select amount_minor, booked_on, count(*) as times from statement_lines
                   where statement = $1 group by amount_minor, booked_on) new
               full join (
                   select amount_minor, booked_on, count(*) as times from statement_lines
                   where statement = old.id group by amount_minor, booked_on) before
               using (amount_minor, booked_on, times)
               where new is null or before is null)
         order by old.id limit 1",
        id.uuid(),
        account,
        period_on as _,
        currency.code(),
        opening.minor(),
        closing.minor(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(name)
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

/// The account is known through the end of this statement, which follows those before it.
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
        "with placed as (update statements set place = nextval('statement_places') where id = $6)
         insert into statement_positions (account, currency, opened_on, opening_minor, through_on, closing_minor,
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

/// The statement that continues an account from here, the earliest first: one before which something was missing, or
/// whose day has come. An account without a position begins with the earliest whose day has come.
pub async fn find_next(
    conn: &mut PgConnection,
    account: &str,
    from: Option<Position>,
    today: Day,
) -> Result<Option<Statement>, Fault> {
    let row = sqlx::query_as!(
        StatementRow,
        "select id, file, account, number, currency, reference, sequence, period_on, opening_minor, closing_minor,
                lines_count, state, cause, reason, created_at
         from statements
         where account = $1 and ($2::text is null or currency = $2)
           and ($3::bigint is null or opening_minor = $3) and ($4::date is null or period_on >= $4)
           and (state = 'quarantined' and cause = 'gap' or state = 'waiting' and period_on <= $5)
         order by period_on, id limit 1",
        account,
        from.map(|from| from.closing.currency().code().to_owned()),
        from.map(|from| from.closing.minor()),
        from.map(|from| from.through_on) as _,
        today as _,
    )
    .fetch_optional(conn)
    .await?;
    row.map(Statement::try_from).transpose()
}

/// Statements that waited for their day, which has come, in the order in which they follow each other.
pub async fn page_day_come(conn: &mut PgConnection, today: Day) -> Result<Vec<Statement>, Fault> {
    let rows = sqlx::query_as!(
        StatementRow,
        "select id, file, account, number, currency, reference, sequence, period_on, opening_minor, closing_minor,
                lines_count, state, cause, reason, created_at
         from statements where state = 'waiting' and period_on <= $1 order by account, period_on, id",
        today as _,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Statement::try_from).collect()
}
