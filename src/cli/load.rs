//! `mizan load`: payments pressed through a hub, and the laws checked afterwards.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};
use mizan_ledger::store::Book;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::Answer;
use super::database::Database;
use super::output::say;
use super::remote::Remote;
use super::stop::Stop;
use crate::config::Config;
use crate::entropy::Entropy;
use crate::load::{Accounts, CHANNEL, Deployment, Gateway, Outcome, Plan, Target, Way, baskets, press};
use crate::localpg::{clear_left, default_data_dir, discard, passing_folder};

const WARM_UP: Duration = Duration::from_secs(3);

#[derive(Debug, clap::Args)]
#[command(after_help = "Without --key the load starts a hub of its own on the embedded database.\n\
    With --key it presses a running hub (test mode): give that hub's configuration with --config. Its card gateway \
    must stand on this machine, and not be running: the load takes its place, at its address and with its keys.")]
pub struct Args {
    /// The result as one JSON document.
    #[arg(long)]
    json: bool,
    /// How long to press, after a warm-up of three seconds.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Clients with one payment at a time each.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..))]
    clients: u16,
    /// What is pressed: quote, intent, callback, posting.
    #[arg(long, value_enum, default_value_t = Scenario::Payments)]
    scenario: Scenario,
    /// Begin so many payments in every second instead, whatever became of the earlier ones.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    rate: Option<u32>,
    /// One agency, or all of them.
    #[arg(long, value_enum, default_value_t = Accounts::Cold)]
    accounts: Accounts,
    /// The payer also goes to the payer's page and is sent to the gateway; without it the callback names the bill.
    #[arg(long)]
    page: bool,
    /// A webhook endpoint hears of every paid intent.
    #[arg(long)]
    webhook: bool,
    /// Keep the load's own database here, and go on with what an earlier run left.
    #[arg(long, conflicts_with = "key")]
    data_dir: Option<PathBuf>,
    /// Press a running hub as this portal; a key file as `mizan call` takes it.
    #[arg(long)]
    key: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Scenario {
    Payments,
}

pub async fn run(config: Option<&Path>, args: Args) -> anyhow::Result<Answer> {
    match &args.key {
        Some(key) => press_running(config, key, &args).await,
        None => press_own(&args).await,
    }
}

async fn press_own(args: &Args) -> anyhow::Result<Answer> {
    let mut stop = Stop::listen()?;
    if let Some(folder) = &args.data_dir {
        let deployment = stop.unless(Deployment::open(folder)).await?;
        let answer = stop.unless(press_deployed(&deployment, args)).await;
        deployment.close().await?;
        return answer;
    }
    let home = default_data_dir();
    clear_left(&home).await;
    let folder = passing_folder(&home, &format!("load-{}", Entropy::system().token::<8>())).await?;
    let work = async {
        let deployment = Deployment::open(&folder).await?;
        let answer = press_deployed(&deployment, args).await;
        deployment.close().await?;
        answer
    };
    let answer = stop.passing(&folder, work).await?;
    discard(&folder).await?;
    Ok(answer)
}

async fn press_deployed(deployment: &Deployment, args: &Args) -> anyhow::Result<Answer> {
    let app = &deployment.hub.app;
    press_and_check(&deployment.target, args, &app.pool, &app.hub.book).await
}

async fn press_running(config: Option<&Path>, key: &Path, args: &Args) -> anyhow::Result<Answer> {
    let config = Config::load(config).context("configuration")?;
    ensure!(!config.mode.is_live(), "a live hub is not pressed");
    let settings = config.channels.get(CHANNEL).and_then(|channel| channel.gateway.clone());
    let settings =
        settings.context("channels.card.gateway is not in the configuration: name it with --config")?;
    let callback_key = settings.callback_keys.first().context("channels.card.gateway.callback_keys")?;
    let Remote { client, hub } = Remote::of(key)?;
    let target = Target::new(client, &hub, CHANNEL, &settings.merchant, callback_key.clone());
    let gateway = Gateway::start(place(&settings.endpoint.base_url)?).await?;
    let mut stop = Stop::listen()?;
    let database = stop.unless(Database::open(&config)).await?;
    let (pool, book) = database.book().await?;
    let answer = stop.unless(press_and_check(&target, args, &pool, &book)).await;
    pool.close().await;
    database.close().await?;
    gateway.stop().await;
    answer
}

/// Where the hub looks for its gateway: `http://127.0.0.1:8090/gateway/v1` is 127.0.0.1:8090.
fn place(base_url: &str) -> anyhow::Result<SocketAddr> {
    let authority = base_url.strip_prefix("http://").and_then(|rest| rest.split('/').next());
    let address = authority.map(|authority| authority.replace("localhost", "127.0.0.1"));
    let address = address.and_then(|address| address.parse::<SocketAddr>().ok());
    let address = address.filter(|address| address.ip().is_loopback());
    address.with_context(|| format!("the gateway {base_url} does not stand on this machine"))
}

async fn press_and_check(target: &Target, args: &Args, pool: &PgPool, book: &Book) -> anyhow::Result<Answer> {
    let baskets = baskets(&target.portal, args.accounts).await?;
    let plan = Plan {
        warm_up: WARM_UP,
        seconds: args.seconds,
        clients: usize::from(args.clients),
        rate: args.rate,
        way: if args.page { Way::Page } else { Way::Bill },
        webhook: args.webhook,
    };
    let outcome = press(target, baskets, &plan).await?;
    let verified = book.verify(&mut *pool.acquire().await?, &mut |_| {}).await?;
    let laws = if verified.is_clean() { "hold" } else { "broken" };
    say(&if args.json {
        body(args, &outcome, laws, verified.entries)?.to_string()
    } else {
        text(&outcome, laws, verified.entries)
    })?;
    Ok(if verified.is_clean() && outcome.errors == 0 { Answer::Yes } else { Answer::No })
}

fn body(args: &Args, outcome: &Outcome, laws: &str, entries: u64) -> anyhow::Result<Value> {
    let mut body = serde_json::to_value(outcome)?;
    body["scenario"] = match args.scenario {
        Scenario::Payments => json!("payments"),
    };
    body["accounts"] = match args.accounts {
        Accounts::Hot => json!("hot"),
        Accounts::Cold => json!("cold"),
    };
    body["page"] = json!(args.page);
    body["clients"] = json!(args.rate.is_none().then_some(args.clients));
    body["rate"] = json!(args.rate);
    body["laws"] = json!(laws);
    body["entries"] = json!(entries);
    Ok(body)
}

fn text(outcome: &Outcome, laws: &str, entries: u64) -> String {
    let mut block = format!(
        "{} paid in {} s: {} a second\n\n{:<10}{:>9}{:>11}{:>11}{:>11}",
        outcome.paid, outcome.seconds, outcome.per_second, "", "calls", "p50 ms", "p99 ms", "max ms",
    );
    for (call, took) in &outcome.calls {
        let name = format!("{call:?}").to_lowercase();
        block.push_str(&format!(
            "\n{name:<10}{:>9}{:>11.2}{:>11.2}{:>11.2}",
            took.count, took.p50_ms, took.p99_ms, took.max_ms
        ));
    }
    if let Some(count) = outcome.webhooks {
        block.push_str(&format!("\n\n{count} webhooks arrived"));
    }
    block.push_str(&format!("\n\nerrors: {}", outcome.errors));
    for fault in &outcome.faults {
        block.push_str(&format!("\n  {fault}"));
    }
    block.push_str(&format!("\nlaws of the book ({entries} entries): {laws}"));
    block
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn the_gateway_of_a_pressed_hub_stands_on_this_machine() {
        assert_eq!(place("http://127.0.0.1:8090/gateway/v1").unwrap(), ([127, 0, 0, 1], 8090).into());
        assert_eq!(place("http://localhost:8090").unwrap(), ([127, 0, 0, 1], 8090).into());
        for elsewhere in
            ["https://127.0.0.1:8090", "http://gateway.example:80/", "http://10.0.0.1:80", "8090"]
        {
            assert!(place(elsewhere).is_err(), "{elsewhere}");
        }
    }
}
