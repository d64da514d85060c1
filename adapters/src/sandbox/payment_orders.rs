//! Payment files: every order is checked when its file comes, leaves at the end of the day, and may come back.

use serde::{Deserialize, Serialize};

use super::amount::{Amount, Currency};
use super::bank::{Counterparty, Line, LineKind};
use super::books::Party;
use super::pain001::{InstructedGroup, InstructedOrder, Instruction};
use super::refusal::Refusal;
use super::text::account_kind;
use super::world::World;

/// Files the sandbox takes in its life.
const FILES_MAX: usize = 100_000;

#[derive(Debug, Default, Serialize, Deserialize)]
pub struct PaymentFiles {
    pub files: Vec<PaymentFile>,
    /// File, group and order of what leaves at the end of the day.
    waiting: Vec<(usize, usize, usize)>,
}

/// A payment file the bank has taken.
#[derive(Debug, Serialize, Deserialize)]
pub struct PaymentFile {
    pub file: String,
    pub version: String,
    pub message: String,
    /// The name under which it was dropped into the folder.
    pub dropped: Option<String>,
    pub groups: Vec<Group>,
    /// Why none of it is carried out.
    pub refused: Option<Code>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Group {
    pub id: String,
    pub debtor_account: String,
    pub refused: Option<Code>,
    pub orders: Vec<Order>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Order {
    #[serde(flatten)]
    pub instructed: InstructedOrder,
    pub state: State,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Waiting(Amount),
    Left { bank_reference: String },
    Refused(Code),
}

/// Status reasons of ISO 20022 (external code set) which this bank gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Code {
    /// The debtor's account is not one of this bank's.
    Ac02,
    /// The creditor's account number cannot be right.
    Ac03,
    /// The creditor's account is closed.
    Ac04,
    /// The currency is not that of the account.
    Am03,
    /// The message was sent before (a dropped file; over HTTP it is refused).
    Am05,
    /// The sum is not that of the orders.
    Am10,
    /// The amount is no amount of its currency.
    Am12,
    /// The number of orders is not the one given.
    Am18,
}

/// An order that comes back the day after it left.
#[derive(Debug)]
pub struct ComingBack {
    account: String,
    line: Line,
}

impl World {
    /// Our name of the file that was taken with this `MsgId`.
    pub fn find_file_of(&self, message: &str) -> Option<&str> {
        let mut files = self.kept.files.files.iter();
        let found = files.find(|file| file.message == message && file.refused != Some(Code::Am05))?;
        Some(&found.file)
    }

    /// Takes a payment file; `dropped` is its name in the folder.
    pub fn take_file(&mut self, instruction: Instruction, dropped: Option<String>) -> Result<usize, Refusal> {
        let files = &self.kept.files.files;
        if files.len() >= FILES_MAX {
            return Err(Refusal::conflict("sandbox_full", "a hundred thousand files are enough"));
        }
        let known = self.find_file_of(&instruction.message).is_some();
        let refused = if known { Some(Code::Am05) } else { refused_file(&instruction) };
        let number = files.len();
        let groups: Vec<Group> =
            instruction.groups.into_iter().map(|group| self.check_group(group)).collect();
        for (at, group) in
            groups.iter().enumerate().filter(|(_, group)| refused.is_none() && group.refused.is_none())
        {
            let waiting =
                group.orders.iter().enumerate().filter(|(_, order)| matches!(order.state, State::Waiting(_)));
            self.kept.files.waiting.extend(waiting.map(|(order, _)| (number, at, order)));
        }
        self.kept.files.files.push(PaymentFile {
            file: format!("PF{:06}", number + 1),
            version: instruction.version.to_owned(),
            message: instruction.message,
            dropped,
            groups,
            refused,
        });
        Ok(number)
    }

    fn check_group(&self, group: InstructedGroup) -> Group {
        let debtor = self.kept.bank.find(&group.debtor_account).map(|account| account.currency);
        let refused = match debtor {
            None => Some(Code::Ac02),
            Some(_) => refused_totals(&group.orders, group.count.as_deref(), group.sum.as_deref()),
        };
        let orders = group.orders.into_iter().map(|order| {
            let state = match self.check_order(&order, debtor) {
                Ok(amount) => State::Waiting(amount),
                Err(code) => State::Refused(code),
            };
            Order { instructed: order, state }
        });
        Group { id: group.id, debtor_account: group.debtor_account, refused, orders: orders.collect() }
    }

    fn check_order(&self, order: &InstructedOrder, debtor: Option<Currency>) -> Result<Amount, Code> {
        let currency =
            Currency::find(&order.currency).filter(|currency| Some(*currency) == debtor).ok_or(Code::Am03)?;
        let amount = Amount::parse_loose(&order.amount, currency)
            .filter(|amount| amount.minor > 0)
            .ok_or(Code::Am12)?;
        if self.config.closed.contains(&order.creditor_account) {
            return Err(Code::Ac04);
        }
        account_kind(&order.creditor_account).ok_or(Code::Ac03)?;
        let here = self.kept.bank.find(&order.creditor_account);
        if here.is_some_and(|account| account.currency != currency) { Err(Code::Am03) } else { Ok(amount) }
    }

    /// Every waiting order leaves its account: one debit each. Gives what will be back tomorrow.
    pub fn send_orders(&mut self) -> Vec<ComingBack> {
        let mut coming_back = Vec::new();
        for (file, group, order) in std::mem::take(&mut self.kept.files.waiting) {
            let bank_reference = self.next_reference();
            let group = &mut self.kept.files.files[file].groups[group];
            let (account, order) = (group.debtor_account.clone(), &mut group.orders[order]);
            let left = State::Left { bank_reference: bank_reference.clone() };
            let State::Waiting(amount) = std::mem::replace(&mut order.state, left) else { continue };
            let instructed = order.instructed.clone();
            coming_back.extend(self.send_order(&account, instructed, amount, bank_reference));
        }
        coming_back
    }

    fn send_order(
        &mut self,
        account: &str,
        order: InstructedOrder,
        amount: Amount,
        bank_reference: String,
    ) -> Option<ComingBack> {
        let to = order.creditor_account;
        let line = Line {
            bank_reference,
            amount: amount.negated(),
            kind: LineKind::Sent,
            reference: Some(order.end_to_end),
            text: order.text,
            counterparty: Some(Counterparty { name: order.creditor, account: Some(to.clone()) }),
            returned: None,
        };
        if self.kept.bank.find(&to).is_some() {
            let owner = self.kept.bank.find(account).map(|account| account.owner.clone()).unwrap_or_default();
            let payer = Counterparty { name: owner, account: Some(account.to_owned()) };
            let bank_reference = self.next_reference();
            let received = Line {
                bank_reference,
                amount,
                kind: LineKind::Received,
                counterparty: Some(payer),
                ..line.clone()
            };
            self.show(&to, received);
            self.book(account, Party::Account(to), line);
            return None;
        }
        let comes_back = self.config.returning.contains(&to).then(|| {
            let returned = Some("AC04".to_owned());
            ComingBack {
                account: account.to_owned(),
                line: Line { amount, kind: LineKind::Returned, returned, ..line.clone() },
            }
        });
        self.book(account, Party::Outside, line);
        comes_back
    }

    /// Books on the new day what came back.
    pub fn take_back(&mut self, coming_back: Vec<ComingBack>) {
        for ComingBack { account, line } in coming_back {
            let bank_reference = self.next_reference();
            self.book(&account, Party::Outside, Line { bank_reference, ..line });
        }
    }
}

fn refused_file(instruction: &Instruction) -> Option<Code> {
    let orders: Vec<&InstructedOrder> = instruction.groups.iter().flat_map(|group| &group.orders).collect();
    refused_totals(orders, Some(&instruction.count), instruction.sum.as_deref())
}

/// A wrong number of orders, or a wrong sum over all currencies.
fn refused_totals<'a, I>(orders: I, count: Option<&str>, sum: Option<&str>) -> Option<Code>
where
    I: IntoIterator<Item = &'a InstructedOrder>,
    I::IntoIter: ExactSizeIterator,
{
    let orders = orders.into_iter();
    if count.is_some_and(|count| count.parse() != Ok(orders.len())) {
        return Some(Code::Am18);
    }
    // An order whose amount cannot be read is refused by itself.
    let total: i128 = orders.filter_map(|order| hundred_thousandths(&order.amount)).sum();
    sum.is_some_and(|sum| hundred_thousandths(sum) != Some(total)).then_some(Code::Am10)
}

/// A decimal of at most five decimals as a whole number.
fn hundred_thousandths(text: &str) -> Option<i128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction = fraction.trim_end_matches('0');
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 18 || fraction.len() > 5 || !digits(whole) || !digits(fraction) {
        return None;
    }
    format!("{whole}{fraction:0<5}").parse().ok()
}
