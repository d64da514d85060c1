//! The bank: accounts, lines, transfers that come in, orders that go out, and the end of its day.

use std::collections::BTreeMap;

use mizan_adapters::bank::rest::StatementFormat;
use mizan_adapters::outcome::Outcome;
use mizan_adapters::payment_file::StatusReport;
use mizan_adapters::payment_file::pain002::{Block, Order as OrderReport, Standing};
use mizan_ledger::{Currency, Day, Money};

use super::statement;
use super::world::World;
use crate::config::Bank;

/// One of our accounts, as the bank keeps it.
#[derive(Debug, Clone)]
pub(super) struct Account {
    /// Its name in the hub's books.
    pub name: String,
    pub iban: String,
    pub currency: Currency,
    /// Its statements are MT940, else camt.053.
    pub writes_mt940: bool,
    /// In minor units, when the open day began.
    pub opening: i64,
    /// Of the open day.
    pub lines: Vec<Line>,
    /// Statements so far.
    pub number: u32,
}

/// A movement.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub reference: String,
    /// Positive when it comes in.
    pub money: Money,
    pub end_to_end: Option<String>,
    pub creditor_reference: Option<String>,
    pub text: String,
}

/// An order of a payment file.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub money: Money,
    /// When it was taken.
    pub taken: u64,
    state: OrderEnd,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OrderEnd {
    Taken,
    Rejected,
    /// Its line stands on a statement; it may come back.
    Booked {
        returns: bool,
    },
    Over,
}

/// A payer's transfer into one of our accounts.
#[derive(Debug, Clone)]
pub struct Transfer {
    pub money: Money,
    /// An RF reference in its field.
    pub reference: Option<String>,
    pub text: String,
}

impl Order {
    /// The money left and stayed away.
    pub(super) fn is_final(&self) -> bool {
        self.state == OrderEnd::Booked { returns: false }
    }
}

impl Account {
    pub(super) fn new(bank: &Bank) -> Self {
        Self {
            name: bank.name.clone(),
            iban: bank.account.clone(),
            currency: bank.currency,
            writes_mt940: bank
                .endpoint
                .as_ref()
                .is_some_and(|endpoint| endpoint.statement_format == StatementFormat::Mt940),
            opening: 0,
            lines: Vec::new(),
            number: 0,
        }
    }

    pub(super) fn closing(&self) -> Money {
        Money::new(self.opening, self.currency)
    }
}

impl Line {
    pub(super) fn new(reference: String, money: Money) -> Self {
        Self { reference, money, end_to_end: None, creditor_reference: None, text: String::new() }
    }
}

impl World {
    pub(super) fn book(&mut self, currency: Currency, line: Line) {
        if line.money.is_zero() {
            return;
        }
        if let Some(account) = self.account_in(currency) {
            account.lines.push(line);
        }
    }

    /// Money comes in by transfer.
    pub fn transfer(&mut self, transfer: Transfer) {
        let Transfer { money, reference: creditor_reference, text } = transfer;
        let line = Line { creditor_reference, text, ..Line::new(self.next_name("B"), money) };
        self.book(money.currency(), line);
    }

    /// Takes a pain.001 file: our id of it and, per order, reference and amount, read as plain text.
    pub(super) fn take_payments(&mut self, file: &[u8]) -> Outcome<String> {
        let silent = || Outcome::Unknown { why: "no answer".to_owned() };
        if self.errs(15, "payment file not reached") {
            return Outcome::NotSent { why: "no connection".to_owned() };
        }
        if self.errs(20, "payment file lost") {
            return silent();
        }
        if self.errs(5, "payment file refused") {
            return Outcome::Rejected { code: "format".to_owned(), message: "no".to_owned() };
        }
        let text = String::from_utf8_lossy(file).into_owned();
        let Some(name) = between(&text, "<MsgId>", "</MsgId>").next().map(str::to_owned) else {
            return Outcome::Rejected { code: "unreadable".to_owned(), message: "no MsgId".to_owned() };
        };
        if self.taken.contains_key(&name) {
            return Outcome::Accepted(name);
        }
        let mut references = Vec::new();
        for order in between(&text, "<CdtTrfTxInf>", "</CdtTrfTxInf>") {
            let reference = between(order, "<EndToEndId>", "</EndToEndId>").next();
            let amount = between(order, "<InstdAmt Ccy=\"", "</InstdAmt>")
                .next()
                .and_then(|amount| amount.split_once("\">"));
            let money =
                amount.and_then(|(code, amount)| Money::parse_padded(amount, code.parse().ok()?).ok());
            if let (Some(reference), Some(money)) = (reference, money) {
                references.push(reference.to_owned());
                let order = Order { money, taken: self.moment(), state: OrderEnd::Taken };
                self.orders.insert(reference.to_owned(), order);
            }
        }
        self.taken.insert(name.clone(), references);
        if self.errs(20, "payment file answer lost") {
            return silent();
        }
        Outcome::Accepted(name)
    }

    pub(super) fn report_payments(&mut self, file: &str) -> Outcome<StatusReport> {
        if self.errs(10, "status unanswered") {
            return Outcome::Unknown { why: "no answer".to_owned() };
        }
        let Some(references) = self.taken.get(file) else {
            return Outcome::Rejected { code: "not_known".to_owned(), message: "no such file".to_owned() };
        };
        let order = |reference: &String| {
            let status = match self.orders.get(reference).map(|order| order.state) {
                Some(OrderEnd::Rejected) => "RJCT",
                Some(OrderEnd::Booked { .. } | OrderEnd::Over) => "ACSC",
                _ => "ACSP",
            };
            let standing = Standing { status: Some(status.to_owned()), reasons: Vec::new() };
            OrderReport { end_to_end_id: Some(reference.clone()), standing, ..OrderReport::default() }
        };
        let orders = references.iter().map(order).collect();
        let block = Block { original_id: Some(file.to_owned()), orders, ..Block::default() };
        Outcome::Accepted(StatusReport {
            original_message_id: Some(file.to_owned()),
            blocks: vec![block],
            ..StatusReport::default()
        })
    }

    /// An empty statement of each account, of the day before.
    pub fn open_accounts(&mut self) {
        let day = self.day.previous();
        for account in &mut self.accounts {
            self.files.push(statement::write(account, day, &[], account.opening, "b"));
        }
    }

    /// Ends the open day: the gateway settles, orders leave or come back, statements are written. Answers the day.
    pub fn close_day(&mut self) -> Day {
        self.decide_refunds();
        self.settle();
        self.carry_out_orders();
        let day = self.day;
        for at in 0..self.accounts.len() {
            self.write_statement(at);
        }
        self.day = self.calendar.business_day_from(day.next());
        day
    }

    fn carry_out_orders(&mut self) {
        let open: BTreeMap<String, Order> = self
            .orders
            .iter()
            .filter(|(_, order)| matches!(order.state, OrderEnd::Taken | OrderEnd::Booked { returns: true }))
            .map(|(reference, order)| (reference.clone(), order.clone()))
            .collect();
        for (reference, order) in open {
            let currency = order.money.currency();
            let (state, minor) = match order.state {
                OrderEnd::Taken if self.errs(10, "transfer rejected") => (OrderEnd::Rejected, 0),
                OrderEnd::Taken => {
                    let returns = self.errs(12, "transfer comes back");
                    (OrderEnd::Booked { returns }, -order.money.minor())
                }
                _ => {
                    let kept = if self.errs(50, "return charged") { order.money.minor().min(100) } else { 0 };
                    (OrderEnd::Over, order.money.minor() - kept)
                }
            };
            let end_to_end = Some(reference.clone());
            let line = Line { end_to_end, ..Line::new(self.next_name("B"), Money::new(minor, currency)) };
            self.book(currency, line);
            self.orders.insert(reference, Order { state, ..order });
        }
    }

    /// Writes the statement of an account; sometimes one with a line missing before the right one, sometimes two.
    fn write_statement(&mut self, at: usize) {
        let day = self.day;
        let incomplete = self.errs(8, "statement with a line missing");
        let twice = self.errs(6, "statement twice");
        let account = &mut self.accounts[at];
        account.number += 1;
        let lines = std::mem::take(&mut account.lines);
        let closing = account.opening + lines.iter().map(|line| line.money.minor()).sum::<i64>();
        if incomplete && !lines.is_empty() {
            self.files.push(statement::write(account, day, &lines[1..], closing, "a"));
            self.contradicted.insert((account.name.clone(), day));
        }
        let file = statement::write(account, day, &lines, closing, "b");
        account.opening = closing;
        if twice {
            self.files.push(file.clone());
        }
        self.files.push(file);
    }
}

/// The texts between two marks.
fn between<'a>(text: &'a str, open: &'a str, close: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(open).skip(1).filter_map(move |rest| rest.split(close).next())
}
