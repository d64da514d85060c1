//! `mizan demo` as a stranger runs it: a cluster, a bank and a hub of its own, and the verdict at the end.

use serde_json::{Value, json};
use tokio::process::Command;

/// Runs the command with a short day; answers its exit code and what it printed.
async fn demo(args: &[&str]) -> (i32, String) {
    day_of("12", args).await
}

async fn day_of(payments: &str, args: &[&str]) -> (i32, String) {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_mizan"));
    command.args(["demo", "--exit", "--payments", payments]).args(args).env("XDG_DATA_HOME", home.path());
    let output = command.current_dir(env!("CARGO_MANIFEST_DIR")).output().await.unwrap();
    println!("{}", String::from_utf8_lossy(&output.stderr));
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

/// What a wrong case must end in: exit code, breaks with category, amount, currency and state, and the identities with
/// something unexplained.
struct Case {
    name: &'static str,
    exit: i32,
    broken: &'static [(&'static str, Option<&'static str>, &'static str)],
    unexplained: &'static [&'static str],
}

const CASES: [Case; 8] = [
    Case {
        name: "missing-line",
        exit: 1,
        broken: &[
            ("missing_at_bank", Some("2356.37"), "open"),
            ("statement_does_not_close", Some("2356.37"), "open"),
        ],
        unexplained: &["banks"],
    },
    Case {
        name: "wrong-amount",
        exit: 0,
        broken: &[("amount_over", Some("5.00"), "open")],
        unexplained: &[],
    },
    Case {
        name: "extra-credit",
        exit: 0,
        broken: &[("unknown_credit", Some("77.70"), "open")],
        unexplained: &[],
    },
    Case { name: "double-callback", exit: 0, broken: &[], unexplained: &[] },
    Case {
        name: "lost-callback",
        exit: 0,
        broken: &[("missing_in_hub", Some("322.88"), "self_resolved")],
        unexplained: &[],
    },
    Case { name: "late", exit: 0, broken: &[("late_money", Some("322.88"), "open")], unexplained: &[] },
    Case { name: "altered", exit: 0, broken: &[("altered", Some("323.88"), "open")], unexplained: &[] },
    Case { name: "cut-off", exit: 0, broken: &[("cut_off", Some("322.88"), "open")], unexplained: &[] },
];

async fn ends_as_it_must(case: &Case) {
    let (exit, printed) = demo(&["--json", "--wrong", case.name]).await;
    let result: Value = serde_json::from_str(&printed).unwrap();
    let mut broken: Vec<_> = result["broken"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            assert!(matches!(one["money"]["currency"].as_str(), Some("ILS")), "{}: {one}", case.name);
            (text(one, "category"), one["money"]["amount"].as_str(), text(one, "state"))
        })
        .collect();
    broken.sort_unstable();
    assert_eq!(broken, case.broken, "{}: {printed}", case.name);
    let unexplained: Vec<&str> = result["proof"]["ILS"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, part)| part["unexplained"] != "0.00")
        .map(|(identity, _)| identity.as_str())
        .collect();
    assert_eq!(unexplained, case.unexplained, "{}", case.name);
    assert_eq!((exit, &result["tied"]), (case.exit, &json!(case.exit == 0)), "{}", case.name);
    assert_eq!(result["laws"], "hold", "{}", case.name);
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap()
}

/// Each case by itself, so that they run beside each other; the table is complete when every case has its test.
macro_rules! wrong {
    ($($test:ident: $place:literal)*) => {
        $(#[tokio::test] async fn $test() { ends_as_it_must(&CASES[$place]).await; })*
        #[test]
        fn every_case_of_the_table_has_its_test() {
            assert_eq!([$($place),*].to_vec(), (0..CASES.len()).collect::<Vec<_>>());
        }
    };
}

wrong! {
    a_missing_line_is_missing_at_the_bank_and_does_not_tie: 0
    a_wrong_amount_goes_to_suspense: 1
    an_extra_credit_is_unknown: 2
    a_double_callback_is_one_entry: 3
    a_lost_callback_is_found_in_the_settlement: 4
    money_for_a_canceled_bill_is_late: 5
    an_altered_callback_stands_aside: 6
    a_payment_settled_a_day_later_is_a_cut_off: 7
}

#[tokio::test]
async fn the_ordinary_day_ends_tied_with_two_refunds_and_its_breaks() {
    let (exit, printed) = demo(&["--json"]).await;
    let result: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!((exit, &result["tied"], &result["laws"]), (0, &json!(true), &json!("hold")), "{printed}");
    assert_eq!(result["states"], json!({ "paid": 17, "requires_payment": 1, "canceled": 1, "expired": 3 }));
    assert_eq!(
        (&result["payments"], &result["paid"], &result["refunds"]),
        (&json!(22), &json!(17), &json!(2))
    );
    assert_eq!(result["breaks"], json!({ "late_money": 1, "unknown_credit": 1, "missing_in_hub": 1 }));
    assert_eq!(result["waiting"], json!({ "late_money": 1, "unknown_credit": 1 }));
    for (currency, digits) in [("ILS", 2), ("JOD", 3), ("USD", 2)] {
        for identity in ["channels", "banks", "agencies", "custody"] {
            let part = &result["proof"][currency][identity];
            assert_eq!(part["unexplained"], format!("0.{}", "0".repeat(digits)), "{currency} {identity}");
            assert!(part["book"].is_string() && part["listed"].is_string());
        }
    }
    for name in ["database_url", "api"] {
        assert!(result[name].is_string(), "{name}");
    }
}

/// The README shows the story as it is told: every line of its transcript, numbers and ids apart, is in the real one,
/// in the same order.
#[tokio::test]
async fn the_transcript_in_the_readme_is_what_the_demo_tells() {
    let (exit, told) = demo(&[]).await;
    assert_eq!(exit, 0, "{told}");
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let from = readme.find("$ make demo ARGS=--exit").expect("the transcript begins with its command");
    let shown = readme[from..].split("```").next().unwrap();
    let mut told = told.lines().map(shape);
    for line in shown.lines().skip(1).filter(|line| !line.trim().is_empty() && line.trim() != "...") {
        assert!(told.any(|one| one == shape(line)), "the demo does not tell, or not in this place: {line}");
    }
}

/// Every figure of the finance handbook's day is told by the demo it names, and what it says to wait for a person waits.
#[tokio::test]
async fn the_figures_of_the_finance_handbook_are_what_the_demo_tells() {
    let handbook = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/FINANCE.md")).unwrap();
    assert!(handbook.contains("make demo ARGS='--payments 24'"));
    let (exit, told) = day_of("24", &[]).await;
    assert_eq!(exit, 0, "{told}");
    let part = |from: &str, to: &str| handbook.split_once(from).unwrap().1.split_once(to).unwrap().0;
    let (proof, waiting) =
        (part("## Four identities", "## Breaks"), part("In the demo two wait", "## Suspense"));
    let figures = |text: &str| -> Vec<String> {
        let words = text.split(|letter: char| !(letter.is_ascii_digit() || matches!(letter, '.' | ',')));
        let words = words.map(|word| word.trim_matches(['.', ',']).replace(',', ""));
        words.filter(|word| word.contains('.')).collect()
    };
    let there = figures(&told);
    assert!(figures(proof).len() > 25, "{proof}");
    for figure in figures(proof).iter().chain(&figures(waiting)) {
        assert!(there.contains(figure), "the demo does not tell {figure}: {told}");
    }
    let waits = told.lines().filter_map(|line| line.trim().strip_prefix("waits for a person: "));
    let waits: Vec<&str> = waits.collect();
    assert_eq!(waits.len(), 2, "{waits:?}");
    for one in waits {
        let [category, amount, "ILS"] = one.split(' ').collect::<Vec<_>>()[..] else { panic!("{one}") };
        let category = format!("*{}*", category.replace('_', " "));
        assert!(waiting.contains(&category) && waiting.contains(amount), "{one}: {waiting}");
    }
}

/// A line without what differs from run to run: digits become 0, runs of them and of blanks one, ids of keys nothing.
fn shape(line: &str) -> String {
    let mut shape = String::new();
    for word in line.split_whitespace() {
        let word = if word.starts_with("mizan-") { "mizan-0" } else { word };
        for letter in word.chars() {
            let letter = if letter.is_ascii_digit() { '0' } else { letter };
            if !(letter == '0' && shape.ends_with('0')) {
                shape.push(letter);
            }
        }
        shape.push(' ');
    }
    shape.trim_end().to_owned()
}
