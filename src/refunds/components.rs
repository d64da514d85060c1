//! Which components a refund takes from, and how much of each: pure.

use mizan_ledger::Money;
use serde::{Deserialize, Serialize};

use super::model::{RefundError, Wanted, WantedPart};
use crate::books::{Beneficiary, Share, Stage};
use crate::catalogue::RefundPolicy;
use crate::fault::Fault;
use crate::intents::shares;
use crate::quoting::Basket;

/// What a refund takes from one component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = RefundPart)]
pub struct Part {
    /// The place of the line in the intent, from 0.
    pub line: usize,
    pub service: String,
    pub component: String,
    pub amount: Money,
}

/// What may still be given back of one component.
#[derive(Debug, Clone)]
pub struct Left {
    part: Part,
    /// It is the agency's for good: by its policy, or since the service was delivered.
    kept: bool,
}

/// The components of a payment net of exemption, less what earlier refunds hold of them.
pub fn left(
    basket: &Basket,
    earlier: &[Part],
    is_delivered: impl Fn(usize) -> bool,
) -> Result<Vec<Left>, Fault> {
    let mut left = Vec::new();
    for (line, priced) in basket.lines.iter().map(|line| &line.priced).enumerate() {
        for net in priced.nets() {
            let component = net.charge.component.to_string();
            let held = earlier.iter().filter(|part| part.line == line && part.component == component);
            let held = Money::sum(basket.currency, held.map(|part| part.amount))?;
            let amount = net.amount.checked_sub(held)?;
            let part = Part { line, service: priced.service.to_string(), component, amount };
            let kept = match net.charge.refund {
                RefundPolicy::Always => false,
                RefundPolicy::UntilDelivered => is_delivered(line),
                RefundPolicy::Never => true,
            };
            left.push(Left { part, kept });
        }
    }
    Ok(left)
}

/// What of these parts is its agency's for good, because the service was delivered.
pub fn kept(basket: &Basket, parts: &[Part], is_delivered: impl Fn(usize) -> bool) -> Result<Money, Fault> {
    let ended = |part: &&Part| {
        let priced = basket.lines.get(part.line).map(|line| &line.priced);
        is_delivered(part.line)
            && priced.is_some_and(|priced| {
                priced.nets().iter().any(|net| {
                    net.charge.component.as_str() == part.component
                        && net.charge.refund == RefundPolicy::UntilDelivered
                })
            })
    };
    Ok(Money::sum(basket.currency, parts.iter().filter(ended).map(|part| part.amount))?)
}

/// All that may be given back of one line.
pub fn whole_line(left: &[Left], line: usize) -> Vec<WantedPart> {
    let open = left.iter().filter(|one| one.part.line == line && !one.kept && one.part.amount.is_positive());
    open.map(|one| WantedPart { line, component: one.part.component.clone(), amount: Some(one.part.amount) })
        .collect()
}

/// What is taken from each component, in the order of the lines. An amount is shared in proportion to what is left
/// of each refundable component (largest remainder), so that half a fee comes with half its tax.
pub fn take(left: &[Left], wanted: &Wanted, refundable: Money) -> Result<Vec<Part>, RefundError> {
    if !refundable.is_positive() {
        return Err(RefundError::OverRefund { refundable });
    }
    let open: Vec<&Part> = left
        .iter()
        .filter(|left| !left.kept && left.part.amount.is_positive())
        .map(|left| &left.part)
        .collect();
    let taken: Vec<Part> = match wanted {
        // Where its channel took a part of the payment back, less is refundable than is left of the components.
        Wanted::Whole => shared(&open, refundable)?,
        Wanted::Amount(amount) => shared(&open, *amount)?,
        Wanted::Parts(parts) => take_parts(left, parts, refundable)?,
    };
    let sum = Money::sum(refundable.currency(), taken.iter().map(|part| part.amount))?;
    if taken.is_empty() || sum.compare(refundable)?.is_gt() {
        return Err(RefundError::OverRefund { refundable });
    }
    Ok(taken)
}

/// An amount taken from each of these in proportion.
fn shared(open: &[&Part], amount: Money) -> Result<Vec<Part>, RefundError> {
    let weights: Vec<u64> = open.iter().map(|part| part.amount.minor().unsigned_abs()).collect();
    let shares = amount.allocate(&weights)?;
    let taken = open.iter().zip(shares).filter(|(_, share)| share.is_positive());
    Ok(taken.map(|(part, amount)| Part { amount, ..(*part).clone() }).collect())
}

fn take_parts(left: &[Left], parts: &[WantedPart], refundable: Money) -> Result<Vec<Part>, RefundError> {
    let mut taken: Vec<Part> = Vec::with_capacity(parts.len());
    for (place, wanted) in parts.iter().enumerate() {
        let is_it = |part: &Part| part.line == wanted.line && part.component == wanted.component;
        let found = left.iter().find(|left| is_it(&left.part));
        let found =
            found.ok_or(RefundError::Component { place, why: "the payment has no such component" })?;
        if found.kept {
            return Err(RefundError::Component { place, why: "this component is never given back" });
        }
        if taken.iter().any(is_it) {
            return Err(RefundError::Component { place, why: "the component stands twice" });
        }
        let amount = wanted.amount.unwrap_or(found.part.amount);
        if !amount.is_positive() || amount.compare(found.part.amount)?.is_gt() {
            return Err(RefundError::OverRefund { refundable });
        }
        taken.push(Part { amount, ..found.part.clone() });
    }
    taken.sort_by_key(|part| {
        left.iter().position(|left| left.part.line == part.line && left.part.component == part.component)
    });
    Ok(taken)
}

/// On which accounts the parts stand, one share per beneficiary. What was released is payable.
pub fn stands(basket: &Basket, parts: &[Part], released: &[(usize, String)]) -> Result<Vec<Share>, Fault> {
    let mut stands: Vec<Share> = Vec::new();
    for part in parts {
        let mut beneficiary = beneficiary(basket, part)
            .ok_or_else(|| Fault::corrupt("refunds", "components", &part.component))?;
        let is_it = |(line, component): &(usize, String)| *line == part.line && *component == part.component;
        if let Beneficiary::Agency { stage, .. } = &mut beneficiary
            && released.iter().any(is_it)
        {
            *stage = Stage::Payable;
        }
        match stands.iter_mut().find(|share| share.beneficiary == beneficiary) {
            Some(share) => share.amount = share.amount.checked_add(part.amount)?,
            None => stands.push(Share { beneficiary, amount: part.amount }),
        }
    }
    Ok(stands)
}

fn beneficiary(basket: &Basket, part: &Part) -> Option<Beneficiary> {
    let priced = &basket.lines.get(part.line)?.priced;
    let nets = priced.nets();
    let net = nets.iter().find(|net| net.charge.component.as_str() == part.component)?;
    Some(shares::beneficiary(priced, net.charge))
}

#[cfg(test)]
mod tests {
    use mizan_ledger::{Currency, MoneyError};
    use proptest::prelude::*;

    use super::*;

    fn ils(minor: i64) -> Money {
        Money::new(minor, Currency::ILS)
    }

    fn part(component: &str, minor: i64) -> Part {
        Part { line: 0, service: "psi/test".to_owned(), component: component.to_owned(), amount: ils(minor) }
    }

    fn components(amounts: &[(&str, i64, bool)]) -> Vec<Left> {
        amounts.iter().map(|(name, minor, kept)| Left { part: part(name, *minor), kept: *kept }).collect()
    }

    fn refundable(left: &[Left]) -> Result<Money, MoneyError> {
        let open = left.iter().filter(|left| !left.kept);
        Money::sum(Currency::ILS, open.map(|left| left.part.amount))
    }

    fn taken(left: &[Left], wanted: &Wanted) -> Result<String, RefundError> {
        let parts = take(left, wanted, refundable(left)?)?;
        let texts = parts.iter().map(|part| format!("{} {}", part.component, part.amount.minor()));
        Ok(texts.collect::<Vec<_>>().join(", "))
    }

    fn wanted(parts: &[(&str, Option<i64>)]) -> Wanted {
        let parts = parts.iter().map(|(component, minor)| WantedPart {
            line: 0,
            component: (*component).to_owned(),
            amount: minor.map(ils),
        });
        Wanted::Parts(parts.collect())
    }

    #[test]
    fn the_whole_is_every_refundable_component() {
        let left = components(&[("fee", 1_000, false), ("stamp", 50, true), ("vat", 160, false)]);
        assert_eq!(taken(&left, &Wanted::Whole).expect("taken"), "fee 1000, vat 160");
    }

    #[test]
    fn half_a_fee_comes_with_half_its_tax() {
        let left = components(&[("fee", 1_000, false), ("stamp", 50, true), ("vat", 160, false)]);
        assert_eq!(taken(&left, &Wanted::Amount(ils(580))).expect("taken"), "fee 500, vat 80");
        assert_eq!(taken(&left, &Wanted::Amount(ils(1))).expect("taken"), "fee 1");
        assert!(matches!(
            taken(&left, &Wanted::Amount(ils(1_161))),
            Err(RefundError::OverRefund { refundable }) if refundable == ils(1_160)
        ));
    }

    #[test]
    fn components_are_taken_in_the_order_of_the_price() {
        let left = components(&[("fee", 1_000, false), ("stamp", 50, true), ("vat", 160, false)]);
        let asked = wanted(&[("vat", Some(60)), ("fee", None)]);
        assert_eq!(taken(&left, &asked).expect("taken"), "fee 1000, vat 60");
    }

    #[test]
    fn what_cannot_be_given_back_is_named() {
        let left = components(&[("fee", 1_000, false), ("stamp", 50, true), ("used", 0, false)]);
        for (asked, place) in [
            (wanted(&[("fee", None), ("postage", None)]), 1),
            (wanted(&[("stamp", None)]), 0),
            (wanted(&[("fee", Some(1)), ("fee", Some(1))]), 1),
        ] {
            let refused = taken(&left, &asked);
            assert!(
                matches!(refused, Err(RefundError::Component { place: at, .. }) if at == place),
                "{refused:?}"
            );
        }
        for asked in [wanted(&[("fee", Some(1_001))]), wanted(&[("used", None)]), wanted(&[])] {
            assert!(matches!(taken(&left, &asked), Err(RefundError::OverRefund { .. })));
        }
        let nothing = components(&[("stamp", 50, true)]);
        assert!(matches!(taken(&nothing, &Wanted::Whole), Err(RefundError::OverRefund { .. })));
    }

    proptest! {
        #[test]
        fn an_amount_is_met_exactly_and_no_component_gives_more_than_it_has(
            amounts in prop::collection::vec((0_i64..1_000_000, any::<bool>()), 1..12),
            asked in 1_i64..12_000_000,
        ) {
            let names: Vec<String> = (0..amounts.len()).map(|n| format!("c{n}")).collect();
            let listed: Vec<(&str, i64, bool)> =
                names.iter().zip(&amounts).map(|(name, (minor, kept))| (name.as_str(), *minor, *kept)).collect();
            let left = components(&listed);
            let refundable = refundable(&left).expect("in range");
            match take(&left, &Wanted::Amount(ils(asked)), refundable) {
                Ok(parts) => {
                    prop_assert_eq!(parts.iter().map(|part| part.amount.minor()).sum::<i64>(), asked);
                    for part in parts {
                        let has = left.iter().find(|left| left.part.component == part.component);
                        let has = has.expect("one of them");
                        prop_assert!(!has.kept && part.amount.minor() <= has.part.amount.minor());
                    }
                }
                Err(_) => prop_assert!(asked > refundable.minor()),
            }
        }
    }
}
