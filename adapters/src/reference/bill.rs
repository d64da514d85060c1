//! Bill numbers: 14 digits, the same on every channel.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::rf::RfReference;
use super::text::{compact, grouped};

/// Issuer (0001 to 9999), serial (8 digits) and two check digits (ISO 7064 mod 97-10): the whole is 1 modulo 97.
/// Any wrong digit and any two digits in each other's place are noticed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BillNumber {
    issuer: u16,
    serial: u32,
}

/// Why a text is not a bill number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotABillNumber {
    #[error("a bill number has 14 digits")]
    Form,
    #[error("the check digits of the bill number are wrong")]
    CheckDigits,
}

impl BillNumber {
    pub const DIGITS: usize = 14;

    const ISSUER_MAX: u16 = 9_999;
    const SERIAL_MAX: u32 = 99_999_999;

    /// `None` unless the issuer is 1 to 9,999 and the serial at most 99,999,999.
    pub fn new(issuer: u16, serial: u32) -> Option<Self> {
        let fits = (1..=Self::ISSUER_MAX).contains(&issuer) && serial <= Self::SERIAL_MAX;
        fits.then_some(Self { issuer, serial })
    }

    /// The first four digits: an agency's, or the hub's own for baskets.
    pub fn issuer(self) -> u16 {
        self.issuer
    }

    pub fn serial(self) -> u32 {
        self.serial
    }

    /// In groups of four, as it is printed: `1234 5678 9012 44`.
    pub fn grouped(self) -> String {
        grouped(&self.to_string())
    }

    fn check_digits(self) -> u64 {
        let stem = u64::from(self.issuer) * 100_000_000 + u64::from(self.serial);
        98 - stem * 100 % 97
    }

    /// Exactly 14 ASCII digits with a valid check.
    pub(super) fn from_digits(digits: &str) -> Result<Self, NotABillNumber> {
        if digits.len() != Self::DIGITS || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NotABillNumber::Form);
        }
        let (stem, check) = digits.split_at(12);
        let number = Self::from_stem(stem).ok_or(NotABillNumber::Form)?;
        // Comparing with the digits we would print refuses the twins 00, 01 and 99 as well.
        if check.parse() == Ok(number.check_digits()) { Ok(number) } else { Err(NotABillNumber::CheckDigits) }
    }

    /// Issuer and serial, 12 digits.
    pub(super) fn from_stem(stem: &str) -> Option<Self> {
        let (issuer, serial) = stem.split_at_checked(4)?;
        Self::new(issuer.parse().ok()?, serial.parse().ok().filter(|_| serial.len() == 8)?)
    }
}

impl FromStr for BillNumber {
    type Err = NotABillNumber;

    /// Reads what a person typed: groups, Arabic digits, lost leading zeros, or the RF reference of the bill with or
    /// without its RF. Beware that a short number is filled up with zeros: ask whether the issuer exists.
    fn from_str(text: &str) -> Result<Self, NotABillNumber> {
        let typed = compact(text).ok_or(NotABillNumber::Form)?;
        if typed.starts_with("RF") || typed.len() == Self::DIGITS + 2 {
            let reference = if typed.starts_with("RF") { typed } else { format!("RF{typed}") };
            let reference: RfReference = reference.parse().map_err(|_| NotABillNumber::CheckDigits)?;
            return reference.bill_number().ok_or(NotABillNumber::Form);
        }
        if !(11..=Self::DIGITS).contains(&typed.len()) {
            return Err(NotABillNumber::Form);
        }
        Self::from_digits(&format!("{typed:0>14}"))
    }
}

/// The 14 digits without groups.
impl fmt::Display for BillNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}{:08}{:02}", self.issuer, self.serial, self.check_digits())
    }
}

impl fmt::Debug for BillNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for BillNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BillNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_digits(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_bill() -> impl Strategy<Value = BillNumber> {
        (1..=9_999_u16, 0..=99_999_999_u32)
            .prop_map(|(issuer, serial)| BillNumber::new(issuer, serial).unwrap())
    }

    /// The same digits in Arabic-Indic, Persian or as they are.
    fn in_digits_of(text: &str, zero: char) -> String {
        text.chars()
            .map(|c| c.to_digit(10).map_or(c, |digit| char::from_u32(u32::from(zero) + digit).unwrap()))
            .collect()
    }

    #[test]
    fn the_check_digits_are_those_of_iso_7064() {
        let bill = BillNumber::new(1234, 56_789_012).unwrap();
        assert_eq!(bill.to_string(), "12345678901244");
        assert_eq!(12_345_678_901_244_u64 % 97, 1);
        assert_eq!(bill.grouped(), "1234 5678 9012 44");
        assert_eq!((bill.issuer(), bill.serial()), (1234, 56_789_012));
    }

    #[test]
    fn only_fourteen_digits_of_an_issuer_are_a_bill_number() {
        for (issuer, serial) in [(0, 1), (10_000, 1), (1, 100_000_000)] {
            assert_eq!(BillNumber::new(issuer, serial), None);
        }
        let form = Err(NotABillNumber::Form);
        for text in ["", "1", "1234567890", "123456789012441", "1234567890124X", "RF", "00000000000098"] {
            assert_eq!(text.parse::<BillNumber>().map_err(|_| NotABillNumber::Form), form, "{text:?}");
        }
        assert_eq!("12345678901200".parse::<BillNumber>(), Err(NotABillNumber::CheckDigits));
    }

    #[test]
    fn the_twins_of_a_check_are_refused() {
        // 00, 01 and 99 are the same modulo 97 as 97, 98 and 02, and are never printed.
        for serial in 0..500 {
            let bill = BillNumber::new(7, serial).unwrap().to_string();
            for twin in ["00", "01", "99"] {
                assert!(format!("{}{twin}", &bill[..12]).parse::<BillNumber>().is_err(), "{bill} {twin}");
            }
        }
    }

    #[test]
    fn json_takes_the_plain_digits_only() {
        let bill = BillNumber::new(12, 34).unwrap();
        let json = serde_json::to_string(&bill).unwrap();
        assert_eq!(serde_json::from_str::<BillNumber>(&json).unwrap(), bill);
        assert!(serde_json::from_str::<BillNumber>(&json.replace("\"00", "\"")).is_err());
        assert!(serde_json::from_str::<BillNumber>("12345678901244").is_err());
    }

    proptest! {
        #[test]
        fn every_bill_number_survives_every_way_of_writing_it(bill in any_bill()) {
            let reference = RfReference::from(bill).to_string();
            for text in [
                bill.to_string(),
                bill.grouped(),
                bill.grouped().replace(' ', "-"),
                format!("\u{2067}{}\u{2069}", bill.grouped().replace(' ', "\u{00A0}")),
                reference.clone(),
                reference.to_lowercase(),
                reference[2..].to_owned(),
            ] {
                for zero in ['0', '\u{0660}', '\u{06F0}'] {
                    prop_assert_eq!(in_digits_of(&text, zero).parse(), Ok(bill), "{}", text);
                }
            }
            let without_zeros = bill.to_string().trim_start_matches('0').to_owned();
            prop_assert_eq!(without_zeros.parse(), Ok(bill));
        }

        #[test]
        fn a_wrong_digit_is_refused(bill in any_bill(), at in 0..14_usize, digit in 0..10_u8) {
            let mut digits = bill.to_string().into_bytes();
            prop_assume!(digits[at] != b'0' + digit);
            digits[at] = b'0' + digit;
            prop_assert!(String::from_utf8(digits).unwrap().parse::<BillNumber>().is_err());
        }

        #[test]
        fn two_digits_in_each_others_place_are_refused(bill in any_bill(), one in 0..14_usize, other in 0..14_usize) {
            let mut digits = bill.to_string().into_bytes();
            prop_assume!(digits[one] != digits[other]);
            digits.swap(one, other);
            prop_assert!(String::from_utf8(digits).unwrap().parse::<BillNumber>().is_err());
        }

        #[test]
        fn reading_never_panics(text in "\\PC{0,40}") {
            let _outcome = text.parse::<BillNumber>();
        }
    }
}
