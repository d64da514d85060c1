//! The allocation list of treasury money: what a day brought and gave back, by agency and general-ledger code.

use std::collections::BTreeMap;

use mizan_ledger::{Currency, Day, Money};
use serde::Serialize;
use sqlx::PgConnection;

use super::store::{self, Allocated};
use crate::catalogue::{self, Agency, MoneyMode, ServiceCode};
use crate::fault::Fault;
use crate::tx::Hub;

/// The list of one day.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Allocation {
    pub date: Day,
    pub totals: Vec<Total>,
}

/// One currency; `net` is what the treasury is owed for the day.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = TreasuryTotal)]
pub struct Total {
    pub currency: Currency,
    pub net: Money,
    pub lines: Vec<Line>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = TreasuryLine)]
pub struct Line {
    pub agency: String,
    /// The code of the components in the beneficiary's books.
    pub gl: String,
    pub payments: i64,
    pub collected: Money,
    pub refunded: Money,
    pub net: Money,
}

/// The list of a day, the same whenever it is asked for. The connection is in a [`crate::app::SNAPSHOT`].
pub async fn daily(conn: &mut PgConnection, hub: &Hub, day: Day) -> Result<Allocation, Fault> {
    store::allow_scans(conn).await?;
    let evening = day.next().start_in(&hub.calendar.zone).plus_seconds(-1);
    let agencies = catalogue::service::agencies_at(conn, evening).await?;
    let collected = store::find_collected_on(conn, hub.calendar.zone.name(), day).await?;
    let refunded = store::find_refunded_on(conn, day).await?;
    let is_treasurys = |one: &&Allocated| mode(hub, &agencies, one) == Some(MoneyMode::Treasury);
    let mut lines: BTreeMap<(Currency, String, String), Line> = BTreeMap::new();
    for one in collected.iter().filter(is_treasurys) {
        let line = line_of(&mut lines, one);
        line.collected = line.collected.checked_add(one.amount)?;
        line.payments += one.payments;
    }
    for one in refunded.iter().filter(is_treasurys) {
        let line = line_of(&mut lines, one);
        line.refunded = line.refunded.checked_add(one.amount)?;
    }
    let mut totals: Vec<Total> = Vec::new();
    for ((currency, ..), mut line) in lines {
        line.net = line.collected.checked_sub(line.refunded)?;
        if totals.last().is_none_or(|total| total.currency != currency) {
            totals.push(Total { currency, net: Money::zero(currency), lines: Vec::new() });
        }
        if let Some(total) = totals.last_mut() {
            total.net = total.net.checked_add(line.net)?;
            total.lines.push(line);
        }
    }
    Ok(Allocation { date: day, totals })
}

fn line_of<'a>(lines: &'a mut BTreeMap<(Currency, String, String), Line>, one: &Allocated) -> &'a mut Line {
    let agency = one.service.split('/').next().unwrap_or_default().to_owned();
    let zero = Money::zero(one.amount.currency());
    let new = || Line {
        agency: agency.clone(),
        gl: one.gl.clone(),
        payments: 0,
        collected: zero,
        refunded: zero,
        net: zero,
    };
    lines.entry((one.amount.currency(), agency.clone(), one.gl.clone())).or_insert_with(new)
}

/// Who held the money, by the agencies as they were at the end of the day.
fn mode(hub: &Hub, agencies: &[Agency], one: &Allocated) -> Option<MoneyMode> {
    let service: ServiceCode = one.service.parse().ok()?;
    let channel = hub.config.channels.get(&one.channel)?.kind.into();
    let agency = agencies.iter().find(|agency| &agency.code == service.agency())?;
    agency.money_mode(&service, channel, one.amount.currency())
}
