//! Keys of the two algorithms. Their bytes never reach a log: `Debug` shows the algorithm alone.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use secrecy::{ExposeSecret as _, SecretSlice};
use sha2::Sha256;

/// RFC 2104 section 3: shorter than the hash weakens the code.
pub const HMAC_SECRET_BYTES_MIN: usize = 32;

/// The bytes cannot be a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAKey {
    #[error("an hmac-sha256 secret has at least 32 bytes, this one has {bytes}")]
    SecretTooShort { bytes: usize },
    #[error("an ed25519 key has 32 bytes")]
    NotEd25519,
}

/// What a signature is checked with. The algorithm belongs to the key, never to the message.
#[derive(Clone)]
pub enum VerifyKey {
    HmacSha256(SecretSlice<u8>),
    Ed25519([u8; 32]),
}

impl VerifyKey {
    pub fn hmac_sha256(secret: impl Into<SecretSlice<u8>>) -> Result<Self, NotAKey> {
        long_enough(secret.into()).map(Self::HmacSha256)
    }

    /// The public key's 32 bytes (RFC 8032).
    pub fn ed25519(public: &[u8]) -> Result<Self, NotAKey> {
        public.try_into().map(Self::Ed25519).map_err(|_| NotAKey::NotEd25519)
    }

    /// Its name in the registry of RFC 9421 section 6.2.
    pub fn algorithm(&self) -> &'static str {
        match self {
            Self::HmacSha256(_) => "hmac-sha256",
            Self::Ed25519(_) => "ed25519",
        }
    }

    /// Compares in constant time.
    pub(super) fn fits(&self, base: &str, signature: &[u8]) -> bool {
        match self {
            Self::HmacSha256(secret) => hmac(secret, base).verify_slice(signature).is_ok(),
            Self::Ed25519(public) => {
                UnparsedPublicKey::new(&ED25519, public).verify(base.as_bytes(), signature).is_ok()
            }
        }
    }
}

/// What a request is signed with.
pub enum SigningKey {
    HmacSha256(SecretSlice<u8>),
    Ed25519(Ed25519KeyPair),
}

impl SigningKey {
    pub fn hmac_sha256(secret: impl Into<SecretSlice<u8>>) -> Result<Self, NotAKey> {
        long_enough(secret.into()).map(Self::HmacSha256)
    }

    /// From the private key's 32 bytes (RFC 8032: the seed).
    pub fn ed25519(seed: &[u8]) -> Result<Self, NotAKey> {
        Ed25519KeyPair::from_seed_unchecked(seed).map(Self::Ed25519).map_err(|_| NotAKey::NotEd25519)
    }

    /// The key that checks what this one signs.
    pub fn verify_key(&self) -> VerifyKey {
        match self {
            Self::HmacSha256(secret) => VerifyKey::HmacSha256(secret.clone()),
            Self::Ed25519(pair) => {
                VerifyKey::ed25519(pair.public_key().as_ref()).expect("an ed25519 public key has 32 bytes")
            }
        }
    }

    pub fn algorithm(&self) -> &'static str {
        match self {
            Self::HmacSha256(_) => "hmac-sha256",
            Self::Ed25519(_) => "ed25519",
        }
    }

    pub(super) fn sign(&self, base: &str) -> Vec<u8> {
        match self {
            Self::HmacSha256(secret) => hmac(secret, base).finalize().into_bytes().to_vec(),
            Self::Ed25519(pair) => pair.sign(base.as_bytes()).as_ref().to_vec(),
        }
    }
}

fn long_enough(secret: SecretSlice<u8>) -> Result<SecretSlice<u8>, NotAKey> {
    let bytes = secret.expose_secret().len();
    if bytes < HMAC_SECRET_BYTES_MIN { Err(NotAKey::SecretTooShort { bytes }) } else { Ok(secret) }
}

fn hmac(secret: &SecretSlice<u8>, base: &str) -> Hmac<Sha256> {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.expose_secret()).expect("HMAC takes keys of any length");
    mac.update(base.as_bytes());
    mac
}

impl fmt::Debug for VerifyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyKey({})", self.algorithm())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.algorithm())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_secrets_and_odd_keys_are_refused() {
        assert_eq!(VerifyKey::hmac_sha256(vec![7; 31]).err(), Some(NotAKey::SecretTooShort { bytes: 31 }));
        assert!(SigningKey::hmac_sha256(vec![7; 32]).is_ok());
        assert_eq!(VerifyKey::ed25519(&[7; 33]).err(), Some(NotAKey::NotEd25519));
        assert_eq!(SigningKey::ed25519(&[7; 31]).err(), Some(NotAKey::NotEd25519));
    }

    #[test]
    fn debug_output_holds_no_key_bytes() {
        let key = SigningKey::hmac_sha256(vec![7; 32]).expect("long enough");
        assert_eq!(
            format!("{key:?} {:?}", key.verify_key()),
            "SigningKey(hmac-sha256) VerifyKey(hmac-sha256)"
        );
    }
}
