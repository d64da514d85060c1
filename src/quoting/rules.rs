//! What one component costs by its rule, before exemption.

use mizan_ledger::{Currency, Money, Rate};

use super::explain;
use super::inputs::{Value, Values};
use super::refusal::{PriceCode, PriceFault};
use crate::catalogue::{
    Band, BandScale, Base, Bilingual, Component, Condition, FeeVersion, InputKind, Quantity, Rule, Slug,
    Tariff,
};

/// A component's amount: in minor units, then what rounding to the step adds or takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Charge {
    pub amount: Money,
    pub rounding: Money,
    pub explanation: Bilingual,
}

/// A rule applies or it does not; both are explained.
pub(super) enum Verdict {
    Applies(Charge),
    Lost(Bilingual),
}

/// What components computed so far are charged: all of it, and what exemption leaves. None when lost.
pub(super) trait Charged {
    fn gross(&self, component: &Slug) -> Option<Money>;
    fn net(&self, component: &Slug) -> Option<Money>;
}

/// One component in the light of the inputs.
pub(super) struct Computing<'a> {
    pub version: &'a FeeVersion,
    pub values: &'a Values,
    pub currency: Currency,
    pub component: &'a Component,
}

impl Computing<'_> {
    pub(super) fn verdict(&self, charged: &impl Charged) -> Result<Verdict, PriceFault> {
        if let Some(condition) = &self.component.when
            && let Some(lost) = self.condition_lost(condition)?
        {
            return Ok(Verdict::Lost(lost));
        }
        let charge = match &self.component.rule {
            Rule::Fixed { amount } => self.whole(self.tariff(amount)?, explain::fixed()),
            Rule::PerUnit { input, included, amount } => self.per_unit(input, *included, amount)?,
            Rule::Percentage { rate, of, min, max } => {
                let Some(base) = self.base(of, charged)? else {
                    return Ok(Verdict::Lost(explain::nothing_charged()));
                };
                self.percentage(*rate, base, min.as_ref(), max.as_ref())?
            }
            Rule::Bands { input, scale: BandScale::Flat, bands } => self.flat(input, bands)?,
            Rule::Bands { input, scale: BandScale::Graduated, bands } => self.graduated(input, bands)?,
            Rule::Choice { input, choices } => {
                let option = self.choice(input)?;
                let amount = self.tariff(choices.get(option).ok_or_else(|| self.unsound())?)?;
                let names = self.option_names(input, option)?;
                self.whole(amount, explain::choice(names.0, names.1, choices.len().saturating_sub(1)))
            }
            Rule::Tax { rate, covers } => {
                let Some(base) = self.sum(covers, |code| charged.net(code))? else {
                    return Ok(Verdict::Lost(explain::nothing_charged()));
                };
                let covered = covers.iter().filter(|code| charged.net(code).is_some());
                let names: Vec<_> =
                    covered.filter_map(|code| self.version.component(code)).map(|one| &one.name).collect();
                self.share(*rate, base, explain::tax(*rate, base, &names))?
            }
        };
        Ok(Verdict::Applies(charge))
    }

    /// An amount the law itself names: nothing to round.
    fn whole(&self, amount: Money, explanation: Bilingual) -> Charge {
        Charge { amount, rounding: Money::zero(self.currency), explanation }
    }

    fn per_unit(&self, input: &Slug, included: Quantity, amount: &Tariff) -> Result<Charge, PriceFault> {
        let given = self.number(input)?;
        let each = self.tariff(amount)?;
        let explanation = explain::per_unit(self.input_name(input)?, given, included, each);
        self.quantities(&[(given.less(included), each)], explanation)
    }

    fn flat(&self, input: &Slug, bands: &[Band]) -> Result<Charge, PriceFault> {
        let given = self.number(input)?;
        let holds = |band: &&Band| band.from <= given && band.to.is_none_or(|to| given < to);
        let band = bands.iter().find(holds).ok_or_else(|| self.unsound())?;
        let name = self.input_name(input)?;
        let others = bands.len().saturating_sub(1);
        let explanation = explain::flat_band(name, given, band.from, band.to, others);
        Ok(self.whole(self.tariff(&band.amount)?, explanation))
    }

    fn graduated(&self, input: &Slug, bands: &[Band]) -> Result<Charge, PriceFault> {
        let given = self.number(input)?;
        let mut parts = Vec::with_capacity(bands.len());
        for band in bands.iter().filter(|band| band.from < given) {
            let reached = band.to.map_or(given, |to| to.min(given));
            parts.push((reached.less(band.from), self.tariff(&band.amount)?));
        }
        let explanation = explain::graduated(self.input_name(input)?, given, &parts);
        self.quantities(&parts, explanation)
    }

    fn percentage(
        &self,
        rate: Rate,
        base: Money,
        min: Option<&Tariff>,
        max: Option<&Tariff>,
    ) -> Result<Charge, PriceFault> {
        let computed = self.share(rate, base, explain::percentage(rate, base))?;
        let stepped =
            computed.amount.checked_add(computed.rounding).map_err(|_| PriceFault::out_of_range())?;
        if let Some(min) = min.map(|min| self.tariff(min)).transpose()?
            && stepped.minor() < min.minor()
        {
            return Ok(self.whole(min, explain::minimum(rate, base, stepped, min)));
        }
        if let Some(max) = max.map(|max| self.tariff(max)).transpose()?
            && stepped.minor() > max.minor()
        {
            return Ok(self.whole(max, explain::maximum(rate, base, stepped, max)));
        }
        Ok(computed)
    }

    /// `rate x base`: the stepped amount is rounded once, from the exact product; the line beside it shows
    /// how far that is from the amount in minor units.
    fn share(&self, rate: Rate, base: Money, explanation: Bilingual) -> Result<Charge, PriceFault> {
        let rule = &self.component.rounding;
        let amount = rate.of(base, rule.mode, 1);
        let stepped = rate.of(base, rule.mode, rule.step(self.currency));
        stepwise(amount, stepped, explanation)
    }

    fn quantities(&self, parts: &[(Quantity, Money)], explanation: Bilingual) -> Result<Charge, PriceFault> {
        let rule = &self.component.rounding;
        let amount = Quantity::charge(parts, self.currency, rule.mode, 1);
        let stepped = Quantity::charge(parts, self.currency, rule.mode, rule.step(self.currency));
        stepwise(amount, stepped, explanation)
    }

    /// The base of a percentage; None when it is taken of components and none of them is charged.
    fn base(&self, of: &Base, charged: &impl Charged) -> Result<Option<Money>, PriceFault> {
        match of {
            Base::Input(input) => match self.value(input)? {
                Value::Amount(amount) => Ok(Some(*amount)),
                _ => Err(self.unsound()),
            },
            Base::Components(codes) => self.sum(codes, |code| charged.gross(code)),
        }
    }

    fn sum(
        &self,
        codes: &[Slug],
        amount: impl Fn(&Slug) -> Option<Money>,
    ) -> Result<Option<Money>, PriceFault> {
        if codes.iter().any(|code| self.version.component(code).is_none()) {
            return Err(self.unsound());
        }
        let amounts: Vec<Money> = codes.iter().filter_map(amount).collect();
        if amounts.is_empty() {
            return Ok(None);
        }
        Money::sum(self.currency, amounts).map(Some).map_err(|_| PriceFault::out_of_range())
    }

    /// Why the condition does not hold; None when it does.
    fn condition_lost(&self, condition: &Condition) -> Result<Option<Bilingual>, PriceFault> {
        let value = self.value(&condition.input)?;
        let holds = match value {
            Value::Boolean(truth) if condition.is.is_empty() => *truth,
            Value::Choice(option) => condition.is.contains(option),
            _ => return Err(self.unsound()),
        };
        Ok((!holds).then(|| explain::condition_lost(self.version, &condition.input, value)))
    }

    fn tariff(&self, tariff: &Tariff) -> Result<Money, PriceFault> {
        tariff
            .get(self.currency)
            .ok_or_else(|| PriceFault::new("/currency", PriceCode::CurrencyNotOffered).value(self.currency))
    }

    fn value(&self, input: &Slug) -> Result<&Value, PriceFault> {
        self.values.get(input).ok_or_else(|| self.unsound())
    }

    fn number(&self, input: &Slug) -> Result<Quantity, PriceFault> {
        match self.value(input)? {
            Value::Number(quantity) => Ok(*quantity),
            _ => Err(self.unsound()),
        }
    }

    fn choice(&self, input: &Slug) -> Result<&Slug, PriceFault> {
        match self.value(input)? {
            Value::Choice(option) => Ok(option),
            _ => Err(self.unsound()),
        }
    }

    fn input_name(&self, input: &Slug) -> Result<&Bilingual, PriceFault> {
        self.version.input(input.as_str()).map(|input| &input.name).ok_or_else(|| self.unsound())
    }

    fn option_names(&self, input: &Slug, option: &Slug) -> Result<(&Bilingual, &Bilingual), PriceFault> {
        let input = self.version.input(input.as_str()).ok_or_else(|| self.unsound())?;
        let InputKind::Choice { options } = &input.kind else { return Err(self.unsound()) };
        let chosen = options.iter().find(|one| one.code == *option).ok_or_else(|| self.unsound())?;
        Ok((&input.name, &chosen.name))
    }

    fn unsound(&self) -> PriceFault {
        PriceFault::unsound(&self.component.code)
    }
}

/// The amount in minor units and the difference to the stepped one.
fn stepwise<E>(
    amount: Result<Money, E>,
    stepped: Result<Money, E>,
    explanation: Bilingual,
) -> Result<Charge, PriceFault> {
    let (Ok(amount), Ok(stepped)) = (amount, stepped) else { return Err(PriceFault::out_of_range()) };
    let rounding = stepped.checked_sub(amount).map_err(|_| PriceFault::out_of_range())?;
    Ok(Charge { amount, rounding, explanation })
}
