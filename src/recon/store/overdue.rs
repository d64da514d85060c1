use mizan_ledger::{Currency, Day, Id, Money};
use sqlx::PgConnection;

use crate::expectations::Kind;
use crate::fault::Fault;
use crate::ids::{ExpectationId, IntentId, RefundId, SettlementId, SuspenseId};

/// Expected money that the statements do not show.
#[derive(Debug, Clone)]
pub struct Overdue {
    pub id: ExpectationId,
    pub kind: Kind,
    pub channel: String,
    pub account: String,
    pub money: Money,
    pub transaction: Option<String>,
    pub reference: Option<String>,
    pub intent: Option<IntentId>,
    pub due_on: Day,
    /// The account's statements are known through this day.
    pub through_on: Day,
    /// The settlement in which its channel says it was: id there and net amount.
    pub settlement: Option<(String, Money)>,
    /// Its channel told what it settled on the last day, and this was not in it: it may come with the next settlement.
    pub may_follow: bool,
}

/// Open expectations whose last day is on a statement, accepted or not closing, that does not show them: neither on a
/// line that is not decided yet nor on one of a statement that does not close. What a channel pays an agency itself is
/// looked for in the channel's reports. Those that have a break for it already are left out.
pub async fn page_overdue(conn: &mut PgConnection, limit: i64) -> Result<Vec<Overdue>, Fault> {
    let rows = sqlx::query!(
        r#"with quarantined as (
             select id, account, currency, period_on from statements
             where state = 'quarantined' and cause = 'does_not_close'),
           known as (
             select account, currency, max(through_on) as through_on from (
                 select account, currency, through_on from statement_positions
                 union all
                 select account, currency, period_on from quarantined
                 union all
                 select direct.account, direct.currency, report.day
                 from settlement_reports report
                 join expectations direct on direct.channel = report.channel and direct.state = 'open'
                     and direct.account like 'agency/%'
                 where report.state = 'taken') as position
             group by account, currency)
           select overdue.id, kind, overdue.channel, overdue.account, overdue.currency, amount_minor, transaction,
                  overdue.reference, intent, due_on as "due_on: Day", known.through_on as "through_on!: Day",
                  told.reference as "told_reference?", told.net_minor as "told_net_minor?",
                  (report.day is not null and not report.went_on) as "may_follow!"
           from expectations overdue
           join known on known.account = overdue.account and known.currency = overdue.currency
               and overdue.due_on <= known.through_on
           left join lateral (
             select settlements.reference, settlements.net_minor
             from settlement_items item
             join settlements on settlements.id = item.settlement and settlements.state = 'reported'
                 and settlements.channel = overdue.channel and settlements.currency = overdue.currency
             where item.transaction = overdue.transaction limit 1) as told on true
           left join lateral (
             select day, exists (select 1 from settlement_reports later where later.channel = report.channel
                                 and later.day > report.day and later.state = 'taken') as went_on
             from settlement_reports report
             where report.channel = overdue.channel and report.day = overdue.due_on and report.state = 'taken'
           ) as report on true
           where overdue.state = 'open'
             and not exists (
               select 1 from breaks
               where (category in ('missing_at_bank', 'refund_unconfirmed', 'payout_unconfirmed',
                                    'settlement_set_aside')
                      and subject in ('ex_' || replace(overdue.id::text, '-', ''),
                                      overdue.channel || ':' || told.reference || ':' || overdue.currency))
                  or (category = 'cut_off' and subject = overdue.channel || ':' || overdue.transaction
                      and not report.went_on))
             and not exists (
               select 1 from statement_lines line
               join statements on statements.id = line.statement
               where statements.account = overdue.account
                 and (statements.id in (select id from quarantined)
                      or statements.state = 'accepted' and line.state in ('new', 'noticed'))
                 and (line.end_to_end = overdue.reference or line.money_key = overdue.money_key
                      or position(told.reference in line.text) > 0))
           order by overdue.id limit $1"#,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let id = ExpectationId::from_uuid(row.id);
            let corrupt = |column| Fault::corrupt("expectations", column, id);
            let currency: Currency = row.currency.parse().map_err(|_| corrupt("currency"))?;
            let settlement = row.told_reference.zip(row.told_net_minor);
            Ok(Overdue {
                id,
                kind: Kind::parse(&row.kind).ok_or_else(|| corrupt("kind"))?,
                channel: row.channel,
                account: row.account,
                money: Money::new(row.amount_minor, currency),
                transaction: row.transaction,
                reference: row.reference,
                intent: row.intent.map(IntentId::from_uuid),
                due_on: row.due_on,
                through_on: row.through_on,
                may_follow: row.may_follow && settlement.is_none(),
                settlement: settlement.map(|(name, net)| (name, Money::new(net, currency))),
            })
        })
        .collect()
}

/// A credit that went to suspense from a statement, and the expectation of the same money that was born later.
#[derive(Debug, Clone)]
pub struct Explained {
    pub item: SuspenseId,
    pub expectation: ExpectationId,
    pub channel: String,
    /// The suspense account's own name.
    pub suspense: String,
    pub money: Money,
    pub money_key: String,
    pub line: i64,
    pub intent: Option<IntentId>,
}

/// Pairs of them with the same amount, both locked.
pub async fn lock_explained(conn: &mut PgConnection, limit: i64) -> Result<Vec<Explained>, Fault> {
    let rows = sqlx::query!(
        r#"select item.id, expectations.id as expectation, expectations.channel, item.account, item.currency,
                  item.amount_minor, item.money_key as "money_key!", item.statement_line as "line!",
                  expectations.intent
           from suspense_items item
           join expectations on expectations.money_key = item.money_key and expectations.state = 'open'
               and expectations.kind = 'payment' and expectations.currency = item.currency
               and expectations.amount_minor = item.amount_minor
           where item.used_minor = 0 and item.statement_line is not null
           order by item.id limit $1 for no key update of item, expectations"#,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let id = SuspenseId::from_uuid(row.id);
            let currency: Currency =
                row.currency.parse().map_err(|_| Fault::corrupt("suspense_items", "currency", id))?;
            Ok(Explained {
                item: id,
                expectation: ExpectationId::from_uuid(row.expectation),
                channel: row.channel,
                suspense: row.account,
                money: Money::new(row.amount_minor, currency),
                money_key: row.money_key,
                line: row.line,
                intent: row.intent.map(IntentId::from_uuid),
            })
        })
        .collect()
}

/// A line booked as unknown that shows what a channel settled.
#[derive(Debug, Clone)]
pub struct ExplainedLine {
    /// Of a credit; a debit stands in suspense as a line.
    pub item: Option<SuspenseId>,
    pub line: i64,
    pub money_key: String,
    pub text: String,
}

/// Unused credits in suspense that have the amount of this settlement, in its account. They are locked; whether the line's
/// text names the settlement is not asked here.
pub async fn lock_explained_lines(
    conn: &mut PgConnection,
    settlement: SettlementId,
) -> Result<Vec<ExplainedLine>, Fault> {
    let rows = sqlx::query!(
        r#"select item.id as item, line.id as line, line.money_key, line.text
           from suspense_items item
           join statement_lines line on line.id = item.statement_line and line.state = 'suspense'
           join settlements on settlements.account = item.account and settlements.currency = item.currency
               and settlements.net_minor = item.amount_minor
           where settlements.id = $1 and item.used_minor = 0 and item.cause = 'unknown_credit'
           order by item.id for no key update of item"#,
        settlement.uuid(),
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| ExplainedLine {
            item: Some(SuspenseId::from_uuid(row.item)),
            line: row.line,
            money_key: row.money_key,
            text: row.text,
        })
        .collect())
}

/// The same of debits, when the channel took money: those that no settlement has explained.
pub async fn lock_explained_debits(
    conn: &mut PgConnection,
    settlement: SettlementId,
) -> Result<Vec<ExplainedLine>, Fault> {
    let rows = sqlx::query!(
        "select line.id, line.money_key, line.text
         from settlements
         join statements on statements.account = settlements.account and statements.state = 'accepted'
         join statement_lines line on line.statement = statements.id and line.state = 'suspense'
             and line.currency = settlements.currency and line.amount_minor = settlements.net_minor
             and line.amount_minor < 0
         where settlements.id = $1 and settlements.net_minor < 0
           and not exists (select from settlements other where other.statement_line = line.id)
         order by line.id for no key update of line",
        settlement.uuid(),
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| ExplainedLine { item: None, line: row.id, money_key: row.money_key, text: row.text })
        .collect())
}

/// A debit booked as unknown, and the refund on its way that it was: by our reference, account and amount.
#[derive(Debug, Clone)]
pub struct ExplainedRefund {
    pub expectation: ExpectationId,
    pub refund: RefundId,
    pub account: String,
    pub line: i64,
    pub money_key: String,
}

pub async fn page_explained_refunds(
    conn: &mut PgConnection,
    limit: i64,
) -> Result<Vec<ExplainedRefund>, Fault> {
    let rows = sqlx::query!(
        r#"select distinct on (awaited.id) awaited.id, awaited.refund as "refund!", awaited.account, line.id as line,
                  line.money_key
           from expectations awaited
           join statements on statements.account = awaited.account and statements.state = 'accepted'
           join statement_lines line on line.statement = statements.id and line.state = 'suspense'
               and line.end_to_end = awaited.reference and line.currency = awaited.currency
               and line.amount_minor = awaited.amount_minor and line.amount_minor < 0
           where awaited.state = 'open' and awaited.kind = 'refund' and awaited.refund is not null
             and not exists (select from expectations other where other.statement_line = line.id)
           order by awaited.id, line.id limit $1"#,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| ExplainedRefund {
            expectation: ExpectationId::from_uuid(row.id),
            refund: RefundId::from_uuid(row.refund),
            account: row.account,
            line: row.line,
            money_key: row.money_key,
        })
        .collect())
}
