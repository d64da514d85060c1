//! An import in words: what it is, and what it changes.

use serde_json::Value;

/// Everything that an approver decides on, one thing a line.
pub(super) fn import(import: &Value) -> String {
    let text = |name: &str| import[name].as_str().unwrap_or("?");
    let mut lines = vec![format!("{} by {} at {}", text("id"), text("author"), text("created_at"))];
    lines.push(match import["decided_by"].as_str() {
        Some(by) => format!("{} by {by} at {}", text("state"), text("decided_at")),
        None => text("state").to_owned(),
    });
    if let Some(reason) = import["reason"].as_str() {
        lines.push(format!("because: {reason}"));
    }
    lines.push(format!("sha256 {} over:", text("sha256")));
    for file in each(&import["files"]) {
        lines.push(format!(
            "  {}  {}",
            file["sha256"].as_str().unwrap_or("?"),
            file["name"].as_str().unwrap_or("?")
        ));
    }
    if import["outdated"] == true {
        lines.push(
            "NOT approvable: the catalogue in force has changed since; the author submits the files again"
                .to_owned(),
        );
    }
    for problem in each(&import["problems"]) {
        lines.push(format!("NOT approvable: {}", problem.as_str().unwrap_or("?")));
    }
    if import["difference"].is_object() {
        lines.push(difference(&import["difference"]));
    }
    lines.join("\n")
}

/// What is new, changed and ended, with each field that changes.
pub(super) fn difference(difference: &Value) -> String {
    let mut lines = Vec::new();
    for (list, noun) in [("agencies", "agency"), ("services", "service")] {
        for one in each(&difference[list]) {
            lines.push(format!("{} {noun} {}", plain(&one["change"]), plain(&one["code"])));
            fields(one, &mut lines);
        }
    }
    for one in each(&difference["fee_versions"]) {
        let mut head =
            format!("{} fee version {} of {}", plain(&one["change"]), one["number"], plain(&one["service"]));
        if one["follows"].is_number() {
            head.push_str(&format!(", beside version {}", one["follows"]));
        }
        lines.push(head);
        fields(one, &mut lines);
    }
    if lines.is_empty() {
        return "nothing changes: all of it is in force already".to_owned();
    }
    lines.join("\n")
}

fn fields(one: &Value, lines: &mut Vec<String>) {
    for change in each(&one["fields"]) {
        let field = plain(&change["field"]);
        lines.push(match (&change["before"], &change["after"]) {
            (Value::Null, after) => format!("  {field}: {after}"),
            (before, Value::Null) => format!("  {field}: {before} -> nothing"),
            (before, after) => format!("  {field}: {before} -> {after}"),
        });
    }
}

fn each(list: &Value) -> &[Value] {
    list.as_array().map_or(&[], Vec::as_slice)
}

fn plain(value: &Value) -> &str {
    value.as_str().unwrap_or("?")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_difference_is_told_in_words() {
        let told = difference(&json!({
            "agencies": [{ "code": "psi", "change": "changed", "fields": [
                { "field": "bank_accounts.ILS.iban", "before": "PS1", "after": "PS2" },
                { "field": "bank_accounts.JOD.iban", "before": "PS3", "after": null },
            ] }],
            "services": [],
            "fee_versions": [{ "service": "psi/x", "number": 2, "change": "new", "follows": 1, "fields": [
                { "field": "components.fee.amount.ILS", "before": null, "after": "2.00" },
            ] }],
        }));
        let expected = "changed agency psi\n  bank_accounts.ILS.iban: \"PS1\" -> \"PS2\"\n  \
            bank_accounts.JOD.iban: \"PS3\" -> nothing\nnew fee version 2 of psi/x, beside version 1\n  \
            components.fee.amount.ILS: \"2.00\"";
        assert_eq!(told, expected);
        let empty = json!({ "agencies": [], "services": [], "fee_versions": [] });
        assert_eq!(difference(&empty), "nothing changes: all of it is in force already");
    }

    #[test]
    fn an_import_that_cannot_be_approved_says_why() {
        let told = import(&json!({
            "id": "ci_1", "state": "submitted", "author": "ps_1", "created_at": "2026-11-22T08:00:00Z",
            "decided_by": null, "sha256": "ab", "files": [{ "name": "a.toml", "sha256": "cd" }],
            "outdated": true, "problems": ["a.toml:3: too early"], "difference": null,
        }));
        for line in ["submitted", "sha256 ab over:", "  cd  a.toml", "NOT approvable: a.toml:3: too early"] {
            assert!(told.lines().any(|one| one == line), "{told}");
        }
        assert!(told.contains("NOT approvable: the catalogue in force has changed"), "{told}");
    }
}
