//! One file per page: read, lay out, render.

pub mod account;
pub mod breaks;
pub mod day;
pub mod entry;
pub mod notice;
pub mod owed;
pub mod payment;
pub mod payments;

use mizan_ledger::Day;
use serde_json::{Value, json};

use crate::app::App;
use crate::books::chart;
use crate::console::officer::Officer;
use crate::http::language::Language;

/// The day asked for in a form, else today; never a day to come.
fn day(app: &App, asked: Option<&str>) -> Day {
    let today = app.clock.now().day_in(&app.hub.config.zone);
    asked.and_then(|text| text.trim().parse().ok()).map_or(today, |day: Day| day.min(today))
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

/// Where the page of an entry's source is: a payment or a notice.
fn source_link(source: &str) -> Option<String> {
    if source.starts_with("pi_") {
        return Some(format!("/console/payments/{source}"));
    }
    source.strip_prefix("notice:").map(|n| format!("/console/notices/{n}"))
}
