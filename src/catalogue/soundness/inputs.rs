//! The inputs of a version: bounds that can be met, options that differ, nothing asked in vain.

use super::super::fee::{Choice, InputKind};
use super::super::quantity::Quantity;
use super::Check;

const DECIMALS_MAX: u8 = 6;
const TEXT_CHARS_MAX: u16 = 500;

impl Check<'_> {
    pub(super) fn inputs(&mut self) {
        let version = self.version;
        self.unique("/inputs", version.inputs.iter().map(|input| &input.code));
        for (index, input) in version.inputs.iter().enumerate() {
            let at = format!("/inputs/{index}");
            self.text(&format!("{at}/name"), &input.name);
            self.input_kind(&at, &input.kind);
        }
    }

    fn input_kind(&mut self, at: &str, kind: &InputKind) {
        match kind {
            InputKind::Integer { min, max } => match (Quantity::whole(*min), Quantity::whole(*max)) {
                (None, _) => self.report(format!("{at}/min"), "the least value is 0 or more"),
                (_, None) => self.report(format!("{at}/max"), "the greatest value is out of range"),
                (Some(least), Some(most)) => self.bounds(at, least, most),
            },
            InputKind::Decimal { decimals, min, max } => {
                if !(1..=DECIMALS_MAX).contains(decimals) {
                    self.report(
                        format!("{at}/decimals"),
                        format!("1 to {DECIMALS_MAX} decimals are possible"),
                    );
                }
                for (key, bound) in [("min", min), ("max", max)] {
                    if bound.decimals() > usize::from(*decimals) {
                        self.report(
                            format!("{at}/{key}"),
                            format!("{bound} has more than {decimals} decimals"),
                        );
                    }
                }
                self.bounds(at, *min, *max);
            }
            InputKind::Amount { min, max } => {
                self.tariff(&format!("{at}/min"), min);
                self.tariff(&format!("{at}/max"), max);
                self.tariffs_ordered(&format!("{at}/max"), min, max);
            }
            InputKind::Choice { options } => self.options(at, options),
            InputKind::Boolean => {}
            InputKind::Text { chars_max } => {
                if !(1..=TEXT_CHARS_MAX).contains(chars_max) {
                    self.report(format!("{at}/chars_max"), format!("1 to {TEXT_CHARS_MAX} is possible"));
                }
            }
        }
    }

    fn bounds(&mut self, at: &str, least: Quantity, most: Quantity) {
        if most < least {
            self.report(format!("{at}/max"), format!("the greatest value {most} is below the least {least}"));
        }
    }

    fn options(&mut self, at: &str, options: &[Choice]) {
        let at = format!("{at}/options");
        if options.len() < 2 {
            self.report(&at, "a choice needs at least two options");
        }
        self.unique(&at, options.iter().map(|option| &option.code));
        for (index, option) in options.iter().enumerate() {
            self.text(&format!("{at}/{index}/name"), &option.name);
        }
    }

    /// An input that no rule reads was probably meant for one. Text is for people and needs no rule.
    pub(super) fn unused_inputs(&mut self) {
        let version = self.version;
        for (index, input) in version.inputs.iter().enumerate() {
            let used = version.components.iter().any(|component| {
                component.rule.input() == Some(&input.code)
                    || component.when.as_ref().is_some_and(|condition| condition.input == input.code)
            });
            if !used && !matches!(input.kind, InputKind::Text { .. }) {
                self.report(format!("/inputs/{index}/code"), format!("no component uses `{}`", input.code));
            }
        }
    }
}
