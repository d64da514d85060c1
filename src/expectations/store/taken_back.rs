//! What channels took back of the money that they had brought.

use mizan_ledger::{Currency, Money, MoneyError};
use sqlx::PgConnection;

use crate::fault::Fault;

/// One time that it was told, or listed by a settlement.
#[derive(Debug, Clone)]
pub struct TakenBack {
    /// The notice that tells it.
    pub notice: i64,
    pub money_key: String,
    /// By a settlement.
    pub listed: bool,
    pub money: Money,
}

/// How much of some money is gone. A settlement lists again what was told: of the two sums the larger counts. What was
/// taken back in another currency than that of the money is the `whole` of it.
///
/// # Errors
/// When the sums are too large.
pub fn in_all<'a>(takings: impl Iterator<Item = &'a TakenBack>, whole: Money) -> Result<Money, MoneyError> {
    let nothing = Money::zero(whole.currency());
    let (mut told, mut listed) = (nothing, nothing);
    for taking in takings {
        if taking.money.currency() != whole.currency() {
            return Ok(whole);
        }
        let sum = if taking.listed { &mut listed } else { &mut told };
        *sum = sum.checked_add(taking.money)?;
    }
    Ok(if told.compare(listed)?.is_lt() { listed } else { told })
}

/// Writes takings as one statement; a notice that is applied once more tells nothing new.
pub async fn insert(conn: &mut PgConnection, takings: &[TakenBack]) -> Result<(), Fault> {
    if takings.is_empty() {
        return Ok(());
    }
    let each = || takings.iter();
    let notices: Vec<i64> = each().map(|one| one.notice).collect();
    let keys: Vec<&str> = each().map(|one| one.money_key.as_str()).collect();
    let listed: Vec<bool> = each().map(|one| one.listed).collect();
    let currencies: Vec<Currency> = each().map(|one| one.money.currency()).collect();
    let currencies: Vec<&str> = currencies.iter().map(Currency::code).collect();
    let amounts: Vec<i64> = each().map(|one| one.money.minor()).collect();
    sqlx::query!(
        "insert into money_taken_back (notice, money_key, listed, currency, amount_minor)
         select * from unnest($1::bigint[], $2::text[], $3::boolean[], $4::text[], $5::bigint[])
         on conflict (notice) do nothing",
        &notices,
        &keys as _,
        &listed,
        &currencies as _,
        &amounts,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The money of orders was told of: what was taken back of them is of it.
pub async fn update_key(conn: &mut PgConnection, renamed: &[(String, String)]) -> Result<(), Fault> {
    if renamed.is_empty() {
        return Ok(());
    }
    let (from, to): (Vec<String>, Vec<String>) = renamed.iter().cloned().unzip();
    sqlx::query!(
        "update money_taken_back set money_key = renamed.after
         from unnest($1::text[], $2::text[]) as renamed (before, after) where money_key = renamed.before",
        &from,
        &to,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Everything taken back under these keys, in the order in which it was told.
pub async fn find(conn: &mut PgConnection, keys: &[String]) -> Result<Vec<TakenBack>, Fault> {
    let rows = sqlx::query!(
        "select notice, money_key, listed, currency, amount_minor from money_taken_back
         where money_key = any($1) order by notice",
        keys,
    )
    .fetch_all(conn)
    .await?;
    let each = rows.into_iter().map(|row| {
        let currency: Currency =
            row.currency.parse().map_err(|_| Fault::corrupt("money_taken_back", "currency", row.notice))?;
        Ok(TakenBack {
            notice: row.notice,
            money_key: row.money_key,
            listed: row.listed,
            money: Money::new(row.amount_minor, currency),
        })
    });
    each.collect()
}
