//! The sandbox and the crate's statement readers meet: each was written from the standard and the manual alone.

use mizan_adapters::statement::{ReadFile, StatementLine, read_all};

use crate::schemas::eventful;
use crate::support::{AGENCY, DAY, ILS, JOD, RETURNING, Sandbox, inside};

const NEXT: &str = "2026-11-23";
const FORMATS: [&str; 4] = ["camt.053.001.02", "camt.053.001.08", "mt940", "mt940&charset=windows-1256"];

async fn read(sandbox: &Sandbox, account: &str, day: &str, format: &str) -> ReadFile {
    let path = format!("/bank/v1/accounts/{account}/statements/{day}?format={format}");
    read_all(sandbox.get_bytes(&path).await.as_slice()).unwrap()
}

fn lines(file: &ReadFile) -> Vec<&StatementLine> {
    file.statements.iter().flat_map(|statement| &statement.lines).collect()
}

#[tokio::test]
async fn every_form_of_a_statement_is_read_as_the_same_lines() {
    let sandbox = eventful().await;
    sandbox.close(DAY).await;
    sandbox.close(NEXT).await;
    for (account, day) in [ILS, JOD, AGENCY].into_iter().flat_map(|account| [(account, DAY), (account, NEXT)])
    {
        let written = sandbox.camt(account, day).await;
        let references: Vec<_> = written.entries().iter().map(|entry| inside(entry, "AcctSvcrRef")).collect();
        for format in FORMATS {
            let file = read(&sandbox, account, day, format).await;
            assert_eq!(file.problems, [], "{account} {day} {format}");
            assert!(file.statements.iter().all(|listed| listed.statement.closes() == Some(true)));
            assert_eq!(file.statements[0].statement.account.as_deref(), Some(account));
            assert_eq!(file.statements[0].statement.sequence, Some(u64::from(written.sequence())));
            let lines = lines(&file);
            let minor: Vec<i64> = lines.iter().map(|line| line.amount.minor()).collect();
            assert_eq!(minor, written.amounts(), "{account} {day} {format}");
            let read: Vec<_> = lines.iter().map(|line| line.bank_reference.clone()).collect();
            assert_eq!(read, references, "{account} {day} {format}");
        }
    }
}

#[tokio::test]
async fn what_came_back_is_read_with_its_reference_account_and_reason() {
    let sandbox = eventful().await;
    sandbox.close(DAY).await;
    sandbox.close(NEXT).await;
    for format in FORMATS {
        let file = read(&sandbox, ILS, NEXT, format).await;
        let transaction = &lines(&file)[0].transaction;
        assert_eq!(transaction.references.end_to_end.as_deref(), Some("PO-1"), "{format}");
        let reason = transaction.return_reason.as_ref().and_then(|reason| reason.code.as_deref());
        assert_eq!(reason, Some("AC04"), "{format}");
        if format.starts_with("mt940") {
            assert_eq!(transaction.counterparty.account.as_deref(), Some(RETURNING), "{format}");
        }
    }
}

#[tokio::test]
async fn arabic_names_and_creditor_references_are_read() {
    let sandbox = eventful().await;
    sandbox.close(DAY).await;
    for format in ["camt.053.001.02", "camt.053.001.08", "mt940&charset=windows-1256"] {
        let file = read(&sandbox, JOD, DAY, format).await;
        let first = &lines(&file)[0].transaction;
        assert_eq!(first.counterparty.name.as_deref(), Some("دافع & <مثال>"), "{format}");
        assert!(first.texts().any(|text| text.contains("RF13PS2026A0042")), "{format}: {first:?}");
    }
}
