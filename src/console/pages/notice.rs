//! GET /console/notices/{n}: an outside fact, what became of it, and the bytes as they came.

use std::fmt::Write;

use axum::extract::State;
use axum::response::Response;
use mizan_ledger::store::RecordedEntry;
use serde_json::{Value, json};

use super::channel;
use crate::app::{App, Snapshot};
use crate::console::officer::Officer;
use crate::console::shell::{Stop, page};
use crate::http::path::Path;
use crate::inbox::store::reading;

/// More is not shown on a page.
const SHOWN_BYTES_MAX: usize = 64 * 1024;

pub async fn show(State(app): State<App>, officer: Officer, Path(n): Path<i64>) -> Result<Response, Stop> {
    let mut look = app.snapshot().await?;
    let record = reading::find(&mut look, n).await?.ok_or(Stop::NotFound)?;
    let wire = reading::find_wire(&mut look, n).await?.ok_or(Stop::NotFound)?;
    let posted = posted(&app, &mut look, std::slice::from_ref(&record)).await?;
    let shown = &wire.raw[..wire.raw.len().min(SHOWN_BYTES_MAX)];
    let values = json!({
        "channel": channel(&app, &record.notice.channel), "notice": record, "entries": posted,
        "raw": text(shown), "bytes": wire.raw.len(), "cut": shown.len() < wire.raw.len(), "headers": wire.headers,
    });
    page(&app, &officer, "notice.html", values)
}

/// The entries of notices that stand in the book.
pub async fn posted(app: &App, look: &mut Snapshot, records: &[reading::Record]) -> Result<Vec<Value>, Stop> {
    let mut entries = Vec::new();
    for id in records.iter().flat_map(reading::Record::entries) {
        if let Some(found) = app.hub.book.entry(look, id).await?
            && !entries.iter().any(|(seq, _)| *seq == found.seq)
        {
            entries.push((found.seq, shown(&found)));
        }
    }
    entries.sort_by_key(|(seq, _)| *seq);
    Ok(entries.into_iter().map(|(_, shown)| shown).collect())
}

/// An entry as one row.
pub fn shown(recorded: &RecordedEntry) -> Value {
    let entry = &recorded.entry;
    json!({
        "id": entry.id(), "kind": entry.kind(), "day": entry.effective_on().to_string(),
        "at": recorded.recorded_at, "actor": entry.actor(), "lines": entry.lines().len(),
    })
}

/// UTF-8 as it is but for control characters; anything else as hexadecimal digits.
fn text(bytes: &[u8]) -> String {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return bytes.chunks(32).map(hex::encode).collect::<Vec<_>>().join("\n");
    };
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        let steers = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}');
        if (c.is_control() && !matches!(c, '\n' | '\t')) || steers {
            write!(shown, "\\u{{{:x}}}", u32::from(c)).expect("a String takes every write");
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_shown_without_steering_the_page() {
        assert_eq!(text(b"{\"a\": 1}\n"), "{\"a\": 1}\n");
        assert_eq!(text("a\u{202e}b\u{7}".as_bytes()), "a\\u{202e}b\\u{7}");
        assert_eq!(text(&[0xff, 0x00]), "ff00");
    }
}
