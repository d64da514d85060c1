//! Posting and outcomes.

use mizan_ledger::{Book, Entry, Line, Outcome, Refusal, ReversalDraft};

use crate::support::pg::TestDb;
use crate::support::{self, fees, id, jod, now, payable, payment, payout, post, receivable, today};

fn seqs(outcomes: &[Outcome]) -> Vec<Option<i64>> {
    outcomes
        .iter()
        .map(|outcome| match outcome {
            Outcome::Accepted { seq, .. } => Some(*seq),
            Outcome::Refused { .. } => None,
        })
        .collect()
}

#[tokio::test]
async fn a_posted_entry_moves_its_balances_and_the_head() {
    let db = TestDb::new().await;
    let book = Book::open(&db.pool, "main").await.unwrap();
    let outcomes = post(&db.pool, &book, &[payment(1, 100), payment(2, 50)]).await.unwrap();
    assert_eq!(seqs(&outcomes), [Some(1), Some(2)]);
    let mut conn = db.pool.acquire().await.unwrap();
    for (account, expected) in [(receivable(), 152), (payable(), 150), (fees(), 2)] {
        let row = book.balance(&mut conn, &account.key()).await.unwrap().unwrap();
        assert_eq!(row.money().minor(), expected, "{account:?}");
    }
    let head = book.head(&mut conn).await.unwrap();
    assert_eq!((head.seq, head.batch), (2, 1));
    let recorded = book.entry(&mut conn, id(2)).await.unwrap().unwrap();
    assert_eq!(recorded.entry.request_hash(), payment(2, 50).request_hash());
    assert_eq!(recorded.recorded_at.since(now()).as_micros(), 1);
}

#[tokio::test]
async fn a_replay_gives_the_same_outcome_and_other_content_conflicts() {
    let db = TestDb::new().await;
    let book = Book::open(&db.pool, "main").await.unwrap();
    let first = post(&db.pool, &book, &[payment(1, 100), payout(2, 101)]).await.unwrap();
    assert_eq!(seqs(&first), [Some(1), None]);
    assert!(matches!(
        first[1].refusal(),
        Some(Refusal::BelowFloor { balance_minor: -1, floor_minor: 0, .. })
    ));
    // The payout would be covered now, but its id was refused.
    let again = post(&db.pool, &book, &[payment(3, 500), payment(1, 100), payout(2, 101), payment(1, 99)])
        .await
        .unwrap();
    assert_eq!(seqs(&again), [Some(2), Some(1), None, None]);
    assert!(matches!(again[1], Outcome::Accepted { replayed: true, .. }));
    assert!(matches!(&again[2], Outcome::Refused { refusal: Refusal::BelowFloor { .. }, replayed: true }));
    assert_eq!(again[3].refusal(), Some(&Refusal::Conflict));
    let mut conn = db.pool.acquire().await.unwrap();
    assert_eq!(book.head(&mut conn).await.unwrap().seq, 2);
}

#[tokio::test]
async fn an_entry_is_reversed_once() {
    let db = TestDb::new().await;
    let book = Book::open(&db.pool, "main").await.unwrap();
    let original = payment(1, 100);
    let reverse = |number| {
        let draft = ReversalDraft {
            id: id(number),
            effective_on: today(),
            actor: "user:officer".to_owned(),
            source_ref: "pi_1".to_owned(),
            reason: "taken twice".to_owned(),
        };
        Entry::reverse(&original, draft).unwrap()
    };
    let outcomes = post(&db.pool, &book, &[original.clone(), reverse(2), reverse(3)]).await.unwrap();
    assert_eq!(seqs(&outcomes), [Some(1), Some(2), None]);
    assert_eq!(outcomes[2].refusal(), Some(&Refusal::AlreadyReversed { original: id(1), by_seq: 2 }));
    let later = post(&db.pool, &book, &[reverse(4)]).await.unwrap();
    assert_eq!(later[0].refusal(), Some(&Refusal::AlreadyReversed { original: id(1), by_seq: 2 }));
    let mut conn = db.pool.acquire().await.unwrap();
    let recorded = book.entry(&mut conn, id(2)).await.unwrap().unwrap();
    assert_eq!((recorded.reverses_seq, recorded.entry.reverses()), (Some(1), Some(id(1))));
    assert_eq!(book.balance(&mut conn, &payable().key()).await.unwrap().unwrap().money().minor(), 0);
}

#[tokio::test]
async fn a_rolled_back_batch_leaves_nothing_not_even_its_accounts() {
    let db = TestDb::new().await;
    let book = Book::open(&db.pool, "main").await.unwrap();
    {
        let turn = book.turn().await;
        let mut tx = db.pool.begin().await.unwrap();
        book.post(&turn, &mut tx, now(), &[payment(1, 100)]).await.unwrap();
        tx.rollback().await.unwrap();
    }
    let mut conn = db.pool.acquire().await.unwrap();
    assert_eq!(book.balances(&mut conn).await.unwrap(), []);
    let outcomes = post(&db.pool, &book, &[payment(1, 70)]).await.unwrap();
    assert_eq!(seqs(&outcomes), [Some(1)]);
}

#[tokio::test]
async fn a_new_account_under_an_open_one_needs_no_second_batch() {
    let db = TestDb::new().await;
    let book = Book::open(&db.pool, "main").await.unwrap();
    post(&db.pool, &book, &[payment(1, 100)]).await.unwrap();
    let tax = support::account("hub/tax", mizan_ledger::Class::Liability, mizan_ledger::Currency::JOD);
    let lines = vec![Line::debit(receivable(), jod(9)), Line::credit(tax.clone(), jod(9))];
    let outcomes = post(&db.pool, &book, &[support::entry(2, lines)]).await.unwrap();
    assert_eq!(seqs(&outcomes), [Some(2)]);
    let mut conn = db.pool.acquire().await.unwrap();
    assert_eq!(book.balance(&mut conn, &tax.key()).await.unwrap().unwrap().lines_count, 1);
}
