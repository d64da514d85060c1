//! A bank that nobody here wrote (PyPI `mock-bank`, brought by `.ci/get-judges`) takes our payment files and
//! says, by rules of its own, what it thinks of them.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

use mizan_adapters::payment_file::{
    Account, Agent, Booking, ChargeBearer, Charset, PaymentFile, PaymentOrder, Profile, Progress,
    StatusReport, Version, pain001, pain002,
};
use mizan_adapters::statement::check::check;
use mizan_adapters::statement::read_all;
use mizan_ledger::{Currency, Day, Money};
use serde_json::{Value, json};

/// An account the bank holds and knows as closed.
const CLOSED: &str = "NL84MOCK0000000003";
const OURS: &str = "PS92PALS000000000400123456702";

struct ForeignBank {
    process: Child,
    /// Kept open: the bank writes a line per request into it.
    _log: BufReader<ChildStderr>,
    address: String,
    client: reqwest::Client,
}

impl ForeignBank {
    /// Starts the bank on a free port, at nine in the morning of the example day.
    async fn start() -> Option<Self> {
        let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.judges/bin/mock-bank");
        let program = if installed.exists() { installed } else { "mock-bank".into() };
        let arguments = ["--port", "0", "--clock", "2026-11-22T09:00"];
        let mut command = Command::new(program);
        let started = command.args(arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let Ok(mut process) = started else {
            eprintln!("mock-bank is not installed (.ci/get-judges brings it): no foreign bank was asked");
            return None;
        };
        let mut log = BufReader::new(process.stderr.take().expect("piped"));
        let mut greeting = String::new();
        log.read_line(&mut greeting).expect("a greeting");
        let address =
            greeting.split_whitespace().find(|word| word.starts_with("http://")).expect("an address");
        // No TLS is spoken on the loopback, but the client wants a provider to be made.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let address = address.trim_end_matches('/').to_owned();
        let bank = Self { process, _log: log, address, client };
        let account = json!({"id": "EXAMPLE", "name": "Example", "iban": OURS, "bic": "PALSPS22",
            "currency": "JOD", "balance": 100_000_000});
        bank.post("/_mock/accounts", account.to_string().into_bytes()).await;
        Some(bank)
    }

    async fn post(&self, path: &str, body: Vec<u8>) -> String {
        let request = self.client.post(format!("{}{path}", self.address));
        let answer =
            request.header("content-type", "application/json").body(body).send().await.expect("an answer");
        assert!(answer.status().is_success() || answer.status() == 422, "{path}: {}", answer.status());
        answer.text().await.expect("text")
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.client.get(format!("{}{path}", self.address)).send().await.expect("an answer");
        serde_json::from_str(&answer.text().await.expect("text")).expect("JSON")
    }

    /// The messages of a type that the bank has sent since they were last collected.
    async fn messages(&self, of: &str) -> Vec<String> {
        let messages = self.get(&format!("/_mock/mailbox?type={of}")).await;
        let bodies = messages.as_array().expect("a list").iter().map(|message| &message["body"]);
        bodies.map(|body| body.as_str().expect("XML").to_owned()).collect()
    }

    /// The status reports the bank has sent since the last look.
    async fn reports(&self) -> Vec<StatusReport> {
        let messages = self.messages("pain.002.001.10").await;
        messages.iter().map(|xml| pain002::read(xml.as_bytes()).expect("a report")).collect()
    }
}

impl Drop for ForeignBank {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn order(id: &str, minor: i64, account: &str) -> PaymentOrder {
    PaymentOrder {
        end_to_end_id: id.to_owned(),
        uetr: None,
        money: Money::new(minor, Currency::JOD),
        creditor: "مؤسسة مثال & أولاده".to_owned(),
        creditor_account: Account::Iban(account.parse().expect("an IBAN")),
        creditor_agent: None,
        remittance: Some("دفعة (مثال)".to_owned()),
        creditor_reference: Some("RF642026000001234".parse().expect("an RF reference")),
        purpose: None,
    }
}

fn file(msg_id: &str) -> PaymentFile {
    PaymentFile {
        msg_id: msg_id.to_owned(),
        created: "2026-11-22T08:00:00Z".parse().expect("an instant"),
        initiating_party: "ميزان (مثال)".to_owned(),
        debtor: "وزارة المالية (مثال)".to_owned(),
        debtor_account: Account::Iban(OURS.parse().expect("an IBAN")),
        debtor_agent: Some(Agent::Bic("PALSPS22".to_owned())),
        currency: Currency::JOD,
        execution_day: Day::new(2026, 11, 23).expect("a day"),
        orders: vec![
            order("E1", 12_500, "JO94CBJO0010000000000131000302"),
            order("E2", 5, CLOSED),
            order("E3", 2_000_005, "EG380019000500000000263180002"),
        ],
    }
}

fn profile(version: Version, charset: Charset) -> Profile {
    Profile {
        version,
        charset,
        booking: Booking::Single,
        charge_bearer: Some(ChargeBearer::Slev),
        service_level: None,
        local_instrument: None,
    }
}

#[tokio::test]
async fn a_foreign_bank_finds_nothing_wrong_with_our_files_and_we_read_its_answer() {
    let Some(bank) = ForeignBank::start().await else { return };
    for (version, charset) in [(Version::V09, Charset::Unicode), (Version::V03, Charset::Latin)] {
        let msg_id = format!("EXAMPLE-{version:?}");
        let mut bytes = Vec::new();
        let written =
            pain001::write(&file(&msg_id), &profile(version, charset), &mut bytes).expect("written");
        assert_eq!(written.control_sum.amount(), "2012.510");
        let findings = bank.post("/_mock/validate", bytes.clone()).await;
        assert!(findings.contains("1 batch, 3 payments, 0 findings"), "{findings}");
        bank.post("/payments", bytes).await;
        let reports = bank.reports().await;
        let [report] = reports.as_slice() else { panic!("{reports:?}") };
        assert_eq!(report.original_message_id.as_deref(), Some(msg_id.as_str()));
        let of = |order| report.of((&msg_id, &msg_id), order).expect("the bank has spoken");
        assert_eq!(Progress::of(of("E1").0), Progress::UnderWay);
        assert_eq!(Progress::of(of("E3").0), Progress::UnderWay);
        let (status, reasons) = of("E2");
        assert_eq!((Progress::of(status), reasons[0].code.as_deref()), (Progress::Rejected, Some("AC04")));
    }
}

#[tokio::test]
async fn a_foreign_bank_rejects_a_file_it_has_seen_before() {
    let Some(bank) = ForeignBank::start().await else { return };
    let mut bytes = Vec::new();
    pain001::write(&file("EXAMPLE-TWICE"), &profile(Version::V09, Charset::Latin), &mut bytes)
        .expect("written");
    bank.post("/payments", bytes.clone()).await;
    assert_eq!(bank.reports().await.len(), 1);
    bank.post("/payments", bytes).await;
    let reports = bank.reports().await;
    let [report] = reports.as_slice() else { panic!("{reports:?}") };
    let (status, _) = report.of(("EXAMPLE-TWICE", "EXAMPLE-TWICE"), "E1").expect("the bank has spoken");
    assert_eq!(Progress::of(status), Progress::Rejected);
}

#[tokio::test]
async fn the_statements_of_a_foreign_bank_are_read_as_it_counts_them() {
    let Some(bank) = ForeignBank::start().await else { return };
    let mut bytes = Vec::new();
    let profile = profile(Version::V09, Charset::Latin);
    pain001::write(&file("EXAMPLE-DAY"), &profile, &mut bytes).expect("written");
    bank.post("/payments", bytes).await;
    let credit = json!({
        "account": "EXAMPLE", "amount": 118_005, "note": "INV-1 (example)", "reference": "RF642026000001234",
        "debtor": {"name": "Example payer", "iban": "NL14MOCK0000000002"},
    });
    bank.post("/_mock/credits", credit.to_string().into_bytes()).await;
    bank.post("/_mock/advance?days=3", Vec::new()).await;

    let notices = bank.messages("camt.054").await;
    assert!(!notices.is_empty());
    let mut notified = (0, 0);
    for notice in &notices {
        let report = check("notice.xml", notice.as_bytes());
        assert!(report.ok, "{:?}\n{notice}", report.problems);
        let lines = read_all(notice.as_bytes()).expect("a notice").statements.remove(0).lines;
        for line in lines {
            let side = if line.amount.is_negative() { &mut notified.1 } else { &mut notified.0 };
            *side += line.amount.minor();
        }
    }
    // One order of the three goes to a closed account and never leaves.
    assert_eq!(notified, (118_005, -2_012_505));

    let statements = bank.messages("camt.053").await;
    let told = bank.get("/_mock/accounts/EXAMPLE/statements").await;
    let told = told.as_array().expect("a list");
    let mut closing = "100000.000".to_owned();
    let mut ours = 0;
    for xml in &statements {
        let report = check("statement.xml", xml.as_bytes());
        assert!(report.ok, "{:?}\n{xml}", report.problems);
        let [one] = report.statements.as_slice() else { panic!("{report:?}") };
        if one.account.as_deref() != Some(OURS) {
            continue;
        }
        assert_eq!((one.closes, one.opening.as_deref()), (Some(true), Some(closing.as_str())));
        closing = one.closing.clone().expect("a closing balance");
        ours += 1;
    }
    assert_eq!((ours, closing.as_str()), (told.len(), "98105.500"));
}
