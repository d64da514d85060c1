//! The bank: what its answers about files prove.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use mizan_adapters::bank::rest::{Bank, Settings, StatementFormat};
use mizan_adapters::channel::{PayOut, Statements};
use mizan_adapters::outcome::Outcome;
use mizan_adapters::payment_file::Progress;
use mizan_ledger::Day;

use crate::peer::{absent, answering, breaking_off, endpoint, serving};

const STATUS: &str = "<Document><CstmrPmtStsRpt><OrgnlGrpInfAndSts><OrgnlMsgId>PAY-1</OrgnlMsgId>\
    <GrpSts>ACSP</GrpSts></OrgnlGrpInfAndSts></CstmrPmtStsRpt></Document>";

fn bank(address: &str) -> Bank {
    let settings = Settings {
        endpoint: endpoint(address),
        statement_format: StatementFormat::Camt05308,
        refuses_repeats: false,
    };
    Bank::new(&settings).expect("settings")
}

fn file() -> Bytes {
    Bytes::from_static(b"<Document/>")
}

fn day() -> Day {
    Day::new(2026, 11, 22).expect("a day")
}

#[tokio::test]
async fn a_file_is_handed_over_byte_by_byte() {
    let (address, asked) = answering(202, r#"{"file": "PF000001"}"#).await;
    assert_eq!(bank(&address).submit(file()).await, Outcome::Accepted("PF000001".to_owned()));
    let asked = asked.lock().unwrap();
    assert_eq!(asked[0], ("POST /base/payment-files".to_owned(), "<Document/>".to_owned()));
}

#[tokio::test]
async fn a_file_the_bank_already_has_is_never_called_rejected() {
    let (address, _) = answering(409, r#"{"error": "duplicate_message", "message": ""}"#).await;
    assert!(matches!(bank(&address).submit(file()).await, Outcome::Unknown { .. }));
    let known = r#"{"error": "duplicate_message", "message": "", "file": "PF000001"}"#;
    let (address, _) = answering(409, known).await;
    assert_eq!(bank(&address).submit(file()).await, Outcome::Accepted("PF000001".to_owned()));
    let (address, _) = answering(500, known).await;
    assert!(matches!(bank(&address).submit(file()).await, Outcome::Unknown { .. }));
    let (address, _) = answering(422, r#"{"error": "invalid_file", "message": "line 3"}"#).await;
    assert!(matches!(bank(&address).submit(file()).await, Outcome::Rejected { .. }));
}

#[tokio::test]
async fn a_file_that_may_have_arrived_is_unknown() {
    for words in ["", "HTTP/1.1 202 Accepted\r\ncontent-length: 20\r\n\r\n{"] {
        assert!(matches!(bank(&breaking_off(words).await).submit(file()).await, Outcome::Unknown { .. }));
    }
    for (status, body) in [(500, ""), (202, "{}"), (202, r#"{"file": ""}"#), (200, "<html/>")] {
        let (address, _) = answering(status, body).await;
        assert!(matches!(bank(&address).submit(file()).await, Outcome::Unknown { .. }), "{status} {body}");
    }
    assert!(matches!(bank(&absent().await).submit(file()).await, Outcome::NotSent { .. }));
}

#[tokio::test]
async fn a_status_keeps_its_bytes_beside_its_meaning() {
    let (address, asked) = answering(200, STATUS).await;
    let status = bank(&address).status("PF000001".to_owned()).await.accepted().expect("accepted");
    assert_eq!(asked.lock().unwrap()[0].0, "GET /base/payment-files/PF000001");
    assert_eq!(status.raw, STATUS.as_bytes());
    let (code, _) = status.report.of(("PAY-1", "PAY-1"), "E1").expect("the group speaks");
    assert_eq!(Progress::of(code), Progress::UnderWay);
    let (address, _) = answering(200, "<Document/>").await;
    assert!(matches!(bank(&address).status("PF000001".to_owned()).await, Outcome::Unknown { .. }));
}

#[tokio::test]
async fn an_open_day_has_no_statement_yet() {
    let (address, asked) = answering(409, r#"{"error": "day_open", "message": ""}"#).await;
    let account = "PS92PALS000000000400123456702".to_owned();
    assert_eq!(bank(&address).statement(account, day()).await, Outcome::Accepted(None));
    assert_eq!(
        asked.lock().unwrap()[0].0,
        "GET /base/accounts/PS92PALS000000000400123456702/statements/2026-11-22?format=camt.053.001.08"
    );
}

#[tokio::test]
async fn a_statement_is_named_by_the_bank_unless_the_name_could_lead_astray() {
    for (told, expected) in [
        ("attachment; filename=\"A1-2026-11-22.xml\"", "A1-2026-11-22.xml"),
        ("attachment; filename=A1.sta", "A1.sta"),
        ("attachment; filename=\"../../etc/passwd\"", "A1-2026-11-22.xml"),
        ("attachment; filename=\".hidden\"", "A1-2026-11-22.xml"),
        ("attachment; filename=\"\"", "A1-2026-11-22.xml"),
        ("attachment", "A1-2026-11-22.xml"),
    ] {
        let address = serving(move |_| async move {
            let answer = Response::builder().header("content-disposition", told);
            answer.body(Body::from("statement")).expect("an answer")
        })
        .await;
        let file =
            bank(&address).statement("A1".to_owned(), day()).await.accepted().flatten().expect("a file");
        assert_eq!((file.name.as_str(), &file.raw[..]), (expected, &b"statement"[..]), "{told}");
    }
}
