//! One payment, told slowly.

use anyhow::Context;
use mizan_ledger::EntryId;
use serde_json::{Value, json};

use super::day::under_fault;
use super::stage::{Stage, text};

/// Where the telling goes; nothing is told with `--json`.
#[derive(Debug, Clone, Copy)]
pub struct Teller {
    pub silent: bool,
}

impl Teller {
    /// A chapter.
    pub fn chapter(self, title: &str) {
        self.line(&format!("\n== {title}"));
    }

    #[expect(clippy::print_stdout, reason = "the story is the command's result")]
    pub fn line(self, line: &str) {
        if !self.silent {
            println!("{line}");
        }
    }
}

/// Quote, bill, page, callback sent twice and booked once, the entry's lines. Answers the paid intent.
pub async fn one_payment(stage: &Stage, tell: Teller) -> anyhow::Result<Value> {
    tell.chapter("A citizen asks what a laboratory report costs");
    let quote = json!({
        "currency": "JOD",
        "lines": [{ "service": "psi/testing-report", "inputs": { "samples": 3, "urgent": true } }],
    });
    let quote = stage.post(stage.portal(), "/v1/quotes", &quote).await?;
    for part in quote["lines"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|line| line["components"].as_array())
        .flatten()
    {
        tell.line(&format!(
            "   {:>9} JOD  {:<28} article {:<6} {}",
            text(part, "/amount/amount")?,
            text(part, "/name/en")?,
            text(part, "/article")?,
            text(part, "/explanation/en")?,
        ));
    }
    tell.line(&format!(
        "   {:>9} JOD  total, signed by {}",
        text(&quote, "/total/amount")?,
        text(&quote, "/signature/key_id")?
    ));

    tell.chapter("The portal opens a payment; the payer goes to the gateway's page and approves");
    let body = json!({
        "quote": quote["id"], "external_reference": "LAB-2026-0001",
        "payer": { "kind": "company", "language": "ar", "name": "شركة المثال" },
    });
    let intent = stage.post(stage.portal(), "/v1/payment-intents", &body).await?;
    tell.line(&format!(
        "   bill {}  reference {}",
        text(&intent, "/bill_number")?,
        text(&intent, "/reference")?
    ));
    let paid = pay_twice_told(stage, &intent).await?;
    tell.line("   the gateway sent its callback twice; it was taken as one fact");

    tell.chapter("The books: one entry, whose lines balance");
    for line in entry_lines(stage, text(&paid, "/id")?).await? {
        tell.line(&format!("   {line}"));
    }
    let receipt = paid["receipt"]["number"].as_str().context("no receipt")?;
    tell.line(&format!("   receipt {receipt}, signed, at {}", text(&paid, "/receipt/url")?));
    Ok(paid)
}

/// Pays the intent by card while the gateway sends every callback twice.
async fn pay_twice_told(stage: &Stage, intent: &Value) -> anyhow::Result<Value> {
    let page = stage.choose(intent, "card").await?;
    let id = text(intent, "/id")?;
    let seen = stage.get(stage.portal(), &format!("/v1/payment-intents/{id}")).await?;
    let attempt = text(&seen, "/attempts/0/id")?;
    stage.control("faults", &json!({ "orders": { attempt: { "callback": "duplicate" } } })).await?;
    stage.decide(&page, "approve").await?;
    stage.until(id, &["paid"]).await
}

/// The lines of the entry that an intent's money caused.
async fn entry_lines(stage: &Stage, intent: &str) -> anyhow::Result<Vec<String>> {
    let app = &stage.hub.app;
    let mut conn = app.pool.acquire().await?;
    let entry: EntryId =
        crate::inbox::service::entry_of(&mut conn, intent.parse()?).await?.context("no entry")?;
    let recorded = app.hub.book.entry(&mut conn, entry).await?.context("the entry is not in the book")?;
    let lines = recorded.entry.lines().iter().map(|line| {
        let side = if line.side() == mizan_ledger::account::Side::Debit { "debit " } else { "credit" };
        format!("{side} {:>9} {}  {}", line.money().amount(), line.money().currency(), line.account().code)
    });
    Ok(lines.collect())
}

/// One named thing that goes wrong, in the payment of this reference.
pub async fn wrong(stage: &Stage, case: &str, reference: &str) -> anyhow::Result<()> {
    match case {
        "altered" => {
            let intent = under_fault(stage, 0, reference, "altered").await?;
            stage.until(text(&intent, "/id")?, &["paid"]).await?;
        }
        "lost-callback" => {
            under_fault(stage, 0, reference, "lost").await?;
        }
        "late" => {
            super::day::late(stage, 0, reference).await?;
        }
        "extra-credit" => super::day::unknown_credit(stage, "77.70").await?,
        other => anyhow::bail!("there is no case {other}"),
    }
    Ok(())
}
