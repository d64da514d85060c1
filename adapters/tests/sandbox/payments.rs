//! Payment files: what becomes of every order.

use serde_json::json;

use crate::support::{AGENCY, CLOSED, DAY, ILS, JOD, RETURNING, Sandbox, inside, inside_all};

const NEXT: &str = "2026-11-23";
const FOREIGN: &str = "PS92PALS000000000400123456702";

/// One order of a payment file.
pub struct Order<'a> {
    pub id: &'a str,
    pub amount: &'a str,
    pub to: &'a str,
}

/// A payment file; `09` has the namespace and date of the newer version, and a prefix.
pub fn payment_file(
    message: &str,
    version: &str,
    from: &str,
    currency: &str,
    sum: &str,
    orders: &[Order<'_>],
) -> String {
    let transfers: String = orders.iter().map(|order| {
        let account = if order.to.starts_with("01") { format!("<Othr><Id>{}</Id></Othr>", order.to) } else { format!("<IBAN>{}</IBAN>", order.to) };
        format!("<CdtTrfTxInf><PmtId><InstrId>I-{id}</InstrId><EndToEndId>{id}</EndToEndId></PmtId><Amt><InstdAmt Ccy=\"{currency}\">{amount}</InstdAmt></Amt>\
            <Cdtr><Nm>وزارة &amp; هيئة (مثال)</Nm></Cdtr><CdtrAcct><Id>{account}</Id></CdtrAcct><RmtInf><Ustrd>PAYOUT {id}</Ustrd></RmtInf></CdtTrfTxInf>",
            id = order.id, amount = order.amount)
    }).collect();
    let date = if version == "09" { "<Dt>2026-11-22</Dt>" } else { "2026-11-22" };
    let count = orders.len();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- example -->\n<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.001.001.{version}\"><CstmrCdtTrfInitn>\
        <GrpHdr><MsgId>{message}</MsgId><CreDtTm>2026-11-22T08:00:00Z</CreDtTm><NbOfTxs>{count}</NbOfTxs><CtrlSum>{sum}</CtrlSum><InitgPty><Nm>Example</Nm></InitgPty></GrpHdr>\
        <PmtInf><PmtInfId>P-{message}</PmtInfId><PmtMtd>TRF</PmtMtd><ReqdExctnDt>{date}</ReqdExctnDt><Dbtr><Nm>Example</Nm></Dbtr>\
        <DbtrAcct><Id><IBAN>{from}</IBAN></Id></DbtrAcct><DbtrAgt><FinInstnId/></DbtrAgt>{transfers}</PmtInf></CstmrCdtTrfInitn></Document>"
    )
}

async fn send(sandbox: &Sandbox, file: String) -> String {
    let (status, body) = sandbox.post_bytes("/bank/v1/payment-files", file.into_bytes()).await;
    assert_eq!(status, 202, "{body}");
    body["file"].as_str().unwrap().to_owned()
}

async fn report(sandbox: &Sandbox, file: &str) -> String {
    sandbox.get_text(&format!("/bank/v1/payment-files/{file}")).await
}

fn statuses(report: &str) -> Vec<String> {
    inside_all(report, "TxSts")
}

#[tokio::test]
async fn orders_leave_at_the_end_of_the_day_one_debit_each() {
    let sandbox = Sandbox::start().await;
    let orders = [
        Order { id: "PO-2026-000000000001", amount: "100.5", to: FOREIGN },
        Order { id: "PO-2", amount: "20.00", to: "0101234567" },
    ];
    let file = send(&sandbox, payment_file("M-1", "09", AGENCY, "ILS", "120.50", &orders)).await;
    assert_eq!(file, "PF000001");
    let before = report(&sandbox, &file).await;
    assert_eq!(
        (inside(&before, "GrpSts").unwrap(), statuses(&before)),
        ("ACCP".into(), vec!["ACCP".to_owned(); 2])
    );
    assert_eq!(inside(&before, "OrgnlMsgNmId").unwrap(), "pain.001.001.09");
    assert_eq!(inside_all(&before, "OrgnlInstrId"), ["I-PO-2026-000000000001", "I-PO-2"]);
    sandbox.close(DAY).await;
    let after = report(&sandbox, &file).await;
    assert_eq!(
        (inside(&after, "GrpSts").unwrap(), statuses(&after)),
        ("ACSC".into(), vec!["ACSC".to_owned(); 2])
    );

    let statement = sandbox.camt(AGENCY, DAY).await;
    assert_eq!(statement.amounts(), [-10050, -2000]);
    let entry = &statement.entries()[0];
    assert_eq!(inside(entry, "EndToEndId").unwrap(), "PO-2026-000000000001");
    assert_eq!(inside(entry, "AcctSvcrRef"), inside(&after, "AcctSvcrRef"));
    assert!(
        entry.contains("<Cdtr><Pty><Nm>وزارة &amp; هيئة (مثال)</Nm>")
            && entry.contains(&format!("<CdtrAcct><Id><IBAN>{FOREIGN}"))
    );
    let swift = sandbox.get_text(&format!("/bank/v1/accounts/{AGENCY}/statements/{DAY}?format=mt940")).await;
    assert!(swift.contains("D100,50NTRFPO-2026-00000000//FT"), "{swift}");
    assert!(swift.contains(":86:/EREF/PO-2026-000000000001/NAME/"));
    // The other end of the first order is an account here, so it has come in there.
    assert_eq!(sandbox.camt(ILS, DAY).await.amounts(), [10050]);
    sandbox.state().await;
}

#[tokio::test]
async fn the_older_version_is_taken_too() {
    let sandbox = Sandbox::start().await;
    let file = payment_file(
        "M-1",
        "03",
        JOD,
        "JOD",
        "1.005",
        &[Order { id: "PO-1", amount: "1.005", to: "0101234567" }],
    );
    let file = send(&sandbox, file).await;
    sandbox.close(DAY).await;
    assert_eq!(inside(&report(&sandbox, &file).await, "OrgnlMsgNmId").unwrap(), "pain.001.001.03");
    assert_eq!(sandbox.camt(JOD, DAY).await.amounts(), [-1005]);
}

#[tokio::test]
async fn every_wrong_order_is_refused_with_its_reason_and_the_others_leave() {
    let sandbox = Sandbox::start().await;
    let orders = [
        Order { id: "GOOD", amount: "1.00", to: "0101234567" },
        Order { id: "CLOSED", amount: "2.00", to: CLOSED },
        Order { id: "DIGITS", amount: "4.00", to: "PS93PALS000000000400123456702" },
        Order { id: "ZERO", amount: "0.00", to: "0101234567" },
        Order { id: "FINE", amount: "1.001", to: "0101234567" },
        Order { id: "OTHER", amount: "8.00", to: JOD },
    ];
    let file = send(&sandbox, payment_file("M-1", "09", ILS, "ILS", "16.001", &orders)).await;
    let before = report(&sandbox, &file).await;
    assert_eq!(statuses(&before), ["ACCP", "RJCT", "RJCT", "RJCT", "RJCT", "RJCT"]);
    let reasons: Vec<String> =
        inside_all(&before, "Rsn").iter().map(|reason| inside(reason, "Cd").unwrap()).collect();
    assert_eq!(reasons, ["AC04", "AC03", "AM12", "AM12", "AM03"]);
    assert_eq!(
        (inside(&before, "GrpSts").unwrap(), inside(&before, "PmtInfSts").unwrap()),
        ("PART".into(), "PART".into())
    );
    sandbox.close(DAY).await;
    assert_eq!(sandbox.camt(ILS, DAY).await.amounts(), [-100]);
}

#[tokio::test]
async fn a_file_whose_totals_or_account_are_wrong_is_refused_as_a_whole() {
    let sandbox = Sandbox::start().await;
    let orders = || [Order { id: "PO-1", amount: "1.00", to: "0101234567" }];
    let good = payment_file("M-3", "09", ILS, "ILS", "1", &orders());
    let cases = [
        (payment_file("M-1", "09", ILS, "ILS", "1.01", &orders()), "AM10"),
        (payment_file("M-2", "09", "EG380019000500000000263180003", "ILS", "1.00", &orders()), "AC02"),
        (good.replace("<NbOfTxs>1<", "<NbOfTxs>2<"), "AM18"),
    ];
    for (file, reason) in cases {
        let file = send(&sandbox, file).await;
        let report = report(&sandbox, &file).await;
        assert_eq!(
            (inside(&report, "GrpSts").unwrap(), statuses(&report)),
            ("RJCT".into(), vec!["RJCT".to_owned()])
        );
        assert!(report.contains(&format!("<Cd>{reason}</Cd>")), "{report}");
    }
    sandbox.close(DAY).await;
    assert!(sandbox.camt(ILS, DAY).await.entries().is_empty());
}

#[tokio::test]
async fn an_order_to_a_returning_account_leaves_and_comes_back_the_day_after() {
    let sandbox = Sandbox::start().await;
    let file =
        payment_file("M-1", "09", ILS, "ILS", "7.00", &[Order { id: "PO-1", amount: "7.00", to: RETURNING }]);
    let file = send(&sandbox, file).await;
    sandbox.close(DAY).await;
    assert_eq!(sandbox.camt(ILS, DAY).await.amounts(), [-700]);
    sandbox.close(NEXT).await;
    let statement = sandbox.camt(ILS, NEXT).await;
    assert_eq!(statement.amounts(), [700]);
    let entry = &statement.entries()[0];
    assert_eq!(inside(entry, "EndToEndId").unwrap(), "PO-1");
    assert!(entry.contains("<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>"), "{entry}");
    let swift = sandbox.get_text(&format!("/bank/v1/accounts/{ILS}/statements/{NEXT}?format=mt940")).await;
    assert!(swift.contains("C7,00NRTIPO-1//") && swift.contains("/RTRN/AC04"), "{swift}");
    assert_eq!(statuses(&report(&sandbox, &file).await), ["ACSC"]);
    sandbox.state().await;
}

#[tokio::test]
async fn the_same_message_is_taken_once() {
    let sandbox = Sandbox::start().await;
    let file = || {
        payment_file(
            "M-1",
            "09",
            ILS,
            "ILS",
            "1.00",
            &[Order { id: "PO-1", amount: "1.00", to: "0101234567" }],
        )
    };
    send(&sandbox, file()).await;
    let (status, refused) = sandbox.post_bytes("/bank/v1/payment-files", file().into_bytes()).await;
    let told = (refused["error"].as_str(), refused["file"].as_str());
    assert_eq!((status, told), (409, (Some("duplicate_message"), Some("PF000001"))));
    sandbox.close(DAY).await;
    assert_eq!(sandbox.camt(ILS, DAY).await.amounts(), [-100]);
    assert_eq!(sandbox.get("/bank/v1/payment-files/PF000002").await.1["error"], "unknown_file");
}

#[tokio::test]
async fn files_the_bank_cannot_read_are_refused() {
    let sandbox = Sandbox::start().await;
    let good = payment_file(
        "M-1",
        "09",
        ILS,
        "ILS",
        "1.00",
        &[Order { id: "PO-1", amount: "1.00", to: "0101234567" }],
    );
    let deep =
        format!("<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.001.001.09\">{}", "<a>".repeat(1000));
    let cases = [
        (String::new().into_bytes(), 400, "unsupported_message"),
        (b"<Document/>".to_vec(), 400, "unsupported_message"),
        (b"not xml < at all".to_vec(), 400, "bad_file"),
        (good.replace("pain.001.001.09", "pain.001.001.02").into_bytes(), 400, "unsupported_message"),
        (good.replace("</PmtInf>", "").into_bytes(), 400, "bad_file"),
        (good.replace("<EndToEndId>PO-1</EndToEndId>", "").into_bytes(), 400, "bad_file"),
        (good.replace("<MsgId>M-1<", &format!("<MsgId>{}<", "M".repeat(36))).into_bytes(), 400, "bad_file"),
        (good.replace("PAYOUT", "&surprise;").into_bytes(), 400, "bad_file"),
        (
            good.replace("<!-- example -->", "<!DOCTYPE Document [<!ENTITY a \"b\">]>").into_bytes(),
            400,
            "bad_file",
        ),
        (good.replace("PAYOUT", "&#1;").into_bytes(), 400, "bad_file"),
        (deep.into_bytes(), 400, "bad_file"),
        ([good.as_bytes(), b"\xff"].concat(), 400, "bad_file"),
        (vec![b' '; 5 * 1024 * 1024 + 1], 413, "too_large"),
    ];
    for (bytes, status, slug) in cases {
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(80)]).into_owned();
        let (answered, refused) = sandbox.post_bytes("/bank/v1/payment-files", bytes).await;
        assert_eq!((answered, refused["error"].as_str()), (status, Some(slug)), "{shown}");
    }
    assert_eq!(sandbox.state().await["files"]["files"], json!([]));
}
