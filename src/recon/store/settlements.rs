use mizan_ledger::{Currency, Day, EntryId, Id, Instant, Money};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::fault::Fault;
use crate::ids::SettlementId;
use crate::recon::matching::settlement::{Item, ItemKind, Settlement};

/// The channel is to tell what it settled on these days; days asked for before stay as they are.
pub async fn insert_wanted(conn: &mut PgConnection, channel: &str, days: &[Day]) -> Result<(), Fault> {
    sqlx::query!(
        "insert into settlement_reports (channel, day, state)
         select $1, day, 'wanted' from unnest($2::date[]) as new (day)
         on conflict (channel, day) do nothing",
        channel,
        days as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The first day of which each of these channels has something to tell: that of its oldest payment or refund not settled,
/// or the one after its last report, for it may take back what it has settled. None for one that took nothing yet.
pub async fn find_untold_since(
    conn: &mut PgConnection,
    channels: &[String],
) -> Result<Vec<(String, Day)>, Fault> {
    let rows = sqlx::query!(
        r#"select channel as "channel!", min(day) as "since!: Day" from (
             select channel, born_on as day from expectations
             where channel = any($1) and state = 'open' and kind in ('payment', 'netted_refund')
             union all
             select channel, max(day) + 1 from settlement_reports
             where channel = any($1) and state = 'taken' group by channel) as untold
           group by channel"#,
        channels,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.channel, row.since)).collect())
}

/// Reports not yet told: first those never asked for, then those asked for longest ago, so that channels which do not
/// answer hold up no other.
pub async fn page_wanted(conn: &mut PgConnection, limit: i64) -> Result<Vec<(String, Day)>, Fault> {
    let rows = sqlx::query!(
        "select channel, day from settlement_reports where state = 'wanted'
         order by asked_at nulls first, day, channel limit $1",
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.channel, row.day)).collect())
}

/// The channel told; False when another had it written already.
pub async fn update_told(
    conn: &mut PgConnection,
    channel: &str,
    day: Day,
    now: Instant,
) -> Result<bool, Fault> {
    let done = sqlx::query!(
        "update settlement_reports set state = 'taken', problem = null, asked_at = $3
         where channel = $1 and day = $2 and state = 'wanted'",
        channel,
        day as _,
        now as _,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The channel did not tell, and why.
pub async fn update_not_told(
    conn: &mut PgConnection,
    channel: &str,
    day: Day,
    problem: &str,
    now: Instant,
) -> Result<(), Fault> {
    sqlx::query!(
        "update settlement_reports set problem = $3, asked_at = $4
         where channel = $1 and day = $2 and state = 'wanted'",
        channel,
        day as _,
        problem,
        now as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps what a channel reported; a settlement known by its id and currency stays as it is. False then.
pub async fn insert_settlement(
    conn: &mut PgConnection,
    new: &Settlement,
    now: Instant,
) -> Result<bool, Fault> {
    let currency = new.net.currency();
    let done = sqlx::query!(
        "insert into settlements (id, channel, reference, account, day, currency, costs_minor, net_minor, state,
                                  entry_id, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, 'reported', $9, $10)
         on conflict (channel, reference, currency) do nothing",
        new.id.uuid(),
        new.channel,
        new.reference,
        new.account,
        new.day as _,
        currency.code(),
        new.costs.minor(),
        new.net.minor(),
        new.entry.uuid(),
        now as _,
    )
    .execute(&mut *conn)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    let each = || new.items.iter();
    let kinds: Vec<&str> = each().map(|item| item.kind.as_str()).collect();
    let transactions: Vec<&str> = each().map(|item| item.transaction.as_str()).collect();
    let references: Vec<&str> = each().map(|item| item.reference.as_str()).collect();
    let gross: Vec<i64> = each().map(|item| item.gross.minor()).collect();
    let costs: Vec<i64> = each().map(|item| item.cost.minor()).collect();
    sqlx::query!(
        "insert into settlement_items (settlement, ordinal, kind, transaction, reference, gross_minor, cost_minor)
         select $1, ordinal, kind, transaction, reference, gross, cost
         from unnest($2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[]) with ordinality
             as item (kind, transaction, reference, gross, cost, ordinal)",
        new.id.uuid(),
        &kinds as _,
        &transactions as _,
        &references as _,
        &gross,
        &costs,
    )
    .execute(conn)
    .await?;
    Ok(true)
}

struct SettlementRow {
    id: Uuid,
    channel: String,
    reference: String,
    account: String,
    day: Day,
    currency: String,
    costs_minor: i64,
    net_minor: i64,
    entry_id: Uuid,
}

impl SettlementRow {
    fn settlement(self, items: Vec<Item>) -> Result<Settlement, Fault> {
        let id = SettlementId::from_uuid(self.id);
        let currency = parse_currency(&self.currency, self.id)?;
        Ok(Settlement {
            id,
            channel: self.channel,
            reference: self.reference,
            account: self.account,
            day: self.day,
            costs: Money::new(self.costs_minor, currency),
            net: Money::new(self.net_minor, currency),
            items,
            entry: EntryId::from_uuid(self.entry_id),
        })
    }
}

fn parse_currency(code: &str, id: Uuid) -> Result<Currency, Fault> {
    code.parse().map_err(|_| Fault::corrupt("settlements", "currency", id))
}

/// Locks the settlements into these accounts that no line has shown yet, their items not read.
pub async fn lock_reported(conn: &mut PgConnection, accounts: &[String]) -> Result<Vec<Settlement>, Fault> {
    let rows = sqlx::query_as!(
        SettlementRow,
        "select id, channel, reference, account, day, currency, costs_minor, net_minor, entry_id
         from settlements where account = any($1) and state = 'reported' order by id for no key update",
        accounts,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| row.settlement(Vec::new())).collect()
}

/// The settlement that a channel told of under this id before, with its items.
pub async fn find_told(
    conn: &mut PgConnection,
    channel: &str,
    reference: &str,
    currency: Currency,
) -> Result<Option<Settlement>, Fault> {
    let row = sqlx::query_as!(
        SettlementRow,
        "select id, channel, reference, account, day, currency, costs_minor, net_minor, entry_id
         from settlements where channel = $1 and reference = $2 and currency = $3",
        channel,
        reference,
        currency.code(),
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let mut found = vec![row.settlement(Vec::new())?];
    find_items(conn, &mut found).await?;
    Ok(found.pop())
}

/// Settlements that no line will show because their parts add up to zero, and that are not booked; oldest first, as the
/// next two.
pub async fn page_silent(
    conn: &mut PgConnection,
    after: Option<SettlementId>,
    limit: i64,
) -> Result<Vec<SettlementId>, Fault> {
    let ids = sqlx::query_scalar!(
        "select id from settlements
         where net_minor = 0 and state = 'reported' and account not like 'agency/%' and ($1::uuid is null or id > $1)
         order by id limit $2",
        after.map(Id::uuid),
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(SettlementId::from_uuid).collect())
}

/// Settlements whose amount waits in suspense, as a credit into their account, or a debit, that nobody knew.
pub async fn page_explained(
    conn: &mut PgConnection,
    after: Option<SettlementId>,
    limit: i64,
) -> Result<Vec<SettlementId>, Fault> {
    let ids = sqlx::query_scalar!(
        "select id from settlements
         where state = 'reported' and ($1::uuid is null or id > $1) and exists (
             select from suspense_items item
             where item.account = settlements.account and item.currency = settlements.currency
               and item.amount_minor = settlements.net_minor and item.used_minor = 0
               and item.cause = 'unknown_credit' and item.statement_line is not null
             union all
             select from statement_lines line
             join statements on statements.id = line.statement and statements.state = 'accepted'
             where settlements.net_minor < 0 and statements.account = settlements.account
               and line.state = 'suspense' and line.currency = settlements.currency
               and line.amount_minor = settlements.net_minor and line.amount_minor < 0
               and not exists (select from settlements other where other.statement_line = line.id))
         order by id limit $2",
        after.map(Id::uuid),
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(SettlementId::from_uuid).collect())
}

/// Settlements that channels paid to agencies themselves.
pub async fn page_direct(
    conn: &mut PgConnection,
    after: Option<SettlementId>,
    limit: i64,
) -> Result<Vec<SettlementId>, Fault> {
    let ids = sqlx::query_scalar!(
        "select id from settlements
         where account like 'agency/%' and state = 'reported' and ($1::uuid is null or id > $1)
         order by id limit $2",
        after.map(Id::uuid),
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(SettlementId::from_uuid).collect())
}

/// Locks one settlement while it is not booked, its items not read.
pub async fn lock_one(conn: &mut PgConnection, id: SettlementId) -> Result<Option<Settlement>, Fault> {
    let row = sqlx::query_as!(
        SettlementRow,
        "select id, channel, reference, account, day, currency, costs_minor, net_minor, entry_id
         from settlements where id = $1 and state = 'reported' for no key update",
        id.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| row.settlement(Vec::new())).transpose()
}

/// Reads the items of these settlements.
pub async fn find_items(conn: &mut PgConnection, settlements: &mut [Settlement]) -> Result<(), Fault> {
    let ids: Vec<Uuid> = settlements.iter().map(|one| one.id.uuid()).collect();
    let rows = sqlx::query!(
        "select settlement, kind, transaction, reference, gross_minor, cost_minor
         from settlement_items where settlement = any($1) order by settlement, ordinal",
        &ids,
    )
    .fetch_all(conn)
    .await?;
    for row in rows {
        let Some(of) = settlements.iter_mut().find(|one| one.id.uuid() == row.settlement) else { continue };
        let currency = of.net.currency();
        let kind = ItemKind::parse(&row.kind)
            .ok_or_else(|| Fault::corrupt("settlement_items", "kind", row.settlement))?;
        of.items.push(Item {
            kind,
            transaction: row.transaction,
            reference: row.reference,
            gross: Money::new(row.gross_minor, currency),
            cost: Money::new(row.cost_minor, currency),
        });
    }
    Ok(())
}

/// The settlements were found: each by its line, or by none when it is of nothing.
pub async fn update_matched(
    conn: &mut PgConnection,
    now: Instant,
    matched: &[(SettlementId, Option<i64>)],
) -> Result<(), Fault> {
    let ids: Vec<Uuid> = matched.iter().map(|(id, _)| id.uuid()).collect();
    let lines: Vec<Option<i64>> = matched.iter().map(|(_, line)| *line).collect();
    sqlx::query!(
        "update settlements set state = 'matched', statement_line = new.line, matched_at = $3
         from unnest($1::uuid[], $2::bigint[]) as new (id, line)
         where settlements.id = new.id and settlements.state = 'reported'",
        &ids,
        &lines as _,
        now as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}
