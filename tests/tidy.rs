//! The architecture guard: what docs/ARCHITECTURE.md promises, checked on every file. It needs the standard library
//! alone. Each rule has a test that the checkout keeps it, and one that a planted breach is found. (That every error
//! code is documented is tested beside the codes, in src/http/codes.rs.)

#[path = "tidy/housekeeping.rs"]
mod housekeeping;
#[path = "tidy/imports.rs"]
mod imports;
#[path = "tidy/rooms.rs"]
mod rooms;
#[path = "tidy/source.rs"]
mod source;

use source::{Finding, Source, tree};

fn clean(mut findings: Vec<Finding>) {
    findings.sort();
    let lines: Vec<String> = findings.iter().map(|f| format!("{}:{}: {}", f.path, f.line, f.what)).collect();
    assert!(lines.is_empty(), "\n{}\n", lines.join("\n"));
}

fn clean_everywhere(rule: fn(&Source) -> Vec<Finding>) {
    clean(tree().iter().flat_map(rule).collect());
}

/// The lines on which a rule finds a breach in a planted file.
fn lines(rule: fn(&Source) -> Vec<Finding>, path: &str, text: &str) -> Vec<usize> {
    rule(&Source::new(path, text)).iter().map(|finding| finding.line).collect()
}

#[test]
fn every_file_touches_only_what_its_name_allows() {
    clean_everywhere(imports::by_file_name);
}

#[test]
fn a_touch_against_the_name_is_found() {
    let find = |path, text| lines(imports::by_file_name, path, text);
    assert_eq!(find("src/intents/model.rs", "use std::fmt;\nuse sqlx::PgPool;\n"), [2]);
    assert_eq!(find("src/intents/model/state.rs", "pub async fn apply() {}"), [1]);
    assert_eq!(find("src/recon/matching.rs", "use tokio::sync::Mutex;"), [1]);
    assert_eq!(find("src/books/rules.rs", "tracing::info!(\"posted\");"), [1]);
    assert_eq!(find("adapters/src/mfep/wire.rs", "use reqwest::Client;"), [1]);
    assert_eq!(find("src/intents/store.rs", "use axum::Json;"), [1]);
    assert_eq!(find("src/intents/service.rs", "fn f(app: &App) {\n    app.pool.begin().await\n}"), [1, 2]);
    assert_eq!(find("src/intents/service.rs", "sqlx::query!(\"select 1\")"), [1, 1]);
    assert_eq!(find("src/intents/api.rs", "use mizan_adapters::channel::Channel;"), [1]);
    assert_eq!(find("src/intents/jobs.rs", "use axum::http::StatusCode;"), [1, 1]);
    assert_eq!(find("src/console/pages/day.rs", "use sqlx::PgPool;"), [1]);
    assert_eq!(find("adapters/src/http.rs", "use axum::Router;"), [1]);
    assert_eq!(find("adapters/src/sandbox/server.rs", "use axum::Router;\nuse sqlx::PgPool;"), [2]);
    assert_eq!(find("ledger/src/entry.rs", "use reqwest::Client;"), [1]);
}

#[test]
fn comments_strings_and_unit_tests_touch_nothing() {
    let find = |text| lines(imports::by_file_name, "src/intents/model.rs", text);
    assert_eq!(find("// no sqlx here\n/* nor /* axum */ there */\n"), [0; 0]);
    assert_eq!(
        find("const WHY: &str = \"sqlx \\\" axum\";\nconst RAW: &str = r#\"tokio \" async\"#;"),
        [0; 0]
    );
    assert_eq!(find("const QUOTE: char = '\"';\nfn f<'a>(x: &'a str) { sqlx::f(x) }"), [2]);
    assert_eq!(find("#[cfg(test)]\nmod tests {\n    use tokio::test;\n}\n"), [0; 0]);
    assert_eq!(find("let asyncio = operand;"), [0; 0]);
}

#[test]
fn the_sandbox_shares_nothing_with_the_readers() {
    clean_everywhere(imports::sandbox_stands_alone);
}

#[test]
fn a_sandbox_that_borrows_a_reader_is_found() {
    let find = |text| lines(imports::sandbox_stands_alone, "adapters/src/sandbox/server.rs", text);
    assert_eq!(find("use crate::sandbox::faults::Faults;\nuse crate::statement::camt;\n"), [2]);
    assert_eq!(find("use super::faults::Faults;\nuse super::super::mfep;"), [2]);
    assert_eq!(find("use crate::{sandbox::faults, reference};"), [1]);
}

#[test]
fn every_room_is_on_the_map() {
    clean_everywhere(rooms::every_room_is_known);
}

#[test]
fn an_unknown_room_is_found() {
    assert_eq!(lines(rooms::every_room_is_known, "src/misc/mod.rs", "//! Things."), [1]);
    assert_eq!(lines(rooms::every_room_is_known, "src/utils.rs", "//! Things."), [1]);
}

#[test]
fn rooms_use_each_other_in_the_allowed_directions_only() {
    clean_everywhere(rooms::directions);
}

#[test]
fn a_use_against_the_directions_is_found() {
    let find = |path, text| lines(rooms::directions, path, text);
    assert_eq!(
        find("src/quoting/service.rs", "use crate::catalogue::service;\nuse crate::intents::model;"),
        [2]
    );
    assert_eq!(find("src/intents/service.rs", "fn f() { crate::quoting::service::redeem() }"), [0; 0]);
    assert_eq!(
        find("src/intents/service.rs", "use crate::{\n    ids,\n    quoting::{model::Quote, store},\n};"),
        [1]
    );
    assert_eq!(find("src/intents/service.rs", "use super::super::refunds::service;"), [1]);
    assert_eq!(find("src/intents/api.rs", "use crate::receipts::service;"), [1]);
    assert_eq!(find("src/intents/service.rs", "use crate::webhooks::service;"), [1]);
    assert_eq!(find("src/events/publisher.rs", "use crate::webhooks::service;"), [0; 0]);
    assert_eq!(find("src/queue/mod.rs", "use crate::intents::model;"), [1]);
    assert_eq!(find("src/intents/api.rs", "use crate::console::view;"), [1]);
    assert_eq!(find("src/console/pages/day.rs", "use crate::cli::serve;"), [1]);
    assert_eq!(find("src/http/router.rs", "use crate::intents::api;"), [0; 0]);
    assert_eq!(find("src/lib.rs", "pub mod console;\nuse crate::console::routes;"), [0; 0]);
}

#[test]
fn the_table_of_directions_has_no_circle() {
    assert_eq!(rooms::circle(rooms::table()), None);
}

#[test]
fn a_circle_in_a_table_is_found() {
    let table: [(&str, &[&str]); 3] = [("a", &["b"]), ("b", &["c"]), ("c", &["a"])];
    assert_eq!(rooms::circle(&table).as_deref(), Some("a -> b -> c -> a"));
}

#[test]
fn files_and_title_pages_are_short() {
    clean_everywhere(housekeeping::size);
}

#[test]
fn a_long_file_is_found() {
    let find = |path, text: &str| lines(housekeeping::size, path, text);
    assert_eq!(find("src/intents/service.rs", &"let x = 1;\n".repeat(401)), [1]);
    assert_eq!(find("src/intents/service.rs", &"let x = 1;\n// why\n\n".repeat(400)), [0; 0]);
    assert_eq!(find("src/intents/mod.rs", &format!("//! Intents.\n{}", "mod x;\n".repeat(41))), [1]);
    assert_eq!(find("src/intents/mod.rs", "mod model;"), [1]);
}

#[test]
fn no_float_stands_where_money_is() {
    clean_everywhere(housekeeping::floats);
}

#[test]
fn a_float_is_found() {
    let find = |text| lines(housekeeping::floats, "src/books/rules.rs", text);
    assert_eq!(find("let a: f64 = b;\nlet half = 0.5;\n"), [1, 2]);
    assert_eq!(find("let c = pair.0.1;\nlet d = 1..2;\nlet e = f64_like;\nlet f = \"12.500\";"), [0; 0]);
    assert_eq!(lines(housekeeping::floats, "src/telemetry/mod.rs", "let a: f64 = b;"), [0; 0]);
}

#[test]
fn nothing_is_left_unfinished() {
    clean_everywhere(housekeeping::unfinished);
}

#[test]
fn an_unfinished_word_is_found() {
    let mark = ["FIX", "ME"].concat();
    let call = ["to", "do!()"].concat();
    assert_eq!(lines(housekeeping::unfinished, "docs/x.md", &format!("fine\n{mark} later\n")), [2]);
    assert_eq!(lines(housekeeping::unfinished, "src/x.rs", &call), [1]);
    assert_eq!(lines(housekeeping::unfinished, "src/x.rs", &format!("{mark}D")), [0; 0]);
}

#[test]
fn no_path_of_one_machine_is_written_down() {
    clean_everywhere(housekeeping::private_paths);
}

#[test]
fn a_path_of_one_machine_is_found() {
    let path = ["/ho", "me/somebody/mizan"].concat();
    assert_eq!(lines(housekeeping::private_paths, "docs/x.md", &format!("see\nin {path}\n")), [2]);
    assert_eq!(lines(housekeeping::private_paths, "docs/x.md", &format!("docs{path}\n")), [0; 0]);
}

#[test]
fn migrations_are_numbered_once_and_named_after_their_room() {
    clean(housekeeping::migrations(&tree()));
}

#[test]
fn a_misnamed_migration_is_found() {
    let find = |names: &[&str]| {
        let files: Vec<Source> =
            names.iter().map(|name| Source::new(&format!("migrations/{name}"), "")).collect();
        housekeeping::migrations(&files).len()
    };
    assert_eq!(find(&["0001_ledger_book.sql", "0002_access_callers.sql"]), 0);
    assert_eq!(find(&["0001_ledger_book.sql", "0001_access_callers.sql"]), 1);
    assert_eq!(find(&["1_ledger_book.sql"]), 1);
    assert_eq!(find(&["0001_stuff_book.sql"]), 1);
    assert_eq!(find(&["0001_ledger.sql", "README.md"]), 2);
}
