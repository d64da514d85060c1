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
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bill() -> BillNumber {
        BillNumber::new(1234, 56_789_012).unwrap()
    }

    fn one(text: &str) -> (Option<BillNumber>, How, &str) {
        let found = find_in_text(text);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        (found[0].bill_number(), found[0].how, &text[found[0].span.clone()])
    }

    #[test]
    fn a_bill_number_is_found_among_other_words() {
        for (text, span) in [
            ("12345678901244", "12345678901244"),
            ("fee 12345678901244, thank you", "12345678901244"),
            ("INV12345678901244EUR", "12345678901244"),
            ("ref:1234 5678 9012 44 of 22.11.2026", "1234 5678 9012 44"),
            ("1234-5678-9012-44", "1234-5678-9012-44"),
            ("123456789\n01244 wrapped", "123456789\n01244"),
            ("1234 56789012 44", "1234 56789012 44"),
            ("2026 1234 5678 9012 44", "1234 5678 9012 44"),
            ("12345678901244 77", "12345678901244"),
            ("رسوم ١٢٣٤٥٦٧٨٩٠١٢٤٤ شكرا", "١٢٣٤٥٦٧٨٩٠١٢٤٤"),
            ("\u{2067}۱۲۳۴ ۵۶۷۸ ۹۰۱۲ ۴۴\u{2069}", "۱۲۳۴ ۵۶۷۸ ۹۰۱۲ ۴۴"),
        ] {
            assert_eq!(one(text), (Some(bill()), How::Whole, span), "{text}");
        }
    }

    #[test]
    fn a_reference_is_found_whole_cut_or_without_its_letters() {
        let reference = RfReference::from(bill()).to_string();
        let grouped = RfReference::from(bill()).grouped();
        for (text, how, span) in [
            (reference.clone(), How::Whole, reference.clone()),
            (format!("pay {} now", grouped.to_lowercase()), How::Whole, grouped.to_lowercase()),
            (format!("/RFB/{reference}/x"), How::Whole, reference.clone()),
            (format!("XYZ{reference}ABC"), How::Whole, reference.clone()),
            (reference[2..].to_owned(), How::PrefixLost, reference[2..].to_owned()),
            (grouped[2..].to_owned(), How::PrefixLost, grouped[2..].to_owned()),
            (reference[..16].to_owned(), How::Cut, reference[..16].to_owned()),
        ] {
            assert_eq!(one(&text), (Some(bill()), how, span.as_str()), "{text}");
        }
        assert_eq!(find_in_text(&reference[..15]), []);
    }

    #[test]
    fn a_wrong_check_of_the_reference_leaves_the_bill_number() {
        let reference = RfReference::from(bill()).grouped();
        let wrong = reference.replace(&reference[2..4], "11");
        assert_eq!(one(&wrong), (Some(bill()), How::Whole, "1234 5678 9012 44"));
    }

    #[test]
    fn references_of_other_issuers_are_found_as_such() {
        for (text, reference) in [
            ("RF18539007547034", "RF18539007547034"),
            ("invoice RF18 5390 0754 7034, due", "RF18539007547034"),
            ("RF13PS2026A0042 paid", "RF13PS2026A0042"),
        ] {
            let found = find_in_text(text);
            let expected = Reference::Rf(reference.parse().unwrap());
            assert_eq!(found.iter().map(|one| &one.reference).collect::<Vec<_>>(), [&expected], "{text}");
            assert_eq!(found[0].bill_number(), None);
        }
        assert_eq!(find_in_text("RF19539007547034 PERF18539007547034"), []);
    }

    #[test]
    fn lost_zeros_are_filled_up_for_known_issuers_only() {
        let small = BillNumber::new(12, 345_678).unwrap();
        let short = small.to_string().trim_start_matches('0').to_owned();
        let text = format!("bill {short} paid");
        assert_eq!(find_in_text(&text), []);
        let found = find_issued(&text, |issuer| issuer == 12);
        assert_eq!((found[0].bill_number(), found[0].how), (Some(small), How::ZerosLost));
        assert_eq!(find_issued(&text, |issuer| issuer == 13), []);
        let reference = format!("RF{}{short}", &RfReference::from(small).as_str()[2..4]);
        assert_eq!(
            (find_in_text(&reference)[0].bill_number(), find_in_text(&reference)[0].how),
            (Some(small), How::ZerosLost)
        );
    }

    #[test]
    fn several_are_found_in_order_and_issuers_choose_among_them() {
        let other = BillNumber::new(77, 1).unwrap();
        let text = format!("{} / {} / RF18539007547034", bill(), RfReference::from(other));
        let bills: Vec<_> = find_in_text(&text).iter().map(Found::bill_number).collect();
        assert_eq!(bills, [Some(bill()), Some(other), None]);
        let issued: Vec<_> =
            find_issued(&text, |issuer| issuer == 77).iter().map(Found::bill_number).collect();
        assert_eq!(issued, [Some(other)]);
    }

    #[test]
    fn digits_inside_longer_numbers_and_scattered_ones_are_not_taken() {
        for text in
            ["912345678901244", "123456789012440", "1 2 3 4 5 6 7 8 9 0 1 2 4 4", "1234   5678   9012   44"]
        {
            assert_eq!(find_in_text(text), [], "{text}");
        }
    }

    /// A fixed sequence that looks random.
    fn numbers() -> impl Iterator<Item = u64> {
        std::iter::successors(Some(42_u64), |last| {
            Some(last.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407))
        })
        .map(|state| state >> 11)
    }

    #[test]
    fn a_random_number_passes_once_in_97_and_hardly_ever_with_known_issuers() {
        let texts: Vec<String> =
            numbers().take(97_000).map(|number| format!("{:014}", number % 100_000_000_000_000)).collect();
        let hits = texts.iter().filter(|text| !find_in_text(text).is_empty()).count();
        assert!((850..1_150).contains(&hits), "{hits}");
        let issued = texts.iter().filter(|text| !find_issued(text, |issuer| issuer < 10).is_empty()).count();
        assert!(issued < 10, "{issued}");
    }

    proptest! {
        #[test]
        fn whatever_is_found_has_a_valid_check(text in "(RF|rf|[0-9]{1,16}|[ \n./-]|[٠-٩]{1,9}|[a-z]{1,3}){0,12}") {
            for found in find_in_text(&text) {
                prop_assert!(text.get(found.span.clone()).is_some());
                match &found.reference {
                    Reference::Bill(bill) => {
                        prop_assert_eq!(bill.to_string().parse::<u64>().unwrap() % 97, 1);
                    }
                    Reference::Rf(reference) => prop_assert!(crate::iban::checks_97(reference.as_str())),
                }
            }
        }

        #[test]
        fn an_own_reference_is_never_missed(
            issuer in 1..=9_999_u16,
            serial in 0..=99_999_999_u32,
            before in "[a-z ]{0,8}[ :/]",
            after in "[ ,;/][a-z ]{0,8}",
        ) {
            let bill = BillNumber::new(issuer, serial).unwrap();
            let reference = RfReference::from(bill);
            for text in [bill.to_string(), bill.grouped(), reference.to_string(), reference.grouped()] {
                let text = format!("{before}{text}{after}");
                let bills: Vec<_> = find_issued(&text, |known| known == issuer).iter().map(Found::bill_number).collect();
                prop_assert_eq!(bills, [Some(bill)], "{}", text);
            }
        }

        #[test]
        fn searching_never_panics(text in "\\PC{0,60}") {
            find_in_text(&text);
            find_issued(&text, |_| true);
        }
    }
}
