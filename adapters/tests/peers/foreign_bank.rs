//! A bank that nobody here wrote (PyPI `mock-bank`, brought by `.ci/get-judges`) takes our payment files and
//! says, by rules of its own, what it thinks of them.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

use mizan_adapters::payment_file::{
    Account, Agent, Booking, ChargeBearer, Charset, PaymentFile, PaymentOrder, Profile, Progress,
    StatusReport, Version, pain001, pain002,
};
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

    /// The status reports the bank has sent since the last look.
    async fn reports(&self) -> Vec<StatusReport> {
        let answer =
            self.client.get(format!("{}/_mock/mailbox", self.address)).send().await.expect("an answer");
        let messages: Vec<Value> = serde_json::from_str(&answer.text().await.expect("text")).expect("JSON");
        messages
            .iter()
            .filter(|message| message["type"] == "pain.002.001.10")
            .map(|message| {
                pain002::read(message["body"].as_str().expect("XML").as_bytes()).expect("a report")
            })
            .collect()
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
        let of = |order| report.of(&msg_id, order).expect("the bank has spoken");
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
    let (status, _) = report.of("EXAMPLE-TWICE", "E1").expect("the bank has spoken");
    assert_eq!(Progress::of(status), Progress::Rejected);
}
