//! Journal entries. `Entry::new` is the only way to one, and it refuses what does not balance.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::account::{Account, Side};
use crate::chain::{Facts, Hash};
use crate::{Currency, Day, EntryId, Id, Money};

/// The most lines one entry may have.
pub const LINES_MAX: usize = 2_000;
/// The most bytes the JSON text of an entry's meta may have.
pub const META_BYTES_MAX: usize = 4_096;
const KIND_BYTES_MAX: usize = 40;
const ACTOR_BYTES_MAX: usize = 120;
const SOURCE_BYTES_MAX: usize = 200;
/// The kind of every reversal; no draft may use it.
pub const REVERSAL: &str = "reversal";

/// One side of an entry: an account and the money that moves on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    account: Account,
    side: Side,
    money: Money,
}

impl Line {
    /// `money` must be above zero; [`Entry::new`] refuses the line otherwise.
    pub fn new(account: Account, side: Side, money: Money) -> Self {
        Self { account, side, money }
    }

    pub fn debit(account: Account, money: Money) -> Self {
        Self::new(account, Side::Debit, money)
    }

    pub fn credit(account: Account, money: Money) -> Self {
        Self::new(account, Side::Credit, money)
    }

    pub fn account(&self) -> &Account {
        &self.account
    }

    pub fn side(&self) -> Side {
        self.side
    }

    /// The amount, above zero.
    pub fn money(&self) -> Money {
        self.money
    }

    /// Minor units as the book stores them: debit positive, credit negative.
    pub fn signed_minor(&self) -> i64 {
        match self.side {
            Side::Debit => self.money.minor(),
            Side::Credit => self.money.minor().saturating_neg(),
        }
    }

    fn mirrored(&self) -> Self {
        Self { account: self.account.clone(), side: self.side.opposite(), money: self.money }
    }
}

/// What a caller asks to be entered.
#[derive(Debug, Clone)]
pub struct EntryDraft {
    /// Minted with the business fact and stored before posting: it makes posting repeatable.
    pub id: EntryId,
    /// A stable slug of the business event, as `payment_taken`: `a-z`, `0-9`, `_`; at most 40 bytes.
    pub kind: String,
    /// The accounting date.
    pub effective_on: Day,
    /// Who caused it, as `portal:hukumati`. At most 120 bytes, no control characters.
    pub actor: String,
    /// The business object it is about, as `pi_01936f...`. At most 200 bytes, no control characters.
    pub source_ref: String,
    /// Flat JSON: texts, whole numbers, booleans and null. At most 4,096 bytes as JSON.
    pub meta: Map<String, Value>,
    pub lines: Vec<Line>,
}

/// A balanced journal entry, ready to be posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    id: EntryId,
    kind: String,
    effective_on: Day,
    actor: String,
    source_ref: String,
    meta: String,
    reverses: Option<EntryId>,
    lines: Vec<Line>,
}

/// Why a draft is not an entry. `line` counts from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    #[error("an entry has 2 to {LINES_MAX} lines, not {count}")]
    LineCount { count: usize },
    #[error("line {line} moves {money}: an amount above zero is expected, on the other side if need be")]
    AmountNotPositive { line: usize, money: Money },
    #[error("line {line} moves {money} on an account in {account_currency}")]
    CurrencyMismatch { line: usize, money: Money, account_currency: Currency },
    #[error("debits exceed credits by {excess_minor} minor units of {currency}")]
    Unbalanced { currency: Currency, excess_minor: i128 },
    #[error("the debits in {currency} are more than a book can hold")]
    Overflow { currency: Currency },
    #[error("{0:?} is not a kind: a-z, 0-9 and _, at most 40 bytes, not \"reversal\"")]
    Kind(String),
    #[error("the actor is empty, longer than 120 bytes or has control characters")]
    Actor,
    #[error("the source reference is empty, longer than 200 bytes or has control characters")]
    SourceRef,
    #[error("meta {key:?} is not a text without NUL, a whole number, a boolean or null")]
    MetaValue { key: String },
    #[error("meta has {bytes} bytes, more than {META_BYTES_MAX}")]
    MetaTooLong { bytes: usize },
    #[error("a reversal is not reversed: post the original again")]
    ReversalOfReversal,
}

/// What is said of a reversal besides the entry it reverses.
#[derive(Debug, Clone)]
pub struct ReversalDraft {
    pub id: EntryId,
    pub effective_on: Day,
    pub actor: String,
    pub source_ref: String,
    /// Kept in meta as `reason`.
    pub reason: String,
}

impl Entry {
    pub fn new(draft: EntryDraft) -> Result<Self, EntryError> {
        let EntryDraft { id, kind, effective_on, actor, source_ref, meta, lines } = draft;
        let kind_is_slug = (1..=KIND_BYTES_MAX).contains(&kind.len())
            && kind.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if !kind_is_slug || kind == REVERSAL {
            return Err(EntryError::Kind(kind.chars().take(KIND_BYTES_MAX).collect()));
        }
        let entry =
            Self { id, kind, effective_on, actor, source_ref, meta: meta_text(meta)?, reverses: None, lines };
        entry.check_texts()?;
        entry.check_lines()?;
        Ok(entry)
    }

    /// The mirror of `original`: same accounts and amounts, sides exchanged. Each entry can be reversed once.
    pub fn reverse(original: &Self, draft: ReversalDraft) -> Result<Self, EntryError> {
        if original.reverses.is_some() {
            return Err(EntryError::ReversalOfReversal);
        }
        let ReversalDraft { id, effective_on, actor, source_ref, reason } = draft;
        let meta = Map::from_iter([("reason".to_owned(), Value::String(reason))]);
        let entry = Self {
            id,
            kind: REVERSAL.to_owned(),
            effective_on,
            actor,
            source_ref,
            meta: meta_text(meta)?,
            reverses: Some(original.id),
            lines: original.lines.iter().map(Line::mirrored).collect(),
        };
        entry.check_texts()?;
        Ok(entry)
    }

    pub fn id(&self) -> EntryId {
        self.id
    }

    pub fn kind(&self) -> &str {
        &self.kind
    }

    pub fn effective_on(&self) -> Day {
        self.effective_on
    }

    pub fn actor(&self) -> &str {
        &self.actor
    }

    pub fn source_ref(&self) -> &str {
        &self.source_ref
    }

    /// The JSON object, keys sorted, without spaces: the bytes the hash chain covers.
    pub fn meta_json(&self) -> &str {
        &self.meta
    }

    pub fn reverses(&self) -> Option<EntryId> {
        self.reverses
    }

    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// SHA-256 over everything the caller said. The same id with another hash is a conflict.
    pub fn request_hash(&self) -> Hash {
        self.facts().request_hash(self.reverses)
    }

    pub(crate) fn facts(&self) -> Facts<'_> {
        Facts {
            id: *self.id.uuid().as_bytes(),
            effective_on: self.effective_on,
            kind: &self.kind,
            actor: &self.actor,
            source_ref: &self.source_ref,
            meta: &self.meta,
            lines: self
                .lines
                .iter()
                .map(|line| (line.account.code.as_str(), line.account.currency.code(), line.signed_minor()))
                .collect(),
        }
    }

    /// An entry as the book holds it. The database was asked to keep what the constructors demand.
    #[cfg(feature = "pg")]
    pub(crate) fn recorded(
        draft: EntryDraft,
        meta: String,
        reverses: Option<EntryId>,
    ) -> Result<Self, EntryError> {
        let EntryDraft { id, kind, effective_on, actor, source_ref, meta: _, lines } = draft;
        let entry = Self { id, kind, effective_on, actor, source_ref, meta, reverses, lines };
        entry.check_lines()?;
        Ok(entry)
    }

    fn check_texts(&self) -> Result<(), EntryError> {
        let is_text =
            |text: &str, max: usize| (1..=max).contains(&text.len()) && !text.chars().any(char::is_control);
        if !is_text(&self.actor, ACTOR_BYTES_MAX) {
            return Err(EntryError::Actor);
        }
        if !is_text(&self.source_ref, SOURCE_BYTES_MAX) {
            return Err(EntryError::SourceRef);
        }
        Ok(())
    }

    fn check_lines(&self) -> Result<(), EntryError> {
        if !(2..=LINES_MAX).contains(&self.lines.len()) {
            return Err(EntryError::LineCount { count: self.lines.len() });
        }
        // Sums of at most 2,000 i64 fit i128 by far: saturation is never reached.
        let mut sums: BTreeMap<Currency, (i128, i128)> = BTreeMap::new();
        for (line, no) in self.lines.iter().zip(1..) {
            let money = line.money;
            if !money.is_positive() {
                return Err(EntryError::AmountNotPositive { line: no, money });
            }
            if money.currency() != line.account.currency {
                let account_currency = line.account.currency;
                return Err(EntryError::CurrencyMismatch { line: no, money, account_currency });
            }
            let (debits, credits) = sums.entry(money.currency()).or_default();
            let sum = if line.side == Side::Debit { debits } else { credits };
            *sum = sum.saturating_add(i128::from(money.minor()));
        }
        for (currency, (debits, credits)) in sums {
            if debits != credits {
                return Err(EntryError::Unbalanced {
                    currency,
                    excess_minor: debits.saturating_sub(credits),
                });
            }
            if i64::try_from(debits).is_err() {
                return Err(EntryError::Overflow { currency });
            }
        }
        Ok(())
    }
}

/// Canonical text of a flat map: sorted keys whatever the features of `serde_json`, no fractions, no NUL.
fn meta_text(meta: Map<String, Value>) -> Result<String, EntryError> {
    let sorted: BTreeMap<String, Value> = meta.into_iter().collect();
    for (key, value) in &sorted {
        let plain = match value {
            Value::String(text) => !text.contains('\0'),
            Value::Number(number) => !number.is_f64(),
            Value::Bool(_) | Value::Null => true,
            Value::Array(_) | Value::Object(_) => false,
        };
        if !plain || key.contains('\0') {
            return Err(EntryError::MetaValue { key: key.clone() });
        }
    }
    let text = serde_json::to_string(&sorted).map_err(|_| EntryError::MetaValue { key: String::new() })?;
    if text.len() > META_BYTES_MAX {
        return Err(EntryError::MetaTooLong { bytes: text.len() });
    }
    Ok(text)
}
