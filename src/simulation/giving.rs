//! The laws of giving back: what the outside knows that it gave, held against what it was brought. Of the hub's own
//! rows only names are taken: which refund a reference belongs to, and which payment a refund or an order.

use std::collections::BTreeMap;

use mizan_ledger::Currency;
use sqlx::PgConnection;

use super::life::Life;
use super::outside::Given;
use super::store::{self, Named};
use crate::fault::Fault;

/// What was given back of one refund.
struct Of<'a> {
    named: &'a Named,
    given: Vec<Given>,
}

/// Refunds given twice, and payments of which more was given back than they brought. What its rail had told of as failed,
/// and as carried out only after the next instruction had left, is the rail's own loss.
pub(super) async fn against(life: &Life, conn: &mut PgConnection) -> Result<[Vec<String>; 2], Fault> {
    let names = store::find_refund_names(conn).await?;
    let (given, brought) = {
        let world = life.stage.outside.world();
        (world.given(), world.brought())
    };
    let mut refunds: Vec<Of<'_>> = names.iter().map(|named| Of { named, given: Vec::new() }).collect();
    let mut nobodys = Vec::new();
    for one in given {
        let stem = one.reference.split('-').next().unwrap_or(&one.reference);
        let known = refunds.iter_mut().find(|of| of.named.is_called(stem));
        match known {
            Some(of) => of.given.push(one),
            None => nobodys.push(format!("{} was never ordered by a refund", one.reference)),
        }
    }
    let mut twice = nobodys;
    for of in &mut refunds {
        of.given.sort_by_key(|one| one.taken);
        let last = of.given.last().map(|one| one.taken);
        of.given.retain(|one| !rails_own_loss(one, last));
        if of.given.len() > 1 {
            let names: Vec<&str> = of.given.iter().map(|one| one.reference.as_str()).collect();
            twice.push(format!("refund {} was given as {}", of.named.id, names.join(" and ")));
        }
    }
    let mut payments: BTreeMap<(String, Currency), Payment> = BTreeMap::new();
    for (key, money) in store::find_transferred(conn).await? {
        payments.entry((key, money.currency())).or_default().brought += money.minor();
    }
    let orders: BTreeMap<String, String> = store::find_orders(conn).await?.into_iter().collect();
    for one in brought {
        let key = orders.get(&one.order).cloned().unwrap_or_else(|| one.order.clone());
        let payment = payments.entry((key, one.money.currency())).or_default();
        payment.brought += one.money.minor();
        if let Some(read) = one.taken_back {
            payment.taken_back += one.money.minor();
            payment.read = payment.read.max(read);
        }
    }
    for one in refunds.iter().flat_map(|of| of.given.iter().map(|one| (of.named, one))) {
        let (named, given) = one;
        let payment = payments.entry((named.payment.clone(), given.money.currency())).or_default();
        payment.given += given.money.minor();
        payment.last = payment.last.max(given.taken);
    }
    let more = payments.iter().filter_map(|((key, currency), payment)| payment.against(key, *currency));
    Ok([twice, more.collect()])
}

/// Told as failed before the last of its refund was taken, and not told as carried out before that.
fn rails_own_loss(one: &Given, last: Option<u64>) -> bool {
    let Some(last) = last.filter(|last| *last > one.taken) else { return false };
    one.denied.is_some_and(|denied| denied < last) && one.read.is_none_or(|read| read > last)
}

/// One payment in minor units, as the outside knows it.
#[derive(Debug, Default)]
struct Payment {
    brought: i64,
    given: i64,
    /// When the last of it was given.
    last: u64,
    taken_back: i64,
    /// When the hub had read the last of what was taken back.
    read: u64,
}

impl Payment {
    /// What had left before the hub knew that the channel took the payment back, nobody could call back.
    fn against(&self, key: &str, currency: Currency) -> Option<String> {
        let Self { brought, given, taken_back, .. } = self;
        let knew = self.last > self.read;
        let back = given + if knew { *taken_back } else { 0 };
        (back > *brought).then(|| {
            format!("{key}: {brought} {currency} brought, {given} given back, {taken_back} taken back")
        })
    }
}
