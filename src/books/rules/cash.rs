//! Cash and cheques: drawer, safe, the way to the bank, and what is missing or left over when it is counted.
//!
//! ```text
//! drawer ◄─float─ safe ─deposit made─► transit ─seen─► bank
//!    └─ handed over ─►▲     slip refused ─┘        cheques ─deposited─► transit
//! ```

use mizan_ledger::Money;
use mizan_ledger::entry::Entry;

use super::draft::{Draft, RuleError, adds_up, move_money, sum};
use super::terms::{Beneficiary, Exemption, Share, Voucher};
use crate::books::chart;
use crate::books::slug::Slug;

/// The drawer is opened with a float from the safe.
pub fn float_handed_out(
    voucher: Voucher,
    office: &Slug,
    counter: &Slug,
    amount: Money,
) -> Result<Entry, RuleError> {
    let currency = amount.currency();
    let (drawer, safe) = (chart::drawer(counter, currency), chart::safe(office, currency));
    move_money("float_handed_out", voucher, drawer, safe, amount)
}

/// The keeper of the safe accepted what the drawer held.
pub fn drawer_handed_over(
    voucher: Voucher,
    office: &Slug,
    counter: &Slug,
    amount: Money,
) -> Result<Entry, RuleError> {
    let currency = amount.currency();
    let (drawer, safe) = (chart::drawer(counter, currency), chart::safe(office, currency));
    move_money("drawer_handed_over", voucher, safe, drawer, amount)
}

/// The count found less than the book: a claim until somebody decides.
pub fn drawer_short(voucher: Voucher, counter: &Slug, missing: Money) -> Result<Entry, RuleError> {
    let currency = missing.currency();
    let (short, drawer) = (chart::cash_short(currency), chart::drawer(counter, currency));
    move_money("drawer_short", voucher, short, drawer, missing)
}

/// The count found more than the book.
pub fn drawer_over(voucher: Voucher, counter: &Slug, surplus: Money) -> Result<Entry, RuleError> {
    let currency = surplus.currency();
    let (over, drawer) = (chart::cash_over(currency), chart::drawer(counter, currency));
    move_money("drawer_over", voucher, drawer, over, surplus)
}

/// Who was short paid it into the safe.
pub fn short_repaid(voucher: Voucher, office: &Slug, amount: Money) -> Result<Entry, RuleError> {
    let currency = amount.currency();
    move_money("short_repaid", voucher, chart::safe(office, currency), chart::cash_short(currency), amount)
}

pub fn short_written_off(voucher: Voucher, amount: Money) -> Result<Entry, RuleError> {
    let currency = amount.currency();
    move_money("short_written_off", voucher, chart::hub_losses(currency), chart::cash_short(currency), amount)
}

/// Whose the surplus is was decided: the treasury's, or it waits in suspense for its payer.
pub fn over_decided(voucher: Voucher, to: &Beneficiary, amount: Money) -> Result<Entry, RuleError> {
    let account = to.account(amount.currency());
    if !matches!(to, Beneficiary::Treasury { .. } | Beneficiary::Suspense { .. }) {
        return Err(RuleError::NotForSurplus { account: account.code });
    }
    move_money("over_decided", voucher, chart::cash_over(amount.currency()), account, amount)
}

/// Cash left the safe for the bank with a slip.
pub fn deposit_made(voucher: Voucher, office: &Slug, amount: Money) -> Result<Entry, RuleError> {
    let currency = amount.currency();
    move_money(
        "deposit_made",
        voucher,
        chart::transit(office, currency),
        chart::safe(office, currency),
        amount,
    )
}

/// The bank credited the deposit, as it counted it: what the slip says more is missing, what it says less is over.
pub fn deposit_seen(
    voucher: Voucher,
    office: &Slug,
    account: &Slug,
    slip: Money,
    counted: Money,
) -> Result<Entry, RuleError> {
    let currency = slip.currency();
    let missing = slip.checked_sub(counted)?;
    let mut draft = Draft::new("deposit_seen", currency);
    draft.debit(chart::bank(account, currency), counted)?;
    if missing.is_positive() {
        draft.debit(chart::cash_short(currency), missing)?;
    }
    draft.credit(chart::transit(office, currency), slip)?;
    if missing.is_negative() {
        draft.credit(chart::cash_over(currency), missing.checked_neg()?)?;
    }
    draft.enter(voucher)
}

/// The bank refused the deposit and the cash is back in the safe.
pub fn slip_refused(voucher: Voucher, office: &Slug, amount: Money) -> Result<Entry, RuleError> {
    let currency = amount.currency();
    move_money(
        "slip_refused",
        voucher,
        chart::safe(office, currency),
        chart::transit(office, currency),
        amount,
    )
}

/// The deposit never reached the bank: a claim until somebody decides.
pub fn slip_lost(voucher: Voucher, office: &Slug, amount: Money) -> Result<Entry, RuleError> {
    let currency = amount.currency();
    move_money("slip_lost", voucher, chart::cash_short(currency), chart::transit(office, currency), amount)
}

pub fn cheque_deposited(voucher: Voucher, office: &Slug, amount: Money) -> Result<Entry, RuleError> {
    let currency = amount.currency();
    let (transit, cheques) = (chart::transit(office, currency), chart::cheques(office, currency));
    move_money("cheque_deposited", voucher, transit, cheques, amount)
}

/// How far a cheque had come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bounced {
    /// The bank never credited it.
    InTransit { office: Slug },
    /// The bank took its credit back and charged `fee`, which the hub bears.
    AtBank { account: Slug, fee: Money },
}

/// A cheque without cover: each component leaves where it stands now, exemptions are taken back. The intent is
/// reversed.
pub fn cheque_dishonoured(
    voucher: Voucher,
    bounced: &Bounced,
    amount: Money,
    shares: &[Share],
    exemptions: &[Exemption],
) -> Result<Entry, RuleError> {
    let currency = amount.currency();
    adds_up(("the cheque", amount), ("the components", sum(currency, shares)?))?;
    let mut draft = Draft::new("cheque_dishonoured", currency);
    draft.debit_shares(shares)?;
    match bounced {
        Bounced::InTransit { office } => draft.credit(chart::transit(office, currency), amount)?,
        Bounced::AtBank { account, fee } => {
            draft.debit(chart::hub_costs(account, currency), *fee)?;
            draft.credit(chart::bank(account, currency), amount.checked_add(*fee)?)?;
        }
    }
    draft.unexempt(exemptions)?;
    draft.enter(voucher)
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn cash_moves_between_drawer_and_safe() {
        let (office, counter) = (slug("main"), slug("window-3"));
        enters(
            float_handed_out(voucher(), &office, &counter, jod("50.000")),
            "float_handed_out: D cash/window-3/drawer 50.000, C cash/main/safe 50.000",
        );
        enters(
            drawer_handed_over(voucher(), &office, &counter, jod("81.250")),
            "drawer_handed_over: D cash/main/safe 81.250, C cash/window-3/drawer 81.250",
        );
    }

    #[test]
    fn a_count_finds_too_little_or_too_much() {
        enters(
            drawer_short(voucher(), &slug("window-3"), jod("0.750")),
            "drawer_short: D cash/short 0.750, C cash/window-3/drawer 0.750",
        );
        enters(
            drawer_over(voucher(), &slug("window-3"), jod("0.250")),
            "drawer_over: D cash/window-3/drawer 0.250, C cash/over 0.250",
        );
        enters(
            short_repaid(voucher(), &slug("main"), jod("0.500")),
            "short_repaid: D cash/main/safe 0.500, C cash/short 0.500",
        );
        enters(
            short_written_off(voucher(), jod("0.250")),
            "short_written_off: D hub/losses 0.250, C cash/short 0.250",
        );
        enters(
            over_decided(voucher(), &beneficiary("treasury:general"), jod("0.150")),
            "over_decided: D cash/over 0.150, C treasury/general/payable 0.150",
        );
        enters(
            over_decided(voucher(), &beneficiary("suspense:main"), jod("0.100")),
            "over_decided: D cash/over 0.100, C suspense/main/credits 0.100",
        );
        assert_eq!(
            refusal(over_decided(voucher(), &beneficiary("fee"), jod("0.100"))),
            "hub/fees takes no cash surplus: it goes to the treasury or to suspense"
        );
    }

    #[test]
    fn a_deposit_is_what_the_bank_counted() {
        let (office, bank) = (slug("main"), slug("collection"));
        enters(
            deposit_made(voucher(), &office, jod("80.000")),
            "deposit_made: D cash/main/transit 80.000, C cash/main/safe 80.000",
        );
        enters(
            deposit_seen(voucher(), &office, &bank, jod("80.000"), jod("80.000")),
            "deposit_seen: D bank/collection 80.000, C cash/main/transit 80.000",
        );
        enters(
            deposit_seen(voucher(), &office, &bank, jod("80.000"), jod("79.000")),
            "deposit_seen: D bank/collection 79.000, D cash/short 1.000, C cash/main/transit 80.000",
        );
        enters(
            deposit_seen(voucher(), &office, &bank, jod("80.000"), jod("80.500")),
            "deposit_seen: D bank/collection 80.500, C cash/main/transit 80.000, C cash/over 0.500",
        );
        enters(
            slip_refused(voucher(), &office, jod("80.000")),
            "slip_refused: D cash/main/safe 80.000, C cash/main/transit 80.000",
        );
        enters(
            slip_lost(voucher(), &office, jod("80.000")),
            "slip_lost: D cash/short 80.000, C cash/main/transit 80.000",
        );
    }

    #[test]
    fn a_cheque_is_deposited_and_may_bounce() {
        let stands = shares("payable:psi 25.000, fee 5.000");
        enters(
            cheque_deposited(voucher(), &slug("main"), jod("30.000")),
            "cheque_deposited: D cash/main/transit 30.000, C cash/main/cheques 30.000",
        );
        let in_transit = Bounced::InTransit { office: slug("main") };
        enters(
            cheque_dishonoured(voucher(), &in_transit, jod("30.000"), &stands, &[waived("psi", "2.000")]),
            "cheque_dishonoured: D agency/psi/payable 25.000, D hub/fees 5.000, C cash/main/transit 30.000,
             D agency/psi/assessed 2.000, C agency/psi/waived 2.000",
        );
        let at_bank = Bounced::AtBank { account: slug("collection"), fee: jod("0.750") };
        enters(
            cheque_dishonoured(voucher(), &at_bank, jod("30.000"), &stands, &[]),
            "cheque_dishonoured: D agency/psi/payable 25.000, D hub/fees 5.000, D hub/costs/collection 0.750,
             C bank/collection 30.750",
        );
        assert_eq!(
            refusal(cheque_dishonoured(voucher(), &in_transit, jod("29.000"), &stands, &[])),
            "the cheque is 29.000 JOD, but the components add up to 30.000 JOD"
        );
    }
}
