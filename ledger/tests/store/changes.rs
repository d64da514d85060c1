//! Limits, closing of accounts and periods: what a change does, and what refuses it.

use mizan_ledger::store::{Change, ChangeError, PeriodStatus};
use mizan_ledger::{Book, BookError, Class, Currency, Line, Refusal};

use crate::support::pg::TestDb;
use crate::support::{account, entry, entry_on, fees, jod, now, payable, payment, payout, post, receivable};

async fn change(db: &TestDb, book: &Book, change: &Change) -> Result<(), ChangeError> {
    let turn = book.turn().await;
    let mut tx = db.pool.begin().await.unwrap();
    book.change(&turn, &mut tx, now(), "user:treasurer", change).await?;
    tx.commit().await.unwrap();
    Ok(())
}

async fn paid_book(db: &TestDb) -> Book {
    let book = Book::open(&db.pool, "main").await.unwrap();
    post(&db.pool, &book, &[payment(1, 100)]).await.unwrap();
    book
}

#[tokio::test]
async fn a_new_limit_binds_from_its_event_on() {
    let db = TestDb::new().await;
    let book = paid_book(&db).await;
    assert!(!post(&db.pool, &book, &[payout(2, 150)]).await.unwrap()[0].is_accepted());
    let limits =
        |floor_minor, ceiling_minor| Change::Limits { account: payable().key(), floor_minor, ceiling_minor };
    change(&db, &book, &limits(Some(-50), Some(200))).await.unwrap();
    assert!(post(&db.pool, &book, &[payout(3, 150)]).await.unwrap()[0].is_accepted());
    let over = post(&db.pool, &book, &[payment(4, 251)]).await.unwrap();
    assert!(matches!(
        over[0].refusal(),
        Some(Refusal::AboveCeiling { balance_minor: 201, ceiling_minor: 200, .. })
    ));
    // The balance is 50 below zero now.
    assert!(matches!(change(&db, &book, &limits(Some(-49), None)).await, Err(ChangeError::BeyondLimit)));
    let unknown = Change::Limits {
        account: account("no/such", Class::Asset, Currency::JOD).key(),
        floor_minor: None,
        ceiling_minor: None,
    };
    assert!(matches!(change(&db, &book, &unknown).await, Err(ChangeError::NoSuchAccount)));
}

#[tokio::test]
async fn a_closed_account_takes_no_entry_until_it_is_reopened() {
    let db = TestDb::new().await;
    let book = paid_book(&db).await;
    let close = Change::CloseAccount { account: payable().key() };
    assert!(
        matches!(change(&db, &book, &close).await, Err(ChangeError::NotAtZero)),
        "accounts_closed_at_zero_check"
    );
    post(&db.pool, &book, &[payout(2, 100)]).await.unwrap();
    change(&db, &book, &close).await.unwrap();
    assert!(matches!(change(&db, &book, &close).await, Err(ChangeError::NoSuchChange)));
    let outcome = post(&db.pool, &book, &[payment(3, 5)]).await.unwrap().remove(0);
    assert_eq!(outcome.refusal(), Some(&Refusal::AccountClosed { account: payable().key() }));
    change(&db, &book, &Change::ReopenAccount { account: payable().key() }).await.unwrap();
    assert!(post(&db.pool, &book, &[payment(5, 5)]).await.unwrap()[0].is_accepted());
    let report = book.verify(&mut db.pool.acquire().await.unwrap(), &mut |_| ()).await.unwrap();
    assert_eq!((report.differences, report.events), (vec![], 2));
}

#[tokio::test]
async fn a_period_changes_step_by_step() {
    let db = TestDb::new().await;
    let book = paid_book(&db).await;
    let to = |status| Change::Period { starts_on: "2026-03-01".parse().unwrap(), status };
    // book_events_change_check, book_events_account_check and periods_order_check are behind these.
    for illegal in [PeriodStatus::Open, PeriodStatus::Closed, PeriodStatus::Sealed] {
        assert!(matches!(change(&db, &book, &to(illegal)).await, Err(ChangeError::NoSuchChange)));
    }
    for step in [PeriodStatus::SoftClosed, PeriodStatus::Closed, PeriodStatus::Sealed] {
        change(&db, &book, &to(step)).await.unwrap();
    }
    assert!(matches!(
        change(&db, &book, &to(PeriodStatus::SoftClosed)).await,
        Err(ChangeError::NoSuchChange)
    ));
    let none = Change::Period { starts_on: "2026-03-02".parse().unwrap(), status: PeriodStatus::SoftClosed };
    assert!(matches!(change(&db, &book, &none).await, Err(ChangeError::NoSuchChange)));
}

#[tokio::test]
async fn an_account_keeps_the_class_and_agency_it_was_opened_with() {
    let db = TestDb::new().await;
    let book = paid_book(&db).await;
    let asset = account("agency/psi/payable", Class::Asset, Currency::JOD).of_agency("psi");
    let nobodys = account("agency/psi/payable", Class::Liability, Currency::JOD);
    for (changed, number) in [(asset, 2), (nobodys, 3)] {
        let lines = vec![Line::debit(changed, jod(5)), Line::credit(fees(), jod(5))];
        // The whole batch falls: it is a mistake of the chart, not of an entry.
        let refused = post(&db.pool, &book, &[payment(number + 10, 1), entry(number, lines)]).await;
        assert!(matches!(refused, Err(BookError::AccountMismatch { .. })), "{refused:?}");
    }
    assert_eq!(book.head(&mut db.pool.acquire().await.unwrap()).await.unwrap().seq, 1);
}

#[tokio::test]
async fn a_batch_has_bounds() {
    let db = TestDb::new().await;
    let book = paid_book(&db).await;
    let many: Vec<_> = (10..523).map(|number| payment(number, 1)).collect();
    assert!(matches!(
        post(&db.pool, &book, &many).await,
        Err(BookError::BatchTooLarge { entries: 513, lines: 1_539 })
    ));
    let wide = |number| {
        entry(
            number,
            (0..500)
                .flat_map(|_| [Line::debit(receivable(), jod(1)), Line::credit(fees(), jod(1))])
                .collect(),
        )
    };
    let three: Vec<_> = [1, 2, 3].map(|number| wide(600 + number)).into();
    assert!(matches!(
        post(&db.pool, &book, &three).await,
        Err(BookError::BatchTooLarge { entries: 3, lines: 3_000 })
    ));
    assert!(post(&db.pool, &book, &three[..2]).await.unwrap().iter().all(mizan_ledger::Outcome::is_accepted));
    assert_eq!(post(&db.pool, &book, &many[..512]).await.unwrap().len(), 512);
    assert_eq!(post(&db.pool, &book, &[]).await.unwrap(), []);
}

#[tokio::test]
async fn a_hole_between_periods_is_told_apart_from_a_closed_one() {
    let db = TestDb::new().await;
    let book = paid_book(&db).await;
    let tens =
        "insert into ledger.periods (book_id, starts_on, ends_on) values (1, '2026-02-01', '2026-02-10')";
    sqlx::raw_sql(tens).execute(&db.pool).await.unwrap();
    let lines = payment(2, 5).lines().to_vec();
    let inside = entry_on(2, "2026-02-10".parse().unwrap(), lines.clone());
    assert!(post(&db.pool, &book, &[inside]).await.unwrap()[0].is_accepted());
    let hole = post(&db.pool, &book, &[entry_on(3, "2026-02-11".parse().unwrap(), lines)]).await;
    assert!(matches!(hole, Err(BookError::NoPeriod { .. })), "{hole:?}");
}
