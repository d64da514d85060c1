//! Balances as a fold over lines, and the trial balance.

use std::collections::BTreeMap;

use crate::account::{AccountKey, Class, Side};
use crate::{Currency, Money};

/// What the lines of one account add up to, in minor units. Both sums only grow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Balance {
    debits_minor: i64,
    credits_minor: i64,
}

/// The sums of an account would leave the range of 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the balance would leave the range of 64 bits")]
pub struct BalanceOverflow;

impl Balance {
    /// `None` when a sum is below zero, which no fold of lines is.
    pub fn new(debits_minor: i64, credits_minor: i64) -> Option<Self> {
        (debits_minor >= 0 && credits_minor >= 0).then_some(Self { debits_minor, credits_minor })
    }

    pub fn debits_minor(self) -> i64 {
        self.debits_minor
    }

    pub fn credits_minor(self) -> i64 {
        self.credits_minor
    }

    /// After one more line: debit positive, credit negative.
    pub fn after(self, signed_minor: i64) -> Result<Self, BalanceOverflow> {
        let (mut debits, mut credits) = (Some(self.debits_minor), Some(self.credits_minor));
        if signed_minor < 0 {
            credits = signed_minor.checked_neg().and_then(|amount| self.credits_minor.checked_add(amount));
        } else {
            debits = self.debits_minor.checked_add(signed_minor);
        }
        match (debits, credits) {
            (Some(debits_minor), Some(credits_minor)) => Ok(Self { debits_minor, credits_minor }),
            _ => Err(BalanceOverflow),
        }
    }

    /// The balance after all of `lines`, from zero.
    pub fn fold(lines: impl IntoIterator<Item = i64>) -> Result<Self, BalanceOverflow> {
        lines.into_iter().try_fold(Self::default(), Self::after)
    }

    /// Debits less credits. Both lie in 0..=i64::MAX, so the difference is in range.
    pub fn net_minor(self) -> i64 {
        self.debits_minor.saturating_sub(self.credits_minor)
    }

    /// The balance on `side`: positive when the account stands on it.
    pub fn on(self, side: Side) -> i64 {
        match side {
            Side::Debit => self.net_minor(),
            Side::Credit => self.net_minor().saturating_neg(),
        }
    }
}

/// One row of the trial balance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountBalance {
    pub account: AccountKey,
    pub class: Class,
    pub agency: Option<String>,
    pub balance: Balance,
    pub floor_minor: Option<i64>,
    pub ceiling_minor: Option<i64>,
    /// How many lines the account has.
    pub lines_count: i64,
}

impl AccountBalance {
    /// The balance on the account's normal side.
    pub fn money(&self) -> Money {
        Money::new(self.balance.on(self.class.normal_side()), self.account.currency)
    }
}

/// Debits and credits of all accounts of one currency. Equal in every true book.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TrialTotal {
    /// Sum of the accounts that stand on the debit side.
    pub debit_minor: i128,
    /// Sum of the accounts that stand on the credit side.
    pub credit_minor: i128,
}

impl TrialTotal {
    pub fn is_balanced(self) -> bool {
        self.debit_minor == self.credit_minor
    }
}

/// The trial balance: per currency, what stands on either side.
pub fn trial_balance<'a>(
    balances: impl IntoIterator<Item = &'a AccountBalance>,
) -> BTreeMap<Currency, TrialTotal> {
    let mut totals: BTreeMap<Currency, TrialTotal> = BTreeMap::new();
    for row in balances {
        let total = totals.entry(row.account.currency).or_default();
        let net = i128::from(row.balance.net_minor());
        // i128 holds 2^64 such balances: saturation is never reached.
        if net > 0 {
            total.debit_minor = total.debit_minor.saturating_add(net);
        } else {
            total.credit_minor = total.credit_minor.saturating_sub(net);
        }
    }
    totals
}
