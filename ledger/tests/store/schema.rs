//! The rules of the schema hold for its owner too, and none of them is without a test.

use sqlx::{AssertSqlSafe, Connection};

use super::guards::{ENTRIES, GOOD_ENTRY, GOOD_LINES, LINES, accounts, batch, small_book};
use crate::support::pg::TestDb;

#[tokio::test]
async fn the_owner_cannot_change_what_was_recorded() {
    let db = TestDb::new().await;
    small_book(&db).await;
    let append_only = ["entries", "lines", "batches", "book_events", "outcomes", "reversals", "checkpoints"];
    let kept = ["books", "periods", "accounts", "balances", "daily_totals"];
    let partitions = ["entries_p0001", "lines_p0001"];
    let mut cases = Vec::new();
    for table in append_only.iter().chain(&kept).chain(&partitions) {
        let rule = if partitions.contains(table) { "parent_only" } else { "append_only" };
        cases.push((format!("delete from ledger.{table}"), format!("{table}_{rule}_check")));
        cases.push((format!("truncate ledger.{table} cascade"), format!("{table}_{rule}_check")));
        if !kept.contains(table) {
            cases.push((format!("update ledger.{table} set book_id = 1"), format!("{table}_{rule}_check")));
        }
    }
    for table in partitions {
        let parent = table.trim_end_matches("_p0001");
        let insert = format!("insert into ledger.{table} select * from ledger.{parent}");
        cases.push((insert, format!("{table}_parent_only_check")));
    }
    let mut owner = db.superuser().await;
    for (sql, rule) in cases {
        let mut tx = owner.begin().await.unwrap();
        sqlx::raw_sql("set local role mizan_owner").execute(&mut *tx).await.unwrap();
        let error = sqlx::raw_sql(AssertSqlSafe(sql.clone())).execute(&mut *tx).await.unwrap_err();
        assert_eq!(
            error.as_database_error().and_then(|error| error.constraint()),
            Some(rule.as_str()),
            "{sql}"
        );
        tx.rollback().await.unwrap();
    }
}

/// What the owner would be refused: rules on rows that `mizan_app` has no right to write at all.
#[tokio::test]
async fn every_rule_holds_for_the_owner_too() {
    let db = TestDb::new().await;
    let (_, head) = small_book(&db).await;
    let event = "insert into ledger.book_events values (1, 4, 'limits', 'me', '{}')";
    let account = "insert into ledger.accounts (book_id, code, class, currency, opened_at) values";
    let period = "insert into ledger.periods (book_id, starts_on, ends_on, status) values";
    let outcome = "insert into ledger.outcomes (entry_id, book_id, recorded_at, accepted, refusal) values";
    let entry = format!("{} {LINES}{GOOD_LINES}; {ENTRIES}{GOOD_ENTRY}", batch(&head, 1));
    let cases = [
        ("insert into ledger.currencies values ('jod', 3)", "currencies_code_check"),
        ("insert into ledger.currencies values ('JOD', 3)", "currencies_code_key"),
        ("insert into ledger.currencies values ('XXX', 5)", "currencies_exponent_check"),
        ("update ledger.currencies set cash_step_minor = 0", "currencies_cash_step_check"),
        ("insert into ledger.books (name) values ('Main Book')", "books_name_check"),
        ("insert into ledger.books (name) values ('main')", "books_name_key"),
        ("update ledger.books set head_hash = ''", "books_head_hash_check"),
        (&format!("{period} (1, '2026-05-02', '2026-05-01', 'open')"), "periods_span_check"),
        (&format!("{period} (1, '2026-03-31', '2026-04-30', 'open')"), "periods_overlap_check"),
        (&format!("{period} (9, '2026-04-01', '2026-04-30', 'open')"), "periods_book_fk"),
        (&format!("{period} (1, '2026-04-01', '2026-04-30', 'shut')"), "periods_status_check"),
        (&format!("{period} (1, '2026-04-01', '2026-04-30', 'closed')"), "periods_order_check"),
        (&format!("{account} (1, 'A b', 'asset', 'JOD', now())"), "accounts_code_check"),
        (&format!("{account} (1, 'a__b', 'asset', 'JOD', now())"), "accounts_code_check"),
        (&format!("{account} (1, 'a', 'thing', 'JOD', now())"), "accounts_class_check"),
        (&format!("{account} (1, 'a', 'asset', 'XYZ', now())"), "accounts_currency_fk"),
        (&format!("{account} (9, 'a', 'asset', 'JOD', now())"), "accounts_book_fk"),
        (&format!("{account} (1, 'hub/fees', 'income', 'JOD', now())"), "accounts_code_key"),
        ("insert into ledger.balances (account_id, normal) values (99, 1)", "balances_account_fk"),
        ("insert into ledger.balances (account_id, normal) values (:fees, 1)", "balances_account_key"),
        ("update ledger.balances set debits_minor = -1", "balances_minor_check"),
        ("update ledger.balances set normal = 0", "balances_normal_check"),
        ("update ledger.balances set floor_minor = 1000", "balances_floor_check"),
        ("update ledger.balances set ceiling_minor = -1000", "balances_ceiling_check"),
        (&format!("{outcome} (gen_random_uuid(), 1, now(), true, null)"), "outcomes_kind_check"),
        (&format!("{outcome} (gen_random_uuid(), 1, now(), false, '{{}}')"), "outcomes_kind_check"),
        (&batch(&head, 1).replace("'\\x07", "'\\x"), "batches_hash_check"),
        (&event.replace("limits", "other"), "book_events_kind_check"),
        (&event.replace("'me'", "''"), "book_events_text_check"),
        (&entry.replace("'fee'", "''"), "entries_text_check"),
        (&entry.replace("'fee'", "repeat('x', 41)"), "entries_text_check"),
        (&entry.replace("sha256('')", "''"), "entries_leaf_check"),
        ("update ledger.settings set partition_entries = 0", "settings_partition_entries_check"),
        ("insert into ledger.settings values (false)", "settings_only_row_check"),
        ("insert into ledger.settings values (true)", "settings_only_row_key"),
        ("select ledger.extend(9000000000000000000)", "partitions_ahead_check"),
        (
            "insert into ledger.checkpoints values (1, 99, 1, '', now(), 'k', sha512(''))",
            "checkpoints_batch_fk",
        ),
        (
            "insert into ledger.checkpoints values (1, 1, 1, '', now(), 'k', '')",
            "checkpoints_signature_check",
        ),
    ];
    let mut owner = db.superuser().await;
    let mut conn = db.pool.acquire().await.unwrap();
    for (sql, rule) in cases {
        let sql = accounts(&mut conn, sql, &head).await;
        let mut tx = owner.begin().await.unwrap();
        let error = sqlx::raw_sql(AssertSqlSafe(sql.clone())).execute(&mut *tx).await.unwrap_err();
        assert_eq!(
            error.as_database_error().and_then(|error| error.constraint()),
            Some(rule),
            "{sql}: {error}"
        );
        tx.rollback().await.unwrap();
    }
}

#[tokio::test]
async fn no_rule_of_the_schema_is_without_a_test() {
    let db = TestDb::new().await;
    let rules = sqlx::query_scalar!(
        r#"select conname::text as "rule!" from pg_constraint
           where connamespace = 'ledger'::regnamespace and contype in ('c', 'x') and conname !~ '_p\d+_'
           union
           select (regexp_matches(prosrc, 'refuse\(''([a-z_]+)''', 'g'))[1] from pg_proc
           where pronamespace = 'ledger'::regnamespace order by 1"#
    )
    .fetch_all(&db.pool)
    .await
    .unwrap();
    assert!(rules.len() > 40, "{rules:?}");
    let tests = [include_str!("guards.rs"), include_str!("schema.rs"), include_str!("changes.rs")].concat();
    let untested: Vec<&String> = rules.iter().filter(|rule| !tests.contains(rule.as_str())).collect();
    assert!(untested.is_empty(), "{untested:?}");
}

#[tokio::test]
async fn the_database_knows_the_currencies_of_the_crate() {
    let db = TestDb::new().await;
    let rows =
        sqlx::query!("select code, exponent from ledger.currencies").fetch_all(&db.pool).await.unwrap();
    for row in &rows {
        let currency: mizan_ledger::Currency = row.code.parse().unwrap();
        assert_eq!(i16::from(currency.exponent()), row.exponent, "{currency}");
    }
    assert_eq!(rows.len(), mizan_ledger::Currency::all().count());
}
