//! What only the bank can tell: its charges, its interest, and what it takes back.

use mizan_ledger::Money;
use mizan_ledger::entry::Entry;

use super::draft::{RuleError, move_money};
use super::terms::{Parked, Voucher};
use crate::books::chart;
use crate::books::slug::Slug;

/// The bank charged the hub, for keeping the account or for no payment in particular.
pub fn bank_charged(voucher: Voucher, account: &Slug, amount: Money) -> Result<Entry, RuleError> {
    let currency = amount.currency();
    let (costs, bank) = (chart::hub_costs(account, currency), chart::bank(account, currency));
    move_money("bank_charged", voucher, costs, bank, amount)
}

/// Interest on money that belongs to others: the treasury's.
pub fn interest_credited(
    voucher: Voucher,
    account: &Slug,
    fund: &Slug,
    amount: Money,
) -> Result<Entry, RuleError> {
    let currency = amount.currency();
    let (bank, treasury) = (chart::bank(account, currency), chart::treasury_payable(fund, currency));
    move_money("interest_credited", voucher, bank, treasury, amount)
}

/// The bank took back a credit that had settled a channel: the channel owes it again.
pub fn bank_undid_credit(
    voucher: Voucher,
    account: &Slug,
    channel: &Slug,
    amount: Money,
) -> Result<Entry, RuleError> {
    let currency = amount.currency();
    let (receivable, bank) = (chart::receivable(channel, currency), chart::bank(account, currency));
    move_money("bank_undid_credit", voucher, receivable, bank, amount)
}

/// The bank took back a credit that still waits in suspense.
pub fn bank_undid_unknown_credit(
    voucher: Voucher,
    account: &Slug,
    parked: &Parked,
) -> Result<Entry, RuleError> {
    let currency = parked.amount.currency();
    let (suspense, bank) =
        (chart::suspense_credits(&parked.suspense, currency), chart::bank(account, currency));
    move_money("bank_undid_unknown_credit", voucher, suspense, bank, parked.amount)
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn charges_are_the_hubs_and_interest_is_the_treasurys() {
        let bank = slug("collection");
        enters(
            bank_charged(voucher(), &bank, jod("2.500")),
            "bank_charged: D hub/costs/collection 2.500, C bank/collection 2.500",
        );
        enters(
            interest_credited(voucher(), &bank, &slug("general"), jod("0.375")),
            "interest_credited: D bank/collection 0.375, C treasury/general/payable 0.375",
        );
    }

    #[test]
    fn a_credit_taken_back_is_owed_again() {
        let bank = slug("collection");
        enters(
            bank_undid_credit(voucher(), &bank, &slug("wire"), jod("5.000")),
            "bank_undid_credit: D channel/wire/receivable 5.000, C bank/collection 5.000",
        );
        enters(
            bank_undid_unknown_credit(voucher(), &bank, &parked("collection 5.000")),
            "bank_undid_unknown_credit: D suspense/collection/credits 5.000, C bank/collection 5.000",
        );
    }
}
