//! Journals that independent programs accept. Where hledger or beancount are not installed, their part says so.

use std::process::{Command, Output};

use mizan_ledger::export::{Beancount, Hledger, Journal, Span, balances_csv, balances_json};
use mizan_ledger::{Account, Book, Class, Currency, Day, Entry, EntryDraft, Line, Money, ReversalDraft};

use crate::support::pg::TestDb;
use crate::support::{account, id, now, payable, payment, post, post_at, receivable};

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn march() -> Span {
    Span { from: day("2026-03-01"), to: day("2026-03-31") }
}

fn hostile(number: u128, on: &str, debit: Account, credit: Account, minor: i64) -> Entry {
    let money = Money::new(minor, debit.currency);
    let bad = "x;y  \"z\\\" [2020-01-01] date:2020-01-01, \u{202e}مثال 🧾 | = @ {1}";
    Entry::new(EntryDraft {
        id: id(number),
        kind: "payment_taken".to_owned(),
        effective_on: day(on),
        actor: bad.to_owned(),
        source_ref: bad.to_owned(),
        meta: serde_json::Map::from_iter([
            (bad.to_owned(), format!("{bad}\n2026-01-01 * evil\n    a  1\n").into()),
            ("n".to_owned(), (-1).into()),
        ]),
        lines: vec![Line::debit(debit, money), Line::credit(credit, money)],
    })
    .unwrap()
}

/// Every class, currencies of 0, 2, 3 and 4 decimals, text that would break a journal, a reversal, entries before
/// the span and one posted late into it.
async fn colourful_book(db: &TestDb) -> Book {
    let book = Book::open(&db.pool, "main").await.unwrap();
    let (jpy, ils, clf) = (Currency::JPY, Currency::ILS, "CLF".parse().unwrap());
    let entries = [
        hostile(
            1,
            "2026-02-10",
            account("bank/a", Class::Asset, ils),
            account("hub/fees", Class::Income, ils),
            1,
        ),
        hostile(
            2,
            "2026-03-01",
            account("bank/a", Class::Asset, jpy),
            account("own/funds", Class::Equity, jpy),
            1_234,
        ),
        hostile(
            3,
            "2026-03-02",
            account("hub/costs/x-1", Class::Expense, clf),
            account("hub/costs_payable", Class::Liability, clf),
            i64::MAX,
        ),
        hostile(
            4,
            "2026-03-02",
            account("agency/psi/waived", Class::Memo, ils),
            account("agency/psi/assessed", Class::Memo, ils),
            5,
        ),
        payment(5, 12_500),
        payment(6, 7),
    ];
    post(&db.pool, &book, &entries).await.unwrap();
    let draft = ReversalDraft {
        id: id(7),
        effective_on: day("2026-03-15"),
        actor: "user:officer".to_owned(),
        source_ref: "pi_6".to_owned(),
        reason: "taken\ntwice".to_owned(),
    };
    let late = hostile(8, "2026-03-03", receivable(), payable(), 40);
    let after = hostile(9, "2026-04-01", receivable(), payable(), 1);
    let entries = [Entry::reverse(&entries[5], draft).unwrap(), late, after];
    let outcomes = post_at(&db.pool, &book, "2026-04-01T08:00:00Z".parse().unwrap(), &entries).await.unwrap();
    assert!(outcomes.iter().all(mizan_ledger::Outcome::is_accepted));
    book
}

async fn journal(db: &TestDb, book: &Book, format: &dyn Journal, span: Span) -> String {
    let mut reader = db.connect_as("mizan_reader").await;
    let mut out = Vec::new();
    book.export(&mut reader, format, span, &mut out).await.unwrap();
    String::from_utf8(out).unwrap()
}

/// Runs a checker on a journal. None where it is not installed.
fn check(program: &str, arguments: &[&str], name: &str, journal: &str) -> Option<Output> {
    if Command::new(program).arg("--version").output().is_err() {
        eprintln!("{program} is not installed: its check of the export was left out");
        return None;
    }
    let file = format!("{}/{}-{name}", env!("CARGO_TARGET_TMPDIR"), std::process::id());
    std::fs::write(&file, journal).unwrap();
    let output = Command::new(program).args(arguments).arg(&file).env("LC_ALL", "C.UTF-8").output().unwrap();
    std::fs::remove_file(&file).unwrap();
    Some(output)
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.clone(), output.stderr.clone()].concat()).into_owned()
}

const HLEDGER_CHECK: [&str; 4] = ["check", "--strict", "ordereddates", "-f"];

#[tokio::test]
async fn hledger_accepts_the_journal_and_agrees_on_every_balance() {
    let db = TestDb::new().await;
    let book = colourful_book(&db).await;
    let journal = journal(&db, &book, &Hledger, march()).await;
    let Some(output) = check("hledger", &HLEDGER_CHECK, "march.journal", &journal) else { return };
    assert!(output.status.success(), "{}\n{journal}", told(&output));
    // Not for lack of looking: one digit more, and it complains.
    let wrong = journal.replacen("= 12.541 JOD", "= 12.542 JOD", 1);
    assert_ne!(wrong, journal);
    assert!(!check("hledger", &HLEDGER_CHECK, "wrong.journal", &wrong).unwrap().status.success());

    let arguments = ["bal", "-N", "--flat", "--layout=tidy", "--empty", "-O", "csv", "-f"];
    let balances = told(&check("hledger", &arguments, "bal.journal", &journal).unwrap());
    let mut conn = db.pool.acquire().await.unwrap();
    for row in book.balances_on(&mut conn, march().to).await.unwrap() {
        let net = Money::new(row.balance.net_minor(), row.account.currency);
        let name = row.account.code.as_str().replace('/', ":");
        let found = balances.lines().any(|line| {
            line.contains(&format!(":{name}\""))
                && line.contains(&format!("\"{}\"", row.account.currency))
                && line.contains(&format!("\"{}\"", net.amount()))
        });
        assert!(found || net.is_zero(), "{name} {net}\n{balances}");
    }
}

#[tokio::test]
async fn bean_check_accepts_the_journal_and_sees_one_last_digit() {
    let db = TestDb::new().await;
    let book = colourful_book(&db).await;
    let journal = journal(&db, &book, &Beancount, march()).await;
    let Some(output) = check("bean-check", &[], "march.beancount", &journal) else { return };
    assert!(output.status.success(), "{}\n{journal}", told(&output));
    let wrong = journal.replacen("12.541 ~ 0.000", "12.542 ~ 0.000", 1);
    assert_ne!(wrong, journal);
    assert!(!check("bean-check", &[], "wrong.beancount", &wrong).unwrap().status.success());
}

#[tokio::test]
async fn journals_of_following_spans_fit_together() {
    let db = TestDb::new().await;
    let book = colourful_book(&db).await;
    for (from, to, entries) in
        [("2026-02-01", "2026-02-28", 1), ("2026-03-01", "2026-03-31", 7), ("2026-04-01", "2026-04-30", 1)]
    {
        let span = Span { from: day(from), to: day(to) };
        let mut out = Vec::new();
        let mut conn = db.connect_as("mizan_reader").await;
        let exported = book.export(&mut conn, &Hledger, span, &mut out).await.unwrap();
        assert_eq!((exported.entries, exported.accounts), (entries, 11));
        let journal = String::from_utf8(out).unwrap();
        if let Some(output) = check("hledger", &HLEDGER_CHECK, from, &journal) {
            assert!(output.status.success(), "{}\n{journal}", told(&output));
        }
    }
}

#[tokio::test]
async fn the_journal_reads_as_documented() {
    let db = TestDb::new().await;
    let book = Book::open(&db.pool, "main").await.unwrap();
    post_at(&db.pool, &book, now(), &[payment(5, 12_500)]).await.unwrap();
    let span = Span { from: day("2026-03-15"), to: day("2026-03-15") };
    let hledger = "; Book main, entries effective 2026-03-15 to 2026-03-15.\n\
        decimal-mark .\n\n\
        commodity 1000.000 JOD\n\n\
        account liabilities:agency:psi:payable\n  ; code: agency/psi/payable\n  ; type: L\n  ; agency: psi\n\
        account assets:channel:bills:receivable\n  ; code: channel/bills/receivable\n  ; type: A\n\
        account income:hub:fees\n  ; code: hub/fees\n  ; type: R\n\n\
        2026-03-15 * (1) payment_taken\n\
        \u{20} ; entry: en_00000000000000000000000000000005\n\
        \u{20} ; source: pi_5\n\
        \u{20} ; actor: job%3Aposter\n\
        \u{20} ; recorded: 2026-03-15T09%3A00%3A00Z\n\
        \u{20} ; meta-note: مثال\n\
        \u{20}   assets:channel:bills:receivable  12.501 JOD\n\
        \u{20}   liabilities:agency:psi:payable  -12.500 JOD\n\
        \u{20}   income:hub:fees  -0.001 JOD\n\n\
        2026-03-15 * closing balances, asserted\n\
        \u{20}   liabilities:agency:psi:payable  0.000 JOD = -12.500 JOD\n\
        \u{20}   assets:channel:bills:receivable  0.000 JOD = 12.501 JOD\n\
        \u{20}   income:hub:fees  0.000 JOD = -0.001 JOD\n";
    assert_eq!(journal(&db, &book, &Hledger, span).await, hledger);
    let beancount = journal(&db, &book, &Beancount, span).await;
    assert!(beancount.contains("2026-03-14 open Liabilities:Agency:Psi:Payable JOD\n"), "{beancount}");
    assert!(beancount.contains("\n  Income:Hub:Fees  -0.001 JOD\n"), "{beancount}");
    assert!(beancount.ends_with("2026-03-16 balance Income:Hub:Fees  -0.001 ~ 0.000 JOD\n"), "{beancount}");
}

#[tokio::test]
async fn balances_are_written_as_decimal_text() {
    let db = TestDb::new().await;
    let book = Book::open(&db.pool, "main").await.unwrap();
    post(&db.pool, &book, &[payment(5, 12_500)]).await.unwrap();
    let rows = book.balances(&mut db.pool.acquire().await.unwrap()).await.unwrap();
    let (mut csv, mut json) = (Vec::new(), Vec::new());
    balances_csv(&mut csv, &rows).unwrap();
    let csv = String::from_utf8(csv).unwrap();
    assert!(csv.starts_with("account,class,currency,agency,debits,credits,balance\r\n"));
    assert!(csv.contains("agency/psi/payable,liability,JOD,psi,0.000,12.500,12.500\r\n"));
    balances_json(&mut json, "main", Some(day("2026-03-15")), &rows).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json["accounts"][1]["balance"], "12.501");
    assert_eq!(json["totals"][0]["balanced"], true);
    assert_eq!(json["as_of"], "2026-03-15");
}
