use mizan_ledger::{Currency, Id, Instant, Money};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Item, NewItem};
use crate::fault::Fault;
use crate::ids::{IntentId, SuspenseId};

/// Writes items as one statement.
pub async fn insert(conn: &mut PgConnection, now: Instant, items: &[NewItem]) -> Result<(), Fault> {
    if items.is_empty() {
        return Ok(());
    }
    let each = || items.iter();
    let ids: Vec<Uuid> = each().map(|item| item.id.uuid()).collect();
    let accounts: Vec<&str> = each().map(|item| item.account.as_str()).collect();
    let currencies: Vec<Currency> = each().map(|item| item.money.currency()).collect();
    let amounts: Vec<i64> = each().map(|item| item.money.minor()).collect();
    let causes: Vec<&str> = each().map(|item| item.cause.as_str()).collect();
    let subjects: Vec<&str> = each().map(|item| item.break_subject.as_str()).collect();
    let notices: Vec<Option<i64>> = each().map(|item| item.notice).collect();
    let lines: Vec<Option<i64>> = each().map(|item| item.statement_line).collect();
    let intents: Vec<Option<Uuid>> = each().map(|item| item.intent.map(Id::uuid)).collect();
    let money_keys: Vec<Option<&str>> = each().map(|item| item.money_key.as_deref()).collect();
    let entries: Vec<Uuid> = each().map(|item| item.entry.uuid()).collect();
    sqlx::query!(
        "insert into suspense_items (id, account, currency, amount_minor, cause, break_subject, notice, statement_line,
                                     intent, money_key, entry_id, created_at)
         select id, account, currency, amount, cause, subject, notice, line, intent, money_key, entry, $12
         from unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::bigint[],
                     $8::bigint[], $9::uuid[], $10::text[], $11::uuid[])
             as item (id, account, currency, amount, cause, subject, notice, line, intent, money_key, entry)",
        &ids,
        &accounts as _,
        &currencies as _,
        &amounts,
        &causes as _,
        &subjects as _,
        &notices as _,
        &lines as _,
        &intents as _,
        &money_keys as _,
        &entries,
        now as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

struct ItemRow {
    id: Uuid,
    account: String,
    currency: String,
    left_minor: i64,
    cause: String,
    break_subject: String,
    intent: Option<Uuid>,
    money_key: Option<String>,
    created_at: Instant,
}

impl TryFrom<ItemRow> for Item {
    type Error = Fault;

    fn try_from(row: ItemRow) -> Result<Self, Fault> {
        let id = SuspenseId::from_uuid(row.id);
        let currency = row.currency.parse().map_err(|_| Fault::corrupt("suspense_items", "currency", id))?;
        Ok(Self {
            id,
            account: row.account,
            left: Money::new(row.left_minor, currency),
            cause: row.cause,
            break_subject: row.break_subject,
            intent: row.intent.map(IntentId::from_uuid),
            money_key: row.money_key,
            created_at: row.created_at,
        })
    }
}

/// Locks one item; nothing is left of it when it was used up.
pub async fn lock(conn: &mut PgConnection, id: SuspenseId) -> Result<Option<Item>, Fault> {
    let row = sqlx::query_as!(
        ItemRow,
        r#"select id, account, currency, amount_minor - used_minor as "left_minor!", cause, break_subject, intent,
                  money_key, created_at
           from suspense_items where id = $1 for no key update"#,
        id.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    row.map(Item::try_from).transpose()
}

/// The item of this money, while anything of it is left or not; the oldest, should there be two.
pub async fn lock_by_key(conn: &mut PgConnection, key: &str) -> Result<Option<Item>, Fault> {
    let row = sqlx::query_as!(
        ItemRow,
        r#"select id, account, currency, amount_minor - used_minor as "left_minor!", cause, break_subject, intent,
                  money_key, created_at
           from suspense_items where money_key = $1 order by id limit 1 for no key update"#,
        key,
    )
    .fetch_optional(conn)
    .await?;
    row.map(Item::try_from).transpose()
}

/// One item, whatever became of it.
pub async fn find(conn: &mut PgConnection, id: SuspenseId) -> Result<Option<Item>, Fault> {
    let row = sqlx::query_as!(
        ItemRow,
        r#"select id, account, currency, amount_minor - used_minor as "left_minor!", cause, break_subject, intent,
                  money_key, created_at
           from suspense_items where id = $1"#,
        id.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    row.map(Item::try_from).transpose()
}

/// The items with something left that came for these intents, oldest first.
pub async fn page_of_intents(conn: &mut PgConnection, intents: &[IntentId]) -> Result<Vec<Item>, Fault> {
    let ids: Vec<Uuid> = intents.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query_as!(
        ItemRow,
        r#"select id, account, currency, amount_minor - used_minor as "left_minor!", cause, break_subject, intent,
                  money_key, created_at
           from suspense_items where intent = any($1) and used_minor < amount_minor order by id"#,
        &ids,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Item::try_from).collect()
}

/// The keys of all money that went to suspense for these intents, whatever became of it.
pub async fn find_money_keys(conn: &mut PgConnection, intents: &[IntentId]) -> Result<Vec<String>, Fault> {
    let ids: Vec<Uuid> = intents.iter().map(|id| id.uuid()).collect();
    let keys = sqlx::query_scalar!(
        r#"select money_key as "money_key!" from suspense_items
           where intent = any($1) and money_key is not null"#,
        &ids,
    )
    .fetch_all(conn)
    .await?;
    Ok(keys)
}

/// The keys of money for these intents that was put in suspense as a whole, and paid nothing of them.
pub async fn find_unapplied_keys(
    conn: &mut PgConnection,
    intents: &[IntentId],
) -> Result<Vec<String>, Fault> {
    let ids: Vec<Uuid> = intents.iter().map(|id| id.uuid()).collect();
    let keys = sqlx::query_scalar!(
        r#"select money_key as "money_key!" from suspense_items
           where intent = any($1) and money_key is not null and cause <> 'amount_over'"#,
        &ids,
    )
    .fetch_all(conn)
    .await?;
    Ok(keys)
}

/// Everything that waits in suspense, oldest first.
pub async fn page_open(conn: &mut PgConnection) -> Result<Vec<Item>, Fault> {
    let rows = sqlx::query_as!(
        ItemRow,
        r#"select id, account, currency, amount_minor - used_minor as "left_minor!", cause, break_subject, intent,
                  money_key, created_at
           from suspense_items where used_minor < amount_minor order by id"#,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Item::try_from).collect()
}

/// Part or all of these items was applied or is being given back; the table's check refuses more than is left.
pub async fn update_used(conn: &mut PgConnection, used: &[(SuspenseId, Money)]) -> Result<(), Fault> {
    let (items, amounts): (Vec<Uuid>, Vec<i64>) = used.iter().map(|(id, by)| (id.uuid(), by.minor())).unzip();
    sqlx::query!(
        "update suspense_items set used_minor = used_minor + used.minor
         from (select id, sum(minor)::bigint as minor from unnest($1::uuid[], $2::bigint[]) as one (id, minor)
               group by id) used
         where suspense_items.id = used.id",
        &items,
        &amounts,
    )
    .execute(conn)
    .await?;
    Ok(())
}
