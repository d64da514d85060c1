use mizan_ledger::{Currency, Id, Instant, Money};
use serde::Serialize;
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Break, Category, NewBreak};
use crate::entropy::Entropy;
use crate::fault::Fault;
use crate::ids::{BreakId, IntentId};

/// Opens breaks as one statement. One that stands open already is updated; one that had ended opens again, with new time.
pub async fn insert(
    conn: &mut PgConnection,
    entropy: &Entropy,
    now: Instant,
    breaks: &[NewBreak],
) -> Result<(), Fault> {
    if breaks.is_empty() {
        return Ok(());
    }
    let mut ordered: Vec<&NewBreak> = breaks.iter().collect();
    ordered.sort_by_key(|new| (new.category.as_str(), new.subject.as_str()));
    // Twice the same in one batch is once, as it was told last.
    ordered.dedup_by(|later, first| {
        let same = (later.category, &later.subject) == (first.category, &first.subject);
        if same {
            *first = *later;
        }
        same
    });
    let ids: Vec<Uuid> = ordered.iter().map(|_| entropy.id::<BreakId>(now).uuid()).collect();
    let categories: Vec<&str> = ordered.iter().map(|new| new.category.as_str()).collect();
    let subjects: Vec<&str> = ordered.iter().map(|new| new.subject.as_str()).collect();
    let currencies: Vec<Option<Currency>> =
        ordered.iter().map(|new| new.money.map(Money::currency)).collect();
    let amounts: Vec<Option<i64>> = ordered.iter().map(|new| new.money.map(Money::minor)).collect();
    let channels: Vec<Option<&str>> = ordered.iter().map(|new| new.channel.as_deref()).collect();
    let intents: Vec<Option<Uuid>> = ordered.iter().map(|new| new.intent.map(Id::uuid)).collect();
    let details: Vec<&Value> = ordered.iter().map(|new| &new.detail).collect();
    let owners: Vec<&str> = ordered.iter().map(|new| new.category.owner()).collect();
    let due: Vec<Instant> =
        ordered.iter().map(|new| now.plus_seconds(new.category.hours() * 3_600)).collect();
    sqlx::query!(
        "insert into breaks (id, category, subject, state, currency, amount_minor, channel, intent, detail, owner,
                             opened_at, due_at)
         select id, category, subject, 'open', currency, amount, channel, intent, detail, owner, $11, due_at
         from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::uuid[],
                     $8::jsonb[], $9::text[], $10::timestamptz[])
             as break (id, category, subject, currency, amount, channel, intent, detail, owner, due_at)
         on conflict (category, subject) do update
         set currency = excluded.currency, amount_minor = excluded.amount_minor,
             detail = case
                 when breaks.detail - 'earlier' = excluded.detail then breaks.detail
                 -- Whoever ends it has seen each telling, not the last alone.
                 when excluded.category = 'altered' then excluded.detail || jsonb_build_object('earlier',
                     coalesce(breaks.detail -> 'earlier', '[]') || jsonb_build_array(breaks.detail - 'earlier'))
                 else excluded.detail end,
             state = case
                 when breaks.resolved_at is not null then 'reopened'
                 -- What was proposed was said of something else.
                 when breaks.state = 'proposed' and (breaks.currency, breaks.amount_minor, breaks.detail - 'earlier')
                     is distinct from (excluded.currency, excluded.amount_minor, excluded.detail) then 'open'
                 else breaks.state end,
             due_at = case when breaks.resolved_at is not null then excluded.due_at else breaks.due_at end,
             resolved_at = null",
        &ids,
        &categories as _,
        &subjects as _,
        &currencies as _,
        &amounts as _,
        &channels as _,
        &intents as _,
        &details as _,
        &owners as _,
        &due as _,
        now as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The missing item came: the break of this category and subject resolves itself, if it is open.
pub async fn update_self_resolved(
    conn: &mut PgConnection,
    now: Instant,
    category: Category,
    subjects: &[String],
    resolution: &str,
) -> Result<u64, Fault> {
    let done = sqlx::query!(
        "update breaks set state = 'self_resolved', resolved_at = $3, resolution = $4
         where category = $1 and subject = any($2) and state in ('open', 'assigned', 'proposed', 'reopened')",
        category.as_str(),
        subjects,
        now as _,
        resolution,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// What resolved it did not last: the break of this category and subject waits for a person again.
pub async fn update_reopened(
    conn: &mut PgConnection,
    category: Category,
    subject: &str,
) -> Result<(), Fault> {
    sqlx::query!(
        "update breaks set state = 'reopened', resolved_at = null
         where category = $1 and subject = $2 and state in ('resolved', 'self_resolved')",
        category.as_str(),
        subject,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether there is, or was, such a break.
pub async fn is_known(conn: &mut PgConnection, category: Category, subject: &str) -> Result<bool, Fault> {
    let known = sqlx::query_scalar!(
        r#"select exists (select from breaks where category = $1 and subject = $2) as "known!""#,
        category.as_str(),
        subject,
    )
    .fetch_one(conn)
    .await?;
    Ok(known)
}

/// Whether a break, open or not, says the same already.
pub async fn is_told(conn: &mut PgConnection, new: &NewBreak) -> Result<bool, Fault> {
    let told = sqlx::query_scalar!(
        r#"select exists (select from breaks where category = $1 and subject = $2 and detail = $3) as "told!""#,
        new.category.as_str(),
        new.subject,
        new.detail,
    )
    .fetch_one(conn)
    .await?;
    Ok(told)
}

/// Another break says it better: those of this category and these subjects that are open end.
pub async fn update_superseded(
    conn: &mut PgConnection,
    now: Instant,
    category: Category,
    subjects: &[String],
    by: &str,
) -> Result<(), Fault> {
    sqlx::query!(
        "update breaks set state = 'superseded', resolved_at = $3, resolution = $4
         where category = $1 and subject = any($2) and state in ('open', 'assigned', 'proposed', 'reopened')",
        category.as_str(),
        subjects,
        now as _,
        by,
    )
    .execute(conn)
    .await?;
    Ok(())
}

struct BreakRow {
    id: Uuid,
    category: String,
    subject: String,
    state: String,
    currency: Option<String>,
    amount_minor: Option<i64>,
    channel: Option<String>,
    intent: Option<Uuid>,
    detail: Value,
    owner: String,
    opened_at: Instant,
    due_at: Instant,
    resolved_at: Option<Instant>,
    proposed_by: Option<String>,
    approved_by: Option<String>,
    resolution: Option<String>,
}

impl TryFrom<BreakRow> for Break {
    type Error = Fault;

    fn try_from(row: BreakRow) -> Result<Self, Fault> {
        let id = BreakId::from_uuid(row.id);
        let corrupt = |column| Fault::corrupt("breaks", column, id);
        let money = match (row.amount_minor, row.currency) {
            (Some(minor), Some(code)) => {
                Some(Money::new(minor, code.parse().map_err(|_| corrupt("currency"))?))
            }
            _ => None,
        };
        Ok(Self {
            id,
            category: row.category.parse().map_err(|_| corrupt("category"))?,
            subject: row.subject,
            state: row.state,
            money,
            channel: row.channel,
            intent: row.intent.map(IntentId::from_uuid),
            detail: row.detail,
            owner: row.owner,
            opened_at: row.opened_at,
            due_at: row.due_at,
            resolved_at: row.resolved_at,
            proposed_by: row.proposed_by,
            approved_by: row.approved_by,
            resolution: row.resolution,
        })
    }
}

/// Breaks, newest first; only those that wait for a person when `open_only`. `before` continues a page.
pub async fn page(
    conn: &mut PgConnection,
    open_only: bool,
    category: Option<Category>,
    before: Option<BreakId>,
    limit: i64,
) -> Result<Vec<Break>, Fault> {
    let rows = sqlx::query_as!(
        BreakRow,
        r#"select id, category, subject, state, currency, amount_minor, channel, intent, detail, owner,
                  opened_at, due_at, resolved_at, proposed_by, approved_by, resolution
           from breaks
           where (not $1 or state in ('open', 'assigned', 'proposed', 'reopened'))
             and ($2::text is null or category = $2) and ($3::uuid is null or id < $3)
           order by id desc limit $4"#,
        open_only,
        category.map(Category::as_str),
        before.map(Id::uuid),
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Break::try_from).collect()
}

/// Locks one break; None when there is none.
pub async fn lock(conn: &mut PgConnection, id: BreakId) -> Result<Option<Break>, Fault> {
    let row = sqlx::query_as!(
        BreakRow,
        "select id, category, subject, state, currency, amount_minor, channel, intent, detail, owner,
                opened_at, due_at, resolved_at, proposed_by, approved_by, resolution
         from breaks where id = $1 for no key update",
        id.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    row.map(Break::try_from).transpose()
}

/// Writes what people decided on a locked break.
pub async fn update_decided(conn: &mut PgConnection, decided: &Break) -> Result<(), Fault> {
    sqlx::query!(
        "update breaks set state = $2, proposed_by = $3, approved_by = $4, resolved_at = $5, resolution = $6
         where id = $1",
        decided.id.uuid(),
        decided.state,
        decided.proposed_by,
        decided.approved_by,
        decided.resolved_at as _,
        decided.resolution,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Open breaks of one category and currency.
#[derive(Debug, Clone, Serialize)]
pub struct OpenTotal {
    pub category: Category,
    pub count: i64,
    /// Those past their time.
    pub late: i64,
    /// Of those that name money in one currency.
    pub money: Option<Money>,
}

/// What waits for a person, by category and currency.
pub async fn find_open_totals(conn: &mut PgConnection, now: Instant) -> Result<Vec<OpenTotal>, Fault> {
    let rows = sqlx::query!(
        r#"select category, currency, count(*) as "count!", count(*) filter (where due_at <= $1) as "late!",
                  case when abs(sum(amount_minor)) < 9e18 then sum(amount_minor)::bigint end as total_minor
           from breaks where state in ('open', 'assigned', 'proposed', 'reopened')
           group by category, currency order by category, currency"#,
        now as _,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let corrupt = |column| Fault::corrupt("breaks", column, &row.category);
            let currency = row.currency.as_deref().map(str::parse::<Currency>).transpose();
            let currency = currency.map_err(|_| corrupt("currency"))?;
            Ok(OpenTotal {
                category: row.category.parse().map_err(|_| corrupt("category"))?,
                count: row.count,
                late: row.late,
                money: row.total_minor.zip(currency).map(|(minor, currency)| Money::new(minor, currency)),
            })
        })
        .collect()
}
