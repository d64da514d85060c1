//! Open items as they stood at the end of a day.

use mizan_ledger::{Day, Money};
use sqlx::PgConnection;

use super::money;
use crate::fault::Fault;
use crate::reports::model::{Listed, OpenBreaks};

/// So many items of so much money that are open on an account.
struct ListedRow {
    account: String,
    currency: String,
    amount_minor: i64,
    items: i64,
}

fn listed(rows: Vec<ListedRow>, table: &'static str) -> Result<Vec<Listed>, Fault> {
    let listed = rows.into_iter().map(|row| {
        let amount = money(row.amount_minor, &row.currency, table)?;
        Ok(Listed { account: row.account, amount, items: row.items })
    });
    listed.collect()
}

/// Open expectations of one kind on one channel and bank account.
#[derive(Debug, Clone)]
pub struct Expected {
    pub kind: String,
    pub channel: String,
    /// The bank account's name in the books.
    pub account: String,
    /// Positive comes in, negative goes out.
    pub amount: Money,
    /// What the channel will keep of it.
    pub cost: Money,
    pub items: i64,
}

/// Expectations that were born by the day and neither met nor withdrawn by then. One that the bank showed before it was
/// told of (met by an earlier date than it was born) counts against the account until it is born.
pub async fn find_expected(conn: &mut PgConnection, zone: &str, day: Day) -> Result<Vec<Expected>, Fault> {
    let rows = sqlx::query!(
        r#"with dated as (
             select x.kind, x.channel, x.account, x.currency, x.amount_minor, x.cost_minor,
               (x.created_at at time zone $1)::date <= $2 as born,
               x.state <> 'open' and coalesce(e.effective_on, (x.met_at at time zone $1)::date) <= $2 as gone
             from expectations x
             left join ledger.outcomes o on o.entry_id = x.entry_id and o.accepted
             left join ledger.entries e on e.book_id = o.book_id and e.seq = o.seq
             where x.state = 'open' or x.met_at >= $2::date::timestamp at time zone $1
           ), open as (
             select *, case when born then 1 else -1 end as sign from dated where born <> gone
           )
           select kind, channel, account, currency, sum(amount_minor * sign)::bigint as "amount_minor!",
             sum(cost_minor * sign)::bigint as "cost_minor!", count(*) as "items!"
           from open group by 1, 2, 3, 4 order by 1, 2, 3, 4"#,
        zone,
        day as _,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Expected {
                amount: money(row.amount_minor, &row.currency, "expectations")?,
                cost: money(row.cost_minor, &row.currency, "expectations")?,
                kind: row.kind,
                channel: row.channel,
                account: row.account,
                items: row.items,
            })
        })
        .collect()
}

/// Money of the day that no expectation holds: told by a channel and entered on its receivable, or sent as a refund. Each of
/// them makes an expectation of as much, which stays when it is met; one that is gone or altered shows here.
pub async fn find_unexpected(
    conn: &mut PgConnection,
    book: &str,
    zone: &str,
    day: Day,
) -> Result<Vec<Listed>, Fault> {
    let rows = sqlx::query_as!(
        ListedRow,
        r#"with told as (
             select distinct (e.meta ->> 'notice')::bigint as n, a.code
             from ledger.books b join ledger.accounts a on a.book_id = b.id and a.code like 'channel/%/receivable'
             join ledger.daily_totals d on d.account_id = a.id and d.effective_on = $3
             join ledger.lines l
               on l.account_id = a.id and l.seq between d.first_seq and d.last_seq and l.effective_on = $3
             join ledger.entries e on e.book_id = l.book_id and e.seq = l.seq
             where b.name = $1 and l.amount_minor > 0 and e.meta ->> 'notice' is not null
           )
           select told.code as "account!", n.currency as "currency!", sum(n.amount_minor)::bigint as "amount_minor!",
             count(*) as "items!"
           from told join notices n on n.n = told.n
           where not exists (
             select from expectations x
             where x.money_key = n.money_key and x.kind = 'payment' and x.amount_minor = n.amount_minor
               and x.currency = n.currency)
           group by 1, 2
           union all
           select 'refunds/in_flight', r.currency, sum(r.amount_minor)::bigint, count(*)
           from refunds r
           where (r.submitted_at at time zone $2)::date = $3
             and not exists (
               select from expectations x where x.refund = r.id and x.amount_minor = -r.amount_minor)
           group by 2 order by 1, 2"#,
        book,
        zone,
        day as _,
    )
    .fetch_all(conn)
    .await?;
    listed(rows, "notices")
}

/// What agencies were paid past the hub, as it lessens what the hub owes them: the channel's cost once the money is
/// entered, the rest once the channel has reported it, whether or not it fitted a payment. What a channel still owes of
/// an earlier report is owed on; what it took back for a refund the agency has given.
pub async fn find_direct(conn: &mut PgConnection, zone: &str, day: Day) -> Result<Vec<Listed>, Fault> {
    let rows = sqlx::query_as!(
        ListedRow,
        r#"with dated as (
             select x.account, x.currency, x.kind, x.amount_minor, x.cost_minor, x.money_key,
               x.state = 'met' and coalesce(e.effective_on, (x.met_at at time zone $1)::date) <= $2 as gone
             from expectations x
             left join ledger.outcomes o on o.entry_id = x.entry_id and o.accepted
             left join ledger.entries e on e.book_id = o.book_id and e.seq = o.seq
             where x.account like 'agency/%' and x.kind in ('payment', 'netted_refund')
               and (x.created_at at time zone $1)::date <= $2
           )
           select account as "account!", currency as "currency!", count(*) as "items!",
             sum(case when kind = 'netted_refund' then case when gone then -amount_minor else 0 end
                      when money_key is null then case when gone then 0 else amount_minor end
                      when gone then -amount_minor
                      else -cost_minor end)::bigint as "amount_minor!"
           from dated group by 1, 2 order by 1, 2"#,
        zone,
        day as _,
    )
    .fetch_all(conn)
    .await?;
    listed(rows, "expectations")
}

/// What agencies paid in, as it stands for them until a refund takes it.
pub async fn find_paid_in(conn: &mut PgConnection, day: Day) -> Result<Vec<Listed>, Fault> {
    let rows = sqlx::query_as!(
        ListedRow,
        r#"select 'agency/' || p.agency as "account!", p.currency, sum(p.amount_minor)::bigint as "amount_minor!",
             count(*) as "items!"
           from refund_pay_ins p
           join ledger.outcomes o on o.entry_id = p.entry_id and o.accepted
           join ledger.entries e on e.book_id = o.book_id and e.seq = o.seq
           where p.state = 'entered' and e.effective_on <= $1
           group by 1, 2 order by 1, 2"#,
        day as _,
    )
    .fetch_all(conn)
    .await?;
    listed(rows, "refund_pay_ins")
}

/// What is left of the items in suspense: what is left now, less those born after the day, and with what was used of
/// them after it.
pub async fn find_suspense(
    conn: &mut PgConnection,
    book: &str,
    zone: &str,
    day: Day,
) -> Result<Vec<Listed>, Fault> {
    let rows = sqlx::query_as!(
        ListedRow,
        r#"with item as (
             select 'suspense/' || s.account || '/credits' as code, s.currency,
               case when coalesce(e.effective_on, (s.created_at at time zone $2)::date) <= $3
                 then s.amount_minor - s.used_minor else -s.used_minor end as left_minor
             from suspense_items s
             left join ledger.outcomes o on o.entry_id = s.entry_id and o.accepted
             left join ledger.entries e on e.book_id = o.book_id and e.seq = o.seq
             where s.used_minor < s.amount_minor or s.created_at >= $3::date::timestamp at time zone $2
           ), used_later as (
             select a.code, a.currency, sum(l.amount_minor) as left_minor
             from ledger.books b join ledger.accounts a on a.book_id = b.id and a.code like 'suspense/%/credits'
             join ledger.daily_totals d on d.account_id = a.id and d.effective_on > $3
             join ledger.lines l
               on l.account_id = a.id and l.seq between d.first_seq and d.last_seq and l.effective_on = d.effective_on
             join ledger.entries e on e.book_id = l.book_id and e.seq = l.seq
             where b.name = $1 and (l.amount_minor > 0 or e.kind = 'refund_canceled')
             group by 1, 2
           )
           select code as "account!", currency as "currency!", sum(left_minor)::bigint as "amount_minor!",
             count(*) filter (where is_item and left_minor <> 0) as "items!"
           from (select *, true as is_item from item union all select *, false from used_later) as both_sides
           group by 1, 2 order by 1, 2"#,
        book,
        zone,
        day as _,
    )
    .fetch_all(conn)
    .await?;
    listed(rows, "suspense_items")
}

/// Refunds that were approved and not (or not any more) on their way, nor canceled or given up, by the end of the day.
pub async fn find_refunds_payable(
    conn: &mut PgConnection,
    zone: &str,
    day: Day,
) -> Result<Vec<Listed>, Fault> {
    let rows = sqlx::query_as!(
        ListedRow,
        r#"select r.currency, 'refunds/payable' as "account!", sum(r.amount_minor)::bigint as "amount_minor!",
             count(*) as "items!"
           from refunds r
           left join ledger.outcomes o on o.entry_id = r.approved_entry_id and o.accepted
           left join ledger.entries e on e.book_id = o.book_id and e.seq = o.seq
           left join ledger.outcomes q on q.entry_id = r.ended_entry_id and q.accepted
           left join ledger.entries ended on ended.book_id = q.book_id and ended.seq = q.seq
           left join lateral (
             select x.state, x.reference, x.state <> 'open'
                 and coalesce(f.effective_on, (x.met_at at time zone $1)::date) <= $2 as gone
             from expectations x
             left join ledger.outcomes p on p.entry_id = x.entry_id and p.accepted
             left join ledger.entries f on f.book_id = p.book_id and f.seq = p.seq
             where x.refund = r.id and (x.created_at at time zone $1)::date <= $2
             order by x.created_at desc, x.id desc limit 1) sent on true
           where r.state not in ('requested', 'refused', 'awaiting_funds')
             and (r.state not in ('canceled', 'unclaimed') or ended.effective_on > $2)
             and coalesce(e.effective_on, (r.decided_at at time zone $1)::date) <= $2
             and (sent.state is null or (sent.gone and (sent.state = 'withdrawn' or exists (
               select from refund_attempts t
               join ledger.outcomes u on u.entry_id = t.returned_entry_id and u.accepted
               join ledger.entries back on back.book_id = u.book_id and back.seq = u.seq
               where t.refund = r.id and t.reference = sent.reference and back.effective_on <= $2))))
           group by 1 order by 1"#,
        zone,
        day as _,
    )
    .fetch_all(conn)
    .await?;
    listed(rows, "refunds")
}

/// Refunds that were given up by the end of the day, on the fund their entry names.
pub async fn find_unclaimed(conn: &mut PgConnection, day: Day) -> Result<Vec<Listed>, Fault> {
    let rows = sqlx::query_as!(
        ListedRow,
        r#"select a.code as account, r.currency, sum(r.amount_minor)::bigint as "amount_minor!", count(*) as "items!"
           from refunds r
           join ledger.outcomes o on o.entry_id = r.ended_entry_id and o.accepted
           join ledger.entries e on e.book_id = o.book_id and e.seq = o.seq
           join ledger.lines l on l.book_id = e.book_id and l.seq = e.seq and l.amount_minor < 0
           join ledger.accounts a on a.id = l.account_id
           where r.state = 'unclaimed' and e.effective_on <= $1
           group by 1, 2 order by 1, 2"#,
        day as _,
    )
    .fetch_all(conn)
    .await?;
    listed(rows, "refunds")
}

/// Parts of payments that wait for the rest.
pub async fn find_parts(conn: &mut PgConnection, zone: &str, day: Day) -> Result<Vec<Listed>, Fault> {
    let rows = sqlx::query_as!(
        ListedRow,
        r#"select n.currency, 'partial/held' as "account!", sum(n.amount_minor)::bigint as "amount_minor!",
             count(*) as "items!"
           from notices n
           where n.outcome = 'part' and (n.applied_at at time zone $1)::date <= $2
             and not exists (
               select from notices whole
               where whole.intent = n.intent and whole.outcome = 'paid'
                 and (whole.applied_at at time zone $1)::date <= $2)
             and not exists (
               select from suspense_items s
               where s.intent = n.intent and s.money_key = n.money_key
                 and (s.created_at at time zone $1)::date <= $2)
           group by 1 order by 1"#,
        zone,
        day as _,
    )
    .fetch_all(conn)
    .await?;
    listed(rows, "notices")
}

/// Statement lines that took money and wait for an explanation.
pub async fn find_debits(conn: &mut PgConnection, day: Day) -> Result<Vec<Listed>, Fault> {
    let rows = sqlx::query_as!(
        ListedRow,
        r#"select 'suspense/' || s.account || '/debits' as "account!", s.currency,
             sum(-l.amount_minor)::bigint as "amount_minor!", count(*) as "items!"
           from statement_lines l join statements s on s.id = l.statement
           join ledger.outcomes o on o.entry_id = l.entry_id and o.accepted
           join ledger.entries e on e.book_id = o.book_id and e.seq = o.seq and e.effective_on <= $1
           where l.state = 'suspense' and l.amount_minor < 0 and s.state = 'accepted'
             -- A settlement that its channel told of later, or a refund, explains the line from the day of its own entry.
             and not exists (
               select from (select entry_id from settlements where statement_line = l.id
                            union all select entry_id from expectations where statement_line = l.id) as told
               join ledger.outcomes taken on taken.entry_id = told.entry_id and taken.accepted
               join ledger.entries later on later.book_id = taken.book_id and later.seq = taken.seq
                   and later.effective_on <= $1)
           group by 1, 2 order by 1, 2"#,
        day as _,
    )
    .fetch_all(conn)
    .await?;
    listed(rows, "statement_lines")
}

/// Breaks that were open at the end of the day, by category and currency.
pub async fn find_open_breaks(
    conn: &mut PgConnection,
    zone: &str,
    day: Day,
) -> Result<Vec<OpenBreaks>, Fault> {
    let rows = sqlx::query!(
        r#"select category, currency, 
             -- Amounts that were refused as too large may be too large together.
             case when abs(sum(amount_minor)) < 9e18 then sum(amount_minor)::bigint end as amount_minor, count(*) as "count!"
           from breaks
           where (opened_at at time zone $1)::date <= $2 and state <> 'superseded'
             and (resolved_at is null or (resolved_at at time zone $1)::date > $2)
           group by 1, 2 order by 1, 2"#,
        zone,
        day as _,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let amount = match (row.amount_minor, row.currency) {
                (Some(minor), Some(currency)) => Some(money(minor, &currency, "breaks")?),
                _ => None,
            };
            let category =
                row.category.parse().map_err(|_| Fault::corrupt("breaks", "category", row.category))?;
            Ok(OpenBreaks { category, count: row.count, amount })
        })
        .collect()
}
