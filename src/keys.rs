//! The hub's own keys: the Ed25519 pair that signs quotes and receipts, and the master key that seals the shared
//! secrets of portals and webhooks at rest (AES-256-GCM). Files of mode 0600 under `<data_dir>/keys`.

use std::fmt;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::signature::{Ed25519KeyPair, KeyPair};
use sha2::{Digest, Sha256};

use crate::entropy::Entropy;
use crate::fault::Fault;

pub struct HubKeys {
    signing: Ed25519KeyPair,
    key_id: String,
    master: LessSafeKey,
}

impl HubKeys {
    /// From 32 bytes each: the Ed25519 seed and the master key.
    ///
    /// # Errors
    /// When the cryptographic library refuses a key.
    pub fn new(seed: &[u8; 32], master: &[u8; 32]) -> Result<Self, Fault> {
        let signing =
            Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| Fault::Crypto("signing key refused"))?;
        let master =
            UnboundKey::new(&AES_256_GCM, master).map_err(|_| Fault::Crypto("master key refused"))?;
        let digest = Sha256::digest(signing.public_key().as_ref());
        let key_id = format!("mizan-{}", hex::encode(&digest[..6]));
        Ok(Self { signing, key_id, master: LessSafeKey::new(master) })
    }

    /// Reads the keys of a data directory; the first start makes them.
    ///
    /// # Errors
    /// Files that cannot be read or written, or that are not 32 bytes long; a folder of another owner.
    pub fn open(data_dir: &Path, entropy: &Entropy) -> Result<Self, Fault> {
        crate::localpg::own(data_dir).map_err(|error| Fault::Other(error.to_string()))?;
        let folder = data_dir.join("keys");
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(|error| Fault::Other(format!("cannot make {}: {error}", folder.display())))?;
        let read = |name: &str| read_or_make(&folder.join(name), entropy);
        Self::new(&read("signing.key")?, &read("master.key")?)
    }

    /// The id under which the public half stands at `/.well-known/mizan-keys.json`.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    pub fn public_key(&self) -> &[u8] {
        self.signing.public_key().as_ref()
    }

    /// The public half as a JSON Web Key (RFC 8037).
    pub fn jwk(&self) -> serde_json::Value {
        serde_json::json!({
            "kty": "OKP", "crv": "Ed25519", "use": "sig", "kid": self.key_id,
            "x": URL_SAFE_NO_PAD.encode(self.public_key()),
        })
    }

    /// Ed25519 (RFC 8032) over the bytes.
    pub fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        self.signing.sign(bytes).as_ref().to_vec()
    }

    /// Encrypts a shared secret for the database: nonce, then ciphertext with its tag.
    ///
    /// # Errors
    /// When the cipher fails, which it does not for short secrets.
    pub fn seal(&self, entropy: &Entropy, secret: &[u8]) -> Result<Vec<u8>, Fault> {
        let nonce = entropy.bytes::<NONCE_LEN>();
        let mut sealed = secret.to_vec();
        self.master
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut sealed)
            .map_err(|_| Fault::Crypto("a secret could not be sealed"))?;
        Ok([&nonce[..], &sealed].concat())
    }

    /// The secret again.
    ///
    /// # Errors
    /// When the bytes were not sealed with this master key.
    pub fn unseal(&self, sealed: &[u8]) -> Result<Vec<u8>, Fault> {
        let refuse = || Fault::Crypto("a sealed secret does not open: wrong master key");
        let (nonce, ciphertext) = sealed.split_at_checked(NONCE_LEN).ok_or_else(refuse)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| refuse())?;
        let mut bytes = ciphertext.to_vec();
        let secret = self.master.open_in_place(nonce, Aad::empty(), &mut bytes).map_err(|_| refuse())?;
        Ok(secret.to_vec())
    }
}

fn read_or_make(path: &Path, entropy: &Entropy) -> Result<[u8; 32], Fault> {
    let cannot = |what: &str, error: &dyn fmt::Display| {
        Fault::Other(format!("cannot {what} {}: {error}", path.display()))
    };
    if !path.exists() {
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(|error| cannot("make", &error))?;
        file.write_all(&entropy.bytes::<32>()).map_err(|error| cannot("write", &error))?;
        file.sync_all().map_err(|error| cannot("write", &error))?;
    }
    let bytes = fs::read(path).map_err(|error| cannot("read", &error))?;
    bytes.try_into().map_err(|_| cannot("use", &"a key file has 32 bytes"))
}

impl fmt::Debug for HubKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HubKeys({})", self.key_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_secret_opens_only_with_its_master_key() {
        let entropy = Entropy::seeded(1);
        let keys = HubKeys::new(&[1; 32], &[2; 32]).unwrap();
        let sealed = keys.seal(&entropy, b"secret").unwrap();
        assert_eq!(keys.unseal(&sealed).unwrap(), b"secret");
        assert!(HubKeys::new(&[1; 32], &[3; 32]).unwrap().unseal(&sealed).is_err());
        assert!(keys.unseal(&sealed[..5]).is_err());
    }

    #[test]
    fn the_first_start_makes_keys_and_the_next_reads_them() {
        let folder = tempfile::tempdir().unwrap();
        let first = HubKeys::open(folder.path(), &Entropy::system()).unwrap();
        let second = HubKeys::open(folder.path(), &Entropy::system()).unwrap();
        assert_eq!(first.key_id(), second.key_id());
    }
}
