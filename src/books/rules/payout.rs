//! Money to whom it belongs: released, paid out, returned; reserves and the treasury's advances.
//!
//! ```text
//! held ─released─► payable ─payout released─► payouts/in_flight ─seen─► bank
//!                     ▲────────── refused ──────────┘                    │
//!                     ▲──────────────────── returned ────────────────────┘
//! ```

use mizan_ledger::account::Account;
use mizan_ledger::entry::Entry;
use mizan_ledger::{Currency, Money};

use super::draft::{Draft, RuleError, adds_up, move_money, sum};
use super::terms::{Beneficiary, Returned, Share, Stage, Voucher};
use crate::books::chart;
use crate::books::slug::Slug;

/// The service was delivered, the time has passed, or it was rejected and the component is not refundable.
pub fn released(voucher: Voucher, agency: &Slug, amount: Money) -> Result<Entry, RuleError> {
    let (held, payable) = (chart::agency_held(agency, amount.currency()), payable(agency, amount.currency()));
    move_money("released", voucher, held, payable, amount)
}

/// Two people let a payout go: to agencies, for their taxes, to the treasury, or the hub's own fees and tax.
pub fn payout_released(voucher: Voucher, amount: Money, shares: &[Share]) -> Result<Entry, RuleError> {
    let currency = amount.currency();
    for Share { beneficiary, .. } in shares {
        if matches!(
            beneficiary,
            Beneficiary::Agency { stage: Stage::Held | Stage::Direct, .. } | Beneficiary::Suspense { .. }
        ) {
            return Err(RuleError::NotReleased { account: beneficiary.account(currency).code });
        }
    }
    adds_up(("the payout", amount), ("the shares", sum(currency, shares)?))?;
    let mut draft = Draft::new("payout_released", currency);
    draft.debit_shares(shares)?;
    draft.credit(chart::payouts_in_flight(currency), amount)?;
    draft.enter(voucher)
}

/// The bank refused the order before it booked anything: payable as before.
pub fn payout_refused(voucher: Voucher, amount: Money, shares: &[Share]) -> Result<Entry, RuleError> {
    let currency = amount.currency();
    adds_up(("the payout", amount), ("the shares", sum(currency, shares)?))?;
    let mut draft = Draft::new("payout_refused", currency);
    draft.debit(chart::payouts_in_flight(currency), amount)?;
    draft.credit_shares(shares)?;
    draft.enter(voucher)
}

/// A statement shows the payout leaving.
pub fn payout_seen(voucher: Voucher, account: &Slug, amount: Money) -> Result<Entry, RuleError> {
    let currency = amount.currency();
    let (in_flight, bank) = (chart::payouts_in_flight(currency), chart::bank(account, currency));
    move_money("payout_seen", voucher, in_flight, bank, amount)
}

/// The payout came back, whole or in part, weeks later too: `shares` says to whom it is payable again. What a bank
/// kept of it the hub bears.
pub fn payout_returned(voucher: Voucher, returned: &Returned, shares: &[Share]) -> Result<Entry, RuleError> {
    let currency = returned.arrived.currency();
    let mut draft = Draft::new("payout_returned", currency);
    let amount = returned.come_back(&mut draft)?;
    adds_up(("what came back and was kept", amount), ("the shares", sum(currency, shares)?))?;
    draft.credit_shares(shares)?;
    draft.enter(voucher)
}

/// An agency paid in what refunds took beyond its money, or funds for refunds to come.
pub fn agency_paid_in(
    voucher: Voucher,
    account: &Slug,
    agency: &Slug,
    amount: Money,
) -> Result<Entry, RuleError> {
    let bank = chart::bank(account, amount.currency());
    move_money("agency_paid_in", voucher, bank, payable(agency, amount.currency()), amount)
}

/// Kept back from payouts for refunds to come.
pub fn reserve_set_aside(voucher: Voucher, agency: &Slug, amount: Money) -> Result<Entry, RuleError> {
    let reserve = chart::agency_reserve(agency, amount.currency());
    move_money("reserve_set_aside", voucher, payable(agency, amount.currency()), reserve, amount)
}

pub fn reserve_released(voucher: Voucher, agency: &Slug, amount: Money) -> Result<Entry, RuleError> {
    let reserve = chart::agency_reserve(agency, amount.currency());
    move_money("reserve_released", voucher, reserve, payable(agency, amount.currency()), amount)
}

/// The treasury lent money, so that payouts need not wait for the rail.
pub fn treasury_advanced(
    voucher: Voucher,
    account: &Slug,
    fund: &Slug,
    amount: Money,
) -> Result<Entry, RuleError> {
    let currency = amount.currency();
    let (bank, float) = (chart::bank(account, currency), chart::treasury_float(fund, currency));
    move_money("treasury_advanced", voucher, bank, float, amount)
}

pub fn advance_repaid(
    voucher: Voucher,
    account: &Slug,
    fund: &Slug,
    amount: Money,
) -> Result<Entry, RuleError> {
    let currency = amount.currency();
    let (bank, float) = (chart::bank(account, currency), chart::treasury_float(fund, currency));
    move_money("advance_repaid", voucher, float, bank, amount)
}

fn payable(agency: &Slug, currency: Currency) -> Account {
    chart::agency_payable(agency, 0, currency)
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use crate::books::Place;

    const PAID_OUT: &str =
        "payable:psi 18.000, tax:psi/vat 1.600, treasury:general 0.500, fee 0.350, fee-tax 0.056";

    #[test]
    fn held_money_is_released_to_its_agency() {
        enters(
            released(voucher(), &slug("psi"), jod("10.000")),
            "released: D agency/psi/held 10.000, C agency/psi/payable 10.000",
        );
    }

    #[test]
    fn a_payout_takes_what_is_released_and_nothing_else() {
        enters(
            payout_released(voucher(), jod("20.506"), &shares(PAID_OUT)),
            "payout_released: D agency/psi/payable 18.000, D agency/psi/tax/vat 1.600, D treasury/general/payable 0.500,
             D hub/fees 0.350, D hub/tax 0.056, C payouts/in_flight 20.506",
        );
        enters(
            payout_refused(voucher(), jod("20.506"), &shares(PAID_OUT)),
            "payout_refused: D payouts/in_flight 20.506, C agency/psi/payable 18.000, C agency/psi/tax/vat 1.600,
             C treasury/general/payable 0.500, C hub/fees 0.350, C hub/tax 0.056",
        );
        assert_eq!(
            refusal(payout_released(voucher(), jod("5.000"), &shares("held:psi 5.000"))),
            "agency/psi/held is not paid out: its money is not released"
        );
        assert_eq!(
            refusal(payout_released(voucher(), jod("5.000"), &shares("suspense:card 5.000"))),
            "suspense/card/credits is not paid out: its money is not released"
        );
        assert_eq!(
            refusal(payout_released(voucher(), jod("5.000"), &shares("direct:psi 5.000"))),
            "agency/psi/direct is not paid out: its money is not released"
        );
        for refused in [payout_released, payout_refused] {
            assert_eq!(
                refusal(refused(voucher(), jod("5.000"), &shares("payable:psi 4.000"))),
                "the payout is 5.000 JOD, but the shares add up to 4.000 JOD"
            );
        }
    }

    #[test]
    fn a_payout_is_seen_and_may_come_back_in_part() {
        enters(
            payout_seen(voucher(), &slug("payouts"), jod("20.506")),
            "payout_seen: D payouts/in_flight 20.506, C bank/payouts 20.506",
        );
        let returned = Returned {
            place: Place::Bank { account: slug("payouts") },
            arrived: jod("17.500"),
            kept: jod("0.500"),
            kept_by: slug("payouts"),
        };
        enters(
            payout_returned(voucher(), &returned, &shares("payable:psi 18.000")),
            "payout_returned: D bank/payouts 17.500, D hub/costs/payouts 0.500, C agency/psi/payable 18.000",
        );
        assert_eq!(
            refusal(payout_returned(voucher(), &returned, &shares("payable:psi 17.500"))),
            "what came back and was kept is 18.000 JOD, but the shares add up to 17.500 JOD"
        );
    }

    #[test]
    fn an_agency_pays_in_and_keeps_a_reserve() {
        let (bank, psi) = (slug("collection"), slug("psi"));
        enters(
            agency_paid_in(voucher(), &bank, &psi, jod("3.000")),
            "agency_paid_in: D bank/collection 3.000, C agency/psi/payable 3.000",
        );
        enters(
            reserve_set_aside(voucher(), &psi, jod("2.000")),
            "reserve_set_aside: D agency/psi/payable 2.000, C agency/psi/reserve 2.000",
        );
        enters(
            reserve_released(voucher(), &psi, jod("2.000")),
            "reserve_released: D agency/psi/reserve 2.000, C agency/psi/payable 2.000",
        );
    }

    #[test]
    fn the_treasury_advances_and_is_repaid() {
        let (bank, fund) = (slug("payouts"), slug("general"));
        enters(
            treasury_advanced(voucher(), &bank, &fund, jod("100.000")),
            "treasury_advanced: D bank/payouts 100.000, C treasury/general/float 100.000",
        );
        enters(
            advance_repaid(voucher(), &bank, &fund, jod("100.000")),
            "advance_repaid: D treasury/general/float 100.000, C bank/payouts 100.000",
        );
    }
}
