use mizan_ledger::Money;

use super::model::{NewReceipt, Receipt, body, number, series};
use super::store;
use crate::fault::Fault;
use crate::tx::Tx;

pub use super::store::{find, find_by_code, update_credited};

/// Issues receipts with consecutive numbers. Call it after the posting: the series is the last thing locked.
pub async fn issue(tx: &mut Tx, new: &[NewReceipt]) -> Result<Vec<Receipt>, Fault> {
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let issued_at = tx.now();
    let hub = tx.hub().clone();
    let series = series(issued_at, &hub.config.zone);
    let count = i64::try_from(new.len()).unwrap_or(i64::MAX);
    let last = store::update_series(tx.conn(), &series, count).await?;
    let receipts: Vec<Receipt> = new
        .iter()
        .zip(last - count + 1..)
        .map(|(new, serial)| {
            let number = number(&series, serial);
            let code = hub.entropy.token::<12>();
            let body = body(new, &number, &code, issued_at);
            Receipt {
                intent: new.intent,
                state: "issued".to_owned(),
                amount: new.amount,
                credited: Money::zero(new.amount.currency()),
                reversed: Money::zero(new.amount.currency()),
                key_id: hub.keys.key_id().to_owned(),
                signature: hub.keys.sign(body.as_bytes()),
                number,
                code,
                body,
                issued_at,
            }
        })
        .collect();
    store::insert(tx.conn(), &receipts).await?;
    Ok(receipts)
}
