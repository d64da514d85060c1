//! GET /console: what was taken, settled and is on its way, and whether book and list agree.

use std::collections::BTreeMap;

use axum::extract::{Query, State};
use axum::response::Response;
use mizan_ledger::{AccountBalance, Currency, Day, Money};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{account_name, channel, day};
use crate::app::App;
use crate::books::chart::{self, Kind};
use crate::console::officer::Officer;
use crate::console::shell::{Stop, page};
use crate::{breaks, expectations};

#[derive(Debug, Deserialize)]
pub struct Asked {
    date: Option<String>,
}

pub async fn show(
    State(app): State<App>,
    officer: Officer,
    Query(asked): Query<Asked>,
) -> Result<Response, Stop> {
    let day = day(&app, asked.date.as_deref());
    let proof = proof(&app, &officer, day).await?;
    let now = app.clock.now();
    let mut look = app.snapshot().await?;
    let breaks = breaks::store::find_open_totals(&mut look, now).await?;
    let breaks: Vec<Value> = breaks
        .iter()
        .map(|one| {
            let (ar, en) = (one.category.name_ar(), one.category.name_en());
            json!({ "category": one.category, "ar": ar, "en": en, "count": one.count, "late": one.late, "money": one.money })
        })
        .collect();
    let values = json!({
        "day": day.to_string(), "before": day.previous().to_string(), "after": day.next().to_string(),
        "is_today": day == self::day(&app, None), "proof": proof, "breaks": breaks,
    });
    page(&app, &officer, "day.html", values)
}

/// The day in figures, per currency. Left sides come from entries, right sides from the items listed one by one.
#[derive(Debug, Serialize)]
struct Proof {
    currencies: Vec<CurrencyDay>,
    /// Every unexplained is zero and every currency balances.
    tied: bool,
}

#[derive(Debug, Serialize)]
struct CurrencyDay {
    currency: Currency,
    taken: Money,
    settled: Money,
    in_transit: Money,
    at_bank: Money,
    channels: Vec<ChannelDay>,
    accounts: Vec<AccountDay>,
    /// Debits less credits of all accounts: zero in every true book.
    difference: Money,
}

#[derive(Debug, Serialize)]
struct ChannelDay {
    channel: Value,
    account: String,
    count: i64,
    opening: Money,
    taken: Money,
    settled: Money,
    closing: Money,
    /// As of now, whatever day is shown: what the book says, what the open items say.
    book: Money,
    listed_count: i64,
    listed: Money,
    unexplained: Money,
}

#[derive(Debug, Serialize)]
struct AccountDay {
    code: String,
    name: String,
    opening: Money,
    debits: Money,
    credits: Money,
    closing: Money,
}

/// The one place that says how the day ties.
async fn proof(app: &App, officer: &Officer, day: Day) -> Result<Proof, Stop> {
    let book = &app.hub.book;
    let mut look = app.snapshot().await?;
    let opening = book.balances_on(&mut look, day.previous()).await?;
    let closing = book.balances_on(&mut look, day).await?;
    let now = book.balances(&mut look).await?;
    let totals = expectations::store::reading::find_totals(&mut look, day).await?;
    drop(look);
    let mut currencies: BTreeMap<Currency, CurrencyDay> = BTreeMap::new();
    for ((before, after), now) in opening.iter().zip(&closing).zip(&now) {
        let currency = after.account.currency;
        let of = |minor: i64| Money::new(minor, currency);
        let zero = of(0);
        let entry = currencies.entry(currency).or_insert_with(|| CurrencyDay {
            currency,
            taken: zero,
            settled: zero,
            in_transit: zero,
            at_bank: zero,
            channels: Vec::new(),
            accounts: Vec::new(),
            difference: zero,
        });
        let code = after.account.code.as_str();
        let row = account_day(officer, before, after);
        let net = of(after.balance.net_minor());
        entry.difference = add(entry.difference, net)?;
        match chart::describe(code).map(|known| known.kind) {
            Some(Kind::Receivable) => {
                let name = code.split('/').nth(1).unwrap_or(code);
                let total = totals.iter().find(|one| one.channel == name && one.currency == currency);
                let book = of(now.balance.net_minor());
                let listed = of(total.map_or(0, |total| total.owed_minor));
                entry.taken = add(entry.taken, row.debits)?;
                entry.settled = add(entry.settled, row.credits)?;
                entry.in_transit = add(entry.in_transit, net)?;
                entry.channels.push(ChannelDay {
                    channel: channel(app, name),
                    account: code.to_owned(),
                    count: total.map_or(0, |total| total.taken_count),
                    opening: row.opening,
                    taken: row.debits,
                    settled: row.credits,
                    closing: net,
                    book,
                    listed_count: total.map_or(0, |total| total.owed_count),
                    listed,
                    unexplained: book.checked_sub(listed).map_err(crate::fault::Fault::from)?,
                });
            }
            Some(Kind::Bank) => entry.at_bank = add(entry.at_bank, net)?,
            _ => {}
        }
        if after.lines_count > 0 {
            entry.accounts.push(row);
        }
    }
    let currencies: Vec<CurrencyDay> =
        currencies.into_values().filter(|one| !one.accounts.is_empty()).collect();
    let tied = currencies.iter().all(|one| {
        one.difference.minor() == 0 && one.channels.iter().all(|channel| channel.unexplained.minor() == 0)
    });
    Ok(Proof { currencies, tied })
}

fn add(left: Money, right: Money) -> Result<Money, Stop> {
    Ok(left.checked_add(right).map_err(crate::fault::Fault::from)?)
}

/// An account's movement between the end of the day before and the end of the day.
fn account_day(officer: &Officer, before: &AccountBalance, after: &AccountBalance) -> AccountDay {
    let of = |minor: i64| Money::new(minor, after.account.currency);
    let code = after.account.code.as_str();
    AccountDay {
        code: code.to_owned(),
        name: account_name(officer, code),
        opening: of(before.balance.net_minor()),
        debits: of(after.balance.debits_minor() - before.balance.debits_minor()),
        credits: of(after.balance.credits_minor() - before.balance.credits_minor()),
        closing: of(after.balance.net_minor()),
    }
}
