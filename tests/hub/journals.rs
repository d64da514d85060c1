//! A day of the hub's book before programs that share no code with it: hledger and beancount accept its journals,
//! and count the same balances to the last digit.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use mizan_ledger::Money;
use mizan_ledger::export::{Beancount, Hledger, Journal};
use serde_json::{Value, json};

use crate::judges::Judge;
use crate::world::{TODAY, World};

/// Three currencies, a declined card, a refund approved and ordered, money too late, money that nobody knows, and
/// the statements of the day taken in and matched.
async fn a_day() -> World {
    let world = World::new().await;
    let mut paid = Vec::new();
    for (turn, currency) in ["ILS", "JOD", "USD", "ILS"].into_iter().enumerate() {
        let intent = bill(&world, currency, &format!("DAY-{turn}")).await;
        world.pay_by_card(&intent).await;
        paid.push(intent);
    }
    let declined = world.intent("DECLINED").await;
    let page = world.choose_card(&declined).await;
    world.decide(&page, "decline").await;
    world.settle(1).await;
    refund(&world, paid[0]["id"].as_str().unwrap()).await;
    let late = world.intent("LATE").await;
    let canceled = format!("/v1/payment-intents/{}/cancel", late["id"].as_str().unwrap());
    assert_eq!(world.portal().post(&canceled, &json!({})).await.unwrap().status, 200);
    let account = world.app.hub.config.banks[0].account.clone();
    world.transfer(&account, "21.00", "ILS", late["reference"].as_str(), "حوالة").await;
    world.transfer(&account, "77.70", "ILS", None, "; \"evil\"  2026-01-01 * {1}").await;
    world.end_day(TODAY).await;
    world
}

async fn bill(world: &World, currency: &str, reference: &str) -> Value {
    let line = if currency == "JOD" {
        json!({ "service": "psi/testing-report", "inputs": { "samples": 3, "urgent": true } })
    } else {
        json!({ "service": "interior/passport", "inputs": { "reason": "new", "urgent": true } })
    };
    let body = json!({ "currency": currency, "lines": [line], "external_reference": reference });
    let reply = world.portal().post("/v1/payment-intents", &body).await.unwrap();
    assert_eq!(reply.status, 201, "{}", reply.json);
    reply.json
}

async fn refund(world: &World, intent: &str) {
    let found = world.find_intent(intent).await;
    let part = json!({ "amount": "5.00", "currency": "ILS" });
    let body = json!({
        "source": intent, "amount": part, "reason": "EXAMPLE", "refundable": found["refundable"],
    });
    let asked = world.portal().post("/v1/refunds", &body).await.unwrap();
    assert_eq!(asked.status, 201, "{}", asked.json);
    let path = format!("/v1/finance/refunds/{}/approve", asked.json["id"].as_str().unwrap());
    let approved = world.people.approver.client.post(&path, &json!({})).await.unwrap();
    assert_eq!(approved.status, 200, "{}", approved.json);
}

/// The journal of the whole book as a file, and what the book itself holds: debit-positive, by class and code.
async fn journal(
    world: &World,
    format: &dyn Journal,
    name: &str,
) -> (PathBuf, BTreeMap<(String, String), Money>) {
    let book = &world.app.hub.book;
    let mut conn = world.app.pool.acquire().await.unwrap();
    let span = book.span(&mut conn).await.unwrap().unwrap();
    let mut bytes = Vec::new();
    let exported = book.export(&mut conn, format, span, &mut bytes).await.unwrap();
    assert!(exported.entries >= 7, "{exported:?}");
    let path = world.data_dir().join(name);
    std::fs::write(&path, bytes).unwrap();
    let held = book.balances(&mut conn).await.unwrap().into_iter().map(|row| {
        let money = Money::new(row.balance.net_minor(), row.account.currency);
        ((row.account.code.to_string(), row.account.currency.to_string()), money)
    });
    (path, held.filter(|(_, money)| !money.is_zero()).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn hledger_and_beancount_accept_a_day_and_count_the_same() {
    let world = a_day().await;
    let (path, held) = journal(&world, &Hledger, "day.journal").await;
    assert!(held.len() >= 12, "{held:?}");
    if let Some(found) = hledger_balances(&path) {
        let ours = held
            .iter()
            .map(|((code, currency), money)| ((code.replace('/', ":"), currency.clone()), money.amount()));
        assert_eq!(found, ours.collect());
    }
    let (path, held) = journal(&world, &Beancount, "day.beancount").await;
    let judge = Judge::Python { script: "read_journal.py", package: "beancount" };
    let Some(read) = judge.ask(&json!({ "file": path })).await else { return };
    assert_eq!(read["errors"], json!([]), "{read}");
    let mut found: BTreeMap<(String, String), String> = BTreeMap::new();
    for (name, amount) in read["balances"].as_object().unwrap() {
        let (account, currency) = name.rsplit_once(' ').unwrap();
        let code = account.to_lowercase().replace("--", "_");
        let code = code.strip_prefix("equity:own:").or(code.split_once(':').map(|(_, rest)| rest)).unwrap();
        let code = code.strip_prefix("memo:").unwrap_or(code).replace(':', "/");
        found.insert((code, currency.to_owned()), amount.as_str().unwrap().to_owned());
    }
    let ours = held.into_iter().map(|(key, money)| (key, money.amount()));
    assert_eq!(found, ours.collect());
}

/// What hledger counts, after its strict check; None where it is not installed.
fn hledger_balances(path: &std::path::Path) -> Option<BTreeMap<(String, String), String>> {
    let run = |arguments: &[&str]| {
        let mut command = Command::new("hledger");
        command.arg("-f").arg(path).args(arguments).env("LC_ALL", "C.UTF-8").output()
    };
    let Ok(checked) = run(&["check", "-s", "ordereddates"]) else {
        println!("hledger is not installed: the journal was not checked");
        return None;
    };
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    let listed = run(&["bal", "-N", "--flat", "--layout=tidy", "-O", "csv"]).unwrap();
    let text = String::from_utf8(listed.stdout).unwrap();
    let rows = text.lines().skip(1).map(|row| {
        let cells: Vec<&str> = row.trim_matches('"').split("\",\"").collect();
        let (_, code) = cells[0].split_once(':').unwrap();
        ((code.to_owned(), cells[cells.len() - 2].to_owned()), cells[cells.len() - 1].to_owned())
    });
    Some(rows.collect())
}
