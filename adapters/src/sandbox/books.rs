//! The sandbox's own books: a plain list of postings, each debiting one party and crediting another.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::amount::{Amount, Currency};

/// Whom the bank or the gateway owes. A balance is credits less debits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// A customer's account at the bank, by its number.
    Account(String),
    /// Everybody at other banks.
    Outside,
    /// The card holders' banks.
    Cards,
    /// What the gateway owes a merchant and has not settled.
    Merchant(String),
    /// What the gateway and the bank have earned.
    Earned,
}

/// One movement of money.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Posting {
    pub day: Date,
    pub debit: Party,
    pub credit: Party,
    #[serde(flatten)]
    pub amount: Amount,
    pub why: String,
}

/// The list of postings and the balances they come to.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Books {
    postings: Vec<Posting>,
    #[serde(skip)]
    balances: BTreeMap<(Party, Currency), Amount>,
}

impl Books {
    /// Writes a posting; one of zero moves nothing and is not written, one below zero runs the other way.
    pub fn post(&mut self, day: Date, debit: Party, credit: Party, amount: Amount, why: &str) {
        let (debit, credit) = if amount.minor < 0 { (credit, debit) } else { (debit, credit) };
        if amount.minor == 0 {
            return;
        }
        let posting = Posting { day, debit, credit, amount: amount.absolute(), why: why.to_owned() };
        add(&mut self.balances, &posting);
        self.postings.push(posting);
    }

    pub fn balance(&self, party: &Party, currency: Currency) -> Amount {
        let found = self.balances.get(&(party.clone(), currency));
        found.copied().unwrap_or_else(|| Amount::zero(currency))
    }

    /// The balances counted again from the list: needed after reading the books from a file.
    pub fn recount(&mut self) {
        self.balances = counted(&self.postings);
    }

    /// Whether the running balances are those of the list and come to zero in every currency.
    pub fn balanced(&self) -> bool {
        let mut sums: BTreeMap<Currency, i64> = BTreeMap::new();
        for ((_, currency), balance) in &self.balances {
            *sums.entry(*currency).or_default() += balance.minor;
        }
        sums.values().all(|sum| *sum == 0) && counted(&self.postings) == self.balances
    }
}

fn counted(postings: &[Posting]) -> BTreeMap<(Party, Currency), Amount> {
    let mut balances = BTreeMap::new();
    for posting in postings {
        add(&mut balances, posting);
    }
    balances
}

fn add(balances: &mut BTreeMap<(Party, Currency), Amount>, posting: &Posting) {
    let currency = posting.amount.currency;
    let mut change = |party: &Party, amount: Amount| {
        let balance = balances.entry((party.clone(), currency)).or_insert_with(|| Amount::zero(currency));
        *balance = balance.plus(amount);
    };
    change(&posting.debit, posting.amount.negated());
    change(&posting.credit, posting.amount);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_posting_below_zero_runs_the_other_way() {
        let day = Date::constant(2026, 11, 22);
        let ils = Currency::find("ILS").unwrap();
        let mut books = Books::default();
        books.post(day, Party::Outside, Party::Earned, Amount { minor: 500, currency: ils }, "one");
        books.post(day, Party::Outside, Party::Earned, Amount { minor: -200, currency: ils }, "two");
        assert_eq!(books.balance(&Party::Earned, ils).minor, 300);
        assert_eq!(books.balance(&Party::Outside, ils).minor, -300);
        assert!(books.balanced());
    }

    #[test]
    fn a_balance_that_is_not_that_of_the_list_is_seen() {
        let ils = Currency::find("ILS").unwrap();
        let mut books = Books::default();
        books.post(
            Date::constant(2026, 11, 22),
            Party::Outside,
            Party::Cards,
            Amount { minor: 5, currency: ils },
            "one",
        );
        books.postings[0].amount.minor = 6;
        assert!(!books.balanced());
        books.recount();
        assert!(books.balanced());
    }
}
