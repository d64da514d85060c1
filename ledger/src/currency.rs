//! Currencies as data: the ISO 4217 code and its number of decimals.
//!
//! Any active ISO 4217 code can be read (a bank statement may carry it). Which currencies the hub sells in,
//! and the cash step of each, is data of the deployment (table `currencies`).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An ISO 4217 currency. The exponent is the number of decimals of one unit: ILS 2, JOD 3, JPY 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency {
    code: [u8; 3],
    exponent: u8,
}

/// The text is not an active ISO 4217 code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an ISO 4217 currency code")]
pub struct UnknownCurrency(pub String);

impl Currency {
    pub const EGP: Self = Self { code: *b"EGP", exponent: 2 };
    pub const EUR: Self = Self { code: *b"EUR", exponent: 2 };
    pub const ILS: Self = Self { code: *b"ILS", exponent: 2 };
    pub const JOD: Self = Self { code: *b"JOD", exponent: 3 };
    pub const JPY: Self = Self { code: *b"JPY", exponent: 0 };
    pub const SYP: Self = Self { code: *b"SYP", exponent: 2 };
    pub const USD: Self = Self { code: *b"USD", exponent: 2 };

    /// Every currency that can be read.
    pub fn all() -> impl Iterator<Item = Self> {
        ISO_4217.iter().flat_map(|(_, codes)| codes.split(' ')).filter_map(|code| code.parse().ok())
    }

    pub fn code(&self) -> &str {
        // Built only from the ASCII table below.
        std::str::from_utf8(&self.code).unwrap_or("???")
    }

    pub fn exponent(self) -> u8 {
        self.exponent
    }

    /// Minor units in one unit: 100 for ILS, 1,000 for JOD.
    pub fn scale(self) -> i64 {
        10_i64.pow(u32::from(self.exponent))
    }
}

impl FromStr for Currency {
    type Err = UnknownCurrency;

    fn from_str(text: &str) -> Result<Self, UnknownCurrency> {
        let unknown = || UnknownCurrency(text.chars().take(12).collect());
        let code: [u8; 3] = text.as_bytes().try_into().map_err(|_| unknown())?;
        for (exponent, codes) in ISO_4217 {
            // Three letters and a space each.
            if codes.as_bytes().chunks(4).any(|known| known.starts_with(&code)) {
                return Ok(Self { code, exponent: *exponent });
            }
        }
        Err(unknown())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Active codes of ISO 4217 (list one) by number of decimals. Funds and precious metals are left out.
const ISO_4217: &[(u8, &str)] = &[
    (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"),
    (
        2,
        "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF \
         CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL \
         HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP \
         MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD \
         SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS \
         VED VES WST XCD XCG YER ZAR ZMW ZWG",
    ),
    (3, "BHD IQD JOD KWD LYD OMR TND"),
    (4, "CLF UYW"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_brings_its_exponent() {
        for (code, exponent) in [("ILS", 2), ("JOD", 3), ("USD", 2), ("JPY", 0), ("EGP", 2), ("CLF", 4)] {
            let currency: Currency = code.parse().unwrap();
            assert_eq!((currency.code(), currency.exponent()), (code, exponent));
        }
    }

    #[test]
    fn the_named_constants_stand_in_the_table() {
        for named in [
            Currency::EGP,
            Currency::EUR,
            Currency::ILS,
            Currency::JOD,
            Currency::JPY,
            Currency::SYP,
            Currency::USD,
        ] {
            assert_eq!(named.code().parse(), Ok(named));
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "IL", "ils", "ILSX", "XYZ", "١٢٣", "A B", "   "] {
            assert!(text.parse::<Currency>().is_err(), "{text:?}");
        }
    }
}
