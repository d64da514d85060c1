use proptest::prelude::*;

use super::*;

fn bill() -> BillNumber {
    BillNumber::new(1234, 56_789_012).unwrap()
}

fn one(text: &str) -> (Option<BillNumber>, How, &str) {
    let found = find_in_text(text);
    assert_eq!(found.len(), 1, "{text}: {found:?}");
    (found[0].bill_number(), found[0].how, &text[found[0].span.clone()])
}

#[test]
fn a_bill_number_is_found_among_other_words() {
    for (text, span) in [
        ("12345678901244", "12345678901244"),
        ("fee 12345678901244, thank you", "12345678901244"),
        ("INV12345678901244EUR", "12345678901244"),
        ("ref:1234 5678 9012 44 of 22.11.2026", "1234 5678 9012 44"),
        ("1234-5678-9012-44", "1234-5678-9012-44"),
        ("123456789\n01244 wrapped", "123456789\n01244"),
        ("1234 56789012 44", "1234 56789012 44"),
        ("2026 1234 5678 9012 44", "1234 5678 9012 44"),
        ("12345678901244 77", "12345678901244"),
        ("رسوم ١٢٣٤٥٦٧٨٩٠١٢٤٤ شكرا", "١٢٣٤٥٦٧٨٩٠١٢٤٤"),
        ("\u{2067}۱۲۳۴ ۵۶۷۸ ۹۰۱۲ ۴۴\u{2069}", "۱۲۳۴ ۵۶۷۸ ۹۰۱۲ ۴۴"),
    ] {
        assert_eq!(one(text), (Some(bill()), How::Whole, span), "{text}");
    }
}

#[test]
fn a_reference_is_found_whole_cut_or_without_its_letters() {
    let reference = RfReference::from(bill()).to_string();
    let grouped = RfReference::from(bill()).grouped();
    for (text, how, span) in [
        (reference.clone(), How::Whole, reference.clone()),
        (format!("pay {} now", grouped.to_lowercase()), How::Whole, grouped.to_lowercase()),
        (format!("/RFB/{reference}/x"), How::Whole, reference.clone()),
        (format!("XYZ{reference}ABC"), How::Whole, reference.clone()),
        (reference[2..].to_owned(), How::PrefixLost, reference[2..].to_owned()),
        (grouped[2..].to_owned(), How::PrefixLost, grouped[2..].to_owned()),
        (reference[..16].to_owned(), How::Cut, reference[..16].to_owned()),
    ] {
        assert_eq!(one(&text), (Some(bill()), how, span.as_str()), "{text}");
    }
    assert_eq!(find_in_text(&reference[..15]), []);
}

#[test]
fn a_wrong_check_of_the_reference_leaves_the_bill_number() {
    let reference = RfReference::from(bill()).grouped();
    let wrong = reference.replace(&reference[2..4], "11");
    assert_eq!(one(&wrong), (Some(bill()), How::Whole, "1234 5678 9012 44"));
}

#[test]
fn references_of_other_issuers_are_found_as_such() {
    for (text, reference) in [
        ("RF18539007547034", "RF18539007547034"),
        ("invoice RF18 5390 0754 7034, due", "RF18539007547034"),
        ("RF13PS2026A0042 paid", "RF13PS2026A0042"),
    ] {
        let found = find_in_text(text);
        let expected = Reference::Rf(reference.parse().unwrap());
        assert_eq!(found.iter().map(|one| &one.reference).collect::<Vec<_>>(), [&expected], "{text}");
        assert_eq!(found[0].bill_number(), None);
    }
    assert_eq!(find_in_text("RF19539007547034 PERF18539007547034"), []);
}

#[test]
fn lost_zeros_are_filled_up_for_known_issuers_only() {
    let small = BillNumber::new(12, 345_678).unwrap();
    let short = small.to_string().trim_start_matches('0').to_owned();
    let text = format!("bill {short} paid");
    assert_eq!(find_in_text(&text), []);
    let found = find_issued(&text, |issuer| issuer == 12);
    assert_eq!((found[0].bill_number(), found[0].how), (Some(small), How::ZerosLost));
    assert_eq!(find_issued(&text, |issuer| issuer == 13), []);
    let reference = format!("RF{}{short}", &RfReference::from(small).as_str()[2..4]);
    assert_eq!(
        (find_in_text(&reference)[0].bill_number(), find_in_text(&reference)[0].how),
        (Some(small), How::ZerosLost)
    );
}

#[test]
fn several_are_found_in_order_and_issuers_choose_among_them() {
    let other = BillNumber::new(77, 1).unwrap();
    let text = format!("{} / {} / RF18539007547034", bill(), RfReference::from(other));
    let bills: Vec<_> = find_in_text(&text).iter().map(Found::bill_number).collect();
    assert_eq!(bills, [Some(bill()), Some(other), None]);
    let issued: Vec<_> = find_issued(&text, |issuer| issuer == 77).iter().map(Found::bill_number).collect();
    assert_eq!(issued, [Some(other)]);
}

#[test]
fn digits_inside_longer_numbers_and_scattered_ones_are_not_taken() {
    for text in
        ["912345678901244", "123456789012440", "1 2 3 4 5 6 7 8 9 0 1 2 4 4", "1234   5678   9012   44"]
    {
        assert_eq!(find_in_text(text), [], "{text}");
    }
}

/// A fixed sequence that looks random.
fn numbers() -> impl Iterator<Item = u64> {
    std::iter::successors(Some(42_u64), |last| {
        Some(last.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407))
    })
    .map(|state| state >> 11)
}

#[test]
fn a_random_number_passes_once_in_97_and_hardly_ever_with_known_issuers() {
    let texts: Vec<String> =
        numbers().take(97_000).map(|number| format!("{:014}", number % 100_000_000_000_000)).collect();
    let hits = texts.iter().filter(|text| !find_in_text(text).is_empty()).count();
    assert!((850..1_150).contains(&hits), "{hits}");
    let issued = texts.iter().filter(|text| !find_issued(text, |issuer| issuer < 10).is_empty()).count();
    assert!(issued < 10, "{issued}");
}

proptest! {
    #[test]
    fn whatever_is_found_has_a_valid_check(text in "(RF|rf|[0-9]{1,16}|[ \n./-]|[٠-٩]{1,9}|[a-z]{1,3}){0,12}") {
        for found in find_in_text(&text) {
            prop_assert!(text.get(found.span.clone()).is_some());
            match &found.reference {
                Reference::Bill(bill) => {
                    prop_assert_eq!(bill.to_string().parse::<u64>().unwrap() % 97, 1);
                }
                Reference::Rf(reference) => prop_assert!(crate::iban::checks_97(reference.as_str())),
            }
        }
    }

    #[test]
    fn an_own_reference_is_never_missed(
        issuer in 1..=9_999_u16,
        serial in 0..=99_999_999_u32,
        before in "[a-z ]{0,8}[ :/]",
        after in "[ ,;/][a-z ]{0,8}",
    ) {
        let bill = BillNumber::new(issuer, serial).unwrap();
        let reference = RfReference::from(bill);
        for text in [bill.to_string(), bill.grouped(), reference.to_string(), reference.grouped()] {
            let text = format!("{before}{text}{after}");
            let bills: Vec<_> = find_issued(&text, |known| known == issuer).iter().map(Found::bill_number).collect();
            prop_assert_eq!(bills, [Some(bill)], "{}", text);
        }
    }

    #[test]
    fn searching_never_panics(text in "\\PC{0,60}") {
        find_in_text(&text);
        find_issued(&text, |_| true);
    }
}
