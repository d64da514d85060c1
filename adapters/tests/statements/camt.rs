use std::cell::Cell;
use std::io::Read;
use std::rc::Rc;

use mizan_adapters::statement::check::check;
use mizan_adapters::statement::{Event, Limits, LineStatus, Listed, open, read_all};
use mizan_ledger::{Currency, Money};

use crate::write::{Camt, balance, busy_day, entry};

fn only(xml: &str) -> (Listed, Vec<String>) {
    let read = read_all(xml.as_bytes()).unwrap();
    let problems =
        read.problems.iter().map(|problem| format!("{}: {}", problem.place, problem.what)).collect();
    let [statement] = <[Listed; 1]>::try_from(read.statements).unwrap();
    (statement, problems)
}

fn refusal(xml: &str) -> String {
    read_all(xml.as_bytes()).unwrap_err().to_string()
}

#[test]
fn three_decimals_of_the_dinar_survive() {
    let file = Camt { currency: "JOD", ..Camt::ils("0.000", "12.345", entry("12.345", "JOD", "")) };
    let (listed, problems) = only(&file.xml());
    assert_eq!(listed.lines[0].amount, Money::new(12_345, Currency::JOD));
    assert_eq!((listed.statement.closes(), problems.len()), (Some(true), 0));
}

#[test]
fn zeros_beyond_the_currency_are_accepted_and_anything_else_is_not_rounded() {
    let (listed, problems) = only(&Camt::ils("0", "8.85", entry("8.85000", "ILS", "")).xml());
    assert_eq!((listed.lines[0].amount.minor(), problems.len()), (885, 0));

    let (listed, problems) = only(&Camt::ils("0", "8.85", entry("8.85001", "ILS", "")).xml());
    assert_eq!((listed.lines.len(), listed.statement.totals.unread), (0, 1));
    assert_eq!(listed.statement.closes(), Some(false));
    assert!(
        problems[0].contains("Stmt[1]/Ntry[1]/Amt: \"8.85001\" has more than the 2 decimals"),
        "{problems:?}"
    );
}

#[test]
fn any_iso_currency_is_read_and_an_unknown_one_is_told() {
    for code in ["EGP", "SYP", "HUF", "NGN", "INR", "TND"] {
        let file = Camt { currency: code, ..Camt::ils("1", "3", entry("2", code, "")) };
        assert_eq!(only(&file.xml()).0.statement.closes(), Some(true), "{code}");
    }
    let (listed, problems) = only(&Camt::ils("0", "5", entry("5", "QQQ", "")).xml());
    assert_eq!((listed.lines.len(), listed.statement.closes()), (0, Some(false)));
    assert!(problems[0].contains("\"QQQ\" is not an ISO 4217 currency code"), "{problems:?}");
}

#[test]
fn a_reversal_already_has_its_own_sign() {
    let returned = "<RvslInd>true</RvslInd><NtryDtls><TxDtls><Refs><EndToEndId>EXAMPLE-PAYOUT</EndToEndId></Refs>\
                    <RtrInf><Rsn><Cd>AC04</Cd></Rsn><AddtlInf>account</AddtlInf><AddtlInf>closed</AddtlInf></RtrInf>\
                    </TxDtls></NtryDtls>";
    let (listed, _) = only(&Camt::ils("0", "500", entry("500.00", "ILS", returned)).xml());
    let line = &listed.lines[0];
    assert!(line.reversal && line.amount.is_positive());
    assert_eq!(line.transaction.references.end_to_end.as_deref(), Some("EXAMPLE-PAYOUT"));
    let reason = line.transaction.return_reason.as_ref().unwrap();
    assert_eq!((reason.code.as_deref(), reason.text.as_deref()), (Some("AC04"), Some("account closed")));
    assert_eq!(listed.statement.closes(), Some(true));
}

#[test]
fn pending_and_information_entries_are_listed_but_not_summed() {
    let pending = entry("7", "ILS", "").replace("BOOK", "PDNG");
    let information = entry("9", "ILS", "").replace("<Cd>BOOK</Cd>", "INFO");
    let (listed, _) = only(&Camt::ils("0", "5", entry("5", "ILS", "") + &pending + &information).xml());
    let statuses: Vec<_> = listed.lines.iter().map(|line| line.status.clone()).collect();
    assert_eq!(statuses, [LineStatus::Booked, LineStatus::Pending, LineStatus::Information]);
    assert_eq!((listed.statement.totals.booked, listed.statement.closes()), (1, Some(true)));
}

#[test]
fn a_batch_keeps_its_details_with_their_own_money_and_references() {
    let one = |amount, reference| {
        format!(
            "<TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs><Amt Ccy=\"ILS\">{amount}</Amt>\
             <CdtDbtInd>CRDT</CdtDbtInd><RmtInf><Strd><CdtrRefInf><Ref>{reference}</Ref></CdtrRefInf></Strd></RmtInf>\
             </TxDtls>"
        )
    };
    let batch = format!(
        "<NtryDtls><Btch><PmtInfId>EXAMPLE-BATCH</PmtInfId><NbOfTxs>2</NbOfTxs></Btch>{}{}</NtryDtls>",
        one("3.00", "RF18539007547034"),
        one("4.00", "RF642026000001234")
    );
    let (listed, problems) = only(&Camt::ils("0", "7", entry("7", "ILS", &batch)).xml());
    let line = &listed.lines[0];
    let batch = line.batch.as_ref().unwrap();
    assert_eq!((batch.payment_information.as_deref(), batch.transactions), (Some("EXAMPLE-BATCH"), Some(2)));
    let details: Vec<_> = line
        .details
        .iter()
        .map(|one| {
            (one.amount.unwrap().minor(), one.references.creditor[0].as_str(), &one.references.end_to_end)
        })
        .collect();
    assert_eq!(details, [(300, "RF18539007547034", &None), (400, "RF642026000001234", &None)]);
    assert_eq!((listed.statement.totals.booked, problems.len()), (1, 0));
    assert!(line.texts().any(|text| text == "RF642026000001234"));
}

#[test]
fn prefixes_wrappers_cdata_and_a_dangling_ampersand_change_nothing() {
    let remittance = "<NtryDtls><TxDtls><RmtInf><Ustrd><![CDATA[fee]]> R & D &#1583;&amp;</Ustrd></RmtInf></TxDtls></NtryDtls>";
    let plain = Camt::ils("0", "5", entry("5", "ILS", remittance)).xml();
    let body = plain.split_once('\n').unwrap().1;
    let prefixed =
        body.replace("</", "</x:").replace('<', "<x:").replace("<x:/x:", "</x:").replace("<x:![", "<![");
    let wrapped = format!(
        "<Envelope><AppHdr xmlns=\"urn:iso:std:iso:20022:tech:xsd:head.001.001.02\"/>{}</Envelope>",
        prefixed.replace("xmlns=", "xmlns:x=")
    );
    let (from_plain, _) = only(&plain);
    let (from_wrapped, _) = only(&wrapped);
    assert_eq!(from_plain.lines[0].transaction, from_wrapped.lines[0].transaction);
    assert_eq!(from_plain.lines[0].transaction.free_texts, ["fee R & D د&"]);
    assert_eq!(read_all(wrapped.as_bytes()).unwrap().format, "camt.053.001.08");
}

#[test]
fn balances_behind_the_entries_count_as_well() {
    let xml = Camt::ils("0", "5", "").xml();
    let (head, tail) = xml.split_once("<Bal>").unwrap();
    let moved = format!("{head}{}<Bal>{tail}", entry("5", "ILS", ""));
    assert_eq!(only(&moved).0.statement.closes(), Some(true));
}

#[test]
fn pages_open_and_close_with_interim_balances() {
    let page = |balances: String, lines: &str| {
        let xml = Camt::ils("0", "0", lines).xml();
        let (head, tail) = xml.split_once("<Bal>").unwrap();
        let (_, tail) = tail.rsplit_once("</Bal>").unwrap();
        only(&format!("{head}{balances}{tail}")).0.statement
    };
    let bal = |code, amount| balance(code, amount, "ILS");
    let first = page(bal("OPBD", "0") + &bal("ITBD", "5"), &entry("5", "ILS", ""));
    let middle = page(bal("ITBD", "5") + &bal("ITBD", "3"), &entry("-2", "ILS", ""));
    let last = page(bal("ITBD", "3") + &bal("CLBD", "-1"), &entry("-4", "ILS", ""));
    for statement in [first, middle, last] {
        assert_eq!(statement.closes(), Some(true), "{statement:?}");
    }
    assert_eq!(page(bal("CLBD", "5"), "").closes(), None);
}

#[test]
fn an_entry_without_a_side_or_in_another_currency_keeps_the_statement_open() {
    let no_side = entry("5", "ILS", "").replace("<CdtDbtInd>CRDT</CdtDbtInd>", "");
    let (listed, problems) = only(&Camt::ils("0", "5", no_side).xml());
    assert_eq!((listed.lines.len(), listed.statement.closes()), (0, Some(false)));
    assert!(problems[0].contains("Ntry[1]/CdtDbtInd: the entry does not say"), "{problems:?}");

    let closing_elsewhere = Camt::ils("0", "5", entry("5", "ILS", "")).xml().replacen(
        "<Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy=\"ILS\">",
        "<Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy=\"USD\">",
        1,
    );
    let report = check("x", closing_elsewhere.as_bytes());
    assert_eq!((report.ok, report.statements[0].closes), (false, None));

    let (listed, _) = only(&Camt::ils("0", "5", entry("5", "USD", "")).xml());
    assert_eq!(listed.lines[0].amount, Money::new(500, Currency::USD));
    assert_eq!((listed.statement.totals.foreign, listed.statement.closes()), (1, Some(false)));
}

#[test]
fn what_cannot_be_understood_is_refused_with_place_and_cause() {
    let good = Camt::ils("0", "5", entry("5", "ILS", "")).xml();
    let cut = &good[..good.find("</Ntry>").unwrap()];
    assert_eq!(
        refusal(cut),
        "line 10, Document/BkToCstmrStmt/Stmt/Ntry: the file ends here, inside this element: it is cut off"
    );
    assert_eq!(refusal(""), "line 1: the file is empty");
    assert_eq!(refusal("a,b\n1,2\n"), "line 1: neither camt XML nor MT940/MT942");
    assert!(refusal(&good.replace("</Ntry>", "</Amt>")).contains("the XML is broken"), "wrong end tag");
    assert!(refusal("<Document><CstmrPmtStsRpt/></Document>").contains("holds no bank statement"));
    assert!(refusal("<\u{0}>").starts_with("line 1"));
}

#[test]
fn bombs_are_refused_before_they_cost_memory() {
    let dtd = "<!DOCTYPE a [<!ENTITY b \"x\"><!ENTITY c \"&b;&b;&b;&b;\">]><Document>&c;</Document>";
    assert!(refusal(dtd).contains("document type definition"));
    assert!(refusal("<Document>&boom;</Document>").contains("&boom; is not defined"));
    assert!(refusal(&"<a>".repeat(100_000)).contains("nested more than 64 deep"));
    let attributes: String = (0..100).map(|number| format!(" a{number}=\"1\"")).collect();
    assert!(refusal(&format!("<Document{attributes}/>")).contains("more than 32 attributes"));
    assert!(refusal(&format!("<Document {}", "x".repeat(1 << 20))).contains("longer than 262144 bytes"));
    assert!(refusal(&format!("<Document>{}</Document>", "x".repeat(1 << 20))).contains("longer than"));
    let pieces = "x<!-- -->".repeat(300_000);
    assert!(refusal(&format!("<Document>{pieces}</Document>")).contains("a text is longer than"));
}

#[test]
fn caps_on_a_file_and_on_an_entry_hold() {
    let xml = Camt::ils("0", "5", busy_day(200)).xml();
    let run = |limits| open(xml.as_bytes(), limits).unwrap().find_map(Result::err);
    assert_eq!(run(Limits::default()), None);
    assert!(
        run(Limits { file_bytes: 20_000, ..Limits::default() }).unwrap().cause.contains("longer than 20000")
    );
    assert!(
        run(Limits { entry_bytes: 100, ..Limits::default() }).unwrap().cause.contains("one entry is longer")
    );
}

/// Hands out a long file piece by piece and never holds it.
struct Endless {
    head: Vec<u8>,
    entry: Vec<u8>,
    tail: Vec<u8>,
    entries: usize,
    at: usize,
    handed_out: Rc<Cell<usize>>,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let (head, entry) = (self.head.len(), self.entry.len());
        let body = head + entry * self.entries;
        let rest = match self.at {
            at if at < head => &self.head[at..],
            at if at < body => &self.entry[(at - head) % entry..],
            at => self.tail.get(at - body..).unwrap_or_default(),
        };
        let read = rest.len().min(buffer.len());
        buffer[..read].copy_from_slice(&rest[..read]);
        self.at += read;
        self.handed_out.set(self.at);
        Ok(read)
    }
}

#[test]
fn a_file_of_any_size_is_read_one_entry_at_a_time() {
    const ENTRIES: usize = 13_000;
    let xml = Camt::ils("0", "13000.00", "").xml();
    let (head, tail) = xml.split_at(xml.find("</Stmt>").unwrap());
    let handed_out = Rc::new(Cell::new(0));
    let source = Endless {
        head: head.into(),
        entry: busy_day(1).into_bytes(),
        tail: tail.into(),
        entries: ENTRIES,
        at: 0,
        handed_out: Rc::clone(&handed_out),
    };
    let entry_bytes = source.entry.len();
    let bytes = head.len() + entry_bytes * ENTRIES + tail.len();
    assert!(bytes > 5_000_000, "{bytes}");
    let (mut lines, mut closed) = (0_usize, None);
    for event in open(source, Limits::default()).unwrap() {
        match event.unwrap() {
            Event::Line(line) => {
                lines += 1;
                // The reader is never more than two pieces ahead of the line it gives, and nothing of earlier
                // entries is carried along.
                let given = head.len() + entry_bytes * lines;
                assert!(handed_out.get() - given <= 128 * 1024, "{} after line {lines}", handed_out.get());
                assert_eq!((line.ordinal, line.texts().count()), (lines as u64, 2));
            }
            Event::Closed(statement) => closed = statement.closes(),
            Event::Opened(_) => {}
            Event::Problem(problem) => panic!("{problem:?}"),
        }
    }
    assert_eq!((lines, closed), (ENTRIES, Some(true)));
}

#[test]
fn evidence_points_at_the_entry_in_the_file() {
    let xml = format!("\u{FEFF}{}", Camt::ils("0", "3.00", busy_day(3)).xml());
    for (number, line) in read_all(xml.as_bytes()).unwrap().statements[0].lines.iter().enumerate() {
        let mizan_adapters::statement::Evidence::Bytes { start, end, line } = line.evidence else { panic!() };
        let (start, end) = (usize::try_from(start).unwrap(), usize::try_from(end).unwrap());
        let text = &xml[start..end];
        assert!(text.starts_with("<Ntry>") && text.ends_with("</Ntry>"), "{text}");
        assert!(text.contains(&format!("EXAMPLE-E2E-{number}<")));
        assert_eq!(line, 1 + xml[..start].matches('\n').count() as u64);
    }
}

#[test]
fn arabic_in_a_single_byte_encoding_is_read_with_and_without_a_declaration() {
    let remittance = "<NtryDtls><TxDtls><RmtInf><Ustrd>رسوم ترخيص مركبة</Ustrd></RmtInf></TxDtls></NtryDtls>";
    let xml = Camt::ils("0", "5", entry("5", "ILS", remittance)).xml();
    for declared in ["windows-1256", "UTF-8"] {
        let text = xml.replace("encoding=\"UTF-8\"", &format!("encoding=\"{declared}\""));
        let (bytes, _, _) = encoding_rs::WINDOWS_1256.encode(&text);
        let read = read_all(&*bytes).unwrap();
        assert_eq!(read.encoding, "windows-1256");
        assert_eq!(read.statements[0].lines[0].transaction.free_texts, ["رسوم ترخيص مركبة"]);
    }
    let wide: Vec<u8> = format!("\u{FEFF}{xml}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(read_all(&*wide).unwrap().statements[0].lines[0].transaction.free_texts, ["رسوم ترخيص مركبة"]);
}

#[test]
fn the_report_has_the_shape_of_the_contract() {
    let file = Camt { currency: "JOD", ..Camt::ils("-1.500", "10.845", entry("12.345", "JOD", "")) };
    let report = check("day.xml", file.xml().as_bytes());
    assert_eq!(
        serde_json::to_string(&report).unwrap(),
        "{\"file\":\"day.xml\",\"format\":\"camt.053.001.08\",\"encoding\":\"UTF-8\",\"statements\":[{\
         \"id\":\"EXAMPLE-STATEMENT-1\",\"account\":\"PS92PALS000000000400123456702\",\"currency\":\"JOD\",\
         \"opening\":\"-1.500\",\"closing\":\"10.845\",\"lines\":1,\"credits\":\"12.345\",\"debits\":\"0.000\",\
         \"closes\":true}],\"problems\":[],\"ok\":true}"
    );
}

#[test]
fn ok_means_that_no_money_is_in_doubt() {
    let ok = |xml: String| check("x", xml.as_bytes()).ok;
    assert!(ok(Camt::ils("0", "5", entry("5", "ILS", "")).xml()));
    assert!(!ok(Camt::ils("0", "5.01", entry("5", "ILS", "")).xml()), "it does not close");
    let odd_day = "<ValDt><Dt>2026-02-30</Dt></ValDt>";
    let report = check("x", Camt::ils("0", "5", entry("5", "ILS", odd_day)).xml().as_bytes());
    assert_eq!((report.ok, report.problems.len()), (true, 1), "an impossible day is only told");
    let no_balances = Camt::ils("0", "5", entry("5", "ILS", "")).xml().replace("<Cd>OPBD", "<Cd>XXXX");
    assert!(ok(no_balances.clone()), "closes is null");
    assert!(!ok(no_balances.replace("\"ILS\">5<", "\"ILS\">5.001<")), "an amount cannot be read");
}

#[test]
fn the_list_of_problems_is_capped() {
    let odd = "<ValDt><Dt>2026-02-30</Dt></ValDt>";
    let entries: String = (0..1_200).map(|_| entry("1", "ILS", odd)).collect();
    let report = check("x", Camt::ils("0", "1200", entries).xml().as_bytes());
    assert_eq!((report.problems.len(), report.ok), (1_001, true));
    assert_eq!(report.problems[1_000].what, "200 more problems are not listed");
}

#[test]
fn a_reference_that_cannot_be_one_is_left_out_and_told_with_its_place() {
    let refs = |bank: &str, end_to_end: &str| {
        format!(
            "<AcctSvcrRef>{bank}</AcctSvcrRef><NtryDtls><TxDtls><Refs><EndToEndId>{end_to_end}</EndToEndId></Refs>\
             </TxDtls></NtryDtls>"
        )
    };
    let longest = "R".repeat(140);
    let good = Camt::ils("0", "1.00", entry("1.00", "ILS", &refs("B1", &longest))).xml();
    assert!(check("good", good.as_bytes()).ok);

    let endless = "R".repeat(9_000);
    let bad = Camt::ils("0", "1.00", entry("1.00", "ILS", &refs(&endless, "E\u{85}1"))).xml();
    let (listed, problems) = only(&bad);
    let line = &listed.lines[0];
    assert_eq!((&line.bank_reference, &line.transaction.references.end_to_end), (&None, &None));
    let place = problems[0].split_once(", entry 1: ").expect("the entry is named").0;
    assert!(place.starts_with("line "), "{place}");
    let what: Vec<_> = problems.iter().map(|problem| problem.split_once(": ").unwrap().1).collect();
    assert_eq!(
        what,
        [
            "the bank's reference is 9000 characters long; at most 140 can be one",
            "the end-to-end reference holds the control character U+0085",
        ]
    );
    let report = check("bad", bad.as_bytes());
    assert_eq!((report.ok, report.statements[0].closes), (false, Some(true)));
    let head = bad.replace("EXAMPLE-STATEMENT-1", &endless);
    let (listed, problems) = only(&head);
    assert_eq!((listed.statement.id, problems.len()), (None, 3));
    assert!(problems[2].starts_with("statement 1: the statement's id is 9000"), "{}", problems[2]);
}

#[test]
fn a_zero_character_in_xml_is_refused_with_its_place() {
    let file = |text: &str| {
        Camt::ils("0", "1.00", entry("1.00", "ILS", &format!("<AddtlNtryInf>{text}</AddtlNtryInf>"))).xml()
    };
    assert!(refusal(&file("a\0b")).contains("Ntry/AddtlNtryInf: the text holds the character U+0000"));
    assert!(refusal(&file("a&#0;b")).contains("Ntry/AddtlNtryInf: "));
}
