//! What a fee version says: typed inputs, components, exemptions and the law behind them.
//!
//! The types are plain data: `soundness` tells what is wrong with a version, `quoting::pricing` what it costs.
//! Their serialized form is the same document as in a catalogue file, and is what the store keeps.

use std::collections::BTreeMap;

use mizan_ledger::{Currency, Day, Rate};
use serde::{Deserialize, Serialize};

use super::quantity::Quantity;
use super::tariff::{RoundingRule, Tariff};
use super::words::{Bilingual, ServiceCode};
use crate::books::Slug;

/// The price rules of one service for a range of days. Never changed once charged: a new price is a new
/// version, so that a price can be computed again for any past day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FeeVersion {
    #[schema(value_type = String)]
    pub service: ServiceCode,
    /// Counts from 1 within the service.
    pub number: u32,
    #[serde(flatten)]
    pub valid: Validity,
    /// Every tariff below has an amount in each of these and in no other.
    pub currencies: Vec<Currency>,
    pub legal: LegalBasis,
    #[serde(default)]
    pub inputs: Vec<Input>,
    pub components: Vec<Component>,
    #[serde(default)]
    pub exemptions: Vec<Exemption>,
}

/// The days `[from, to)` in the agency's zone; without `to` until further notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Validity {
    pub from: Day,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Day>,
}

/// What follows from a version's days on a given day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Scheduled,
    Active,
    Retired,
}

/// By which law the fee is charged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LegalBasis {
    pub instrument: Bilingual,
    pub article: String,
    pub date: Day,
    /// Lower-case hexadecimal SHA-256 of the published document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document_sha256: Option<String>,
}

/// Something the applicant tells, on which the price may depend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = FeeInput)]
pub struct Input {
    pub code: Slug,
    pub name: Bilingual,
    #[serde(flatten)]
    pub kind: InputKind,
}

/// The type of an input and its bounds, both ends included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[schema(as = FeeInputKind)]
pub enum InputKind {
    Integer {
        min: i64,
        max: i64,
    },
    Decimal {
        decimals: u8,
        min: Quantity,
        max: Quantity,
    },
    /// A declared amount in the currency of the quote.
    Amount {
        min: Tariff,
        max: Tariff,
    },
    Choice {
        options: Vec<Choice>,
    },
    Boolean,
    /// Carried along, never priced.
    Text {
        chars_max: u16,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = FeeOption)]
pub struct Choice {
    pub code: Slug,
    pub name: Bilingual,
}

/// One part of the price: what it is, how it is computed, whose it is and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = FeeComponent)]
pub struct Component {
    pub code: Slug,
    pub name: Bilingual,
    #[serde(flatten)]
    pub rule: Rule,
    /// A surcharge: charged only when the condition holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Condition>,
    pub beneficiary: Beneficiary,
    /// General-ledger code of the beneficiary's books.
    pub gl: String,
    pub refund: RefundPolicy,
    #[serde(default)]
    pub release: Release,
    /// Article of the version's legal basis (or of the law it names).
    pub article: String,
    #[serde(default, skip_serializing_if = "RoundingRule::is_plain")]
    pub rounding: RoundingRule,
}

/// How a component is computed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schema(as = FeeRule)]
pub enum Rule {
    Fixed {
        amount: Tariff,
    },
    /// `amount` for each unit of a numeric input beyond the included ones.
    PerUnit {
        input: Slug,
        #[serde(default = "no_units")]
        included: Quantity,
        amount: Tariff,
    },
    /// A share of a declared amount or of other components before exemption, held between min and max.
    Percentage {
        rate: Rate,
        of: Base,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min: Option<Tariff>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<Tariff>,
    },
    /// An amount by range of a numeric input.
    Bands {
        input: Slug,
        scale: BandScale,
        bands: Vec<Band>,
    },
    /// An amount for each option of a choice.
    Choice {
        input: Slug,
        choices: BTreeMap<Slug, Tariff>,
    },
    /// A share of other components after exemption and rounding.
    Tax {
        rate: Rate,
        covers: Vec<Slug>,
    },
}

fn no_units() -> Quantity {
    Quantity::ZERO
}

/// What a percentage is taken of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FeeBase)]
pub enum Base {
    Input(Slug),
    Components(Vec<Slug>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BandScale {
    /// The amount of the range the value falls in.
    Flat,
    /// Each range's amount per unit that falls in it, added up.
    Graduated,
}

/// The range `[from, to)`; the last one has no end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = FeeBand)]
pub struct Band {
    pub from: Quantity,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Quantity>,
    pub amount: Tariff,
}

/// Holds when a boolean input is true (`is` empty), or a choice is one of `is`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = FeeCondition)]
pub struct Condition {
    pub input: Slug,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub is: Vec<Slug>,
}

/// Whose money a component is. The agency is the service's.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Beneficiary {
    Agency,
    /// A tax the agency collects and owes, by its code.
    AgencyTax(Slug),
    /// The treasury, by fund.
    Treasury(Slug),
    Hub,
}

/// Until when the money may be given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefundPolicy {
    Always,
    UntilDelivered,
    Never,
}

/// When the beneficiary may have the money.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Release {
    #[default]
    OnPayment,
    OnDelivery,
    AfterDays(u16),
}

/// A reason to charge less, proved by evidence and borne by the beneficiary of each covered component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Exemption {
    pub code: Slug,
    pub name: Bilingual,
    /// The document that must be named when it is claimed.
    pub evidence: Bilingual,
    pub covers: Vec<Slug>,
    /// The part not charged: `1` is all of it.
    pub rate: Rate,
    pub article: String,
}

impl Validity {
    pub fn contains(self, day: Day) -> bool {
        self.from <= day && self.to.is_none_or(|to| day < to)
    }

    pub fn overlaps(self, other: Self) -> bool {
        self.to.is_none_or(|to| other.from < to) && other.to.is_none_or(|to| self.from < to)
    }
}

impl FeeVersion {
    pub fn phase(&self, day: Day) -> Phase {
        match () {
            () if day < self.valid.from => Phase::Scheduled,
            () if self.valid.contains(day) => Phase::Active,
            () => Phase::Retired,
        }
    }

    pub fn input(&self, code: &str) -> Option<&Input> {
        self.inputs.iter().find(|input| input.code.as_str() == code)
    }

    pub fn component(&self, code: &Slug) -> Option<&Component> {
        self.components.iter().find(|component| component.code == *code)
    }

    pub fn exemption(&self, code: &str) -> Option<&Exemption> {
        self.exemptions.iter().find(|exemption| exemption.code.as_str() == code)
    }

    /// The places of the components in an order where each stands after those it is computed from; Err names
    /// the place of a component that is, by way of others, computed from itself.
    pub fn computing_order(&self) -> Result<Vec<usize>, usize> {
        let mut order: Vec<usize> = Vec::with_capacity(self.components.len());
        let place = |code: &Slug| self.components.iter().position(|component| component.code == *code);
        while order.len() < self.components.len() {
            let ready = |at: &usize| {
                let needed =
                    self.components.get(*at).map_or(&[][..], |component| component.rule.computed_from());
                needed.iter().filter_map(place).all(|needed| order.contains(&needed))
            };
            let waiting = (0..self.components.len()).filter(|at| !order.contains(at));
            let (next, stuck): (Vec<_>, Vec<_>) = waiting.partition(ready);
            if next.is_empty() {
                return Err(self.inside_the_circle(&stuck));
            }
            order.extend(next);
        }
        Ok(order)
    }

    /// Of components that wait for each other, one that truly stands in a circle (not merely behind it):
    /// after as many steps along what they wait for as there are components, one is inside.
    fn inside_the_circle(&self, stuck: &[usize]) -> usize {
        let mut at = stuck.first().copied().unwrap_or(0);
        for _ in stuck {
            let needed = self.components.get(at).map_or(&[][..], |component| component.rule.computed_from());
            let places =
                needed.iter().filter_map(|code| self.components.iter().position(|one| one.code == *code));
            at = places.filter(|place| stuck.contains(place)).min().unwrap_or(at);
        }
        at
    }
}

impl Rule {
    /// The components this one is computed from.
    pub fn computed_from(&self) -> &[Slug] {
        match self {
            Self::Percentage { of: Base::Components(codes), .. } | Self::Tax { covers: codes, .. } => codes,
            _ => &[],
        }
    }

    /// The input this one is computed from.
    pub fn input(&self) -> Option<&Slug> {
        match self {
            Self::PerUnit { input, .. } | Self::Bands { input, .. } | Self::Choice { input, .. } => {
                Some(input)
            }
            Self::Percentage { of: Base::Input(input), .. } => Some(input),
            Self::Fixed { .. } | Self::Percentage { .. } | Self::Tax { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_from_the_first_to_before_the_last_are_valid() {
        let day = |text: &str| text.parse::<Day>().unwrap();
        let range = |from, to: Option<&str>| Validity { from: day(from), to: to.map(day) };
        let year = range("2026-01-01", Some("2027-01-01"));
        for (text, inside) in
            [("2025-12-31", false), ("2026-01-01", true), ("2026-12-31", true), ("2027-01-01", false)]
        {
            assert_eq!(year.contains(day(text)), inside, "{text}");
        }
        assert!(!year.overlaps(range("2027-01-01", None)));
        assert!(year.overlaps(range("2026-12-31", None)));
        assert!(year.overlaps(range("2020-01-01", None)));
        assert!(!year.overlaps(range("2020-01-01", Some("2026-01-01"))));
    }
}
