//! A day of the country: many payments of several agencies and currencies, with everything that goes wrong in one.

use anyhow::{Context, ensure};
use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::{Value, json};

use super::stage::{Order, Stage, text};

/// How many payers act at once.
const PAYERS: usize = 8;

/// What the day was.
#[derive(Debug, Default, Clone, Copy)]
pub struct Day {
    pub payments: usize,
    pub paid: usize,
}

/// The orders of the day, turn by turn: agencies, currencies, one basket of several agencies (EXAMPLE tariffs).
pub fn order(turn: usize) -> Order {
    let passport = json!({ "service": "interior/passport", "inputs": { "reason": "new", "urgent": turn.is_multiple_of(5) } });
    let report =
        json!({ "service": "psi/testing-report", "inputs": { "samples": 1 + turn % 4, "urgent": false } });
    match turn % 4 {
        0 => Order { currency: "ILS", lines: json!([passport]) },
        1 => Order { currency: "JOD", lines: json!([report]) },
        2 => Order { currency: "ILS", lines: json!([passport, report]) },
        _ => Order { currency: "USD", lines: json!([passport]) },
    }
}

/// `count` ordinary card payments, every tenth of them declined at first.
pub async fn ordinary(
    stage: &Stage,
    count: usize,
    prefix: &str,
    step: &(dyn Fn() + Sync),
) -> anyhow::Result<Day> {
    let payments = stream::iter(0..count).map(|turn| async move {
        let intent = stage.open_intent(&order(turn), &format!("{prefix}-{turn:04}")).await?;
        let declined = turn % 10 == 9;
        let page = stage.choose(&intent, "card").await?;
        let id = text(&intent, "/id")?;
        stage.decide(&page, if declined { "decline" } else { "approve" }).await?;
        stage.until(id, &[if declined { "requires_payment" } else { "paid" }]).await?;
        step();
        anyhow::Ok(usize::from(!declined))
    });
    let paid: Vec<usize> = payments.buffer_unordered(PAYERS).try_collect().await?;
    Ok(Day { payments: count, paid: paid.iter().sum() })
}

/// A payer chooses the card; answers the intent, the gateway's page and our order at the gateway.
async fn at_gateway(stage: &Stage, turn: usize, reference: &str) -> anyhow::Result<(Value, String, String)> {
    let intent = stage.open_intent(&order(turn), reference).await?;
    let page = stage.choose(&intent, "card").await?;
    let seen = stage.get(stage.portal(), &format!("/v1/payment-intents/{}", text(&intent, "/id")?)).await?;
    let attempt = text(&seen, "/attempts/0/id")?.to_owned();
    Ok((intent, page, attempt))
}

/// Pays by card under a fault of the gateway's callbacks.
pub async fn under_fault(stage: &Stage, turn: usize, reference: &str, fault: &str) -> anyhow::Result<Value> {
    let (intent, page, attempt) = at_gateway(stage, turn, reference).await?;
    stage.control("faults", &json!({ "orders": { attempt: { "callback": fault } } })).await?;
    stage.decide(&page, "approve").await?;
    Ok(intent)
}

/// A bill is canceled, and its payer transfers the money all the same.
pub async fn late(stage: &Stage, turn: usize, reference: &str) -> anyhow::Result<Value> {
    let intent = stage.open_intent(&order(turn), reference).await?;
    let id = text(&intent, "/id")?.to_owned();
    stage.post(stage.portal(), &format!("/v1/payment-intents/{id}/cancel"), &json!({})).await?;
    transfer(stage, &intent, None).await?;
    Ok(intent)
}

/// Somebody transfers money for a bill at his bank: `amount` or what is due.
pub async fn transfer(stage: &Stage, intent: &Value, amount: Option<&str>) -> anyhow::Result<()> {
    let currency = text(intent, "/amount/currency")?;
    let body = json!({
        "to": account(stage, currency)?, "currency": currency,
        "amount": amount.map_or(text(intent, "/amount/amount")?, |amount| amount),
        "reference": text(intent, "/reference")?,
    });
    stage.control("transfers", &body).await?;
    Ok(())
}

/// Money that nobody can explain.
pub async fn unknown_credit(stage: &Stage, amount: &str) -> anyhow::Result<()> {
    let body = json!({ "to": account(stage, "ILS")?, "currency": "ILS", "amount": amount, "text": "حوالة" });
    stage.control("transfers", &body).await?;
    Ok(())
}

/// The hub's account in a currency.
pub fn account(stage: &Stage, currency: &str) -> anyhow::Result<String> {
    let banks = &stage.hub.app.hub.config.banks;
    let bank = banks.iter().find(|bank| bank.currency.code() == currency);
    Ok(bank.with_context(|| format!("no account in {currency}"))?.account.clone())
}

/// The bank closes the day; its statements are handed to the hub. Answers what became of each file.
pub async fn close(stage: &Stage) -> anyhow::Result<Vec<Value>> {
    stage.control("day", &json!({ "close": stage.today })).await?;
    let client = &stage.people.reconciler.client;
    let mut imported = Vec::new();
    for bank in &stage.hub.app.hub.config.banks {
        let (name, bytes) = stage.statement(&bank.name, &bank.account).await?;
        let key = format!("statement-{}-{}", bank.name, stage.today);
        let path = format!("/v1/finance/statements?name={name}");
        let method = axum::http::Method::POST;
        let reply = client.send(method, &path, "application/octet-stream", bytes, Some(&key)).await?;
        ensure!(reply.status < 300, "{name}: {} {}", reply.status, reply.json);
        imported.push(reply.json);
    }
    Ok(imported)
}
