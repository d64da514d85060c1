//! Account numbers: IBAN (ISO 13616), checked by mod 97 (ISO 7064) and, where Mizan works, by structure.

use std::fmt;
use std::str::FromStr;

/// A valid IBAN in its electronic form: upper case, no spaces.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Iban(String);

/// Why a text is not an IBAN.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAnIban {
    #[error("an IBAN is two letters, two digits and 11 to 30 letters or digits")]
    Form,
    #[error("an IBAN of {country} has {expected} characters, not {found}")]
    Length { country: &'static str, expected: usize, found: usize },
    #[error("an IBAN of {country} has letters or digits in the wrong places")]
    Structure { country: &'static str },
    #[error("the check digits of the IBAN are wrong")]
    CheckDigits,
}

/// Country, whole length and the kinds of the characters after the check digits (a letter, n digit; those
/// beyond are either), from the IBAN registry.
const STRUCTURES: [(&str, usize, &str); 4] = [
    ("EG", 29, "nnnnnnnnnnnnnnnnnnnnnnnnn"),
    ("IL", 23, "nnnnnnnnnnnnnnnnnnn"),
    ("JO", 30, "aaaannnn"),
    ("PS", 29, "aaaa"),
];

impl Iban {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The bank's letters where they are the first four of its BIC, by the country's rule: in Palestine.
    pub fn bank_letters(&self) -> Option<&str> {
        self.0.starts_with("PS").then(|| self.0.get(4..8)).flatten()
    }
}

impl FromStr for Iban {
    type Err = NotAnIban;

    /// Accepts the printed form too: spaces between the groups, lower case.
    fn from_str(text: &str) -> Result<Self, NotAnIban> {
        // The bound keeps a long text from being copied; 34 characters are printed with 8 spaces.
        if text.len() > 64 {
            return Err(NotAnIban::Form);
        }
        let iban: String = text.chars().filter(|c| *c != ' ').map(|c| c.to_ascii_uppercase()).collect();
        let bytes = iban.as_bytes();
        let form = (15..=34).contains(&bytes.len())
            && bytes.iter().all(u8::is_ascii_alphanumeric)
            && bytes.iter().take(2).all(u8::is_ascii_alphabetic)
            && bytes.iter().skip(2).take(2).all(u8::is_ascii_digit);
        if !form {
            return Err(NotAnIban::Form);
        }
        if let Some((country, expected, kinds)) = STRUCTURES.iter().find(|(code, ..)| iban.starts_with(code))
        {
            if bytes.len() != *expected {
                return Err(NotAnIban::Length { country, expected: *expected, found: bytes.len() });
            }
            let fits = |(byte, kind): (&u8, u8)| byte.is_ascii_digit() == (kind == b'n');
            if !bytes.iter().skip(4).zip(kinds.bytes()).all(fits) {
                return Err(NotAnIban::Structure { country });
            }
        }
        if checks_97(&iban) { Ok(Self(iban)) } else { Err(NotAnIban::CheckDigits) }
    }
}

impl fmt::Display for Iban {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Iban {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The check IBAN and ISO 11649 (RF) share: the first four characters moved to the end, letters as 10 to 35,
/// the number is 1 modulo 97. False for anything but upper-case letters and digits.
pub fn checks_97(text: &str) -> bool {
    let (Some(head), Some(tail)) = (text.get(..4), text.get(4..)) else { return false };
    let rest = tail.chars().chain(head.chars()).try_fold(0_u32, |rest, c| {
        let value = c.to_digit(36).filter(|_| !c.is_ascii_lowercase())?;
        Some((rest * if value < 10 { 10 } else { 100 } + value) % 97)
    });
    rest == Some(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const VALID: [&str; 3] =
        ["PS92PALS000000000400123456702", "JO94CBJO0010000000000131000302", "EG380019000500000000263180002"];

    #[test]
    fn the_registry_examples_are_valid_also_as_printed() {
        for text in VALID {
            assert_eq!(text.parse::<Iban>().unwrap().as_str(), text);
        }
        let printed = "ps92 pals 0000 0000 0400 1234 5670 2";
        assert_eq!(printed.parse::<Iban>().unwrap().as_str(), VALID[0]);
        assert!("IL620108000000099999999".parse::<Iban>().is_ok());
        assert!("DE89370400440532013000".parse::<Iban>().is_ok());
    }

    #[test]
    fn each_kind_of_mistake_has_its_name() {
        let parse = |text: &str| text.parse::<Iban>().unwrap_err();
        assert_eq!(parse("PS93PALS000000000400123456702"), NotAnIban::CheckDigits);
        assert_eq!(
            parse("PS92PALS00000000040012345670"),
            NotAnIban::Length { country: "PS", expected: 29, found: 28 }
        );
        assert_eq!(parse("PS92PAL0000000000400123456702"), NotAnIban::Structure { country: "PS" });
        assert_eq!(parse("EG38001900050000000026318000A"), NotAnIban::Structure { country: "EG" });
        for text in
            ["", "PS92", "9292PALS000000000400123456702", "PS٩٢PALS000000000400123456702", "PS92-PALS0000"]
        {
            assert_eq!(parse(text), NotAnIban::Form, "{text:?}");
        }
    }

    #[test]
    fn the_bank_letters_are_known_where_a_rule_gives_them() {
        assert_eq!(VALID[0].parse::<Iban>().unwrap().bank_letters(), Some("PALS"));
        assert_eq!(VALID[2].parse::<Iban>().unwrap().bank_letters(), None);
    }

    #[test]
    fn published_creditor_references_check() {
        assert!(checks_97("RF18539007547034"));
        assert!(checks_97("RF642026000001234"));
        assert!(checks_97("RF13PS2026A0042"));
        assert!(!checks_97("RF19539007547034"));
    }

    proptest! {
        #[test]
        fn one_changed_digit_or_two_swapped_ones_are_noticed(which in 0..3_usize, at in 2..28_usize, digit in 0..10_u8) {
            let valid = VALID[which];
            let mut changed = valid.as_bytes().to_vec();
            if changed[at].is_ascii_digit() {
                changed[at] = b'0' + digit;
            }
            let mut swapped = valid.as_bytes().to_vec();
            swapped.swap(at, at + 1);
            for altered in [changed, swapped] {
                let text = String::from_utf8(altered).expect("ASCII");
                prop_assert_eq!(text.parse::<Iban>().is_ok(), text == valid, "{}", text);
            }
        }

        #[test]
        fn parsing_never_panics(text in "\\PC{0,70}") {
            drop(text.parse::<Iban>());
            checks_97(&text);
        }
    }
}
