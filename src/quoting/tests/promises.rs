//! The bytes of a promise: stable, readable, and different for whatever differs.

use mizan_ledger::Instant;

use super::*;
use crate::quoting::promise::Promise;

fn basket(inputs: &Inputs, claim: Option<&Claim>, reference: Option<&str>) -> Basket {
    let version = version();
    let line = Asked { version: &version, inputs, claim, reference, day: day() };
    Basket::price(&[Ok(line)], Currency::ILS, Limits::default()).expect("priced")
}

fn bytes(basket: &Basket) -> String {
    let at = |text: &str| text.parse::<Instant>().expect("an instant");
    let promise = Promise {
        id: "qt_01936f2c5b7a7c3e8f1a2b3c4d5e6f70",
        live: false,
        portal: "po_01936f2c5b7a7c3e8f1a2b3c4d5e6f71",
        issued_at: at("2026-06-15T08:00:00Z"),
        expires_at: at("2026-06-15T08:30:00Z"),
        basket,
    };
    promise.text()
}

/// Reads the layout as an outsider would: names and values, by their lengths.
fn fields(mut text: &str) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    while !text.is_empty() {
        let (name, rest) = text.split_once('=').expect("a name");
        let (length, rest) = rest.split_once(':').expect("a length");
        let (value, rest) = rest.split_at(length.parse().expect("a number"));
        fields.push((name.to_owned(), value.to_owned()));
        text = rest.strip_prefix('\n').expect("a line feed");
    }
    fields
}

#[test]
fn the_layout_is_what_its_page_says() {
    let basket = basket(&inputs(), Some(&research()), Some("A=1:x\nline=1:1"));
    insta::assert_snapshot!(bytes(&basket));
    let names: Vec<_> = fields(&bytes(&basket)).into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names[..9],
        ["mizan-quote", "id", "live", "portal", "issued_at", "expires_at", "currency", "total", "line"]
    );
    let amounts = fields(&bytes(&basket)).into_iter().filter(|(name, _)| name == "amount");
    let sum = Money::sum(Currency::ILS, amounts.map(|(_, amount)| ils(&amount)));
    assert_eq!(sum, Ok(basket.total));
}

#[test]
fn whatever_is_promised_changes_the_bytes() {
    let base = basket(&inputs(), Some(&research()), Some("A-1"));
    let changes: [fn(&mut Basket); 14] = [
        |basket| basket.total = ils("0.01"),
        |basket| basket.currency = Currency::USD,
        |basket| basket.lines.push(basket.lines[0].clone()),
        |basket| basket.lines[0].reference = None,
        |basket| basket.lines[0].priced.version = 9,
        |basket| basket.lines[0].priced.day = basket.lines[0].priced.day.next(),
        |basket| basket.lines[0].priced.service = "psi/other".parse().unwrap(),
        |basket| drop(basket.lines[0].priced.inputs.insert("note".parse().unwrap(), "x".into())),
        |basket| basket.lines[0].priced.claim = None,
        |basket| basket.lines[0].priced.lines[1].amount = ils("0.01"),
        |basket| basket.lines[0].priced.lines[1].part = Part::Rounding,
        |basket| basket.lines[0].priced.lines[1].beneficiary = crate::catalogue::Beneficiary::Hub,
        |basket| basket.lines[0].priced.lines[1].refund = crate::catalogue::RefundPolicy::Never,
        |basket| basket.lines[0].priced.lines[1].release = crate::catalogue::Release::AfterDays(9),
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let mut changed = base.clone();
        change(&mut changed);
        assert_ne!(bytes(&changed), bytes(&base), "change {index}");
    }
    assert_eq!(bytes(&base), bytes(&base.clone()));
}

proptest::proptest! {
    #[test]
    fn free_text_cannot_forge_a_field(note in "[a-z=:\\n0-9أ-ي]{1,40}", reference in "[a-z=:\\n]{0,20}") {
        let mut basket = basket(&inputs(), None, Some(&reference));
        basket.lines[0].priced.inputs.insert("note".parse().expect("a code"), note.clone());
        let read = fields(&bytes(&basket));
        let value = |name: &str| read.iter().find(|(field, _)| field == name).map(|(_, value)| value.clone());
        proptest::prop_assert_eq!(value("input:note"), Some(note));
        proptest::prop_assert_eq!(value("reference"), Some(reference));
        proptest::prop_assert_eq!(read.iter().filter(|(name, _)| name == "line").count(), 1);
    }
}
