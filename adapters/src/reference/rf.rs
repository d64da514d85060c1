//! Structured creditor references of ISO 11649.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::bill::BillNumber;
use super::text::{compact, grouped};
use crate::iban::checks_97;

/// `RF`, two check digits and 1 to 21 letters or digits; in capitals, without spaces. Ours carry a bill number, but
/// any issuer's are read.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RfReference(String);

/// Why a text is not a creditor reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotARfReference {
    #[error("a creditor reference is RF, two digits and 1 to 21 letters or digits")]
    Form,
    #[error("the check digits of the creditor reference are wrong")]
    CheckDigits,
}

impl RfReference {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The reference with this body, 1 to 21 capital letters or digits.
    pub fn of(body: &str) -> Option<Self> {
        let digits = |check: u32| Self::from_compact(&format!("RF{check:02}{body}")).ok();
        (2..=98).find_map(digits)
    }

    /// In groups of four, as it is printed: `RF74 1234 5678 9012 44`.
    pub fn grouped(&self) -> String {
        grouped(&self.0)
    }

    /// The bill it stands for, if it is one of ours. Leading zeros do not count in ISO 11649 and may be missing.
    pub fn bill_number(&self) -> Option<BillNumber> {
        let body = self.0.get(4..)?.trim_start_matches('0');
        BillNumber::from_digits(&format!("{body:0>14}")).ok()
    }

    /// Capitals and digits without spaces.
    pub(super) fn from_compact(text: &str) -> Result<Self, NotARfReference> {
        let bytes = text.as_bytes();
        let form = (5..=25).contains(&bytes.len())
            && bytes.starts_with(b"RF")
            && bytes.iter().skip(2).take(2).all(u8::is_ascii_digit)
            && bytes.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        if !form {
            return Err(NotARfReference::Form);
        }
        // As in an IBAN, 00, 01 and 99 are the twins of checks that are never printed.
        let twin = matches!(text.get(2..4), Some("00" | "01" | "99"));
        if twin || !checks_97(text) { Err(NotARfReference::CheckDigits) } else { Ok(Self(text.to_owned())) }
    }
}

impl From<BillNumber> for RfReference {
    fn from(bill: BillNumber) -> Self {
        // ISO 7064 mod 97-10 over the number with RF (27 15) and two zeros behind it.
        let digits = format!("{bill}271500");
        let rest = digits.bytes().fold(0_u32, |rest, digit| (rest * 10 + u32::from(digit - b'0')) % 97);
        Self(format!("RF{:02}{bill}", 98 - rest))
    }
}

impl FromStr for RfReference {
    type Err = NotARfReference;

    /// Reads it as typed or printed: groups, small letters, Arabic digits.
    fn from_str(text: &str) -> Result<Self, NotARfReference> {
        Self::from_compact(&compact(text).ok_or(NotARfReference::Form)?)
    }
}

impl fmt::Display for RfReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RfReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for RfReference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for RfReference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_compact(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_body_of_letters_and_digits_has_one_reference() {
        assert_eq!(
            RfReference::of("539007547034").map(|made| made.to_string()).as_deref(),
            Some("RF18539007547034")
        );
        assert_eq!(
            RfReference::of("PS2026A0042").map(|made| made.to_string()).as_deref(),
            Some("RF13PS2026A0042")
        );
        for body in ["", "with space", "small", "1234567890123456789012"] {
            assert_eq!(RfReference::of(body), None, "{body:?}");
        }
    }

    #[test]
    fn references_of_any_issuer_are_read_as_printed() {
        for text in [
            "RF18539007547034",
            "RF642026000001234",
            "RF13PS2026A0042",
            "RF7812345 ",
            "RF0812344",
            "RF38000000000000000000552",
            "rf18 5390 0754 7034",
            "RF١٨ ٥٣٩٠ ٠٧٥٤ ٧٠٣٤",
        ] {
            let read: RfReference = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(read.grouped().parse(), Ok(read.clone()));
            assert_eq!(read.bill_number(), None, "{text}");
        }
        assert_eq!("RF18539007547034".parse::<RfReference>().unwrap().grouped(), "RF18 5390 0754 7034");
    }

    #[test]
    fn what_is_not_a_reference_is_refused() {
        for text in ["", "RF", "RF18", "RF185390075470341234567890", "RX18539007547034", "RF1853900754703_"] {
            assert_eq!(text.parse::<RfReference>(), Err(NotARfReference::Form), "{text:?}");
        }
        for text in ["RF19539007547034", "RF18539007547043", "RF01539007547034"] {
            assert_eq!(text.parse::<RfReference>(), Err(NotARfReference::CheckDigits), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_bill_number_and_its_reference_lead_to_each_other(issuer in 1..=9_999_u16, serial in 0..=99_999_999_u32) {
            let bill = BillNumber::new(issuer, serial).unwrap();
            let reference = RfReference::from(bill);
            prop_assert_eq!(reference.as_str().len(), 18);
            prop_assert_eq!(reference.to_string().parse(), Ok(reference.clone()));
            prop_assert_eq!(reference.bill_number(), Some(bill));
            let json = serde_json::to_string(&reference).unwrap();
            prop_assert_eq!(serde_json::from_str::<RfReference>(&json).unwrap(), reference);
        }

        #[test]
        fn a_wrong_or_misplaced_digit_is_refused(
            serial in 0..=99_999_999_u32,
            one in 2..18_usize,
            other in 2..18_usize,
            digit in 0..10_u8,
        ) {
            let text = RfReference::from(BillNumber::new(1234, serial).unwrap()).to_string().into_bytes();
            let mut wrong = text.clone();
            wrong[one] = b'0' + digit;
            let mut swapped = text.clone();
            swapped.swap(one, other);
            for changed in [wrong, swapped] {
                let changed = String::from_utf8(changed).unwrap();
                let refused = changed.parse::<RfReference>().is_err();
                prop_assert_eq!(refused, changed.as_bytes() != text, "{}", changed);
            }
        }
    }
}
