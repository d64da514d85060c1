//! What the caller gives: inputs by code and perhaps a claim of exemption, read against a version.

use std::collections::BTreeMap;
use std::fmt;

use mizan_ledger::{Currency, Money};
use serde::{Deserialize, Deserializer, Serialize};

use super::refusal::{PriceCode, PriceFault, step};
use crate::catalogue::{Exemption, FeeVersion, InputKind, Quantity, Slug, is_sha256};

/// Inputs by code, as they arrived.
pub type Inputs = BTreeMap<String, Given>;

/// A value as it arrived. Decimals and amounts are texts, never JSON numbers with a fraction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Given {
    Boolean(bool),
    Integer(i64),
    Text(String),
    /// Anything else, kept to be refused with its field.
    Other(String),
}

impl<'de> Deserialize<'de> for Given {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::Bool(truth) => Self::Boolean(truth),
            serde_json::Value::String(text) => Self::Text(text),
            serde_json::Value::Number(number) => match number.as_i64() {
                Some(integer) => Self::Integer(integer),
                None => Self::Other(number.to_string()),
            },
            other => Self::Other(other.to_string()),
        })
    }
}

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean(truth) => truth.fmt(f),
            Self::Integer(integer) => integer.fmt(f),
            Self::Text(text) | Self::Other(text) => f.write_str(text),
        }
    }
}

impl From<i64> for Given {
    fn from(integer: i64) -> Self {
        Self::Integer(integer)
    }
}

impl From<bool> for Given {
    fn from(truth: bool) -> Self {
        Self::Boolean(truth)
    }
}

impl From<&str> for Given {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// The payer says an exemption holds for this line, and by which document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ExemptionClaim)]
pub struct Claim {
    pub code: String,
    pub evidence: Option<Evidence>,
}

/// The document that proves an exemption: who issued it, and its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ExemptionEvidence)]
pub struct Evidence {
    pub issuer: String,
    pub number: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document_sha256: Option<String>,
}

/// A value read by its input's type and within its bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Number(Quantity),
    Amount(Money),
    Choice(Slug),
    Boolean(bool),
    Text(String),
}

pub(super) type Values = BTreeMap<Slug, Value>;

/// The one spelling of a value that is kept, signed and shown.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(quantity) => quantity.fmt(f),
            Self::Amount(amount) => f.write_str(&amount.amount()),
            Self::Choice(option) => option.fmt(f),
            Self::Boolean(truth) => truth.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// Reads every declared input and reports every undeclared one.
pub(super) fn read(
    version: &FeeVersion,
    inputs: &Inputs,
    currency: Currency,
    faults: &mut Vec<PriceFault>,
) -> Values {
    let mut values = Values::new();
    for input in &version.inputs {
        let field = format!("/inputs/{}", input.code);
        let Some(given) = inputs.get(input.code.as_str()) else {
            faults
                .push(PriceFault::new(field, PriceCode::InputMissing).expected(shape(&input.kind, currency)));
            continue;
        };
        match read_one(&input.kind, given, currency) {
            Ok(value) => drop(values.insert(input.code.clone(), value)),
            Err(code) => {
                faults.push(PriceFault::new(field, code).value(given).expected(shape(&input.kind, currency)));
            }
        }
    }
    for (code, given) in inputs.iter().filter(|(code, _)| version.input(code).is_none()) {
        let field = format!("/inputs/{}", step(code));
        faults.push(PriceFault::new(field, PriceCode::InputUnknown).value(given));
    }
    values
}

fn read_one(kind: &InputKind, given: &Given, currency: Currency) -> Result<Value, PriceCode> {
    use PriceCode::{CurrencyNotOffered, InputOutOfBounds, InputType};
    let within = |inside: bool, value: Value| if inside { Ok(value) } else { Err(InputOutOfBounds) };
    match (kind, given) {
        (InputKind::Integer { min, max }, Given::Integer(number)) => {
            let quantity = Quantity::whole(*number).ok_or(InputOutOfBounds)?;
            within((min..=max).contains(&number), Value::Number(quantity))
        }
        (InputKind::Decimal { .. }, Given::Integer(number)) => {
            read_one(kind, &Given::Text(number.to_string()), currency)
        }
        (InputKind::Decimal { decimals, min, max }, Given::Text(text)) => {
            let quantity: Quantity = text.parse().map_err(|_| InputType)?;
            let written = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
            if written > usize::from(*decimals) {
                return Err(InputType);
            }
            within((min..=max).contains(&&quantity), Value::Number(quantity))
        }
        (InputKind::Amount { min, max }, Given::Text(text)) => {
            let amount = Money::parse(text, currency).map_err(|_| InputType)?;
            let (least, most) = min.get(currency).zip(max.get(currency)).ok_or(CurrencyNotOffered)?;
            within((least.minor()..=most.minor()).contains(&amount.minor()), Value::Amount(amount))
        }
        (InputKind::Choice { options }, Given::Text(text)) => {
            let option = options.iter().find(|option| option.code.as_str() == text);
            option.map(|option| Value::Choice(option.code.clone())).ok_or(InputOutOfBounds)
        }
        (InputKind::Boolean, Given::Boolean(truth)) => Ok(Value::Boolean(*truth)),
        (InputKind::Text { chars_max }, Given::Text(text)) => {
            let length = text.chars().count();
            let inside =
                (1..=usize::from(*chars_max)).contains(&length) && !text.chars().any(char::is_control);
            within(inside, Value::Text(text.clone()))
        }
        _ => Err(InputType),
    }
}

/// What an input accepts, in few words.
fn shape(kind: &InputKind, currency: Currency) -> String {
    match kind {
        InputKind::Integer { min, max } => format!("{min}..{max}"),
        InputKind::Decimal { decimals, min, max } => format!("\"{min}\"..\"{max}\", {decimals} decimals"),
        InputKind::Amount { min, max } => match (min.get(currency), max.get(currency)) {
            (Some(min), Some(max)) => format!("\"{}\"..\"{}\" {currency}", min.amount(), max.amount()),
            _ => "an amount".to_owned(),
        },
        InputKind::Choice { options } => {
            options.iter().map(|option| option.code.as_str()).collect::<Vec<_>>().join(" | ")
        }
        InputKind::Boolean => "true | false".to_owned(),
        InputKind::Text { chars_max } => format!("text of 1..{chars_max} characters in one line"),
    }
}

const EVIDENCE_CHARS_MAX: usize = 100;

/// The exemption a claim names, when its evidence is complete.
pub(super) fn claimed<'v>(
    version: &'v FeeVersion,
    claim: &Claim,
    faults: &mut Vec<PriceFault>,
) -> Option<&'v Exemption> {
    let Some(exemption) = version.exemption(&claim.code) else {
        let known = version.exemptions.iter().map(|one| one.code.as_str()).collect::<Vec<_>>().join(" | ");
        faults.push(
            PriceFault::new("/exemption/code", PriceCode::ExemptionUnknown)
                .value(&claim.code)
                .expected(known),
        );
        return None;
    };
    let missing =
        |field: &str| PriceFault::new(field, PriceCode::EvidenceMissing).expected(&exemption.evidence.en);
    let Some(evidence) = &claim.evidence else {
        faults.push(missing("/exemption/evidence"));
        return None;
    };
    for (field, text) in
        [("/exemption/evidence/issuer", &evidence.issuer), ("/exemption/evidence/number", &evidence.number)]
    {
        let sound = !text.trim().is_empty()
            && text.chars().count() <= EVIDENCE_CHARS_MAX
            && !text.chars().any(char::is_control);
        if !sound {
            faults.push(missing(field).value(text));
        }
    }
    if let Some(hash) = &evidence.document_sha256
        && !is_sha256(hash)
    {
        let fault = PriceFault::new("/exemption/evidence/document_sha256", PriceCode::EvidenceMissing);
        faults.push(fault.value(hash).expected("64 lower-case hexadecimal digits"));
    }
    Some(exemption)
}
