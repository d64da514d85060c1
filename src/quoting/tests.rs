//! What prices must be, whatever the version: table by table, then by law.

mod kinds;
mod laws;
mod promises;
mod refusals;

use mizan_ledger::{Currency, Day, Money};

use super::*;
use crate::catalogue::{FeeVersion, check};

/// The first version of the example that has one of everything.
pub(super) fn version() -> FeeVersion {
    let good = include_str!("../catalogue/import/tests/good.toml");
    let catalogue = check(&[("good.toml", good)]).expect("good");
    catalogue.services.into_iter().flat_map(|service| service.versions).next().expect("a version")
}

/// The version with only the components named, in that order, without their conditions where asked.
fn only(codes: &[&str]) -> FeeVersion {
    let whole = version();
    let chosen = |code: &&str| whole.component(&code.parse().expect("a code")).expect("there").clone();
    FeeVersion { components: codes.iter().map(chosen).collect(), exemptions: Vec::new(), ..whole }
}

fn day() -> Day {
    "2026-06-15".parse().expect("a day")
}

/// Inputs that every rule of the example accepts.
fn inputs() -> Inputs {
    [
        ("samples", Given::from(3)),
        ("area", Given::from("120.50")),
        ("urgent", Given::from(true)),
        ("declared", Given::from("12345.00")),
        ("size", Given::from("large")),
        ("note", Given::from("عينة")),
    ]
    .into_iter()
    .map(|(code, given)| (code.to_owned(), given))
    .collect()
}

fn with(changes: &[(&str, Given)]) -> Inputs {
    let mut inputs = inputs();
    for (code, given) in changes {
        inputs.insert((*code).to_owned(), given.clone());
    }
    inputs
}

fn research() -> Claim {
    let evidence =
        Evidence { issuer: "Example University".into(), number: "17".into(), document_sha256: None };
    Claim { code: "research".into(), evidence: Some(evidence) }
}

fn ils(amount: &str) -> Money {
    Money::parse(amount, Currency::ILS).expect("an amount")
}

fn priced(version: &FeeVersion, inputs: &Inputs, currency: Currency) -> Priced {
    price(version, inputs, None, day(), currency).expect("priced")
}
