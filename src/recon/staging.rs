//! From the reader's lines to ours: which booked movements a statement holds, and under which key each money is known.

use std::collections::HashSet;

use mizan_adapters::statement::{
    self, Event, Evidence, Limits, LineStatus, Party, Problem, Refused, StatementLine, Transaction,
};
use mizan_ledger::{Day, Money};
use sha2::{Digest, Sha256};

use super::matching::own_reference;
use super::model::{FileSource, ReconError, Summary};
use crate::config::account_number;
use crate::fault::Fault;

/// The longest text and evidence kept of a line; the file itself is kept whole.
const TEXT_CHARS_MAX: usize = 4_000;
/// Problems kept beside a file; `mizan statement check` tells all.
const PROBLEMS_MAX: usize = 200;

/// A file that was read through once: every statement is known before the first row is written.
#[derive(Debug, Clone)]
pub struct NewFile {
    pub name: String,
    pub source: FileSource,
    pub bytes: Vec<u8>,
    pub sha256: [u8; 32],
    pub format: String,
    pub encoding: String,
    pub statements: Vec<Summary>,
    pub problems: Vec<Problem>,
}

impl NewFile {
    /// The same beside everything else that the hub does: a large file is read for seconds.
    ///
    /// # Errors
    /// As [`NewFile::read`].
    pub async fn read_aside(name: String, source: FileSource, bytes: Vec<u8>) -> Result<Self, ReconError> {
        let read = tokio::task::spawn_blocking(move || Self::read(name, source, bytes)).await;
        Ok(read.map_err(|error| Fault::Other(error.to_string()))??)
    }

    /// Reads a file through, in constant memory beside its bytes.
    ///
    /// # Errors
    /// When it is no statement file, or breaks off: nothing of it may be used.
    pub fn read(name: String, source: FileSource, bytes: Vec<u8>) -> Result<Self, Refused> {
        let mut reader = statement::open(bytes.as_slice(), Limits::default())?;
        let (mut statements, mut problems) = (Vec::new(), Vec::new());
        let mut open: Option<Stage> = None;
        let (mut content, mut doubt) = (Sha256::new(), None);
        for event in reader.by_ref() {
            match event? {
                Event::Opened(head) => {
                    open = Some(Stage::new(&head));
                    (content, doubt) = (Sha256::new(), None);
                }
                Event::Line(line) => {
                    let staged = open.as_mut().map(|stage| stage.stage(&line, &bytes)).unwrap_or_default();
                    staged.iter().for_each(|line| line.feed(&mut content));
                }
                Event::Problem(problem) => {
                    if problem.touches_money && doubt.is_none() {
                        doubt = Some(format!("{}: {}", problem.place, problem.what));
                    }
                    if problems.len() < PROBLEMS_MAX {
                        problems.push(problem);
                    }
                }
                Event::Closed(closed) => {
                    let lines = open.take().map_or(0, |stage| stage.ordinal);
                    let hash = std::mem::replace(&mut content, Sha256::new());
                    statements.push(summary(&closed, lines, hash, doubt.take()));
                }
            }
        }
        let (format, encoding) = (reader.format(), reader.encoding().to_owned());
        let sha256 = Sha256::digest(&bytes).into();
        Ok(Self { name, source, bytes, sha256, format, encoding, statements, problems })
    }
}

fn summary(closed: &statement::Statement, lines: u64, mut hash: Sha256, doubt: Option<String>) -> Summary {
    let (opening, closing) = (closed.opening(), closed.closing());
    for balance in [opening, closing].into_iter().flatten() {
        hash.update(format!("\n{}", balance.amount));
    }
    Summary {
        kind: closed.kind,
        number: account_number(closed.account.as_deref().unwrap_or_default()),
        currency: closed.currency,
        reference: reference(closed),
        sequence: closed.sequence.and_then(|number| i64::try_from(number).ok()),
        period_on: period(closed),
        opening: opening.map(|balance| balance.amount),
        closing: closing.map(|balance| balance.amount),
        closes: closed.closes(),
        difference: closed.difference(),
        lines,
        content: hash.finalize().into(),
        doubt,
    }
}

/// The bank's own name for the statement. MT940 says the same `:20:` every day; its number and page tell days apart.
fn reference(head: &statement::Statement) -> String {
    let name = head.id.as_deref().or(head.message_id.as_deref()).unwrap_or("-");
    let sequence = head.sequence.map(|number| format!("/{number}")).unwrap_or_default();
    let page = head.page.map(|page| format!("/{}", page.number)).unwrap_or_default();
    format!("{name}{sequence}{page}")
}

/// The day whose end the statement shows.
fn period(closed: &statement::Statement) -> Option<Day> {
    let stamp = |stamp: &Option<statement::Stamp>| stamp.as_ref().and_then(|stamp| stamp.day);
    let balance = closed.closing().and_then(|balance| balance.day);
    balance.or(stamp(&closed.period_to)).or(stamp(&closed.created))
}

/// One booked movement, ready to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLine {
    /// From 1, counting what is stored.
    pub ordinal: i64,
    pub money: Money,
    pub booked_on: Option<Day>,
    pub value_on: Option<Day>,
    pub bank_reference: Option<String>,
    /// Of money that left our own reference wherever it stands; else what its field holds.
    pub end_to_end: Option<String>,
    pub creditor_reference: Option<String>,
    pub payer: Option<String>,
    /// Every text a reference may stand in, one a line.
    pub text: String,
    pub raw: String,
    pub reversal: bool,
    /// What follows `bank:<account>:` in its money key.
    pub key: String,
}

impl NewLine {
    fn feed(&self, hash: &mut Sha256) {
        hash.update(format!("\n{} {} {:?} {}", self.ordinal, self.money, self.booked_on, self.key));
    }
}

/// The lines of one statement in the making.
#[derive(Debug)]
pub struct Stage {
    /// Tells this statement apart from the others of its account, known before its first line.
    name: String,
    references: HashSet<String>,
    ordinal: u64,
}

impl Stage {
    pub fn new(head: &statement::Statement) -> Self {
        let day = head.balances.iter().find_map(|balance| balance.day);
        let day = day.map(|day| format!("@{day}")).unwrap_or_default();
        Self { name: format!("{}{day}", reference(head)), references: HashSet::new(), ordinal: 0 }
    }

    /// What a line of the file brings: nothing unless it is booked; its parts when it books several payments at once
    /// and they add up to it.
    pub fn stage(&mut self, line: &StatementLine, file: &[u8]) -> Vec<NewLine> {
        if line.status != LineStatus::Booked {
            return Vec::new();
        }
        let parts: Vec<(Money, &Transaction)> =
            line.details.iter().filter_map(|part| Some((part.amount?, part))).collect();
        let currency = line.amount.currency();
        let adds_up = parts.len() == line.details.len()
            && parts.len() > 1
            && Money::sum(currency, parts.iter().map(|(money, _)| *money)) == Ok(line.amount);
        if adds_up {
            parts.into_iter().filter_map(|(money, part)| self.one(line, money, part, true, file)).collect()
        } else {
            self.one(line, line.amount, &line.transaction, false, file).into_iter().collect()
        }
    }

    fn one(
        &mut self,
        line: &StatementLine,
        money: Money,
        transaction: &Transaction,
        is_part: bool,
        file: &[u8],
    ) -> Option<NewLine> {
        if money.is_zero() {
            return None;
        }
        self.ordinal += 1;
        let references = &transaction.references;
        let bank_reference = if is_part {
            references.bank.clone()
        } else {
            line.bank_reference.clone().or_else(|| references.bank.clone())
        };
        let key = bank_reference
            .clone()
            .filter(|reference| self.references.insert(reference.clone()))
            .unwrap_or_else(|| format!("{}:{}", self.name, self.ordinal));
        let texts: Vec<&str> = if is_part { transaction.texts().collect() } else { line.texts().collect() };
        let text = texts.join("\n");
        let field = references.end_to_end.as_deref().or(references.customer.as_deref());
        Some(NewLine {
            ordinal: i64::try_from(self.ordinal).ok()?,
            money,
            booked_on: line.booking_day.or(line.value_day),
            value_on: line.value_day,
            bank_reference,
            end_to_end: if money.is_negative() {
                own_reference(field, &text)
            } else {
                field.map(str::to_owned)
            },
            creditor_reference: references.creditor.first().cloned(),
            payer: payer(&transaction.counterparty),
            text: clipped(&text),
            raw: evidence(&line.evidence, file),
            reversal: line.reversal,
            key,
        })
    }
}

fn payer(party: &Party) -> Option<String> {
    let words: Vec<&str> = [&party.name, &party.account].into_iter().flatten().map(String::as_str).collect();
    (!words.is_empty()).then(|| clipped(&words.join(", ")))
}

/// The line's own words in the file. Offsets count bytes of the file as UTF-8, so they fit where it is UTF-8.
fn evidence(evidence: &Evidence, file: &[u8]) -> String {
    match evidence {
        Evidence::Text { text, .. } => clipped(text),
        Evidence::Bytes { start, end, line } => {
            let range = usize::try_from(*start).ok().zip(usize::try_from(*end).ok());
            let bytes = range.and_then(|(start, end)| file.get(start..end));
            let text = bytes.and_then(|bytes| std::str::from_utf8(bytes).ok());
            text.map_or_else(|| format!("line {line}"), clipped)
        }
    }
}

/// Texts of the outside fit their columns; PostgreSQL takes no NUL.
fn clipped(text: &str) -> String {
    text.chars().filter(|letter| *letter != '\0').take(TEXT_CHARS_MAX).collect()
}
