//! The bank's accounts: lines of the open day, and the statements of closed ones.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::amount::{Amount, Currency};
use super::books::{Books, Party};
use super::config::{self, Format};
use super::refusal::Refusal;
use super::world::{COUNT_MAX, World};

/// The bank's memory.
#[derive(Debug, Serialize, Deserialize)]
pub struct Bank {
    pub accounts: Vec<Account>,
    last_reference: u64,
}

/// A customer's account.
#[derive(Debug, Serialize, Deserialize)]
pub struct Account {
    pub account: String,
    pub currency: Currency,
    pub owner: String,
    pub format: Format,
    /// The balance with which the open day began.
    pub opening: Amount,
    pub lines: Vec<Line>,
    pub statements: Vec<Statement>,
}

/// One booked movement on an account: a credit above zero, a debit below.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Line {
    pub bank_reference: String,
    #[serde(flatten)]
    pub amount: Amount,
    pub kind: LineKind,
    /// The customer's reference, where the line has it in a field of its own.
    pub reference: Option<String>,
    pub text: String,
    pub counterparty: Option<Counterparty>,
    /// Why an order came back (an ISO 20022 return reason).
    pub returned: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    Received,
    Sent,
    Returned,
    CardSettlement,
    Charge,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counterparty {
    pub name: String,
    pub account: Option<String>,
}

/// The fixed statement of one day.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Statement {
    pub sequence: usize,
    pub day: Date,
    pub opening: Amount,
    pub closing: Amount,
    pub lines: Vec<Line>,
    /// Booked, but left out of the statement by a fault.
    pub left_out: Vec<Line>,
    pub created_at: Timestamp,
}

impl Bank {
    pub fn new(accounts: &[config::Account], books: &Books) -> Self {
        let mut bank = Self { accounts: Vec::new(), last_reference: 0 };
        for account in accounts {
            bank.open(account, books);
        }
        bank
    }

    /// Accounts that are new in the settings of a sandbox that goes on.
    pub fn add_accounts(&mut self, accounts: &[config::Account], books: &mut Books, day: Date) {
        for account in
            accounts.iter().filter(|account| self.find(&account.iban).is_none()).collect::<Vec<_>>()
        {
            let currency = Currency::find(&account.currency).expect("the settings were checked at the start");
            let opening = Amount::parse_signed(&account.opening, currency)
                .expect("the settings were checked at the start");
            books.post(day, Party::Outside, Party::Account(account.iban.clone()), opening, "opening");
            self.open(account, books);
        }
    }

    fn open(&mut self, account: &config::Account, books: &Books) {
        let currency = Currency::find(&account.currency).expect("the settings were checked at the start");
        self.accounts.push(Account {
            account: account.iban.clone(),
            currency,
            owner: account.owner.clone(),
            format: account.statement,
            opening: books.balance(&Party::Account(account.iban.clone()), currency),
            lines: Vec::new(),
            statements: Vec::new(),
        });
    }

    pub fn find(&self, account: &str) -> Option<&Account> {
        self.accounts.iter().find(|known| known.account == account)
    }

    pub fn find_mut(&mut self, account: &str) -> Option<&mut Account> {
        self.accounts.iter_mut().find(|known| known.account == account)
    }

    /// Whether every account shows what the books say and every statement goes on where the last one ended.
    pub fn agrees_with(&self, books: &Books) -> bool {
        self.accounts.iter().all(|account| {
            let chained = account
                .statements
                .windows(2)
                .all(|two| two[0].closing == two[1].opening && two[0].sequence + 1 == two[1].sequence);
            let last = account.statements.last().is_none_or(|last| last.closing == account.opening);
            let closed = account.statements.iter().all(Statement::closes);
            chained
                && last
                && closed
                && account.balance()
                    == books.balance(&Party::Account(account.account.clone()), account.currency)
        })
    }
}

impl Account {
    pub fn balance(&self) -> Amount {
        self.lines.iter().fold(self.opening, |sum, line| sum.plus(line.amount))
    }

    pub fn statement(&self, day: Date) -> Option<&Statement> {
        self.statements.iter().find(|statement| statement.day == day)
    }
}

impl Statement {
    fn closes(&self) -> bool {
        let lines = self.lines.iter().chain(&self.left_out);
        lines.fold(self.opening, |sum, line| sum.plus(line.amount)) == self.closing
    }
}

/// What somebody pays into an account.
#[derive(Debug)]
pub struct Transfer {
    pub to: String,
    pub amount: Amount,
    pub reference: Option<String>,
    pub text: String,
    pub payer: Option<String>,
}

impl World {
    /// Books a line on an account against another party.
    pub fn book(&mut self, account: &str, other: Party, line: Line) {
        self.kept.books.post(
            self.kept.day,
            other,
            Party::Account(account.to_owned()),
            line.amount,
            &line.bank_reference,
        );
        self.show(account, line);
    }

    /// Shows a line on an account whose posting is made already; a line of zero is not shown.
    pub fn show(&mut self, account: &str, line: Line) {
        if let Some(account) = self.kept.bank.find_mut(account).filter(|_| line.amount.minor != 0) {
            account.lines.push(line);
        }
    }

    /// The bank's own reference: its letters, the day and a number.
    pub fn next_reference(&mut self) -> String {
        self.kept.bank.last_reference += 1;
        format!("FT{}{:07}", self.kept.day.strftime("%y%j"), self.kept.bank.last_reference)
    }

    /// The account, if it is kept in this currency and has room for another line today.
    pub fn account_for(&self, account: &str, currency: Currency) -> Result<&Account, Refusal> {
        let found =
            self.kept.bank.find(account).ok_or_else(|| Refusal::unknown("unknown_account", account))?;
        if found.currency != currency {
            return Err(Refusal::senseless("currency_mismatch", "the account is kept in another currency"));
        }
        if found.lines.len() >= COUNT_MAX {
            return Err(Refusal::conflict("sandbox_full", "a million lines a day are enough"));
        }
        Ok(found)
    }

    /// Somebody pays into an account; one reference in five gets into the free text alone.
    pub fn receive(&mut self, transfer: Transfer) -> Result<String, Refusal> {
        self.account_for(&transfer.to, transfer.amount.currency)?;
        let (mut reference, mut text) = (transfer.reference, transfer.text);
        if let Some(written) = &reference {
            let carried = self.seed.carried(written);
            text = carried.text(&text, written);
            if carried != super::seed::Carried::OwnField {
                reference = None;
            }
        }
        let bank_reference = self.next_reference();
        let line = Line {
            bank_reference: bank_reference.clone(),
            amount: transfer.amount,
            kind: LineKind::Received,
            reference,
            text,
            counterparty: transfer.payer.map(|name| Counterparty { name, account: None }),
            returned: None,
        };
        self.book(&transfer.to, Party::Outside, line);
        Ok(bank_reference)
    }

    /// The bank takes money from an account.
    pub fn charge(&mut self, account: &str, amount: Amount, text: &str) -> Result<String, Refusal> {
        self.account_for(account, amount.currency)?;
        let bank_reference = self.next_reference();
        let line = Line {
            bank_reference: bank_reference.clone(),
            amount: amount.negated(),
            kind: LineKind::Charge,
            reference: None,
            text: text.to_owned(),
            counterparty: None,
            returned: None,
        };
        self.book(account, Party::Earned, line);
        Ok(bank_reference)
    }
}
