//! Standard output: what a command was asked for, and nothing else. The rest goes to standard error.

use std::io::{self, ErrorKind, IsTerminal as _, Write};

use serde_json::Value;

/// Writes one block of a result and a line feed. A reader that went away (`mizan ... | head`) has had enough, which
/// is no failure.
///
/// # Errors
/// When standard output cannot be written for any other reason.
pub fn say(text: &str) -> io::Result<()> {
    match writeln!(io::stdout().lock(), "{text}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Writes a line to standard error: what a person should know beside the result.
///
/// # Errors
/// When standard error cannot be written.
pub fn tell(text: &str) -> io::Result<()> {
    writeln!(io::stderr(), "{text}")
}

/// Lets a command that stays up write its log to standard error: in colours on a terminal, plain into a file.
pub fn log() {
    tracing_subscriber::fmt().with_ansi(io::stderr().is_terminal()).with_writer(io::stderr).init();
}

/// Writes a list: one JSON line for each item, or a table of some of its fields.
///
/// # Errors
/// When standard output cannot be written.
pub fn say_list(items: &[Value], json: bool, columns: &[&str]) -> io::Result<()> {
    if json {
        return items.iter().try_for_each(|item| say(&item.to_string()));
    }
    let cell = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    };
    let rows: Vec<Vec<String>> = items
        .iter()
        .map(|item| columns.iter().map(|column| cell(item.pointer(column).unwrap_or(&Value::Null))).collect())
        .collect();
    let wide = |place: usize| rows.iter().map(|row| row[place].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns.len()).map(wide).collect();
    rows.iter().try_for_each(|row| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        say(cells.collect::<Vec<_>>().join("  ").trim_end())
    })
}
