//! What a payment file says, and what must hold before a byte of it is written.

use std::collections::HashSet;
use std::fmt;

use mizan_ledger::{Currency, Day, Instant, Money};
use serde::Deserialize;
use uuid::{Uuid, Variant};

use super::text::fit;
use crate::iban::Iban;
use crate::reference::RfReference;

/// Orders from one account, in one currency, for one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentFile {
    /// `MsgId` and, as there is one block of orders in a file, `PmtInfId` too. 1-35 characters; a bank refuses
    /// one it has seen.
    pub msg_id: String,
    pub created: Instant,
    /// Who sends the file.
    pub initiating_party: String,
    /// Whose account it is.
    pub debtor: String,
    pub debtor_account: Account,
    /// The bank that keeps the account.
    pub debtor_agent: Option<Agent>,
    pub currency: Currency,
    pub execution_day: Day,
    pub orders: Vec<PaymentOrder>,
}

/// One order to pay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentOrder {
    /// Our reference, carried to the statement: 1-35 characters, unique in the file.
    pub end_to_end_id: String,
    /// The same in the networks that ask for a UUID version 4; written from pain.001.001.09 on.
    pub uetr: Option<Uuid>,
    /// Positive, in the file's currency.
    pub money: Money,
    pub creditor: String,
    pub creditor_account: Account,
    /// Needed where the account is not an IBAN.
    pub creditor_agent: Option<Agent>,
    /// For people; cut to 140 characters.
    pub remittance: Option<String>,
    /// The creditor's own reference for what is paid (ISO 11649).
    pub creditor_reference: Option<RfReference>,
    pub purpose: Option<Choice>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Account {
    Iban(Iban),
    /// An account number as the bank writes it, 1-34 characters: not every country has IBANs.
    Other(String),
}

/// A bank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Agent {
    /// Its BIC, 8 or 11 characters (ISO 9362).
    Bic(String),
    /// Its code, or bank and branch, as agreed with the receiving bank: 1-35 characters.
    Other(String),
}

/// A code of the ISO lists, or one agreed with the bank.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    Code(String),
    Proprietary(String),
}

/// How a bank wants its files.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    pub version: Version,
    pub charset: Charset,
    pub booking: Booking,
    #[serde(default)]
    pub charge_bearer: Option<ChargeBearer>,
    #[serde(default)]
    pub service_level: Option<Choice>,
    #[serde(default)]
    pub local_instrument: Option<Choice>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Version {
    #[serde(rename = "pain.001.001.03")]
    V03,
    #[serde(rename = "pain.001.001.09")]
    V09,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Charset {
    /// Names and texts as they are, Arabic included.
    Unicode,
    /// The SWIFT X character set; Arabic is transliterated.
    Latin,
}

/// How the orders should stand on the debtor's statement (`BtchBookg`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Booking {
    /// One debit with the sum.
    Batch,
    /// One debit per order.
    Single,
}

/// Who bears the banks' charges (`ChrgBr`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ChargeBearer {
    Debt,
    Cred,
    Shar,
    Slev,
}

/// One thing that keeps a file from being written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The `EndToEndId` of the order; None for the file itself.
    pub order: Option<String>,
    pub fault: Fault,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("a file needs at least one order")]
    NoOrders,
    #[error("{field} is not 1 to {max} characters of the bank's character set")]
    Characters { field: &'static str, max: usize },
    #[error("{0} has no character that the bank's character set can print")]
    Unprintable(&'static str),
    #[error("this EndToEndId stands twice in the file")]
    Repeated,
    #[error("the amount {0} is not positive, or in another currency than the file, or has over 18 digits")]
    Amount(Money),
    #[error("the sum of the orders has more than 18 digits")]
    Sum,
    #[error("{0:?} is not a BIC")]
    Bic(String),
    #[error("BIC {bic} and account {iban} name different banks")]
    OtherBank { bic: String, iban: Iban },
    #[error("without an IBAN the creditor's bank must be named")]
    NoAgent,
    #[error("the UETR is not a UUID of version 4")]
    Uetr,
}

/// The schema's limit on amounts and sums (`totalDigits`).
const MINOR_MAX: i64 = 999_999_999_999_999_999;

impl PaymentFile {
    /// Every problem of the file under the profile, or the sum of its orders.
    pub fn check(&self, profile: &Profile) -> Result<Money, Vec<Problem>> {
        let mut faults = Vec::new();
        reference("MsgId", &self.msg_id, profile.charset, &mut faults);
        name("the initiating party's name", &self.initiating_party, profile.charset, &mut faults);
        name("the debtor's name", &self.debtor, profile.charset, &mut faults);
        party(
            "the debtor's account",
            &self.debtor_account,
            self.debtor_agent.as_ref(),
            profile.charset,
            &mut faults,
        );
        choice("the service level", profile.service_level.as_ref(), 4, profile.charset, &mut faults);
        choice("the local instrument", profile.local_instrument.as_ref(), 35, profile.charset, &mut faults);
        if self.orders.is_empty() {
            faults.push(Fault::NoOrders);
        }
        // An amount in another currency is a problem of its order, not of the sum.
        let amounts = self.orders.iter().map(|order| order.money);
        let sum = Money::sum(self.currency, amounts.filter(|money| money.currency() == self.currency)).ok();
        let sum = sum.filter(|sum| sum.minor() <= MINOR_MAX);
        if sum.is_none() {
            faults.push(Fault::Sum);
        }
        let mut problems: Vec<_> = faults.into_iter().map(|fault| Problem { order: None, fault }).collect();
        let mut seen = HashSet::new();
        for order in &self.orders {
            let mut faults = order.faults(self.currency, profile.charset);
            if !seen.insert(order.end_to_end_id.as_str()) {
                faults.push(Fault::Repeated);
            }
            let name = &order.end_to_end_id;
            problems.extend(faults.into_iter().map(|fault| Problem { order: Some(name.clone()), fault }));
        }
        match sum {
            Some(sum) if problems.is_empty() => Ok(sum),
            _ => Err(problems),
        }
    }
}

impl PaymentOrder {
    fn faults(&self, currency: Currency, charset: Charset) -> Vec<Fault> {
        let mut faults = Vec::new();
        reference("EndToEndId", &self.end_to_end_id, charset, &mut faults);
        let random = |uetr: Uuid| uetr.get_version_num() == 4 && uetr.get_variant() == Variant::RFC4122;
        if self.uetr.is_some_and(|uetr| !random(uetr)) {
            faults.push(Fault::Uetr);
        }
        let money = self.money;
        if money.currency() != currency || !money.is_positive() || money.minor() > MINOR_MAX {
            faults.push(Fault::Amount(money));
        }
        name("the creditor's name", &self.creditor, charset, &mut faults);
        let agent = self.creditor_agent.as_ref();
        party("the creditor's account", &self.creditor_account, agent, charset, &mut faults);
        if agent.is_none() && matches!(self.creditor_account, Account::Other(_)) {
            faults.push(Fault::NoAgent);
        }
        if let Some(text) = &self.remittance {
            name("the remittance text", text, charset, &mut faults);
        }
        choice("the purpose", self.purpose.as_ref(), 4, charset, &mut faults);
        faults
    }
}

/// An identifier: never cut or altered, so it must fit as it is. `_` is outside the Latin set.
fn reference(field: &'static str, text: &str, charset: Charset, faults: &mut Vec<Fault>) {
    let slashes = text.starts_with('/') || text.ends_with('/') || text.contains("//");
    let fits = text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b'&'));
    if slashes || !fits {
        faults.push(Fault::Characters { field, max: 35 });
    } else {
        verbatim(field, text, 35, charset, faults);
    }
}

fn verbatim(field: &'static str, text: &str, max: usize, charset: Charset, faults: &mut Vec<Fault>) {
    if text.is_empty() || text.chars().count() > max || fit(text, charset, max) != text {
        faults.push(Fault::Characters { field, max });
    }
}

/// A text for people: may be transliterated and cut, but something must be left of it.
fn name(field: &'static str, text: &str, charset: Charset, faults: &mut Vec<Fault>) {
    if !fit(text, charset, 140).chars().any(char::is_alphanumeric) {
        faults.push(Fault::Unprintable(field));
    }
}

fn party(
    field: &'static str,
    account: &Account,
    agent: Option<&Agent>,
    charset: Charset,
    faults: &mut Vec<Fault>,
) {
    if let Account::Other(number) = account {
        verbatim(field, number, 34, charset, faults);
    }
    match agent {
        Some(Agent::Bic(bic)) if !is_bic(bic) => faults.push(Fault::Bic(bic.clone())),
        Some(Agent::Bic(bic)) => {
            if let Account::Iban(iban) = account
                && iban.bank_letters().is_some_and(|letters| !bic.starts_with(letters))
            {
                faults.push(Fault::OtherBank { bic: bic.clone(), iban: iban.clone() });
            }
        }
        Some(Agent::Other(code)) => verbatim("the bank's code", code, 35, charset, faults),
        None => {}
    }
}

fn choice(
    field: &'static str,
    choice: Option<&Choice>,
    code_max: usize,
    charset: Charset,
    faults: &mut Vec<Fault>,
) {
    match choice {
        Some(Choice::Code(code)) => verbatim(field, code, code_max, charset, faults),
        Some(Choice::Proprietary(code)) => verbatim(field, code, 35, charset, faults),
        None => {}
    }
}

/// Valid under the older, stricter pattern of the 2009 schemas and the newer one alike.
fn is_bic(text: &str) -> bool {
    let bytes = text.as_bytes();
    let location = |at: usize, forbidden: [u8; 2]| {
        bytes.get(at).is_some_and(|byte| {
            (byte.is_ascii_uppercase() || byte.is_ascii_digit()) && !forbidden.contains(byte)
        })
    };
    matches!(bytes.len(), 8 | 11)
        && bytes.iter().take(6).all(u8::is_ascii_uppercase)
        && location(6, *b"01")
        && location(7, *b"OO")
        && bytes.iter().skip(8).all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.order {
            Some(order) => write!(f, "order {order}: {}", self.fault),
            None => write!(f, "file: {}", self.fault),
        }
    }
}
