//! The price of one service: a pure function of its version and what was asked. The same arguments give the
//! same price for ever; whatever the arguments, it answers.

use mizan_ledger::{Currency, Day, Money, MoneyError};

use super::explain;
use super::inputs::{self, Claim, Inputs, Values};
use super::priced::{Line, Lost, Part, Priced};
use super::refusal::{PriceCode, PriceError, PriceFault};
use super::rules::{Charge, Charged, Computing, Verdict};
use crate::catalogue::{Bilingual, Component, Exemption, FeeVersion, Slug};

/// Prices one service by `version` on `day` (the agency's local day) in `currency`.
///
/// Percentages and surcharges are taken of components before exemption; a tax is taken of what remains after
/// exemption and rounding. Each fraction is rounded once. Refuses with every fault of the request at once.
pub fn price(
    version: &FeeVersion,
    inputs: &Inputs,
    claim: Option<&Claim>,
    day: Day,
    currency: Currency,
) -> Result<Priced, PriceError> {
    let mut faults = Vec::new();
    if !version.valid.contains(day) {
        let range = match version.valid.to {
            Some(to) => format!("{} to before {to}", version.valid.from),
            None => format!("from {}", version.valid.from),
        };
        faults.push(PriceFault::new("/service", PriceCode::NotValidOnDay).value(day).expected(range));
    }
    if !version.currencies.contains(&currency) {
        let offered: Vec<_> = version.currencies.iter().map(Currency::code).collect();
        let fault = PriceFault::new("/currency", PriceCode::CurrencyNotOffered);
        faults.push(fault.value(currency).expected(offered.join(" | ")));
    }
    let values = inputs::read(version, inputs, currency, &mut faults);
    let exemption = claim.and_then(|claim| inputs::claimed(version, claim, &mut faults));
    if !faults.is_empty() {
        return Err(PriceError { faults });
    }
    let computation = compute(version, &values, exemption, currency)?;
    let lines = computation.lines(exemption)?;
    let total = Money::sum(currency, lines.iter().map(|line| line.amount)).map_err(out_of_range)?;
    Ok(Priced {
        service: version.service.clone(),
        version: version.number,
        day,
        currency,
        inputs: values.iter().map(|(code, value)| (code.clone(), value.to_string())).collect(),
        claim: claim.cloned(),
        lost: computation.lost(exemption),
        lines,
        total,
    })
}

fn out_of_range(_: MoneyError) -> PriceFault {
    PriceFault::out_of_range()
}

/// The components in the version's order, each with its outcome once computed.
struct Computation<'v> {
    version: &'v FeeVersion,
    outcomes: Vec<Option<Outcome>>,
}

enum Outcome {
    Charged { charge: Charge, gross: Money, exempted: Money },
    Lost(Bilingual),
}

fn compute<'v>(
    version: &'v FeeVersion,
    values: &Values,
    exemption: Option<&Exemption>,
    currency: Currency,
) -> Result<Computation<'v>, PriceFault> {
    let order = version.computing_order().map_err(PriceFault::unsound)?;
    let outcomes = version.components.iter().map(|_| None).collect();
    let mut computation = Computation { version, outcomes };
    for (at, component) in order.into_iter().filter_map(|at| Some((at, version.components.get(at)?))) {
        let computing = Computing { version, values, currency, component };
        let outcome = match computing.verdict(&computation)? {
            Verdict::Lost(why) => Outcome::Lost(why),
            Verdict::Applies(charge) => {
                let gross = charge.amount.checked_add(charge.rounding).map_err(out_of_range)?;
                Outcome::Charged { exempted: exempted(component, exemption, gross)?, charge, gross }
            }
        };
        if let Some(slot) = computation.outcomes.get_mut(at) {
            *slot = Some(outcome);
        }
    }
    Ok(computation)
}

/// The part of `gross` an exemption takes: rounded by the component's own rule, never more than there is.
fn exempted(component: &Component, exemption: Option<&Exemption>, gross: Money) -> Result<Money, PriceFault> {
    let nothing = Money::zero(gross.currency());
    let Some(exemption) = exemption.filter(|exemption| exemption.covers.contains(&component.code)) else {
        return Ok(nothing);
    };
    let rule = &component.rounding;
    let taken = exemption.rate.of(gross, rule.mode, rule.step(gross.currency())).map_err(out_of_range)?;
    Ok(Money::new(taken.minor().min(gross.minor()), gross.currency()))
}

impl Charged for Computation<'_> {
    fn gross(&self, component: &Slug) -> Option<Money> {
        match self.outcome(component)? {
            Outcome::Charged { gross, .. } => Some(*gross),
            Outcome::Lost(_) => None,
        }
    }

    fn net(&self, component: &Slug) -> Option<Money> {
        match self.outcome(component)? {
            // An exempted part is at most the gross amount.
            Outcome::Charged { gross, exempted, .. } => gross.checked_sub(*exempted).ok(),
            Outcome::Lost(_) => None,
        }
    }
}

impl Computation<'_> {
    fn outcome(&self, component: &Slug) -> Option<&Outcome> {
        let at = self.version.components.iter().position(|one| one.code == *component)?;
        self.outcomes.get(at)?.as_ref()
    }

    fn pairs(&self) -> impl Iterator<Item = (&Component, &Outcome)> {
        let paired = self.version.components.iter().zip(&self.outcomes);
        paired.filter_map(|(component, outcome)| Some((component, outcome.as_ref()?)))
    }

    fn lines(&self, exemption: Option<&Exemption>) -> Result<Vec<Line>, PriceFault> {
        let mut lines = Vec::new();
        for (component, outcome) in self.pairs() {
            let Outcome::Charged { charge, gross, exempted } = outcome else { continue };
            let (name, why) = (component.name.clone(), charge.explanation.clone());
            lines.push(line(component, Part::Charge, name, charge.amount, why));
            if !charge.rounding.is_zero() {
                let name = Bilingual::new(
                    format!("تقريب: {}", component.name.ar),
                    format!("Rounding: {}", component.name.en),
                );
                let why = explain::rounding(&component.rounding, charge.amount, *gross);
                lines.push(line(component, Part::Rounding, name, charge.rounding, why));
            }
            if let Some(exemption) = exemption.filter(|one| one.covers.contains(&component.code)) {
                let part = Part::Exemption(exemption.code.clone());
                let why = explain::exemption(exemption.rate, *gross, &component.name);
                let taken = exempted.checked_neg().map_err(out_of_range)?;
                lines.push(line(component, part, exemption.name.clone(), taken, why));
            }
        }
        Ok(lines)
    }

    fn lost(&self, exemption: Option<&Exemption>) -> Vec<Lost> {
        let components = self.pairs().filter_map(|(component, outcome)| match outcome {
            Outcome::Lost(why) => Some((&component.code, &component.name, why.clone())),
            Outcome::Charged { .. } => None,
        });
        let unclaimed = self.version.exemptions.iter();
        let unclaimed = unclaimed.filter(|one| exemption.is_none_or(|claimed| claimed.code != one.code));
        let unclaimed = unclaimed.map(|one| (&one.code, &one.name, explain::exemption_lost(&one.evidence)));
        let lost = components.chain(unclaimed);
        lost.map(|(rule, name, why)| Lost { rule: rule.clone(), name: name.clone(), explanation: why })
            .collect()
    }
}

fn line(component: &Component, part: Part, name: Bilingual, amount: Money, explanation: Bilingual) -> Line {
    Line {
        component: component.code.clone(),
        part,
        name,
        amount,
        beneficiary: component.beneficiary.clone(),
        refund: component.refund,
        release: component.release,
        gl: component.gl.clone(),
        article: component.article.clone(),
        explanation,
    }
}
