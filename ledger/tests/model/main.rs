//! The book against a reference model: the same random operations, outcome by outcome, row by row.
//!
//! The model is maps and a hundred lines that share nothing with the book's own decisions. Each run is told
//! twice to the database, once in batches as drawn and once entry by entry: every table must come out the same.
#![expect(clippy::unwrap_used, reason = "helpers of tests may stop the test too")]

#[path = "../support/mod.rs"]
mod support;

mod operations;
mod reference;

use std::collections::BTreeSet;

use mizan_ledger::{Book, Outcome};
use operations::Operation;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use reference::{Reference, Told};
use sqlx::Row;
use support::pg::TestDb;
use support::tiny_partitions;

/// Each run fills two databases, so `PROPTEST_CASES`, meant for cases of a millisecond, does not count here.
const RUNS: u32 = 4;
const RUNS_LONG: u32 = 100;
const OPERATIONS: usize = 45;

#[test]
fn the_book_does_what_the_model_does() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let cases = if std::env::var_os("MIZAN_LONG").is_some() { RUNS_LONG } else { RUNS };
    let config = Config { cases, max_shrink_iters: 40, failure_persistence: None, ..Config::default() };
    let operations = prop::collection::vec(operations::operation(), OPERATIONS..=OPERATIONS);
    TestRunner::new(config)
        .run(&operations, |operations| {
            runtime.block_on(async {
                let together = tell(&operations, usize::MAX).await;
                let one_by_one = tell(&operations, 1).await;
                let differing: Vec<&String> = together.symmetric_difference(&one_by_one).take(6).collect();
                prop_assert!(differing.is_empty(), "{differing:#?}");
                Ok(())
            })
        })
        .unwrap();
}

/// Tells the operations to a fresh book and to a fresh model; the rows of the book at the end.
async fn tell(operations: &[Operation], batch: usize) -> BTreeSet<String> {
    let db = TestDb::new().await;
    tiny_partitions(&db, 17).await;
    let book = Book::open(&db.pool, "main").await.unwrap();
    let mut reference = Reference::default();
    for (operation, step) in operations.iter().zip(0..) {
        let now = operations::now(step);
        match operation {
            Operation::Post { specs, roll_back } => {
                let entries = operations::entries(specs, &reference);
                for (entries, specs) in entries.chunks(batch.min(512)).zip(specs.chunks(batch.min(512))) {
                    let before = reference.clone();
                    let expected: Vec<Told> =
                        entries.iter().map(|entry| reference.post(entry, now)).collect();
                    let turn = book.turn().await;
                    let mut tx = db.pool.begin().await.unwrap();
                    let outcomes = book.post(&turn, &mut tx, now, entries).await.unwrap();
                    assert_eq!(
                        outcomes.iter().map(told).collect::<Vec<_>>(),
                        expected,
                        "step {step}: {specs:#?}"
                    );
                    if *roll_back {
                        tx.rollback().await.unwrap();
                        reference = before;
                    } else {
                        tx.commit().await.unwrap();
                    }
                }
            }
            Operation::Change(change) => {
                let expected = reference.change(change);
                let turn = book.turn().await;
                let mut tx = db.pool.begin().await.unwrap();
                let changed = book.change(&turn, &mut tx, now, "user:treasurer", change).await;
                assert_eq!(changed.is_ok(), expected, "step {step}: {change:?}: {changed:?}");
                if changed.is_ok() {
                    tx.commit().await.unwrap();
                }
            }
        }
    }
    compare(&db, &book, &reference).await;
    dump(&db).await
}

fn told(outcome: &Outcome) -> Told {
    match outcome {
        Outcome::Accepted { seq, replayed, .. } => Told::Accepted { seq: *seq, replayed: *replayed },
        Outcome::Refused { refusal, replayed } => {
            let code = serde_json::to_value(refusal).unwrap()["code"].as_str().unwrap().to_owned();
            Told::Refused { code, replayed: *replayed }
        }
    }
}

async fn compare(db: &TestDb, book: &Book, reference: &Reference) {
    let mut conn = db.pool.acquire().await.unwrap();
    let balances = book.balances(&mut conn).await.unwrap();
    let found: Vec<(String, i128, i128)> = balances
        .iter()
        .map(|row| {
            (row.account.to_string(), row.balance.debits_minor().into(), row.balance.credits_minor().into())
        })
        .collect();
    assert_eq!(found, reference.balances());
    for row in &balances {
        // The book at a point, by both calendars, against a plain fold.
        for day in operations::days() {
            let on = book.balance_on(&mut conn, &row.account, day).await.unwrap();
            assert_eq!(
                i128::from(on.net_minor()),
                reference.net(&row.account, |entry| entry.effective_on <= day)
            );
        }
        for step in [0, 7, 20, 44] {
            let at = operations::now(step).plus_seconds(1);
            let found = book.balance_at(&mut conn, &row.account, at).await.unwrap();
            assert_eq!(i128::from(found), reference.net(&row.account, |entry| entry.posted_at < at));
        }
    }
    let report = book.verify(&mut conn, &mut |_| ()).await.unwrap();
    assert_eq!(report.differences, []);
    assert_eq!(report.entries, reference.entries_count());
}

/// Every row that may not depend on how entries were cut into batches, and none of the numbers the database
/// gives away at a rollback.
async fn dump(db: &TestDb) -> BTreeSet<String> {
    let mut conn = db.superuser().await;
    let mut dumped = BTreeSet::new();
    for (name, rows) in [
        ("entries", "select to_jsonb(e) - 'period_id' from ledger.entries e"),
        (
            "lines",
            "select to_jsonb(l) - 'account_id' || jsonb_build_object('code', a.code)
                   from ledger.lines l join ledger.accounts a on a.id = l.account_id",
        ),
        ("accounts", "select to_jsonb(a) - 'id' from ledger.accounts a"),
        (
            "balances",
            "select to_jsonb(b) - 'account_id' || jsonb_build_object('code', a.code)
                      from ledger.balances b join ledger.accounts a on a.id = b.account_id",
        ),
        (
            "daily_totals",
            "select to_jsonb(d) - 'account_id' || jsonb_build_object('code', a.code)
                          from ledger.daily_totals d join ledger.accounts a on a.id = d.account_id",
        ),
        ("outcomes", "select to_jsonb(o) from ledger.outcomes o"),
        ("reversals", "select to_jsonb(r) from ledger.reversals r"),
        ("periods", "select to_jsonb(p) - 'id' from ledger.periods p"),
        ("book_events", "select to_jsonb(v) - 'batch_no' from ledger.book_events v"),
    ] {
        let sql = format!("select r::text from ({rows}) t(r)");
        let rows =
            sqlx::Executor::fetch_all(&mut conn, sqlx::raw_sql(sqlx::AssertSqlSafe(sql))).await.unwrap();
        dumped.extend(rows.iter().map(|row| format!("{name} {}", row.get::<String, _>(0))));
    }
    dumped
}
