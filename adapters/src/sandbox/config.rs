//! What a sandbox is started with.

use std::collections::BTreeSet;
use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::Date;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::amount::{Amount, Currency, Rate};
use super::clock::Pace;
use super::text::{account_kind, is_name, is_order};

/// The whole of a sandbox's settings. Amounts and rates are decimal strings.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub merchants: Vec<Merchant>,
    pub accounts: Vec<Account>,
    /// Accounts elsewhere to which money is sent and comes back the day after.
    #[serde(default)]
    pub returning: BTreeSet<String>,
    /// Accounts elsewhere which the bank knows as closed.
    #[serde(default)]
    pub closed: BTreeSet<String>,
    /// Where statements are written, payment files are taken and the books are kept; without it all is in memory.
    #[serde(default)]
    pub folder: Option<PathBuf>,
    #[serde(default)]
    pub seed: u64,
    /// The first day of bank and gateway.
    pub day: Date,
    /// What the clock shows at the start.
    pub now: Timestamp,
    #[serde(default)]
    pub pace: Pace,
    /// Wait before the second try of a callback; doubled at each further one.
    #[serde(default = "one_second")]
    pub callback_retry_ms: u64,
}

fn one_second() -> u64 {
    1000
}

/// A merchant of the card gateway, who is a customer of the bank too.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Merchant {
    pub id: String,
    /// What the hosted page calls the merchant.
    pub name: String,
    pub api_key: SecretString,
    pub callback_key: SecretString,
    /// One contract for each currency in which the merchant takes cards.
    pub contracts: Vec<Contract>,
}

/// The terms on which a merchant takes cards in one currency.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    pub currency: String,
    /// The merchant's account at the bank, in that currency.
    pub account: String,
    /// Share of each capture, such as `0.0145`.
    pub rate: String,
    /// Added to each capture's cost, such as `0.50`.
    pub fixed: String,
}

/// An account at the bank.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// An IBAN, or a plain account number where a country has none.
    pub iban: String,
    pub currency: String,
    pub owner: String,
    /// Balance before the first day; may be below zero.
    pub opening: String,
    /// The form of the statement written into the folder, and of one asked for without a format.
    #[serde(default)]
    pub statement: Format,
}

/// The forms in which the bank gives statements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Format {
    #[serde(rename = "camt.053.001.02")]
    Camt02,
    #[default]
    #[serde(rename = "camt.053.001.08")]
    Camt08,
    #[serde(rename = "mt940")]
    Mt940,
}

/// Why a sandbox does not start.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("{0} is not an identifier of 1-40 letters, digits, - and _")]
    BadId(String),
    #[error("{0} appears twice")]
    Twice(String),
    #[error("currency {0} is not kept by the sandbox")]
    UnknownCurrency(String),
    #[error(
        "{0} is neither an IBAN with right check digits nor an account number of 1-34 letters and digits"
    )]
    BadAccount(String),
    #[error("{what}: {text} is not an amount or a rate here")]
    BadNumber { what: String, text: String },
    #[error("{0} is not a name of 1-70 characters")]
    BadName(String),
    #[error("contract of {merchant}: account {account} does not exist in {currency}")]
    NoSuchAccount { merchant: String, account: String, currency: String },
    #[error("merchant {0}: an empty key")]
    EmptyKey(String),
}

impl Config {
    /// Refuses settings with which the sandbox could not do what its manual says.
    pub fn check(&self) -> Result<(), ConfigError> {
        let mut seen = BTreeSet::new();
        for account in &self.accounts {
            let currency = currency(&account.currency)?;
            if account_kind(&account.iban).is_none() {
                return Err(ConfigError::BadAccount(account.iban.clone()));
            }
            if !is_name(&account.owner) {
                return Err(ConfigError::BadName(account.owner.clone()));
            }
            number(&account.iban, &account.opening, Amount::parse_signed(&account.opening, currency))?;
            once(&mut seen, &account.iban)?;
        }
        let mut keys = BTreeSet::new();
        for merchant in &self.merchants {
            self.check_merchant(merchant)?;
            once(&mut seen, &merchant.id)?;
            if !keys.insert(merchant.api_key.expose_secret()) {
                return Err(ConfigError::Twice(format!("the API key of {}", merchant.id)));
            }
        }
        Ok(())
    }

    fn check_merchant(&self, merchant: &Merchant) -> Result<(), ConfigError> {
        if !is_order(&merchant.id) {
            return Err(ConfigError::BadId(merchant.id.clone()));
        }
        if !is_name(&merchant.name) {
            return Err(ConfigError::BadName(merchant.name.clone()));
        }
        if merchant.api_key.expose_secret().is_empty() || merchant.callback_key.expose_secret().is_empty() {
            return Err(ConfigError::EmptyKey(merchant.id.clone()));
        }
        let mut currencies = BTreeSet::new();
        for contract in &merchant.contracts {
            let unit = currency(&contract.currency)?;
            once(&mut currencies, &contract.currency)?;
            number(&merchant.id, &contract.rate, Rate::parse(&contract.rate))?;
            number(&merchant.id, &contract.fixed, Amount::parse_loose(&contract.fixed, unit))?;
            let at_bank = |account: &&Account| {
                account.iban == contract.account && account.currency == contract.currency
            };
            if !self.accounts.iter().any(|account| at_bank(&account)) {
                return Err(ConfigError::NoSuchAccount {
                    merchant: merchant.id.clone(),
                    account: contract.account.clone(),
                    currency: contract.currency.clone(),
                });
            }
        }
        Ok(())
    }

    pub fn merchant(&self, id: &str) -> Option<&Merchant> {
        self.merchants.iter().find(|merchant| merchant.id == id)
    }
}

impl Merchant {
    pub fn contract(&self, currency: Currency) -> Option<&Contract> {
        self.contracts.iter().find(|contract| contract.currency == currency.code())
    }
}

impl Contract {
    /// What the gateway keeps of one capture.
    pub fn cost(&self, captured: Amount) -> Amount {
        let rate = Rate::parse(&self.rate).expect("the settings were checked at the start");
        let fixed = Amount::parse_loose(&self.fixed, captured.currency)
            .expect("the settings were checked at the start");
        rate.of(captured).plus(fixed)
    }
}

impl Format {
    pub fn find(name: &str) -> Option<Self> {
        [Self::Camt02, Self::Camt08, Self::Mt940].into_iter().find(|format| format.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Camt02 => "camt.053.001.02",
            Self::Camt08 => "camt.053.001.08",
            Self::Mt940 => "mt940",
        }
    }

    pub fn extension(self) -> &'static str {
        if self == Self::Mt940 { "sta" } else { "xml" }
    }
}

fn currency(code: &str) -> Result<Currency, ConfigError> {
    Currency::find(code).ok_or_else(|| ConfigError::UnknownCurrency(code.to_owned()))
}

fn number<T>(what: &str, text: &str, read: Option<T>) -> Result<T, ConfigError> {
    read.ok_or_else(|| ConfigError::BadNumber { what: what.to_owned(), text: text.to_owned() })
}

fn once<'a>(seen: &mut BTreeSet<&'a str>, id: &'a str) -> Result<(), ConfigError> {
    if seen.insert(id) { Ok(()) } else { Err(ConfigError::Twice(id.to_owned())) }
}
