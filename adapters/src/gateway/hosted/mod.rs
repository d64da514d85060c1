//! The hosted-page gateway (`/gateway/v1` of docs/SANDBOX.md): sessions, notices, queries, refunds, settlements.

mod wire;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use mizan_ledger::Day;
use reqwest::header::HeaderMap;
use reqwest::{Method, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::channel::{
    Channel, Collect, Collection, Notices, OrderState, Query, Refund, RefundOrder, RefundState, RefundTaken,
    Refusal, Settlement, Settlements, Started, Verdict,
};
use crate::dialect::{answer_for, is_reference, judge};
use crate::http::{ANSWER_BYTES_MAX, Endpoint, EndpointError, EndpointSettings, FILE_BYTES_MAX};
use crate::outcome::Outcome;
use crate::verify::hmac_sha256_hex;

/// The header with the HMAC of the raw body.
const SIGNATURE: &str = "x-gateway-signature";
const JSON: &str = "application/json";

/// One merchant at one gateway.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub endpoint: EndpointSettings,
    pub merchant: String,
    /// The keys callbacks are signed with: one, or two while a key is being replaced.
    pub callback_keys: Vec<SecretString>,
}

/// The settings cannot make a gateway.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    #[error("callback_keys holds no key, or an empty one: every notice would be refused or forged")]
    CallbackKeys,
}

/// The adapter.
#[derive(Debug)]
pub struct Gateway {
    endpoint: Endpoint,
    merchant: String,
    callback_keys: Vec<SecretString>,
}

impl Gateway {
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        let keys = &settings.callback_keys;
        if keys.is_empty() || keys.iter().any(|key| key.expose_secret().is_empty()) {
            return Err(SettingsError::CallbackKeys);
        }
        let endpoint = Endpoint::new(&settings.endpoint)?;
        Ok(Self { endpoint, merchant: settings.merchant, callback_keys: settings.callback_keys })
    }

    /// The channel `instance` with everything this gateway can do.
    pub fn channel(self, instance: impl Into<String>) -> Channel {
        let gateway = Arc::new(self);
        Channel {
            instance: instance.into(),
            collect: Some(gateway.clone()),
            refund: Some(gateway.clone()),
            notices: Some(gateway.clone()),
            query: Some(gateway.clone()),
            settlements: Some(gateway),
            pay_out: None,
            statements: None,
        }
    }

    async fn start_session(&self, collection: Collection) -> Outcome<Started> {
        if let Some(refused) = refuse_locally("order", &collection.order, collection.money.is_positive()) {
            return refused;
        }
        let currency = collection.money.currency();
        let body = wire::SessionRequest::new(&self.merchant, &collection, &currency);
        let request = self.endpoint.request(Method::POST, &["sessions"], &[], JSON).json(&body);
        let exchanged = self.endpoint.exchange("start session", request, ANSWER_BYTES_MAX).await;
        judge(exchanged, |answer| {
            let started = wire::session(&answer.body, &collection.order)?;
            let page = Url::parse(&started.page_url).ok();
            match page.filter(|page| matches!(page.scheme(), "http" | "https")) {
                Some(page) => Ok(Started { page_url: page.into(), ..started }),
                None => Err("page_url is not an http(s) address".to_owned()),
            }
        })
    }

    async fn order_refund(&self, order: RefundOrder) -> Outcome<RefundTaken> {
        if let Some(refused) = refuse_locally("refund", &order.refund, order.money.is_positive()) {
            return refused;
        }
        let currency = order.money.currency();
        let body = wire::RefundRequest::new(&order, &currency);
        let request = self.endpoint.request(Method::POST, &["refunds"], &[], JSON).json(&body);
        let exchanged = self.endpoint.exchange("refund", request, ANSWER_BYTES_MAX).await;
        match judge(exchanged, |answer| wire::refund_taken(&answer.body, &order.refund)) {
            // Not this refund, but one under its name exists over there: to call it rejected would invite
            // a second one.
            Outcome::Rejected { code, message } if code == "refund_exists" => {
                Outcome::unknown(format_args!("{code}: {message}"))
            }
            outcome => outcome,
        }
    }

    async fn query_order(&self, order: String) -> Outcome<OrderState> {
        if let Some(refused) = refuse_locally("order", &order, true) {
            return refused;
        }
        let request = self.endpoint.request(Method::GET, &["orders", &order], &[], JSON);
        let exchanged = self.endpoint.exchange("query order", request, ANSWER_BYTES_MAX).await;
        let outcome = judge(exchanged, |answer| wire::order(&answer.body, &order));
        answer_for(outcome, "unknown_order", OrderState::NotKnown)
    }

    async fn query_refund(&self, refund: String) -> Outcome<RefundState> {
        if let Some(refused) = refuse_locally("refund", &refund, true) {
            return refused;
        }
        let request = self.endpoint.request(Method::GET, &["refunds", &refund], &[], JSON);
        let exchanged = self.endpoint.exchange("query refund", request, ANSWER_BYTES_MAX).await;
        let outcome = judge(exchanged, |answer| wire::refund(&answer.body, &refund));
        answer_for(outcome, "unknown_refund", RefundState::NotKnown)
    }

    async fn report(&self, day: Day) -> Outcome<Option<Vec<Settlement>>> {
        let date = day.to_string();
        let query = [("merchant", self.merchant.as_str()), ("date", date.as_str())];
        let request = self.endpoint.request(Method::GET, &["settlements"], &query, JSON);
        let exchanged = self.endpoint.exchange("settlement report", request, FILE_BYTES_MAX).await;
        let outcome = judge(exchanged, |answer| wire::settlements(&answer.body).map(Some));
        answer_for(outcome, "day_open", None)
    }
}

impl Collect for Gateway {
    fn start(&self, collection: Collection) -> BoxFuture<'_, Outcome<Started>> {
        self.start_session(collection).boxed()
    }
}

impl Refund for Gateway {
    fn refund(&self, order: RefundOrder) -> BoxFuture<'_, Outcome<RefundTaken>> {
        self.order_refund(order).boxed()
    }
}

impl Query for Gateway {
    fn order(&self, order: String) -> BoxFuture<'_, Outcome<OrderState>> {
        self.query_order(order).boxed()
    }

    fn refund(&self, refund: String) -> BoxFuture<'_, Outcome<RefundState>> {
        self.query_refund(refund).boxed()
    }
}

impl Settlements for Gateway {
    fn settlements(&self, day: Day) -> BoxFuture<'_, Outcome<Option<Vec<Settlement>>>> {
        self.report(day).boxed()
    }
}

impl Notices for Gateway {
    fn verify(&self, headers: &HeaderMap, body: &[u8]) -> Verdict {
        let mut signatures = headers.get_all(SIGNATURE).iter();
        let signature = match (signatures.next(), signatures.next()) {
            (Some(signature), None) => signature.as_bytes(),
            (None, _) => return Verdict::Refused(Refusal::Unsigned),
            // Two signatures would let a proxy and us look at different ones.
            (Some(_), Some(_)) => return Verdict::Refused(Refusal::WrongSignature),
        };
        if !hmac_sha256_hex(&self.callback_keys, body, signature) {
            return Verdict::Refused(Refusal::WrongSignature);
        }
        match wire::callback(body, &self.merchant) {
            Ok(notice) => Verdict::Authentic(notice),
            Err(refusal) => Verdict::Refused(refusal),
        }
    }
}

/// What the gateway would refuse by its manual is not sent at all.
fn refuse_locally<T>(name: &str, reference: &str, money_is_positive: bool) -> Option<Outcome<T>> {
    if !is_reference(reference) {
        let message = format!("{name} is not 1 to 40 of A-Z a-z 0-9 - _");
        return Some(Outcome::rejected("invalid_reference", message));
    }
    (!money_is_positive).then(|| Outcome::rejected("invalid_amount", "the amount is not positive"))
}
