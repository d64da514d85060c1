//! Why something has no price: every fault of a request at once, each with its field.

use std::fmt;

use serde::Serialize;

/// All faults of one request; never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no price: {}", join(faults))]
pub struct PriceError {
    pub faults: Vec<PriceFault>,
}

fn join(faults: &[PriceFault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// One fault: a JSON pointer to the field, a stable code, the value given and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PriceFault {
    pub field: String,
    pub code: PriceCode,
    /// What was given, shortened; None when nothing was.
    pub value: Option<String>,
    /// What is expected, as `1..500` or `standard | urgent`.
    pub expected: Option<String>,
}

/// The closed list of reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceCode {
    ServiceUnknown,
    /// No version of the service is in force.
    NoVersion,
    InputMissing,
    InputUnknown,
    InputType,
    InputOutOfBounds,
    /// The version has no tariff in this currency; none is ever derived from another.
    CurrencyNotOffered,
    NotValidOnDay,
    ExemptionUnknown,
    EvidenceMissing,
    /// The sum does not fit a number of minor units.
    AmountOutOfRange,
    BasketEmpty,
    BasketTooLarge,
    /// The version itself is defective; no checked catalogue holds one.
    VersionUnsound,
}

impl PriceCode {
    pub const ALL: [Self; 14] = [
        Self::ServiceUnknown,
        Self::NoVersion,
        Self::InputMissing,
        Self::InputUnknown,
        Self::InputType,
        Self::InputOutOfBounds,
        Self::CurrencyNotOffered,
        Self::NotValidOnDay,
        Self::ExemptionUnknown,
        Self::EvidenceMissing,
        Self::AmountOutOfRange,
        Self::BasketEmpty,
        Self::BasketTooLarge,
        Self::VersionUnsound,
    ];

    pub const fn slug(self) -> &'static str {
        match self {
            Self::ServiceUnknown => "service_unknown",
            Self::NoVersion => "no_version",
            Self::InputMissing => "input_missing",
            Self::InputUnknown => "input_unknown",
            Self::InputType => "input_type",
            Self::InputOutOfBounds => "input_out_of_bounds",
            Self::CurrencyNotOffered => "currency_not_offered",
            Self::NotValidOnDay => "not_valid_on_day",
            Self::ExemptionUnknown => "exemption_unknown",
            Self::EvidenceMissing => "evidence_missing",
            Self::AmountOutOfRange => "amount_out_of_range",
            Self::BasketEmpty => "basket_empty",
            Self::BasketTooLarge => "basket_too_large",
            Self::VersionUnsound => "version_unsound",
        }
    }
}

const SHOWN_CHARS_MAX: usize = 60;

impl PriceFault {
    pub(super) fn new(field: impl Into<String>, code: PriceCode) -> Self {
        Self { field: field.into(), code, value: None, expected: None }
    }

    pub(super) fn value(mut self, value: impl fmt::Display) -> Self {
        self.value = Some(value.to_string().chars().take(SHOWN_CHARS_MAX).collect());
        self
    }

    pub(super) fn expected(mut self, expected: impl fmt::Display) -> Self {
        self.expected = Some(expected.to_string());
        self
    }

    /// The version names what is not there: a catalogue fault, not the caller's.
    pub(super) fn unsound(component: impl fmt::Display) -> Self {
        Self::new("/service", PriceCode::VersionUnsound).value(component)
    }

    pub(super) fn out_of_range() -> Self {
        Self::new("", PriceCode::AmountOutOfRange)
    }

    /// The same fault seen from the request that holds this line.
    pub(super) fn within(mut self, line: usize) -> Self {
        if self.field != "/currency" {
            self.field = format!("/lines/{line}{}", self.field);
        }
        self
    }
}

impl fmt::Display for PriceFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field, self.code.slug())?;
        if let Some(value) = &self.value {
            write!(f, " {value:?}")?;
        }
        match &self.expected {
            Some(expected) => write!(f, " (expected {expected})"),
            None => Ok(()),
        }
    }
}

impl From<PriceFault> for PriceError {
    fn from(fault: PriceFault) -> Self {
        Self { faults: vec![fault] }
    }
}

/// One step of a JSON pointer (RFC 6901, section 3).
pub(super) fn step(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
