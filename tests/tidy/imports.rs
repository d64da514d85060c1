//! What a line may touch is told by the name of its file.

use super::source::{Finding, Source, crate_paths, lines_with};

/// One kind of file, where it counts, and the words that must not stand in its code.
struct Rule {
    applies: fn(&Source) -> bool,
    forbidden: &'static [&'static str],
    why: &'static str,
}

const QUERY_MACROS: [&str; 5] = ["query!", "query_as!", "query_scalar!", "query_file!", "QueryBuilder"];

/// Beside the stores, the few places where a transaction is opened and its own rows are written.
const SQL_ELSEWHERE: [&str; 4] =
    ["src/app.rs", "src/tx.rs", "src/events/publisher.rs", "src/http/idempotency.rs"];

const RULES: [Rule; 10] = [
    Rule {
        applies: is_pure,
        forbidden: &["async", "await", "sqlx", "tokio", "axum", "reqwest", "rand", "tracing", "Clock"],
        why: "a model decides; it does no I/O and knows no clock",
    },
    Rule {
        applies: |file| file.is("store"),
        forbidden: &["axum", "mizan_adapters", "reqwest"],
        why: "a store remembers: SQL in, models out",
    },
    Rule {
        applies: |file| file.is("service") && in_hub(file),
        forbidden: &["App", ".begin(", ".commit(", "axum", "reqwest", "StatusCode", "sqlx::query"],
        why: "a service works inside the caller's Tx and knows neither HTTP nor a bank",
    },
    Rule {
        applies: |file| file.is("api") && in_hub(file),
        forbidden: &["mizan_adapters", "sqlx"],
        why: "an api speaks HTTP to its own service and store",
    },
    Rule {
        applies: |file| file.is("jobs") && in_hub(file),
        forbidden: &["axum", "StatusCode"],
        why: "a job calls outside parties; it answers nobody over HTTP",
    },
    Rule {
        applies: |file| file.path.starts_with("src/console/"),
        forbidden: &["sqlx", "mizan_adapters"],
        why: "a page shows what services give it",
    },
    Rule {
        applies: |file| file.path.starts_with("adapters/src/"),
        forbidden: &["sqlx"],
        why: "the adapters know no SQL",
    },
    Rule {
        applies: |file| file.path.starts_with("adapters/src/") && !in_sandbox(file),
        forbidden: &["axum"],
        why: "only the sandbox is a server",
    },
    Rule {
        applies: |file| file.path.starts_with("ledger/src/"),
        forbidden: &["axum", "reqwest", "tracing"],
        why: "the ledger knows no HTTP and logs nothing",
    },
    Rule {
        applies: |file| file.path.contains("src/") && !file.is("store") && !may_query(file),
        forbidden: &QUERY_MACROS,
        why: "SQL stands in a store",
    },
];

fn in_hub(file: &Source) -> bool {
    file.path.starts_with("src/")
}

fn in_sandbox(file: &Source) -> bool {
    file.path.starts_with("adapters/src/sandbox/")
}

fn is_pure(file: &Source) -> bool {
    let is_model = in_hub(file) && (file.is("model") || file.is("matching"));
    is_model || file.is("wire") || file.path.starts_with("src/books/rules")
}

fn may_query(file: &Source) -> bool {
    SQL_ELSEWHERE.contains(&file.path.as_str())
}

pub fn by_file_name(file: &Source) -> Vec<Finding> {
    if !file.is_rust() {
        return Vec::new();
    }
    let rules: Vec<&Rule> = RULES.iter().filter(|rule| (rule.applies)(file)).collect();
    if rules.is_empty() {
        return Vec::new();
    }
    let code = file.code();
    let mut findings = Vec::new();
    for rule in rules {
        for word in rule.forbidden {
            for line in lines_with(&code, word) {
                findings.push(file.found(line, format!("`{word}`: {}", rule.why)));
            }
        }
    }
    findings
}

/// The sandbox bank shares nothing with the readers it tests, so that it cannot mirror their mistakes.
pub fn sandbox_stands_alone(file: &Source) -> Vec<Finding> {
    if !in_sandbox(file) || !file.is_rust() {
        return Vec::new();
    }
    crate_paths(file)
        .into_iter()
        .filter(|(_, path)| path.first().is_some_and(|room| room != "sandbox"))
        .map(|(line, path)| {
            file.found(line, format!("crate::{}: the sandbox uses no other module", path.join("::")))
        })
        .collect()
}
