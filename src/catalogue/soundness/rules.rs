//! The rules of components: what they refer to exists and fits, and every value within bounds has a price.

use std::collections::BTreeMap;

use mizan_ledger::Rate;

use super::super::fee::{Band, Base, Condition, Input, InputKind, Rule};
use super::super::quantity::Quantity;
use super::super::tariff::Tariff;
use super::{Check, exceeds_one};
use crate::books::Slug;

impl Check<'_> {
    pub(super) fn rule(&mut self, at: &str, rule: &Rule) {
        match rule {
            Rule::Fixed { amount } => self.tariff(&format!("{at}/amount"), amount),
            Rule::PerUnit { input, amount, .. } => {
                self.tariff(&format!("{at}/amount"), amount);
                self.numeric_input(at, input);
            }
            Rule::Percentage { rate, of, min, max } => {
                self.positive(&format!("{at}/rate"), *rate);
                self.base(at, of);
                for (key, bound) in [("min", min), ("max", max)] {
                    if let Some(bound) = bound {
                        self.tariff(&format!("{at}/{key}"), bound);
                    }
                }
                if let (Some(min), Some(max)) = (min, max) {
                    self.tariffs_ordered(&format!("{at}/max"), min, max);
                }
            }
            Rule::Bands { input, bands, .. } => {
                for (index, band) in bands.iter().enumerate() {
                    self.tariff(&format!("{at}/bands/{index}/amount"), &band.amount);
                }
                if let Some((least, most)) = self.numeric_input(at, input) {
                    self.bands(&format!("{at}/bands"), bands, least, most);
                }
            }
            Rule::Choice { input, choices } => self.choices(at, input, choices),
            Rule::Tax { rate, covers } => {
                self.positive(&format!("{at}/rate"), *rate);
                if exceeds_one(*rate) {
                    self.report(format!("{at}/rate"), "a tax above the whole: 16% is written 0.16");
                }
                self.components_named(&format!("{at}/covers"), covers);
            }
        }
    }

    fn positive(&mut self, at: &str, rate: Rate) {
        if rate.is_negative() || rate == Rate::zero() {
            self.report(at, "the rate is above zero: 16% is written 0.16");
        }
    }

    fn base(&mut self, at: &str, of: &Base) {
        match of {
            Base::Components(codes) => self.components_named(&format!("{at}/of"), codes),
            Base::Input(code) => {
                if let Some(input) = self.known_input(&format!("{at}/of"), code)
                    && !matches!(input.kind, InputKind::Amount { .. })
                {
                    self.report(format!("{at}/of"), format!("the input `{code}` is not an amount"));
                }
            }
        }
    }

    fn known_input(&mut self, at: &str, code: &Slug) -> Option<&Input> {
        let version = self.version;
        let found = version.input(code.as_str());
        if found.is_none() {
            self.report(at, format!("there is no input `{code}`"));
        }
        found
    }

    /// The bounds of the numeric input `code`, or a report.
    fn numeric_input(&mut self, at: &str, code: &Slug) -> Option<(Quantity, Quantity)> {
        let at = format!("{at}/input");
        let bounds = match &self.known_input(&at, code)?.kind {
            InputKind::Integer { min, max } => Quantity::whole(*min).zip(Quantity::whole(*max)),
            InputKind::Decimal { min, max, .. } => Some((*min, *max)),
            _ => {
                self.report(at, format!("the input `{code}` is not a number"));
                None
            }
        };
        bounds.filter(|(least, most)| least <= most)
    }

    /// Ranges follow each other without overlap or gap and hold every value from `least` to `most`.
    fn bands(&mut self, at: &str, bands: &[Band], least: Quantity, most: Quantity) {
        let Some(first) = bands.first() else {
            self.report(at, "at least one range is needed");
            return;
        };
        if least < first.from {
            self.report(
                format!("{at}/0/from"),
                format!("the input may be {least}, the first range begins at {}", first.from),
            );
        }
        for (index, band) in bands.iter().enumerate() {
            if band.to.is_some_and(|to| to <= band.from) {
                self.report(format!("{at}/{index}/to"), "the range ends before it begins");
            }
            let next_from = bands.get(index + 1).map(|next| next.from);
            match (band.to, next_from) {
                (Some(to), Some(next)) if next < to => self.report(
                    format!("{at}/{}/from", index + 1),
                    format!("the range overlaps the one before, which ends below {to}"),
                ),
                (Some(to), Some(next)) if next > to => self.report(
                    format!("{at}/{}/from", index + 1),
                    format!("nothing is said from {to} to below {next}"),
                ),
                (None, Some(_)) => {
                    self.report(format!("{at}/{index}"), "only the last range may be without an end");
                }
                (Some(to), None) if to <= most => self.report(
                    format!("{at}/{index}/to"),
                    format!("the input may be {most}, the last range ends below {to}"),
                ),
                _ => {}
            }
        }
    }

    fn choices(&mut self, at: &str, code: &Slug, choices: &BTreeMap<Slug, Tariff>) {
        for (option, amount) in choices {
            self.tariff(&format!("{at}/choices/{option}"), amount);
        }
        let Some(options) = self.options_of(&format!("{at}/input"), code) else { return };
        for option in &options {
            if !choices.contains_key(option) {
                self.report(
                    format!("{at}/choices"),
                    format!("an amount for the option `{option}` is missing"),
                );
            }
        }
        for option in choices.keys().filter(|option| !options.contains(option)) {
            self.report(format!("{at}/choices/{option}"), format!("`{code}` has no option `{option}`"));
        }
    }

    fn options_of(&mut self, at: &str, code: &Slug) -> Option<Vec<Slug>> {
        if let InputKind::Choice { options } = &self.known_input(at, code)?.kind {
            return Some(options.iter().map(|option| option.code.clone()).collect());
        }
        self.report(at, format!("the input `{code}` is not a choice"));
        None
    }

    pub(super) fn condition(&mut self, at: &str, condition: &Condition) {
        let code = &condition.input;
        if condition.is.is_empty() {
            if let Some(input) = self.known_input(at, code)
                && input.kind != InputKind::Boolean
            {
                self.report(
                    at,
                    format!("the input `{code}` is not a boolean; `is` names options of a choice"),
                );
            }
            return;
        }
        let Some(options) = self.options_of(at, code) else { return };
        for option in condition.is.iter().filter(|option| !options.contains(option)) {
            self.report(at, format!("`{code}` has no option `{option}`"));
        }
    }
}
