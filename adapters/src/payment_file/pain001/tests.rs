use mizan_ledger::{Currency, Day};
use proptest::prelude::*;
use sha2::{Digest, Sha256};
use uuid::Uuid;

#[path = "../../../../tests/support/schemas.rs"]
mod schemas;

use super::*;
use crate::payment_file::{Charset, Fault};
use schemas::assert_valid;

const NASTY: [&str; 8] = [
    "مؤسسة مثال <للتجارة> & \"أولاده\"",
    "Example \u{202e}& Sons' <Ltd>]]>",
    "line one\r\nline two\ttab\u{0}\u{1f}\u{fffe}",
    "١٢٣ شارع المثال، نابلس",
    "a",
    "日本 example",
    "🌍 example",
    "x̃ \u{feff}é",
];

fn order(number: usize, creditor: &str, minor: i64) -> PaymentOrder {
    PaymentOrder {
        end_to_end_id: format!("EXAMPLE-{number:06}"),
        uetr: Some(uuid::Builder::from_random_bytes([u8::try_from(number % 256).unwrap(); 16]).into_uuid()),
        money: Money::new(minor, Currency::JOD),
        creditor: creditor.to_owned(),
        creditor_account: Account::Iban("PS92PALS000000000400123456702".parse().unwrap()),
        creditor_agent: Some(Agent::Bic("PALSPS22".to_owned())),
        remittance: Some(format!("{creditor} {number}").repeat(20)),
        creditor_reference: Some("RF642026000001234".parse().unwrap()),
        purpose: Some(Choice::Code("GOVT".to_owned())),
    }
}

fn file(orders: Vec<PaymentOrder>) -> PaymentFile {
    PaymentFile {
        msg_id: "EXAMPLE-20261122-01".to_owned(),
        created: "2026-11-22T08:00:00.123456Z".parse().unwrap(),
        initiating_party: "ميزان (مثال)".to_owned(),
        debtor: "وزارة المالية (مثال)".to_owned(),
        debtor_account: Account::Iban("JO94CBJO0010000000000131000302".parse().unwrap()),
        debtor_agent: None,
        currency: Currency::JOD,
        execution_day: Day::new(2026, 11, 23).unwrap(),
        orders,
    }
}

fn profile(version: Version, charset: Charset) -> Profile {
    Profile {
        version,
        charset,
        booking: Booking::Single,
        charge_bearer: None,
        service_level: None,
        local_instrument: None,
    }
}

fn rich(version: Version, charset: Charset) -> Profile {
    Profile {
        booking: Booking::Batch,
        charge_bearer: Some(ChargeBearer::Slev),
        service_level: Some(Choice::Proprietary("0100".to_owned())),
        local_instrument: Some(Choice::Proprietary("CBPT".to_owned())),
        ..profile(version, charset)
    }
}

fn written(file: &PaymentFile, profile: &Profile) -> (String, Written) {
    let mut bytes = Vec::new();
    let written = write(file, profile, &mut bytes).unwrap();
    assert_eq!(written.bytes, bytes.len() as u64);
    assert_eq!(written.sha256[..], Sha256::digest(&bytes)[..]);
    (String::from_utf8(bytes).unwrap(), written)
}

fn faults(change: impl FnOnce(&mut PaymentFile), charset: Charset) -> Vec<Fault> {
    let mut file = file(vec![order(1, "Example", 1), order(2, "Example", 2)]);
    change(&mut file);
    let mut sink = Vec::new();
    let refused = write(&file, &profile(Version::V09, charset), &mut sink);
    assert!(sink.is_empty(), "nothing is written of a file with a problem");
    match refused {
        Err(WriteError::Refused(problems)) => problems.into_iter().map(|problem| problem.fault).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_newer_version_reads_like_this() {
    let mut other = order(2, "شركة مثال", 2_000_005);
    other.creditor_account = Account::Other("0100-778899".to_owned());
    other.creditor_agent = Some(Agent::Other("BANK 7 BRANCH 12".to_owned()));
    other.remittance = None;
    other.creditor_reference = None;
    other.purpose = Some(Choice::Proprietary("0106".to_owned()));
    let mut first = order(1, "مؤسسة مثال", 12_500);
    first.remittance = Some("دفعة ١ & ٢".to_owned());
    let (text, written) = written(&file(vec![first, other]), &rich(Version::V09, Charset::Unicode));
    assert_eq!((written.orders, written.control_sum.amount().as_str()), (2, "2012.505"));
    insta::assert_snapshot!(text);
}

#[test]
fn the_older_version_reads_like_this() {
    let mut first = order(1, "مؤسسة مثال", 12_500);
    first.remittance = Some("دفعة ١ & ٢".to_owned());
    let (text, _) = written(&file(vec![first]), &profile(Version::V03, Charset::Latin));
    insta::assert_snapshot!(text);
}

#[test]
fn every_fault_is_named_and_nothing_is_written() {
    let all = Charset::Unicode;
    assert_eq!(faults(|file| file.orders.clear(), all), [Fault::NoOrders]);
    assert_eq!(
        faults(|file| file.msg_id = "x".repeat(36), all),
        [Fault::Characters { field: "MsgId", max: 35 }]
    );
    assert_eq!(faults(|file| file.debtor = " \n".to_owned(), all), [Fault::Unprintable("the debtor's name")]);
    assert_eq!(faults(|file| file.orders[1] = file.orders[0].clone(), all), [Fault::Repeated]);
    for money in [Money::new(0, Currency::JOD), Money::new(-1, Currency::JOD), Money::new(1, Currency::ILS)] {
        assert_eq!(faults(|file| file.orders[0].money = money, all), [Fault::Amount(money)]);
    }
    let eighteen = Money::new(999_999_999_999_999_999, Currency::JOD);
    assert_eq!(faults(|file| file.orders[0].money = eighteen, all), [Fault::Sum]);
    let nineteen = Money::new(i64::MAX, Currency::JOD);
    assert_eq!(faults(|file| file.orders[0].money = nineteen, all), [Fault::Sum, Fault::Amount(nineteen)]);
    let bic = |bic: &str| {
        let agent = Some(Agent::Bic(bic.to_owned()));
        faults(|file| file.orders[0].creditor_agent = agent, all)
    };
    for wrong in ["", "PALS", "palsps22", "PALSPS02", "PALSPS2O", "PALSPS22X", "PALSPS22XX1Z"] {
        assert_eq!(bic(wrong), [Fault::Bic(wrong.to_owned())], "{wrong}");
    }
    assert!(matches!(bic("ARABPS22")[..], [Fault::OtherBank { .. }]));
    for uetr in ["0193aaaa-0000-7000-8000-000000000000", "0193aaaa-0000-4000-c000-000000000000"] {
        let uetr: Uuid = uetr.parse().unwrap();
        assert_eq!(faults(|file| file.orders[0].uetr = Some(uetr), all), [Fault::Uetr], "{uetr}");
    }
    let nameless = |file: &mut PaymentFile| {
        file.orders[0].creditor_account = Account::Other("77".to_owned());
        file.orders[0].creditor_agent = None;
    };
    assert_eq!(faults(nameless, all), [Fault::NoAgent]);
}

#[test]
fn all_problems_come_at_once_with_their_order() {
    let mut file = file(vec![order(1, "", 0), order(2, "Example", 1)]);
    file.debtor.clear();
    let Err(problems) = file.check(&profile(Version::V03, Charset::Unicode)) else { panic!("refused") };
    let subjects: Vec<_> = problems.iter().map(|problem| problem.order.as_deref()).collect();
    assert_eq!(subjects, [None, Some("EXAMPLE-000001"), Some("EXAMPLE-000001")]);
}

#[test]
fn a_reference_is_never_bent_to_fit() {
    for text in ["", "a b", "عربي", "a&b", "/a", "a/", "a//b", "a\u{0}", "a\u{feff}"] {
        let fault = Fault::Characters { field: "EndToEndId", max: 35 };
        assert_eq!(
            faults(|file| file.orders[0].end_to_end_id = text.to_owned(), Charset::Unicode),
            [fault],
            "{text:?}"
        );
    }
    let underscore = |file: &mut PaymentFile| file.orders[0].end_to_end_id = "po_1".to_owned();
    assert_eq!(
        faults(underscore, Charset::Latin),
        [Fault::Characters { field: "EndToEndId", max: 35 }],
        "the X character set has no underscore"
    );
}

#[test]
fn a_profile_is_read_from_configuration() {
    let read = |text: &str| serde_json::from_str::<Profile>(text);
    let text = r#"{"version": "pain.001.001.09", "charset": "unicode", "booking": "batch", "charge_bearer": "SLEV",
        "service_level": {"proprietary": "0100"}, "local_instrument": {"proprietary": "CBPT"}}"#;
    assert_eq!(read(text).unwrap(), rich(Version::V09, Charset::Unicode));
    let text = r#"{"version": "pain.001.001.03", "charset": "latin", "booking": "single"}"#;
    assert_eq!(read(text).unwrap(), profile(Version::V03, Charset::Latin));
    assert!(read(&text.replace(".03", ".12")).is_err());
    assert!(read(&text.replace("booking", "batch_booking")).is_err());
}

#[test]
fn a_full_disk_is_not_a_payment_file() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::other("no space"))
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let file = file(vec![order(1, "Example", 1)]);
    assert!(matches!(write(&file, &profile(Version::V09, Charset::Latin), Full), Err(WriteError::Io(_))));
}

/// Every text of an element, in order, as an XML reader sees it.
fn texts(xml: &str, tag: &str) -> Vec<String> {
    let mut reader = quick_xml::Reader::from_str(xml);
    let (mut texts, mut open) = (Vec::new(), None::<String>);
    loop {
        use quick_xml::events::Event;
        match reader.read_event().unwrap() {
            Event::Start(start) if start.local_name().as_ref() == tag => open = Some(String::new()),
            Event::Text(text) => open.iter_mut().for_each(|open| open.push_str(&text)),
            Event::GeneralRef(name) => {
                let text = quick_xml::escape::resolve_predefined_entity(&name).unwrap();
                open.iter_mut().for_each(|open| open.push_str(text));
            }
            Event::End(end) if end.local_name().as_ref() == tag => texts.extend(open.take()),
            Event::Eof => return texts,
            _ => {}
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_what_was_ordered(
        orders in prop::collection::vec(("\\PC{0,200}[a-z]", 1..1_000_000_000_i64), 1..12),
        latin in any::<bool>(),
    ) {
        let charset = if latin { Charset::Latin } else { Charset::Unicode };
        let orders: Vec<_> =
            orders.iter().enumerate().map(|(n, (name, minor))| order(n, &format!("x{name}"), *minor)).collect();
        let file = file(orders);
        let (xml, written) = written(&file, &profile(Version::V09, charset));
        let amounts = texts(&xml, "InstdAmt");
        let read: Vec<_> = amounts.iter().map(|text| Money::parse(text, Currency::JOD).unwrap()).collect();
        let ordered: Vec<_> = file.orders.iter().map(|order| order.money).collect();
        prop_assert_eq!(&read, &ordered);
        let sum = Money::sum(Currency::JOD, ordered).unwrap();
        prop_assert_eq!(written.control_sum, sum);
        prop_assert_eq!(texts(&xml, "CtrlSum"), vec![sum.amount(); 2]);
        prop_assert_eq!(texts(&xml, "NbOfTxs"), vec![file.orders.len().to_string(); 2]);
        let names: Vec<_> = file.orders.iter().map(|order| fit(&order.creditor, charset, 140)).collect();
        prop_assert_eq!(&texts(&xml, "Nm")[2..], names.as_slice());
    }
}

#[test]
fn every_file_validates_against_the_schema_of_its_version() {
    let nasty = file(NASTY.iter().enumerate().map(|(n, name)| order(n, name, 5)).collect());
    let mut plain = order(1, "Example", 999_999_999_999_999_999);
    plain.creditor_agent = None;
    plain.remittance = None;
    plain.creditor_reference = None;
    plain.purpose = None;
    plain.uetr = None;
    let mut other = file(vec![plain]);
    other.debtor_account = Account::Other("0100-778899".to_owned());
    other.debtor_agent = Some(Agent::Bic("ARABPS22080".to_owned()));
    for (version, message) in [(Version::V03, "pain.001.001.03"), (Version::V09, "pain.001.001.09")] {
        for charset in [Charset::Unicode, Charset::Latin] {
            for profile in [profile(version, charset), rich(version, charset)] {
                for file in [&nasty, &other] {
                    assert_valid(written(file, &profile).0, message);
                }
            }
        }
    }
}
