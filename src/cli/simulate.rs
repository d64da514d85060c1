//! `mizan simulate`: a seeded life on a throw-away database, judged by its laws.

use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::Answer;
use super::output::say;
use super::stop::Stop;
use crate::entropy::Entropy;
use crate::localpg::{
    Durability, LocalPg, Settings, clear_left, default_data_dir, discard, keep, passing_folder,
};
use crate::simulation::{self, Outcome, Plan};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The same seed gives the same life; one of its own choice without.
    #[arg(long)]
    seed: Option<u64>,
    /// Steps of the life, before everything under way is let come to its end.
    #[arg(long, default_value_t = 2_000)]
    events: usize,
    /// The result as one JSON document.
    #[arg(long)]
    json: bool,
    /// Leave the database of a broken law running, to be looked at.
    #[arg(long)]
    keep: bool,
    /// Folder of the example catalogues.
    #[arg(long, default_value = "config/catalogue")]
    catalogue: PathBuf,
}

/// Ends with 1 when a law is broken; the seed that broke it is told.
pub async fn run(args: Args) -> anyhow::Result<Answer> {
    let entropy = Entropy::system();
    let seed = args.seed.unwrap_or_else(|| u64::from(u32::from_be_bytes(entropy.bytes())));
    let (home, mut stop) = (default_data_dir(), Stop::listen()?);
    clear_left(&home).await;
    let folder = passing_folder(&home, &format!("simulation-{}", entropy.token::<8>())).await?;
    let (cluster, lived) = stop.passing(&folder, live(&folder, seed, &args)).await?;
    if args.keep && !lived.holds() {
        keep(&folder)?;
        eprintln!("the database is left at {}", cluster.url_bootstrap());
    } else {
        cluster.stop().await?;
        discard(&folder).await?;
    }
    tell(&lived, &args)?;
    Ok(if lived.holds() { Answer::Yes } else { Answer::No })
}

async fn live(folder: &Path, seed: u64, args: &Args) -> anyhow::Result<(LocalPg, Outcome)> {
    let settings = Settings { data_dir: folder.to_owned(), durability: Durability::UnlessPowerFails };
    let cluster = LocalPg::start_with(settings).await?;
    let plan = Plan {
        seed,
        events: args.events,
        database_url: cluster.url_app(),
        data_dir: folder.to_owned(),
        catalogue: args.catalogue.clone(),
    };
    let bar = ProgressBar::new(u64::try_from(args.events)?);
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} events, {eta} left")?);
    let lived = simulation::run(&plan, &mut |event| bar.set_position(event as u64)).await;
    bar.finish_and_clear();
    Ok((cluster, lived?))
}

fn tell(lived: &Outcome, args: &Args) -> anyhow::Result<()> {
    let again = format!("mizan simulate --seed {} --events {}", lived.seed, args.events);
    if args.json {
        let mut told = json!(lived);
        told["again"] = json!(again);
        say(&told.to_string())?;
        return Ok(());
    }
    say(&format!("seed {}: {} events, {} entries", lived.seed, lived.events, lived.entries))?;
    for (what, counts) in [("steps", &lived.counts), ("faults", &lived.faults)] {
        let told: Vec<String> = counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
        say(&format!("  {what}: {}", told.join(", ")))?;
    }
    for law in &lived.laws {
        match &law.broken {
            None => say(&format!("  holds   {}", law.law))?,
            Some(against) => say(&format!("  BROKEN  {}: {against}", law.law))?,
        }
    }
    if !lived.holds() {
        say(&format!("again: {again}"))?;
    }
    Ok(())
}
