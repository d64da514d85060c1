//! GET /console/accounts/{currency}/{code}: the statement of an account.

use axum::extract::State;
use axum::response::Response;
use mizan_ledger::account::AccountKey;
use mizan_ledger::store::StatementError;
use mizan_ledger::{Money, Side};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{account_name, day, source_link};
use crate::app::App;
use crate::console::officer::Officer;
use crate::console::shell::{Stop, page};
use crate::http::path::Path;
use crate::http::query::Query;

#[derive(Debug, Deserialize)]
pub struct Asked {
    from: Option<String>,
    to: Option<String>,
}

pub async fn show(
    State(app): State<App>,
    officer: Officer,
    Path((currency, code)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Result<Response, Stop> {
    let key = AccountKey {
        code: code.parse().map_err(|_| Stop::NotFound)?,
        currency: currency.parse().map_err(|_| Stop::NotFound)?,
    };
    let to = day(&app, asked.to.as_deref())?;
    let from = asked.from.as_deref().map_or(Ok(to), |from| day(&app, Some(from)))?.min(to);
    let book = &app.hub.book;
    let mut look = app.snapshot().await?;
    let balance = book.balance(&mut look, &key).await?.ok_or(Stop::NotFound)?;
    let statement = match book.statement(&mut look, &key, from, to).await {
        Ok(statement) => Some(statement),
        Err(StatementError::TooManyLines) => None,
        Err(StatementError::NoSuchAccount) => return Err(Stop::NotFound),
        Err(StatementError::Book(error)) => return Err(error.into()),
    };
    let side = balance.class.normal_side();
    let of = |minor: i64| Money::new(minor, key.currency);
    let shown = |debit_positive: i64| of(if side == Side::Debit { debit_positive } else { -debit_positive });
    let mut running = statement.as_ref().map_or(0, |statement| statement.opening.net_minor());
    let lines: Vec<Value> = statement
        .iter()
        .flat_map(|statement| &statement.lines)
        .map(|line| {
            running += line.amount_minor;
            json!({
                "entry": line.entry_id, "kind": line.kind, "source": line.source_ref,
                "link": source_link(&line.source_ref), "day": line.effective_on.to_string(),
                "at": line.recorded_at,
                "debit": (line.amount_minor > 0).then(|| of(line.amount_minor)),
                "credit": (line.amount_minor < 0).then(|| of(-line.amount_minor)),
                "balance": shown(running),
            })
        })
        .collect();
    let values = json!({
        "code": code, "currency": currency, "name": account_name(&officer, &code), "class": balance.class,
        "side": if side == Side::Debit { "debit" } else { "credit" },
        "from": from.to_string(), "to": to.to_string(), "too_many": statement.is_none(), "lines": lines,
        "opening": statement.as_ref().map(|one| shown(one.opening.net_minor())),
        "closing": statement.as_ref().map(|one| shown(one.closing.net_minor())),
    });
    page(&app, &officer, "account.html", values)
}
