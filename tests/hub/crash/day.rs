//! The fixed day that is played each time, by portals, payers and officers who try again until they are answered.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::Method;
use mizan::client::Client;
use mizan::demo;
use mizan_ledger::store::Book;
use serde_json::{Value, json};
use sqlx::Row as _;
use sqlx::postgres::PgPoolOptions;

use super::process::Place;

const PAUSE: Duration = Duration::from_millis(50);
/// A minute of trying again.
const TRIES: usize = 1_200;

/// What must be the same whatever was killed.
#[derive(Debug, PartialEq, Eq)]
pub struct Books {
    /// Debit-positive, by account and currency.
    balances: BTreeMap<String, i64>,
    /// By external reference: state, paid, refunded.
    payments: BTreeMap<String, (String, i64, i64)>,
    /// What was claimed, and for which payment.
    money_keys: Vec<(String, Option<String>, i64)>,
    refunds: Vec<(String, i64)>,
    receipts: i64,
}

impl Books {
    /// The day that nothing was killed in went as it should.
    pub fn assert_complete(&self) {
        let states: Vec<&str> = self.payments.values().map(|(state, ..)| state.as_str()).collect();
        assert_eq!(states, ["paid", "paid", "paid", "canceled", "paid"], "{self:#?}");
        assert_eq!(self.money_keys.len(), 4);
        assert_eq!(self.refunds, [("succeeded".to_owned(), 6_300), ("succeeded".to_owned(), 4_200)]);
        assert_eq!(self.receipts, 4);
        assert!(self.balances["bank/main-ils ILS"] > 0 && self.balances["bank/main-jod JOD"] > 0);
        assert_eq!(self.balances.get("channel/card/receivable ILS").copied().unwrap_or(0), 0);
    }
}

/// Plays the day and reads the books, when nothing moves any more.
pub async fn play(place: &Place) -> Books {
    let day = Day { place };
    let passport =
        json!([{ "service": "interior/passport", "inputs": { "reason": "lost", "urgent": true } }]);
    let report = json!([{ "service": "psi/testing-report", "inputs": { "samples": 2, "urgent": false } }]);
    let first = day.pay("CASE-1", "ILS", &passport, &["approve"]).await;
    day.control("faults", json!({ "callback": "duplicate" })).await;
    day.pay("CASE-2", "JOD", &report, &["approve"]).await;
    day.control("faults", json!({ "callback": "normal" })).await;
    let third = day.pay("CASE-3", "ILS", &passport, &["decline", "approve"]).await;
    let canceled = day.open("CASE-4", "ILS", &passport).await;
    day.portal(&format!("/v1/payment-intents/{}/cancel", id(&canceled)), &json!({}), "cancel").await;
    let refund = day.refund(&first, "63.00").await;
    day.refund_is(&refund, "submitted").await;
    day.pay("CASE-5", "ILS", &passport, &["approve"]).await;
    // After all payments: the gateway gives the refund that it refuses a number too, if it is asked.
    let transfer = day.transfer(&third, "42.00").await;
    day.close().await;
    day.refund_is(&refund, "succeeded").await;
    day.refund_is(&transfer, "succeeded").await;
    day.books().await
}

struct Day<'a> {
    place: &'a Place,
}

fn id(value: &Value) -> &str {
    value["id"].as_str().unwrap()
}

impl Day<'_> {
    /// A request that is sent again under the same idempotency key until it is answered.
    async fn ask(&self, who: &Client, path: &str, body: &Value, key: &str) -> Value {
        for _ in 0..TRIES {
            if let Ok(Ok(reply)) =
                tokio::time::timeout(Duration::from_secs(20), who.post_once(path, body, key)).await
            {
                match reply.status {
                    200..300 => {
                        self.place.answered();
                        return reply.json;
                    }
                    409 | 429 | 500.. => {}
                    status => panic!("POST {path}: {status} {}", reply.json),
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
        panic!("POST {path} is not answered");
    }

    async fn portal(&self, path: &str, body: &Value, key: &str) -> Value {
        self.ask(&self.place.people.portal_client, path, body, &format!("day-{key:-<26}")).await
    }

    async fn look(&self, who: &Client, path: &str) -> Value {
        for _ in 0..TRIES {
            if let Ok(Ok(reply)) = tokio::time::timeout(Duration::from_secs(5), who.get(path)).await
                && reply.status == 200
            {
                return reply.json;
            }
            tokio::time::sleep(PAUSE).await;
        }
        panic!("GET {path} is not answered");
    }

    async fn open(&self, reference: &str, currency: &str, lines: &Value) -> Value {
        let body = json!({ "currency": currency, "lines": lines, "external_reference": reference });
        self.portal("/v1/payment-intents", &body, reference).await
    }

    /// Opens a payment and tries the card as often as there are outcomes; the last one pays.
    async fn pay(&self, reference: &str, currency: &str, lines: &Value, outcomes: &[&str]) -> Value {
        let intent = self.open(reference, currency, lines).await;
        for outcome in outcomes {
            let page = self.choose(intent["pay_url"].as_str().unwrap()).await;
            let decided = self.form(&format!("{page}/pay"), &format!("outcome={outcome}")).await;
            assert!(decided.is_some(), "the gateway is not there");
            let state = if *outcome == "approve" { "paid" } else { "requires_payment" };
            self.intent_is(id(&intent), state).await;
        }
        self.look(&self.place.people.portal_client, &format!("/v1/payment-intents/{}", id(&intent))).await
    }

    /// The payer chooses the card until he is sent to the gateway's page.
    async fn choose(&self, pay_url: &str) -> String {
        for _ in 0..TRIES {
            if let Some(response) = self.form(pay_url, "channel=card").await
                && let Some(page) = response.headers().get("location")
            {
                return page.to_str().unwrap().to_owned();
            }
            tokio::time::sleep(PAUSE).await;
        }
        panic!("{pay_url} leads nowhere");
    }

    async fn form(&self, url: &str, fields: &str) -> Option<reqwest::Response> {
        let request = self.place.http.post(url).header("content-type", "application/x-www-form-urlencoded");
        let response = request.body(fields.to_owned()).send().await.ok()?;
        if !response.status().is_redirection() {
            return None;
        }
        self.place.answered();
        Some(response)
    }

    async fn intent_is(&self, intent: &str, state: &str) {
        let path = format!("/v1/payment-intents/{intent}");
        for _ in 0..TRIES {
            let seen = self.look(&self.place.people.portal_client, &path).await;
            if seen["state"] == state {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
        panic!("{intent} does not become {state}");
    }

    /// Part of a payment is asked back and approved.
    async fn refund(&self, intent: &Value, amount: &str) -> String {
        let reference = intent["external_reference"].as_str().unwrap();
        let body = json!({
            "source": intent["id"], "amount": { "amount": amount, "currency": "ILS" },
            "reason": "the application was withdrawn", "refundable": intent["refundable"],
        });
        let refund = self.portal("/v1/refunds", &body, &format!("refund-{reference}")).await;
        let path = format!("/v1/finance/refunds/{}", id(&refund));
        self.decide(
            &self.place.people.approver.client,
            &format!("{path}/approve"),
            json!({ "note": "seen" }),
        )
        .await;
        path
    }

    /// What the gateway will not give back goes by transfer, to an account that one officer names and another sends it to.
    async fn transfer(&self, intent: &Value, amount: &str) -> String {
        self.control("faults", json!({ "refunds": "fail" })).await;
        let path = self.refund(intent, amount).await;
        self.refund_stands(&path, "failed").await;
        let payee = json!({ "payee": { "name": "A payer (example)", "iban": demo::PAYER_ACCOUNT } });
        self.decide(&self.place.people.reconciler.client, &format!("{path}/payee"), payee).await;
        self.decide(&self.place.people.approver.client, &format!("{path}/send-again"), json!({})).await;
        self.refund_stands(&path, "submitted").await;
        path
    }

    async fn decide(&self, officer: &Client, path: &str, body: Value) {
        let key: String = path.chars().filter(char::is_ascii_alphanumeric).rev().take(40).collect();
        self.ask(officer, path, &body, &key).await;
    }

    async fn refund_stands(&self, path: &str, stage: &str) {
        for _ in 0..TRIES {
            if self.look(&self.place.people.approver.client, path).await["stage"] == stage {
                return;
            }
            self.place.time_passes().await;
            tokio::time::sleep(PAUSE).await;
        }
        panic!("{path} does not become {stage}");
    }

    /// Waits for it; it is sent again as often as it failed.
    async fn refund_is(&self, path: &str, stage: &str) {
        let approver = &self.place.people.approver.client;
        for turn in 0..TRIES {
            let seen = self.look(approver, path).await;
            if seen["stage"] == stage {
                return;
            }
            if seen["stage"] == "failed" {
                let key = format!("day-send-again-{turn:-<12}");
                self.ask(approver, &format!("{path}/send-again"), &json!({ "note": "again" }), &key).await;
            }
            self.place.time_passes().await;
            tokio::time::sleep(PAUSE).await;
        }
        panic!("{path} does not become {stage}");
    }

    async fn control(&self, path: &str, body: Value) -> Value {
        let url = format!("{}/control/{path}", self.place.bank.url());
        let response = self.place.http.post(url).json(&body).send().await.unwrap();
        assert!(response.status().is_success(), "{}", response.text().await.unwrap());
        response.json().await.unwrap()
    }

    /// Bank and gateway end the day; the statements are handed over.
    async fn close(&self) {
        let closed = self.control("day", json!({ "close": self.place.today })).await;
        let client = &self.place.people.reconciler.client;
        let files = closed["files"].as_array().unwrap().iter().filter_map(Value::as_str);
        let ours = files.filter(|name| self.place.accounts.iter().any(|account| name.starts_with(account)));
        for name in ours {
            let bytes = self.place.statement(name);
            let (path, key) =
                (format!("/v1/finance/statements?name={name}"), format!("day-statement-{name}"));
            let mut tries = 0..TRIES;
            loop {
                assert!(tries.next().is_some(), "{name} is not taken");
                let kind = "application/octet-stream";
                let sent = client.send(Method::POST, &path, kind, bytes.clone(), Some(&key));
                if let Ok(Ok(reply)) = tokio::time::timeout(Duration::from_secs(20), sent).await
                    && reply.status < 300
                {
                    break;
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    /// Waits until nothing moves, checks the book from its first entry, and reads it.
    async fn books(&self) -> Books {
        let still = "select (select count(*) from notices where state = 'waiting')
            + (select count(*) from jobs where state = 'ready' and run_at <= now())
            + (select count(*) from events where position is null)";
        for turn in 0.. {
            let mut conn = self.place.superuser().await;
            let left = sqlx::raw_sql(still).fetch_one(&mut conn).await.map(|row| row.get::<i64, _>(0));
            if matches!(left, Ok(0)) {
                break;
            }
            assert!(turn < TRIES, "{left:?} things still move");
            tokio::time::sleep(PAUSE).await;
        }
        let pool = PgPoolOptions::new().connect(self.place.database()).await.unwrap();
        let book = Book::open(&pool, "main").await.unwrap();
        let mut conn = pool.acquire().await.unwrap();
        let verified = book.verify(&mut conn, &mut |_| {}).await.unwrap();
        assert!(verified.is_clean(), "{verified:?}");
        let gaps = "select count(*) from feeds where last <> (select count(*) from events where portal = feeds.portal)";
        assert_eq!(sqlx::raw_sql(gaps).fetch_one(&mut *conn).await.unwrap().get::<i64, _>(0), 0);
        let books = self.read(&mut conn).await;
        drop(conn);
        pool.close().await;
        books
    }

    async fn read(&self, conn: &mut sqlx::PgConnection) -> Books {
        let mut rows =
            async |statement: &'static str| sqlx::raw_sql(statement).fetch_all(&mut *conn).await.unwrap();
        let balances = rows(
            "select a.code || ' ' || a.currency, b.debits_minor - b.credits_minor from ledger.accounts a
             join ledger.balances b on b.account_id = a.id where b.debits_minor <> b.credits_minor",
        )
        .await;
        let payments =
            rows("select external_reference, state, paid_minor, refunded_minor from payment_intents").await;
        let money_keys = rows(
            "select k.money_key, i.external_reference, n.amount_minor from money_keys k join notices n on n.n = k.notice
             left join payment_intents i on i.id = n.intent order by 1",
        )
        .await;
        let refunds = rows("select state, amount_minor from refunds order by id").await;
        let receipts = rows("select count(*) from receipts").await;
        Books {
            balances: balances.iter().map(|row| (row.get(0), row.get(1))).collect(),
            payments: payments.iter().map(|row| (row.get(0), (row.get(1), row.get(2), row.get(3)))).collect(),
            money_keys: money_keys.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect(),
            refunds: refunds.iter().map(|row| (row.get(0), row.get(1))).collect(),
            receipts: receipts[0].get(0),
        }
    }
}
