//! The hub of a life and who deals with it; started again as often as it is killed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use mizan_ledger::{Calendar, Currency, Instant, ManualClock};

use super::outside::{MERCHANTS, Outside};
use crate::access::Role;
use crate::access::service::{NewPerson, NewPortal, create_person, create_portal};
use crate::app::App;
use crate::config::Config;
use crate::demo;
use crate::entropy::Entropy;
use crate::ids::PortalId;
use crate::start;
use crate::tx::Actor;

/// A Sunday morning; nothing in a life knows today's date.
const BEGINS_AT: &str = "2026-11-22T06:00:00Z";
/// A step uses one connection at a time; a job's worker one more.
const CONNECTIONS: u32 = 4;

/// Those of the example's channels that are lived with.
const CHANNELS: [&str; 3] = [MERCHANTS[0], MERCHANTS[1], "transfer"];

/// The hub, and what outlives it.
pub(super) struct Stage {
    pub app: App,
    pub clock: ManualClock,
    pub outside: Outside,
    pub portal: PortalId,
    /// Officers who ask and decide.
    pub officers: Vec<Actor>,
    config: Config,
    database_url: String,
    entropy: Entropy,
}

impl Stage {
    /// A hub on a fresh, migrated database, with the example catalogue in force.
    pub(super) async fn open(
        seed: u64,
        database_url: &str,
        data_dir: &Path,
        catalogue: &Path,
    ) -> anyhow::Result<Self> {
        let clock = ManualClock::new(BEGINS_AT.parse::<Instant>().context("the beginning")?);
        let nowhere = "http://127.0.0.1:9";
        let mut config = demo::config(data_dir, ([127, 0, 0, 1], 9).into(), nowhere);
        config.database.connections = Some(CONNECTIONS);
        config.channels.retain(|instance, _| CHANNELS.contains(&instance.as_str()));
        let calendar = Calendar::friday_saturday(config.zone.clone());
        let outside = Outside::new(seed, clock.clone(), calendar, &config);
        let entropy = Entropy::seeded(seed);
        let app = hub(&config, &outside, database_url, &clock, &entropy).await?;
        let portal = take_on_portal(&app).await?;
        let mut officers = Vec::new();
        for (login, role) in
            [("reconciler", Role::Reconciler), ("approver-1", Role::Approver), ("approver-2", Role::Approver)]
        {
            officers.push(take_on_officer(&app, login, role).await?);
        }
        let folders: Vec<PathBuf> = ["standards", "hukumati"].map(|name| catalogue.join(name)).into();
        demo::bring_in_force(&app, &folders.iter().map(PathBuf::as_path).collect::<Vec<_>>()).await?;
        let database_url = database_url.to_owned();
        Ok(Self { app, clock, outside, portal, officers, config, database_url, entropy })
    }

    /// The process died: its connections are gone, and a new one starts.
    pub(super) async fn restart(&mut self) -> anyhow::Result<()> {
        self.app.pool.close().await;
        self.app.poster_pool.close().await;
        self.app = hub(&self.config, &self.outside, &self.database_url, &self.clock, &self.entropy).await?;
        Ok(())
    }

    pub(super) async fn close(self) {
        self.app.pool.close().await;
        self.app.poster_pool.close().await;
    }

    pub(super) fn currencies(&self) -> Vec<Currency> {
        self.config.banks.iter().map(|bank| bank.currency).collect()
    }
}

async fn hub(
    config: &Config,
    outside: &Outside,
    database_url: &str,
    clock: &ManualClock,
    entropy: &Entropy,
) -> anyhow::Result<App> {
    let channels = outside.channels(config).context("the channels")?;
    let clock = Arc::new(clock.clone());
    start::app_among(channels, config.clone(), database_url, clock, entropy.clone()).await
}

async fn take_on_portal(app: &App) -> anyhow::Result<PortalId> {
    let new = NewPortal {
        code: "example-portal".to_owned(),
        name_ar: "بوابة المثال".to_owned(),
        name_en: "Example portal".to_owned(),
        return_url_prefixes: Vec::new(),
    };
    let actor = Actor::hub("simulation");
    Ok(app.run(&actor, &new, |tx, new| Box::pin(create_portal(tx, new))).await?)
}

async fn take_on_officer(app: &App, login: &str, role: Role) -> anyhow::Result<Actor> {
    let new = NewPerson {
        login: login.to_owned(),
        name_ar: "موظف (مثال)".to_owned(),
        name_en: "Officer (example)".to_owned(),
        roles: vec![role],
        password: None,
    };
    let actor = Actor::hub("simulation");
    let id = app.run(&actor, &new, |tx, new| Box::pin(create_person(tx, new))).await?;
    Ok(Actor::person(id))
}
