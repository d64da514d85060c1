//! Accounts: a code, a class, one currency, and the limits our own acts must respect.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Currency, Money};

/// The path of an account, as `agency/psi/payable`: segments of `a-z` and `0-9`, inside a segment single `_`
/// or `-`. At most 120 bytes. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountCode(Arc<str>);

/// The text is not an account code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an account code: segments of a-z, 0-9, single _ or -, parted by /, at most 120 bytes")]
pub struct NotAnAccountCode(pub String);

const CODE_BYTES_MAX: usize = 120;

impl AccountCode {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The parts between the slashes.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }
}

impl FromStr for AccountCode {
    type Err = NotAnAccountCode;

    fn from_str(text: &str) -> Result<Self, NotAnAccountCode> {
        let is_word = |word: &str| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        let valid =
            text.len() <= CODE_BYTES_MAX && text.split('/').all(|part| part.split(['_', '-']).all(is_word));
        if valid { Ok(Self(text.into())) } else { Err(NotAnAccountCode(text.chars().take(60).collect())) }
    }
}

impl fmt::Display for AccountCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AccountCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for AccountCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for AccountCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Where an account stands in the statements, and by that its normal side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    Asset,
    Liability,
    Equity,
    Income,
    Expense,
    /// Outside the statements: pairs that remember, such as fees assessed and waived.
    Memo,
}

impl Class {
    pub const ALL: [Self; 6] =
        [Self::Asset, Self::Liability, Self::Equity, Self::Income, Self::Expense, Self::Memo];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asset => "asset",
            Self::Liability => "liability",
            Self::Equity => "equity",
            Self::Income => "income",
            Self::Expense => "expense",
            Self::Memo => "memo",
        }
    }

    /// The side that increases the account.
    pub const fn normal_side(self) -> Side {
        match self {
            Self::Asset | Self::Expense | Self::Memo => Side::Debit,
            Self::Liability | Self::Equity | Self::Income => Side::Credit,
        }
    }
}

impl FromStr for Class {
    type Err = NotAClass;

    fn from_str(text: &str) -> Result<Self, NotAClass> {
        Self::ALL.into_iter().find(|class| class.as_str() == text).ok_or_else(|| NotAClass(text.to_owned()))
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not a class of accounts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a class of accounts")]
pub struct NotAClass(pub String);

/// Debit or credit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    Debit,
    Credit,
}

impl Side {
    pub const fn opposite(self) -> Self {
        match self {
            Self::Debit => Self::Credit,
            Self::Credit => Self::Debit,
        }
    }
}

/// An account as a chart of accounts describes it. It is opened by the first entry that names it; class,
/// agency and limits are fixed then (limits change through the book).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub code: AccountCode,
    pub class: Class,
    pub currency: Currency,
    /// The agency whose money it is, if one.
    pub agency: Option<Arc<str>>,
    /// The balance on the normal side may not fall below this many minor units. At most 0 at opening.
    pub floor_minor: Option<i64>,
    /// The balance on the normal side may not rise above this many minor units. At least 0 at opening.
    pub ceiling_minor: Option<i64>,
}

impl Account {
    pub fn new(code: AccountCode, class: Class, currency: Currency) -> Self {
        Self { code, class, currency, agency: None, floor_minor: None, ceiling_minor: None }
    }

    #[must_use]
    pub fn of_agency(self, agency: impl Into<Arc<str>>) -> Self {
        Self { agency: Some(agency.into()), ..self }
    }

    #[must_use]
    pub fn with_floor(self, floor_minor: i64) -> Self {
        Self { floor_minor: Some(floor_minor), ..self }
    }

    #[must_use]
    pub fn with_ceiling(self, ceiling_minor: i64) -> Self {
        Self { ceiling_minor: Some(ceiling_minor), ..self }
    }

    /// What makes it one account of the book: the code and the currency.
    pub fn key(&self) -> AccountKey {
        AccountKey { code: self.code.clone(), currency: self.currency }
    }

    /// No money in this account's currency.
    pub fn zero(&self) -> Money {
        Money::zero(self.currency)
    }
}

/// Code and currency: the same code in two currencies is two accounts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AccountKey {
    pub code: AccountCode,
    pub currency: Currency,
}

impl fmt::Display for AccountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_paths_of_plain_words() {
        for text in ["a", "agency/psi/payable", "agency/psi/tax/vat-16", "channel/sadad_1/costs_payable", "0"]
        {
            assert_eq!(text.parse::<AccountCode>().map(|code| code.to_string()), Ok(text.to_owned()));
        }
        let long = "a".repeat(121);
        for text in [
            "",
            "/",
            "a/",
            "/a",
            "a//b",
            "A",
            "a b",
            "a__b",
            "a-_b",
            "-a",
            "a_",
            "a.b",
            "وكالة",
            "a\n",
            &long,
        ] {
            assert!(text.parse::<AccountCode>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_class_decides_the_normal_side() {
        for class in Class::ALL {
            assert_eq!(class.as_str().parse(), Ok(class));
        }
        assert_eq!(Class::Asset.normal_side(), Side::Debit);
        assert_eq!(Class::Liability.normal_side(), Side::Debit.opposite());
        assert!("assets".parse::<Class>().is_err());
    }
}
