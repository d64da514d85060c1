//! `mizan demo`: the whole story on a database, a bank and a hub of its own.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::Answer;
use super::output::say;
use crate::config::default_data_dir;
use crate::demo::{Stage, Teller, day, story};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// End after the story instead of staying up to be looked at.
    #[arg(long)]
    exit: bool,
    /// The result as one JSON document; the story is not told.
    #[arg(long)]
    json: bool,
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
    let stage = Stage::open(&default_data_dir(), &args.catalogue).await?;
    let told = tell_all(&stage, &args, tell).await;
    let outcome = match told {
        Ok(mut summary) => {
            summary["seconds"] = json!(began.elapsed().as_secs());
            let holds = summary["laws"] == json!("hold");
            if args.json {
                say(&summary.to_string())?;
            }
            if !args.exit {
                invite(&stage, tell);
                tokio::signal::ctrl_c().await?;
            }
            Ok(if holds { Answer::Yes } else { Answer::No })
        }
        Err(error) => Err(error),
    };
    stage.close().await?;
    outcome
}

async fn tell_all(stage: &Stage, args: &Args, tell: Teller) -> anyhow::Result<Value> {
    story::one_payment(stage, tell).await?;
    let (mut payments, mut paid) = (1, 1);
    let count = args.payments;
    tell.chapter(&format!("A day of {count} payments over agencies and currencies"));
    let bar = if tell.silent { ProgressBar::hidden() } else { ProgressBar::new(count as u64) };
    bar.set_style(ProgressStyle::with_template("   {bar:40} {pos}/{len}, {eta} left")?);
    let ordinary = day::ordinary(stage, count, "DAY", &|| bar.inc(1)).await?;
    bar.finish_and_clear();
    payments += ordinary.payments;
    paid += ordinary.paid;
    tell.line(&format!("   {} payments, {} paid", ordinary.payments, ordinary.paid));
    for case in ["altered", "lost-callback", "late", "extra-credit"] {
        tell.line(&format!("   and one that goes wrong: {case}"));
        story::wrong(stage, case, case).await?;
        payments += 1;
    }
    tell.chapter("The bank closes its day; its statements are taken in");
    for file in day::close(stage).await? {
        for statement in file["statements"].as_array().into_iter().flatten() {
            let part = |name: &str| statement[name].as_str().unwrap_or("-").to_owned();
            tell.line(&format!("   {} {} {}", part("account"), part("currency"), part("state")));
        }
    }
    conclude(stage, tell, payments, paid).await
}

/// The books as they stand, the breaks that wait for a person, and the book checked again from its first entry.
async fn conclude(stage: &Stage, tell: Teller, payments: usize, paid: usize) -> anyhow::Result<Value> {
    let app = &stage.hub.app;
    let mut conn = app.pool.acquire().await?;
    tell.chapter("The books");
    for one in app.hub.book.balances(&mut conn).await? {
        let name = one.account.code.as_str();
        let money = one.money();
        tell.line(&format!("   {name:<34} {:>14} {}", money.amount(), money.currency()));
    }
    let breaks = stage.get(&stage.people.reconciler.client, "/v1/finance/breaks?open=true&limit=500").await?;
    let mut categories: BTreeMap<String, usize> = BTreeMap::new();
    for one in breaks["data"].as_array().into_iter().flatten() {
        *categories.entry(one["category"].as_str().unwrap_or("?").to_owned()).or_default() += 1;
    }
    for (category, count) in &categories {
        tell.line(&format!("   waiting for a person: {count} x {category}"));
    }
    let verified = app.hub.book.verify(&mut conn, &mut |_| {}).await?;
    let laws = if verified.is_clean() { "hold" } else { "broken" };
    tell.line(&format!("   the laws of the book {laws}; {} entries checked again", verified.entries));
    Ok(json!({
        "payments": payments, "paid": paid, "breaks": categories, "laws": laws,
        "database_url": stage.database_url, "api": stage.base,
    }))
}

fn invite(stage: &Stage, tell: Teller) {
    tell.chapter("The hub stays up; look at it, then press Ctrl-C");
    tell.line(&format!("   API documents    {}/v1/docs", stage.base));
    for officer in [&stage.people.reconciler, &stage.people.approver] {
        tell.line(&format!(
            "   console          {}/console   {} / {}",
            stage.base, officer.login, officer.password
        ));
    }
    tell.line(&format!("   public keys      {}/.well-known/mizan-keys.json", stage.base));
}
