//! The statements of posting. Each takes arrays: their number does not grow with the batch.

use std::collections::HashMap;

use serde_json::Value;
use sqlx::PgConnection;

use super::decide::{Period, Placed, Slot};
use super::outcome::{BookError, Refusal};
use super::{Book, Head};
use crate::account::{Account, AccountKey};
use crate::balance::Balance;
use crate::chain::Hash;
use crate::{Currency, Day, EntryId, Instant};

/// Writes only when there is no such book: who may only read opens one too.
pub(super) async fn find_or_insert_book(conn: &mut PgConnection, name: &str) -> Result<i32, BookError> {
    if let Some(id) = find_book(conn, name).await? {
        return Ok(id);
    }
    sqlx::query!("insert into ledger.books (name) values ($1) on conflict (name) do nothing", name)
        .execute(&mut *conn)
        .await?;
    Ok(find_book(conn, name).await?.ok_or(sqlx::Error::RowNotFound)?)
}

async fn find_book(conn: &mut PgConnection, name: &str) -> Result<Option<i32>, BookError> {
    Ok(sqlx::query_scalar!("select id from ledger.books where name = $1", name).fetch_optional(conn).await?)
}

/// The head, locked until the transaction ends; the version of the periods; the last sequence number that has
/// a partition (perhaps a little old: then a partition is asked for in vain).
pub(super) async fn lock_head(conn: &mut PgConnection, book: i32) -> Result<(Head, i64, i64), BookError> {
    let row = sqlx::query!(
        r#"select head_seq, head_batch, head_hash, head_at, periods_version,
             coalesce((select max(last_seq) from ledger.partitions), 0) as "partitioned_to!"
           from ledger.books where id = $1 for no key update"#,
        book,
    )
    .fetch_one(conn)
    .await?;
    let hash = hash_of(&row.head_hash)?;
    let head = Head { seq: row.head_seq, batch: row.head_batch, hash, at: row.head_at };
    Ok((head, row.periods_version, row.partitioned_to))
}

pub(super) fn hash_of(bytes: &[u8]) -> Result<Hash, BookError> {
    bytes.try_into().map_err(|_| BookError::corrupt("a hash"))
}

pub(super) async fn find_periods(conn: &mut PgConnection, book: i32) -> Result<Vec<Period>, BookError> {
    Ok(sqlx::query_as!(
        Period,
        r#"select id, starts_on, ends_on, status = 'open' as "open!" from ledger.periods where book_id = $1
           order by starts_on"#,
        book,
    )
    .fetch_all(conn)
    .await?)
}

/// Opens the month of `day`. None where a period of another length is in the way.
pub(super) async fn insert_month(
    conn: &mut PgConnection,
    book: i32,
    day: Day,
) -> Result<Option<Period>, BookError> {
    let starts_on = Day::from(day.date().first_of_month());
    let ends_on = Day::from(day.date().last_of_month());
    Ok(sqlx::query_as!(
        Period,
        r#"insert into ledger.periods (book_id, starts_on, ends_on) values ($1, $2, $3)
           on conflict do nothing
           returning id, starts_on, ends_on, status = 'open' as "open!""#,
        book,
        starts_on as _,
        ends_on as _,
    )
    .fetch_optional(conn)
    .await?)
}

/// What an id was used for.
#[derive(Debug)]
pub(super) struct OutcomeRow {
    pub(super) entry_id: EntryId,
    pub(super) book_id: i32,
    pub(super) seq: Option<i64>,
    pub(super) recorded_at: Instant,
    pub(super) refusal: Option<Value>,
    pub(super) request_hash: Option<Vec<u8>>,
}

pub(super) async fn find_outcomes(
    conn: &mut PgConnection,
    ids: &[EntryId],
) -> Result<Vec<OutcomeRow>, BookError> {
    Ok(sqlx::query_as!(
        OutcomeRow,
        "select entry_id, book_id, seq, recorded_at, refusal, request_hash from ledger.outcomes
         where entry_id = any($1)",
        ids as _,
    )
    .fetch_all(conn)
    .await?)
}

/// Which of the entries at `seqs` were reversed, and by which.
pub(super) async fn find_reversals(
    conn: &mut PgConnection,
    book: i32,
    seqs: &[i64],
) -> Result<Vec<(i64, i64)>, BookError> {
    let rows = sqlx::query!(
        "select original_seq, seq from ledger.reversals where book_id = $1 and original_seq = any($2)",
        book,
        seqs,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.original_seq, row.seq)).collect())
}

/// The accounts that exist, with their balances. They need no lock: balances change only under the head's.
pub(super) async fn find_slots(
    conn: &mut PgConnection,
    book: i32,
    accounts: &[&Account],
) -> Result<Vec<Slot>, BookError> {
    let codes: Vec<&str> = accounts.iter().map(|account| account.code.as_str()).collect();
    let currencies: Vec<Currency> = accounts.iter().map(|account| account.currency).collect();
    let rows = sqlx::query!(
        r#"select a.id, a.code, a.class, a.currency, a.agency, a.closed_at is not null as "closed!",
             b.version, b.debits_minor, b.credits_minor, b.floor_minor, b.ceiling_minor
           from unnest($2::text[], $3::text[]) as asked (code, currency)
           join ledger.accounts a on a.book_id = $1 and a.code = asked.code and a.currency = asked.currency
           join ledger.balances b on b.account_id = a.id"#,
        book,
        &codes as _,
        &currencies as _,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let corrupt = || BookError::corrupt(format_args!("account {}", row.id));
            let code = row.code.parse().map_err(|_| corrupt())?;
            let class = row.class.parse().map_err(|_| corrupt())?;
            let mut account = Account::new(code, class, row.currency);
            account.agency = row.agency.map(Into::into);
            Ok(Slot {
                account,
                id: Some(row.id),
                closed: row.closed,
                balance: Balance::new(row.debits_minor, row.credits_minor).ok_or_else(corrupt)?,
                lines_count: row.version,
                floor_minor: row.floor_minor,
                ceiling_minor: row.ceiling_minor,
            })
        })
        .collect()
}

pub(super) async fn find_account(
    conn: &mut PgConnection,
    book: i32,
    account: &AccountKey,
) -> Result<Option<i64>, BookError> {
    Ok(sqlx::query_scalar!(
        "select id from ledger.accounts where book_id = $1 and code = $2 and currency = $3",
        book,
        account.code.as_str(),
        account.currency as _,
    )
    .fetch_optional(conn)
    .await?)
}

/// Opens accounts that do not exist, in this order.
pub(super) async fn insert_accounts(
    conn: &mut PgConnection,
    book: i32,
    opened_at: Instant,
    accounts: &[&Account],
) -> Result<HashMap<AccountKey, i64>, BookError> {
    let codes: Vec<&str> = accounts.iter().map(|account| account.code.as_str()).collect();
    let classes: Vec<&str> = accounts.iter().map(|account| account.class.as_str()).collect();
    let currencies: Vec<Currency> = accounts.iter().map(|account| account.currency).collect();
    let agencies: Vec<Option<&str>> = accounts.iter().map(|account| account.agency.as_deref()).collect();
    let floors: Vec<Option<i64>> = accounts.iter().map(|account| account.floor_minor).collect();
    let ceilings: Vec<Option<i64>> = accounts.iter().map(|account| account.ceiling_minor).collect();
    let rows = sqlx::query!(
        r#"select account_id as "account_id!", code as "code!", currency as "currency!: Currency"
           from ledger.open_accounts($1, $2, $3, $4, $5, $6, $7, $8)"#,
        book,
        opened_at as _,
        &codes as _,
        &classes as _,
        &currencies as _,
        &agencies as _,
        &floors as _,
        &ceilings as _,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let code = row.code.parse().map_err(BookError::corrupt)?;
            Ok((AccountKey { code, currency: row.currency }, row.account_id))
        })
        .collect()
}

/// Makes partitions until `seq` has a place; the last sequence number that has one.
pub(super) async fn extend(conn: &mut PgConnection, seq: i64) -> Result<i64, BookError> {
    Ok(sqlx::query_scalar!(r#"select ledger.extend($1) as "last!""#, seq).fetch_one(conn).await?)
}

#[derive(Debug)]
pub(super) struct BatchRow {
    pub(super) no: i64,
    pub(super) first_seq: i64,
    pub(super) last_seq: i64,
    pub(super) root: Hash,
    pub(super) hash: Hash,
    pub(super) recorded_at: Instant,
}

pub(super) async fn insert_batch(
    conn: &mut PgConnection,
    book: i32,
    batch: &BatchRow,
) -> Result<(), BookError> {
    sqlx::query!(
        "insert into ledger.batches (book_id, no, first_seq, last_seq, root, hash, recorded_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
        book,
        batch.no,
        batch.first_seq,
        batch.last_seq,
        &batch.root[..],
        &batch.hash[..],
        batch.recorded_at as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn insert_event(
    conn: &mut PgConnection,
    book: i32,
    batch_no: i64,
    kind: &str,
    actor: &str,
    body: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into ledger.book_events (book_id, batch_no, kind, actor, body) values ($1, $2, $3, $4, $5::text::json)",
        book,
        batch_no,
        kind,
        actor,
        body,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn insert_lines(
    conn: &mut PgConnection,
    book: i32,
    placed: &[Placed<'_>],
    slots: &[Slot],
) -> Result<(), BookError> {
    let count = placed.iter().map(|entry| entry.lines.len()).sum();
    let mut seqs: Vec<i64> = Vec::with_capacity(count);
    let mut line_nos: Vec<i16> = Vec::with_capacity(count);
    let mut days: Vec<Day> = Vec::with_capacity(count);
    let mut accounts: Vec<i64> = Vec::with_capacity(count);
    let mut currencies: Vec<Currency> = Vec::with_capacity(count);
    let mut amounts: Vec<i64> = Vec::with_capacity(count);
    let mut account_seqs: Vec<i64> = Vec::with_capacity(count);
    let mut balances_after: Vec<i64> = Vec::with_capacity(count);
    for entry in placed {
        for (line, line_no) in entry.lines.iter().zip(1_i16..) {
            let slot = slots.get(line.slot).ok_or_else(|| BookError::corrupt("the working set"))?;
            seqs.push(entry.seq);
            line_nos.push(line_no);
            days.push(entry.entry.effective_on());
            accounts.push(slot.id.ok_or_else(|| BookError::corrupt(&slot.account.code))?);
            currencies.push(slot.account.currency);
            amounts.push(line.amount_minor);
            account_seqs.push(line.account_seq);
            balances_after.push(line.balance_after_minor);
        }
    }
    sqlx::query!(
        "insert into ledger.lines (book_id, seq, line_no, effective_on, account_id, currency, amount_minor, account_seq,
           balance_after_minor)
         select $1, * from unnest($2::bigint[], $3::smallint[], $4::date[], $5::bigint[], $6::text[], $7::bigint[],
           $8::bigint[], $9::bigint[])",
        book,
        &seqs,
        &line_nos,
        &days as _,
        &accounts,
        &currencies as _,
        &amounts,
        &account_seqs,
        &balances_after,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// `periods` has the period of each entry, in order.
pub(super) async fn insert_entries(
    conn: &mut PgConnection,
    book: i32,
    placed: &[Placed<'_>],
    periods: &[i32],
) -> Result<(), BookError> {
    let of = |text: fn(&crate::Entry) -> &str| placed.iter().map(|p| text(p.entry)).collect::<Vec<&str>>();
    let line_count = |p: &Placed<'_>| i16::try_from(p.lines.len()).map_err(BookError::corrupt);
    sqlx::query!(
        "insert into ledger.entries (book_id, seq, recorded_at, reverses, id, period_id, effective_on, lines_count,
           kind, actor, source_ref, leaf, meta)
         select $1, seq, recorded_at, reverses, id, period_id, effective_on, lines_count, kind, actor, source_ref, leaf,
           meta::json
         from unnest($2::bigint[], $3::timestamptz[], $4::bigint[], $5::uuid[], $6::integer[], $7::date[],
             $8::smallint[], $9::text[], $10::text[], $11::text[], $12::bytea[], $13::text[])
           as placed (seq, recorded_at, reverses, id, period_id, effective_on, lines_count, kind, actor, source_ref,
             leaf, meta)",
        book,
        &placed.iter().map(|p| p.seq).collect::<Vec<_>>(),
        &placed.iter().map(|p| p.recorded_at).collect::<Vec<_>>() as _,
        &placed.iter().map(|p| p.reverses_seq).collect::<Vec<_>>() as _,
        &placed.iter().map(|p| p.entry.id()).collect::<Vec<_>>() as _,
        periods,
        &placed.iter().map(|p| p.entry.effective_on()).collect::<Vec<_>>() as _,
        &placed.iter().map(line_count).collect::<Result<Vec<_>, _>>()?,
        &of(crate::Entry::kind) as _,
        &of(crate::Entry::actor) as _,
        &of(crate::Entry::source_ref) as _,
        &placed.iter().map(|p| &p.leaf[..]).collect::<Vec<_>>() as _,
        &of(crate::Entry::meta_json) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn insert_refusals(
    conn: &mut PgConnection,
    book: i32,
    recorded_at: Instant,
    refused: &[(EntryId, Hash, Refusal)],
) -> Result<(), BookError> {
    let texts: Vec<String> = refused
        .iter()
        .map(|(_, _, refusal)| serde_json::to_string(refusal).map_err(BookError::corrupt))
        .collect::<Result<_, _>>()?;
    sqlx::query!(
        "insert into ledger.outcomes (book_id, recorded_at, entry_id, request_hash, refusal)
         select $1, $2, id, request_hash, refusal::json
         from unnest($3::uuid[], $4::bytea[], $5::text[]) as refused (id, request_hash, refusal)",
        book,
        recorded_at as _,
        &refused.iter().map(|(id, _, _)| *id).collect::<Vec<_>>() as _,
        &refused.iter().map(|(_, hash, _)| &hash[..]).collect::<Vec<_>>() as _,
        &texts,
    )
    .execute(conn)
    .await?;
    Ok(())
}

impl Book {
    /// The head of the book as last committed.
    pub async fn head(&self, conn: &mut PgConnection) -> Result<Head, BookError> {
        let row = sqlx::query!(
            "select head_seq, head_batch, head_hash, head_at from ledger.books where id = $1",
            self.0.id,
        )
        .fetch_one(conn)
        .await?;
        let hash = hash_of(&row.head_hash)?;
        Ok(Head { seq: row.head_seq, batch: row.head_batch, hash, at: row.head_at })
    }
}
