//! Every refusal names its field, its code and the value.

use super::*;

fn faults(
    inputs: &Inputs,
    claim: Option<&Claim>,
    on: &str,
    currency: Currency,
) -> Vec<(String, &'static str, Option<String>)> {
    let error = price(&version(), inputs, claim, on.parse().expect("a day"), currency).expect_err("refused");
    error.faults.into_iter().map(|fault| (fault.field, fault.code.slug(), fault.value)).collect()
}

#[test]
fn each_wrong_input_is_named() {
    for (code, given, slug) in [
        ("samples", Given::from(0), "input_out_of_bounds"),
        ("samples", Given::from(501), "input_out_of_bounds"),
        ("samples", Given::from(-5), "input_out_of_bounds"),
        ("samples", Given::from("3"), "input_type"),
        ("samples", Given::Other("3.5".into()), "input_type"),
        ("area", Given::from("900.51"), "input_out_of_bounds"),
        ("area", Given::from("1.234"), "input_type"),
        ("area", Given::from("1e2"), "input_type"),
        ("area", Given::from("-1"), "input_type"),
        ("area", Given::from(true), "input_type"),
        ("declared", Given::from("0.99"), "input_out_of_bounds"),
        ("declared", Given::from("100000.01"), "input_out_of_bounds"),
        ("declared", Given::from("12.345"), "input_type"),
        ("declared", Given::from(12), "input_type"),
        ("size", Given::from("huge"), "input_out_of_bounds"),
        ("size", Given::from(false), "input_type"),
        ("urgent", Given::from("yes"), "input_type"),
        ("note", Given::from(""), "input_out_of_bounds"),
        ("note", Given::from("a\nb"), "input_out_of_bounds"),
    ] {
        let expected = (format!("/inputs/{code}"), slug, Some(given.to_string()));
        assert_eq!(faults(&with(&[(code, given)]), None, "2026-06-15", Currency::ILS), [expected]);
    }
}

#[test]
fn missing_and_unknown_inputs_are_all_named_at_once() {
    let mut given = inputs();
    given.remove("samples");
    given.remove("note");
    given.insert("a/b~c".into(), 1.into());
    assert_eq!(
        faults(&given, None, "2026-06-15", Currency::ILS),
        [
            ("/inputs/samples".into(), "input_missing", None),
            ("/inputs/note".into(), "input_missing", None),
            ("/inputs/a~1b~0c".into(), "input_unknown", Some("1".into())),
        ]
    );
}

#[test]
fn no_price_outside_the_days_or_currencies_of_the_version() {
    for day in ["2025-12-31", "2027-01-01"] {
        assert_eq!(
            faults(&inputs(), None, day, Currency::ILS),
            [("/service".into(), "not_valid_on_day", Some(day.into()))]
        );
    }
    let said = faults(&inputs(), None, "2026-06-15", Currency::USD);
    assert_eq!(said[0], ("/currency".into(), "currency_not_offered", Some("USD".into())));
}

#[test]
fn an_exemption_must_be_known_and_proved() {
    let refused = |claim: &Claim| faults(&inputs(), Some(claim), "2026-06-15", Currency::ILS);
    let unknown = Claim { code: "royal".into(), evidence: None };
    assert_eq!(refused(&unknown), [("/exemption/code".into(), "exemption_unknown", Some("royal".into()))]);
    let bare = Claim { evidence: None, ..research() };
    assert_eq!(refused(&bare), [("/exemption/evidence".into(), "evidence_missing", None)]);
    let evidence = Evidence { issuer: " ".into(), number: "7".into(), document_sha256: Some("abc".into()) };
    let blank = Claim { evidence: Some(evidence), ..research() };
    let fields: Vec<_> = refused(&blank).into_iter().map(|(field, ..)| field).collect();
    assert_eq!(fields, ["/exemption/evidence/issuer", "/exemption/evidence/document_sha256"]);
}

#[test]
fn an_unsound_version_is_refused_not_guessed() {
    let mut unsound = only(&["vat"]);
    let error = price(&unsound, &inputs(), None, day(), Currency::ILS).expect_err("refused");
    assert_eq!(error.faults[0].code, PriceCode::VersionUnsound);
    unsound = only(&["testing"]);
    unsound.inputs.clear();
    let error = price(&unsound, &Inputs::new(), None, day(), Currency::ILS).expect_err("refused");
    assert_eq!(
        (error.faults[0].code, error.faults[0].value.as_deref()),
        (PriceCode::VersionUnsound, Some("testing"))
    );
}

#[test]
fn a_sum_beyond_all_numbers_is_refused() {
    let mut version = only(&["testing"]);
    if let crate::catalogue::Rule::PerUnit { amount, .. } = &mut version.components[0].rule {
        *amount = crate::catalogue::Tariff::new([Money::new(i64::MAX / 2, Currency::ILS)]);
    }
    let error =
        price(&version, &with(&[("samples", 500.into())]), None, day(), Currency::ILS).expect_err("refused");
    assert_eq!(error.faults[0].code, PriceCode::AmountOutOfRange);
}

#[test]
fn a_basket_names_the_line_of_each_fault() {
    let (version, good, bad) = (version(), inputs(), with(&[("samples", 0.into())]));
    let line =
        |inputs| Ok(Asked { version: &version, inputs, claim: None, reference: Some("A-1"), day: day() });
    let basket =
        Basket::price(&[line(&good), line(&good)], Currency::ILS, Limits::default()).expect("priced");
    assert_eq!(Ok(basket.total), basket.lines[0].priced.total.checked_mul(2));
    let error =
        Basket::price(&[line(&good), line(&bad)], Currency::ILS, Limits::default()).expect_err("refused");
    assert_eq!(error.faults[0].field, "/lines/1/inputs/samples");
    let unknown = Err(PriceFault::new("/service", PriceCode::ServiceUnknown));
    let error = Basket::price(&[line(&bad), unknown], Currency::ILS, Limits::default()).expect_err("refused");
    let fields: Vec<_> = error.faults.iter().map(|fault| fault.field.as_str()).collect();
    assert_eq!(fields, ["/lines/0/inputs/samples", "/lines/1/service"]);
    let error =
        Basket::price(&[line(&good), line(&good)], Currency::USD, Limits::default()).expect_err("refused");
    let said = error.faults.iter().filter(|fault| fault.field == "/currency").count();
    assert_eq!(said, 1);
}

#[test]
fn a_basket_has_bounds() {
    let (version, good) = (version(), inputs());
    let line = Asked { version: &version, inputs: &good, claim: None, reference: None, day: day() };
    let price = |lines: usize, limits| Basket::price(&vec![Ok(line); lines], Currency::ILS, limits);
    let code = |result: Result<Basket, PriceError>| result.map_err(|error| error.faults[0].code).err();
    assert_eq!(code(price(0, Limits::default())), Some(PriceCode::BasketEmpty));
    assert_eq!(code(price(501, Limits::default())), Some(PriceCode::BasketTooLarge));
    // Seven components each: 285 lines owe 1,996 amounts with the line of the money, 286 owe 2,003.
    assert_eq!(code(price(285, Limits::default())), None);
    assert_eq!(code(price(286, Limits::default())), Some(PriceCode::BasketTooLarge));
}

#[test]
fn the_closed_list_of_codes_has_no_slug_twice() {
    let slugs: std::collections::BTreeSet<_> = PriceCode::ALL.iter().map(|code| code.slug()).collect();
    assert_eq!(slugs.len(), PriceCode::ALL.len());
    for code in PriceCode::ALL {
        assert_eq!(serde_json::to_value(code).unwrap(), code.slug());
    }
}
