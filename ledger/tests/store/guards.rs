//! What the database refuses by itself, tried in plain SQL as `mizan_app`: no rule hangs on the program alone.

use mizan_ledger::store::Head;
use mizan_ledger::{Book, chain};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::support::pg::TestDb;
use crate::support::{self, payment, post};

/// A book with three entries, as the cases below find it, an account in ILS and a closed one besides.
pub async fn small_book(db: &TestDb) -> (Book, Head) {
    let book = Book::open(&db.pool, "main").await.unwrap();
    for number in 1..=3 {
        assert!(post(&db.pool, &book, &[payment(number, 100)]).await.unwrap()[0].is_accepted());
    }
    let mut owner = db.superuser().await;
    sqlx::raw_sql(
        "select ledger.open_accounts(1, now(), '{bank/ils,bank/closed}', '{asset,asset}', '{ILS,JOD}',
           '{null,null}', '{null,null}', '{null,null}');
         update ledger.accounts set closed_at = now() where code = 'bank/closed'",
    )
    .execute(&mut owner)
    .await
    .unwrap();
    let mut conn = db.pool.acquire().await.unwrap();
    let head = book.head(&mut conn).await.unwrap();
    (book, head)
}

/// `:receivable`, `:payable`, `:fees` and `:ils` in the SQL of a case are the accounts; `:first` is the next entry.
pub async fn accounts(conn: &mut PgConnection, sql: &str, head: &Head) -> String {
    let mut sql = sql.replace(":first", &(head.seq + 1).to_string());
    for (name, code) in [
        (":receivable", "channel/bills/receivable"),
        (":payable", "agency/psi/payable"),
        (":fees", "hub/fees"),
        (":ils", "bank/ils"),
        (":closed", "bank/closed"),
    ] {
        let id = sqlx::query_scalar!("select id from ledger.accounts where code = $1", code)
            .fetch_one(&mut *conn)
            .await;
        sql = sql.replace(name, &id.unwrap().to_string());
    }
    sql
}

/// A batch row for `count` entries that the head accepts.
pub fn batch(head: &Head, count: i64) -> String {
    let (no, first, last) = (head.batch + 1, head.seq + 1, head.seq + count);
    let root = [7; 32];
    let hash = chain::batch_hash("main", no, first, last, &root, &head.hash);
    format!(
        "insert into ledger.batches values (1, {no}, {first}, {last}, '\\x{}', '\\x{}', '2026-03-16T00:00:00Z');",
        hex::encode(root),
        hex::encode(hash),
    )
}

pub const LINES: &str =
    "insert into ledger.lines (book_id, seq, line_no, effective_on, account_id, currency, amount_minor,
    account_seq, balance_after_minor) values ";
pub const ENTRIES: &str =
    "insert into ledger.entries (book_id, seq, recorded_at, reverses, id, period_id, effective_on,
    lines_count, kind, actor, source_ref, leaf, meta) values ";

/// Ten fils from the receivable to fees: both accounts have three lines.
pub const GOOD_LINES: &str = "(1, :first, 1, '2026-03-15', :receivable, 'JOD', 10, 4, 313),
    (1, :first, 2, '2026-03-15', :fees, 'JOD', -10, 4, -13)";
pub const GOOD_ENTRY: &str =
    "(1, :first, '2026-03-16T00:00:00Z', null, gen_random_uuid(), 1, '2026-03-15', 2, 'fee',
    'test', 'x', sha256(''), '{}')";

/// What came of the statements and the commit after them: the name of the broken rule or the SQL state.
async fn attempt(db: &TestDb, sql: &str) -> Result<(), String> {
    let mut conn = db.connect_as("mizan_app").await;
    let mut tx = conn.begin().await.unwrap();
    let told = |error: sqlx::Error| {
        let error = error.into_database_error().expect("an answer of the database");
        error.constraint().map_or_else(|| error.code().unwrap_or_default().into_owned(), str::to_owned)
    };
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut *tx).await.map_err(told)?;
    tx.commit().await.map_err(told)
}

#[tokio::test]
async fn the_application_is_no_superuser_and_owns_nothing() {
    let db = TestDb::new().await;
    let mut app = db.connect_as("mizan_app").await;
    let row = sqlx::query!(
        r#"select rolsuper as "rolsuper!", rolcreaterole as "rolcreaterole!", rolbypassrls as "rolbypassrls!",
             (select count(*) from pg_class where relowner = pg_roles.oid) as "owned!",
             pg_has_role('mizan_owner', 'member') as "is_owner!"
           from pg_roles where rolname = current_user"#
    )
    .fetch_one(&mut app)
    .await
    .unwrap();
    assert!(!row.rolsuper && !row.rolcreaterole && !row.rolbypassrls && !row.is_owner);
    assert_eq!(row.owned, 0);
}

#[tokio::test]
async fn a_batch_in_plain_sql_is_accepted_when_it_is_right() {
    let db = TestDb::new().await;
    let (book, head) = small_book(&db).await;
    let sql = format!("{} {LINES}{GOOD_LINES}; {ENTRIES}{GOOD_ENTRY}", batch(&head, 1));
    let mut conn = db.pool.acquire().await.unwrap();
    let sql = accounts(&mut conn, &sql, &head).await;
    assert_eq!(attempt(&db, &sql).await, Ok(()));
    assert_eq!(book.head(&mut conn).await.unwrap().seq, head.seq + 1);
    assert_eq!(book.balance(&mut conn, &support::fees().key()).await.unwrap().unwrap().money().minor(), 13);
}

#[tokio::test]
async fn every_rule_is_enforced_by_the_database() {
    let db = TestDb::new().await;
    let (_, head) = small_book(&db).await;
    let one = batch(&head, 1);
    let good = format!("{LINES}{GOOD_LINES};");
    let entry = format!("{ENTRIES}{GOOD_ENTRY};");
    let cases = [
        // Lines.
        (format!("{one} {LINES}{}", GOOD_LINES.replace("-10, 4, -13", "-9, 4, -12")), "lines_balanced_check"),
        (format!("{one} {LINES}{}", GOOD_LINES.replace("10, 4, 313", "0, 4, 303")), "lines_amount_check"),
        (format!("{one} {LINES}{}", GOOD_LINES.replace("313", "314")), "lines_running_balance_check"),
        (
            format!("{one} {LINES}{}", GOOD_LINES.replace("10, 4, 313", "10, 5, 313")),
            "lines_running_balance_check",
        ),
        (format!("{one} {LINES}{}", GOOD_LINES.replace(":first, 2", ":first, 3")), "lines_complete_check"),
        (
            format!(
                "{one} {LINES}{}",
                GOOD_LINES.replace(":fees, 'JOD', -10, 4, -13", ":ils, 'JOD', -10, 1, -10")
            ),
            "lines_currency_check",
        ),
        (
            format!(
                "{one} {LINES}{}",
                GOOD_LINES.replace(":fees, 'JOD', -10, 4, -13", "999, 'JOD', -10, 1, -10")
            ),
            "lines_account_check",
        ),
        (
            format!("{one} {LINES}{}", GOOD_LINES.replace(":fees, 'JOD', -10, 4, -13", ":closed, 'JOD', -10, 1, -10")),
            "lines_account_closed_check",
        ),
        (format!("{one} {LINES}{}", GOOD_LINES.replace("'JOD'", "'ILS'")), "lines_currency_check"),
        (
            format!(
                "{one} {LINES}(1, :first, 1, '2026-03-15', :payable, 'JOD', 301, 4, 1),
                 (1, :first, 2, '2026-03-15', :fees, 'JOD', -301, 4, -304)"
            ),
            "balances_floor_check",
        ),
        (
            format!(
                "{one} {LINES}(1, :first, 1, '2026-03-15', :receivable, 'JOD', 9223372036854775504, 4, 9223372036854775807),
                 (1, :first, 2, '2026-03-15', :receivable, 'JOD', -9223372036854775504, 5, 303),
                 (1, :first, 3, '2026-03-15', :receivable, 'JOD', 1, 6, 304),
                 (1, :first, 4, '2026-03-15', :fees, 'JOD', -1, 4, -4)"
            ),
            // The net stays small, the sum of debits leaves 64 bits: numeric value out of range.
            "22003",
        ),
        (format!("{good} {entry}"), "lines_batch_check"),
        (format!("{one} {LINES}{}", GOOD_LINES.replace(":first, 1", "2, 4").replace(":first, 2", "2, 5")), "lines_batch_check"),
        (format!("{one} {good} {LINES}{}", GOOD_LINES.replace("4, ", "5, ")), "lines_p0001_pkey"),
        // Entries.
        (format!("{one} {good}"), "batches_whole_check"),
        (one.clone(), "batches_whole_check"),
        (format!("{} {good} {entry}", batch(&head, 2)), "batches_whole_check"),
        (format!("{one} {entry}"), "batches_whole_check"),
        (
            format!("{one} {good} {}", entry.replace("'2026-03-15', 2", "'2026-03-15', 3")),
            "batches_whole_check",
        ),
        (
            format!("{one} {good} {}", entry.replace("'2026-03-15', 2", "'2026-03-14', 2")),
            "batches_whole_check",
        ),
        (
            format!("{one} {good} {}", entry.replace("'2026-03-15', 2", "'2026-03-15', 1")),
            "entries_lines_count_check",
        ),
        (
            format!("{one} {good} {}", entry.replace("'2026-03-16T00:00:00Z', null", "'2020-01-01', null")),
            "entries_effective_on_check",
        ),
        (
            format!(
                "{one} {good} {}",
                entry.replace("'2026-03-16T00:00:00Z', null", "'2026-03-15T00:00:00Z', null")
            ),
            "batches_whole_check",
        ),
        (
            format!("{one} {good} {}", entry.replace("1, '2026-03-15', 2", "1, '2026-04-15', 2")),
            "entries_effective_on_check",
        ),
        (
            format!("{one} {good} {}", entry.replace("1, '2026-03-15', 2", "1, '2026-02-15', 2")),
            "entries_period_check",
        ),
        (
            format!("{one} {good} {}", entry.replace("1, '2026-03-15', 2", "9, '2026-03-15', 2")),
            "entries_period_check",
        ),
        (format!("{one} {good} {}", entry.replace("Z', null", "Z', 1")), "entries_mirror_check"),
        (format!("{one} {good} {}", entry.replace("Z', null", "Z', 9")), "entries_reverses_check"),
        (
            format!(
                "{one} {good} {}",
                entry.replace("gen_random_uuid()", "'00000000-0000-0000-0000-000000000001'")
            ),
            "outcomes_entry_key",
        ),
        (format!("{one} {good} {entry} {}", entry.replace(":first", "99")), "entries_batch_check"),
        // Batches.
        (
            one.replace(&format!("values (1, {}", head.batch + 1), &format!("values (1, {}", head.batch + 2)),
            "batches_head_check",
        ),
        (
            one.replace(
                &hex::encode(chain::batch_hash(
                    "main",
                    head.batch + 1,
                    head.seq + 1,
                    head.seq + 1,
                    &[7; 32],
                    &head.hash,
                )),
                &"00".repeat(32),
            ),
            "batches_head_check",
        ),
        (batch(&Head { seq: head.seq + 1, ..head.clone() }, 1), "batches_head_check"),
        (one.replace("2026-03-16", "2026-03-14"), "batches_head_check"),
        (batch(&head, 513), "batches_size_check"),
        (batch(&head, 0), "batches_whole_check"),
        (
            "insert into ledger.book_events values (1, 2, 'limits', 'me', '{}')".to_owned(),
            "book_events_batch_check",
        ),
    ];
    let mut conn = db.pool.acquire().await.unwrap();
    for (sql, rule) in cases {
        let sql = accounts(&mut conn, &sql, &head).await;
        assert_eq!(attempt(&db, &sql).await, Err(rule.to_owned()), "{sql}");
    }
}

#[tokio::test]
async fn nothing_that_was_recorded_can_be_changed() {
    let db = TestDb::new().await;
    let (_, head) = small_book(&db).await;
    const DENIED: &str = "42501";
    for table in ["entries", "lines", "batches", "book_events", "outcomes", "reversals", "checkpoints"] {
        for change in ["delete from", "truncate"] {
            assert_eq!(
                attempt(&db, &format!("{change} ledger.{table}")).await,
                Err(DENIED.to_owned()),
                "{table}"
            );
        }
        assert_eq!(
            attempt(&db, &format!("update ledger.{table} set book_id = 1")).await,
            Err(DENIED.to_owned())
        );
    }
    for sql in [
        "update ledger.books set head_seq = 0",
        "update ledger.balances set debits_minor = 0",
        "update ledger.daily_totals set debits_minor = 0",
        "update ledger.periods set status = 'sealed'",
        "update ledger.accounts set closed_at = now()",
        "insert into ledger.accounts (book_id, code, class, currency, opened_at) values (1, 'a', 'asset', 'JOD', now())",
        "insert into ledger.balances (account_id, normal) values (1, 1)",
        "insert into ledger.reversals values (1, 1, 2)",
        "insert into ledger.daily_totals values (1, '2026-03-15', 0, 0, 0, 1, 1)",
        "insert into ledger.outcomes (entry_id, book_id, recorded_at, accepted, seq) values (gen_random_uuid(), 1, now(), true, 1)",
        "insert into ledger.lines_p0001 select * from ledger.lines",
        "update ledger.lines_p0001 set amount_minor = 1",
        "delete from ledger.entries_p0001",
        "truncate ledger.entries_p0001",
        "select * from ledger.lines_p0001",
        "update ledger.settings set partition_entries = 1",
        "select ledger.record_reversal(1, 1, 2)",
        "select ledger.change_period(1, '2026-03-01', 'closed')",
    ] {
        assert_eq!(attempt(&db, sql).await, Err(DENIED.to_owned()), "{sql}");
    }
    let mut conn = db.pool.acquire().await.unwrap();
    let book = Book::open(&db.pool, "main").await.unwrap();
    assert_eq!(book.head(&mut conn).await.unwrap(), head);
}

#[tokio::test]
async fn a_reversal_in_plain_sql_happens_once_and_never_of_a_reversal() {
    let db = TestDb::new().await;
    let (book, head) = small_book(&db).await;
    let mirror = "(1, :first, 1, '2026-03-15', :receivable, 'JOD', -101, 4, 202),
        (1, :first, 2, '2026-03-15', :payable, 'JOD', 100, 4, -200), (1, :first, 3, '2026-03-15', :fees, 'JOD', 1, 4, -2)";
    let entry = format!("{ENTRIES}{GOOD_ENTRY};")
        .replace("Z', null", "Z', 1")
        .replace("'2026-03-15', 2", "'2026-03-15', 3");
    let sql = format!("{} {LINES}{mirror}; {entry}", batch(&head, 1));
    let mut conn = db.pool.acquire().await.unwrap();
    assert_eq!(attempt(&db, &accounts(&mut conn, &sql, &head).await).await, Ok(()));

    let head = book.head(&mut conn).await.unwrap();
    let later = |sql: &str| sql.replace("2026-03-16T00:00", "2026-03-16T00:01");
    let again = mirror
        .replace("-101, 4, 202", "-101, 5, 101")
        .replace("100, 4, -200", "100, 5, -100")
        .replace("1, 4, -2)", "1, 5, -1)");
    let sql = later(&format!("{} {LINES}{again}; {entry}", batch(&head, 1)));
    let twice = attempt(&db, &accounts(&mut conn, &sql, &head).await).await;
    assert_eq!(twice, Err("reversals_original_key".to_owned()));

    let back = "(1, :first, 1, '2026-03-15', :receivable, 'JOD', 101, 5, 303),
        (1, :first, 2, '2026-03-15', :payable, 'JOD', -100, 5, -300), (1, :first, 3, '2026-03-15', :fees, 'JOD', -1, 5, -3)";
    let of_reversal = entry.replace("Z', 1", &format!("Z', {}", head.seq));
    let sql = later(&format!("{} {LINES}{back}; {of_reversal}", batch(&head, 1)));
    let refused = attempt(&db, &accounts(&mut conn, &sql, &head).await).await;
    assert_eq!(refused, Err("entries_reversal_check".to_owned()));
}
