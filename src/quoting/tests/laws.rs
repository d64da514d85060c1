//! Laws of every price.

use proptest::prelude::*;

use super::*;
use crate::catalogue::import::tests::example;
use crate::catalogue::{Beneficiary, InputKind, Service};

prop_compose! {
    fn any_inputs()(
        samples in 1_i64..=500,
        hundredths in 0_i64..=90_050,
        urgent: bool,
        declared in 100_i64..=2_000_000,
        large: bool,
    ) -> Inputs {
        with(&[
            ("samples", samples.into()),
            ("area", format!("{}.{:02}", hundredths / 100, hundredths % 100).as_str().into()),
            ("urgent", urgent.into()),
            ("declared", format!("{}.{:02}", declared / 100, declared % 100).as_str().into()),
            ("size", if large { "large" } else { "small" }.into()),
        ])
    }
}

proptest! {
    #[test]
    fn lines_and_nets_add_up_to_the_total(inputs in any_inputs(), jod: bool, claimed: bool) {
        let currency = if jod { Currency::JOD } else { Currency::ILS };
        let claim = claimed.then(research);
        let priced = price(&version(), &inputs, claim.as_ref(), day(), currency).expect("priced");
        let lines = Money::sum(currency, priced.lines.iter().map(|line| line.amount));
        prop_assert_eq!(lines, Ok(priced.total));
        let nets = priced.nets();
        prop_assert_eq!(Money::sum(currency, nets.iter().map(|net| net.amount)), Ok(priced.total));
        prop_assert!(nets.iter().all(|net| !net.amount.is_negative() && !net.exempted.is_negative()));
        prop_assert!(!priced.total.is_negative());
    }

    #[test]
    fn the_same_arguments_give_the_same_price(inputs in any_inputs()) {
        let once = priced(&version(), &inputs, Currency::ILS);
        prop_assert_eq!(&once, &priced(&version(), &inputs, Currency::ILS));
        let json = serde_json::to_string(&once).expect("serializes");
        prop_assert_eq!(serde_json::from_str::<Priced>(&json).expect("reads"), once);
    }

    #[test]
    fn more_never_costs_less(inputs in any_inputs(), further in 0_i64..100) {
        let Some(Given::Integer(samples)) = inputs.get("samples").cloned() else { unreachable!() };
        let mut more = inputs.clone();
        more.insert("samples".into(), (samples + further).min(500).into());
        let version = version();
        let (less, more) = (priced(&version, &inputs, Currency::ILS), priced(&version, &more, Currency::ILS));
        prop_assert!(less.total.minor() <= more.total.minor());
    }

    #[test]
    fn graduated_bands_never_fall(left in 0_i64..=900, right in 0_i64..=900) {
        let version = only(&["area"]);
        let total = |area: i64| priced(&version, &with(&[("area", area.into())]), Currency::JOD).total.minor();
        prop_assert!(total(left.min(right)) <= total(left.max(right)));
    }

    #[test]
    fn an_exemption_never_raises_a_price(inputs in any_inputs()) {
        let version = version();
        let full = priced(&version, &inputs, Currency::ILS);
        let claimed = price(&version, &inputs, Some(&research()), day(), Currency::ILS).expect("priced");
        prop_assert!(claimed.total.minor() <= full.total.minor());
    }

    #[test]
    fn a_percentage_is_within_one_step_of_the_exact_share(samples in 3_i64..=500) {
        let version = only(&["testing", "urgency"]);
        let priced = priced(&version, &with(&[("samples", samples.into())]), Currency::ILS);
        let nets = priced.nets();
        let doubled = i128::from(nets[1].amount.minor()) * 2; // half of the testing, to 5 agorot
        prop_assert!((doubled - i128::from(nets[0].amount.minor())).abs() < 10);
        prop_assert_eq!(nets[1].amount.minor() % 5, 0);
    }

    #[test]
    fn whatever_is_given_there_is_an_answer(
        given in prop::collection::btree_map("[a-z/~]{0,8}|samples|area|declared|size", any_given(), 0..8),
        code in "research|nothing|",
    ) {
        let claim = Claim { code, evidence: None };
        let answer = price(&version(), &given, Some(&claim), day(), Currency::USD);
        prop_assert!(answer.is_err_and(|error| !error.faults.is_empty()));
    }
}

fn any_given() -> impl Strategy<Value = Given> {
    prop_oneof![
        any::<bool>().prop_map(Given::Boolean),
        any::<i64>().prop_map(Given::Integer),
        "\\PC{0,30}".prop_map(Given::Text),
        "\\PC{0,10}".prop_map(Given::Other),
    ]
}

/// Inputs in the middle of what a version accepts.
fn fitting(version: &FeeVersion, currency: Currency) -> Inputs {
    let given = |kind: &InputKind| match kind {
        InputKind::Integer { min, max } => Given::Integer(min + (max - min) / 3),
        InputKind::Decimal { max, .. } => Given::Text(max.to_string()),
        InputKind::Amount { max, .. } => Given::Text(max.get(currency).expect("a tariff").amount()),
        InputKind::Choice { options } => Given::Text(options[0].code.to_string()),
        InputKind::Boolean => Given::Boolean(true),
        InputKind::Text { .. } => Given::from("نص"),
    };
    version.inputs.iter().map(|input| (input.code.to_string(), given(&input.kind))).collect()
}

fn each_example(mut see: impl FnMut(&Service, &FeeVersion)) {
    for name in ["standards", "hukumati"] {
        for service in check(&example(name)).expect("clean").services {
            for version in &service.versions {
                see(&service, version);
            }
        }
    }
}

#[test]
fn every_example_service_has_a_price_in_each_of_its_currencies() {
    let mut seen = 0;
    each_example(|service, version| {
        for currency in &version.currencies {
            let inputs = fitting(version, *currency);
            let priced = price(version, &inputs, None, version.valid.from, *currency)
                .unwrap_or_else(|error| panic!("{} in {currency}: {error}", service.code));
            assert!(priced.total.is_positive(), "{} in {currency}", service.code);
            let lines = Money::sum(*currency, priced.lines.iter().map(|line| line.amount));
            assert_eq!(lines, Ok(priced.total), "{}", service.code);
            for exemption in &version.exemptions {
                let claim = Claim { code: exemption.code.to_string(), ..research() };
                let less =
                    price(version, &inputs, Some(&claim), version.valid.from, *currency).expect("priced");
                assert!(less.total.minor() < priced.total.minor(), "{}", exemption.code);
            }
            seen += 1;
        }
    });
    assert!(seen >= 60, "{seen} prices");
}

#[test]
fn a_tax_component_of_the_examples_goes_to_a_tax_account() {
    each_example(|service, version| {
        for component in &version.components {
            let is_tax = matches!(component.rule, crate::catalogue::Rule::Tax { .. });
            let to_tax = matches!(component.beneficiary, Beneficiary::AgencyTax(_));
            assert_eq!(is_tax, to_tax, "{} {}", service.code, component.code);
        }
    });
}
