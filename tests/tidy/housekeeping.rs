//! Sizes, names and words.

use std::collections::BTreeMap;

use super::rooms::known_to_migrations;
use super::source::{Finding, Source, is_word, lines_with};

const CODE_LINES_MAX: usize = 400;
const TITLE_PAGE_LINES_MAX: usize = 40;

/// Files that may be longer, and why.
const LONGER: [(&str, usize, &str); 0] = [];

/// Lines of code without comments and unit tests.
pub fn size(file: &Source) -> Vec<Finding> {
    if !file.is_rust() {
        return Vec::new();
    }
    let lines = file.code_lines();
    let allowed =
        LONGER.iter().find(|(path, ..)| *path == file.path).map_or(CODE_LINES_MAX, |(_, max, _)| *max);
    let is_title_page = matches!(file.path.split('/').collect::<Vec<_>>()[..], ["src", _room, "mod.rs"]);
    let mut findings = Vec::new();
    if lines > allowed {
        findings
            .push(file.found(1, format!("{lines} lines of code; {allowed} at most: split it by use case")));
    }
    if is_title_page && lines > TITLE_PAGE_LINES_MAX {
        findings.push(
            file.found(1, format!("{lines} lines of code; a title page has {TITLE_PAGE_LINES_MAX} at most")),
        );
    }
    if is_title_page && !file.text.starts_with("//!") {
        findings.push(file.found(1, "a title page begins with //! and says what the room is"));
    }
    findings
}

/// Money is whole minor units: neither a float type nor a float literal stands where money is computed.
pub fn floats(file: &Source) -> Vec<Finding> {
    // the JSON reader hands on any number it is given
    let measures = ["src/telemetry", "src/console/", "src/load/", "src/localpg", "src/http/tree.rs"];
    let holds_money =
        file.path.contains("src/") && !measures.iter().any(|start| file.path.starts_with(start));
    if !file.is_rust() || !holds_money {
        return Vec::new();
    }
    let code = file.code();
    let mut lines: Vec<usize> = ["f32", "f64"].iter().flat_map(|word| lines_with(&code, word)).collect();
    lines.extend(code.lines().enumerate().filter(|(_, line)| has_float_literal(line)).map(|(n, _)| n + 1));
    lines.sort_unstable();
    lines.dedup();
    lines.into_iter().map(|line| file.found(line, "a float: money, rates and days are exact")).collect()
}

fn has_float_literal(line: &str) -> bool {
    let chars: Vec<char> = line.chars().collect();
    (1..chars.len().saturating_sub(1)).any(|dot| {
        let number = chars[dot] == '.' && chars[dot - 1].is_ascii_digit() && chars[dot + 1].is_ascii_digit();
        let start = chars[..dot].iter().rposition(|c| !is_word(*c));
        let first = start.map_or(0, |n| n + 1);
        // `pair.0.1` is no number, and neither is `v2.3`
        number && chars[first].is_ascii_digit() && (first == 0 || chars[first - 1] != '.')
    })
}

/// Words that say a thing is unfinished. They are put together here, so that this file holds none of them.
pub fn unfinished(file: &Source) -> Vec<Finding> {
    let words =
        [["TO", "DO"], ["FIX", "ME"], ["HA", "CK"], ["to", "do!"], ["unimpl", "emented!"], ["db", "g!"]];
    if file.path == "Cargo.lock" {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for word in words.map(|parts| parts.concat()) {
        for line in lines_with(&file.text, &word) {
            findings.push(file.found(line, format!("`{word}`: finish it, or file it")));
        }
    }
    findings
}

/// Paths of somebody's machine have no place in the project.
pub fn private_paths(file: &Source) -> Vec<Finding> {
    let folders = [["/wo", "rk/"], ["/ro", "ot/"], ["/ho", "me/"], ["/Use", "rs/"]];
    let mut findings = Vec::new();
    for (n, line) in file.text.lines().enumerate() {
        for folder in folders.map(|parts| parts.concat()) {
            let starts = line.match_indices(&folder).any(|(at, _)| {
                !line[..at].ends_with(|c: char| is_word(c) || matches!(c, '.' | '-' | '}' | ')'))
            });
            if starts {
                findings.push(file.found(n + 1, format!("`{folder}`: a path of one machine")));
            }
        }
    }
    findings
}

/// `NNNN_<room>_<what>.sql`, each number once.
pub fn migrations(files: &[Source]) -> Vec<Finding> {
    let mut numbers: BTreeMap<String, String> = BTreeMap::new();
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.path.starts_with("migrations/")) {
        let name = file.path.trim_start_matches("migrations/");
        let parts: Vec<&str> = name.strip_suffix(".sql").unwrap_or("").splitn(3, '_').collect();
        let [number, room, what] = parts[..] else {
            findings.push(file.found(1, "a migration is named NNNN_<room>_<what>.sql"));
            continue;
        };
        let plain = what.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if number.len() != 4 || !number.chars().all(|c| c.is_ascii_digit()) || what.is_empty() || !plain {
            findings.push(file.found(1, "a migration is named NNNN_<room>_<what>.sql"));
        }
        if !known_to_migrations(room) {
            findings.push(file.found(1, format!("`{room}` is no room")));
        }
        if let Some(first) = numbers.insert(number.to_owned(), name.to_owned()) {
            findings.push(file.found(1, format!("number {number} is taken by {first}")));
        }
    }
    findings
}
