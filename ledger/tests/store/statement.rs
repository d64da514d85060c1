//! Statements and balances at a point, by effective date and by the time of recording.

use mizan_ledger::store::StatementError;
use mizan_ledger::{Book, Class, Currency, Day, Instant};

use crate::support::pg::TestDb;
use crate::support::{account, entry_on, payable, payment, post_at};

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

/// Entries of three days, the last posted late for the first day.
async fn three_days(db: &TestDb) -> (Book, Vec<Instant>) {
    let book = Book::open(&db.pool, "main").await.unwrap();
    let mut recorded = Vec::new();
    for (number, effective_on, minor, at) in [
        (1, "2026-03-10", 100, "2026-03-10T10:00:00Z"),
        (2, "2026-03-11", 20, "2026-03-11T10:00:00Z"),
        (3, "2026-04-02", 3, "2026-04-02T10:00:00Z"),
        (4, "2026-03-10", 7, "2026-04-03T10:00:00Z"),
    ] {
        let lines = payment(number, minor).lines().to_vec();
        let outcomes =
            post_at(&db.pool, &book, at.parse().unwrap(), &[entry_on(number, day(effective_on), lines)])
                .await;
        assert!(outcomes.unwrap()[0].is_accepted());
        recorded.push(at.parse().unwrap());
    }
    (book, recorded)
}

#[tokio::test]
async fn a_late_line_stands_on_its_day() {
    let db = TestDb::new().await;
    let (book, _) = three_days(&db).await;
    let mut conn = db.pool.acquire().await.unwrap();
    let key = payable().key();
    let march = book.statement(&mut conn, &key, day("2026-03-01"), day("2026-03-31")).await.unwrap();
    let seqs: Vec<i64> = march.lines.iter().map(|line| line.seq).collect();
    assert_eq!(seqs, [1, 4, 2]);
    assert_eq!((march.opening.net_minor(), march.closing.net_minor()), (0, -127));
    assert_eq!(march.lines[1].source_ref, "pi_4");
    let april = book.statement(&mut conn, &key, day("2026-04-01"), day("2026-04-30")).await.unwrap();
    assert_eq!((april.opening, april.lines.len(), april.closing.net_minor()), (march.closing, 1, -130));
    assert_eq!(book.balance_on(&mut conn, &key, day("2026-03-10")).await.unwrap().net_minor(), -107);
    assert_eq!(book.balance_on(&mut conn, &key, day("2026-03-09")).await.unwrap().net_minor(), 0);
    let nothing = book.statement(&mut conn, &key, day("2026-05-01"), day("2026-05-31")).await.unwrap();
    assert_eq!((nothing.lines.len(), nothing.closing), (0, april.closing));
}

#[tokio::test]
async fn the_balance_at_an_instant_knows_nothing_of_later_posts() {
    let db = TestDb::new().await;
    let (book, recorded) = three_days(&db).await;
    let mut conn = db.pool.acquire().await.unwrap();
    let key = payable().key();
    for (at, expected) in recorded.iter().zip([-100, -120, -123, -130]) {
        assert_eq!(book.balance_at(&mut conn, &key, *at).await.unwrap(), expected);
        let before = if expected == -100 {
            0
        } else {
            book.balance_at(&mut conn, &key, at.plus_seconds(-1)).await.unwrap()
        };
        assert!(before > expected);
    }
    // Inside a batch the entries are a microsecond apart.
    let at: Instant = "2026-04-04T10:00:00Z".parse().unwrap();
    post_at(&db.pool, &book, at, &[payment(5, 1), payment(6, 1), payment(7, 1)]).await.unwrap();
    for (micros, expected) in [(0, -131), (1, -132), (2, -133), (3, -133)] {
        let at = Instant::from_micros(at.micros() + micros).unwrap();
        assert_eq!(book.balance_at(&mut conn, &key, at).await.unwrap(), expected);
    }
}

#[tokio::test]
async fn lines_come_in_the_order_of_recording_with_the_balance_after_each() {
    let db = TestDb::new().await;
    let (book, _) = three_days(&db).await;
    let mut conn = db.pool.acquire().await.unwrap();
    let first = book.account_lines(&mut conn, &payable().key(), 0, 3).await.unwrap();
    let after: Vec<(i64, i64)> =
        first.iter().map(|line| (line.account_seq, line.balance_after_minor)).collect();
    assert_eq!(after, [(1, -100), (2, -120), (3, -123)]);
    let rest = book.account_lines(&mut conn, &payable().key(), first[2].seq, 3).await.unwrap();
    assert_eq!((rest.len(), rest[0].balance_after_minor), (1, -130));
}

#[tokio::test]
async fn balances_on_a_day_sum_to_zero() {
    let db = TestDb::new().await;
    let (book, _) = three_days(&db).await;
    let mut conn = db.pool.acquire().await.unwrap();
    for (text, expected) in [("2026-03-09", 0), ("2026-03-10", 107), ("2026-04-02", 130)] {
        let rows = book.balances_on(&mut conn, day(text)).await.unwrap();
        let totals = mizan_ledger::balance::trial_balance(&rows);
        assert!(totals[&Currency::JOD].is_balanced());
        let payable = rows.iter().find(|row| row.account == payable().key()).unwrap();
        assert_eq!(payable.money().minor(), expected, "{text}");
    }
}

#[tokio::test]
async fn an_account_that_was_never_opened_has_no_statement() {
    let db = TestDb::new().await;
    let (book, _) = three_days(&db).await;
    let mut conn = db.pool.acquire().await.unwrap();
    let unknown = account("bank/none", Class::Asset, Currency::JOD).key();
    let asked = book.statement(&mut conn, &unknown, day("2026-03-01"), day("2026-03-31")).await;
    assert!(matches!(asked, Err(StatementError::NoSuchAccount)));
    assert_eq!(book.balance(&mut conn, &unknown).await.unwrap(), None);
}
