//! Each component kind against amounts worked out by hand.

use super::*;
use crate::catalogue::{BandScale, Rule};

/// (component, part, amount) of each line.
fn lines(priced: &Priced) -> Vec<(String, &'static str, String)> {
    let part = |part: &Part| match part {
        Part::Charge => "charge",
        Part::Rounding => "rounding",
        Part::Exemption(_) => "exemption",
    };
    let line = |line: &Line| (line.component.to_string(), part(&line.part), line.amount.amount());
    priced.lines.iter().map(line).collect()
}

fn expect(priced: &Priced, expected: &[(&str, &'static str, &str)]) {
    let expected: Vec<_> = expected
        .iter()
        .map(|(code, part, amount)| ((*code).to_owned(), *part, (*amount).to_owned()))
        .collect();
    assert_eq!(lines(priced), expected);
}

#[test]
fn a_fixed_fee_is_the_tariff_of_its_currency() {
    expect(&priced(&only(&["intake"]), &inputs(), Currency::ILS), &[("intake", "charge", "5.00")]);
    expect(&priced(&only(&["intake"]), &inputs(), Currency::JOD), &[("intake", "charge", "1.000")]);
}

#[test]
fn units_beyond_the_included_ones_are_charged() {
    for (samples, amount) in [(1, "0.00"), (2, "0.00"), (3, "35.00"), (500, "17430.00")] {
        let priced = priced(&only(&["testing"]), &with(&[("samples", samples.into())]), Currency::ILS);
        expect(&priced, &[("testing", "charge", amount)]);
    }
}

#[test]
fn a_percentage_rounds_once_and_shows_its_step() {
    // 1 unit x 35.15 = 35.15; half of it is 17.575, to a step of 5 agorot with halves to even: 17.60, not
    // 17.58 -> 17.60 by way of a second rounding.
    let mut version = only(&["testing", "urgency"]);
    if let Rule::PerUnit { amount, .. } = &mut version.components[0].rule {
        *amount = crate::catalogue::Tariff::new([ils("35.15")]);
    }
    version.currencies = vec![Currency::ILS];
    let priced = priced(&version, &inputs(), Currency::ILS);
    expect(
        &priced,
        &[("testing", "charge", "35.15"), ("urgency", "charge", "17.58"), ("urgency", "rounding", "0.02")],
    );
    assert_eq!(priced.total, ils("52.75"));
    assert_eq!(priced.nets()[1].amount, ils("17.60"));
}

#[test]
fn a_share_stays_between_its_minimum_and_maximum() {
    for (declared, amount, word) in [
        ("12345.00", "24.69", "of 12345.00 ILS."),
        ("100.00", "10.00", "the minimum 10.00 ILS is charged"),
        ("99999.99", "90.00", "the maximum 90.00 ILS is charged"),
        ("5000.00", "10.00", "0.2% of 5000.00 ILS."),
    ] {
        let priced = priced(&only(&["share"]), &with(&[("declared", declared.into())]), Currency::ILS);
        expect(&priced, &[("share", "charge", amount)]);
        let why = &priced.lines[0].explanation;
        assert!(why.en.contains(word), "{declared}: {}", why.en);
    }
}

#[test]
fn graduated_bands_charge_each_part_at_its_own_amount() {
    for (area, amount) in [
        ("0", "0.00"),
        ("100", "100.00"),
        ("120.50", "141.00"), // 100 x 1 + 20.5 x 2
        ("300", "500.00"),
        ("300.01", "500.03"),
        ("900.5", "2301.50"),
    ] {
        let priced = priced(&only(&["area"]), &with(&[("area", area.into())]), Currency::ILS);
        expect(&priced, &[("area", "charge", amount)]);
    }
}

#[test]
fn a_flat_band_charges_the_range_the_value_falls_in() {
    let mut version = only(&["area"]);
    if let Rule::Bands { scale, .. } = &mut version.components[0].rule {
        *scale = BandScale::Flat;
    }
    for (area, amount) in
        [("0", "1.00"), ("99.99", "1.00"), ("100", "2.00"), ("299.99", "2.00"), ("300", "3.00")]
    {
        let priced = priced(&version, &with(&[("area", area.into())]), Currency::ILS);
        expect(&priced, &[("area", "charge", amount)]);
        assert!(priced.lines[0].explanation.en.contains("the 2 others do not apply"));
    }
}

#[test]
fn a_choice_charges_its_option() {
    for (size, amount) in [("small", "20.00"), ("large", "50.00")] {
        let priced = priced(&only(&["size"]), &with(&[("size", size.into())]), Currency::ILS);
        expect(&priced, &[("size", "charge", amount)]);
    }
}

#[test]
fn a_surcharge_is_charged_only_when_asked_for() {
    let version = only(&["testing", "urgency", "vat"]);
    let calm = priced(&version, &with(&[("urgent", false.into())]), Currency::ILS);
    expect(&calm, &[("testing", "charge", "35.00"), ("vat", "charge", "5.60")]);
    assert_eq!(calm.lost.len(), 1);
    assert_eq!(calm.lost[0].rule.as_str(), "urgency");
    assert_eq!(calm.lost[0].explanation.en, "Not charged: Urgent order: no.");
    let urgent = priced(&version, &inputs(), Currency::ILS);
    expect(
        &urgent,
        &[("testing", "charge", "35.00"), ("urgency", "charge", "17.50"), ("vat", "charge", "8.40")],
    );
    assert!(urgent.lost.is_empty());
}

#[test]
fn a_surcharge_may_depend_on_an_option() {
    let mut version = only(&["intake"]);
    let (input, is) = ("size".parse().unwrap(), vec!["small".parse().unwrap()]);
    version.components[0].when = Some(crate::catalogue::Condition { input, is });
    let large = priced(&version, &inputs(), Currency::ILS);
    assert!(large.total.is_zero() && large.lines.is_empty());
    assert_eq!(large.lost[0].explanation.en, "Not charged: Size: Large.");
    let small = priced(&version, &with(&[("size", "small".into())]), Currency::ILS);
    expect(&small, &[("intake", "charge", "5.00")]);
}

#[test]
fn a_tax_on_nothing_charged_is_lost_with_it() {
    let mut version = only(&["urgency", "testing", "vat"]);
    version.components[1].when = version.components[0].when.clone();
    let priced = priced(&version, &with(&[("urgent", false.into())]), Currency::ILS);
    assert!(priced.lines.is_empty());
    assert_eq!(priced.lost.len(), 3);
}

#[test]
fn a_tax_follows_what_exemption_leaves_and_a_surcharge_does_not() {
    let mut version = only(&["testing", "urgency", "vat"]);
    version.exemptions = super::version().exemptions;
    version.exemptions[0].covers.truncate(1);
    let priced = price(&version, &inputs(), Some(&research()), day(), Currency::ILS).expect("priced");
    expect(
        &priced,
        &[
            ("testing", "charge", "35.00"),
            ("testing", "exemption", "-10.50"),
            ("urgency", "charge", "17.50"),
            ("vat", "charge", "6.72"), // 16% of 24.50 + 17.50
        ],
    );
    let nets: Vec<_> = priced.nets().iter().map(|net| (net.amount, net.exempted)).collect();
    assert_eq!(nets[0], (ils("24.50"), ils("10.50")));
    assert_eq!(nets[2], (ils("6.72"), ils("0.00")));
    assert_eq!(priced.claim, Some(research()));
}

#[test]
fn a_whole_exemption_leaves_a_total_of_zero() {
    let mut version = only(&["testing", "urgency", "vat"]);
    version.exemptions = super::version().exemptions;
    version.exemptions[0].covers.truncate(1);
    version.exemptions[0].rate = "1".parse().unwrap();
    let calm = with(&[("urgent", false.into())]);
    let priced = price(&version, &calm, Some(&research()), day(), Currency::JOD).expect("priced");
    expect(
        &priced,
        &[("testing", "charge", "7.000"), ("testing", "exemption", "-7.000"), ("vat", "charge", "0.000")],
    );
    assert!(priced.total.is_zero());
}

#[test]
fn an_unclaimed_exemption_is_named_among_the_lost() {
    let priced = priced(&version(), &inputs(), Currency::ILS);
    let lost: Vec<_> = priced.lost.iter().map(|lost| lost.rule.as_str()).collect();
    assert_eq!(lost, ["research"]);
    assert!(priced.lost[0].explanation.en.contains("Letter of a university"));
}

#[test]
fn a_line_carries_what_the_books_and_refunds_need() {
    let priced = priced(&version(), &inputs(), Currency::ILS);
    let stamp = &priced.lines[0];
    assert_eq!(stamp.beneficiary, crate::catalogue::Beneficiary::Treasury("stamps".parse().unwrap()));
    assert_eq!((stamp.gl.as_str(), stamp.article.as_str()), ("4210", "3/1"));
    assert_eq!(stamp.refund, crate::catalogue::RefundPolicy::Always);
    assert_eq!(priced.inputs.get(&"area".parse().unwrap()).map(String::as_str), Some("120.5"));
}

#[test]
fn numbers_inside_arabic_are_isolated() {
    let priced = priced(&version(), &inputs(), Currency::ILS);
    for line in &priced.lines {
        let mut depth = 0;
        for letter in line.explanation.ar.chars() {
            match letter {
                '\u{2066}' => depth += 1,
                '\u{2069}' => depth -= 1,
                digit if digit.is_ascii_digit() => assert_eq!(depth, 1, "{:?}", line.explanation.ar),
                _ => {}
            }
        }
        assert_eq!(depth, 0);
    }
}
