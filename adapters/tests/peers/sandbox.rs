//! The adapters against the sandbox bank and gateway, over HTTP, by its manual.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use mizan_adapters::bank::rest::{self, Bank, StatementFormat};
use mizan_adapters::channel::{
    Channel, Collection, Language, Meaning, Notice, OrderState, RefundOrder, RefundState, Refusal,
    SettlementKind, Started, Verdict,
};
use mizan_adapters::gateway::ContractCost;
use mizan_adapters::gateway::hosted::{self, Gateway};
use mizan_adapters::http::EndpointSettings;
use mizan_adapters::outcome::Outcome;
use mizan_adapters::payment_file::{
    Account, Booking, Charset, PaymentFile, PaymentOrder, Profile, Progress, Version, pain001,
};
use mizan_adapters::sandbox::{Config, Server};
use mizan_adapters::statement::{Statement, StatementLine, read_all};
use mizan_ledger::{Currency, Day, Money, Rounding};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

const COLLECTION: &str = "JO94CBJO0010000000000131000302";
const ELSEWHERE: &str = "PS92PALS000000000400123456702";
const CLOSED: &str = "0101999002";
const DAY: &str = "2026-11-22";

/// The sandbox, our two channels to it and our door for callbacks.
struct World {
    card: Channel,
    bank: Channel,
    url: String,
    client: reqwest::Client,
    callback_url: String,
    callbacks: mpsc::UnboundedReceiver<(HeaderMap, Bytes)>,
    _server: Server,
    _door: JoinSet<()>,
}

fn config() -> Config {
    serde_json::from_value(json!({
        "merchants": [{"id": "EXAMPLE", "name": "بوابة مثال", "api_key": "api-key", "callback_key": "callback-key",
            "contracts": [{"currency": "JOD", "account": COLLECTION, "rate": "0.015", "fixed": "0.050"}]}],
        "accounts": [{"iban": COLLECTION, "currency": "JOD", "owner": "تحصيل (مثال)", "opening": "500.000"}],
        "closed": [CLOSED],
        "day": DAY,
        "now": "2026-11-22T08:00:00Z",
        "pace": "standing",
        "callback_retry_ms": 5,
    }))
    .expect("settings")
}

fn endpoint(base_url: String) -> EndpointSettings {
    EndpointSettings {
        base_url,
        api_key: "api-key".into(),
        connect_timeout_ms: 2_000,
        timeout_ms: 2_000,
        trusted_roots_pem: None,
        identity_pem: None,
    }
}

impl World {
    async fn start() -> Self {
        Self::reading(StatementFormat::Camt05308).await
    }

    async fn reading(statement_format: StatementFormat) -> Self {
        let loopback: SocketAddr = "127.0.0.1:0".parse().expect("an address");
        let server = Server::start(config(), loopback).await.expect("a sandbox");
        let url = server.url().to_owned();
        let card = Gateway::new(hosted::Settings {
            endpoint: endpoint(format!("{url}/gateway/v1")),
            merchant: "EXAMPLE".to_owned(),
            callback_keys: vec!["next-callback-key".into(), "callback-key".into()],
        });
        let bank =
            Bank::new(&rest::Settings { endpoint: endpoint(format!("{url}/bank/v1")), statement_format });
        let listener = tokio::net::TcpListener::bind(loopback).await.expect("a port");
        let callback_url = format!("http://{}/callback", listener.local_addr().expect("bound"));
        let (sender, callbacks) = mpsc::unbounded_channel();
        let router = Router::new().route("/callback", post(take)).with_state(sender);
        let mut door = JoinSet::new();
        door.spawn(async move { axum::serve(listener, router).await.expect("serves") });
        let no_redirects = reqwest::redirect::Policy::none();
        let client = reqwest::Client::builder().no_proxy().redirect(no_redirects).build().expect("a client");
        Self {
            card: card.expect("settings").channel("card"),
            bank: bank.expect("settings").channel("bank"),
            url,
            client,
            callback_url,
            callbacks,
            _server: server,
            _door: door,
        }
    }

    fn collection(&self, order: &str, minor: i64) -> Collection {
        Collection {
            order: order.to_owned(),
            money: jod(minor),
            description_ar: "رسوم رخصة (مثال)".to_owned(),
            description_en: "Licence fee (example)".to_owned(),
            language: Language::Ar,
            return_url: "http://127.0.0.1:9/return".to_owned(),
            callback_url: self.callback_url.clone(),
        }
    }

    async fn open(&self, order: &str, minor: i64) -> Started {
        let collect = self.card.collect.as_ref().expect("a gateway collects");
        collect.start(self.collection(order, minor)).await.accepted().expect("a page")
    }

    /// What the payer does on the page.
    async fn choose(&self, started: &Started, outcome: &'static str) {
        let form = self.client.post(format!("{}/pay", started.page_url));
        let form = form.header("content-type", "application/x-www-form-urlencoded").body(outcome);
        assert_eq!(form.send().await.expect("an answer").status(), 303);
    }

    async fn control(&self, path: &str, body: Value) {
        let request = self.client.post(format!("{}/control/{path}", self.url)).json(&body);
        let answer = request.send().await.expect("an answer");
        assert!(answer.status().is_success(), "{path}: {}", answer.text().await.expect("text"));
    }

    /// The verdict on the next callback; a test fails when none comes.
    async fn verdict(&mut self) -> Verdict {
        let waited = tokio::time::timeout(Duration::from_secs(30), self.callbacks.recv());
        let (headers, body) = waited.await.expect("a callback").expect("an open door");
        self.card.notices.as_ref().expect("a gateway notifies").verify(&headers, &body)
    }

    async fn notice(&mut self) -> Notice {
        match self.verdict().await {
            Verdict::Authentic(notice) => notice,
            other => panic!("{other:?}"),
        }
    }

    async fn order(&self, order: &str) -> Outcome<OrderState> {
        self.card.query.as_ref().expect("a gateway answers").order(order.to_owned()).await
    }

    async fn statement(&self) -> Option<(Statement, Vec<StatementLine>)> {
        let statements = self.bank.statements.as_ref().expect("a bank reports");
        let file = statements.statement(COLLECTION.to_owned(), day()).await.accepted().expect("an answer")?;
        let read = read_all(&file.raw[..]).expect("a statement");
        assert_eq!(read.problems, [], "{}", file.name);
        assert_eq!(read.statements.len(), 1);
        let listed = read.statements.into_iter().next()?;
        Some((listed.statement, listed.lines))
    }
}

async fn take(
    State(sender): State<mpsc::UnboundedSender<(HeaderMap, Bytes)>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    sender.send((headers, body)).expect("somebody listens");
    StatusCode::NO_CONTENT
}

fn day() -> Day {
    DAY.parse().expect("a day")
}

fn jod(minor: i64) -> Money {
    Money::new(minor, Currency::JOD)
}

#[tokio::test]
async fn a_payment_and_its_refund_are_the_same_fact_by_notice_query_report_and_statement() {
    let mut world = World::start().await;
    assert_eq!(world.order("at-1").await, Outcome::Accepted(OrderState::NotKnown));
    let started = world.open("at-1", 120_500).await;
    assert_eq!(world.open("at-1", 120_500).await, started, "the same collection again is the same page");
    assert_eq!(world.order("at-1").await, Outcome::Accepted(OrderState::Open));
    let other_money = world.card.collect.as_ref().expect("collects").start(world.collection("at-1", 1)).await;
    assert!(matches!(other_money, Outcome::Rejected { code, .. } if code == "order_exists"));

    let page =
        world.client.get(&started.page_url).send().await.expect("an answer").text().await.expect("text");
    assert!(page.contains("120.500") && page.contains("at-1"));
    world.choose(&started, "outcome=approve").await;
    let paid = world.notice().await;
    assert_eq!(
        (paid.meaning, paid.reference.as_str(), paid.money),
        (Meaning::Captured, "at-1", jod(120_500))
    );
    assert_eq!(world.order("at-1").await, Outcome::Accepted(OrderState::Decided(paid.clone())));

    let order =
        RefundOrder { refund: "rf-1".to_owned(), transaction: paid.transaction.clone(), money: jod(20_000) };
    let refund = world.card.refund.clone().expect("a gateway refunds");
    let taken = refund.refund(order.clone()).await.accepted().expect("taken");
    assert_eq!(refund.refund(order.clone()).await, Outcome::Accepted(taken.clone()), "the same refund again");
    let other = refund.refund(RefundOrder { money: jod(1), ..order.clone() }).await;
    assert!(matches!(other, Outcome::Unknown { .. }), "a refund of that name exists: {other:?}");
    for (order, refused) in [
        (RefundOrder { refund: "rf-2".to_owned(), money: jod(100_501), ..order.clone() }, "exceeds_captured"),
        (
            RefundOrder { refund: "rf-3".to_owned(), transaction: "T0".to_owned(), ..order.clone() },
            "unknown_transaction",
        ),
        (
            RefundOrder { refund: "rf-4".to_owned(), money: Money::new(1, Currency::ILS), ..order },
            "currency_mismatch",
        ),
    ] {
        let outcome = refund.refund(order).await;
        assert!(matches!(&outcome, Outcome::Rejected { code, .. } if code == refused), "{outcome:?}");
    }

    world.control("day", json!({"close": DAY})).await;
    let refunded = world.notice().await;
    assert_eq!((refunded.meaning, refunded.reference.as_str()), (Meaning::Refunded, "rf-1"));
    assert_eq!(refunded.original_transaction.as_deref(), Some(paid.transaction.as_str()));
    assert_eq!((refunded.transaction.as_str(), refunded.money), (taken.transaction.as_str(), jod(20_000)));
    let query = world.card.query.clone().expect("a gateway answers");
    let transaction = taken.transaction;
    let state = query.refund("rf-1".to_owned()).await;
    assert_eq!(state, Outcome::Accepted(RefundState::Refunded { transaction }));
    assert_eq!(query.refund("rf-9".to_owned()).await, Outcome::Accepted(RefundState::NotKnown));

    the_report_ties_to_contract_and_statement(&world).await;
}

async fn the_report_ties_to_contract_and_statement(world: &World) {
    let reports = world.card.settlements.as_ref().expect("a gateway reports").settlements(day()).await;
    let reports = reports.accepted().flatten().expect("a report");
    let [settlement] = reports.as_slice() else { panic!("{reports:?}") };
    let kinds: Vec<_> =
        settlement.items.iter().map(|item| (item.kind, item.reference.as_str(), item.gross)).collect();
    assert_eq!(
        kinds,
        [(SettlementKind::Payment, "at-1", jod(120_500)), (SettlementKind::Refund, "rf-1", jod(20_000))]
    );
    let contract =
        ContractCost { rate: "0.015".parse().expect("a rate"), fixed_minor: 50, rounding: Rounding::HalfUp };
    let expected = contract.of(jod(120_500)).expect("in range");
    assert_eq!((settlement.items[0].cost, settlement.costs), (expected, expected));
    let nets = settlement.items.iter().map(|item| item.net().expect("in range"));
    assert_eq!(Money::sum(Currency::JOD, nets), Ok(settlement.net));
    let (statement, lines) = world.statement().await.expect("the day is closed");
    assert_eq!(statement.closes(), Some(true));
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!(line.amount, settlement.net);
    assert!(format!("{line:?}").contains(&settlement.reference), "the bank line names the settlement");
}

#[tokio::test]
async fn a_decline_is_a_fact_with_a_reason() {
    let mut world = World::start().await;
    let started = world.open("at-1", 5_000).await;
    world.choose(&started, "outcome=decline").await;
    let declined = world.notice().await;
    assert_eq!(declined.meaning, Meaning::Declined);
    assert!(declined.reason.is_some());
    assert_eq!(world.order("at-1").await, Outcome::Accepted(OrderState::Decided(declined)));
}

#[tokio::test]
async fn a_reversal_takes_back_the_payment_it_names() {
    let mut world = World::start().await;
    let collection =
        Collection { description_ar: "رسوم ".repeat(200), ..world.collection("at-1", 5_000) };
    let collect = world.card.collect.clone().expect("a gateway collects");
    let started = collect.start(collection).await.accepted().expect("a long description is cut, not refused");
    world.choose(&started, "outcome=approve").await;
    let paid = world.notice().await;
    let settlements = world.card.settlements.clone().expect("a gateway reports");
    assert_eq!(settlements.settlements(day()).await, Outcome::Accepted(None), "the day is open");
    world.control("reversals", json!({"merchant": "EXAMPLE", "order": "at-1"})).await;
    let reversed = world.notice().await;
    assert_eq!((reversed.meaning, reversed.reference.as_str()), (Meaning::Reversed, "at-1"));
    assert_eq!((&reversed.transaction, reversed.money), (&paid.transaction, paid.money));
    let Outcome::Accepted(OrderState::Decided(asked)) = world.order("at-1").await else { panic!("decided") };
    assert_eq!((asked.meaning, &asked.transaction), (Meaning::Reversed, &paid.transaction));
    world.control("day", json!({"close": DAY})).await;
    let settled = settlements.settlements(day()).await.accepted().flatten().expect("a report");
    let items: Vec<_> = settled[0].items.iter().map(|item| (item.kind, item.transaction.as_str())).collect();
    let transaction = paid.transaction.as_str();
    assert_eq!(items, [(SettlementKind::Payment, transaction), (SettlementKind::Refund, transaction)]);
    assert!(settled[0].net.is_negative(), "the gateway keeps its cost");
}

#[tokio::test]
async fn a_page_nobody_pays_expires() {
    let world = World::start().await;
    world.open("at-1", 5_000).await;
    world.control("clock", json!({"now": "2026-11-22T09:00:00Z"})).await;
    assert_eq!(world.order("at-1").await, Outcome::Accepted(OrderState::Expired));
}

#[tokio::test]
async fn a_forged_signature_is_refused_and_an_altered_amount_is_told_as_signed() {
    let mut world = World::start().await;
    world.control("faults", json!({"callback": "wrong_signature"})).await;
    let started = world.open("at-1", 5_000).await;
    world.choose(&started, "outcome=approve").await;
    assert_eq!(world.verdict().await, Verdict::Refused(Refusal::WrongSignature));

    world.control("faults", json!({"callback": "altered"})).await;
    let started = world.open("at-2", 5_000).await;
    world.choose(&started, "outcome=approve").await;
    let (first, second) = (world.notice().await, world.notice().await);
    assert_eq!((first.transaction == second.transaction, first.money == second.money), (true, false));
    let Outcome::Accepted(OrderState::Decided(truth)) = world.order("at-2").await else { panic!("decided") };
    assert_eq!(truth.money, jod(5_000), "the query tells which one it was");
}

#[tokio::test]
async fn a_gateway_that_acts_and_keeps_silent_is_unknown_until_it_is_asked() {
    let mut world = World::start().await;
    let started = world.open("at-1", 5_000).await;
    world.choose(&started, "outcome=approve").await;
    let paid = world.notice().await;
    world.control("faults", json!({"api": "silent"})).await;
    let order = RefundOrder { refund: "rf-1".to_owned(), transaction: paid.transaction, money: jod(5_000) };
    let refund = world.card.refund.clone().expect("a gateway refunds");
    assert!(matches!(refund.refund(order.clone()).await, Outcome::Unknown { .. }));
    world.control("faults", json!({"api": "error_500"})).await;
    let failing = RefundOrder { refund: "rf-2".to_owned(), ..order };
    assert!(matches!(refund.refund(failing).await, Outcome::Unknown { .. }));
    world.control("faults", json!({})).await;
    let query = world.card.query.clone().expect("a gateway answers");
    let acted = query.refund("rf-1".to_owned()).await;
    assert!(
        matches!(acted, Outcome::Accepted(RefundState::Pending { .. } | RefundState::Refunded { .. })),
        "{acted:?}"
    );
    assert_eq!(query.refund("rf-2".to_owned()).await, Outcome::Accepted(RefundState::NotKnown));
}

fn payout(id: &str, minor: i64, account: Account) -> PaymentOrder {
    PaymentOrder {
        end_to_end_id: id.to_owned(),
        uetr: None,
        money: jod(minor),
        creditor: "هيئة مثال & شركاؤها".to_owned(),
        creditor_agent: matches!(account, Account::Other(_))
            .then(|| mizan_adapters::payment_file::Agent::Other("EXAMPLE BANK".to_owned())),
        creditor_account: account,
        remittance: Some("حصة اليوم (مثال)".to_owned()),
        creditor_reference: None,
        purpose: None,
    }
}

fn payouts(version: Version) -> (Bytes, String) {
    let msg_id = format!("EXAMPLE-{version:?}");
    let file = PaymentFile {
        msg_id: msg_id.clone(),
        created: "2026-11-22T08:00:00Z".parse().expect("an instant"),
        initiating_party: "ميزان (مثال)".to_owned(),
        debtor: "تحصيل (مثال)".to_owned(),
        debtor_account: Account::Iban(COLLECTION.parse().expect("an IBAN")),
        debtor_agent: None,
        currency: Currency::JOD,
        execution_day: day(),
        orders: vec![
            payout(&format!("{version:?}-1"), 100_005, Account::Iban(ELSEWHERE.parse().expect("an IBAN"))),
            payout(&format!("{version:?}-2"), 7_000, Account::Other(CLOSED.to_owned())),
        ],
    };
    let profile = Profile {
        version,
        charset: Charset::Unicode,
        booking: Booking::Single,
        charge_bearer: None,
        service_level: None,
        local_instrument: None,
    };
    let mut bytes = Vec::new();
    pain001::write(&file, &profile, &mut bytes).expect("written");
    (bytes.into(), msg_id)
}

#[tokio::test]
async fn a_payment_file_is_taken_once_answered_by_order_and_seen_on_the_statement() {
    for format in [StatementFormat::Camt05302, StatementFormat::Camt05308, StatementFormat::Mt940] {
        let world = World::reading(format).await;
        let pay_out = world.bank.pay_out.clone().expect("a bank pays out");
        assert_eq!(world.statement().await, None, "the day is open");
        let mut files = Vec::new();
        for version in [Version::V03, Version::V09] {
            let (bytes, msg_id) = payouts(version);
            let reference = pay_out.submit(bytes.clone()).await.accepted().expect("taken");
            let again = pay_out.submit(bytes).await;
            assert!(matches!(again, Outcome::Unknown { .. }), "it may be on its way: {again:?}");
            files.push((version, msg_id, reference));
        }
        for (version, msg_id, reference) in &files {
            let status = pay_out.status(reference.clone()).await.accepted().expect("a status");
            assert_eq!(status.report.original_message_id.as_deref(), Some(msg_id.as_str()));
            let of = |order| status.report.of(msg_id, order).expect("the bank has spoken");
            let (accepted, rejected) = (format!("{version:?}-1"), format!("{version:?}-2"));
            assert_eq!(Progress::of(of(&accepted).0), Progress::UnderWay);
            let (code, reasons) = of(&rejected);
            assert_eq!((Progress::of(code), reasons[0].code.as_deref()), (Progress::Rejected, Some("AC04")));
        }
        world.control("day", json!({"close": DAY})).await;
        for (version, msg_id, reference) in &files {
            let status = pay_out.status(reference.clone()).await.accepted().expect("a status");
            let order = format!("{version:?}-1");
            let (code, _) = status.report.of(msg_id, &order).expect("the bank has spoken");
            assert_eq!(Progress::of(code), Progress::Settled);
        }
        let (statement, lines) = world.statement().await.expect("the day is closed");
        assert_eq!(statement.closes(), Some(true), "{format:?}");
        let amounts: Vec<_> = lines.iter().map(|line| line.amount).collect();
        assert_eq!(amounts, [jod(-100_005), jod(-100_005)], "{format:?}");
        for (line, order) in lines.iter().zip(["V03-1", "V09-1"]) {
            assert!(format!("{line:?}").contains(order), "{format:?}: {line:?}");
        }
    }
}

#[tokio::test]
async fn a_file_the_bank_cannot_read_is_rejected_by_its_own_words() {
    let world = World::start().await;
    let pay_out = world.bank.pay_out.clone().expect("a bank pays out");
    let refused = pay_out.submit(Bytes::from_static(b"<Document/>")).await;
    assert!(matches!(refused, Outcome::Rejected { .. }), "{refused:?}");
    let unknown = pay_out.status("PF999999".to_owned()).await;
    assert!(matches!(unknown, Outcome::Rejected { .. }), "{unknown:?}");
}
