//! Callbacks: what the gateway tells a merchant, signed, and sent again until it is taken.

use std::sync::Arc;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use reqwest::header::CONTENT_TYPE;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::amount::Amount;
use super::faults::CallbackFault;
use super::gateway::{End, Order, Reason};
use super::refunds::{Refund, RefundStatus};
use super::world::{Shared, World};

/// A callback is tried this often before it is given up.
const TRIES: u32 = 10;

/// How long a merchant may take to answer one try.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// The body of a callback, in the order of the manual.
#[derive(Clone, Debug, Serialize)]
pub struct Event {
    event: &'static str,
    merchant: String,
    order: String,
    session: String,
    transaction: String,
    status: &'static str,
    #[serde(flatten)]
    amount: Amount,
    reason: Option<Word>,
    original_transaction: Option<String>,
    created_at: Timestamp,
}

#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
enum Word {
    Declined(Reason),
    Failed(&'static str),
}

impl Event {
    /// What has become of an order.
    pub fn of_payment(merchant: &str, order: &Order, now: Timestamp) -> Self {
        let (event, status) = match &order.end {
            Some(End::Captured { reversed: true, .. }) => ("payment.reversed", "REVERSED"),
            Some(End::Captured { .. }) => ("payment.captured", "CAPTURED"),
            _ => ("payment.declined", "DECLINED"),
        };
        let transaction = order.transaction().unwrap_or_default().to_owned();
        let reason = order.reason().map(Word::Declined);
        Self { reason, ..Self::new(event, status, merchant, order, transaction, order.amount, now) }
    }

    pub fn of_refund(merchant: &str, order: &Order, refund: &Refund, now: Timestamp) -> Self {
        let settled = refund.status == RefundStatus::Refunded;
        let (event, status) =
            if settled { ("refund.settled", "REFUNDED") } else { ("refund.failed", "FAILED") };
        Self {
            order: refund.refund.clone(),
            reason: refund.reason().map(Word::Failed),
            original_transaction: Some(refund.original.clone()),
            ..Self::new(event, status, merchant, order, refund.transaction.clone(), refund.amount, now)
        }
    }

    fn new(
        event: &'static str,
        status: &'static str,
        merchant: &str,
        order: &Order,
        transaction: String,
        amount: Amount,
        now: Timestamp,
    ) -> Self {
        Self {
            event,
            merchant: merchant.to_owned(),
            order: order.order.clone(),
            session: order.session.clone(),
            transaction,
            status,
            amount,
            reason: None,
            original_transaction: None,
            created_at: now,
        }
    }

    /// The same event with one unit more: the fault `altered`.
    fn altered(&self) -> Self {
        let one = Amount { minor: self.amount.currency.unit(), ..self.amount };
        Self { amount: self.amount.plus(one), ..self.clone() }
    }
}

/// A callback to send, with the fault it suffers.
#[derive(Debug)]
pub struct Dispatch {
    pub url: String,
    pub event: Event,
    pub fault: CallbackFault,
    pub delay_ms: u64,
}

/// One try of a callback, as remembered.
#[derive(Debug, Serialize, Deserialize)]
pub struct Delivery {
    pub delivery: String,
    pub event: String,
    pub order: String,
    pub transaction: String,
    pub attempt: u32,
    /// The HTTP status answered; none when nobody answered.
    pub answered: Option<u16>,
}

/// One body to be delivered until it is taken.
#[derive(Debug)]
struct Parcel {
    url: String,
    event: Event,
    signature_is_wrong: bool,
}

/// Sends callbacks, each in a task of its own, until the sandbox stops.
pub async fn courier(
    shared: Arc<Shared>,
    client: reqwest::Client,
    mut queue: mpsc::UnboundedReceiver<Dispatch>,
) {
    let mut tasks = JoinSet::new();
    let mut held: Option<Dispatch> = None;
    loop {
        let dispatch = tokio::select! {
            dispatch = queue.recv() => dispatch,
            Some(_) = tasks.join_next() => continue,
            () = shared.stopped() => None,
        };
        let Some(dispatch) = dispatch else { return };
        match dispatch.fault {
            CallbackFault::Lost => continue,
            CallbackFault::Reorder if held.is_none() => held = Some(dispatch),
            _ => {
                let (shared, client, before) = (Arc::clone(&shared), client.clone(), held.take());
                tasks.spawn(async move { deliver(&shared, &client, dispatch, before).await });
            }
        }
    }
}

/// Makes the first try of each parcel in order (the one held back last), then goes on with what was not taken.
async fn deliver(shared: &Shared, client: &reqwest::Client, dispatch: Dispatch, held: Option<Dispatch>) {
    tokio::time::sleep(Duration::from_millis(dispatch.delay_ms)).await;
    let mut left = Vec::new();
    for parcel in parcels(dispatch).into_iter().chain(held.map(held_parcel)) {
        if !attempt(shared, client, &parcel, 1).await {
            left.push(parcel);
        }
    }
    let mut wait = Duration::from_millis(shared.config.callback_retry_ms);
    for number in 2..=TRIES {
        if left.is_empty() {
            return;
        }
        tokio::time::sleep(wait).await;
        wait = wait.saturating_mul(2);
        let mut refused = Vec::new();
        for parcel in left {
            if !attempt(shared, client, &parcel, number).await {
                refused.push(parcel);
            }
        }
        left = refused;
    }
}

fn parcels(dispatch: Dispatch) -> Vec<Parcel> {
    let Dispatch { url, event, fault, .. } = dispatch;
    let parcel = |event: Event| Parcel {
        url: url.clone(),
        event,
        signature_is_wrong: fault == CallbackFault::WrongSignature,
    };
    match fault {
        CallbackFault::Duplicate => vec![parcel(event.clone()), parcel(event)],
        CallbackFault::Altered => vec![parcel(event.clone()), parcel(event.altered())],
        _ => vec![parcel(event)],
    }
}

fn held_parcel(dispatch: Dispatch) -> Parcel {
    Parcel { url: dispatch.url, event: dispatch.event, signature_is_wrong: false }
}

/// One try; true when it was answered with 200-299.
async fn attempt(shared: &Shared, client: &reqwest::Client, parcel: &Parcel, number: u32) -> bool {
    let body = serde_json::to_vec(&parcel.event).expect("an event is plain JSON");
    let Some(merchant) = shared.config.merchant(&parcel.event.merchant) else { return true };
    let mut signature = sign(&merchant.callback_key, &body);
    if parcel.signature_is_wrong {
        signature = signature.chars().rev().collect();
    }
    let delivery = shared.with(World::next_delivery);
    let request = client.post(&parcel.url).header(CONTENT_TYPE, "application/json");
    let request = request.header("X-Gateway-Signature", signature).header("X-Gateway-Delivery", &delivery);
    let answer = request.body(body).send().await;
    let answered = answer.ok().map(|answer| answer.status().as_u16());
    let taken = answered.is_some_and(|status| (200..300).contains(&status));
    tracing::debug!(order = parcel.event.order, attempt = number, answered, "sandbox callback");
    shared.with(|world| {
        world.remember(Delivery {
            delivery,
            event: parcel.event.event.to_owned(),
            order: parcel.event.order.clone(),
            transaction: parcel.event.transaction.clone(),
            attempt: number,
            answered,
        });
    });
    taken
}

/// Lower-case hex HMAC-SHA256 over the raw body.
fn sign(key: &SecretString, body: &[u8]) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(key.expose_secret().as_bytes());
    let mut mac = mac.expect("HMAC takes keys of every length");
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

/// The client that carries callbacks: plain HTTP, no redirects, ten seconds.
pub fn client() -> Result<reqwest::Client, reqwest::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let tls = tls.expect("the provider has the default versions");
    // Callback addresses are http; the client still wants a TLS configuration, so it gets one that trusts nobody.
    let tls = tls.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(ANSWER_TIMEOUT)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_rfc_4231() {
        let key = SecretString::from("Jefe");
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(sign(&key, b"what do ya want for nothing?"), expected);
    }
}
