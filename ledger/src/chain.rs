//! The hash chain: what makes a change of the past visible.
//!
//! Every entry has a leaf, every batch of entries a Merkle root over their leaves, and every batch a hash over
//! its root and the hash before. All hashes are SHA-256. Numbers are big-endian; a text is its length in
//! bytes as u16, then UTF-8; a day is i32 days and an instant i64 microseconds since 1970-01-01 (UTC).
//!
//! ```text
//! leaf  = H(00 'E' 01  text book  i64 seq  i64 recorded_at  i64 reverses (0: none)  16 bytes id
//!           i32 effective_on  text kind  text actor  text source_ref  text meta
//!           u16 lines  { text account  text currency  i64 amount (debit +, credit -) } ...)
//! event = H(00 'V' 01  text book  i64 batch no  i64 recorded_at  text kind  text actor  text body)
//! node  = H(01 left right)                      RFC 6962, section 2.1
//! batch = H('B' 'A' 01  text book  i64 no  i64 first_seq  i64 last_seq  32 root  32 previous batch or zeros)
//! ```
//!
//! An event (a limit, an account, a period changed) is a batch of its own: no entries, its leaf is the root.
//! The byte after a letter is the version of the layout. A leaf holds what was said, not what follows from it:
//! running balances are derived again by whoever verifies.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::checkpoint::hex_hash;
use crate::entry::Entry;
use crate::{Day, EntryId, Id, Instant};

/// A SHA-256 digest.
pub type Hash = [u8; 32];

/// The hash before the first batch.
pub const GENESIS: Hash = [0; 32];

const VERSION: u8 = 1;

/// Collects the bytes of one hash in the layout above.
#[derive(Debug)]
struct Writer(Vec<u8>);

impl Writer {
    fn after(prefix: &[u8], letter: u8) -> Self {
        let mut bytes = Vec::with_capacity(512);
        bytes.extend_from_slice(prefix);
        bytes.extend_from_slice(&[letter, VERSION]);
        Self(bytes)
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn number(&mut self, number: i64) {
        self.bytes(&number.to_be_bytes());
    }

    /// At most 65,535, as every bound of this crate is.
    fn count(&mut self, count: usize) {
        self.bytes(&u16::try_from(count).unwrap_or(u16::MAX).to_be_bytes());
    }

    fn text(&mut self, text: &str) {
        self.count(text.len());
        self.bytes(text.as_bytes());
    }

    fn day(&mut self, day: Day) {
        self.bytes(&day.days_since(Day::EPOCH).to_be_bytes());
    }

    fn hash(&self) -> Hash {
        Sha256::digest(&self.0).into()
    }
}

/// What an entry says, as it is hashed. A verifier fills it from rows it does not trust yet.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) id: [u8; 16],
    pub(crate) effective_on: Day,
    pub(crate) kind: &'a str,
    pub(crate) actor: &'a str,
    pub(crate) source_ref: &'a str,
    pub(crate) meta: &'a str,
    /// Account, currency, amount (debit positive).
    pub(crate) lines: Vec<(&'a str, &'a str, i64)>,
}

impl Facts<'_> {
    fn write(&self, writer: &mut Writer) {
        writer.bytes(&self.id);
        writer.day(self.effective_on);
        for text in [self.kind, self.actor, self.source_ref, self.meta] {
            writer.text(text);
        }
        writer.count(self.lines.len());
        for (account, currency, amount_minor) in &self.lines {
            writer.text(account);
            writer.text(currency);
            writer.number(*amount_minor);
        }
    }

    /// The leaf at a place in the book.
    pub(crate) fn leaf(&self, book: &str, seq: i64, recorded_at: Instant, reverses_seq: Option<i64>) -> Hash {
        let mut writer = Writer::after(&[0], b'E');
        writer.text(book);
        writer.number(seq);
        writer.number(recorded_at.micros());
        writer.number(reverses_seq.unwrap_or(0));
        self.write(&mut writer);
        writer.hash()
    }

    /// What the caller said, without the place it got.
    pub(crate) fn request_hash(&self, reverses: Option<EntryId>) -> Hash {
        let mut writer = Writer::after(&[], b'R');
        writer.bytes(&reverses.map_or([0; 16], |original| *original.uuid().as_bytes()));
        self.write(&mut writer);
        writer.hash()
    }
}

/// The leaf of an entry at its place in the book.
pub fn leaf(book: &str, seq: i64, recorded_at: Instant, reverses_seq: Option<i64>, entry: &Entry) -> Hash {
    entry.facts().leaf(book, seq, recorded_at, reverses_seq)
}

/// The leaf of an event of the book: the root of its batch.
pub fn event_leaf(
    book: &str,
    batch_no: i64,
    recorded_at: Instant,
    kind: &str,
    actor: &str,
    body: &str,
) -> Hash {
    let mut writer = Writer::after(&[0], b'V');
    writer.text(book);
    writer.number(batch_no);
    writer.number(recorded_at.micros());
    for text in [kind, actor, body] {
        writer.text(text);
    }
    writer.hash()
}

/// The hash of a batch: `first_seq` to `last_seq` with their Merkle root, after the batch before.
pub fn batch_hash(book: &str, no: i64, first_seq: i64, last_seq: i64, root: &Hash, previous: &Hash) -> Hash {
    let mut writer = Writer::after(b"B", b'A');
    writer.text(book);
    for number in [no, first_seq, last_seq] {
        writer.number(number);
    }
    writer.bytes(root);
    writer.bytes(previous);
    writer.hash()
}

/// What a checkpoint signs; see [`crate::checkpoint`].
pub(crate) fn checkpoint_message(book: &str, numbers: [i64; 3], hash: &Hash) -> Vec<u8> {
    let mut writer = Writer::after(b"C", b'P');
    writer.text(book);
    for number in numbers {
        writer.number(number);
    }
    writer.bytes(hash);
    writer.0
}

fn node(left: &Hash, right: &Hash) -> Hash {
    let mut digest = Sha256::new();
    digest.update([1]);
    digest.update(left);
    digest.update(right);
    digest.finalize().into()
}

fn level_above(level: &[Hash]) -> Vec<Hash> {
    level
        .chunks(2)
        .map(|pair| match pair {
            [left, right] => node(left, right),
            // RFC 6962 splits at the largest power of two: a lone last node moves up as it is.
            [lone] => *lone,
            _ => GENESIS,
        })
        .collect()
}

/// The Merkle root over the leaves of a batch (RFC 6962). `None` without leaves.
pub fn root(leaves: &[Hash]) -> Option<Hash> {
    let mut level = leaves.to_vec();
    while level.len() > 1 {
        level = level_above(&level);
    }
    level.first().copied()
}

/// One step from a leaf toward the root: the neighbour, and on which side it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    Left(#[serde(with = "hex_hash")] Hash),
    Right(#[serde(with = "hex_hash")] Hash),
}

/// The path that proves that the leaf at `index` is under the root. `None` when there is no such leaf.
pub fn inclusion_proof(leaves: &[Hash], index: usize) -> Option<Vec<Step>> {
    leaves.get(index)?;
    let (mut level, mut index, mut path) = (leaves.to_vec(), index, Vec::new());
    while level.len() > 1 {
        let neighbour = index ^ 1;
        if let Some(hash) = level.get(neighbour) {
            path.push(if neighbour < index { Step::Left(*hash) } else { Step::Right(*hash) });
        }
        level = level_above(&level);
        index >>= 1;
    }
    Some(path)
}

/// Whether `path` leads from `leaf` to `root`.
pub fn proves(leaf: &Hash, path: &[Step], root: &Hash) -> bool {
    let end = path.iter().fold(*leaf, |hash, step| match step {
        Step::Left(left) => node(left, &hash),
        Step::Right(right) => node(&hash, right),
    });
    end == *root
}
