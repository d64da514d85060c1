//! Standard Webhooks v1: HMAC-SHA256 over `id.timestamp.body`, so that a portal can tell our events from anyone
//! else's with a library it already has (<https://www.standardwebhooks.com>).
//!
//! During rotation an endpoint has two secrets and every delivery carries one signature per secret; the receiver
//! changes over when it likes. The id stays the same over all tries of one delivery, the timestamp does not.

use std::fmt;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use mizan_ledger::Instant;
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use sha2::Sha256;

use crate::entropy::Entropy;

pub const WEBHOOK_ID: HeaderName = HeaderName::from_static("webhook-id");
pub const WEBHOOK_TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
pub const WEBHOOK_SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// Length of the secrets that Mizan makes; the standard takes 24 to 64 bytes.
pub const SECRET_BYTES: usize = 32;

const PREFIX: &str = "whsec_";

/// What one endpoint shares with us. `Debug` does not show it.
#[derive(Clone)]
pub struct WebhookSecret(SecretSlice<u8>);

/// The text or bytes cannot be a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a webhook secret is whsec_ and 24 to 64 bytes in base64")]
pub struct NotASecret;

impl WebhookSecret {
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, NotASecret> {
        if !(24..=64).contains(&bytes.len()) {
            return Err(NotASecret);
        }
        Ok(Self(SecretSlice::from(bytes)))
    }

    pub fn generate(entropy: &Entropy) -> Self {
        let bytes = entropy.bytes::<SECRET_BYTES>();
        Self::from_bytes(bytes.to_vec()).expect("the length is one the standard takes")
    }

    /// For sealing.
    pub fn expose(&self) -> &[u8] {
        self.0.expose_secret()
    }

    /// Reads `whsec_...`.
    pub fn parse(text: &str) -> Result<Self, NotASecret> {
        let encoded = text.strip_prefix(PREFIX).ok_or(NotASecret)?;
        Self::from_bytes(STANDARD.decode(encoded).map_err(|_| NotASecret)?)
    }

    /// `whsec_...`: shown to the portal once, when it is made.
    pub fn reveal(&self) -> SecretString {
        format!("{PREFIX}{}", STANDARD.encode(self.0.expose_secret())).into()
    }

    /// `v1,...` over one message.
    fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.0.expose_secret()).expect("HMAC takes keys of any length");
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret")
    }
}

/// The three headers of a delivery, with one signature per secret, newest first.
///
/// # Panics
/// When `id` is no header value; ids of events are hexadecimal with a prefix.
pub fn sign(id: &str, now: Instant, body: &[u8], secrets: &[WebhookSecret]) -> HeaderMap {
    let timestamp = now.seconds();
    let signatures: Vec<String> = secrets.iter().map(|secret| secret.sign(id, timestamp, body)).collect();
    let text = |text: String| HeaderValue::try_from(text).expect("ids and base64 are header values");
    HeaderMap::from_iter([
        (WEBHOOK_ID, text(id.to_owned())),
        (WEBHOOK_TIMESTAMP, HeaderValue::from(timestamp)),
        (WEBHOOK_SIGNATURE, text(signatures.join(" "))),
    ])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use mizan_ledger::{Clock as _, SystemClock};
    use serde_json::{Value, json};

    use super::*;
    use crate::judges::Judge;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const BODY: &[u8] = b"{\"test\": 2432232314}";

    fn at(seconds: i64) -> Instant {
        Instant::from_micros(seconds * 1_000_000).expect("in range")
    }

    /// The vector of the standard's own test suites.
    #[test]
    fn the_standards_example_is_signed_alike() {
        let secret = WebhookSecret::parse(SECRET).expect("a secret");
        let headers = sign(ID, at(1_614_265_330), BODY, &[secret]);
        assert_eq!(headers[WEBHOOK_ID], ID);
        assert_eq!(headers[WEBHOOK_TIMESTAMP], "1614265330");
        assert_eq!(headers[WEBHOOK_SIGNATURE], "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn during_rotation_both_secrets_sign() {
        let old = WebhookSecret::parse(SECRET).expect("a secret");
        let new = WebhookSecret::from_bytes(vec![7; SECRET_BYTES]).expect("a secret");
        let of = |secrets: &[WebhookSecret]| {
            sign(ID, at(1_614_265_330), BODY, secrets)[WEBHOOK_SIGNATURE].to_str().expect("ASCII").to_owned()
        };
        let both = of(&[new.clone(), old.clone()]);
        assert_eq!(both, format!("{} {}", of(&[new]), of(&[old])));
    }

    #[tokio::test]
    async fn the_standards_own_library_accepts_both_secrets_and_no_other() {
        let old = WebhookSecret::parse(SECRET).expect("a secret");
        let new = WebhookSecret::from_bytes(vec![7; SECRET_BYTES]).expect("a secret");
        let stranger = WebhookSecret::from_bytes(vec![8; SECRET_BYTES]).expect("a secret");
        let body = "{\"amount\": \"12.500\", \"name\": \"رسوم\"}";
        let headers = sign(ID, SystemClock.now(), body.as_bytes(), &[new.clone(), old.clone()]);
        let headers: BTreeMap<&str, &str> =
            headers.iter().map(|(name, value)| (name.as_str(), value.to_str().expect("ASCII"))).collect();
        let deliveries: Vec<Value> = [old, new, stranger]
            .iter()
            .map(
                |secret| json!({"secret": secret.reveal().expose_secret(), "headers": headers, "body": body}),
            )
            .collect();
        let judge = Judge::Python { script: "receive_webhook.py", package: "standardwebhooks" };
        if let Some(accepted) = judge.ask(&Value::from(deliveries)).await {
            assert_eq!(accepted, json!([true, true, false]));
        }
    }

    #[test]
    fn id_time_and_body_are_all_signed() {
        let secrets = [WebhookSecret::parse(SECRET).expect("a secret")];
        let signature =
            |id, seconds, body: &[u8]| sign(id, at(seconds), body, &secrets)[WEBHOOK_SIGNATURE].clone();
        let whole = signature("a", 1, b"b");
        assert_ne!(whole, signature("c", 1, b"b"));
        assert_ne!(whole, signature("a", 2, b"b"));
        assert_ne!(whole, signature("a", 1, b"c"));
    }

    #[test]
    fn a_secret_survives_text_and_hides_in_logs() {
        let secret = WebhookSecret::parse(SECRET).expect("a secret");
        assert_eq!(secret.reveal().expose_secret(), SECRET);
        assert_eq!(format!("{secret:?}"), "WebhookSecret");
        for text in [
            "",
            "whsec_",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_AAAA",
            "whsec_!fKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        ] {
            assert_eq!(WebhookSecret::parse(text).err(), Some(NotASecret), "{text}");
        }
        assert!(WebhookSecret::from_bytes(vec![0; 65]).is_err());
    }
}
