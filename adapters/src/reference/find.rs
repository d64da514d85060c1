//! References inside what a bank prints: free text, wrapped lines, columns that cut.
//!
//! A number is taken only with a valid check. For 14 digits that leaves one chance in 97 that they are no bill number;
//! [`find_issued`] asks besides whether the issuer exists, which leaves about one in ten thousand for a hundred issuers.

use std::ops::Range;

use super::bill::BillNumber;
use super::rf::RfReference;
use super::text::{fold, separates};

/// A reference found in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub reference: Reference,
    pub how: How,
    /// Bytes of the text it was read from.
    pub span: Range<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    Bill(BillNumber),
    Rf(RfReference),
}

/// In what state it stood there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Complete, however it was grouped.
    Whole,
    /// The two check digits and the bill number, without the letters RF.
    PrefixLost,
    /// Leading zeros of the bill number were missing.
    ZerosLost,
    /// An RF reference cut at 16 characters, as MT `:61:` cuts: the bill's own check digits are gone, but the check of
    /// the reference still proves the rest.
    Cut,
}

impl Found {
    /// The bill that is meant, if the reference is one of ours.
    pub fn bill_number(&self) -> Option<BillNumber> {
        match &self.reference {
            Reference::Bill(bill) => Some(*bill),
            Reference::Rf(reference) => reference.bill_number(),
        }
    }
}

/// Every bill number and creditor reference in the text, in order. Bill numbers that lost leading zeros are not looked
/// for: without knowing the issuers every telephone number could be one.
pub fn find_in_text(text: &str) -> Vec<Found> {
    Search::new(text, None).run()
}

/// Every bill number of a known issuer in the text, in whatever form, also with leading zeros lost.
pub fn find_issued(text: &str, issuer_known: impl Fn(u16) -> bool) -> Vec<Found> {
    Search::new(text, Some(&issuer_known)).run()
}

struct Search<'a> {
    /// The folded characters with their bytes in the text.
    characters: Vec<(char, Range<usize>)>,
    issuer_known: Option<&'a dyn Fn(u16) -> bool>,
}

/// Digits put together across separators.
struct Gathered {
    digits: String,
    /// Index behind the last one.
    end: usize,
    contiguous: bool,
}

impl<'a> Search<'a> {
    fn new(text: &str, issuer_known: Option<&'a dyn Fn(u16) -> bool>) -> Self {
        let characters = text
            .char_indices()
            .filter_map(|(at, character)| Some((fold(character)?, at..at + character.len_utf8())))
            .collect();
        Self { characters, issuer_known }
    }

    fn run(&self) -> Vec<Found> {
        let mut found = Vec::new();
        let mut at = 0;
        while at < self.characters.len() {
            let hit = self.reference_at(at).or_else(|| self.number_at(at));
            match hit.filter(|(one, _)| self.is_wanted(one)) {
                Some((one, end)) => {
                    found.push(one);
                    at = end;
                }
                None => at += 1,
            }
        }
        found
    }

    fn is_wanted(&self, found: &Found) -> bool {
        match self.issuer_known {
            None => true,
            Some(known) => found.bill_number().is_some_and(|bill| known(bill.issuer())),
        }
    }

    /// A reference whose letters RF stand at `at`.
    fn reference_at(&self, at: usize) -> Option<(Found, usize)> {
        if self.character(at) != Some('R') || self.character(at + 1) != Some('F') {
            return None;
        }
        let first = self.skip_gap(at + 2)?;
        self.own_reference(at, first)
            .or_else(|| self.any_reference(at))
            .or_else(|| self.cut_reference(at, first))
    }

    /// RF, check digits and a bill number of ours, also glued to other words: two checks prove it.
    fn own_reference(&self, at: usize, first: usize) -> Option<(Found, usize)> {
        (13..=16).rev().find_map(|length| {
            let gathered = self.gather(first, length)?;
            let reference = RfReference::from_compact(&format!("RF{}", gathered.digits)).ok()?;
            let bill = reference.bill_number()?;
            let how = if length == 16 { How::Whole } else { How::ZerosLost };
            Some(self.found(Reference::Rf(bill.into()), how, at, gathered.end))
        })
    }

    /// A reference of any issuer: a word of its own, or groups of four and a last one of up to four.
    fn any_reference(&self, at: usize) -> Option<(Found, usize)> {
        if at > 0 && self.character(at - 1).is_some_and(|before| before.is_ascii_alphanumeric()) {
            return None;
        }
        let (mut text, mut end) = (String::new(), at);
        let mut best = None;
        while let Some(word_end) = self.word_end(end) {
            let word = self.characters.get(end..word_end)?;
            text.extend(word.iter().map(|(character, _)| *character));
            if text.len() > 25 {
                break;
            }
            if let Ok(reference) = RfReference::from_compact(&text) {
                best = Some(self.found(Reference::Rf(reference), How::Whole, at, word_end));
            }
            if word.len() != 4 {
                break;
            }
            match self.skip_gap(word_end) {
                Some(next) => end = next,
                None => break,
            }
        }
        best
    }

    /// `RF`, check digits and the first 12 digits of a bill number, with nothing behind them.
    fn cut_reference(&self, at: usize, first: usize) -> Option<(Found, usize)> {
        let gathered = self.gather(first, 14).filter(|gathered| gathered.contiguous && first == at + 2)?;
        let bill = BillNumber::from_stem(gathered.digits.get(2..)?)?;
        let reference = RfReference::from(bill);
        let proven = reference.as_str().get(2..4) == gathered.digits.get(..2);
        proven.then(|| self.found(Reference::Rf(reference), How::Cut, at, gathered.end))
    }

    /// A number that begins at `at`: with the RF lost, a bill number, or one without its leading zeros.
    fn number_at(&self, at: usize) -> Option<(Found, usize)> {
        let is_digit = |at: usize| self.character(at).is_some_and(|character| character.is_ascii_digit());
        if !is_digit(at) || (at > 0 && is_digit(at - 1)) {
            return None;
        }
        let without_prefix = self.gather(at, 16).and_then(|gathered| {
            let reference = RfReference::from_compact(&format!("RF{}", gathered.digits)).ok()?;
            reference.bill_number()?;
            Some(self.found(Reference::Rf(reference), How::PrefixLost, at, gathered.end))
        });
        without_prefix
            .or_else(|| {
                let gathered = self.gather(at, BillNumber::DIGITS)?;
                let bill = BillNumber::from_digits(&gathered.digits).ok()?;
                Some(self.found(Reference::Bill(bill), How::Whole, at, gathered.end))
            })
            .or_else(|| self.short_number_at(at))
    }

    fn short_number_at(&self, at: usize) -> Option<(Found, usize)> {
        self.issuer_known?;
        (11..BillNumber::DIGITS).find_map(|length| {
            let gathered = self.gather(at, length).filter(|gathered| gathered.contiguous)?;
            let bill = BillNumber::from_digits(&format!("{:0>14}", gathered.digits)).ok()?;
            Some(self.found(Reference::Bill(bill), How::ZerosLost, at, gathered.end))
        })
    }

    /// Exactly `count` digits from `first` on, ending where digits end. Between them at most one gap where a line was
    /// wrapped, or groups as people write them: fours with shorter first and last groups, or at most three groups.
    fn gather(&self, first: usize, count: usize) -> Option<Gathered> {
        let mut digits = String::with_capacity(count);
        let mut groups: Vec<usize> = vec![0];
        let mut at = first;
        loop {
            match self.character(at) {
                Some(digit) if digit.is_ascii_digit() => {
                    digits.push(digit);
                    *groups.last_mut()? += 1;
                    at += 1;
                }
                _ => return None,
            }
            if digits.len() == count {
                break;
            }
            let next = self.skip_gap(at)?;
            if next > at {
                groups.push(0);
                at = next;
            }
        }
        let ends = self.character(at).is_none_or(|next| !next.is_ascii_digit());
        let fours = groups.iter().skip(1).rev().skip(1).all(|length| *length == 4)
            && groups.iter().all(|length| *length <= 4);
        (ends && (fours || groups.len() <= 3)).then_some(Gathered {
            digits,
            end: at,
            contiguous: groups.len() == 1,
        })
    }

    /// `at` itself, or the index behind a gap of one or two separators.
    fn skip_gap(&self, at: usize) -> Option<usize> {
        let gap = (at..at + 3).take_while(|at| self.character(*at).is_some_and(separates)).count();
        (gap < 3).then_some(at + gap)
    }

    fn word_end(&self, at: usize) -> Option<usize> {
        let rest = self.characters.get(at..)?;
        let length = rest.iter().take_while(|(character, _)| character.is_ascii_alphanumeric()).count();
        (length > 0).then_some(at + length)
    }

    fn character(&self, at: usize) -> Option<char> {
        self.characters.get(at).map(|(character, _)| *character)
    }

    fn found(&self, reference: Reference, how: How, at: usize, end: usize) -> (Found, usize) {
        let byte = |index: usize| self.characters.get(index).map(|(_, bytes)| bytes.clone());
        let start = byte(at).map_or(0, |bytes| bytes.start);
        let stop = byte(end.saturating_sub(1)).map_or(start, |bytes| bytes.end);
        (Found { reference, how, span: start..stop }, end)
    }
}

#[cfg(test)]
mod tests;
