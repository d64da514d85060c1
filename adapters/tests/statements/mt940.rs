use mizan_adapters::statement::check::check;
use mizan_adapters::statement::{Evidence, LineStatus, ReadFile, StatementKind, read_all};
use mizan_ledger::{Currency, Money};

fn read(text: &str) -> ReadFile {
    read_all(text.as_bytes()).unwrap()
}

/// A page with the given balances and lines.
fn page(number: &str, opening: &str, lines: &str, closing: &str) -> String {
    format!(
        ":20:EXAMPLE\n:25:PS92PALS000000000400123456702\n:28C:{number}\n:{opening}\n{lines}:{closing}\n-\n"
    )
}

const LINE: &str = ":61:2611221122C12,345NTRF12345678901234//EX-1\n:86:fee\n";

#[test]
fn three_decimals_survive_with_any_line_end() {
    let text = page("7/1", "60F:C261122JOD0,000", LINE, "62F:C261122JOD12,345");
    for text in [text.clone(), text.replace('\n', "\r\n")] {
        let read = read(&text);
        let listed = &read.statements[0];
        assert_eq!(listed.lines[0].amount, Money::new(12_345, Currency::JOD));
        assert_eq!((listed.statement.closes(), listed.statement.sequence), (Some(true), Some(7)));
        assert_eq!((read.format.as_str(), read.problems.len()), ("MT940", 0));
        let Evidence::Text { text, line } = &listed.lines[0].evidence else { panic!() };
        assert_eq!((text.as_str(), *line), (LINE.trim_end(), 5));
    }
}

#[test]
fn a_chain_of_pages_closes_page_by_page() {
    let text = page("4/1", "60F:C261121ILS100,", ":61:261122C1,NTRF\n", "62M:C261122ILS101,")
        + &page("4/2", "60M:C261122ILS101,", ":61:261122C2,NTRF\n", "62M:C261122ILS103,")
        + &page("4/3", "60M:C261122ILS103,", ":61:261122D200,NTRF\n", "62F:D261122ILS97,");
    let read = read(&text);
    let pages: Vec<_> = read
        .statements
        .iter()
        .map(|listed| (listed.statement.page.unwrap().number, listed.statement.closes()))
        .collect();
    assert_eq!(pages, [(1, Some(true)), (2, Some(true)), (3, Some(true))]);
    let broken = text.replace("60M:C261122ILS103,", "60M:C261122ILS104,");
    assert!(!check("x", broken.as_bytes()).ok);
}

#[test]
fn swift_blocks_change_nothing() {
    let text = page("7/1", "60F:C261122JOD0,", LINE, "62F:C261122JOD12,345");
    let blocks = |kind: &str, text: &str| {
        format!(
            "\u{1}{{1:F01BANKPS22XXXX0000000000}}{{2:I{kind}BANKPS22XXXXN}}{{4:\r\n{}}}{{5:{{CHK:0}}}}\u{3}",
            text.trim_end()
        )
    };
    let twice = blocks("940", &text) + &blocks("940", &text);
    let (plain, wrapped) = (read(&text), read(&twice));
    assert_eq!(wrapped.statements.len(), 2);
    for listed in &wrapped.statements {
        assert_eq!(listed.lines[0].transaction, plain.statements[0].lines[0].transaction);
        assert_eq!(listed.statement.closes(), Some(true));
    }
    assert_eq!(read(&blocks("942", ":20:X\n:25:Y\n:34F:ILS0,\n:61:261122C1,NTRF\n-")).format, "MT942");
}

#[test]
fn several_accounts_and_currencies_stand_in_one_file() {
    let text = page("1/1", "60F:C261122ILS0,", ":61:261122C1,NTRF\n", "62F:C261122ILS1,").replace("-\n", "")
        + ":25:PS-EXAMPLE-USD\n:28C:1/1\n:60F:C261122USD5,\n:61:261122D5,NTRF\n:62F:C261122USD0,\n"
        + ":60F:C261122JOD0,\n:62F:C261122JOD0,\n";
    let read = read(&text);
    let accounts: Vec<_> = read
        .statements
        .iter()
        .map(|listed| {
            let statement = &listed.statement;
            (
                statement.id.as_deref(),
                statement.account.as_deref().unwrap(),
                statement.currency.unwrap().to_string(),
            )
        })
        .collect();
    let own = "PS92PALS000000000400123456702";
    assert_eq!(
        accounts,
        [
            (Some("EXAMPLE"), own, "ILS".to_owned()),
            (Some("EXAMPLE"), "PS-EXAMPLE-USD", "USD".to_owned()),
            (Some("EXAMPLE"), "PS-EXAMPLE-USD", "JOD".to_owned())
        ]
    );
    assert!(read.statements.iter().all(|listed| listed.statement.closes() == Some(true)));
}

#[test]
fn free_text_may_look_like_structure() {
    let lines = ":61:261122C1,NTRF\n:86:first\n- with a dash\n-\n:99: no field\n: colon\n:86:second\n";
    let read = read(&page("1/1", "60F:C261122ILS0,", lines, "62F:C261122ILS1,\n:86:of the whole"));
    let listed = &read.statements[0];
    assert_eq!(listed.lines.len(), 1);
    assert!(listed.lines[0].texts().any(|text| text == "first\n- with a dash\n-\n:99: no field\n: colon"));
    assert!(listed.lines[0].texts().any(|text| text == "second"));
    assert_eq!(listed.statement.information.as_deref(), Some("of the whole"));
    assert_eq!(listed.statement.closes(), Some(true));
}

#[test]
fn expected_lines_are_pending_and_reversals_have_their_own_sign() {
    let lines = ":61:261122C5,NTRF\n:61:261122RC5,NTRF\n:61:261122EC9,NTRF\n";
    let listed = &read(&page("1/1", "60F:C261122ILS0,", lines, "62F:C261122ILS0,")).statements[0];
    let lines: Vec<_> =
        listed.lines.iter().map(|line| (line.amount.minor(), line.reversal, line.status.clone())).collect();
    assert_eq!(
        lines,
        [
            (500, false, LineStatus::Booked),
            (-500, true, LineStatus::Booked),
            (900, false, LineStatus::Pending)
        ]
    );
    assert_eq!(listed.statement.closes(), Some(true));
}

#[test]
fn an_intraday_report_has_no_balances_and_takes_its_currency_from_the_floor() {
    let text = ":20:X\n:25:Y\n:28C:1/1\n:34F:JOD0,\n:13D:2611221200+0200\n:61:261122C1,234NTRF\n\
                :90D:0JOD0,\n:90C:1JOD1,234\n-\n";
    let file = read(text);
    let statement = &file.statements[0].statement;
    assert_eq!((statement.kind, statement.closes()), (StatementKind::Intraday, None));
    assert_eq!((file.format.as_str(), file.problems.len()), ("MT942", 0));
    let wrong = read(&text.replace("1JOD1,234", "1JOD9,234"));
    assert!(wrong.problems[0].what.contains("the bank says"), "{:?}", wrong.problems);
}

#[test]
fn money_that_cannot_be_read_is_never_guessed() {
    for line in [":61:261122C1,2345NTRF\n", ":61:26112C1,\n", ":61:261122X1,\n", ":61:no line\n"] {
        let report = check("x", page("1/1", "60F:C261122JOD0,", line, "62F:C261122JOD0,").as_bytes());
        assert_eq!(
            (report.ok, report.statements[0].closes, report.statements[0].lines),
            (false, Some(false), 0)
        );
        assert!(report.problems[0].place.starts_with("line 5, statement 1, :61:"), "{:?}", report.problems);
    }
    let no_currency = ":20:X\n:25:Y\n:61:261122C1,NTRF\n:62F:C261122ILS1,\n";
    assert!(!check("x", no_currency.as_bytes()).ok);
    let other = page("1/1", "60F:C261122JOD0,", "", "62F:C261122ILS0,");
    assert!(!check("x", other.as_bytes()).ok, "two currencies in one statement");
}

#[test]
fn what_cannot_be_understood_is_refused_with_place_and_cause() {
    let refusal = |text: &str| read_all(text.as_bytes()).unwrap_err().to_string();
    assert_eq!(refusal(":20:X\n:25:Y\n"), "line 2: there is no balance and no line in it");
    let cut = "{1:F01X}{2:I940X}{4:\n:20:X\n:25:Y\n:60F:C261122ILS0,\n:61:261122C1,NTRF\n";
    assert_eq!(refusal(cut), "line 5: the file ends inside a message: it is cut off");
    assert!(refusal(&format!(":20:{}\n", "x".repeat(300_000))).contains("a line is longer than"));
    let endless = format!(":20:X\n:61:261122C1,\n:86:{}", "x\n".repeat(300_000));
    assert!(refusal(&endless).contains("a field is longer than"));
}

#[test]
fn arabic_of_old_core_systems_is_read() {
    let lines = ":61:261122C1,NTRF\n:86:رسوم ترخيص مركبة 12345678901234\n";
    let text = page("1/1", "60F:C261122ILS0,", lines, "62F:C261122ILS1,");
    let (bytes, _, _) = encoding_rs::WINDOWS_1256.encode(&text);
    let read = read_all(&*bytes).unwrap();
    assert_eq!(read.encoding, "windows-1256");
    assert_eq!(read.statements[0].lines[0].transaction.free_texts, ["رسوم ترخيص مركبة 12345678901234"]);
}

#[test]
fn a_file_cut_before_its_closing_balance_shows_that_it_is_missing() {
    let text = page("1/1", "60F:C261122ILS0,", LINE, "62F:C261122ILS1,").replace("12,345", "1,00");
    let cut = &text[..text.find(":62F:").unwrap()];
    let report = check("x", cut.as_bytes());
    assert_eq!((report.statements[0].closes, report.problems.len()), (None, 1));
    assert_eq!(report.problems[0].what, "the closing balance is missing");
}

#[test]
fn a_control_character_of_the_banks_own_keeps_the_file_from_being_ok_and_one_it_passes_on_does_not() {
    let text = page("7/1", "60F:C261122JOD0,000", LINE, "62F:C261122JOD12,345");
    for (from, to, is_ok, what) in [
        ("EX-1", "EX\0-1", false, "line 5, entry 1: the bank's reference holds the control character U+0000"),
        (
            "12345678901234",
            "1234567\0901234",
            true,
            "line 5, entry 1: the reference for the account's owner holds",
        ),
        ("PS92PALS", "PS92\0PALS", false, "statement 1: the account holds the control character U+0000"),
        (
            ":20:EXAMPLE",
            ":20:EX\u{1}AMPLE",
            false,
            "statement 1: the statement's id holds the control character U+0001",
        ),
    ] {
        assert!(text.contains(from));
        let report = check("x", text.replacen(from, to, 1).as_bytes());
        let told =
            |problem: &mizan_adapters::statement::Problem| format!("{}: {}", problem.place, problem.what);
        let problems: Vec<_> = report.problems.iter().map(told).collect();
        assert_eq!(report.ok, is_ok, "{problems:?}");
        assert!(problems.len() == 1 && problems[0].starts_with(what), "{problems:?}");
        assert_eq!(report.statements[0].closes, Some(true));
    }
}

#[test]
fn what_a_problem_quotes_of_a_file_can_be_shown() {
    let long = "x\0".repeat(5_000);
    for text in [
        page("7/1", "60F:C261122JOD0,000", &format!(":61:{long}\n"), "62F:C261122JOD0,"),
        page("7/1", &format!("60F:C261122\0\0\0{long}"), "", "62F:C261122JOD0,"),
        page("7/1", "60F:C261122JOD0,000", "", &format!("62F:C261122JOD{long}")),
    ] {
        for problem in check("x", text.as_bytes()).problems {
            let words = format!("{}{}", problem.place, problem.what);
            assert!(words.len() < 3_000 && !words.chars().any(char::is_control), "{words:?}");
        }
    }
}
