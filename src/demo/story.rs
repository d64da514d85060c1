//! One payment, told slowly.

use anyhow::{Context, ensure};
use mizan_ledger::EntryId;
use serde_json::{Value, json};

use super::PAYER_ACCOUNT;
use super::day::pay_under_fault;
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

/// Quote, bill, page, callback sent twice and booked once, the entry's lines, a part given back.
pub async fn one_payment(stage: &Stage, tell: Teller) -> anyhow::Result<()> {
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
    let receipt = stage.get(stage.portal(), &format!("/v1/receipts/{receipt}")).await?;
    tell.line(&format!("   receipt {}, signed, at {}", text(&receipt, "/number")?, text(&receipt, "/url")?));
    refund_by_card(stage, tell, &paid).await
}

/// Pays the intent by card while the gateway sends every callback twice.
async fn pay_twice_told(stage: &Stage, intent: &Value) -> anyhow::Result<Value> {
    pay_under_fault(stage, intent, "duplicate").await?;
    stage.until(text(intent, "/id")?, &["paid"]).await
}

/// The lines of the entry that an intent's money caused.
async fn entry_lines(stage: &Stage, intent: &str) -> anyhow::Result<Vec<String>> {
    let mut conn = stage.hub.app.pool.acquire().await?;
    let entry = crate::inbox::service::entry_of(&mut conn, intent.parse()?).await?.context("no entry")?;
    drop(conn);
    lines_of(stage, entry).await
}

async fn lines_of(stage: &Stage, entry: EntryId) -> anyhow::Result<Vec<String>> {
    let app = &stage.hub.app;
    let mut conn = app.pool.acquire().await?;
    let recorded = app.hub.book.entry(&mut conn, entry).await?.context("the entry is not in the book")?;
    let lines = recorded.entry.lines().iter().map(|line| {
        let side = if line.side() == mizan_ledger::account::Side::Debit { "debit " } else { "credit" };
        format!("{side} {:>9} {}  {}", line.money().amount(), line.money().currency(), line.account().code)
    });
    Ok(lines.collect())
}

/// One officer asks for a part of the payment to be given back, the other approves; the gateway carries it out.
async fn refund_by_card(stage: &Stage, tell: Teller, paid: &Value) -> anyhow::Result<()> {
    tell.chapter("One sample was withdrawn: an officer asks for a refund, another one approves");
    let currency = text(paid, "/amount/currency")?;
    let body = json!({
        "source": paid["id"], "refundable": paid["refundable"], "reason": "one sample was withdrawn (example)",
        "amount": { "amount": "10.000", "currency": currency },
    });
    give_back(stage, tell, &body).await
}

/// The same for a payment that came by transfer: the bank carries out a payment file.
pub async fn refund_by_transfer(stage: &Stage, tell: Teller, paid: &Value) -> anyhow::Result<()> {
    tell.chapter("Yesterday's applicant withdrew: the money goes back by a payment file (pain.001)");
    let paid = stage.get(stage.portal(), &format!("/v1/payment-intents/{}", text(paid, "/id")?)).await?;
    let body = json!({
        "source": paid["id"], "refundable": paid["refundable"], "reason": "the application was withdrawn (example)",
        "components": [{ "line": 0, "component": "urgency" }],
        "payee": { "name": "مقدم الطلب (مثال)", "iban": PAYER_ACCOUNT },
    });
    give_back(stage, tell, &body).await
}

async fn give_back(stage: &Stage, tell: Teller, body: &Value) -> anyhow::Result<()> {
    let (asking, approving) = (&stage.people.reconciler, &stage.people.approver);
    let asked = stage.post(&asking.client, "/v1/finance/refunds", body).await?;
    let path = format!("/v1/finance/refunds/{}", text(&asked, "/id")?);
    let approve = format!("{path}/approve");
    let own = asking.client.post(&approve, &json!({})).await?;
    ensure!(own.status == 403, "the officer who asked must not approve: {} {}", own.status, own.json);
    tell.line(&format!(
        "   the {} asked for {} {}, and must not approve it: {} {}",
        asking.login,
        text(&asked, "/amount/amount")?,
        text(&asked, "/amount/currency")?,
        own.status,
        text(&own.json, "/code")?,
    ));
    stage.post(&approving.client, &approve, &json!({ "note": "seen (example)" })).await?;
    let sent = stage.until_stage(&path, "submitted").await?;
    tell.line(&format!("   the {} approved; now {}", approving.login, text(&sent, "/stage")?));
    tell.line("   it succeeds when the bank's statement shows it, not before");
    Ok(())
}

/// The line of the statement that paid the story's payment, with what the gateway kept.
pub async fn settled(stage: &Stage, tell: Teller, statements: &[Value]) -> anyhow::Result<()> {
    tell.chapter("The bank closed its day; its statements were taken in and matched");
    for one in statements {
        let part = |name: &str| one[name].as_str().unwrap_or("-").to_owned();
        tell.line(&format!(
            "   {:<16} {:<9} lines: {:>2}  {}{}",
            part("format"),
            part("account"),
            one["lines"],
            part("outcome"),
            one["reason"].as_str().map_or(String::new(), |why| format!(": {why}")),
        ));
    }
    let Some(of_payment) = statements.iter().find(|one| one["account"] == "main-jod") else { return Ok(()) };
    let path = format!("/v1/finance/statements/{}/lines?", text(of_payment, "/id")?);
    let lines = stage.all(&stage.people.reconciler.client, &path).await?;
    let settles = |line: &&Value| line["rule"] == "settlement" && line["entry"].is_string();
    let Some(line) = lines.iter().find(settles) else { return Ok(()) };
    tell.line(&format!(
        "   {} {}: {}, {}",
        text(line, "/money/amount")?,
        text(line, "/money/currency")?,
        text(line, "/text")?.lines().next().unwrap_or_default(),
        text(line, "/reason")?,
    ));
    tell.line("   its entry, with what the gateway kept by contract:");
    let entry: EntryId = text(line, "/entry")?.parse()?;
    for line in lines_of(stage, entry).await? {
        tell.line(&format!("   {line}"));
    }
    Ok(())
}
