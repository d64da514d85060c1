use mizan_ledger::{Currency, Money};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::fault::Fault;
use crate::ids::{AttemptId, IntentId, PayInId, RefundId};
use mizan_ledger::Id;

/// A payment as its payer knows it.
#[derive(Debug, Clone)]
pub(super) struct Bill {
    pub id: IntentId,
    pub state: String,
    pub number: String,
    pub amount: Money,
    pub paid: Money,
}

impl Bill {
    pub(super) fn is_open(&self) -> bool {
        matches!(self.state.as_str(), "requires_payment" | "partially_paid" | "processing")
    }
}

pub(super) async fn page_bills(conn: &mut PgConnection) -> Result<Vec<Bill>, Fault> {
    let rows = sqlx::query!(
        "select id, state, bill_number, currency, amount_minor, paid_minor from payment_intents order by id"
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let currency: Currency =
                row.currency.parse().map_err(|_| Fault::corrupt("payment_intents", "currency", row.id))?;
            Ok(Bill {
                id: IntentId::from_uuid(row.id),
                state: row.state,
                number: row.bill_number,
                amount: Money::new(row.amount_minor, currency),
                paid: Money::new(row.paid_minor, currency),
            })
        })
        .collect()
}

pub(super) async fn page_refunds(conn: &mut PgConnection) -> Result<Vec<(RefundId, String)>, Fault> {
    let rows = sqlx::query!("select id, state from refunds order by id").fetch_all(conn).await?;
    Ok(rows.into_iter().map(|row| (RefundId::from_uuid(row.id), row.state)).collect())
}

/// Payments whose amount paid is not what their entries took less what of it went to suspense.
pub(super) async fn find_paid_differences(conn: &mut PgConnection) -> Result<Vec<String>, Fault> {
    let rows = sqlx::query!(
        r#"with taken as (
             select e.source_ref, sum(l.amount_minor)::bigint as minor
             from ledger.entries e
             join ledger.lines l on l.book_id = e.book_id and l.seq = e.seq
             join ledger.accounts a on a.id = l.account_id
             where e.kind in
               ('paid_in_full', 'part_payment_held', 'part_payment_completed', 'part_payment_ended')
               and (a.code like 'channel/%/receivable' or a.code like 'suspense/%/credits')
             group by 1
           )
           select i.id, i.paid_minor, coalesce(taken.minor, 0) as "taken!"
           from payment_intents i left join taken on taken.source_ref = 'pi_' || replace(i.id::text, '-', '')
           where i.paid_minor <> coalesce(taken.minor, 0) order by i.id"#
    )
    .fetch_all(conn)
    .await?;
    let told = |id: Uuid, paid: i64, taken: i64| {
        format!("{} says {paid} paid, its entries {taken}", IntentId::from_uuid(id))
    };
    Ok(rows.into_iter().map(|row| told(row.id, row.paid_minor, row.taken)).collect())
}

/// Money that was applied twice, or applied under a key that nobody claimed. What is known already, or altered since it was
/// told first, changes nothing.
pub(super) async fn find_money_key_differences(conn: &mut PgConnection) -> Result<Vec<String>, Fault> {
    let rows = sqlx::query!(
        r#"select n.money_key, count(*) as "count!", count(k.money_key) as "claimed!"
           from notices n left join money_keys k on k.money_key = n.money_key and k.notice = n.n
           where n.state = 'applied' and n.meaning = 'money' and n.outcome not in ('known money', 'break: altered')
           group by 1 having count(*) <> 1 or count(k.money_key) <> 1 order by 1"#
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            format!("{} was applied {} times, claimed {} times", row.money_key, row.count, row.claimed)
        })
        .collect())
}

/// The card money that was claimed, by its keys.
pub(super) async fn find_card_money(conn: &mut PgConnection) -> Result<Vec<String>, Fault> {
    let keys =
        sqlx::query_scalar!(r#"select money_key from money_keys where money_key like 'card%:%' order by 1"#)
            .fetch_all(conn)
            .await?;
    Ok(keys)
}

/// Accounts whose balance is not the sum of the items listed for them: suspense, receivables, refunds in flight.
pub(super) async fn find_item_differences(conn: &mut PgConnection) -> Result<Vec<String>, Fault> {
    let rows = sqlx::query!(
        r#"with listed as (
             select 'suspense/' || account || '/credits' as code, currency, -(amount_minor - used_minor) as minor
             from suspense_items
             union all
             select case kind when 'payment' then 'channel/' || channel || '/receivable' else 'refunds/in_flight' end,
               currency, amount_minor
             from expectations where state = 'open' and kind in ('payment', 'refund', 'netted_refund')
             union all
             select a.code, a.currency, -(b.debits_minor - b.credits_minor)
             from ledger.accounts a join ledger.balances b on b.account_id = a.id
             where a.code like 'suspense/%/credits' or a.code like 'channel/%/receivable' or a.code = 'refunds/in_flight'
           )
           select code as "code!", currency as "currency!", sum(minor)::bigint as "minor!"
           from listed group by 1, 2 having sum(minor) <> 0 order by 1, 2"#
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| format!("{} {}: {} unlisted", row.code, row.currency, row.minor)).collect())
}

/// Accounts of what channels pay agencies themselves that are not what these have not reported yet, less what agencies
/// have to give back: money that fitted nothing, and refunds on their way or without one.
pub(super) async fn find_direct_differences(conn: &mut PgConnection) -> Result<Vec<String>, Fault> {
    let rows = sqlx::query!(
        r#"with paying as (
             select distinct channel, account from expectations where account like 'agency/%'
           ), listed as (
             select account, currency, amount_minor - cost_minor as minor from expectations
             where account like 'agency/%' and state = 'open' and kind = 'payment'
             union all
             select p.account, s.currency, s.used_minor - s.amount_minor
             from suspense_items s join paying p on p.channel = s.account
             union all
             select p.account, r.currency, -r.amount_minor
             from refunds r join paying p on p.channel = r.channel
             where r.rail = 'gateway' and r.state in ('approved', 'submitted', 'unknown', 'failed')
             union all
             select regexp_replace(a.code, '/direct$', ''), a.currency, b.debits_minor - b.credits_minor
             from ledger.accounts a join ledger.balances b on b.account_id = a.id
             where a.code like 'agency/%/direct'
           )
           select account as "account!", currency as "currency!", sum(minor)::bigint as "minor!"
           from listed group by 1, 2 having sum(minor) <> 0 order by 1, 2"#
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| format!("{} {}: {} unexplained", row.account, row.currency, row.minor))
        .collect())
}

/// What should never be there: notices set aside, jobs given up, paid payments without their one receipt, refunds
/// decided by who asked.
pub(super) async fn find_leftovers(conn: &mut PgConnection) -> Result<Vec<String>, Fault> {
    let rows = sqlx::query_scalar!(
        r#"select 'notice ' || n || ' is set aside: ' || coalesce(outcome, '') as "what!"
             from notices where state = 'set_aside'
           union all
           select kind || ' of ' || subject || ' is given up: ' || coalesce(last_error, '') from jobs where state = 'dead'
           union all
           select i.id || ' is paid and has ' || count(r.intent) || ' receipts'
             from payment_intents i left join receipts r on r.intent = i.id
             where i.state = 'paid' group by i.id having count(r.intent) <> 1
           union all
           select 'refund ' || id || ' was decided by who asked' from refunds
             where decided_by = requested_by and state not in ('requested', 'canceled')
           union all
           select 'pay-in ' || id || ' was decided by who proposed it' from refund_pay_ins
             where decided_by = proposed_by and statement_line is null
           order by 1"#
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// Payments that say they are processing without a living attempt, or that opened or ended beside one. What was paid
/// another way meanwhile is paid.
pub(super) async fn find_hanging(conn: &mut PgConnection) -> Result<Vec<String>, Fault> {
    let rows = sqlx::query!(
        "select i.id, i.state from payment_intents i
         where i.state <> 'paid' and (i.state = 'processing') <> exists (
           select from attempts a
           where a.intent = i.id and a.state in ('created', 'redirected', 'unknown'))
         order by i.id"
    )
    .fetch_all(conn)
    .await?;
    let told = |id: Uuid, state: &str| format!("{} is {state}", IntentId::from_uuid(id));
    Ok(rows.into_iter().map(|row| told(row.id, &row.state)).collect())
}

/// What one officer takes for paid in, and nobody decided yet.
pub(super) async fn page_proposed(conn: &mut PgConnection) -> Result<Vec<PayInId>, Fault> {
    let ids =
        sqlx::query_scalar!("select id from refund_pay_ins where state = 'proposed' order by created_at, id")
            .fetch_all(conn)
            .await?;
    Ok(ids.into_iter().map(PayInId::from_uuid).collect())
}

/// What may wait in a life, but not when everything has settled.
pub(super) async fn find_unsettled(conn: &mut PgConnection) -> Result<Vec<String>, Fault> {
    let rows = sqlx::query_scalar!(
        r#"select 'notice ' || n || ' waits' as "what!" from notices where state = 'waiting'
           union all
           select 'attempt ' || id || ' is ' || state from attempts
             where state in ('created', 'redirected', 'unknown')
           union all
           select 'payment ' || id || ' is processing' from payment_intents where state = 'processing'
           union all
           select 'statement line ' || line.id || ' is ' || line.state || ': ' || coalesce(line.reason, '')
             from statement_lines line join statements on statements.id = line.statement
             where statements.state = 'accepted' and line.state not in ('matched', 'suspense')
           union all
           select 'event ' || n || ' has no position' from events where position is null
           union all
           select 'refund ' || r.id || ' is ' || r.state from refunds r
             where r.state = 'approved' and not exists (
               select from refund_attempts a
               where a.refund = r.id and a.state in ('accepted', 'carried_out') and a.returned_entry_id is null)
             or r.state = 'unknown'
             or r.state = 'submitted' and not exists (
               select from breaks b join expectations x on b.subject = 'ex_' || replace(x.id::text, '-', '')
               where x.refund = r.id and b.category = 'refund_unconfirmed')
           union all
           select 'refund ' || r.id || ' waits for funds that are there' from refunds r
             where r.state = 'awaiting_funds' and not exists (
               select from payment_intents i where i.id = r.intent and i.reversed_minor > 0)
             and not exists (
               select from jsonb_array_elements(r.components) part
               left join ledger.accounts a on a.currency = r.currency
                 and a.code = 'agency/' || split_part(part->>'service', '/', 1) || '/payable'
               left join ledger.balances b on b.account_id = a.id
               where coalesce(b.credits_minor - b.debits_minor, 0) < r.amount_minor)
           union all
           select 'settlement ' || s.channel || ':' || s.reference || ' is not booked' from settlements s
             where s.state = 'reported' and s.account like 'agency/%'
           union all
           select 'expectation ' || x.id || ' of ' || x.channel || ' is open and has no break' from expectations x
             where x.state = 'open' and x.kind = 'payment' and not exists (
               select from breaks b
               where b.state in ('open', 'reopened') and (b.subject = 'ex_' || replace(x.id::text, '-', '')
                 or b.subject = x.channel || ':' || coalesce(x.transaction, x.reference)
                 or b.subject in (select s.channel || ':' || s.reference || ':' || s.currency from settlement_items i
                   join settlements s on s.id = i.settlement and s.channel = x.channel
                   where i.transaction = x.transaction)))
           order by 1"#
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// Feeds whose positions are not 1, 2, 3 ... to their last.
pub(super) async fn find_feed_gaps(conn: &mut PgConnection) -> Result<Vec<String>, Fault> {
    let rows = sqlx::query!(
        r#"select portal, last, count(position) as "count!", coalesce(max(position), 0) as "most!"
           from feeds left join events using (portal) group by 1, 2
           having count(position) <> last or coalesce(max(position), 0) <> last"#
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| format!("feed {}: {} events up to {}, head {}", row.portal, row.count, row.most, row.last))
        .collect())
}

/// How a refund is called outside, and of which payment it gives back.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub id: RefundId,
    serial: i64,
    /// An intent, or an item in suspense that came for none.
    pub payment: String,
}

impl Named {
    /// Whether its references begin so: a gateway is given its id, a bank its serial.
    pub(super) fn is_called(&self, stem: &str) -> bool {
        stem == self.id.to_string() || stem == format!("MZ{:09}", self.serial)
    }
}

pub(super) async fn find_refund_names(conn: &mut PgConnection) -> Result<Vec<Named>, Fault> {
    let rows = sqlx::query!(
        r#"select r.id, r.serial, coalesce(r.intent, s.intent, s.id) as "payment!"
           from refunds r left join suspense_items s on s.id = r.suspense_item order by r.id"#
    )
    .fetch_all(conn)
    .await?;
    let named = |id, serial, payment: Uuid| Named {
        id: RefundId::from_uuid(id),
        serial,
        payment: payment.to_string(),
    };
    Ok(rows.into_iter().map(|row| named(row.id, row.serial, row.payment)).collect())
}

/// Our orders at the gateway, each with its payment.
pub(super) async fn find_orders(conn: &mut PgConnection) -> Result<Vec<(String, String)>, Fault> {
    let rows = sqlx::query!("select id, intent from attempts").fetch_all(conn).await?;
    let order = |id, intent: Uuid| (AttemptId::from_uuid(id).to_string(), intent.to_string());
    Ok(rows.into_iter().map(|row| order(row.id, row.intent)).collect())
}

/// What came for payments by transfer, and what came for none.
pub(super) async fn find_transferred(conn: &mut PgConnection) -> Result<Vec<(String, Money)>, Fault> {
    let rows = sqlx::query!(
        r#"select intent as "payment!", currency as "currency!", amount_minor as "minor!" from expectations
           where kind = 'payment' and money_key is not null and channel not like 'card%' and intent is not null
           union all
           select id, currency, amount_minor from suspense_items where intent is null"#
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let currency: Currency =
                row.currency.parse().map_err(|_| Fault::corrupt("expectations", "currency", row.payment))?;
            Ok((row.payment.to_string(), Money::new(row.minor, currency)))
        })
        .collect()
}

/// Whether every notice is applied and every word of a refund heard.
pub(super) async fn is_all_read(conn: &mut PgConnection) -> Result<bool, Fault> {
    let read = sqlx::query_scalar!(
        r#"select not exists (select from notices where state = 'waiting')
              and not exists (select from jobs where kind = 'refund.hear' and state = 'ready') as "read!""#
    )
    .fetch_one(conn)
    .await?;
    Ok(read)
}

/// Releases of payments that a channel paid the agency itself, or that their channel had taken back before.
pub(super) async fn find_released_twice(conn: &mut PgConnection) -> Result<Vec<String>, Fault> {
    let rows = sqlx::query!(
        r#"select distinct r.intent, r.line from releases r
           join attempts a on a.intent = r.intent and a.state in ('captured', 'reversed')
           join money_keys k on k.money_key = a.channel || ':' || a.transaction
           where r.amount_minor > 0
             and not exists (select from suspense_items s
               where s.money_key = k.money_key and s.intent = r.intent and s.cause <> 'amount_over')
             and (a.channel = 'card-health' or exists (select from notices n
               where n.channel = a.channel and n.meaning = 'reversed'
                 and a.transaction in (n.transaction, n.original_transaction)
                 and n.applied_at < r.released_at))
           order by 1, 2"#
    )
    .fetch_all(conn)
    .await?;
    let told = |intent, line| format!("line {line} of {}", IntentId::from_uuid(intent));
    Ok(rows.into_iter().map(|row| told(row.intent, row.line)).collect())
}
