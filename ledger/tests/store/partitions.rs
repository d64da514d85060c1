//! Partitions of entries and lines: made ahead or on the way, never in the way.

use mizan_ledger::{Book, Entry, ReversalDraft};
use sqlx::Connection;

use crate::support::pg::TestDb;
use crate::support::{id, payable, payment, post, tiny_partitions, today};

async fn partitions(db: &TestDb) -> Vec<(i64, i64)> {
    let rows = sqlx::query!("select first_seq, last_seq from ledger.partitions order by no")
        .fetch_all(&db.pool)
        .await;
    rows.unwrap().into_iter().map(|row| (row.first_seq, row.last_seq)).collect()
}

#[tokio::test]
async fn posting_crosses_the_ends_of_partitions() {
    let db = TestDb::new().await;
    tiny_partitions(&db, 7).await;
    let book = Book::open(&db.pool, "main").await.unwrap();
    let mut number = 0;
    for size in [1, 5, 3, 20, 7, 14, 2] {
        let entries: Vec<Entry> = (0..size)
            .map(|_| {
                number += 1;
                payment(number, 10)
            })
            .collect();
        assert!(
            post(&db.pool, &book, &entries).await.unwrap().iter().all(mizan_ledger::Outcome::is_accepted)
        );
    }
    let made: Vec<(i64, i64)> = (0..8).map(|no| (no * 7 + 1, no * 7 + 7)).collect();
    assert_eq!(partitions(&db).await, made);
    // A replay and a reversal reach back over all of them.
    let draft = ReversalDraft {
        id: id(100),
        effective_on: today(),
        actor: "user:officer".to_owned(),
        source_ref: "pi_2".to_owned(),
        reason: "taken twice".to_owned(),
    };
    let reversal = Entry::reverse(&payment(2, 10), draft).unwrap();
    let outcomes = post(&db.pool, &book, &[payment(1, 10), reversal]).await.unwrap();
    assert!(outcomes.iter().all(mizan_ledger::Outcome::is_accepted));
    let mut conn = db.pool.acquire().await.unwrap();
    let statement = book.statement(&mut conn, &payable().key(), today(), today()).await.unwrap();
    assert_eq!((statement.lines.len(), statement.closing.net_minor()), (53, -510));
    let report = book.verify(&mut conn, &mut |_| ()).await.unwrap();
    assert_eq!((report.entries, report.differences), (53, vec![]));
}

#[tokio::test]
async fn room_is_made_ahead_and_a_reader_is_not_in_the_way() {
    let db = TestDb::new().await;
    tiny_partitions(&db, 3).await;
    let book = Book::open(&db.pool, "main").await.unwrap();
    post(&db.pool, &book, &[payment(1, 10)]).await.unwrap();
    let mut reader = db.connect_as("mizan_reader").await;
    let mut snapshot = reader.begin_with("begin isolation level repeatable read").await.unwrap();
    let lines =
        sqlx::query_scalar!("select count(*) from ledger.lines").fetch_one(&mut *snapshot).await.unwrap();
    assert_eq!(lines, Some(3));

    let mut conn = db.pool.acquire().await.unwrap();
    book.extend(&mut conn, 5).await.unwrap();
    assert_eq!(partitions(&db).await, [(1, 3), (4, 6)]);
    let more: Vec<Entry> = (2..=20).map(|number| payment(number, 10)).collect();
    assert_eq!(post(&db.pool, &book, &more).await.unwrap().len(), 19);

    let lines =
        sqlx::query_scalar!("select count(*) from ledger.lines").fetch_one(&mut *snapshot).await.unwrap();
    assert_eq!(lines, Some(3), "the snapshot stands");
    snapshot.rollback().await.unwrap();
}

#[tokio::test]
async fn every_partition_is_guarded_and_grants_nothing() {
    let db = TestDb::new().await;
    tiny_partitions(&db, 2).await;
    let book = Book::open(&db.pool, "main").await.unwrap();
    let entries: Vec<Entry> = (1..=9).map(|number| payment(number, 10)).collect();
    post(&db.pool, &book, &entries).await.unwrap();
    let rows = sqlx::query!(
        r#"select c.relname::text as "name!",
             exists (select from pg_trigger t where t.tgrelid = c.oid and t.tgname = c.relname || '_parent_only') as "guarded!",
             exists (select from pg_constraint k where k.conrelid = c.oid and k.conname = c.relname || '_seq_check') as "bounded!",
             c.relacl is null as "private!"
           from pg_inherits i join pg_class c on c.oid = i.inhrelid
           where i.inhparent in ('ledger.entries'::regclass, 'ledger.lines'::regclass)"#
    )
    .fetch_all(&db.pool)
    .await
    .unwrap();
    assert_eq!(rows.len(), 10);
    for row in rows {
        assert!(row.guarded && row.bounded && row.private, "{}", row.name);
    }
}
