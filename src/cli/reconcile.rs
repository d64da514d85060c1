//! `mizan reconcile`: matches what is known of money against what the banks list.

use serde_json::json;

use super::Answer;
use super::output::say;
use super::remote::Key;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  mizan reconcile --json\n\nSafe to repeat: a second run finds what the first left."
)]
pub struct Args {
    #[command(flatten)]
    key: Key,
    /// The summary as JSON.
    #[arg(long)]
    json: bool,
}

pub async fn run(args: Args) -> anyhow::Result<Answer> {
    let Some(summary) = args.key.open()?.post("/v1/finance/reconcile", &json!({})).await? else {
        return Ok(Answer::No);
    };
    if args.json {
        say(&summary.to_string())?;
        return Ok(Answer::Yes);
    }
    for (part, meaning) in [
        ("settlements", "settlements that channels reported"),
        ("matched", "lines matched"),
        ("told", "payments nobody had told of"),
        ("to_suspense", "credits put into suspense"),
        ("explained", "credits in suspense explained by later news"),
        ("overdue", "expectations overdue at the bank"),
        ("waiting", "lines that still wait for a person"),
    ] {
        say(&format!("{:>7}  {meaning}", summary[part].to_string()))?;
    }
    Ok(Answer::Yes)
}
