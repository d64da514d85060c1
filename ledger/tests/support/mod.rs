//! What the tests of the book share: a chart, a way to make entries, a book on a database of its own.
#![allow(dead_code, reason = "each test binary uses its own part")]

#[path = "../../../tests/support/pg.rs"]
pub mod pg;

use mizan_ledger::{
    Account, Book, BookError, Class, Currency, Day, Entry, EntryDraft, EntryId, Id, Instant, Line, Money,
    Outcome,
};
use sqlx::PgPool;
use uuid::Uuid;

pub fn now() -> Instant {
    "2026-03-15T09:00:00Z".parse().expect("an instant")
}

pub fn today() -> Day {
    "2026-03-15".parse().expect("a day")
}

pub fn id(number: u128) -> EntryId {
    EntryId::from_uuid(Uuid::from_u128(number))
}

pub fn account(code: &str, class: Class, currency: Currency) -> Account {
    Account::new(code.parse().expect("a code"), class, currency)
}

pub fn receivable() -> Account {
    account("channel/bills/receivable", Class::Asset, Currency::JOD)
}

/// What an agency is owed; never below zero.
pub fn payable() -> Account {
    account("agency/psi/payable", Class::Liability, Currency::JOD).of_agency("psi").with_floor(0)
}

pub fn fees() -> Account {
    account("hub/fees", Class::Income, Currency::JOD)
}

pub fn jod(minor: i64) -> Money {
    Money::new(minor, Currency::JOD)
}

pub fn entry(number: u128, lines: Vec<Line>) -> Entry {
    entry_on(number, today(), lines)
}

pub fn entry_on(number: u128, effective_on: Day, lines: Vec<Line>) -> Entry {
    Entry::new(EntryDraft {
        id: id(number),
        kind: "payment_taken".to_owned(),
        effective_on,
        actor: "job:poster".to_owned(),
        source_ref: format!("pi_{number}"),
        meta: serde_json::Map::from_iter([("note".to_owned(), "مثال".into())]),
        lines,
    })
    .expect("a balanced entry")
}

/// A fee of `minor` fils and one fil for the hub.
pub fn payment(number: u128, minor: i64) -> Entry {
    entry(
        number,
        vec![
            Line::debit(receivable(), jod(minor + 1)),
            Line::credit(payable(), jod(minor)),
            Line::credit(fees(), jod(1)),
        ],
    )
}

/// Pays the agency out.
pub fn payout(number: u128, minor: i64) -> Entry {
    entry(
        number,
        vec![
            Line::debit(payable(), jod(minor)),
            Line::credit(account("payouts/in_flight", Class::Liability, Currency::JOD), jod(minor)),
        ],
    )
}

/// Posts in a transaction of its own.
pub async fn post(pool: &PgPool, book: &Book, entries: &[Entry]) -> Result<Vec<Outcome>, BookError> {
    post_at(pool, book, now(), entries).await
}

pub async fn post_at(
    pool: &PgPool,
    book: &Book,
    now: Instant,
    entries: &[Entry],
) -> Result<Vec<Outcome>, BookError> {
    let turn = book.turn().await;
    let mut tx = pool.begin().await?;
    let outcomes = book.post(&turn, &mut tx, now, entries).await?;
    tx.commit().await?;
    Ok(outcomes)
}

/// From now on partitions of `entries` places, beginning with the first.
pub async fn tiny_partitions(db: &pg::TestDb, entries: i64) {
    let sql = format!(
        "drop table ledger.entries_p0001, ledger.lines_p0001; delete from ledger.partitions;
         update ledger.settings set partition_entries = {entries}; set role mizan_owner; select ledger.extend(1)"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut db.superuser().await).await.expect("an empty book");
}
