//! Money for what was priced, where instalments are allowed: each is its components' at once.

use mizan_ledger::Money;
use mizan_ledger::entry::Entry;

use super::collect::take;
use super::draft::{Draft, RuleError, adds_up, sum};
use super::terms::{Parked, Payment, Share, Voucher};
use crate::books::chart;

/// A part came and instalments are allowed: the components it covers (see [`cover`]) are their beneficiaries' at once.
pub fn instalment_paid(voucher: Voucher, payment: &Payment) -> Result<Entry, RuleError> {
    let mut draft = Draft::new("instalment_paid", payment.received.currency());
    take(&mut draft, payment, Money::zero(payment.received.currency()))?;
    draft.enter(voucher)
}

/// The intent expired or was canceled after instalments: what they paid leaves each component and waits in suspense.
pub fn instalments_ended(voucher: Voucher, shares: &[Share], parked: &Parked) -> Result<Entry, RuleError> {
    let currency = parked.amount.currency();
    adds_up(("the sum for suspense", parked.amount), ("the components paid", sum(currency, shares)?))?;
    let mut draft = Draft::new("instalments_ended", currency);
    draft.debit_shares(shares)?;
    draft.credit(chart::suspense_credits(&parked.suspense, currency), parked.amount)?;
    draft.enter(voucher)
}

/// The components that `received` pays when `paid_before` was paid already: in order, each in full before the next.
/// What is beyond them all is left out.
pub fn cover(shares: &[Share], paid_before: Money, received: Money) -> Result<Vec<Share>, RuleError> {
    let (mut skip, mut left) = (paid_before, received);
    let mut covered = Vec::new();
    for share in shares {
        let skipped = least(skip, share.amount)?;
        skip = skip.checked_sub(skipped)?;
        let amount = least(left, share.amount.checked_sub(skipped)?)?;
        left = left.checked_sub(amount)?;
        if amount.is_positive() {
            covered.push(Share { amount, ..share.clone() });
        }
    }
    Ok(covered)
}

fn least(one: Money, other: Money) -> Result<Money, RuleError> {
    Ok(if one.compare(other)?.is_le() { one } else { other })
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn instalments_cover_the_components_in_order() {
        let price = shares("held:psi 10.000, tax:psi/vat 1.600, fee 0.400");
        let covered = |before, received| cover(&price, jod(before), jod(received)).unwrap();
        assert_eq!(covered("0.000", "4.000"), shares("held:psi 4.000"));
        assert_eq!(covered("4.000", "7.000"), shares("held:psi 6.000, tax:psi/vat 1.000"));
        assert_eq!(covered("11.000", "9.000"), shares("tax:psi/vat 0.600, fee 0.400"));
        assert_eq!(covered("12.000", "1.000"), []);
        let mut part = payment(channel("card"), "7.000", "fee 0.000");
        part.shares = covered("4.000", "7.000");
        enters(
            instalment_paid(voucher(), &part),
            "instalment_paid: D channel/card/receivable 7.000, C agency/psi/held 6.000, C agency/psi/tax/vat 1.000",
        );
    }

    #[test]
    fn ended_instalments_leave_their_components_for_suspense() {
        enters(
            instalments_ended(voucher(), &shares("held:psi 6.000, tax:psi/vat 1.000"), &parked("card 7.000")),
            "instalments_ended: D agency/psi/held 6.000, D agency/psi/tax/vat 1.000, C suspense/card/credits 7.000",
        );
        assert_eq!(
            refusal(instalments_ended(voucher(), &shares("held:psi 6.000"), &parked("card 7.000"))),
            "the sum for suspense is 7.000 JOD, but the components paid add up to 6.000 JOD"
        );
    }
}
