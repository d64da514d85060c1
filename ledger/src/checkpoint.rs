//! Checkpoints: signed heads of the chain, published where nobody of the house can change them; and proofs that
//! an entry stands under one, which anybody checks offline with the public key alone.

use ring::signature::{ED25519, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

use crate::chain::{self, Facts, GENESIS, Hash, Step};
use crate::entry::Entry;
use crate::{AccountCode, Currency, Day, EntryId, Id, Instant};

/// Where a book stood: what is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    pub book: String,
    pub batch_no: i64,
    pub last_seq: i64,
    #[serde(with = "hex_hash")]
    pub hash: Hash,
    pub published_at: Instant,
}

/// A checkpoint with its Ed25519 signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedCheckpoint {
    pub checkpoint: Checkpoint,
    /// Which key signed, as its owner publishes it.
    pub key_id: String,
    #[serde(with = "hex_bytes")]
    pub signature: Vec<u8>,
}

impl Checkpoint {
    /// The bytes to be signed (chain.rs documents the layout of their parts):
    /// `'C' 'P' 01  text book  i64 batch_no  i64 last_seq  i64 published_at  32 hash`.
    pub fn message(&self) -> Vec<u8> {
        chain::checkpoint_message(
            &self.book,
            [self.batch_no, self.last_seq, self.published_at.micros()],
            &self.hash,
        )
    }
}

impl SignedCheckpoint {
    /// Whether the holder of this Ed25519 key (32 bytes) signed it.
    pub fn is_signed_by(&self, public_key: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, public_key)
            .verify(&self.checkpoint.message(), &self.signature)
            .is_ok()
    }
}

/// An entry as the chain knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProvedEntry {
    pub seq: i64,
    pub recorded_at: Instant,
    /// The entry that this one reverses.
    pub reverses_seq: Option<i64>,
    pub id: EntryId,
    pub effective_on: Day,
    pub kind: String,
    pub actor: String,
    pub source_ref: String,
    /// The JSON text, byte by byte.
    pub meta: String,
    pub lines: Vec<ProvedLine>,
}

/// A line of a proved entry. Debit positive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProvedLine {
    pub account: AccountCode,
    pub currency: Currency,
    pub amount_minor: i64,
}

impl ProvedEntry {
    pub fn new(seq: i64, recorded_at: Instant, reverses_seq: Option<i64>, entry: &Entry) -> Self {
        let lines = entry.lines().iter().map(|line| ProvedLine {
            account: line.account().code.clone(),
            currency: line.account().currency,
            amount_minor: line.signed_minor(),
        });
        Self {
            seq,
            recorded_at,
            reverses_seq,
            id: entry.id(),
            effective_on: entry.effective_on(),
            kind: entry.kind().to_owned(),
            actor: entry.actor().to_owned(),
            source_ref: entry.source_ref().to_owned(),
            meta: entry.meta_json().to_owned(),
            lines: lines.collect(),
        }
    }

    fn leaf(&self, book: &str) -> Hash {
        let facts = Facts {
            id: *self.id.uuid().as_bytes(),
            effective_on: self.effective_on,
            kind: &self.kind,
            actor: &self.actor,
            source_ref: &self.source_ref,
            meta: &self.meta,
            lines: self
                .lines
                .iter()
                .map(|line| (line.account.as_str(), line.currency.code(), line.amount_minor))
                .collect(),
        };
        facts.leaf(book, self.seq, self.recorded_at, self.reverses_seq)
    }
}

/// A batch of the chain, without the hash before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    pub no: i64,
    pub first_seq: i64,
    pub last_seq: i64,
    #[serde(with = "hex_hash")]
    pub root: Hash,
}

/// Everything between an entry and a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    pub entry: ProvedEntry,
    /// From the entry's leaf to the root of its batch.
    pub path: Vec<Step>,
    /// The hash before the entry's batch; zeros for the first.
    #[serde(with = "hex_hash")]
    pub before: Hash,
    /// The entry's batch and those after it, up to the checkpoint's.
    pub links: Vec<Link>,
    pub signed: SignedCheckpoint,
}

/// Why a proof proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotProved {
    #[error("the checkpoint is not signed by this key")]
    Signature,
    #[error("the entry's path does not lead to the root of its batch")]
    Path,
    #[error("the batches do not lead to the checkpoint")]
    Links,
}

impl Proof {
    /// Checks everything from the entry to the signature. What holds then: the holder of the key said at the
    /// time of the checkpoint that this entry stands at this place of the book.
    pub fn verify(&self, public_key: &[u8]) -> Result<(), NotProved> {
        if !self.signed.is_signed_by(public_key) {
            return Err(NotProved::Signature);
        }
        let checkpoint = &self.signed.checkpoint;
        let first = self.links.first().ok_or(NotProved::Links)?;
        let holds_entry = (first.first_seq..=first.last_seq).contains(&self.entry.seq);
        if !holds_entry || !chain::proves(&self.entry.leaf(&checkpoint.book), &self.path, &first.root) {
            return Err(NotProved::Path);
        }
        if first.no == 1 && self.before != GENESIS {
            return Err(NotProved::Links);
        }
        let mut hash = self.before;
        for link in &self.links {
            hash = chain::batch_hash(
                &checkpoint.book,
                link.no,
                link.first_seq,
                link.last_seq,
                &link.root,
                &hash,
            );
        }
        let last = self.links.last().map(|link| (link.no, link.last_seq));
        if hash != checkpoint.hash || last != Some((checkpoint.batch_no, checkpoint.last_seq)) {
            return Err(NotProved::Links);
        }
        Ok(())
    }
}

/// A hash as 64 hexadecimal digits.
pub(crate) mod hex_hash {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::chain::Hash;

    pub(crate) fn serialize<S: Serializer>(hash: &Hash, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(hash))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Hash, D::Error> {
        let mut hash = Hash::default();
        hex::decode_to_slice(String::deserialize(deserializer)?, &mut hash)
            .map_err(serde::de::Error::custom)?;
        Ok(hash)
    }
}

mod hex_bytes {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        hex::decode(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
