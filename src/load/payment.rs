//! One payment from the price to the callback, each call timed.

use std::time::Duration;

use anyhow::{Context, ensure};
use reqwest::header::{CONTENT_TYPE, LOCATION};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::gateway::{captured, order_of, signature};
use super::measure::{Call, Times};
use crate::client::Client;

/// The channel that is pressed.
pub const CHANNEL: &str = "card";

/// How the payer comes to pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By the bill's number, as at a bank or a bill system: the callback names it.
    Bill,
    /// On the payer's page: an attempt, and a session at the gateway. The callback names the attempt.
    Page,
}

/// Which hub is pressed, and with what.
#[derive(Debug, Clone)]
pub struct Target {
    pub portal: Client,
    http: reqwest::Client,
    channel: String,
    callback_url: String,
    merchant: String,
    callback_key: SecretString,
}

/// A payment whose callback the hub has acknowledged.
#[derive(Debug, Clone)]
pub struct Told {
    pub intent: String,
    /// When the callback was sent.
    pub at: Instant,
}

impl Target {
    /// `base` is where the hub answers; merchant and key are those of its gateway.
    pub fn new(
        portal: Client,
        base: &str,
        channel: &str,
        merchant: &str,
        callback_key: SecretString,
    ) -> Self {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .expect("the settings are those of a plain client");
        Self {
            portal,
            http,
            channel: channel.to_owned(),
            callback_url: format!("{}/channels/{channel}/callback", base.trim_end_matches('/')),
            merchant: merchant.to_owned(),
            callback_key,
        }
    }

    /// Pays for a basket. The first call's time counts from `due`.
    ///
    /// # Errors
    /// Any answer but the one a payment needs.
    pub async fn pay(
        &self,
        basket: &Value,
        reference: &str,
        due: Instant,
        times: &Times,
        way: Way,
    ) -> anyhow::Result<Told> {
        let quote = self.post("/v1/quotes", basket).await?;
        let quoted = Instant::now();
        times.add(Call::Quote, quoted - due);
        let order = json!({
            "quote": quote["id"], "external_reference": reference,
            "payer": { "kind": "person", "language": "ar" },
        });
        let intent = self.post("/v1/payment-intents", &order).await?;
        let opened = Instant::now();
        times.add(Call::Intent, opened - quoted);
        let (order, chosen) = match way {
            Way::Bill => (text(&intent, "bill_number")?.to_owned(), opened),
            Way::Page => {
                let order = self.choose(&intent).await?;
                let chosen = Instant::now();
                times.add(Call::Page, chosen - opened);
                (order, chosen)
            }
        };
        self.call_back(&order, &intent["amount"]).await?;
        times.add(Call::Callback, chosen.elapsed());
        Ok(Told { intent: text(&intent, "id")?.to_owned(), at: chosen })
    }

    async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let reply = self.portal.post(path, body).await?;
        ensure!(reply.status == 201, "POST {path}: {} {}", reply.status, reply.json);
        Ok(reply.json)
    }

    /// The payer chooses the card and is sent to the gateway's page; answers the order behind it.
    async fn choose(&self, intent: &Value) -> anyhow::Result<String> {
        let url = text(intent, "pay_url")?;
        let request = self.http.post(url).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let response = request.body(format!("channel={}", self.channel)).send().await?;
        let status = response.status().as_u16();
        let location = response.headers().get(LOCATION).and_then(|url| url.to_str().ok()).map(str::to_owned);
        // Read to the end, so that the connection is used again.
        let said = response.text().await?;
        ensure!(status == 303, "POST {url}: {status} {said}");
        let page = location.context("the payer was not sent anywhere")?;
        let order = order_of(&page).with_context(|| format!("{page} is no page of this gateway"))?;
        Ok(order.to_owned())
    }

    async fn call_back(&self, order: &str, money: &Value) -> anyhow::Result<()> {
        let body = captured(&self.merchant, order, money);
        let signature = signature(&self.callback_key, &body);
        let request = self.http.post(&self.callback_url).header(CONTENT_TYPE, "application/json");
        let response = request.header("x-gateway-signature", signature).body(body).send().await?;
        let status = response.status().as_u16();
        let said = response.text().await?;
        ensure!(status == 204, "POST {}: {status} {said}", self.callback_url);
        Ok(())
    }

    /// Looks until the payment is paid; answers when it was seen.
    ///
    /// # Errors
    /// When it is not paid within a minute.
    pub async fn until_paid(&self, intent: &str) -> anyhow::Result<Instant> {
        let path = format!("/v1/payment-intents/{intent}");
        let asked = Instant::now();
        while asked.elapsed() < PATIENCE {
            let reply = self.portal.get(&path).await?;
            ensure!(reply.status == 200, "GET {path}: {} {}", reply.status, reply.json);
            if reply.json["state"] == "paid" {
                return Ok(Instant::now());
            }
            tokio::time::sleep(PAUSE).await;
        }
        anyhow::bail!("{intent} was not paid within {} seconds", PATIENCE.as_secs())
    }
}

fn text<'a>(intent: &'a Value, name: &str) -> anyhow::Result<&'a str> {
    intent[name].as_str().with_context(|| format!("an intent without {name}"))
}

const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(5);
