use std::path::PathBuf;

use proptest::prelude::*;

use super::*;

/// A report as this bank of our imagination writes it.
fn report(group: &str, block: &str, orders: &[(&str, &str)]) -> String {
    let status = |tag: &str, value: &str| match value {
        "" => String::new(),
        value => format!("<{tag}>{value}</{tag}><StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf>"),
    };
    let orders: String = orders
        .iter()
        .map(|(id, value)| {
            let status = status("TxSts", value);
            format!("<TxInfAndSts><OrgnlEndToEndId>{id}</OrgnlEndToEndId>{status}</TxInfAndSts>")
        })
        .collect();
    format!(
        r#"<?xml version="1.0"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10">
        <CstmrPmtStsRpt><GrpHdr><MsgId>BANK-1</MsgId></GrpHdr>
        <OrgnlGrpInfAndSts><OrgnlMsgId>PAY-1</OrgnlMsgId>{}</OrgnlGrpInfAndSts>
        <OrgnlPmtInfAndSts><OrgnlPmtInfId>PAY-1</OrgnlPmtInfId>{}{orders}</OrgnlPmtInfAndSts>
        </CstmrPmtStsRpt></Document>"#,
        status("GrpSts", group),
        status("PmtInfSts", block),
    )
}

fn status_of<'a>(report: &'a StatusReport, order: &str) -> Option<&'a str> {
    report.of(("PAY-1", "PAY-1"), order).map(|(status, _)| status)
}

#[test]
fn a_silent_level_inherits_from_the_one_above() {
    for (group, block, order, expected) in [
        ("ACTC", "ACSP", "RJCT", Some("RJCT")),
        ("ACTC", "ACSP", "", Some("ACSP")),
        ("ACTC", "", "", Some("ACTC")),
        ("", "", "", None),
    ] {
        let text = report(group, block, &[("E1", order)]);
        let read = read(text.as_bytes()).unwrap();
        assert_eq!(status_of(&read, "E1"), expected, "{group} {block} {order}");
    }
}

#[test]
fn an_order_that_is_not_listed_has_the_status_of_its_block() {
    let read = read(report("PART", "ACSP", &[("E1", "RJCT")]).as_bytes()).unwrap();
    assert_eq!(status_of(&read, "E1"), Some("RJCT"));
    assert_eq!(status_of(&read, "E2"), Some("ACSP"));
    assert_eq!(read.of(("PAY-1", "B2"), "E1"), Some(("PART", read.group.reasons.as_slice())));
    assert_eq!(Progress::of("PART"), Progress::Undecided);
}

#[test]
fn a_report_about_another_file_says_nothing_about_ours() {
    let rejected = report("RJCT", "RJCT", &[("E1", "RJCT")]);
    let read_as = |text: &str| read(text.as_bytes()).unwrap();
    let theirs = read_as(&rejected.replace("PAY-1", "PAY-2"));
    assert!(theirs.is_about_another("PAY-1") && !theirs.is_about_another("PAY-2"));
    let mixed = read_as(&rejected.replace("<OrgnlMsgId>PAY-1", "<OrgnlMsgId>PAY-2"));
    let nobodys =
        "<CstmrPmtStsRpt><OrgnlGrpInfAndSts><GrpSts>RJCT</GrpSts></OrgnlGrpInfAndSts></CstmrPmtStsRpt>";
    let interbank = "<FIToFIPmtStsRpt><OrgnlGrpInfAndSts><OrgnlMsgId>PAY-1</OrgnlMsgId><GrpSts>RJCT</GrpSts>\
        </OrgnlGrpInfAndSts></FIToFIPmtStsRpt>";
    for other in [theirs, mixed, read_as(nobodys), read_as(interbank)] {
        for order in ["E1", "E2"] {
            assert_eq!(status_of(&other, order), None, "{other:?}");
        }
    }
    // A bank that leaves the id of the file out may still name its block.
    let without = read_as(&rejected.replace("<OrgnlMsgId>PAY-1</OrgnlMsgId>", ""));
    assert_eq!(status_of(&without, "E2"), Some("RJCT"));
    // The word about the message holds for every order of the file it names.
    let whole = read_as(&nobodys.replace("<GrpSts>", "<OrgnlMsgId>PAY-1</OrgnlMsgId><GrpSts>"));
    assert_eq!(status_of(&whole, "E1"), Some("RJCT"));
}

#[test]
fn every_level_brings_its_own_reasons() {
    let text = r"<CstmrPmtStsRpt><OrgnlGrpInfAndSts><OrgnlMsgId>P</OrgnlMsgId></OrgnlGrpInfAndSts>
        <OrgnlPmtInfAndSts><OrgnlPmtInfId>P</OrgnlPmtInfId><TxInfAndSts><OrgnlEndToEndId>E&amp;1</OrgnlEndToEndId>
        <TxSts>RJCT</TxSts><StsRsnInf><Rsn><Cd>AC04</Cd></Rsn><AddtlInf>closed &#8212; <![CDATA[<2026>]]></AddtlInf>
        <AddtlInf>see branch</AddtlInf></StsRsnInf><StsRsnInf><Rsn><Prtry>X9</Prtry></Rsn></StsRsnInf>
        <OrgnlTxRef><PmtTpInf><SvcLvl><Cd>SEPA</Cd></SvcLvl></PmtTpInf></OrgnlTxRef></TxInfAndSts>
        </OrgnlPmtInfAndSts></CstmrPmtStsRpt>";
    let read = read(text.as_bytes()).unwrap();
    let (status, reasons) = read.of(("P", "P"), "E&1").unwrap();
    assert_eq!(Progress::of(status), Progress::Rejected);
    let reasons: Vec<_> =
        reasons.iter().map(|reason| (reason.code.as_deref(), reason.text.as_str())).collect();
    assert_eq!(reasons, [(Some("AC04"), "closed — <2026> see branch"), (Some("X9"), "")]);
}

#[test]
fn only_two_codes_say_that_money_has_moved() {
    let codes = "RCVD ACTC ACCP ACFC ACSP ACWC ACWP PDNG PART RJCT CANC ACSC ACCC XXXX";
    let settled: Vec<_> = codes.split(' ').filter(|code| Progress::of(code) == Progress::Settled).collect();
    assert_eq!(settled, ["ACSC", "ACCC"]);
}

#[test]
fn what_is_not_one_whole_report_is_refused() {
    let whole = report("ACTC", "", &[]);
    let cut = whole.len() - 12;
    let twice = format!("<all>{0}{0}</all>", "<CstmrPmtStsRpt></CstmrPmtStsRpt>");
    let bomb = r#"<!DOCTYPE a [<!ENTITY b "c">]><CstmrPmtStsRpt>&b;</CstmrPmtStsRpt>"#;
    let deep = "<a>".repeat(100_000);
    for broken in
        [&whole.as_bytes()[..cut], bomb.as_bytes(), deep.as_bytes(), b"<r>&unknown;</r>", b"<a></b>"]
    {
        assert!(matches!(read(broken), Err(ReadError::Xml(_))), "{:?}", broken.get(..20));
    }
    assert!(matches!(read(twice.as_bytes()), Err(ReadError::Several)));
    for other in
        ["", "OK", "<Document/>", "<Document><CstmrCdtTrfInitn><GrpHdr/></CstmrCdtTrfInitn></Document>"]
    {
        assert!(matches!(read(other.as_bytes()), Err(ReadError::AnotherMessage)));
    }
}

#[test]
fn a_flood_of_entries_is_refused() {
    let flood = format!("<CstmrPmtStsRpt>{}", "<TxInfAndSts/>".repeat(ENTRIES_MAX + 1));
    assert!(matches!(read(flood.as_bytes()), Err(ReadError::TooMany)));
}

/// Samples written by others: present where MIZAN_CORPUS names their folder.
fn sample(name: &str) -> Option<StatusReport> {
    let Some(corpus) = std::env::var_os("MIZAN_CORPUS") else {
        println!("MIZAN_CORPUS is not set: {name} was not read");
        return None;
    };
    let path = PathBuf::from(corpus).join("statements").join(name);
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Some(read(bytes.as_slice()).unwrap())
}

#[test]
fn a_rejection_of_single_orders_is_read_from_a_file_of_a_bank() {
    const MESSAGE: &str = "MSGID-950-TEST2-2807-01";
    let Some(report) = sample("pain002-03-nordea-tx-reject.xml") else { return };
    assert_eq!(report.message.as_deref(), Some("pain.002.001.03"));
    assert_eq!(report.message_id.as_deref(), Some("XML990920150728124014189"));
    assert_eq!(report.original_message_id.as_deref(), Some(MESSAGE));
    assert_eq!(report.group, Standing::default());
    let [block] = report.blocks.as_slice() else { panic!("{:?}", report.blocks) };
    assert_eq!(block.original_id.as_deref(), Some("PMTINFID-950-TEST2-2807-01"));
    assert_eq!(block.standing.status.as_deref(), Some("RJCT"));
    assert_eq!(block.orders.len(), 2);
    let (status, reasons) =
        report.of((MESSAGE, "PMTINFID-950-TEST2-2807-01"), "ENDTOENDID-950-TEST2-2807-01").expect("listed");
    assert_eq!((status, reasons[0].code.as_deref()), ("RJCT", Some("NARR")));
    assert!(reasons[0].text.starts_with("CAP Invalid code"));
}

#[test]
fn a_rejection_that_names_no_file_is_about_none_of_ours() {
    let Some(report) = sample("pain002-03-crossriver-batch-rejected.xml") else { return };
    // The file spells its namespace attribute `Xmlns`, so nothing is declared.
    assert_eq!(report.message, None);
    assert!(report.blocks.is_empty());
    assert_eq!(report.original_message_id, None, "the bank could not even read the id of the file");
    assert_eq!(report.of(("ANY", "ANY"), "ANY"), None);
    assert_eq!(report.group.status.as_deref(), Some("RJCT"));
    assert!(report.group.reasons[0].text.contains("does not match the end tag of 'GrpHdr'"));
}

#[test]
fn an_interbank_status_in_an_envelope_is_read_by_the_same_names() {
    let Some(report) = sample("pacs002-10-cbpr-status.xml") else { return };
    assert_eq!(report.message.as_deref(), Some("pacs.002.001.10"));
    assert_eq!(report.message_id.as_deref(), Some("P002-20260413-9102"));
    assert_eq!(report.original_message_id.as_deref(), Some("P008-20260412-4410"));
    let order = &report.blocks[0].orders[0];
    assert_eq!(order.uetr.as_deref(), Some("d4e5f6a7-b8c9-4123-9efa-234567890123"));
    assert_eq!(
        report.of(("ANY", "ANY"), "E2E-04127823").map(|(status, _)| Progress::of(status)),
        Some(Progress::UnderWay)
    );
}

proptest! {
    #[test]
    fn reading_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        drop(read(bytes.as_slice()));
    }

    #[test]
    fn a_damaged_report_is_read_or_refused(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let mut bytes = report("ACTC", "PART", &[("E1", "RJCT"), ("E2", "")]).into_bytes();
        let at = at.index(bytes.len());
        if cut {
            bytes.truncate(at);
        } else {
            bytes[at] = byte;
        }
        drop(read(bytes.as_slice()));
    }
}
