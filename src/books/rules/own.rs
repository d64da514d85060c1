//! The hub's own side: money between its bank accounts, and what it gives up.

use mizan_ledger::Money;
use mizan_ledger::entry::Entry;

use super::draft::{RuleError, move_money};
use super::terms::Voucher;
use crate::books::chart;
use crate::books::slug::Slug;

/// A statement shows a transfer to another of our accounts leaving.
pub fn own_transfer_left(voucher: Voucher, account: &Slug, amount: Money) -> Result<Entry, RuleError> {
    let currency = amount.currency();
    move_money(
        "own_transfer_left",
        voucher,
        chart::own_transfers(currency),
        chart::bank(account, currency),
        amount,
    )
}

/// The statement of the other account shows it.
pub fn own_transfer_arrived(voucher: Voucher, account: &Slug, amount: Money) -> Result<Entry, RuleError> {
    let currency = amount.currency();
    move_money(
        "own_transfer_arrived",
        voucher,
        chart::bank(account, currency),
        chart::own_transfers(currency),
        amount,
    )
}

/// What a channel still owes is given up.
pub fn receivable_written_off(voucher: Voucher, channel: &Slug, amount: Money) -> Result<Entry, RuleError> {
    let currency = amount.currency();
    let (losses, receivable) = (chart::hub_losses(currency), chart::receivable(channel, currency));
    move_money("receivable_written_off", voucher, losses, receivable, amount)
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn money_between_own_accounts_is_on_its_way_for_a_while() {
        enters(
            own_transfer_left(voucher(), &slug("collection"), jod("500.000")),
            "own_transfer_left: D bank/transfers 500.000, C bank/collection 500.000",
        );
        enters(
            own_transfer_arrived(voucher(), &slug("payouts"), jod("500.000")),
            "own_transfer_arrived: D bank/payouts 500.000, C bank/transfers 500.000",
        );
    }

    #[test]
    fn what_a_channel_never_pays_is_a_loss_of_the_hub() {
        enters(
            receivable_written_off(voucher(), &slug("card"), jod("0.005")),
            "receivable_written_off: D hub/losses 0.005, C channel/card/receivable 0.005",
        );
    }
}
