//! `mizan demo`: the whole story on a database, a bank and a hub of its own.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::Answer;
use super::key_file::{KeyFile, Place};
use super::output::say;
use super::stop::Stop;
use crate::demo::{self, Outcome, Stage, Teller, Wrong};
use crate::entropy::Entropy;
use crate::http::language::Language;
use crate::localpg::{clear_left, default_data_dir, passing_folder};
use crate::{example_portal, reports};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// End after the story instead of staying up to be looked at.
    #[arg(long)]
    exit: bool,
    /// The result as one JSON document; the story is not told.
    #[arg(long)]
    json: bool,
    /// An ordinary day but for this one thing; see what the proof says.
    #[arg(long, value_name = "CASE")]
    wrong: Option<Wrong>,
    /// Ordinary payments of the day.
    #[arg(long, default_value_t = 200)]
    payments: usize,
    /// Folder of the example catalogues.
    #[arg(long, default_value = "config/catalogue")]
    catalogue: PathBuf,
}

pub async fn run(args: Args) -> anyhow::Result<Answer> {
    let began = Instant::now();
    let tell = Teller { silent: args.json };
    tell.chapter("Starting a private PostgreSQL, the sandbox bank and the hub (a few seconds)");
    let (home, mut stop) = (default_data_dir(), Stop::listen()?);
    clear_left(&home).await;
    let folder = passing_folder(&home, &format!("demo-{}", Entropy::system().token::<8>())).await?;
    let (stage, is_good) = stop
        .passing(&folder, async {
            let stage = Stage::open(&folder, &args.catalogue).await?;
            let is_good = tell_all(&stage, &args, tell, began).await?;
            Ok((stage, is_good))
        })
        .await?;
    let stayed = if args.exit { Ok(()) } else { stay(&stage, tell, &mut stop).await };
    stage.close().await?;
    stayed?;
    Ok(if is_good { Answer::Yes } else { Answer::No })
}

/// Tells the story; answers whether all of it is good.
async fn tell_all(stage: &Stage, args: &Args, tell: Teller, began: Instant) -> anyhow::Result<bool> {
    tell.chapter("The days before: bills that nobody paid, and transfers found on yesterday's statement");
    let by_transfer = demo::before(stage).await?;
    demo::one_payment(stage, tell).await?;
    demo::refund_by_transfer(stage, tell, &by_transfer).await?;
    day(stage, args, tell).await?;
    let statements = demo::close(stage, stage.today).await?;
    demo::settled(stage, tell, &statements).await?;
    let outcome = demo::outcome(stage).await?;
    conclude(&outcome, tell);
    if args.json {
        let mut summary = outcome.json()?;
        summary["database_url"] = json!(stage.database_url);
        summary["api"] = json!(stage.base);
        summary["seconds"] = json!(began.elapsed().as_secs());
        say(&summary.to_string())?;
    }
    tell.line(&format!("   told in {} seconds", began.elapsed().as_secs()));
    Ok(outcome.is_good())
}

/// The day's payments, and what goes wrong in it.
async fn day(stage: &Stage, args: &Args, tell: Teller) -> anyhow::Result<()> {
    let count = args.payments;
    tell.chapter(&format!("A day of {count} payments over agencies and currencies"));
    let bar = if tell.silent { ProgressBar::hidden() } else { ProgressBar::new(count as u64) };
    bar.set_style(ProgressStyle::with_template("   {bar:40} {pos}/{len}, {eta} left")?);
    let ordinary = demo::ordinary(stage, count, &|| bar.inc(1)).await?;
    bar.finish_and_clear();
    tell.line(&format!("   {} payers at the gateway, {} declined", ordinary.payments, ordinary.declined));
    let cases = args.wrong.as_ref().map_or(&demo::EVERYDAY[..], std::slice::from_ref);
    for case in cases {
        tell.line(&format!("   and {}", case.name()));
        case.happen(stage).await?;
    }
    Ok(())
}

/// The day's proof line by line, the breaks, and the book checked again from its first entry.
fn conclude(outcome: &Outcome, tell: Teller) {
    tell.chapter("The day's proof");
    tell.line(&reports::text::daily(&outcome.proof, Language::English));
    tell.chapter("The end of the day");
    let states: Vec<String> =
        outcome.states.iter().map(|(state, count)| format!("{count} {}", state.replace('_', " "))).collect();
    tell.line(&format!("   {} payments: {}", outcome.payments, states.join(", ")));
    tell.line(&format!("   {} refunds seen at the bank", outcome.refunds));
    let waiting = outcome.count_breaks(true);
    for one in &outcome.breaks {
        let part = |pointer: &str| one.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let who = if one["resolved_at"].is_null() { "waits for a person" } else { "resolved itself" };
        tell.line(&format!(
            "   {who}: {} {} {}",
            part("/category"),
            part("/money/amount"),
            part("/money/currency")
        ));
    }
    if waiting.is_empty() {
        tell.line("   nothing waits for a person");
    }
    let laws = if outcome.verified.is_clean() { "hold" } else { "broken" };
    tell.line(&format!("   the laws of the book {laws}; {} entries checked again", outcome.verified.entries));
}

/// Leaves the hub up to be looked at, until it is stopped.
async fn stay(stage: &Stage, tell: Teller, stop: &mut Stop) -> anyhow::Result<()> {
    invite(stage, tell).await?;
    stop.asked().await;
    Ok(())
}

async fn invite(stage: &Stage, tell: Teller) -> anyhow::Result<()> {
    let unpaid = stage.open_intent(&demo::order(2), "YOURS").await?;
    let paid = stage.all(stage.portal(), "/v1/payment-intents?external_reference=LAB-2026-0001&").await?;
    let number =
        paid.first().map(|one| demo::text(one, "/receipt/number")).context("the story's payment")??;
    let receipt = stage.get(stage.portal(), &format!("/v1/receipts/{number}")).await?;
    let portal = open_portal(stage).await?;
    hand_out(stage)?;
    tell.chapter("The hub stays up; look at it, then press Ctrl-C");
    let base = &stage.base;
    tell.line(&format!("   the Day page       {base}/console"));
    for officer in [&stage.people.reconciler, &stage.people.approver] {
        tell.line(&format!("                      {} / {}", officer.login, officer.password));
    }
    tell.line(&format!("   a bill to pay      {}", demo::text(&unpaid, "/pay_url")?));
    tell.line(&format!("   a receipt to check {}", demo::text(&receipt, "/url")?));
    tell.line(&format!("   the example portal {portal}"));
    tell.line(&format!("   API documents      {base}/v1/docs"));
    let (mizan, folder) = (std::env::current_exe()?, stage.folder.display());
    let mizan = mizan.display();
    tell.line("   three commands to try:");
    tell.line(&format!("     {mizan} call GET '/v1/payment-intents?limit=1' --key {folder}/portal.json"));
    tell.line(&format!("     {mizan} report daily --date {} --config {folder}/mizan.toml", stage.today));
    tell.line(&format!("     {mizan} ledger verify --config {folder}/mizan.toml"));
    Ok(())
}

/// The example portal, in this process as long as the hub runs. Answers its address.
async fn open_portal(stage: &Stage) -> anyhow::Result<String> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}/", listener.local_addr()?);
    let (serving, stop) =
        (example_portal::serve(stage.portal().clone(), listener), stage.hub.app.stop.clone());
    stage.hub.app.tasks.spawn(async move {
        tokio::select! {
            served = serving => if let Err(error) = served {
                tracing::error!(%error, "the example portal failed");
            },
            () = stop.cancelled() => {}
        }
    });
    Ok(address)
}

/// The keys of the cast and the hub's configuration, as the commands take them.
fn hand_out(stage: &Stage) -> anyhow::Result<()> {
    let people = &stage.people;
    let keys = [
        ("portal", &people.portal_key_id, "hmac-sha256", &people.portal_secret),
        ("reconciler", &people.reconciler.key_id, "ed25519", &people.reconciler.secret),
        ("approver", &people.approver.key_id, "ed25519", &people.approver.secret),
    ];
    for (name, key_id, algorithm, secret) in keys {
        let file = KeyFile {
            hub: stage.base.clone(),
            key_id: key_id.clone(),
            algorithm: algorithm.to_owned(),
            secret: BASE64.encode(secret),
        };
        Place::new(&stage.folder.join(format!("{name}.json")))?.keep(&file)?;
    }
    let config = &stage.hub.app.hub.config;
    let banks: Vec<Value> = config
        .banks
        .iter()
        .map(|bank| {
            json!({ "name": bank.name, "account": bank.account, "currency": bank.currency, "owner": bank.owner })
        })
        .collect();
    let settings = toml::to_string(&json!({ "data_dir": config.data_dir, "banks": banks }))?;
    let path = stage.folder.join("mizan.toml");
    std::fs::write(&path, settings).with_context(|| path.display().to_string())
}
