//! What the texts of a line name.

use std::collections::BTreeSet;

use mizan_adapters::reference::{BillNumber, Found, Reference, RfReference, find_in_text, find_issued};

use crate::refunds::pay_ins;

/// Bills named by a line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// In a field that holds a reference and nothing else.
    pub structured: BTreeSet<BillNumber>,
    /// Somewhere in a text.
    pub free: BTreeSet<BillNumber>,
    /// Serials of refunds for which an agency may pay in, wherever they stand: their check digits prove them.
    pub refunds: BTreeSet<i64>,
}

/// Reads the bills of known issuers off a line's fields and texts.
pub fn named(fields: &[Option<&str>], text: &str, issuer_known: impl Fn(u16) -> bool) -> Named {
    let structured: BTreeSet<BillNumber> = fields
        .iter()
        .flatten()
        .filter_map(|field| whole(field))
        .filter(|bill| issuer_known(bill.issuer()))
        .collect();
    let found = text.lines().flat_map(|text| find_issued(text, &issuer_known));
    let free = found.filter_map(|one: Found| one.bill_number()).collect();
    let fields = fields.iter().flatten().filter_map(|field| field.parse::<RfReference>().ok());
    let in_text = text.lines().flat_map(find_in_text).filter_map(|one| match one.reference {
        Reference::Rf(reference) => Some(reference),
        Reference::Bill(_) => None,
    });
    let refunds = fields.chain(in_text).filter_map(|reference| pay_ins::serial_of(&reference)).collect();
    Named { structured, free, refunds }
}

/// A field that is our reference as a whole: the RF form, or all 14 digits.
fn whole(field: &str) -> Option<BillNumber> {
    let digits = field.chars().filter(|letter| letter.is_numeric()).count();
    let reference = field.parse::<RfReference>().ok().and_then(|reference| reference.bill_number());
    reference.or_else(|| field.parse().ok().filter(|_| digits == BillNumber::DIGITS))
}

/// Shorter ids of settlements stand in any text.
const SETTLEMENT_ID_CHARS: usize = 4;

/// Whether an id is so short that a text holds it by chance.
pub fn is_short(settlement: &str) -> bool {
    settlement.chars().filter(|letter| !letter.is_whitespace()).count() < SETTLEMENT_ID_CHARS
}

/// Whether a text names a channel's settlement: the id whole, however the bank wrapped its lines; a short one only where
/// it stands by itself.
pub fn names(text: &str, settlement: &str) -> bool {
    if is_short(settlement) {
        return stands_alone(&text.to_ascii_uppercase(), &settlement.trim().to_ascii_uppercase());
    }
    let compact = |text: &str| -> String {
        text.chars()
            .filter(|letter| !letter.is_whitespace())
            .map(|letter| letter.to_ascii_uppercase())
            .collect()
    };
    let (text, wanted) = (compact(text), compact(settlement));
    // A longer number that begins or ends alike is another settlement.
    let begins_with_digit = wanted.starts_with(|first: char| first.is_ascii_digit());
    let whole = |at: usize| {
        let before = text[..at].chars().next_back().filter(|_| begins_with_digit);
        let behind = text[at + wanted.len()..].chars().next();
        ![before, behind].into_iter().flatten().any(|letter| letter.is_ascii_digit())
    };
    text.match_indices(&wanted).any(|(at, _)| whole(at))
}

/// Whether a word stands in a text and is no part of a longer one, nor of a number or a name with signs in it.
fn stands_alone(text: &str, word: &str) -> bool {
    let joins = |letter: char| letter.is_alphanumeric() || "-/._".contains(letter);
    let alone = |at: usize| {
        let (before, behind) = (text[..at].chars().next_back(), text[at + word.len()..].chars().next());
        ![before, behind].into_iter().flatten().any(joins)
    };
    !word.is_empty() && text.match_indices(word).any(|(at, _)| alone(at))
}
