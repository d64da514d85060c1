//! One file per page: read, lay out, render.

pub mod account;
pub mod breaks;
pub mod day;
pub mod entry;
pub mod notice;
pub mod owed;
pub mod pay_in;
pub mod payment;
pub mod payments;
pub mod refund;
pub mod refunds;

use mizan_ledger::Day;
use serde_json::{Value, json};

use crate::access;
use crate::app::{App, Snapshot};
use crate::books::chart;
use crate::console::officer::Officer;
use crate::console::shell::Stop;
use crate::http::language::Language;

/// The day asked for in a form, else (and when the field was emptied) today; never a day to come.
fn day(app: &App, asked: Option<&str>) -> Result<Day, Stop> {
    let today = app.clock.now().day_in(&app.hub.config.zone);
    match asked.map(str::trim).filter(|text| !text.is_empty()) {
        Some(text) => text.parse().map(|day: Day| day.min(today)).map_err(|_| Stop::Day),
        None => Ok(today),
    }
}

/// An account's name in the officer's language; its code when the chart does not know it.
fn account_name(officer: &Officer, code: &str) -> String {
    match chart::describe(code) {
        Some(known) if officer.session.language == Language::Arabic => known.name_ar,
        Some(known) => known.name_en,
        None => code.to_owned(),
    }
}

/// A channel's names as configured.
fn channel(app: &App, code: &str) -> Value {
    let known = app.hub.config.channels.get(code);
    let (ar, en) = known.map_or((code, code), |known| (known.name_ar.as_str(), known.name_en.as_str()));
    json!({ "code": code, "ar": ar, "en": en })
}

/// Where the page of an entry's source is: a payment, a refund or a notice.
fn source_link(source: &str) -> Option<String> {
    if source.starts_with("pi_") {
        return Some(format!("/console/payments/{source}"));
    }
    if source.starts_with("rf_") {
        return Some(format!("/console/refunds/{source}"));
    }
    source.strip_prefix("notice:").map(|n| format!("/console/notices/{n}"))
}

/// The names of who asked or decided, as `{ar, en, id}`; a part of the hub goes by its own.
async fn named(
    look: &mut Snapshot,
    actors: impl Iterator<Item = String>,
) -> Result<impl Fn(&str) -> Value, Stop> {
    let actors: Vec<String> = actors.collect();
    let names = access::store::find_names(look, &actors).await?;
    Ok(move |actor: &str| match names.get(actor) {
        Some((ar, en)) => json!({ "ar": ar, "en": en, "id": actor }),
        None if actor.starts_with("hub:") => json!({ "ar": "المنظومة", "en": "The hub", "id": actor }),
        None => json!({ "ar": actor, "en": actor, "id": actor }),
    })
}
