//! A sandbox with a folder: files out, files in, and what it remembers.

use std::fs;
use std::path::Path;
use std::time::Duration;

use mizan_adapters::sandbox::{Config, Format, Server, StartError};
use serde_json::json;

use crate::payments::{Order, payment_file};
use crate::support::{AGENCY, DAY, ILS, JOD, Sandbox, config, inside};

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn drop_file(folder: &Path, name: &str, message: &str, amount: &str) {
    let file =
        payment_file(message, "09", ILS, "ILS", amount, &[Order { id: "PO-1", amount, to: "0101234567" }]);
    fs::write(folder.join("payments").join(name), file).unwrap();
}

#[tokio::test]
async fn closing_a_day_writes_each_accounts_statement_in_its_form() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = Config { folder: Some(folder.path().to_owned()), ..config() };
    settings.accounts[1].statement = Format::Mt940;
    let sandbox = Sandbox::with(settings).await;
    let closed = sandbox.close(DAY).await;
    let expected = [format!("{AGENCY}-{DAY}.xml"), format!("{JOD}-{DAY}.sta"), format!("{ILS}-{DAY}.xml")];
    assert_eq!(names(&folder.path().join("statements")), expected);
    assert_eq!(closed, json!({"closed": DAY, "files": [expected[2], expected[1], expected[0]]}));
    for (account, name) in [(ILS, &expected[2]), (JOD, &expected[1])] {
        let written = fs::read(folder.path().join("statements").join(name)).unwrap();
        assert_eq!(
            written,
            sandbox.get_bytes(&format!("/bank/v1/accounts/{account}/statements/{DAY}")).await
        );
    }
}

#[tokio::test]
async fn dropped_payment_files_are_taken_answered_and_put_aside() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::in_folder(folder.path().to_owned()).await;
    let payments = folder.path().join("payments");
    drop_file(folder.path(), "first.xml", "M-1", "3.00");
    drop_file(folder.path(), "second.xml", "M-1", "3.00");
    fs::write(payments.join("third.xml"), "<nonsense/>").unwrap();
    fs::write(payments.join("fourth.xml.part"), "<Docu").unwrap();
    sandbox.close(DAY).await;
    let report = fs::read_to_string(payments.join("status/first.xml")).unwrap();
    assert_eq!(inside(&report, "TxSts").unwrap(), "ACSC");
    let report = fs::read_to_string(payments.join("status/second.xml")).unwrap();
    assert!(report.contains("<GrpSts>RJCT</GrpSts>") && report.contains("<Cd>AM05</Cd>"));
    assert!(
        fs::read_to_string(payments.join("status/third.xml.error.json"))
            .unwrap()
            .contains("unsupported_message")
    );
    assert_eq!(names(&payments.join("taken")), ["PF000001-first.xml", "PF000002-second.xml"]);
    assert_eq!(names(&payments.join("refused")), ["third.xml"]);
    assert_eq!(names(&payments), ["fourth.xml.part", "refused", "status", "taken"]);
    assert_eq!(sandbox.camt(ILS, DAY).await.amounts(), [-300]);
}

#[tokio::test]
async fn dropped_files_are_taken_without_waiting_for_the_end_of_the_day() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::in_folder(folder.path().to_owned()).await;
    drop_file(folder.path(), "file.xml", "M-1", "3.00");
    let status = folder.path().join("payments/status/file.xml");
    while !status.exists() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(inside(&fs::read_to_string(status).unwrap(), "TxSts").unwrap(), "ACCP");
    assert_eq!(sandbox.state().await["files"]["files"][0]["dropped"], "file.xml");
}

#[tokio::test]
async fn a_sandbox_started_again_in_its_folder_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut sandbox = Sandbox::in_folder(folder.path().to_owned()).await;
    sandbox.pay("A-1", "100.00", "ILS").await;
    sandbox.close(DAY).await;
    sandbox.transfer(json!({"to": ILS, "amount": "5.00", "currency": "ILS"})).await;
    let page_url = sandbox.open("A-2", "1.00", "ILS").await;
    let before = sandbox.state().await;
    sandbox.server.take().unwrap().stop().await;

    let again = Sandbox::in_folder(folder.path().to_owned()).await;
    let mut after = again.state().await;
    // The callback may have been on its way when the first state was read.
    after["deliveries"] = before["deliveries"].clone();
    after["delivered"] = before["delivered"].clone();
    assert_eq!(before, after);
    again.choose(&page_url.replace(&sandbox.url, &again.url), "outcome=approve").await;
    again.close("2026-11-23").await;
    let statement = again.camt(ILS, "2026-11-23").await;
    assert_eq!((statement.sequence(), statement.amounts()), (2, vec![500, 48]));
    again.state().await;
}

#[tokio::test]
async fn a_sandbox_does_not_start_with_settings_it_cannot_keep() {
    let start = async |change: fn(&mut Config)| {
        let mut settings = config();
        change(&mut settings);
        Server::start(settings, "127.0.0.1:0".parse().unwrap()).await.map(|_| ()).unwrap_err().to_string()
    };
    assert!(start(|settings| settings.accounts[0].currency = "XXX".into()).await.contains("XXX"));
    assert!(
        start(|settings| settings.accounts[0].iban = "../../etc".into()).await.contains("neither an IBAN")
    );
    assert!(start(|settings| settings.accounts[0].opening = "1.234".into()).await.contains("1.234"));
    assert!(
        start(|settings| settings.accounts.swap_remove(1).iban.clear())
            .await
            .contains("does not exist in JOD")
    );
    assert!(start(|settings| settings.merchants[0].id = "a b".into()).await.contains("not an identifier"));
    assert!(start(|settings| settings.merchants[0].contracts[0].rate = "1.5".into()).await.contains("1.5"));
    assert!(start(|settings| settings.merchants[1].api_key = "key-of-portal".into()).await.contains("twice"));
    assert!(start(|settings| settings.merchants[1].callback_key = "".into()).await.contains("empty key"));
    let open = Server::start(config(), "0.0.0.0:0".parse().unwrap()).await;
    assert!(matches!(open, Err(StartError::NotLoopback(_))));
}
