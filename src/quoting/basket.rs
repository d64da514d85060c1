//! Several services in one promise: any number of agencies, one currency.

use mizan_ledger::{Currency, Day, Money};
use serde::{Deserialize, Serialize};

use super::inputs::{Claim, Inputs};
use super::priced::Priced;
use super::pricing::price;
use super::refusal::{PriceCode, PriceError, PriceFault};
use crate::catalogue::FeeVersion;

/// Priced lines in one currency and their exact sum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basket {
    pub currency: Currency,
    pub lines: Vec<BasketLine>,
    pub total: Money,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BasketLine {
    /// The portal's own name for this line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    pub priced: Priced,
}

/// One line as asked, with the version in force for it on its agency's local day.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub version: &'a FeeVersion,
    pub inputs: &'a Inputs,
    pub claim: Option<&'a Claim>,
    pub reference: Option<&'a str>,
    pub day: Day,
}

impl Asked<'_> {
    pub(super) fn price(&self, currency: Currency) -> Result<BasketLine, PriceError> {
        let priced = price(self.version, self.inputs, self.claim, self.day, currency)?;
        Ok(BasketLine { reference: self.reference.map(str::to_owned), priced })
    }
}

/// How large a basket may be: beyond it one journal entry would be too long to lock and to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub lines_max: usize,
    pub ledger_lines_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { lines_max: 500, ledger_lines_max: 2_000 }
    }
}

impl Basket {
    /// Prices every line, or takes over why it has no version; refuses with the faults of all of them at once, each under
    /// `/lines/N`.
    pub fn price(
        asked: &[Result<Asked<'_>, PriceFault>],
        currency: Currency,
        limits: Limits,
    ) -> Result<Self, PriceError> {
        if asked.is_empty() {
            return Err(PriceFault::new("/lines", PriceCode::BasketEmpty).into());
        }
        if asked.len() > limits.lines_max {
            return Err(too_large(asked.len(), limits.lines_max).into());
        }
        let mut lines = Vec::with_capacity(asked.len());
        let mut faults: Vec<PriceFault> = Vec::new();
        for (at, line) in asked.iter().enumerate() {
            match line.clone().map_err(PriceError::from).and_then(|line| line.price(currency)) {
                Ok(line) => lines.push(line),
                Err(error) => faults.extend(error.faults.into_iter().map(|fault| fault.within(at))),
            }
        }
        if !faults.is_empty() {
            // A currency is asked once for the whole basket: say only once that some line lacks it.
            let mut seen = false;
            faults.retain(|fault| fault.field != "/currency" || !std::mem::replace(&mut seen, true));
            return Err(PriceError { faults });
        }
        let total = Money::sum(currency, lines.iter().map(|line| line.priced.total))
            .map_err(|_| PriceFault::new("/lines", PriceCode::AmountOutOfRange))?;
        let basket = Self { currency, lines, total };
        let ledger_lines = basket.ledger_lines();
        if ledger_lines > limits.ledger_lines_max {
            return Err(too_large(ledger_lines, limits.ledger_lines_max).into());
        }
        Ok(basket)
    }

    /// The most lines the entry of its payment can have: one for the money, one for each component owed, and
    /// the memo pair of each exemption.
    pub fn ledger_lines(&self) -> usize {
        let nets = self.lines.iter().flat_map(|line| line.priced.nets());
        nets.map(|net| usize::from(!net.amount.is_zero()) + if net.exempted.is_zero() { 0 } else { 2 })
            .sum::<usize>()
            .saturating_add(1)
    }
}

fn too_large(size: usize, most: usize) -> PriceFault {
    PriceFault::new("/lines", PriceCode::BasketTooLarge).value(size).expected(format!("at most {most}"))
}
