//! GET /console/entries/{id}: one journal entry with its lines and what it was made from.

use axum::extract::State;
use axum::response::Response;
use mizan_ledger::{EntryId, Side};
use serde_json::{Value, json};

use super::{account_name, source_link};
use crate::app::App;
use crate::console::officer::Officer;
use crate::console::shell::{Stop, page};
use crate::fault::Fault;
use crate::http::path::Path;

pub async fn show(
    State(app): State<App>,
    officer: Officer,
    Path(id): Path<String>,
) -> Result<Response, Stop> {
    let id: EntryId = id.parse().map_err(|_| Stop::NotFound)?;
    let mut look = app.snapshot().await?;
    let recorded = app.hub.book.entry(&mut look, id).await?.ok_or(Stop::NotFound)?;
    let entry = &recorded.entry;
    let lines: Vec<Value> = entry
        .lines()
        .iter()
        .map(|line| {
            let account = line.account();
            let (debit, credit) = match line.side() {
                Side::Debit => (Some(line.money()), None),
                Side::Credit => (None, Some(line.money())),
            };
            json!({
                "code": account.code, "currency": account.currency,
                "name": account_name(&officer, account.code.as_str()), "debit": debit, "credit": credit,
            })
        })
        .collect();
    let meta: Value = serde_json::from_str(entry.meta_json()).map_err(Fault::from)?;
    let notice = meta.get("notice").and_then(Value::as_i64);
    let values = json!({
        "id": id, "seq": recorded.seq, "kind": entry.kind(), "day": entry.effective_on().to_string(),
        "at": recorded.recorded_at, "actor": entry.actor(), "source": entry.source_ref(),
        "link": source_link(entry.source_ref()), "reverses": entry.reverses(), "meta": meta, "notice": notice,
        "leaf": hex::encode(recorded.leaf), "lines": lines,
    });
    page(&app, &officer, "entry.html", values)
}
