//! The checker: clean on what was posted, and it names what an intruder changed.

use mizan_ledger::store::{Change, Check, PeriodStatus, Report};
use mizan_ledger::{Book, Entry, ReversalDraft};
use sqlx::{AssertSqlSafe, Connection};

use crate::support::pg::TestDb;
use crate::support::{self, id, now, payable, payment, payout, post, post_at, today};

async fn verify(db: &TestDb, book: &Book) -> Report {
    let mut auditor = db.connect_as("mizan_auditor").await;
    book.verify(&mut auditor, &mut |_| ()).await.unwrap()
}

/// A book with entries, refusals, a reversal, a limit, a closed account and a closed period.
async fn busy_book(db: &TestDb) -> Book {
    let book = Book::open(&db.pool, "main").await.unwrap();
    let first: Vec<Entry> = (1..=20).map(|n| payment(n, 10 + i64::try_from(n).unwrap())).collect();
    post(&db.pool, &book, &first).await.unwrap();
    let draft = ReversalDraft {
        id: id(30),
        effective_on: today(),
        actor: "user:officer".to_owned(),
        source_ref: "pi_3".to_owned(),
        reason: "taken twice".to_owned(),
    };
    let reversal = Entry::reverse(&payment(3, 13), draft).unwrap();
    post(&db.pool, &book, &[reversal, payout(31, 100), payout(32, 100_000)]).await.unwrap();
    let turn = book.turn().await;
    let mut tx = db.pool.begin().await.unwrap();
    let limits = Change::Limits { account: payable().key(), floor_minor: Some(-50), ceiling_minor: None };
    book.change(&turn, &mut tx, now(), "user:treasurer", &limits).await.unwrap();
    tx.commit().await.unwrap();
    drop(turn);
    post(&db.pool, &book, &[payout(33, 300), payment(34, 5)]).await.unwrap();
    book
}

#[tokio::test]
async fn a_book_that_was_only_posted_to_is_clean() {
    let db = TestDb::new().await;
    let book = busy_book(&db).await;
    let report = verify(&db, &book).await;
    assert_eq!(report.differences, []);
    assert_eq!((report.entries, report.lines, report.refusals), (24, 70, 1));
    assert_eq!((report.batches, report.events, report.accounts), (4, 1, 4));
    assert_eq!(report.head.seq, 24);
}

#[tokio::test]
async fn progress_is_told_up_to_the_head() {
    let db = TestDb::new().await;
    let book = busy_book(&db).await;
    let mut conn = db.pool.acquire().await.unwrap();
    let mut last = None;
    book.verify(&mut conn, &mut |progress| last = Some(progress)).await.unwrap();
    assert_eq!(last.map(|progress| (progress.entries_done, progress.entries_total)), Some((24, 24)));
}

#[tokio::test]
async fn whatever_a_superuser_changes_is_found() {
    let db = TestDb::new().await;
    let book = busy_book(&db).await;
    let cases: &[(&str, &[Check])] = &[
        (
            "update ledger.entries set actor = 'someone else' where seq = 5",
            &[Check::Leaf, Check::Root, Check::Chain],
        ),
        ("update ledger.entries set meta = '{\"note\": \"x\"}' where seq = 5", &[Check::Leaf]),
        (
            "update ledger.entries set recorded_at = recorded_at - interval '1 day' where seq = 5",
            &[Check::RecordedAt, Check::Outcome, Check::Leaf],
        ),
        (
            "delete from ledger.entries where seq = 24",
            &[Check::Seq, Check::Head, Check::Outcome, Check::Lines],
        ),
        ("delete from ledger.entries where seq = 5", &[Check::Seq, Check::Lines, Check::Root]),
        ("update ledger.entries set leaf = sha256('') where seq = 7", &[Check::Leaf]),
        (
            "update ledger.lines set amount_minor = amount_minor + 1 where seq = 5 and line_no = 1",
            &[Check::ZeroSum, Check::Leaf, Check::RunningBalance, Check::Balance, Check::DailyTotals],
        ),
        (
            "update ledger.lines set balance_after_minor = 0 where seq = 5 and line_no = 2",
            &[Check::RunningBalance],
        ),
        ("update ledger.lines set account_seq = 99 where seq = 5 and line_no = 2", &[Check::RunningBalance]),
        ("update ledger.lines set currency = 'ILS' where seq = 5", &[Check::Account, Check::Leaf]),
        (
            "update ledger.lines set effective_on = effective_on - 1 where seq = 5",
            &[Check::Lines, Check::DailyTotals],
        ),
        ("delete from ledger.lines where seq = 5 and line_no = 3", &[Check::Lines, Check::ZeroSum]),
        ("update ledger.balances set debits_minor = debits_minor + 1 where version = 22", &[Check::Balance]),
        ("update ledger.balances set floor_minor = null where floor_minor = -50", &[Check::Limit]),
        (
            "update ledger.daily_totals set credits_minor = credits_minor + 1 where lines_count > 20",
            &[Check::DailyTotals],
        ),
        ("delete from ledger.daily_totals", &[Check::DailyTotals]),
        ("delete from ledger.outcomes where seq = 4", &[Check::Outcome]),
        ("update ledger.outcomes set seq = 6 where seq = 4", &[Check::Outcome]),
        ("delete from ledger.reversals", &[Check::Reversal]),
        ("update ledger.reversals set seq = 20", &[Check::Reversal]),
        ("update ledger.batches set hash = sha256('') where no = 2", &[Check::Chain]),
        ("update ledger.batches set root = sha256('') where no = 1", &[Check::Root]),
        ("delete from ledger.batches where no = 4", &[Check::Head, Check::Seq]),
        ("delete from ledger.batches where no = 2", &[Check::Batches, Check::Chain]),
        ("update ledger.book_events set body = '{}'", &[Check::Event, Check::Root]),
        ("update ledger.accounts set closed_at = now() where code = 'hub/fees'", &[Check::Account]),
        ("update ledger.accounts set code = 'hub/fee' where code = 'hub/fees'", &[Check::Leaf, Check::Root]),
        ("update ledger.periods set ends_on = '2026-03-02'", &[Check::Period]),
        ("update ledger.books set head_seq = head_seq - 1", &[Check::Head]),
        ("alter table ledger.lines disable trigger lines_inserted", &[Check::Guards]),
        ("alter table ledger.entries_p0001 disable trigger entries_p0001_parent_only", &[Check::Guards]),
        ("drop trigger batches_whole on ledger.batches", &[Check::Guards]),
        (
            "insert into ledger.checkpoints values (1, 2, 20, sha256('false'), now(), 'key', sha512('x'))",
            &[Check::Checkpoint],
        ),
    ];
    let mut intruder = db.superuser().await;
    for (change, expected) in cases {
        let mut tx = intruder.begin().await.unwrap();
        // Without triggers, as only a superuser can.
        let sql = format!("set local session_replication_role = replica; {change}");
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *tx).await.unwrap();
        let report = book.verify_within(&mut tx, &mut |_| ()).await.unwrap();
        tx.rollback().await.unwrap();
        for check in *expected {
            assert!(
                report.differences.iter().any(|difference| difference.check == *check),
                "{change}: no {check:?} among {:#?}",
                report.differences
            );
        }
    }
}

#[tokio::test]
async fn a_closed_period_takes_no_entries_and_reopens_in_order() {
    let db = TestDb::new().await;
    let book = busy_book(&db).await;
    let to = |starts_on: &str, status| {
        let (book, pool, starts_on) = (book.clone(), db.pool.clone(), starts_on.parse().unwrap());
        async move {
            let turn = book.turn().await;
            let mut tx = pool.begin().await.unwrap();
            let changed = book
                .change(&turn, &mut tx, now(), "user:treasurer", &Change::Period { starts_on, status })
                .await;
            if changed.is_ok() {
                tx.commit().await.unwrap();
            }
            changed.map(|_| ()).map_err(|error| error.to_string())
        }
    };
    let in_order = Err("periods close in order and reopen in the opposite one".to_owned());
    let april = "2026-04-02T08:00:00Z".parse().unwrap();
    let in_april = support::entry_on(50, "2026-04-01".parse().unwrap(), payment(50, 5).lines().to_vec());
    assert!(post_at(&db.pool, &book, april, &[in_april]).await.unwrap()[0].is_accepted());
    assert_eq!(to("2026-04-01", PeriodStatus::SoftClosed).await, in_order);
    assert!(to("2026-03-01", PeriodStatus::Closed).await.is_err(), "open first becomes soft closed");
    assert_eq!(to("2026-03-01", PeriodStatus::SoftClosed).await, Ok(()));
    assert_eq!(to("2026-03-01", PeriodStatus::Closed).await, Ok(()));
    let outcomes = post_at(&db.pool, &book, april, &[payment(51, 5)]).await.unwrap();
    assert!(matches!(outcomes[0].refusal(), Some(mizan_ledger::Refusal::PeriodNotOpen { .. })));
    // No month may be opened before one that is closed.
    let february = support::entry_on(52, "2026-02-01".parse().unwrap(), payment(52, 5).lines().to_vec());
    let outcomes = post_at(&db.pool, &book, april, &[february]).await.unwrap();
    assert!(matches!(outcomes[0].refusal(), Some(mizan_ledger::Refusal::PeriodNotOpen { .. })));
    assert_eq!(to("2026-03-01", PeriodStatus::SoftClosed).await, Ok(()));
    assert_eq!(to("2026-03-01", PeriodStatus::Open).await, Ok(()));
    assert!(post_at(&db.pool, &book, april, &[payment(53, 5)]).await.unwrap()[0].is_accepted());
    assert_eq!(verify(&db, &book).await.differences, []);
}
