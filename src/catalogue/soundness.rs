//! Every reason not to believe a fee version, found at once, each with its place.
//!
//! A version without defects always has a price for inputs within its bounds; `quoting::pricing` relies on it
//! for the quality of its answers, never for its safety.

mod inputs;
mod rules;

use std::collections::BTreeSet;

use mizan_ledger::Rate;

use super::fee::{Component, Exemption, FeeVersion, Release, Rule};
use super::tariff::Tariff;
use super::words::Bilingual;
use crate::books::Slug;

/// Something wrong with a fee version: where (a JSON pointer into its document) and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defect {
    pub at: String,
    pub what: String,
}

pub(super) const NAME_CHARS_MAX: usize = 200;
const CODE_CHARS_MAX: usize = 60;
const LIST_MAX: usize = 100;

/// What the checks of one version share.
struct Check<'a> {
    version: &'a FeeVersion,
    defects: Vec<Defect>,
}

impl FeeVersion {
    /// All defects of this version by itself; what depends on its neighbours is checked with the service.
    pub fn defects(&self) -> Vec<Defect> {
        let mut check = Check { version: self, defects: Vec::new() };
        check.head();
        check.inputs();
        check.components();
        check.exemptions();
        check.unused_inputs();
        check.defects
    }
}

impl Check<'_> {
    fn report(&mut self, at: impl Into<String>, what: impl Into<String>) {
        self.defects.push(Defect { at: at.into(), what: what.into() });
    }

    fn head(&mut self) {
        let version = self.version;
        if version.number == 0 {
            self.report("/number", "versions are numbered from 1");
        }
        if version.valid.to.is_some_and(|to| to <= version.valid.from) {
            self.report("/to", "the version ends before it begins: `to` is the first day it no longer holds");
        }
        if version.currencies.is_empty() {
            self.report("/currencies", "at least one currency is needed");
        }
        let mut seen = BTreeSet::new();
        for currency in &version.currencies {
            if !seen.insert(currency) {
                self.report("/currencies", format!("{currency} stands twice"));
            }
        }
        self.text("/legal/instrument", &version.legal.instrument);
        self.code("/legal/article", &version.legal.article);
        if let Some(hash) = &version.legal.document_sha256
            && !is_sha256(hash)
        {
            self.report("/legal/document_sha256", "64 lower-case hexadecimal digits are expected");
        }
        if version.components.is_empty() {
            self.report("/components", "a price needs at least one component (its amount may be zero)");
        }
        for (at, length) in [
            ("/inputs", version.inputs.len()),
            ("/components", version.components.len()),
            ("/exemptions", version.exemptions.len()),
        ] {
            if length > LIST_MAX {
                self.report(at, format!("{length} entries; at most {LIST_MAX} are allowed"));
            }
        }
    }

    fn components(&mut self) {
        let version = self.version;
        self.unique("/components", version.components.iter().map(|component| &component.code));
        for (index, component) in version.components.iter().enumerate() {
            let at = format!("/components/{index}");
            self.component(&at, component);
        }
        if let Err(index) = version.computing_order()
            && let Some(component) = version.components.get(index)
        {
            let base = if matches!(component.rule, Rule::Tax { .. }) { "covers" } else { "of" };
            self.report(
                format!("/components/{index}/{base}"),
                format!("`{}` is computed from itself, by way of the components it names", component.code),
            );
        }
    }

    fn component(&mut self, at: &str, component: &Component) {
        self.text(&format!("{at}/name"), &component.name);
        self.code(&format!("{at}/gl"), &component.gl);
        self.code(&format!("{at}/article"), &component.article);
        if component.release == Release::AfterDays(0) {
            self.report(format!("{at}/release"), "`after_days` is at least 1; `on_payment` is at once");
        }
        for (currency, step) in &component.rounding.step_minor {
            if *step < 1 {
                self.report(format!("{at}/rounding"), format!("the step of {currency} is at least 1"));
            }
            if !self.version.currencies.contains(currency) {
                self.report(
                    format!("{at}/rounding"),
                    format!("{currency} is not a currency of this version"),
                );
            }
        }
        if let Some(condition) = &component.when {
            self.condition(&format!("{at}/when"), condition);
        }
        self.rule(at, &component.rule);
    }

    fn exemptions(&mut self) {
        let version = self.version;
        self.unique("/exemptions", version.exemptions.iter().map(|exemption| &exemption.code));
        for (index, exemption) in version.exemptions.iter().enumerate() {
            self.exemption(&format!("/exemptions/{index}"), exemption);
        }
    }

    fn exemption(&mut self, at: &str, exemption: &Exemption) {
        self.text(&format!("{at}/name"), &exemption.name);
        self.text(&format!("{at}/evidence"), &exemption.evidence);
        self.code(&format!("{at}/article"), &exemption.article);
        if exemption.rate.is_negative() || exemption.rate == Rate::zero() || exceeds_one(exemption.rate) {
            self.report(format!("{at}/rate"), "the part not charged is above 0 and at most 1");
        }
        self.components_named(&format!("{at}/covers"), &exemption.covers);
        for code in &exemption.covers {
            let Some(Component { rule: Rule::Tax { covers, .. }, .. }) = self.version.component(code) else {
                continue;
            };
            if let Some(both) = covers.iter().find(|taxed| exemption.covers.contains(taxed)) {
                self.report(
                    format!("{at}/covers"),
                    format!(
                        "the tax `{code}` is already taken of what is left of `{both}`: name only one of them"
                    ),
                );
            }
        }
    }

    /// Every code names a component, and none twice.
    fn components_named(&mut self, at: &str, codes: &[Slug]) {
        if codes.is_empty() {
            self.report(at, "at least one component is needed");
        }
        self.unique(at, codes.iter());
        for code in codes {
            if self.version.component(code).is_none() {
                self.report(at, format!("there is no component `{code}`"));
            }
        }
    }

    /// The tariff has an amount in each currency of the version, in no other, and none below zero.
    fn tariff(&mut self, at: &str, tariff: &Tariff) {
        for currency in &self.version.currencies {
            if tariff.get(*currency).is_none() {
                self.report(at, format!("an amount in {currency} is missing"));
            }
        }
        for amount in tariff.amounts() {
            let currency = amount.currency();
            if !self.version.currencies.contains(&currency) {
                self.report(at, format!("{currency} is not a currency of this version"));
            }
            if amount.is_negative() {
                self.report(at, format!("{amount} is below zero; what lowers a price is an exemption"));
            }
        }
    }

    /// `low` is nowhere above `high`.
    fn tariffs_ordered(&mut self, at: &str, low: &Tariff, high: &Tariff) {
        for amount in low.amounts() {
            if high.get(amount.currency()).is_some_and(|most| most.minor() < amount.minor()) {
                self.report(at, format!("the minimum in {} is above the maximum", amount.currency()));
            }
        }
    }

    fn unique<'c>(&mut self, at: &str, codes: impl Iterator<Item = &'c Slug>) {
        let mut seen = BTreeSet::new();
        for (index, code) in codes.enumerate() {
            if !seen.insert(code) {
                self.report(format!("{at}/{index}"), format!("`{code}` stands twice"));
            }
        }
    }

    fn text(&mut self, at: &str, text: &Bilingual) {
        if let Some((language, what)) = text.defect(NAME_CHARS_MAX) {
            self.report(format!("{at}/{language}"), what);
        }
    }

    /// A reference printed on receipts: an article, a general-ledger code.
    fn code(&mut self, at: &str, code: &str) {
        let sound = !code.trim().is_empty()
            && code.chars().count() <= CODE_CHARS_MAX
            && !code.chars().any(char::is_control);
        if !sound {
            self.report(at, format!("one line of 1 to {CODE_CHARS_MAX} characters is expected"));
        }
    }
}

pub(super) fn exceeds_one(rate: Rate) -> bool {
    rate.decimal() > rust_decimal::Decimal::ONE
}

pub(crate) fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}
