//! Credits that their bank undoes: a debit marked as a reversal, under the reference of the credit or of the bill it paid.

use std::collections::BTreeMap;

use mizan_ledger::Money;

use crate::breaks::Category;
use crate::expectations::store::reading;
use crate::fault::Fault;
use crate::recon::matching::{Candidates, Line, Undone};
use crate::recon::store::{self, Credit, OpenLine};
use crate::suspense::{self, Item};
use crate::tx::Tx;

/// What the reversals among these lines undo, by line.
pub(super) async fn find(
    tx: &mut Tx,
    open: &[OpenLine],
    lines: &[Line],
    candidates: &Candidates,
) -> Result<BTreeMap<i64, Undone>, Fault> {
    let mut undone = BTreeMap::new();
    let undoing: Vec<&OpenLine> =
        open.iter().filter(|line| line.reversal && line.money.is_negative()).collect();
    if undoing.is_empty() {
        return Ok(undone);
    }
    let keys: Vec<String> = undoing.iter().filter_map(|line| key_of(line)).collect();
    let credits = store::find_credits(tx.conn(), &keys).await?;
    for line in undoing {
        let money = line.money.checked_neg()?;
        let fits =
            |credit: &&Credit| Some(&credit.money_key) == key_of(line).as_ref() && credit.money == money;
        let key = match credits.iter().find(fits) {
            Some(credit) if !credit.is_booked => {
                undone.insert(line.id, Undone::NotYet);
                continue;
            }
            Some(credit) => Some(credit.money_key.clone()),
            None => transferred(tx, lines.iter().find(|one| one.id == line.id), money, candidates).await?,
        };
        let what = match key {
            Some(key) => what(tx, key, money).await?,
            None => None,
        };
        undone.insert(line.id, what.unwrap_or(Undone::NotFound));
    }
    Ok(undone)
}

/// The money key of a credit that had this line's reference.
fn key_of(line: &OpenLine) -> Option<String> {
    line.bank_reference.as_ref().map(|reference| format!("bank:{}:{reference}", line.account))
}

/// The only transfer of this amount to the account for a bill that the line names.
async fn transferred(
    tx: &mut Tx,
    line: Option<&Line>,
    money: Money,
    candidates: &Candidates,
) -> Result<Option<String>, Fault> {
    let Some(line) = line else { return Ok(None) };
    let bills = line.named.structured.iter().filter_map(|bill| candidates.bills.get(bill));
    let intents: Vec<_> = bills.map(|bill| bill.intent).collect();
    let channel = candidates.transfers.get(&line.account);
    let mut taken = reading::find_taken(tx.conn(), &intents).await?;
    taken.retain(|one| Some(&one.channel) == channel && one.money == money);
    Ok(if let [only] = taken.as_slice() { Some(only.money_key.clone()) } else { None })
}

/// Where the money of a credit stands.
async fn what(tx: &mut Tx, key: String, money: Money) -> Result<Option<Undone>, Fault> {
    let item = suspense::store::lock_by_key(tx.conn(), &key).await?;
    let is_surplus = |item: &Item| item.cause == Category::AmountOver.as_str();
    if let Some(item) = item.clone().filter(|item| !is_surplus(item)) {
        return Ok(Some(if item.left == money { Undone::Item(item) } else { Undone::Spent(key) }));
    }
    let taken = reading::find_taken_by_keys(tx.conn(), &[key]).await?.pop();
    let surplus = item.filter(|item| item.left.is_positive());
    Ok(taken.map(|taken| Undone::Payment(taken, surplus)))
}
