//! GET /console: the day's proof, its four identities account by account, and what waits for a person.

use axum::extract::State;
use axum::response::Response;
use mizan_ledger::{AccountBalance, Currency, Money, MoneyError};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{account_name, day};
use crate::app::App;
use crate::breaks;
use crate::console::officer::Officer;
use crate::console::shell::{Stop, page};
use crate::fault::Fault;
use crate::http::language::Language;
use crate::http::query::Query;
use crate::reports::{self, CurrencyProof, Line, Part, Section, Word, text};

#[derive(Debug, Deserialize)]
pub struct Asked {
    date: Option<String>,
}

pub async fn show(
    State(app): State<App>,
    officer: Officer,
    Query(asked): Query<Asked>,
) -> Result<Response, Stop> {
    let day = day(&app, asked.date.as_deref())?;
    let (book, config) = (&app.hub.book, &app.hub.config);
    let mut look = app.snapshot().await?;
    let asked = reports::Asked { book, calendar: &app.hub.calendar, banks: &config.banks, day };
    let proof = reports::service::daily(&mut look, &asked).await?;
    let opening = book.balances_on(&mut look, day.previous()).await?;
    let closing = book.balances_on(&mut look, day).await?;
    let breaks = breaks::store::find_open_totals(&mut look, app.clock.now()).await?;
    drop(look);
    let balances: Vec<(&AccountBalance, &AccountBalance)> = opening.iter().zip(&closing).collect();
    let shown = proof.currencies.iter().map(|one| currency(&officer, one, &balances));
    let currencies = shown.collect::<Result<Vec<Value>, MoneyError>>().map_err(Fault::from)?;
    let breaks: Vec<Value> = breaks
        .iter()
        .map(|one| {
            let (ar, en) = (one.category.name_ar(), one.category.name_en());
            json!({ "category": one.category, "ar": ar, "en": en, "count": one.count, "late": one.late, "money": one.money })
        })
        .collect();
    let values = json!({
        "day": day.to_string(), "before": day.previous().to_string(), "after": day.next().to_string(),
        "is_today": day == self::day(&app, None)?, "tied": proof.ties(), "currencies": currencies, "breaks": breaks,
    });
    page(&app, &officer, "day.html", values)
}

fn currency(
    officer: &Officer,
    proof: &CurrencyProof,
    balances: &[(&AccountBalance, &AccountBalance)],
) -> Result<Value, MoneyError> {
    let currency = proof.currency;
    let of_currency: Vec<_> =
        balances.iter().filter(|(_, after)| after.account.currency == currency).copied().collect();
    let language = officer.session.language;
    let codes: Vec<&str> = of_currency.iter().map(|(_, after)| after.account.code.as_str()).collect();
    let parts: Vec<Value> =
        proof.parts().into_iter().map(|(section, part)| identity(officer, section, part, &codes)).collect();
    let alarms: Vec<String> = proof.alarms.iter().map(|alarm| text::note(alarm, language)).collect();
    let moved = |word: Word| {
        let moves = proof.channels.lines.iter().flat_map(|line| &line.movements);
        Money::sum(currency, moves.filter(|moved| moved.word == word).map(|moved| moved.amount))
    };
    let nets = of_currency.iter().map(|(_, after)| Money::new(after.balance.net_minor(), currency));
    let rows = of_currency.iter().filter(|(_, after)| after.lines_count > 0);
    Ok(json!({
        "currency": currency, "taken": moved(Word::Taken)?, "settled": moved(Word::Settled)?.checked_neg()?,
        "in_transit": proof.channels.book, "at_bank": proof.banks.book,
        "parts": parts, "alarms": alarms,
        "accounts": rows.map(|(before, after)| trial(officer, before, after)).collect::<Vec<_>>(),
        "difference": Money::sum(currency, nets)?,
    }))
}

/// One identity with its accounts: what the book says, what is listed, and what nobody can explain.
fn identity(officer: &Officer, section: Section, part: &Part, codes: &[&str]) -> Value {
    let lines: Vec<Value> = part.lines.iter().map(|line| self::line(officer, section, line, codes)).collect();
    json!({
        "name": text::section(section, officer.session.language), "ties": part.ties(),
        "book": part.book, "listed": part.listed, "unexplained": part.unexplained, "lines": lines,
    })
}

fn line(officer: &Officer, section: Section, line: &Line, codes: &[&str]) -> Value {
    let language = officer.session.language;
    let arabic = language == Language::Arabic;
    // An agency's line holds several accounts of the book.
    let within = format!("{}/", line.account);
    let is_agency = section == Section::Agencies;
    let accounts = codes.iter().filter(|code| {
        **code == line.account || (is_agency && code.starts_with(&within) && !code.contains("/tax/"))
    });
    let accounts: Vec<Value> =
        accounts.map(|code| json!({ "code": code, "name": account_name(officer, code) })).collect();
    let movements: Vec<Value> = line
        .movements
        .iter()
        .map(|moved| {
            let word = if arabic { moved.word.name_ar() } else { moved.word.name_en() };
            json!({ "word": word, "kind": moved.kind, "amount": moved.amount, "entries": moved.entries })
        })
        .collect();
    // What a channel owes is listed item by item on a page of its own.
    let channel = line.account.strip_prefix("channel/").and_then(|rest| rest.strip_suffix("/receivable"));
    json!({
        "code": line.account, "accounts": accounts, "opening": line.opening, "movements": movements,
        "closing": line.closing, "listed": line.listed, "items": line.items, "unexplained": line.unexplained,
        "channel": channel, "notes": line.notes.iter().map(|note| text::note(note, language)).collect::<Vec<_>>(),
    })
}

/// An account's movement between the end of the day before and the end of the day, debits positive.
fn trial(officer: &Officer, before: &AccountBalance, after: &AccountBalance) -> Value {
    let currency: Currency = after.account.currency;
    let of = |minor: i64| Money::new(minor, currency);
    let code = after.account.code.as_str();
    json!({
        "code": code, "name": account_name(officer, code), "opening": of(before.balance.net_minor()),
        "debits": of(after.balance.debits_minor() - before.balance.debits_minor()),
        "credits": of(after.balance.credits_minor() - before.balance.credits_minor()),
        "closing": of(after.balance.net_minor()),
    })
}
