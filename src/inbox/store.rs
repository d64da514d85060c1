use mizan_ledger::{EntryId, Id, Instant, Money};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::model::{First, Meaning, NewNotice, Notice, Source};
use crate::fault::Fault;
use crate::ids::IntentId;

pub mod reading;

/// A fact to be stored, with the entries that its money may become.
#[derive(Debug)]
pub struct Arrival<'a> {
    pub new: &'a NewNotice,
    pub entry: EntryId,
    pub fallback_entry: EntryId,
}

/// Stores facts in their order, one statement. Answers the entries of those that are news: of the others the same
/// channel, transaction and status is known already.
pub async fn insert(
    conn: &mut PgConnection,
    arrivals: &[Arrival<'_>],
    now: Instant,
) -> Result<Vec<EntryId>, Fault> {
    let each = || arrivals.iter().map(|arrival| arrival.new);
    let channels: Vec<&str> = each().map(|new| new.channel.as_str()).collect();
    let transactions: Vec<&str> = each().map(|new| new.transaction.as_str()).collect();
    let statuses: Vec<&str> = each().map(|new| new.status.as_str()).collect();
    let meanings: Vec<&str> = each().map(|new| new.meaning.as_str()).collect();
    let sources: Vec<&str> = each().map(|new| new.source.as_str()).collect();
    let references: Vec<Option<&str>> = each().map(|new| new.reference.as_deref()).collect();
    let currencies: Vec<String> = each().map(|new| new.money.currency().code().to_owned()).collect();
    let amounts: Vec<i64> = each().map(|new| new.money.minor()).collect();
    let originals: Vec<Option<&str>> = each().map(|new| new.original_transaction.as_deref()).collect();
    let reasons: Vec<Option<&str>> = each().map(|new| new.reason.as_deref()).collect();
    let money_keys: Vec<&str> = each().map(|new| new.money_key.as_str()).collect();
    let occurred: Vec<Instant> = each().map(|new| new.occurred_at).collect();
    let raws: Vec<&[u8]> = each().map(|new| new.raw.as_slice()).collect();
    let headers: Vec<&Value> = each().map(|new| &new.headers).collect();
    let entries: Vec<Uuid> = arrivals.iter().map(|arrival| arrival.entry.uuid()).collect();
    let fallbacks: Vec<Uuid> = arrivals.iter().map(|arrival| arrival.fallback_entry.uuid()).collect();
    let news = sqlx::query_scalar!(
        "insert into notices (channel, transaction, status, meaning, source, reference, currency, amount_minor,
             original_transaction, reason, money_key, occurred_at, received_at, raw, headers, entry_id,
             fallback_entry_id, state)
         select channel, transaction, status, meaning, source, reference, currency, amount, original, reason, money_key,
             occurred_at, $17, raw, headers, entry, fallback, 'waiting'
         from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[],
                     $9::text[], $10::text[], $11::text[], $12::timestamptz[], $13::bytea[], $14::jsonb[],
                     $15::uuid[], $16::uuid[])
             with ordinality as new (channel, transaction, status, meaning, source, reference, currency, amount,
                     original, reason, money_key, occurred_at, raw, headers, entry, fallback, place)
         order by place
         on conflict (channel, transaction, status) where state <> 'altered' do nothing
         returning entry_id",
        &channels as _,
        &transactions as _,
        &statuses as _,
        &meanings as _,
        &sources as _,
        &references as _,
        &currencies,
        &amounts,
        &originals as _,
        &reasons as _,
        &money_keys as _,
        &occurred as _,
        &raws as _,
        &headers as _,
        &entries,
        &fallbacks,
        now as _,
    )
    .fetch_all(conn)
    .await?;
    Ok(news.into_iter().map(EntryId::from_uuid).collect())
}

/// Keeps a fact whose money differs from the first told under the same id, once however often it is told. None when it is
/// kept already.
pub async fn insert_altered(
    conn: &mut PgConnection,
    new: &NewNotice,
    entry: EntryId,
    now: Instant,
) -> Result<Option<i64>, Fault> {
    let currency = new.money.currency();
    let n = sqlx::query_scalar!(
        "insert into notices (channel, transaction, status, meaning, source, reference, currency, amount_minor,
             original_transaction, reason, money_key, occurred_at, received_at, raw, headers, entry_id,
             fallback_entry_id, state, outcome)
         values ($1, $2, $3, $4::text, $5::text, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $16, 'altered', 'altered')
         on conflict (channel, transaction, status, meaning, reference, currency, amount_minor, original_transaction)
             where state = 'altered' do nothing
         returning n",
        new.channel,
        new.transaction,
        new.status,
        new.meaning.as_str(),
        new.source.as_str(),
        new.reference,
        currency.code(),
        new.money.minor(),
        new.original_transaction,
        new.reason,
        new.money_key,
        new.occurred_at as _,
        now as _,
        new.raw,
        new.headers,
        entry.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(n)
}

struct NoticeRow {
    n: i64,
    channel: String,
    transaction: String,
    status: String,
    meaning: String,
    source: String,
    reference: Option<String>,
    currency: String,
    amount_minor: i64,
    original_transaction: Option<String>,
    reason: Option<String>,
    money_key: String,
    occurred_at: Instant,
    entry_id: Uuid,
    fallback_entry_id: Uuid,
}

impl TryFrom<NoticeRow> for Notice {
    type Error = Fault;

    fn try_from(row: NoticeRow) -> Result<Self, Fault> {
        let corrupt = |column| Fault::corrupt("notices", column, row.n);
        let currency = row.currency.parse().map_err(|_| corrupt("currency"))?;
        Ok(Self {
            n: row.n,
            meaning: Meaning::parse(&row.meaning).ok_or_else(|| corrupt("meaning"))?,
            source: Source::parse(&row.source).ok_or_else(|| corrupt("source"))?,
            channel: row.channel,
            transaction: row.transaction,
            status: row.status,
            reference: row.reference,
            money: Money::new(row.amount_minor, currency),
            original_transaction: row.original_transaction,
            reason: row.reason,
            money_key: row.money_key,
            occurred_at: row.occurred_at,
            entry: EntryId::from_uuid(row.entry_id),
            fallback_entry: EntryId::from_uuid(row.fallback_entry_id),
        })
    }
}

/// The first telling of a fact.
pub async fn find(
    conn: &mut PgConnection,
    channel: &str,
    transaction: &str,
    status: &str,
) -> Result<Option<Notice>, Fault> {
    let row = sqlx::query_as!(
        NoticeRow,
        "select n, channel, transaction, status, meaning, source, reference, currency, amount_minor,
                original_transaction, reason, money_key, occurred_at, entry_id, fallback_entry_id
         from notices where channel = $1 and transaction = $2 and status = $3 and state <> 'altered'",
        channel,
        transaction,
        status,
    )
    .fetch_optional(conn)
    .await?;
    row.map(Notice::try_from).transpose()
}

/// Takes the poster's turn until the end of the transaction: one poster per book on any number of hubs, so that
/// two notices of one intent keep their order. False when another has it.
pub async fn try_turn(conn: &mut PgConnection) -> Result<bool, Fault> {
    let got = sqlx::query_scalar!(
        r#"select pg_try_advisory_xact_lock(hashtextextended('mizan poster', 0)) as "got!""#
    )
    .fetch_one(conn)
    .await?;
    Ok(got)
}

/// Up to `limit` waiting notices after `n`, in the order of arrival.
pub async fn page_waiting(conn: &mut PgConnection, limit: i64) -> Result<Vec<Notice>, Fault> {
    let rows = sqlx::query_as!(
        NoticeRow,
        "select n, channel, transaction, status, meaning, source, reference, currency, amount_minor,
                original_transaction, reason, money_key, occurred_at, entry_id, fallback_entry_id
         from notices where state = 'waiting' order by n limit $1",
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Notice::try_from).collect()
}

/// How many notices wait for the poster.
pub async fn count_waiting(conn: &mut PgConnection) -> Result<i64, Fault> {
    let count = sqlx::query_scalar!(r#"select count(*) as "count!" from notices where state = 'waiting'"#)
        .fetch_one(conn)
        .await?;
    Ok(count)
}

/// Claims money keys, each for the first of the notices that name it. Answers the notices whose claim held: the money of
/// any other is posted already, or is claimed by one before it.
pub async fn insert_money_keys(
    conn: &mut PgConnection,
    keys: &[String],
    notices: &[i64],
    entries: &[EntryId],
    now: Instant,
) -> Result<Vec<i64>, Fault> {
    let entries: Vec<Uuid> = entries.iter().map(|id| id.uuid()).collect();
    let claimed = sqlx::query_scalar!(
        "insert into money_keys (money_key, notice, entry_id, created_at)
         select key, n, entry, $4 from unnest($1::text[], $2::bigint[], $3::uuid[]) as new (key, n, entry)
         order by key, n
         on conflict (money_key) do nothing
         returning notice",
        keys,
        notices,
        &entries,
        now as _,
    )
    .fetch_all(conn)
    .await?;
    Ok(claimed)
}

/// Those of these keys whose money was told of.
pub async fn find_money_keys(conn: &mut PgConnection, keys: &[String]) -> Result<Vec<String>, Fault> {
    let known = sqlx::query_scalar!("select money_key from money_keys where money_key = any($1)", keys)
        .fetch_all(conn)
        .await?;
    Ok(known)
}

/// What claimed these keys.
pub async fn find_firsts(conn: &mut PgConnection, keys: &[String]) -> Result<Vec<(String, First)>, Fault> {
    let rows = sqlx::query!(
        "select key.money_key, n, currency, amount_minor, intent
         from money_keys key join notices on n = key.notice where key.money_key = any($1)",
        keys,
    )
    .fetch_all(conn)
    .await?;
    let each = rows.into_iter().map(|row| {
        let currency = row.currency.parse().map_err(|_| Fault::corrupt("notices", "currency", row.n))?;
        let money = Money::new(row.amount_minor, currency);
        let first = First { n: row.n, money, intent: row.intent.map(IntentId::from_uuid) };
        Ok((row.money_key, first))
    });
    each.collect()
}

/// What became of a notice.
#[derive(Debug, Clone)]
pub struct Applied {
    pub n: i64,
    /// `paid`, `suspense: late`, `duplicate money key`, ...
    pub outcome: String,
    pub intent: Option<IntentId>,
}

/// Writes the outcomes of a batch as one statement.
pub async fn update_applied(conn: &mut PgConnection, now: Instant, applied: &[Applied]) -> Result<(), Fault> {
    let numbers: Vec<i64> = applied.iter().map(|one| one.n).collect();
    let outcomes: Vec<&str> = applied.iter().map(|one| one.outcome.as_str()).collect();
    let intents: Vec<Option<Uuid>> = applied.iter().map(|one| one.intent.map(Id::uuid)).collect();
    sqlx::query!(
        "update notices set state = 'applied', outcome = new.outcome, intent = new.intent, applied_at = $4
         from unnest($1::bigint[], $2::text[], $3::uuid[]) as new (n, outcome, intent)
         where notices.n = new.n and notices.state = 'waiting'",
        &numbers,
        &outcomes as _,
        &intents as _,
        now as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The notice cannot be applied: it stands aside, so that those behind it go on.
pub async fn update_set_aside(conn: &mut PgConnection, now: Instant, n: i64, why: &str) -> Result<(), Fault> {
    sqlx::query!(
        "update notices set state = 'set_aside', outcome = $2, applied_at = $3 where n = $1 and state = 'waiting'",
        n,
        why,
        now as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A notice that stands aside waits again. Answers why it stood aside; None when it does not.
pub async fn update_waiting_again(conn: &mut PgConnection, n: i64) -> Result<Option<String>, Fault> {
    let why = sqlx::query_scalar!(
        r#"update notices set state = 'waiting', outcome = null, applied_at = null
           from (select n as of, outcome as why from notices where n = $1 for no key update) as before
           where n = of and state = 'set_aside' returning coalesce(why, '') as "why!""#,
        n,
    )
    .fetch_optional(conn)
    .await?;
    Ok(why)
}

/// Keeps a message that was refused at the door, in a ring of at most 10,000 per channel.
pub async fn insert_refused(
    conn: &mut PgConnection,
    channel: &str,
    reason: &str,
    raw: &[u8],
    now: Instant,
) -> Result<(), Fault> {
    sqlx::query!(
        "with kept as (
             insert into notices_refused (channel, reason, raw, received_at) values ($1, $2, $3, $4) returning n)
         delete from notices_refused
         where n in (select n from notices_refused where channel = $1 order by n desc offset 9999 limit 100)",
        channel,
        reason,
        raw,
        now as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The entry that the money of an intent caused.
pub async fn entry_of(conn: &mut PgConnection, intent: IntentId) -> Result<Option<EntryId>, Fault> {
    let entry = sqlx::query_scalar!(
        "select entry_id from notices where intent = $1 and meaning = 'money' and outcome = 'paid' order by n limit 1",
        intent.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(entry.map(EntryId::from_uuid))
}
