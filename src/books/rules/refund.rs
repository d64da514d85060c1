//! Money given back: owed to the payer when approved, on its way when the rail has it, gone when a statement shows it.
//!
//! ```text
//! components ─approved─► refunds/payable ─submitted─► refunds/in_flight ─seen─► bank, channel or drawer
//!      ▲───── canceled ─────┘   ▲──────── refused ────────┘                          │
//!                               ▲────────────────────── returned ────────────────────┘
//! ```

use mizan_ledger::Money;
use mizan_ledger::account::Account;
use mizan_ledger::entry::Entry;

use super::draft::{Draft, RuleError, adds_up, move_money, sum};
use super::terms::{Returned, Share, Voucher};
use crate::books::chart;
use crate::books::slug::Slug;

/// Two people agreed: the money leaves each component where it stands now (or suspense, for a refund of money that
/// was never applied) and is owed to the payer. The book refuses it where an agency's limit would be passed.
pub fn refund_approved(voucher: Voucher, amount: Money, shares: &[Share]) -> Result<Entry, RuleError> {
    adds_up(("the refund", amount), ("the components", sum(amount.currency(), shares)?))?;
    let mut draft = Draft::new("refund_approved", amount.currency());
    draft.debit_shares(shares)?;
    draft.credit(chart::refunds_payable(amount.currency()), amount)?;
    draft.enter(voucher)
}

/// Canceled before submission: back to where each component stood, or to suspense.
pub fn refund_canceled(voucher: Voucher, amount: Money, shares: &[Share]) -> Result<Entry, RuleError> {
    adds_up(("the refund", amount), ("the components", sum(amount.currency(), shares)?))?;
    let mut draft = Draft::new("refund_canceled", amount.currency());
    draft.debit(chart::refunds_payable(amount.currency()), amount)?;
    draft.credit_shares(shares)?;
    draft.enter(voucher)
}

/// The rail has the instruction.
pub fn refund_submitted(voucher: Voucher, amount: Money) -> Result<Entry, RuleError> {
    let (payable, in_flight) = accounts(amount);
    move_money("refund_submitted", voucher, payable, in_flight, amount)
}

/// The rail refused the instruction before it booked anything: owed as before.
pub fn refund_refused(voucher: Voucher, amount: Money) -> Result<Entry, RuleError> {
    let (payable, in_flight) = accounts(amount);
    move_money("refund_refused", voucher, in_flight, payable, amount)
}

/// A statement shows the money leaving: final.
pub fn refund_seen_at_bank(voucher: Voucher, account: &Slug, amount: Money) -> Result<Entry, RuleError> {
    let (_, in_flight) = accounts(amount);
    move_money("refund_seen_at_bank", voucher, in_flight, chart::bank(account, amount.currency()), amount)
}

/// The channel gave the money back itself and owes that much less.
pub fn refund_netted(voucher: Voucher, channel: &Slug, amount: Money) -> Result<Entry, RuleError> {
    let (_, in_flight) = accounts(amount);
    move_money("refund_netted", voucher, in_flight, chart::receivable(channel, amount.currency()), amount)
}

/// Paid out at a window against a signature.
pub fn refund_paid_in_cash(voucher: Voucher, counter: &Slug, amount: Money) -> Result<Entry, RuleError> {
    let (_, in_flight) = accounts(amount);
    move_money("refund_paid_in_cash", voucher, in_flight, chart::drawer(counter, amount.currency()), amount)
}

/// The money came back after it was seen (less what a bank kept, which the hub bears): owed to the payer again.
pub fn refund_returned(voucher: Voucher, returned: &Returned) -> Result<Entry, RuleError> {
    let currency = returned.arrived.currency();
    let mut draft = Draft::new("refund_returned", currency);
    let amount = returned.come_back(&mut draft)?;
    draft.credit(chart::refunds_payable(currency), amount)?;
    draft.enter(voucher)
}

/// Given up: no way to the payer was found within the legal time.
pub fn refund_unclaimed(voucher: Voucher, fund: &Slug, amount: Money) -> Result<Entry, RuleError> {
    let (payable, _) = accounts(amount);
    move_money(
        "refund_unclaimed",
        voucher,
        payable,
        chart::treasury_unclaimed(fund, amount.currency()),
        amount,
    )
}

/// The channel that pays the agency itself will not give this money back: the hub will, out of what the agency is owed
/// or has paid in. The book refuses it where that is not enough.
pub fn refund_taken_over(voucher: Voucher, agency: &Slug, amount: Money) -> Result<Entry, RuleError> {
    let currency = amount.currency();
    let (payable, direct) =
        (chart::agency_payable(agency, 0, currency), chart::agency_direct(agency, currency));
    move_money("refund_taken_over", voucher, payable, direct, amount)
}

/// Given up, and the money never came to the hub: the agency that the channel paid itself answers for it.
pub fn refund_left_at_agency(voucher: Voucher, agency: &Slug, amount: Money) -> Result<Entry, RuleError> {
    let (payable, _) = accounts(amount);
    let direct = chart::agency_direct(agency, amount.currency());
    move_money("refund_left_at_agency", voucher, payable, direct, amount)
}

/// What is owed to payers, and what is on its way to them.
fn accounts(amount: Money) -> (Account, Account) {
    (chart::refunds_payable(amount.currency()), chart::refunds_in_flight(amount.currency()))
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use crate::books::Place;

    #[test]
    fn an_approved_refund_leaves_each_component_where_it_stands() {
        let stands = shares(
            "held:psi 2.000, payable:psi 3.000, tax:psi/vat 0.800, treasury:general 0.250, fee 0.100, fee-tax 0.016",
        );
        enters(
            refund_approved(voucher(), jod("6.166"), &stands),
            "refund_approved: D agency/psi/held 2.000, D agency/psi/payable 3.000, D agency/psi/tax/vat 0.800,
             D treasury/general/payable 0.250, D hub/fees 0.100, D hub/tax 0.016, C refunds/payable 6.166",
        );
        enters(
            refund_canceled(voucher(), jod("6.166"), &stands),
            "refund_canceled: D refunds/payable 6.166, C agency/psi/held 2.000, C agency/psi/payable 3.000,
             C agency/psi/tax/vat 0.800, C treasury/general/payable 0.250, C hub/fees 0.100, C hub/tax 0.016",
        );
    }

    #[test]
    fn money_in_suspense_is_refunded_from_there() {
        enters(
            refund_approved(voucher(), jod("7.000"), &shares("suspense:e-sadad 7.000")),
            "refund_approved: D suspense/e-sadad/credits 7.000, C refunds/payable 7.000",
        );
    }

    #[test]
    fn a_refund_of_other_money_than_its_components_is_refused() {
        let stands = shares("held:psi 2.000");
        for refused in [
            refund_approved(voucher(), jod("2.001"), &stands),
            refund_canceled(voucher(), jod("2.001"), &stands),
        ] {
            assert_eq!(refusal(refused), "the refund is 2.001 JOD, but the components add up to 2.000 JOD");
        }
        assert_eq!(refusal(refund_approved(voucher(), jod("0"), &[])), "refund_approved moves no money");
    }

    #[test]
    fn a_refund_goes_by_its_rail() {
        let amount = jod("6.166");
        enters(
            refund_submitted(voucher(), amount),
            "refund_submitted: D refunds/payable 6.166, C refunds/in_flight 6.166",
        );
        enters(
            refund_refused(voucher(), amount),
            "refund_refused: D refunds/in_flight 6.166, C refunds/payable 6.166",
        );
        enters(
            refund_seen_at_bank(voucher(), &slug("collection"), amount),
            "refund_seen_at_bank: D refunds/in_flight 6.166, C bank/collection 6.166",
        );
        enters(
            refund_netted(voucher(), &slug("card"), amount),
            "refund_netted: D refunds/in_flight 6.166, C channel/card/receivable 6.166",
        );
        enters(
            refund_paid_in_cash(voucher(), &slug("window-3"), amount),
            "refund_paid_in_cash: D refunds/in_flight 6.166, C cash/window-3/drawer 6.166",
        );
    }

    #[test]
    fn a_returned_refund_is_owed_again_in_full() {
        let returned = Returned {
            place: Place::Bank { account: slug("collection") },
            arrived: jod("5.666"),
            kept: jod("0.500"),
            kept_by: slug("collection"),
        };
        enters(
            refund_returned(voucher(), &returned),
            "refund_returned: D bank/collection 5.666, D hub/costs/collection 0.500, C refunds/payable 6.166",
        );
        let undone = Returned { place: channel("card"), arrived: jod("6.166"), kept: jod("0"), ..returned };
        enters(
            refund_returned(voucher(), &undone),
            "refund_returned: D channel/card/receivable 6.166, C refunds/payable 6.166",
        );
        enters(
            refund_unclaimed(voucher(), &slug("general"), jod("6.166")),
            "refund_unclaimed: D refunds/payable 6.166, C treasury/general/unclaimed 6.166",
        );
    }

    #[test]
    fn money_that_an_agency_received_itself_is_given_back_by_its_channel_or_from_what_it_pays_in() {
        let psi = slug("psi");
        enters(
            refund_approved(voucher(), jod("6.166"), &shares("direct:psi 6.166")),
            "refund_approved: D agency/psi/direct 6.166, C refunds/payable 6.166",
        );
        enters(
            refund_taken_over(voucher(), &psi, jod("6.166")),
            "refund_taken_over: D agency/psi/payable 6.166, C agency/psi/direct 6.166",
        );
        enters(
            refund_left_at_agency(voucher(), &psi, jod("6.166")),
            "refund_left_at_agency: D refunds/payable 6.166, C agency/psi/direct 6.166",
        );
    }
}
