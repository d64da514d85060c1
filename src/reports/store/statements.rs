//! What the bank says.

use mizan_ledger::{Day, Money};
use sqlx::PgConnection;

use super::money;
use crate::fault::Fault;
use crate::reports::bank::Aside;

/// An accepted statement of an account (its name in the books).
#[derive(Debug, Clone)]
pub struct Head {
    pub account: String,
    pub period_on: Day,
    pub opening: Money,
    pub closing: Money,
}

/// The accepted statements up to the day, in the order in which they follow each other.
pub async fn find_heads(conn: &mut PgConnection, day: Day) -> Result<Vec<Head>, Fault> {
    let rows = sqlx::query!(
        r#"select account, currency, period_on as "period_on!", opening_minor as "opening_minor!",
             closing_minor as "closing_minor!"
           from statements where state = 'accepted' and period_on <= $1
           order by account, currency, period_on, place nulls first, opening_minor = closing_minor, id"#,
        day as _,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Head {
                opening: money(row.opening_minor, &row.currency, "statements")?,
                closing: money(row.closing_minor, &row.currency, "statements")?,
                account: row.account,
                period_on: row.period_on,
            })
        })
        .collect()
}

/// A statement of the day that is not accepted.
#[derive(Debug, Clone)]
pub struct Quarantined {
    pub account: String,
    pub opening: Option<Money>,
    /// Each movement it shows, by the bank's reference, amount and day, stands on an accepted statement of its day as often;
    /// else it may show money that nobody has booked.
    pub adds_nothing: bool,
    pub aside: Aside,
}

/// Those of the day; one of which two people agreed that it tells nothing of the account is none any more.
pub async fn find_quarantined(conn: &mut PgConnection, day: Day) -> Result<Vec<Quarantined>, Fault> {
    let rows = sqlx::query!(
        r#"select account, coalesce(reason, state) as "reason!", currency, opening_minor, closing_minor,
             (coalesce(cause in ('gap', 'altered', 'does_not_close'), false)
              and lines_count = (select count(*) from statement_lines line where line.statement = aside.id)
              and not exists (
                select from (select bank_reference, amount_minor, booked_on, count(*) as times from statement_lines
                             where statement = aside.id group by bank_reference, amount_minor, booked_on) shown
                where times > (
                  select count(*) from statements known join statement_lines line on line.statement = known.id
                  where known.account = aside.account and known.period_on = aside.period_on
                    and known.state = 'accepted' and line.amount_minor = shown.amount_minor
                    and line.booked_on = shown.booked_on
                    and line.bank_reference is not distinct from shown.bank_reference))) as "adds_nothing!"
           from statements aside
           where state in ('quarantined', 'waiting') and period_on = $1 and not exists (
             select from breaks
             where category in ('altered', 'statement_does_not_close', 'statement_gap', 'statement_in_doubt')
               and subject = concat_ws(':', 'statement', account, reference, to_char(period_on, 'YYYY-MM-DD'))
               and breaks.state = 'resolved' and approved_by is not null)
           order by account, id"#,
        day as _,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let balance =
                |minor: Option<i64>| minor.map(|minor| money(minor, &row.currency, "statements")).transpose();
            let opening = balance(row.opening_minor)?;
            let aside = Aside { closing: balance(row.closing_minor)?, reason: row.reason };
            Ok(Quarantined { account: row.account, opening, adds_nothing: row.adds_nothing, aside })
        })
        .collect()
}

/// The sum of the lines of the day's accepted statements.
#[derive(Debug, Clone)]
pub struct DayLines {
    pub account: String,
    pub amount: Money,
}

pub async fn find_day_lines(conn: &mut PgConnection, day: Day) -> Result<Vec<DayLines>, Fault> {
    let rows = sqlx::query!(
        r#"select s.account, s.currency, sum(l.amount_minor)::bigint as "amount_minor!"
           from statements s join statement_lines l on l.statement = s.id
           where s.state = 'accepted' and s.period_on = $1 group by 1, 2"#,
        day as _,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let amount = money(row.amount_minor, &row.currency, "statement_lines")?;
            Ok(DayLines { account: row.account, amount })
        })
        .collect()
}

/// Lines of an account whose statement and entry are not of the same side of a day's end.
#[derive(Debug, Clone)]
pub struct Entered {
    pub account: String,
    pub when: When,
    pub amount: Money,
    pub items: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// The statement is of the day or before, its entry of a later day.
    Later,
    /// There is no entry.
    Never,
    /// The entry is of the day or before, of a day off, and the next statement shows it.
    BeforeShown,
}

/// Lines of the accepted statements of forty days to either side that the book had at the end of the day and no statement
/// showed, or the other way round.
pub async fn find_not_of_day(conn: &mut PgConnection, day: Day) -> Result<Vec<Entered>, Fault> {
    let rows = sqlx::query!(
        r#"select s.account, s.currency, e.seq is not null as "entered!", s.period_on > $1 as "shown_later!",
             sum(l.amount_minor)::bigint as "amount_minor!", count(*) as "items!"
           from statements s join statement_lines l on l.statement = s.id
           left join ledger.outcomes o on o.entry_id = l.entry_id and o.accepted
           left join ledger.entries e on e.book_id = o.book_id and e.seq = o.seq
           where s.state = 'accepted' and s.period_on > $1::date - 40 and s.period_on < $1::date + 40
             and case when s.period_on <= $1 then e.seq is null or e.effective_on > $1 else e.effective_on <= $1 end
           group by 1, 2, 3, 4"#,
        day as _,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Entered {
                amount: money(row.amount_minor, &row.currency, "statement_lines")?,
                account: row.account,
                when: match (row.shown_later, row.entered) {
                    (true, _) => When::BeforeShown,
                    (false, true) => When::Later,
                    (false, false) => When::Never,
                },
                items: row.items,
            })
        })
        .collect()
}
