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

/// The reference under which an order of ours left or came back: the one in its field, or else, where the field holds another's
/// word, the only one that stands in the text ([`crate::refunds`] writes `MZ`, nine digits or more, and its instruction).
pub fn own_reference(field: Option<&str>, text: &str) -> Option<String> {
    let field = field.map(str::to_owned);
    if field.as_deref().is_some_and(is_own) {
        return field;
    }
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-');
    let own: BTreeSet<&str> = words.filter(|word| is_own(word)).collect();
    match (own.first(), own.len()) {
        (Some(only), 1) => Some((*only).to_owned()),
        _ => field,
    }
}

/// Whether it is written as references of our orders are.
pub(super) fn is_own(word: &str) -> bool {
    let number =
        |text: &str, digits: usize| text.len() >= digits && text.bytes().all(|byte| byte.is_ascii_digit());
    let parts = word.strip_prefix("MZ").and_then(|rest| rest.split_once('-'));
    parts.is_some_and(|(serial, instruction)| number(serial, 9) && number(instruction, 1))
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

#[cfg(test)]
mod tests {
    use super::own_reference;

    #[test]
    fn our_own_reference_is_found_in_its_field_or_else_alone_in_the_text() {
        let own = |field, text: &str| own_reference(field, text);
        assert_eq!(own(Some("MZ000000007-1"), "").as_deref(), Some("MZ000000007-1"));
        for text in [
            "RTN MZ000000007-1 AC04",
            "/EREF/MZ000000007-1/",
            "MZ000000007-1\nagain MZ000000007-1",
            "(MZ000000007-1)",
        ] {
            assert_eq!(own(None, text).as_deref(), Some("MZ000000007-1"), "{text}");
            assert_eq!(own(Some("NOTPROVIDED"), text).as_deref(), Some("MZ000000007-1"), "{text}");
        }
        assert_eq!(
            own(Some("MZ000000007-1"), "MZ000000008-1").as_deref(),
            Some("MZ000000007-1"),
            "the field counts"
        );
        for text in [
            "MZ000000007-1 MZ000000008-1",
            "MZ00000007-1",
            "XMZ000000007-1",
            "MZ000000007-",
            "MZ000000007-1-2",
            "",
        ] {
            assert_eq!(own(None, text), None, "{text}");
        }
        assert_eq!(own(Some("SALARY-7"), "thanks").as_deref(), Some("SALARY-7"));
    }
}
