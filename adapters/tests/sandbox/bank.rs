//! Accounts, transfers and statements.

use serde_json::json;

use crate::support::{AGENCY, DAY, ILS, JOD, Sandbox, inside};

const DAYS: [&str; 4] = [DAY, "2026-11-23", "2026-11-24", "2026-11-25"];

async fn mt940(sandbox: &Sandbox, account: &str, day: &str) -> String {
    sandbox.get_text(&format!("/bank/v1/accounts/{account}/statements/{day}?format=mt940")).await
}

#[tokio::test]
async fn statements_close_chain_and_number_without_a_gap() {
    let sandbox = Sandbox::start().await;
    for (at, day) in DAYS.into_iter().enumerate() {
        for n in 0..at * 3 {
            let amount = format!("{n}.5{at}0");
            sandbox.transfer(json!({"to": JOD, "amount": amount, "currency": "JOD", "reference": format!("REF{at}{n}")})).await;
            let debit = json!({"account": ILS, "amount": "700.07", "currency": "ILS", "text": "charge"});
            assert_eq!(sandbox.post("/control/debits", debit).await.0, 200);
        }
        sandbox.close(day).await;
    }
    for (account, first) in [(ILS, 100_000), (JOD, 0), (AGENCY, -2550)] {
        let mut expected = first;
        for (at, day) in DAYS.into_iter().enumerate() {
            let statement = sandbox.camt(account, day).await;
            assert_eq!(statement.sequence() as usize, at + 1);
            assert_eq!(statement.balance("OPBD"), expected, "{account} {day}");
            expected += statement.amounts().iter().sum::<i64>();
            assert_eq!(statement.balance("CLBD"), expected, "{account} {day}");
        }
    }
    // The account is overdrawn by then, and says so in both forms.
    assert!(sandbox.camt(ILS, DAYS[3]).await.balance("CLBD") < 0);
    assert!(mt940(&sandbox, ILS, DAYS[3]).await.contains(":62F:D261125ILS"));
    sandbox.state().await;
}

#[tokio::test]
async fn a_statement_is_fixed_once_its_day_is_closed() {
    let sandbox = Sandbox::start().await;
    let path = format!("/bank/v1/accounts/{ILS}/statements/{DAY}");
    assert_eq!(sandbox.get(&path).await.1["error"], "day_open");
    sandbox.transfer(json!({"to": ILS, "amount": "10.00", "currency": "ILS"})).await;
    sandbox.close(DAY).await;
    let before = sandbox.get_bytes(&path).await;
    sandbox.transfer(json!({"to": ILS, "amount": "20.00", "currency": "ILS"})).await;
    sandbox.set_clock("2027-01-01T00:00:00Z").await;
    assert_eq!(sandbox.get_bytes(&path).await, before);
    for (close, slug) in [(DAY, "day_closed"), ("2026-11-24", "day_not_open")] {
        let (status, refused) = sandbox.post("/control/day", json!({"close": close})).await;
        assert_eq!((status, refused["error"].as_str()), (409, Some(slug)));
    }
    for (path, status, slug) in [
        (format!("/bank/v1/accounts/{ILS}/statements/2026-11-21"), 404, "unknown_statement"),
        (format!("/bank/v1/accounts/1/statements/{DAY}"), 404, "unknown_account"),
        (format!("/bank/v1/accounts/{ILS}/statements/{DAY}?format=pdf"), 400, "bad_format"),
        (format!("/bank/v1/accounts/{ILS}/statements/{DAY}?charset=windows-1256"), 400, "bad_charset"),
        (format!("/bank/v1/accounts/{ILS}/statements/today"), 400, "bad_path"),
    ] {
        let (answered, refused) = sandbox.get(&path).await;
        assert_eq!((answered, refused["error"].as_str()), (status, Some(slug)), "{path}");
    }
}

#[tokio::test]
async fn accounts_show_their_balance_with_today() {
    let sandbox = Sandbox::start().await;
    sandbox.transfer(json!({"to": JOD, "amount": "12.345", "currency": "JOD"})).await;
    let (_, body) = sandbox.get("/bank/v1/accounts").await;
    assert_eq!(
        body["accounts"][1],
        json!({"account": JOD, "currency": "JOD", "owner": "تحصيل دينار (مثال)", "balance": "12.345"})
    );
    assert_eq!(body["accounts"][2]["balance"], "-25.50");
}

#[tokio::test]
async fn arabic_and_three_decimals_come_through() {
    let sandbox = Sandbox::start().await;
    let transfer = json!({"to": JOD, "amount": "12.345", "currency": "JOD", "reference": "RF642026000001234",
        "text": "رسوم رخصة <بناء> & \"خدمة\"", "payer": "أحد المواطنين (مثال)"});
    let bank_reference = sandbox.transfer(transfer).await;
    sandbox.close(DAY).await;
    let statement = sandbox.camt(JOD, DAY).await;
    let entry = &statement.entries()[0];
    assert!(entry.contains("<Amt Ccy=\"JOD\">12.345</Amt>"));
    assert!(entry.contains("رسوم رخصة &lt;بناء&gt; &amp; &quot;خدمة&quot;"), "{entry}");
    assert!(entry.contains("<Dbtr><Pty><Nm>أحد المواطنين (مثال)</Nm></Pty></Dbtr>"));
    assert_eq!(inside(entry, "AcctSvcrRef").unwrap(), bank_reference);
    let swift = mt940(&sandbox, JOD, DAY).await;
    assert!(
        swift.contains(&format!(":61:2611221122C12,345NTRFRF64202600000123//{bank_reference}\r\n")),
        "{swift}"
    );
    assert!(swift.contains(":62F:C261122JOD12,345\r\n"));
    assert!(swift.is_ascii() && swift.contains(":86:/EREF/RF642026000001234/NAME/"));
    let path = format!("/bank/v1/accounts/{JOD}/statements/{DAY}?format=mt940&charset=windows-1256");
    let bytes = sandbox.get_bytes(&path).await;
    let (arabic, _, wrong) = encoding_rs::WINDOWS_1256.decode(&bytes);
    assert!(
        !wrong
            && arabic.contains("/NAME/أحد المواطنين (مثال)")
            && arabic.replace("\r\n", "").contains("رسوم رخصة")
    );
}

#[tokio::test]
async fn a_reference_is_in_its_field_or_for_one_in_five_in_the_text() {
    let sandbox = Sandbox::start().await;
    for n in 0..60 {
        sandbox.transfer(json!({"to": ILS, "amount": "1.00", "currency": "ILS", "reference": format!("PO13PS2026A00{n:02}X")})).await;
    }
    sandbox.close(DAY).await;
    let (mut fields, mut texts, mut lower, mut fours) = (0, 0, 0, 0);
    for (n, entry) in sandbox.camt(ILS, DAY).await.entries().iter().enumerate() {
        let reference = format!("PO13PS2026A00{n:02}X");
        match (inside(entry, "EndToEndId").unwrap().as_str(), inside(entry, "Ustrd").as_deref()) {
            (field, None) if field == reference => fields += 1,
            ("NOTPROVIDED", Some(text)) => {
                assert_eq!(text.replace(' ', "").to_uppercase(), reference);
                texts += 1;
                lower += usize::from(text != text.to_uppercase());
                fours += usize::from(text.contains(' '));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(fields + texts, 60);
    assert!((4..=24).contains(&texts) && lower > 0 && fours > 0, "{fields} {texts} {lower} {fours}");
    let swift = mt940(&sandbox, ILS, DAY).await;
    assert_eq!(swift.matches("NONREF//FT26326").count(), texts);
}

#[tokio::test]
async fn a_creditor_reference_stands_in_its_own_element() {
    let sandbox = Sandbox::start().await;
    sandbox
        .transfer(json!({"to": ILS, "amount": "1.00", "currency": "ILS", "reference": "RF13PS2026A0042"}))
        .await;
    sandbox.close(DAY).await;
    let entry = &sandbox.camt(ILS, DAY).await.entries()[0];
    assert!(entry.contains("<Cd>SCOR</Cd></CdOrPrtry></Tp><Ref>RF13PS2026A0042</Ref>"), "{entry}");
    assert_eq!(inside(entry, "EndToEndId").unwrap(), "NOTPROVIDED");
}

#[tokio::test]
async fn a_long_mt940_goes_on_in_further_messages() {
    let sandbox = Sandbox::start().await;
    for n in 0..101 {
        let text =
            format!("payment number {n} with a text long enough to need a second line: it goes on - and on");
        sandbox.transfer(json!({"to": ILS, "amount": "2.50", "currency": "ILS", "text": text})).await;
    }
    sandbox.close(DAY).await;
    let swift = mt940(&sandbox, ILS, DAY).await;
    for mark in [
        ":28C:1/1\r\n:60F:C261121ILS1000,00",
        ":62M:C261122ILS1125,00\r\n-\r\n",
        ":28C:1/2\r\n:60M:C261122ILS1125,00",
        ":60M:C261122ILS1250,00",
        ":62F:C261122ILS1252,50\r\n:64:C261122ILS1252,50\r\n-\r\n",
    ] {
        assert!(swift.contains(mark), "{mark}\n{swift}");
    }
    assert_eq!(swift.matches(":61:").count(), 101);
    for line in swift.split("\r\n").filter(|line| !line.is_empty() && *line != "-") {
        assert!(line.len() <= 69 && !line.starts_with('-'), "{line}");
    }
}

#[tokio::test]
async fn transfers_that_make_no_sense_are_refused() {
    let sandbox = Sandbox::start().await;
    for (body, status, slug) in [
        (json!({"to": "X", "amount": "1.00", "currency": "ILS"}), 404, "unknown_account"),
        (json!({"to": ILS, "amount": "1.000", "currency": "JOD"}), 422, "currency_mismatch"),
        (json!({"to": ILS, "amount": "1.000", "currency": "ILS"}), 422, "bad_amount"),
        (
            json!({"to": ILS, "amount": "1.00", "currency": "ILS", "reference": "x".repeat(36)}),
            422,
            "bad_text",
        ),
        (json!({"to": ILS, "amount": "1.00", "currency": "ILS", "text": "a\u{1}"}), 422, "bad_text"),
    ] {
        let (answered, refused) = sandbox.post("/control/transfers", body).await;
        assert_eq!((answered, refused["error"].as_str()), (status, Some(slug)));
    }
    assert_eq!(sandbox.state().await["bank"]["accounts"][0]["lines"], json!([]));
}
