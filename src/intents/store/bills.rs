use mizan_ledger::{Currency, Id, Money};
use sqlx::PgConnection;

use crate::fault::Fault;
use crate::ids::IntentId;

/// What is asked for and what is left to pay on a bill.
#[derive(Debug, Clone)]
pub struct BillDue {
    pub bill_number: String,
    pub intent: IntentId,
    pub amount: Money,
    pub paid: Money,
}

/// The bills of ours among these numbers.
pub async fn find_bills(conn: &mut PgConnection, bill_numbers: &[String]) -> Result<Vec<BillDue>, Fault> {
    let rows = sqlx::query!(
        "select id, bill_number, currency, amount_minor, paid_minor from payment_intents where bill_number = any($1)",
        bill_numbers,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let currency: Currency =
                row.currency.parse().map_err(|_| Fault::corrupt("payment_intents", "currency", row.id))?;
            Ok(BillDue {
                bill_number: row.bill_number,
                intent: IntentId::from_uuid(row.id),
                amount: Money::new(row.amount_minor, currency),
                paid: Money::new(row.paid_minor, currency),
            })
        })
        .collect()
}
