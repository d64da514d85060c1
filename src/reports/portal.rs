//! A portal's own day: what its payers paid and were given back, to be held against its own records.

use std::collections::BTreeMap;

use mizan_ledger::{Currency, Day, Money, Zone};
use serde::Serialize;
use sqlx::PgConnection;

use super::store::{self, Span};
use crate::fault::Fault;
use crate::ids::PortalId;

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PortalDay {
    pub date: Day,
    /// Whose day it is.
    #[schema(example = "Asia/Hebron")]
    pub zone: String,
    pub live: bool,
    pub totals: Vec<PortalTotal>,
}

/// One currency.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PortalTotal {
    pub currency: Currency,
    /// How many bills were paid.
    pub payments: i64,
    pub paid: Money,
    /// How many refunds succeeded.
    pub refunds: i64,
    pub refunded: Money,
    /// `paid` less `refunded`.
    pub net: Money,
    /// What `paid` is made of.
    pub services: Vec<PortalService>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PortalService {
    #[schema(example = "interior/passport")]
    pub service: String,
    /// In how many of the bills it stands.
    pub payments: i64,
    pub paid: Money,
}

/// Whose day is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub portal: PortalId,
    pub day: Day,
    pub zone: &'a Zone,
    pub live: bool,
}

/// The day of a portal. The connection is in a [`crate::app::SNAPSHOT`].
pub async fn daily(conn: &mut PgConnection, asked: Asked<'_>) -> Result<PortalDay, Fault> {
    let Asked { portal, day, zone, live } = asked;
    let span = Span { from: day.start_in(zone), to: day.next().start_in(zone) };
    store::allow_scans(conn).await?;
    let mut totals: BTreeMap<Currency, PortalTotal> = BTreeMap::new();
    for sum in store::find_paid(conn, portal, span).await? {
        let total = total_of(&mut totals, sum.amount.currency());
        (total.payments, total.paid) = (sum.count, sum.amount);
    }
    for (service, sum) in store::find_paid_by_service(conn, portal, span).await? {
        let total = total_of(&mut totals, sum.amount.currency());
        total.services.push(PortalService { service, payments: sum.count, paid: sum.amount });
    }
    for sum in store::find_given_back(conn, portal, span).await? {
        let total = total_of(&mut totals, sum.amount.currency());
        (total.refunds, total.refunded) = (sum.count, sum.amount);
    }
    // What came back is taken from the day on which it did: the day on which it was given back says what it always said.
    for sum in store::find_come_back(conn, portal, span).await? {
        let total = total_of(&mut totals, sum.amount.currency());
        total.refunded = total.refunded.checked_sub(sum.amount)?;
    }
    let mut totals: Vec<PortalTotal> = totals.into_values().collect();
    for total in &mut totals {
        total.net = total.paid.checked_sub(total.refunded)?;
    }
    Ok(PortalDay { date: day, zone: zone.name().to_owned(), live, totals })
}

fn total_of(totals: &mut BTreeMap<Currency, PortalTotal>, currency: Currency) -> &mut PortalTotal {
    let zero = Money::zero(currency);
    totals.entry(currency).or_insert_with(|| PortalTotal {
        currency,
        payments: 0,
        paid: zero,
        refunds: 0,
        refunded: zero,
        net: zero,
        services: Vec::new(),
    })
}
