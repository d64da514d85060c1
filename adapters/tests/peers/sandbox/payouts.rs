//! Payment files: taken once, answered order by order, seen on the statement.

use axum::body::Bytes;
use mizan_adapters::bank::rest::StatementFormat;
use mizan_adapters::outcome::Outcome;
use mizan_adapters::payment_file::{
    Account, Agent, Booking, Charset, PaymentFile, PaymentOrder, Profile, Progress, Version, pain001,
};
use mizan_ledger::Currency;
use serde_json::json;

use super::{CLOSED, COLLECTION, DAY, World, day, jod};

const ELSEWHERE: &str = "PS92PALS000000000400123456702";

fn payout(id: &str, minor: i64, account: Account) -> PaymentOrder {
    PaymentOrder {
        end_to_end_id: id.to_owned(),
        uetr: None,
        money: jod(minor),
        creditor: "هيئة مثال & شركاؤها".to_owned(),
        creditor_agent: matches!(account, Account::Other(_)).then(|| Agent::Other("EXAMPLE BANK".to_owned())),
        creditor_account: account,
        remittance: Some("حصة اليوم (مثال)".to_owned()),
        creditor_reference: None,
        purpose: None,
    }
}

fn payouts(version: Version) -> (Bytes, String) {
    let msg_id = format!("EXAMPLE-{version:?}");
    let file = PaymentFile {
        msg_id: msg_id.clone(),
        created: "2026-11-22T08:00:00Z".parse().expect("an instant"),
        initiating_party: "ميزان (مثال)".to_owned(),
        debtor: "تحصيل (مثال)".to_owned(),
        debtor_account: Account::Iban(COLLECTION.parse().expect("an IBAN")),
        debtor_agent: None,
        currency: Currency::JOD,
        execution_day: day(),
        orders: vec![
            payout(&format!("{version:?}-1"), 100_005, Account::Iban(ELSEWHERE.parse().expect("an IBAN"))),
            payout(&format!("{version:?}-2"), 7_000, Account::Other(CLOSED.to_owned())),
        ],
    };
    let profile = Profile {
        version,
        charset: Charset::Unicode,
        booking: Booking::Single,
        charge_bearer: None,
        service_level: None,
        local_instrument: None,
    };
    let mut bytes = Vec::new();
    pain001::write(&file, &profile, &mut bytes).expect("written");
    (bytes.into(), msg_id)
}

#[tokio::test]
async fn a_payment_file_is_taken_once_answered_by_order_and_seen_on_the_statement() {
    for format in [StatementFormat::Camt05302, StatementFormat::Camt05308, StatementFormat::Mt940] {
        let world = World::reading(format).await;
        let pay_out = world.bank.pay_out.clone().expect("a bank pays out");
        assert_eq!(world.statement().await, None, "the day is open");
        let mut files = Vec::new();
        for version in [Version::V03, Version::V09] {
            let (bytes, msg_id) = payouts(version);
            let reference = pay_out.submit(bytes.clone()).await.accepted().expect("taken");
            assert_eq!(pay_out.submit(bytes).await, Outcome::Accepted(reference.clone()), "it is there once");
            files.push((version, msg_id, reference));
        }
        for (version, msg_id, reference) in &files {
            let status = pay_out.status(reference.clone()).await.accepted().expect("a status");
            assert_eq!(status.report.original_message_id.as_deref(), Some(msg_id.as_str()));
            let of = |order| status.report.of((msg_id, msg_id), order).expect("the bank has spoken");
            let (accepted, rejected) = (format!("{version:?}-1"), format!("{version:?}-2"));
            assert_eq!(Progress::of(of(&accepted).0), Progress::UnderWay);
            let (code, reasons) = of(&rejected);
            assert_eq!((Progress::of(code), reasons[0].code.as_deref()), (Progress::Rejected, Some("AC04")));
        }
        world.control("day", json!({"close": DAY})).await;
        for (version, msg_id, reference) in &files {
            let status = pay_out.status(reference.clone()).await.accepted().expect("a status");
            let order = format!("{version:?}-1");
            let (code, _) = status.report.of((msg_id, msg_id), &order).expect("the bank has spoken");
            assert_eq!(Progress::of(code), Progress::Settled);
        }
        let (statement, lines) = world.statement().await.expect("the day is closed");
        assert_eq!(statement.closes(), Some(true), "{format:?}");
        let amounts: Vec<_> = lines.iter().map(|line| line.amount).collect();
        assert_eq!(amounts, [jod(-100_005), jod(-100_005)], "{format:?}");
        for (line, order) in lines.iter().zip(["V03-1", "V09-1"]) {
            assert!(format!("{line:?}").contains(order), "{format:?}: {line:?}");
        }
    }
}

#[tokio::test]
async fn a_file_the_bank_cannot_read_is_rejected_by_its_own_words() {
    let world = World::start().await;
    let pay_out = world.bank.pay_out.clone().expect("a bank pays out");
    let refused = pay_out.submit(Bytes::from_static(b"<Document/>")).await;
    assert!(matches!(refused, Outcome::Rejected { .. }), "{refused:?}");
    let unknown = pay_out.status("PF999999".to_owned()).await;
    assert!(matches!(unknown, Outcome::Rejected { .. }), "{unknown:?}");
}
