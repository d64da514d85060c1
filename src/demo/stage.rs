//! Everything the story needs, started for real: database, sandbox bank, hub; and the hands that act in it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use mizan_adapters::sandbox::{self as bank, Pace, Server};
use mizan_ledger::{Clock, Day, Instant};
use reqwest::header::{CONTENT_TYPE, LOCATION};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{Onboarded, StoryClock, config, onboard, sandbox};
use crate::client::Client;
use crate::entropy::Entropy;
use crate::localpg::LocalPg;
use crate::start::{self, Running};

/// The whole cast.
#[derive(Debug)]
pub struct Stage {
    pub hub: Running,
    pub bank: Server,
    pub people: Onboarded,
    /// The days of the story: the bank opens on the first, the story ends on the second.
    pub yesterday: Day,
    pub today: Day,
    pub base: String,
    pub database_url: String,
    /// Where all of it lies, until it is closed.
    pub folder: PathBuf,
    clock: StoryClock,
    http: reqwest::Client,
    cluster: LocalPg,
}

/// A story that would run over midnight waits for the new day.
const STORY_SECONDS: i64 = 60;
const DAY_SECONDS: i64 = 86_400;

impl Stage {
    /// Starts all of it in this folder, which goes at the end.
    pub async fn open(folder: &Path, catalogue: &Path) -> anyhow::Result<Self> {
        let entropy = Entropy::system();
        let folder = folder.to_owned();
        let cluster = LocalPg::start(&folder).await?;
        let clock = StoryClock::default();
        let (today, now) = begin(&clock).await;
        let yesterday = today.previous();
        let outside = folder.join("bank");
        std::fs::create_dir_all(&outside).with_context(|| outside.display().to_string())?;
        // The story sets its days; within one the gateway's clock goes, for whoever pays when the story is told.
        let settings = bank::Config { pace: Pace::Running, ..sandbox(yesterday, now, Some(&outside), 1) };
        let bank = Server::start(settings, ([127, 0, 0, 1], 0).into()).await?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let mut settings = config(&folder, address, bank.url());
        // Nobody wants to wait a minute for others in a story.
        settings.payment_files.gather_seconds = 0;
        let database_url = cluster.url_app();
        let app = start::app(settings, &database_url, Arc::new(clock.clone()), entropy).await?;
        let hub = start::serve(app, listener).await?;
        let base = format!("http://{address}");
        let folders = ["standards", "hukumati"].map(|name| catalogue.join(name));
        let folders: Vec<&Path> = folders.iter().map(PathBuf::as_path).collect();
        let people = onboard(&hub.app, &base, &folders).await?;
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
        Ok(Self { hub, bank, people, yesterday, today, base, database_url, clock, http, cluster, folder })
    }

    /// Stops everything and leaves nothing behind.
    pub async fn close(self) -> anyhow::Result<()> {
        self.hub.stop().await;
        self.bank.stop().await;
        self.cluster.stop().await?;
        std::fs::remove_dir_all(&self.folder).with_context(|| self.folder.display().to_string())?;
        Ok(())
    }

    pub fn portal(&self) -> &Client {
        &self.people.portal_client
    }

    /// A call that must succeed.
    pub async fn post(&self, who: &Client, path: &str, body: &Value) -> anyhow::Result<Value> {
        let reply = who.post(path, body).await?;
        ensure!(reply.status < 300, "POST {path}: {} {}", reply.status, reply.json);
        Ok(reply.json)
    }

    pub async fn get(&self, who: &Client, path: &str) -> anyhow::Result<Value> {
        let reply = who.get(path).await?;
        ensure!(reply.status < 300, "GET {path}: {} {}", reply.status, reply.json);
        Ok(reply.json)
    }

    /// What a browser sends for a form; answers where it is sent next, if anywhere.
    async fn form(&self, url: &str, fields: String) -> anyhow::Result<Option<String>> {
        let request = self.http.post(url).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let response = request.body(fields).send().await?;
        let status = response.status();
        if status.is_client_error() || status.is_server_error() {
            bail!("{url}: {status} {}", response.text().await?);
        }
        let location = response.headers().get(LOCATION);
        Ok(location.map(|url| url.to_str().map(str::to_owned)).transpose()?)
    }

    /// The payer opens the page and chooses a channel; answers the gateway's page.
    pub async fn choose(&self, intent: &Value, channel: &str) -> anyhow::Result<String> {
        let url = text(intent, "/pay_url")?;
        let next = self.form(url, format!("channel={channel}")).await?;
        next.with_context(|| format!("{url}: the payer was not sent to the gateway"))
    }

    /// The payer decides on the gateway's page.
    pub async fn decide(&self, page: &str, outcome: &str) -> anyhow::Result<()> {
        self.form(&format!("{page}/pay"), format!("outcome={outcome}")).await?;
        Ok(())
    }

    /// One of the sandbox's control calls (docs/SANDBOX.md).
    pub async fn control(&self, what: &str, body: &Value) -> anyhow::Result<Value> {
        let url = format!("{}/control/{what}", self.bank.url());
        let request = self.http.post(&url).header(CONTENT_TYPE, "application/json");
        let response = request.body(body.to_string()).send().await?;
        let status = response.status();
        let text = response.text().await?;
        ensure!(status.is_success(), "{url}: {status} {text}");
        Ok(serde_json::from_str(&text)?)
    }

    /// Goes to a day before today, at the same time of the day; with zero, back to the present.
    pub async fn set_back(&self, days: i64) -> anyhow::Result<()> {
        self.clock.set_back(days * DAY_SECONDS);
        self.control("clock", &json!({ "now": self.clock.now().to_string() })).await?;
        Ok(())
    }

    /// Every element of a list of the API, page after page.
    pub async fn all(&self, who: &Client, path: &str) -> anyhow::Result<Vec<Value>> {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.get(who, &format!("{path}limit=500{cursor}")).await?;
            all.extend(page["data"].as_array().into_iter().flatten().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(all),
            }
        }
    }

    /// The statement of an account, from the bank itself.
    pub async fn statement(&self, bank: &str, account: &str, day: Day) -> anyhow::Result<(String, Vec<u8>)> {
        let adapter = self.hub.app.hub.channels.bank(bank).and_then(|channel| channel.statements.clone());
        let adapter = adapter.with_context(|| format!("{bank} gives no statements"))?;
        let file = adapter.statement(account.to_owned(), day).await.accepted().flatten();
        let file = file.with_context(|| format!("{bank} has no statement for {day}"))?;
        Ok((file.name, file.raw.to_vec()))
    }

    /// Waits until the intent is in one of the states; the poster needs a moment after a callback.
    pub async fn until(&self, id: &str, states: &[&str]) -> anyhow::Result<Value> {
        let path = format!("/v1/payment-intents/{id}");
        for _ in 0..500 {
            let intent = self.get(self.portal(), &path).await?;
            if states.contains(&text(&intent, "/state")?) {
                return Ok(intent);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        bail!("{id} did not become {} in ten seconds", states.join(" or "))
    }

    /// Waits until the refund of this path is in a stage; a worker carries it out.
    pub async fn until_stage(&self, path: &str, stage: &str) -> anyhow::Result<Value> {
        for _ in 0..500 {
            let refund = self.get(&self.people.reconciler.client, path).await?;
            if text(&refund, "/stage")? == stage {
                return Ok(refund);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        bail!("{path} was not {stage} in ten seconds")
    }

    /// Opens an intent in one call.
    pub async fn open_intent(&self, order: &Order, reference: &str) -> anyhow::Result<Value> {
        let body = json!({
            "currency": order.currency, "lines": order.lines, "external_reference": reference,
            "payer": { "kind": "person", "language": "ar" },
        });
        self.post(self.portal(), "/v1/payment-intents", &body).await
    }
}

/// The day of the story, and now.
async fn begin(clock: &StoryClock) -> (Day, Instant) {
    let zone = crate::config::Config::default().zone;
    loop {
        let now = clock.now();
        let today = now.day_in(&zone);
        if now.plus_seconds(STORY_SECONDS).day_in(&zone) == today {
            return (today, now);
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// What somebody needs from the government: services with their inputs, in one currency, paid on one channel.
#[derive(Debug, Clone)]
pub struct Order {
    pub currency: &'static str,
    pub lines: Value,
    /// How it is paid.
    pub channel: &'static str,
}

/// The text at a JSON pointer.
pub fn text<'a>(value: &'a Value, pointer: &str) -> anyhow::Result<&'a str> {
    value.pointer(pointer).and_then(Value::as_str).with_context(|| format!("no {pointer} in {value}"))
}
