//! References: nothing is found without a valid check, and what was written is found again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mizan_adapters::reference::{BillNumber, Reference, RfReference, find_in_text, find_issued};

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let found = find_in_text(&text);
    for one in found.iter().chain(&find_issued(&text, |issuer| issuer % 2 == 0)) {
        assert!(text.get(one.span.clone()).is_some_and(|span| !span.is_empty()));
        match &one.reference {
            Reference::Bill(bill) => {
                let digits: u64 = bill.to_string().parse().expect("14 digits");
                assert_eq!(digits % 97, 1);
            }
            Reference::Rf(reference) => assert_eq!(reference.as_str().parse(), Ok(reference.clone())),
        }
    }
    if let Ok(bill) = text.parse::<BillNumber>() {
        assert_eq!(bill.to_string().parse(), Ok(bill));
        assert_eq!(RfReference::from(bill).bill_number(), Some(bill));
    }
    if let Ok(reference) = text.parse::<RfReference>() {
        assert_eq!(reference.grouped().parse(), Ok(reference));
    }
    written_is_found(bytes, &text);
});

/// A number made of the first bytes, set into the rest.
fn written_is_found(bytes: &[u8], text: &str) {
    let Some((head, _)) = bytes.split_first_chunk::<6>() else { return };
    let issuer = u16::from_be_bytes([head[0], head[1]]) % 9_999 + 1;
    let serial = u32::from_be_bytes([head[2], head[3], head[4], head[5]]) % 100_000_000;
    let bill = BillNumber::new(issuer, serial).expect("in range");
    let around: String = text.chars().filter(|c| c.is_ascii_lowercase()).take(20).collect();
    for written in [bill.to_string(), RfReference::from(bill).grouped()] {
        let found = find_in_text(&format!("{around} / {written}, {around}"));
        assert!(found.iter().any(|one| one.bill_number() == Some(bill)), "{written}");
    }
}
