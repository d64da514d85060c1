//! What the checker reads: rows as they are, without a rule applied.

use std::collections::HashMap;

use sqlx::PgConnection;
use uuid::Uuid;

use crate::store::outcome::BookError;
use crate::{Day, Instant};

#[derive(Debug)]
pub(super) struct Account {
    pub(super) id: i64,
    pub(super) code: String,
    pub(super) class: String,
    pub(super) currency: String,
    pub(super) closed: bool,
    /// As opened.
    pub(super) floor_minor: Option<i64>,
    pub(super) ceiling_minor: Option<i64>,
    /// As it stands now; none where the row is missing.
    pub(super) version: Option<i64>,
    pub(super) debits_minor: Option<i64>,
    pub(super) credits_minor: Option<i64>,
    pub(super) floor_now: Option<i64>,
    pub(super) ceiling_now: Option<i64>,
}

pub(super) async fn accounts(conn: &mut PgConnection, book: i32) -> Result<Vec<Account>, BookError> {
    Ok(sqlx::query_as!(
        Account,
        r#"select a.id, a.code, a.class, a.currency as "currency!: String", a.closed_at is not null as "closed!",
             a.floor_minor, a.ceiling_minor, b.version as "version?", b.debits_minor as "debits_minor?",
             b.credits_minor as "credits_minor?", b.floor_minor as "floor_now?", b.ceiling_minor as "ceiling_now?"
           from ledger.accounts a left join ledger.balances b on b.account_id = a.id
           where a.book_id = $1 order by a.id"#,
        book,
    )
    .fetch_all(conn)
    .await?)
}

#[derive(Debug)]
pub(super) struct Batch {
    pub(super) no: i64,
    pub(super) first_seq: i64,
    pub(super) last_seq: i64,
    pub(super) root: Vec<u8>,
    pub(super) hash: Vec<u8>,
    pub(super) recorded_at: Instant,
    pub(super) event_kind: Option<String>,
    pub(super) event_actor: Option<String>,
    pub(super) event_body: Option<String>,
}

pub(super) async fn batches(
    conn: &mut PgConnection,
    book: i32,
    after: i64,
    limit: i64,
) -> Result<Vec<Batch>, BookError> {
    Ok(sqlx::query_as!(
        Batch,
        r#"select b.no, b.first_seq, b.last_seq, b.root, b.hash, b.recorded_at,
             e.kind as "event_kind?", e.actor as "event_actor?", e.body::text as event_body
           from ledger.batches b
           left join ledger.book_events e on e.book_id = b.book_id and e.batch_no = b.no
           where b.book_id = $1 and b.no > $2 order by b.no limit $3"#,
        book,
        after,
        limit,
    )
    .fetch_all(conn)
    .await?)
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) seq: i64,
    pub(super) id: Uuid,
    pub(super) recorded_at: Instant,
    pub(super) reverses: Option<i64>,
    pub(super) effective_on: Day,
    pub(super) lines_count: i16,
    pub(super) kind: String,
    pub(super) actor: String,
    pub(super) source_ref: String,
    pub(super) leaf: Vec<u8>,
    pub(super) meta: String,
    pub(super) in_period: bool,
    /// The sequence number its outcome gives, at this time in this book.
    pub(super) outcome_seq: Option<i64>,
    /// The entry that the list of reversals gives for what this one reverses.
    pub(super) reversal_seq: Option<i64>,
}

pub(super) async fn entries(
    conn: &mut PgConnection,
    book: i32,
    (first, last): (i64, i64),
) -> Result<Vec<Entry>, BookError> {
    Ok(sqlx::query_as!(
        Entry,
        r#"select e.seq, e.id as "id!: Uuid", e.recorded_at, e.reverses, e.effective_on, e.lines_count, e.kind, e.actor,
             e.source_ref, e.leaf, e.meta::text as "meta!",
             coalesce(e.effective_on between p.starts_on and p.ends_on, false) as "in_period!",
             o.seq as "outcome_seq?", r.seq as "reversal_seq?"
           from ledger.entries e
           left join ledger.periods p on p.id = e.period_id and p.book_id = e.book_id
           left join ledger.outcomes o
             on o.entry_id = e.id and o.accepted and o.book_id = e.book_id and o.recorded_at = e.recorded_at
           left join ledger.reversals r on r.book_id = e.book_id and r.original_seq = e.reverses
           where e.book_id = $1 and e.seq between $2 and $3 order by e.seq"#,
        book,
        first,
        last,
    )
    .fetch_all(conn)
    .await?)
}

#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) seq: i64,
    pub(super) line_no: i16,
    pub(super) account_id: i64,
    pub(super) currency: String,
    pub(super) amount_minor: i64,
    pub(super) account_seq: i64,
    pub(super) balance_after_minor: i64,
    pub(super) effective_on: Day,
}

pub(super) async fn lines(
    conn: &mut PgConnection,
    book: i32,
    (first, last): (i64, i64),
) -> Result<Vec<Line>, BookError> {
    Ok(sqlx::query_as!(
        Line,
        r#"select seq, line_no, account_id, currency as "currency!: String", amount_minor, account_seq,
             balance_after_minor, effective_on
           from ledger.lines where book_id = $1 and seq between $2 and $3 order by seq, line_no"#,
        book,
        first,
        last,
    )
    .fetch_all(conn)
    .await?)
}

/// What the reversals among `entries` say they reverse: whether that is a reversal itself, and its lines as
/// (account, amount), in order.
#[derive(Debug, Default)]
pub(super) struct Original {
    pub(super) is_reversal: bool,
    pub(super) lines: Vec<(i64, i64)>,
}

pub(super) async fn originals(
    conn: &mut PgConnection,
    book: i32,
    entries: &[Entry],
) -> Result<HashMap<i64, Original>, BookError> {
    let seqs: Vec<i64> = entries.iter().filter_map(|entry| entry.reverses).collect();
    let mut originals: HashMap<i64, Original> = HashMap::new();
    if seqs.is_empty() {
        return Ok(originals);
    }
    let rows = sqlx::query!(
        r#"select e.seq, e.reverses is not null as "is_reversal!", l.account_id, l.amount_minor
           from ledger.entries e join ledger.lines l on l.book_id = e.book_id and l.seq = e.seq
           where e.book_id = $1 and e.seq = any($2) and l.seq = any($2) order by l.seq, l.line_no"#,
        book,
        &seqs,
    )
    .fetch_all(conn)
    .await?;
    for row in rows {
        let original = originals.entry(row.seq).or_default();
        original.is_reversal = row.is_reversal;
        original.lines.push((row.account_id, row.amount_minor));
    }
    Ok(originals)
}

#[derive(Debug)]
pub(super) struct DailyTotal {
    pub(super) account_id: i64,
    pub(super) effective_on: Day,
    pub(super) debits_minor: i64,
    pub(super) credits_minor: i64,
    pub(super) lines_count: i64,
    pub(super) first_seq: i64,
    pub(super) last_seq: i64,
}

pub(super) async fn daily_totals(
    conn: &mut PgConnection,
    accounts: &[i64],
) -> Result<Vec<DailyTotal>, BookError> {
    Ok(sqlx::query_as!(
        DailyTotal,
        "select account_id, effective_on, debits_minor, credits_minor, lines_count, first_seq, last_seq
         from ledger.daily_totals where account_id = any($1) order by account_id, effective_on",
        accounts,
    )
    .fetch_all(conn)
    .await?)
}

/// Counts that must agree with what the walk saw.
#[derive(Debug)]
pub(super) struct Counts {
    pub(super) accepted: i64,
    pub(super) refused: i64,
    pub(super) reversals: i64,
    /// Entries and lines at places the chain does not cover.
    pub(super) stray_entries: i64,
    pub(super) stray_lines: i64,
    pub(super) stray_events: i64,
}

pub(super) async fn counts(conn: &mut PgConnection, book: i32, head_seq: i64) -> Result<Counts, BookError> {
    Ok(sqlx::query_as!(
        Counts,
        r#"select
             (select count(*) from ledger.outcomes where book_id = $1 and accepted) as "accepted!",
             (select count(*) from ledger.outcomes where book_id = $1 and not accepted) as "refused!",
             (select count(*) from ledger.reversals where book_id = $1) as "reversals!",
             (select count(*) from ledger.entries where book_id = $1 and (seq < 1 or seq > $2)) as "stray_entries!",
             (select count(*) from ledger.lines where book_id = $1 and (seq < 1 or seq > $2)) as "stray_lines!",
             (select count(*) from ledger.book_events e where book_id = $1 and not exists (
                select from ledger.batches b where b.book_id = e.book_id and b.no = e.batch_no
                  and b.last_seq < b.first_seq)) as "stray_events!""#,
        book,
        head_seq,
    )
    .fetch_one(conn)
    .await?)
}

/// Checkpoints whose batch has another hash.
pub(super) async fn false_checkpoints(conn: &mut PgConnection, book: i32) -> Result<Vec<i64>, BookError> {
    Ok(sqlx::query_scalar!(
        "select c.batch_no from ledger.checkpoints c
         left join ledger.batches b on b.book_id = c.book_id and b.no = c.batch_no
         where c.book_id = $1 and b.hash is distinct from c.hash order by 1",
        book,
    )
    .fetch_all(conn)
    .await?)
}

/// Every trigger that is on, as (table, trigger), and the partitions with their parents.
pub(super) async fn triggers(conn: &mut PgConnection) -> Result<Vec<(String, String)>, BookError> {
    let rows = sqlx::query!(
        r#"select c.relname::text as "table!", t.tgname::text as "name!"
           from pg_trigger t join pg_class c on c.oid = t.tgrelid
           where c.relnamespace = 'ledger'::regnamespace and not t.tgisinternal and t.tgenabled in ('O', 'A')"#,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.table, row.name)).collect())
}

pub(super) async fn partitions(conn: &mut PgConnection) -> Result<Vec<String>, BookError> {
    Ok(sqlx::query_scalar!(
        r#"select inhrelid::regclass::text as "part!" from pg_inherits
           where inhparent in ('ledger.entries'::regclass, 'ledger.lines'::regclass) order by 1"#,
    )
    .fetch_all(conn)
    .await?
    .into_iter()
    .map(|name| name.trim_start_matches("ledger.").to_owned())
    .collect())
}
