//! The chain has two implementations, in Rust and in SQL, and they agree.

use mizan_ledger::checkpoint::{Checkpoint, NotProved, Proof, SignedCheckpoint};
use mizan_ledger::store::Change;
use mizan_ledger::{Book, Entry, ReversalDraft, chain};
use ring::signature::{Ed25519KeyPair, KeyPair};
use sqlx::{Connection, Executor, Row};

use crate::support::pg::TestDb;
use crate::support::{id, now, payable, payment, post, today};

const CHAIN_SQL: &str = include_str!("../../chain.sql");

async fn differences(conn: &mut sqlx::PgConnection) -> Vec<(String, i64)> {
    let rows = conn.fetch_all(sqlx::raw_sql(CHAIN_SQL)).await.unwrap();
    rows.iter().map(|row| (row.get("what"), row.get("place"))).collect()
}

async fn chained_book(db: &TestDb) -> Book {
    let book = Book::open(&db.pool, "main").await.unwrap();
    let mut number = 0;
    // Trees of every shape: full, with lone leaves at one level and at several.
    for size in [1, 2, 3, 4, 5, 7, 8, 11, 16, 21] {
        let entries: Vec<Entry> = (0..size)
            .map(|_| {
                number += 1;
                payment(number, 10)
            })
            .collect();
        post(&db.pool, &book, &entries).await.unwrap();
    }
    let draft = ReversalDraft {
        id: id(1000),
        effective_on: today(),
        actor: "user:officer".to_owned(),
        source_ref: "pi_5".to_owned(),
        reason: "صورة \"طبق\" الأصل".to_owned(),
    };
    post(&db.pool, &book, &[Entry::reverse(&payment(5, 10), draft).unwrap()]).await.unwrap();
    let turn = book.turn().await;
    let mut tx = db.pool.begin().await.unwrap();
    let limits =
        Change::Limits { account: payable().key(), floor_minor: None, ceiling_minor: Some(1_000_000) };
    let head = book.change(&turn, &mut tx, now(), "user:treasurer", &limits).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(book.head(&mut db.pool.acquire().await.unwrap()).await.unwrap(), head);
    book
}

#[tokio::test]
async fn sql_computes_the_same_chain() {
    let db = TestDb::new().await;
    let book = chained_book(&db).await;
    let mut auditor = db.connect_as("mizan_auditor").await;
    assert_eq!(differences(&mut auditor).await, []);
    // And sees what the Rust checker sees.
    let mut intruder = db.superuser().await;
    let mut tx = intruder.begin().await.unwrap();
    let change = "set local session_replication_role = replica; update ledger.lines set currency = 'ILS' where seq = 5";
    tx.execute(sqlx::raw_sql(change)).await.unwrap();
    assert_eq!(
        differences(&mut tx).await,
        [("hash".to_owned(), 3), ("leaf".to_owned(), 5), ("root".to_owned(), 3)]
    );
    assert!(!book.verify_within(&mut tx, &mut |_| ()).await.unwrap().is_clean());
    tx.rollback().await.unwrap();
}

#[tokio::test]
async fn every_entry_of_a_batch_is_proved_by_its_path() {
    let db = TestDb::new().await;
    let book = chained_book(&db).await;
    let mut conn = db.pool.acquire().await.unwrap();
    let batches =
        sqlx::query!("select first_seq, last_seq, root from ledger.batches where last_seq >= first_seq")
            .fetch_all(&mut *conn)
            .await
            .unwrap();
    for batch in batches {
        let seqs: Vec<i64> = (batch.first_seq..=batch.last_seq).collect();
        let recorded = book.entries_at(&mut conn, &seqs).await.unwrap();
        let leaves: Vec<chain::Hash> = recorded.iter().map(|recorded| recorded.leaf).collect();
        let root: chain::Hash = batch.root.try_into().unwrap();
        for (index, recorded) in recorded.iter().enumerate() {
            let leaf = chain::leaf(
                "main",
                recorded.seq,
                recorded.recorded_at,
                recorded.reverses_seq,
                &recorded.entry,
            );
            let path = chain::inclusion_proof(&leaves, index).unwrap();
            assert!(chain::proves(&leaf, &path, &root));
        }
    }
}

fn key(seed: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()
}

fn signed(checkpoint: Checkpoint, key: &Ed25519KeyPair) -> SignedCheckpoint {
    let signature = key.sign(&checkpoint.message()).as_ref().to_vec();
    SignedCheckpoint { checkpoint, key_id: "example-key".to_owned(), signature }
}

#[tokio::test]
async fn a_proof_holds_offline_and_no_word_of_it_can_be_changed() {
    let db = TestDb::new().await;
    let book = chained_book(&db).await;
    let mut conn = db.pool.acquire().await.unwrap();
    assert_eq!(book.proof(&mut conn, id(20)).await.unwrap(), None, "nothing is published yet");
    let checkpoint = book.checkpoint(&mut conn, now()).await.unwrap().unwrap();
    let published = signed(checkpoint, &key(1));
    book.keep_checkpoint(&mut conn, &published).await.unwrap();
    book.keep_checkpoint(&mut conn, &signed(published.checkpoint.clone(), &key(2))).await.unwrap();
    assert_eq!(
        book.last_checkpoint(&mut conn).await.unwrap().as_ref(),
        Some(&published),
        "the first one stands"
    );
    post(&db.pool, &book, &[payment(2_000, 10)]).await.unwrap();
    assert_eq!(book.proof(&mut conn, id(2_000)).await.unwrap(), None, "not under a checkpoint yet");
    assert_eq!(book.proof(&mut conn, id(9_999)).await.unwrap(), None);

    let public = key(1).public_key().as_ref().to_vec();
    for number in [1, 2, 20, 78, 1_000] {
        let proof = book.proof(&mut conn, id(number)).await.unwrap().unwrap();
        let json = serde_json::to_string(&proof).unwrap();
        let proof: Proof = serde_json::from_str(&json).unwrap();
        assert_eq!(proof.verify(&public), Ok(()));
        assert_eq!(proof.verify(key(2).public_key().as_ref()), Err(NotProved::Signature));
    }
    let proof = book.proof(&mut conn, id(20)).await.unwrap().unwrap();
    type Forgery = (fn(&mut Proof), NotProved);
    let forgeries: [Forgery; 9] = [
        (|proof| proof.entry.lines[0].amount_minor += 1, NotProved::Path),
        (|proof| proof.entry.actor.push('x'), NotProved::Path),
        (|proof| proof.entry.seq += 1, NotProved::Path),
        (|proof| proof.path.truncate(1), NotProved::Path),
        (|proof| proof.links[0].root[0] ^= 1, NotProved::Path),
        (|proof| proof.links[1].root[0] ^= 1, NotProved::Links),
        (|proof| proof.links.truncate(1), NotProved::Links),
        (|proof| proof.before[31] ^= 1, NotProved::Links),
        (|proof| proof.signed.checkpoint.last_seq += 1, NotProved::Signature),
    ];
    for (forge, why) in forgeries {
        let mut changed = proof.clone();
        forge(&mut changed);
        assert_eq!(changed.verify(&public), Err(why));
    }
    let report = book.verify(&mut conn, &mut |_| ()).await.unwrap();
    assert_eq!(report.differences, []);
}
