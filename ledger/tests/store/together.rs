//! Several sessions and several processes at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mizan_ledger::{Book, BookError, Entry, Outcome};
use sqlx::{Connection, PgConnection};
use tokio::task::JoinSet;

use crate::support::pg::TestDb;
use crate::support::{now, payment, post};

const PROCESSES: u128 = 2;
const CALLERS: u128 = 4;
const ROUNDS: u128 = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_of_many_callers_leave_one_dense_order() {
    let db = TestDb::new().await;
    let mut callers = JoinSet::new();
    for process in 0..PROCESSES {
        // A handle of its own is what another process would have.
        let book = Book::open(&db.pool, "main").await.unwrap();
        for caller in 0..CALLERS {
            let (book, pool) = (book.clone(), db.pool.clone());
            callers.spawn(async move {
                for round in 0..ROUNDS {
                    let first = ((process * CALLERS + caller) * ROUNDS + round) * 3 + 1;
                    let entries: Vec<Entry> = (first..first + 3).map(|number| payment(number, 7)).collect();
                    let outcomes = post(&pool, &book, &entries).await.unwrap();
                    assert!(outcomes.iter().all(Outcome::is_accepted));
                }
            });
        }
    }
    while let Some(done) = callers.join_next().await {
        done.unwrap();
    }
    let book = Book::open(&db.pool, "main").await.unwrap();
    let mut conn = db.pool.acquire().await.unwrap();
    let report = book.verify(&mut conn, &mut |_| ()).await.unwrap();
    assert_eq!(report.differences, []);
    assert_eq!(u128::from(report.entries), PROCESSES * CALLERS * ROUNDS * 3);
    assert_eq!(u128::from(report.batches), PROCESSES * CALLERS * ROUNDS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_deliveries_of_one_fact_are_one_entry() {
    let db = TestDb::new().await;
    let mut deliveries = JoinSet::new();
    for _ in 0..8 {
        let book = Book::open(&db.pool, "main").await.unwrap();
        let pool = db.pool.clone();
        deliveries.spawn(async move { post(&pool, &book, &[payment(1, 100)]).await.unwrap().remove(0) });
    }
    let mut fresh = 0;
    while let Some(outcome) = deliveries.join_next().await {
        match outcome.unwrap() {
            Outcome::Accepted { seq: 1, replayed, .. } => fresh += u32::from(!replayed),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(fresh, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_never_sees_part_of_a_batch() {
    let db = TestDb::new().await;
    let book = Book::open(&db.pool, "main").await.unwrap();
    let done = Arc::new(AtomicBool::new(false));
    let reading = Arc::clone(&done);
    let mut reader: PgConnection = db.connect_as("mizan_reader").await;
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut looks = 0;
        while !reading.load(Ordering::Relaxed) || looks == 0 {
            let row = sqlx::query!(
                r#"select coalesce((select head_seq from ledger.books), 0) as "head!",
                     (select count(*) from ledger.entries) as "entries!",
                     (select count(*) from ledger.lines) as "lines!",
                     (select coalesce(sum(debits_minor - credits_minor), 0)::bigint from ledger.balances) as "sum!",
                     (select coalesce(sum(version), 0)::bigint from ledger.balances) as "versions!""#
            )
            .fetch_one(&mut reader)
            .await
            .unwrap();
            assert_eq!((row.entries, row.lines, row.sum), (row.head, row.versions, 0));
            looks += 1;
        }
    });
    for round in 0..15_u128 {
        let entries: Vec<Entry> = (0..20).map(|index| payment(round * 20 + index + 1, 5)).collect();
        post(&db.pool, &book, &entries).await.unwrap();
    }
    done.store(true, Ordering::Relaxed);
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
}

#[tokio::test]
async fn turns_are_given_in_the_order_they_are_asked_for() {
    let db = TestDb::new().await;
    let book = Book::open(&db.pool, "main").await.unwrap();
    let first = book.turn().await;
    let (sender, mut order) = tokio::sync::mpsc::unbounded_channel();
    let mut waiting = JoinSet::new();
    for number in 0..5 {
        let (book, sender) = (book.clone(), sender.clone());
        waiting.spawn(async move {
            let turn = book.turn().await;
            sender.send(number).unwrap();
            drop(turn);
        });
        tokio::task::yield_now().await;
    }
    drop(first);
    for expected in 0..5 {
        assert_eq!(order.recv().await, Some(expected));
    }
}

#[tokio::test]
async fn a_stopped_process_makes_others_wait_only_so_long() {
    let db = TestDb::new().await;
    let stopped = Book::open(&db.pool, "main").await.unwrap();
    let other = Book::open(&db.pool, "main").await.unwrap();
    let turn = stopped.turn().await;
    let mut held = db.pool.begin().await.unwrap();
    stopped.post(&turn, &mut held, now(), &[payment(1, 5)]).await.unwrap();

    let mut conn = db.connect_as("mizan_app").await;
    sqlx::raw_sql("set lock_timeout = '50ms'").execute(&mut conn).await.unwrap();
    let mut tx = conn.begin().await.unwrap();
    let others_turn = other.turn().await;
    let refused = other.post(&others_turn, &mut tx, now(), &[payment(2, 5)]).await;
    let Err(BookError::Database(error)) = refused else { panic!("{refused:?}") };
    assert_eq!(
        error.as_database_error().and_then(sqlx::error::DatabaseError::code).as_deref(),
        Some("55P03")
    );
    tx.rollback().await.unwrap();
    drop(others_turn);
    held.commit().await.unwrap();
    assert!(post(&db.pool, &other, &[payment(2, 5)]).await.unwrap()[0].is_accepted());
}

#[tokio::test]
async fn a_turn_of_another_book_gives_no_right() {
    let db = TestDb::new().await;
    let main = Book::open(&db.pool, "main").await.unwrap();
    let trial = Book::open(&db.pool, "trial").await.unwrap();
    let turn = trial.turn().await;
    let mut tx = db.pool.begin().await.unwrap();
    assert!(matches!(main.post(&turn, &mut tx, now(), &[payment(1, 5)]).await, Err(BookError::ForeignTurn)));
    tx.rollback().await.unwrap();
    drop(turn);
    // An id belongs to the book that used it first.
    assert!(post(&db.pool, &main, &[payment(1, 5)]).await.unwrap()[0].is_accepted());
    let elsewhere = post(&db.pool, &trial, &[payment(1, 5), payment(2, 5)]).await.unwrap();
    assert_eq!(elsewhere[0].refusal(), Some(&mizan_ledger::Refusal::Conflict));
    assert!(elsewhere[1].is_accepted());
}
