//! The days of the country: many payments of several agencies and currencies, and what goes wrong in ordinary life.

use anyhow::Context;
use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::{Value, json};

use super::evening::close;
use super::stage::{Order, Stage, text};

/// How many payers act at once.
const PAYERS: usize = 8;
/// How long before today the first bills were opened: longer than a bill lives.
const DAYS_BEFORE: i64 = 4;
/// Bills that nobody pays.
const FORGOTTEN: usize = 3;

/// What the payers of the day did.
#[derive(Debug, Default, Clone, Copy)]
pub struct Day {
    pub payments: usize,
    pub declined: usize,
}

fn passport(reason: &str, urgent: bool) -> Value {
    json!({ "service": "interior/passport", "inputs": { "reason": reason, "urgent": urgent } })
}

fn certificate(copies: usize) -> Value {
    json!({ "service": "interior/civil-certificate", "inputs": { "copies": copies, "delivery": "window" } })
}

/// The orders of the day, turn by turn: agencies, currencies, a basket of several agencies, and a service whose agency is
/// paid by its gateway directly (EXAMPLE tariffs).
pub fn order(turn: usize) -> Order {
    let passport = passport("new", turn.is_multiple_of(5));
    let report =
        json!({ "service": "psi/testing-report", "inputs": { "samples": 1 + turn % 4, "urgent": false } });
    let health = json!({ "service": "health/health-certificate", "inputs": { "workers": 2 } });
    let (currency, lines, channel) = match turn % 8 {
        0 | 4 => ("ILS", json!([passport]), "card"),
        1 | 5 => ("JOD", json!([report]), "card"),
        2 => ("ILS", json!([passport, report]), "card"),
        6 => ("ILS", json!([health]), "card-health"),
        _ => ("USD", json!([passport]), "card"),
    };
    Order { currency, lines, channel }
}

/// The days before: some bills are opened and forgotten, some are paid by transfer, and the bank closes yesterday.
/// Answers a payment that came by transfer.
pub async fn before(stage: &Stage) -> anyhow::Result<Value> {
    stage.set_back(DAYS_BEFORE).await?;
    for turn in 0..FORGOTTEN {
        stage.open_intent(&order(turn), &format!("FORGOTTEN-{turn}")).await?;
    }
    stage.set_back(1).await?;
    let orders = [("ILS", passport("lost", true)), ("JOD", certificate(5)), ("USD", passport("new", false))];
    let mut by_transfer = Vec::new();
    for (currency, line) in orders {
        let order = Order { currency, lines: json!([line]), channel: "transfer" };
        let intent = stage.open_intent(&order, &format!("TRANSFER-{currency}")).await?;
        transfer(stage, &intent).await?;
        by_transfer.push(intent);
    }
    close(stage, stage.yesterday).await?;
    for intent in &by_transfer {
        stage.until(text(intent, "/id")?, &["paid"]).await?;
    }
    stage.set_back(0).await?;
    by_transfer.into_iter().next().context("nobody paid by transfer")
}

/// `count` ordinary card payments, every tenth of them declined.
pub async fn ordinary(stage: &Stage, count: usize, step: &(dyn Fn() + Sync)) -> anyhow::Result<Day> {
    let payments = stream::iter(0..count).map(|turn| async move {
        let order = order(turn);
        let intent = stage.open_intent(&order, &format!("DAY-{turn:04}")).await?;
        let declined = turn % 10 == 9;
        let page = stage.choose(&intent, order.channel).await?;
        let id = text(&intent, "/id")?;
        stage.decide(&page, if declined { "decline" } else { "approve" }).await?;
        stage.until(id, &[if declined { "requires_payment" } else { "paid" }]).await?;
        step();
        anyhow::Ok(usize::from(declined))
    });
    let declined: Vec<usize> = payments.buffer_unordered(PAYERS).try_collect().await?;
    Ok(Day { payments: count, declined: declined.iter().sum() })
}

/// A payer chooses the card; answers the gateway's page and our order at the gateway.
pub(super) async fn at_gateway(stage: &Stage, intent: &Value) -> anyhow::Result<(String, String)> {
    let page = stage.choose(intent, "card").await?;
    let seen = stage.get(stage.portal(), &format!("/v1/payment-intents/{}", text(intent, "/id")?)).await?;
    Ok((page, text(&seen, "/attempts/0/id")?.to_owned()))
}

/// Pays by card while the gateway treats this order's callbacks as the fault says (docs/SANDBOX.md).
pub(super) async fn pay_under_fault(stage: &Stage, intent: &Value, fault: &str) -> anyhow::Result<()> {
    let (page, order) = at_gateway(stage, intent).await?;
    stage.control("faults", &json!({ "orders": { order: { "callback": fault } } })).await?;
    stage.decide(&page, "approve").await
}

/// Somebody transfers what is due on a bill at his bank.
pub(super) async fn transfer(stage: &Stage, intent: &Value) -> anyhow::Result<()> {
    let currency = text(intent, "/amount/currency")?;
    let body = json!({
        "to": account(stage, currency)?, "currency": currency, "amount": text(intent, "/amount/amount")?,
        "reference": text(intent, "/reference")?,
    });
    stage.control("transfers", &body).await?;
    Ok(())
}

/// The hub's account in a currency.
pub(super) fn account(stage: &Stage, currency: &str) -> anyhow::Result<String> {
    let banks = &stage.hub.app.hub.config.banks;
    let bank = banks.iter().find(|bank| bank.currency.code() == currency);
    Ok(bank.with_context(|| format!("no account in {currency}"))?.account.clone())
}
