//! What came from outside, and what was asked, signed or sent: the hub's own role cannot write it anew.

use sqlx::AssertSqlSafe;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_stands_as_it_was_written() {
    let world = World::new().await;
    for (table, column) in [
        ("notices", "raw"),
        ("notices", "amount_minor"),
        ("statement_files", "bytes"),
        ("statements", "closing_minor"),
        ("statement_lines", "amount_minor"),
        ("settlements", "net_minor"),
        ("settlement_items", "gross_minor"),
        ("payment_files", "bytes"),
        ("quotes", "body"),
        ("receipts", "body"),
        ("refunds", "amount_minor"),
        ("refund_attempts", "reference"),
        ("suspense_items", "amount_minor"),
    ] {
        for change in [format!("update {table} set {column} = {column}"), format!("delete from {table}")] {
            let done = sqlx::raw_sql(AssertSqlSafe(change.clone())).execute(&world.app.pool).await;
            let refused = done.expect_err(&change).to_string();
            assert!(refused.contains(&format!("permission denied for table {table}")), "{change}: {refused}");
        }
    }
}
