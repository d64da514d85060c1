//! An entry in the making, and why it may come to nothing.

use mizan_ledger::account::{Account, AccountCode, Side};
use mizan_ledger::entry::{Entry, EntryDraft, EntryError, Line};
use mizan_ledger::{Currency, Money, MoneyError};

use super::terms::{CostBearer, Exemption, RailCost, Share, Voucher};
use crate::books::chart;
use crate::books::slug::Slug;

/// Why what happened makes no entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// The two sides of a comparison, each by its name.
    #[error("{whole} is {whole_amount}, but {parts} add up to {parts_amount}")]
    DoesNotAddUp { whole: &'static str, whole_amount: Money, parts: &'static str, parts_amount: Money },
    #[error("{money} for {account}: an amount below zero is not entered")]
    Negative { account: AccountCode, money: Money },
    #[error("{money} for {account} in an entry in {expected}")]
    OtherCurrency { account: AccountCode, money: Money, expected: Currency },
    #[error("{kind} moves no money")]
    NothingMoves { kind: &'static str },
    #[error("cash is rounded in a drawer, not on {account}")]
    RoundedOutsideDrawer { account: AccountCode },
    #[error("a channel owes what is settled here, not {account}")]
    NotAChannel { account: AccountCode },
    #[error("{account} is not paid out: its money is not released")]
    NotReleased { account: AccountCode },
    #[error("{account} takes no cash surplus: it goes to the treasury or to suspense")]
    NotForSurplus { account: AccountCode },
    #[error(transparent)]
    Amount(#[from] MoneyError),
    #[error(transparent)]
    Entry(#[from] EntryError),
}

/// Collects lines of one currency in the order a reader expects; the same account and side is one line.
pub(super) struct Draft {
    kind: &'static str,
    currency: Currency,
    legs: Vec<(Account, Side, Money)>,
}

impl Draft {
    pub(super) fn new(kind: &'static str, currency: Currency) -> Self {
        Self { kind, currency, legs: Vec::new() }
    }

    pub(super) fn currency(&self) -> Currency {
        self.currency
    }

    pub(super) fn debit(&mut self, account: Account, money: Money) -> Result<(), RuleError> {
        self.add(account, Side::Debit, money)
    }

    pub(super) fn credit(&mut self, account: Account, money: Money) -> Result<(), RuleError> {
        self.add(account, Side::Credit, money)
    }

    /// A debit, or the credit of what it is below zero.
    pub(super) fn debit_signed(&mut self, account: Account, money: Money) -> Result<(), RuleError> {
        if money.is_negative() {
            self.credit(account, money.checked_neg()?)
        } else {
            self.debit(account, money)
        }
    }

    /// A credit, or the debit of what it is below zero.
    pub(super) fn credit_signed(&mut self, account: Account, money: Money) -> Result<(), RuleError> {
        if money.is_negative() {
            self.debit(account, money.checked_neg()?)
        } else {
            self.credit(account, money)
        }
    }

    pub(super) fn debit_shares(&mut self, shares: &[Share]) -> Result<(), RuleError> {
        shares.iter().try_for_each(|share| self.debit(share.beneficiary.account(self.currency), share.amount))
    }

    pub(super) fn credit_shares(&mut self, shares: &[Share]) -> Result<(), RuleError> {
        shares
            .iter()
            .try_for_each(|share| self.credit(share.beneficiary.account(self.currency), share.amount))
    }

    /// What the rail charges, accrued against whoever bears it.
    pub(super) fn accrue(&mut self, costs: &[RailCost]) -> Result<(), RuleError> {
        for RailCost { channel, amount, borne_by } in costs {
            self.cost(channel, *amount, borne_by)?;
            self.credit(chart::costs_payable(channel, self.currency), *amount)?;
        }
        Ok(())
    }

    pub(super) fn cost(
        &mut self,
        channel: &Slug,
        amount: Money,
        bearer: &CostBearer,
    ) -> Result<(), RuleError> {
        self.debit(bearer.account(channel, self.currency), amount)
    }

    pub(super) fn exempt(&mut self, exemptions: &[Exemption]) -> Result<(), RuleError> {
        for exemption in exemptions {
            let (debit, credit, amount) = self.exemption(exemption);
            self.debit(debit, amount)?;
            self.credit(credit, amount)?;
        }
        Ok(())
    }

    /// Takes exemptions back, because the payment they belonged to fell.
    pub(super) fn unexempt(&mut self, exemptions: &[Exemption]) -> Result<(), RuleError> {
        for exemption in exemptions {
            let (credit, debit, amount) = self.exemption(exemption);
            self.debit(debit, amount)?;
            self.credit(credit, amount)?;
        }
        Ok(())
    }

    fn exemption(&self, exemption: &Exemption) -> (Account, Account, Money) {
        let currency = self.currency;
        match exemption {
            Exemption::Waived { agency, amount } => {
                (chart::waived(agency, currency), chart::assessed(agency, currency), *amount)
            }
            Exemption::Sponsored { sponsor, share } => (
                chart::sponsor_receivable(sponsor, currency),
                share.beneficiary.account(currency),
                share.amount,
            ),
        }
    }

    fn add(&mut self, account: Account, side: Side, money: Money) -> Result<(), RuleError> {
        if money.currency() != self.currency {
            return Err(RuleError::OtherCurrency { account: account.code, money, expected: self.currency });
        }
        if money.is_negative() {
            return Err(RuleError::Negative { account: account.code, money });
        }
        if money.is_zero() {
            return Ok(());
        }
        let same = |leg: &&mut (Account, Side, Money)| leg.0.code == account.code && leg.1 == side;
        match self.legs.iter_mut().find(same) {
            Some(leg) => leg.2 = leg.2.checked_add(money)?,
            None => self.legs.push((account, side, money)),
        }
        Ok(())
    }

    pub(super) fn enter(self, voucher: Voucher) -> Result<Entry, RuleError> {
        if self.legs.is_empty() {
            return Err(RuleError::NothingMoves { kind: self.kind });
        }
        let Voucher { id, effective_on, actor, source_ref, meta } = voucher;
        let lines =
            self.legs.into_iter().map(|(account, side, money)| Line::new(account, side, money)).collect();
        let kind = self.kind.to_owned();
        Ok(Entry::new(EntryDraft { id, kind, effective_on, actor, source_ref, meta, lines })?)
    }
}

/// The commonest entry: one debit, one credit.
pub(super) fn move_money(
    kind: &'static str,
    voucher: Voucher,
    debit: Account,
    credit: Account,
    amount: Money,
) -> Result<Entry, RuleError> {
    let mut draft = Draft::new(kind, amount.currency());
    draft.debit(debit, amount)?;
    draft.credit(credit, amount)?;
    draft.enter(voucher)
}

pub(super) fn sum(currency: Currency, shares: &[Share]) -> Result<Money, RuleError> {
    Ok(Money::sum(currency, shares.iter().map(|share| share.amount))?)
}

/// Refuses unless the parts make up the whole; names both.
pub(super) fn adds_up(
    (whole, whole_amount): (&'static str, Money),
    (parts, parts_amount): (&'static str, Money),
) -> Result<(), RuleError> {
    if whole_amount == parts_amount {
        return Ok(());
    }
    Err(RuleError::DoesNotAddUp { whole, whole_amount, parts, parts_amount })
}
