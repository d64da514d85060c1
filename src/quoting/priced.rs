//! A price: lines that say what is charged, for whom and why, and their exact sum.

use std::collections::BTreeMap;

use mizan_ledger::{Currency, Day, Money};
use serde::{Deserialize, Serialize};

use super::inputs::Claim;
use crate::catalogue::{Beneficiary, Bilingual, RefundPolicy, Release, ServiceCode, Slug};

/// What one service costs on one day. The total is the sum of the lines, to the last minor unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Priced {
    pub service: ServiceCode,
    /// Number of the fee version.
    pub version: u32,
    pub day: Day,
    pub currency: Currency,
    /// Every input in its one spelling.
    pub inputs: BTreeMap<Slug, String>,
    /// The exemption applied, with the document that proved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<Claim>,
    pub lines: Vec<Line>,
    /// The rules that did not apply, and why.
    pub lost: Vec<Lost>,
    pub total: Money,
}

/// One line of a price. A component has one charge line, at most one rounding line and at most one exemption
/// line after it; together they are what its beneficiary is owed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub component: Slug,
    pub part: Part,
    pub name: Bilingual,
    /// Zero or more in a charge, of either sign in a rounding, zero or less in an exemption.
    pub amount: Money,
    pub beneficiary: Beneficiary,
    pub refund: RefundPolicy,
    pub release: Release,
    pub gl: String,
    pub article: String,
    pub explanation: Bilingual,
}

/// What a line is of its component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    Charge,
    /// What rounding to the step added or took.
    Rounding,
    /// What the named exemption took.
    Exemption(Slug),
}

/// A component or exemption that did not apply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    pub rule: Slug,
    pub name: Bilingual,
    pub explanation: Bilingual,
}

/// What is owed for one component after rounding and exemption: the amount the books post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Net<'a> {
    /// The component's charge line, for beneficiary, policies and codes.
    pub charge: &'a Line,
    pub amount: Money,
    /// The part not charged by exemption, zero or more.
    pub exempted: Money,
}

impl Priced {
    /// One entry for each component, in the version's order; never negative; they add up to the total.
    pub fn nets(&self) -> Vec<Net<'_>> {
        let charges = self.lines.iter().filter(|line| line.part == Part::Charge);
        charges.map(|charge| self.net(charge)).collect()
    }

    fn net<'a>(&'a self, charge: &'a Line) -> Net<'a> {
        let mut net =
            Net { charge, amount: Money::zero(self.currency), exempted: Money::zero(self.currency) };
        for line in self.lines.iter().filter(|line| line.component == charge.component) {
            // Pricing has added the same amounts up before; saturation only bounds hand-made values.
            let add = |sum: Money, minor: i64| Money::new(sum.minor().saturating_add(minor), self.currency);
            net.amount = add(net.amount, line.amount.minor());
            if matches!(line.part, Part::Exemption(_)) {
                net.exempted = add(net.exempted, line.amount.minor().saturating_neg());
            }
        }
        net
    }
}
