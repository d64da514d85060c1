//! From priced lines to the shares the books post: whose each part of a payment is, and where it waits.

use std::collections::{BTreeMap, BTreeSet};

use mizan_ledger::{Entry, Money};

use super::model::{Intent, IntentState};
use crate::books::{Beneficiary, Exemption, Share, Slug, Stage, Voucher, rules};
use crate::catalogue;
use crate::fault::Fault;
use crate::quoting::{Basket, Line, Priced};

/// The components of a basket net of exemption, one share per beneficiary and stage, in the order of the lines.
pub fn shares(basket: &Basket) -> Result<Vec<Share>, Fault> {
    let mut order: Vec<Beneficiary> = Vec::new();
    let mut amounts: BTreeMap<usize, Money> = BTreeMap::new();
    for line in &basket.lines {
        for net in line.priced.nets() {
            let beneficiary = beneficiary(&line.priced, net.charge);
            let place = order.iter().position(|known| *known == beneficiary).unwrap_or_else(|| {
                order.push(beneficiary);
                order.len() - 1
            });
            let sum = amounts.get(&place).copied().unwrap_or(Money::zero(basket.currency));
            amounts.insert(place, sum.checked_add(net.amount)?);
        }
    }
    let share = |(place, beneficiary)| Share { beneficiary, amount: amounts[&place] };
    Ok(order.into_iter().enumerate().map(share).filter(|share| !share.amount.is_zero()).collect())
}

/// The same of a payment that its channel pays the agency itself: all of it is the agency's, and nothing waits here for
/// a delivery. What was `held` of earlier parts, which came another way, is with the hub and payable to it.
pub fn direct(agency: &Slug, basket: &Basket, held: Money) -> Result<Vec<Share>, Fault> {
    let share = |stage, amount| {
        let beneficiary = Beneficiary::Agency { agency: agency.clone(), stage };
        Share { beneficiary, amount }
    };
    Ok(vec![share(Stage::Direct, basket.total.checked_sub(held)?), share(Stage::Payable, held)])
}

/// What may still be given back of a payment: its refundable components, less what was asked back before, what a
/// delivery has made its agency's for good and what its channel took back already. Money of an intent that is not paid
/// waits in suspense or is held for the rest; it is no component's yet.
pub fn refundable(intent: &Intent, basket: &Basket) -> Result<Money, Fault> {
    if intent.state != IntentState::Paid {
        return Ok(Money::zero(basket.currency));
    }
    let nets = basket.lines.iter().flat_map(|line| line.priced.nets());
    let open = nets.filter(|net| net.charge.refund != catalogue::RefundPolicy::Never);
    let whole = Money::sum(basket.currency, open.map(|net| net.amount))?;
    let left = whole.checked_sub(intent.refund_reserved)?.checked_sub(intent.kept)?;
    let left = left.checked_sub(intent.reversed)?;
    // The channel gives back more than a refund would: also what is never refunded.
    Ok(if left.is_negative() { Money::zero(basket.currency) } else { left })
}

/// What the payer was not asked for: the agency gives it up, which the books remember as a memo.
pub fn exemptions(basket: &Basket) -> Result<Vec<Exemption>, Fault> {
    let mut waived: BTreeMap<Slug, Money> = BTreeMap::new();
    for line in &basket.lines {
        let agency = line.priced.service.agency().clone();
        for net in line.priced.nets().iter().filter(|net| !net.exempted.is_zero()) {
            let sum = waived.get(&agency).copied().unwrap_or(Money::zero(basket.currency));
            waived.insert(agency.clone(), sum.checked_add(net.exempted)?);
        }
    }
    Ok(waived.into_iter().map(|(agency, amount)| Exemption::Waived { agency, amount }).collect())
}

/// The entry of a basket whose total is zero: the memo pair alone. None where the price itself is zero, for then nothing
/// was given up and nothing moves.
pub fn exempted(voucher: Voucher, basket: &Basket) -> Result<Option<Entry>, Fault> {
    let exemptions = exemptions(basket)?;
    if exemptions.is_empty() {
        return Ok(None);
    }
    let entry = rules::collect::exempted(voucher, &exemptions);
    entry.map(Some).map_err(|error| Fault::Other(error.to_string()))
}

/// Whose the component is and where it waits until it is released.
pub fn beneficiary(priced: &Priced, line: &Line) -> Beneficiary {
    let agency = priced.service.agency().clone();
    let stage = match line.release {
        catalogue::Release::OnPayment => Stage::Payable,
        catalogue::Release::OnDelivery | catalogue::Release::AfterDays(_) => Stage::Held,
    };
    match &line.beneficiary {
        catalogue::Beneficiary::Agency => Beneficiary::Agency { agency, stage },
        catalogue::Beneficiary::AgencyTax(tax) => Beneficiary::AgencyTax { agency, tax: tax.clone() },
        catalogue::Beneficiary::Treasury(fund) => Beneficiary::Treasury { fund: fund.clone() },
        catalogue::Beneficiary::Hub => Beneficiary::HubFee,
    }
}

/// A configured name as it stands in an account code.
pub fn slug(text: &str) -> Result<Slug, Fault> {
    text.parse().map_err(|error: crate::books::NotASlug| Fault::Other(error.to_string()))
}

/// The different numbers of days after which components of a basket are released.
pub fn release_days(basket: &Basket) -> BTreeSet<u16> {
    let nets = basket.lines.iter().flat_map(|line| line.priced.nets());
    nets.filter_map(|net| match net.charge.release {
        catalogue::Release::AfterDays(days) => Some(days),
        _ => None,
    })
    .collect()
}
