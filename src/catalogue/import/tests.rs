//! Good files are read whole; every kind of bad one is told with its line, and nothing else is said.

use std::path::PathBuf;

use super::super::fee::{FeeVersion, Rule};
use super::super::model::Agency;
use super::*;

/// A file with one of everything.
const GOOD: &str = include_str!("tests/good.toml");

fn problems(text: &str) -> Vec<Problem> {
    check(&[("good.toml", text)]).expect_err("the file is bad")
}

/// What one change of the good file leads to: exactly one problem, on the line where `at` stands.
fn told(find: &str, replace: &str, at: &str) -> String {
    let found = GOOD.matches(find).count();
    assert_eq!(found, 1, "{find:?} must stand once in good.toml");
    let bad = GOOD.replace(find, replace);
    let line = bad.lines().position(|line| line.contains(at)).expect("the line is there") + 1;
    let problems = problems(&bad);
    assert_eq!(problems.len(), 1, "{replace:?}: {problems:#?}");
    assert_eq!((problems[0].file.as_str(), problems[0].line), ("good.toml", line), "{problems:#?}");
    problems[0].what.clone()
}

#[test]
fn the_good_file_is_good_and_survives_json() {
    let catalogue = check(&[("good.toml", GOOD)]).expect("good");
    assert!(catalogue.example);
    let service = &catalogue.services[0];
    assert_eq!((service.versions.len(), service.versions[0].components.len()), (2, 7));
    assert!(matches!(service.versions[0].components[1].rule, Rule::PerUnit { .. }));
    let json = serde_json::to_string(&catalogue.agencies).expect("serializes");
    assert_eq!(serde_json::from_str::<Vec<Agency>>(&json).expect("reads"), catalogue.agencies);
    let json = serde_json::to_string(&catalogue.services).expect("serializes");
    assert_eq!(serde_json::from_str::<Vec<Service>>(&json).expect("reads"), catalogue.services);
    for version in &service.versions {
        let json = serde_json::to_string(version).expect("serializes");
        assert_eq!(&serde_json::from_str::<FeeVersion>(&json).expect("reads"), version);
    }
}

#[test]
fn each_unreadable_key_is_told_with_its_line() {
    for (find, replace, what) in [
        ("duration_days = 10", "duration_days = 10\ncolour = 1", "unknown key `colour`"),
        ("gl = \"4211\"", "gl = \"4211\"\nbeneficary = \"hub\"", "unknown key `beneficary`"),
        ("duration_days = 10", "duration_days = \"ten\"", "whole number"),
        ("duration_days = 10", "duration_days = -1", "whole number"),
        ("number = 1", "number = 1.5", "whole number"),
        ("from = 2026-01-01", "from = \"2026-01-01\"", "a day without quotes"),
        ("from = 2026-01-01", "from = 2026-01-01T00:00:00Z", "a day without quotes"),
        ("code = \"testing\"", "code = \"Testing\"", "not a code"),
        ("zone = \"Asia/Hebron\"", "zone = \"Asia/Nowhere\"", "is no IANA time zone"),
        (
            "channels = [\"card\", \"counter\"]",
            "channels = [\"card\", \"pigeon\"]",
            "unknown variant `pigeon`",
        ),
        ("channels = [\"card\", \"counter\"]", "channels = []", "`channels` is empty"),
        ("beneficiary = { treasury = \"stamps\" }", "beneficiary = { king = \"stamps\" }", "unknown variant"),
        ("refund = \"always\"", "refund = \"sometimes\"", "unknown variant `sometimes`"),
        ("release = { after_days = 3 }", "release = \"soon\"", "unknown variant `soon`"),
        ("mode = \"half_even\"", "mode = \"nearest\"", "unknown variant `nearest`"),
        ("scale = \"graduated\"", "scale = \"steep\"", "unknown variant `steep`"),
        ("rate = \"0.16\"", "rate = 0.16", "text in quotes"),
        ("rate = \"0.16\"", "rate = \"16%\"", "not a rate"),
        ("USD = \"40.00\"", "XXX = \"40.00\"", "not an ISO 4217 currency"),
        ("JOD = \"7.000\"", "JOD = \"0.0005\"", "more than the 3 decimals of JOD"),
        ("JOD = \"7.000\"", "JOD = 7", "the amount in JOD is a text"),
        ("ILS = \"35.00\"", "ILS = \"35.005\"", "more than the 2 decimals of ILS"),
        ("ILS = \"35.00\"", "ILS = \"thirty\"", "not an amount"),
        ("step_minor = { ILS = 5 }", "step_minor = { ILS = \"5\" }", "whole number of minor units"),
        ("max = \"900.5\"", "max = 900.5", "decimals in quotes"),
    ] {
        let said = told(find, replace, replace.rsplit('\n').next().expect("a line"));
        assert!(said.contains(what), "{replace:?}: {said:?} does not say {what:?}");
    }
}

#[test]
fn each_missing_key_is_told_at_its_table() {
    for (find, at, what) in [
        ("issuer = \"2101\"\n", "[[agencies]]", "`issuer` is missing"),
        ("legal = ", "[[services.versions]]", "`legal` is missing"),
        ("refund = \"always\"\n", "# component: fixed", "`refund` is missing"),
        ("amount = { ILS = \"35.00\", JOD = \"7.000\" }\n", "# component: per unit", "`amount` is missing"),
    ] {
        let (find, replace) = if find == "legal = " { (LEGAL_1, "") } else { (find, "") };
        let header = format!("{at} "); // the marker stands on the header's line
        let at = if at.starts_with('#') { at } else { header.trim_end() };
        assert!(told(find, replace, at).contains(what), "{find:?}");
    }
    assert!(told(", en = \"Testing\"", "", "ar = \"الفحص\"").contains("`en` is missing"));
}

const LEGAL_1: &str = "legal = { instrument = { ar = \"نظام مثال\", en = \"Example regulation\" }, article = \"3\", date = 2025-11-16 } # first\n";

#[test]
fn each_unsound_version_is_told_with_its_line() {
    for (find, replace, what) in [
        ("ar = \"الفحص\"", "ar = \"Testing\"", "no Arabic letter"),
        ("en = \"Intake\"", "en = \" \"", "the text in `en` is empty"),
        ("number = 1", "number = 0", "numbered from 1"),
        ("to = 2027-01-01", "to = 2026-01-01", "ends before it begins"),
        (
            "currencies = [\"ILS\", \"JOD\"] # first",
            "currencies = [\"ILS\", \"JOD\", \"ILS\"]",
            "ILS stands twice",
        ),
        ("article = \"3/2\"", "article = \"\"", "one line of 1 to 60"),
        ("ILS = \"35.00\", JOD = \"7.000\"", "ILS = \"35.00\"", "an amount in JOD is missing"),
        ("ILS = \"35.00\", JOD", "USD = \"1.00\", ILS = \"35.00\", JOD", "USD is not a currency"),
        ("ILS = \"35.00\"", "ILS = \"-35.00\"", "below zero"),
        ("input = \"samples\"", "input = \"sample\"", "there is no input `sample`"),
        ("input = \"samples\"", "input = \"urgent\" # here", "the input `urgent` is not a number"),
        ("when = { input = \"urgent\" }", "when = { input = \"haste\" }", "there is no input `haste`"),
        ("when = { input = \"urgent\" }", "when = { input = \"size\" }", "is not a boolean"),
        ("when = { input = \"urgent\" }", "when = { input = \"size\", is = [\"huge\"] }", "no option `huge`"),
        ("of = { components = [\"testing\"] }", "of = { components = [\"tests\"] }", "no component `tests`"),
        (
            "of = { components = [\"testing\"] }",
            "of = { components = [\"urgency\"] }",
            "computed from itself",
        ),
        ("of = { components = [\"testing\"] }", "of = { components = [\"vat\"] }", "computed from itself"),
        ("of = { components = [\"testing\"] }", "of = { input = \"samples\" }", "is not an amount"),
        ("rate = \"0.16\"", "rate = \"16\"", "a tax above the whole"),
        ("rate = \"0.16\"", "rate = \"0\"", "above zero"),
        (
            "max = { ILS = \"90.00\", JOD = \"18.000\" }",
            "max = { ILS = \"1.00\", JOD = \"18.000\" }",
            "above the maximum",
        ),
        ("{ from = 100, to = 300,", "{ from = 90, to = 300,", "the range overlaps the one before"),
        ("{ from = 100, to = 300,", "{ from = 110, to = 300,", "nothing is said from 100 to below 110"),
        ("{ from = 300,", "{ from = 300, to = 900,", "the last range ends below 900"),
        ("{ from = 100, to = 300,", "{ from = 100,", "only the last range"),
        ("{ from = 0, to = 100,", "{ from = 5, to = 100,", "the first range begins at 5"),
        (
            "large = { ILS = \"50.00\", JOD = \"10.000\" }",
            "huge = { ILS = \"50.00\", JOD = \"10.000\" }",
            "no option `huge`",
        ),
        ("max = 500", "max = 0", "below the least"),
        ("min = 1 # samples", "min = -1", "0 or more"),
        ("decimals = 2", "decimals = 7", "1 to 6 decimals"),
        ("max = \"900.5\"", "max = \"900.555\"", "more than 2 decimals"),
        ("chars_max = 60", "chars_max = 0", "1 to 500"),
        ("code = \"large\", name", "code = \"small\", name", "`small` stands twice"),
        ("release = { after_days = 3 }", "release = { after_days = 0 }", "at least 1"),
        ("step_minor = { ILS = 5 }", "step_minor = { ILS = 0 }", "at least 1"),
        ("step_minor = { ILS = 5 }", "step_minor = { USD = 5 }", "USD is not a currency"),
        (
            "covers = [\"testing\", \"share\"] # exemption",
            "covers = [\"testing\", \"vat\"]",
            "name only one of them",
        ),
        ("covers = [\"testing\", \"share\"] # exemption", "covers = [\"tests\"]", "no component `tests`"),
        ("rate = \"0.3\"", "rate = \"1.3\"", "above 0 and at most 1"),
        ("document_sha256 = \"", "document_sha256 = \"z", "hexadecimal"),
    ] {
        let bad = GOOD.replace(find, replace);
        assert_ne!(bad, GOOD, "{find:?} must stand in good.toml");
        let lines: Vec<&str> = bad.lines().collect();
        let line = lines.iter().rposition(|line| line.contains(replace)).expect("the line is there") + 1;
        let said = problems(&bad);
        let told = said.iter().find(|problem| problem.what.contains(what));
        let told = told.unwrap_or_else(|| panic!("{replace:?}: {what:?} is not among {said:#?}"));
        let near = line.abs_diff(told.line);
        assert!(near <= usize::from(what.contains("computed from itself")) * 200, "{replace:?}: {told}");
    }
}

#[test]
fn what_only_shows_across_tables_is_told_with_its_line() {
    for (find, replace, what) in [
        ("issuer = \"2101\"", "issuer = \"21\"", "not four digits"),
        ("issuer = \"2109\"", "issuer = \"2101\"", "are those of `psi`"),
        ("code = \"other\"", "code = \"psi\"", "the agency `psi` stands twice"),
        ("code = \"psi/report\"", "code = \"report\"", "not a service code"),
        ("code = \"psi/report\"", "code = \"psj/report\"", "there is no agency `psj`"),
        (
            "iban = \"PS63EXMP000000000000000011001\"",
            "iban = \"PS64EXMP000000000000000011001\"",
            "check digits",
        ),
        (
            "iban = \"PS63EXMP000000000000000011001\"",
            "iban = \"PS63EXMP00000000000000001100\"",
            "has 28 characters",
        ),
        ("currency = \"JOD\", iban", "currency = \"USD\", iban", "no account takes JOD"),
        ("from = 2027-01-01 # second", "from = 2026-12-31", "overlap those of version 1"),
        ("number = 2", "number = 1", "version 1 stands twice"),
        (
            "mode = \"pooled\" }, # general",
            "mode = \"pooled\", channel = \"card\" },",
            "general money mode is missing",
        ),
        ("service = \"psi/report\"", "service = \"psi/nothing\"", "not a service of this agency"),
        ("tags = [\"testing\"]", "tags = [\"testing\", \"testing\"]", "stands twice"),
    ] {
        let bad = GOOD.replacen(find, replace, 1);
        assert_ne!(bad, GOOD, "{find:?} must stand in good.toml");
        let said = problems(&bad);
        assert!(said.iter().any(|problem| problem.what.contains(what)), "{replace:?}: {said:#?}");
    }
}

#[test]
fn every_problem_of_every_file_is_told_at_once_in_order() {
    let bad = GOOD
        .replace("refund = \"always\"", "refund = \"sometimes\"")
        .replace("JOD = \"7.000\"", "JOD = \"0.0005\"")
        .replace("input = \"samples\"", "input = \"sample\"")
        .replace("duration_days = 10", "duration_days = 10\ncolour = 1");
    let broken = "example = true\n[[services]\ncode = 1";
    let said = check(&[("a.toml", bad.as_str()), ("b.toml", broken)]).expect_err("bad");
    let in_a = said.iter().filter(|problem| problem.file == "a.toml");
    let whats: Vec<_> = in_a.map(|problem| problem.what.as_str()).collect();
    assert_eq!(whats.len(), 3, "{said:#?}"); // the unknown input shows once the version can be read
    assert!(said.iter().any(|problem| problem.file == "b.toml" && problem.line == 2), "{said:#?}");
    let lines: Vec<_> = said.iter().map(|problem| (problem.file.clone(), problem.line)).collect();
    assert!(lines.is_sorted(), "{lines:?}");
    assert!(said[0].to_string().starts_with("a.toml:"));
}

#[test]
fn a_circle_of_components_is_told_once_inside_the_circle() {
    let version = &check(&[("good.toml", GOOD)]).expect("good").services[0].versions[0];
    let mut circle = version.clone();
    let share = |code: &str, rule: &mut Rule| {
        *rule =
            Rule::Tax { rate: "0.1".parse().expect("a rate"), covers: vec![code.parse().expect("a code")] };
    };
    share("urgency", &mut circle.components[1].rule); // testing -> urgency -> testing
    let circles = circle.defects().into_iter().filter(|defect| defect.what.contains("computed from itself"));
    assert_eq!(circles.map(|defect| defect.at).collect::<Vec<_>>(), ["/components/2/of"]);
}

#[test]
fn nonsense_is_refused_without_panic() {
    for text in
        ["", "=", "agencies = 1", "services = [1, 2]", "[[services]]\nversions = [{}]", "\u{0}", "[a]\n[a]"]
    {
        drop(check(&[("x.toml", text)]));
    }
    assert!(check(&[("x.toml", "services = [1, 2]")]).is_err());
    assert!(check::<&str, &str>(&[]).is_ok());
}

/// The files of one example catalogue.
pub(crate) fn example(name: &str) -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("config/catalogue").join(name);
    let mut paths: Vec<_> = std::fs::read_dir(&folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("a file").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    paths.sort();
    let read = |path: &PathBuf| std::fs::read_to_string(path).expect("readable");
    paths.iter().map(|path| (path.display().to_string(), read(path))).collect()
}

#[test]
fn the_example_catalogues_are_clean_and_say_that_they_are_examples() {
    for name in ["standards", "hukumati"] {
        let files = example(name);
        for (file, text) in &files {
            assert!(text.starts_with("# EXAMPLE: invented tariffs"), "{file}");
            assert!(text.contains("\nexample = true\n"), "{file}");
        }
        let catalogue = check(&files).unwrap_or_else(|problems| {
            panic!("{}", problems.iter().map(|problem| format!("{problem}\n")).collect::<String>())
        });
        assert!(catalogue.services.len() >= 10, "{name} has {} services", catalogue.services.len());
        assert!(catalogue.example);
    }
}
