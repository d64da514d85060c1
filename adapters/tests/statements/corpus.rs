//! Statement files written by others, in the folder that MIZAN_CORPUS names (it holds `statements/`). Counts, sums
//! and balances below were computed by independent readers of the formats, not by this one.

use std::fs::File;
use std::path::PathBuf;

use mizan_adapters::statement::check::{CheckReport, CheckedStatement, check};
use mizan_adapters::statement::{LineStatus, read_all};

/// The folder of the samples; a word and `None` when there is none here.
fn samples() -> Option<PathBuf> {
    let Some(corpus) = std::env::var_os("MIZAN_CORPUS") else {
        println!("MIZAN_CORPUS is not set: the samples of others are not read");
        return None;
    };
    Some(PathBuf::from(corpus).join("statements"))
}

fn report(folder: &std::path::Path, name: &str) -> CheckReport {
    check(name, File::open(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}")))
}

/// `currency opening closing lines credits debits closes`, `-` for null.
fn row(statement: &CheckedStatement) -> String {
    let or_dash = |text: &Option<String>| text.clone().unwrap_or("-".to_owned());
    format!(
        "{} {} {} {} {} {} {}",
        statement.currency.map_or("-".to_owned(), |currency| currency.to_string()),
        or_dash(&statement.opening),
        or_dash(&statement.closing),
        statement.lines,
        statement.credits,
        statement.debits,
        statement.closes.map_or("-".to_owned(), |closes| closes.to_string()),
    )
}

#[test]
fn every_sample_reads_as_independent_readers_have_it() {
    let Some(folder) = samples() else { return };
    let expected = include_str!("corpus.txt");
    let mut files = 0;
    for block in expected.split("\n== ").skip(1) {
        let (head, rows) = block.split_once('\n').unwrap();
        let [file, format, encoding, ok] = <[&str; 4]>::try_from(Vec::from_iter(head.split(' '))).unwrap();
        let report = report(&folder, file);
        assert_eq!(
            report.statements.iter().map(row).collect::<Vec<_>>(),
            Vec::from_iter(rows.lines()),
            "{file}"
        );
        assert_eq!((report.format.as_deref(), report.encoding), (Some(format), Some(encoding)), "{file}");
        assert_eq!(report.ok.to_string(), ok, "{file}: {:?}", report.problems);
        files += 1;
    }
    assert_eq!(files, 23);
}

#[test]
fn a_message_without_a_statement_is_refused_with_its_place() {
    let Some(folder) = samples() else { return };
    let report = report(&folder, "camt053-02-wrong.xml");
    assert!(!report.ok && report.statements.is_empty());
    assert_eq!(report.problems[0].place, "line 8, Document/BkToCstmrStmt");
    assert_eq!(report.problems[0].what, "refused: the message holds no statement (Stmt)");
}

#[test]
fn other_messages_are_refused_by_name() {
    let Some(folder) = samples() else { return };
    for name in
        ["pain002-03-nordea-tx-reject.xml", "pacs004-09-cbpr-return.xml", "pacs002-10-cbpr-status.xml"]
    {
        let report = report(&folder, name);
        assert!(!report.ok && report.problems[0].what.contains("no bank statement"), "{name}");
    }
}
#[test]
fn a_day_that_does_not_exist_is_a_problem_and_no_refusal() {
    let Some(folder) = samples() else { return };
    let report = report(&folder, "mt940-february-30.sta");
    assert_eq!((report.ok, report.statements.len(), report.problems.len()), (true, 1, 1));
    assert_eq!(report.problems[0].place, "line 6, statement 1, :61:");
}

#[test]
fn references_parties_and_reasons_are_found_where_banks_put_them() {
    let Some(folder) = samples() else { return };
    let lines = |name: &str| {
        let read = read_all(File::open(folder.join(name)).unwrap()).unwrap();
        read.statements.into_iter().flat_map(|listed| listed.lines).collect::<Vec<_>>()
    };
    let fx = lines("camt053-08-fx-chf-eur.xml");
    assert_eq!(fx[0].transaction.references.uetr.as_deref(), Some("d0826d0f-a005-5e3b-b3dc-54da4ac7f0d0"));
    assert_eq!(fx[1].transaction.references.creditor, ["RF38000000000000000000552"]);
    assert_eq!(fx[2].transaction.exchange.as_ref().unwrap().rate.as_deref(), Some("0.9433"));
    assert_eq!(fx[2].transaction.counterparty.account.as_deref(), Some("CH2222222222222222222"));

    let batch = &lines("camt054-04-postfinance-batch6.xml")[0];
    let details: Vec<_> = batch.details.iter().map(|one| one.amount.unwrap().minor()).collect();
    assert_eq!(details, [40_000, 35_000, 45_000, 15_000, 5_000, 10_000]);
    assert_eq!(batch.details[0].references.payment_information.as_deref(), Some("PmtInfId-001-03"));

    let returned = &lines("camt054-04-postfinance-return.xml")[0];
    assert!(returned.reversal && returned.amount.is_positive());
    let reason = returned.transaction.return_reason.as_ref().unwrap();
    assert_eq!((reason.code.as_deref(), reason.text.as_deref()), (Some("AC01"), Some("Kontonummer falsch")));

    let returns = lines("camt054-02-finland-returns.xml");
    assert_eq!(returns[5].status, LineStatus::Information);
    assert_eq!(returns[2].details[0].references.creditor, ["RF7812345", "RF0812344"]);

    let sepa = lines("mt940-sepa-26-statements.sta");
    assert_eq!(sepa[0].transaction.references.end_to_end.as_deref(), Some("TFNR 40005 00005"));
    assert_eq!(sepa[0].bank_reference.as_deref(), Some("0724710345313905"));
    assert!(sepa[5].reversal && sepa[5].amount.is_negative());
}
