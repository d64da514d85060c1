//! One `Ntry` being read: raw words are collected as they come, in any order, and judged at its end.

use mizan_ledger::{Currency, Day, Money};

use super::super::model::{
    BankCode, Batch, Evidence, LineStatus, Problem, StatementKind, StatementLine, Transaction,
};
use super::super::values::{number, reference, shown, stamp};
use super::super::xml::Leaf;
use super::details::{RawCode, RawTransaction, joined};
use super::{RawAmount, Word, sign_of};

pub(super) struct RawEntry {
    ordinal: u64,
    start: u64,
    line: u64,
    amount: Option<RawAmount>,
    sign: Option<Word>,
    reversal: Option<String>,
    status: Option<Word>,
    booking: Option<Word>,
    value: Option<Word>,
    entry_reference: Option<String>,
    bank_reference: Option<String>,
    code: RawCode,
    batch: Option<RawBatch>,
    /// Charges, amounts and texts of the entry itself.
    own: RawTransaction,
    details: Vec<RawTransaction>,
}

#[derive(Default)]
struct RawBatch {
    message: Option<String>,
    payment_information: Option<String>,
    transactions: Option<u64>,
    total: Option<RawAmount>,
}

/// What an entry came to. Without a line its money could not be read.
pub(super) struct Judged {
    pub(super) line: Option<StatementLine>,
    pub(super) problems: Vec<Problem>,
}

/// Where the entry stands and what its statement says already.
pub(super) struct Context<'a> {
    /// `Stmt[1]`.
    pub(super) statement: &'a str,
    pub(super) kind: StatementKind,
    pub(super) currency: Option<Currency>,
}

impl RawEntry {
    pub(super) fn new(ordinal: u64, start: u64, line: u64) -> Self {
        Self {
            ordinal,
            start,
            line,
            amount: None,
            sign: None,
            reversal: None,
            status: None,
            booking: None,
            value: None,
            entry_reference: None,
            bank_reference: None,
            code: RawCode::default(),
            batch: None,
            own: RawTransaction::default(),
            details: Vec::new(),
        }
    }

    pub(super) fn start(&self) -> u64 {
        self.start
    }

    pub(super) fn begin_details(&mut self) {
        self.details.push(RawTransaction::default());
    }

    /// Takes a text in; `path` is relative to `Ntry`.
    pub(super) fn leaf(&mut self, path: &[&'static str], leaf: Leaf<'_>) {
        match path {
            ["NtryRef"] => self.entry_reference = reference(leaf.text),
            ["Amt"] => self.amount = Some(RawAmount::new(leaf)),
            ["CdtDbtInd"] => self.sign = Some(Word::new(leaf)),
            ["RvslInd"] => self.reversal = Some(leaf.text.to_owned()),
            ["Sts"] | ["Sts", "Cd" | "Prtry"] => self.status = Some(Word::new(leaf)),
            ["BookgDt"] | ["BookgDt", "Dt" | "DtTm"] => self.booking = Some(Word::new(leaf)),
            ["ValDt"] | ["ValDt", "Dt" | "DtTm"] => self.value = Some(Word::new(leaf)),
            ["AcctSvcrRef"] => self.bank_reference = reference(leaf.text),
            ["BkTxCd", rest @ ..] => self.code.leaf(rest, leaf.text),
            ["AddtlNtryInf"] => self.own.add_text(leaf.text),
            ["NtryDtls", "Btch", rest @ ..] => self.batch.get_or_insert_default().leaf(rest, leaf),
            ["NtryDtls", "TxDtls", rest @ ..] => {
                if let Some(details) = self.details.last_mut() {
                    details.leaf(rest, leaf);
                }
            }
            ["AmtDtls" | "Chrgs", ..] => self.own.leaf(path, leaf),
            _ => {}
        }
    }

    pub(super) fn judge(mut self, context: &Context<'_>, end: u64) -> Judged {
        let mut report = Report { context, ordinal: self.ordinal, line: self.line, problems: Vec::new() };
        let amount = self.signed_amount(&mut report);
        let status = self.status(&mut report);
        let booking_day = report.day("BookgDt", self.booking.take());
        let value_day = report.day("ValDt", self.value.take());
        let line = amount.map(|amount| {
            let currency = amount.currency();
            let credit = !amount.is_negative();
            let mut details: Vec<Transaction> =
                self.details.drain(..).map(|raw| raw.finish(credit, currency, &mut report)).collect();
            report.compare_details(amount, &details);
            let mut own = std::mem::take(&mut self.own).finish(credit, currency, &mut report);
            if details.len() == 1 {
                own = joined(details.remove(0), own);
            }
            StatementLine {
                ordinal: self.ordinal,
                amount,
                status,
                reversal: matches!(self.reversal.as_deref(), Some("true" | "1")),
                booking_day,
                value_day,
                entry_reference: self.entry_reference.take(),
                bank_reference: self.bank_reference.take(),
                bank_code: self.bank_code(&own),
                transaction: own,
                batch: self.batch.take().map(|batch| batch.finish(currency)),
                details,
                evidence: Evidence::Bytes { start: self.start, end, line: self.line },
            }
        });
        Judged { line, problems: report.problems }
    }

    fn signed_amount(&self, report: &mut Report<'_>) -> Option<Money> {
        let Some(raw) = &self.amount else {
            report.money(self.line, "Amt", "the entry has no amount".to_owned());
            return None;
        };
        let currency = match (&raw.currency, report.context.currency) {
            (Some(_), _) => None,
            (None, Some(account)) => {
                report.money(
                    raw.line,
                    "Amt",
                    format!("no currency is given; {account} of the account is taken"),
                );
                Some(account)
            }
            (None, None) => None,
        };
        let amount = match raw.money(currency) {
            Ok(amount) => amount,
            Err(what) => {
                report.money(raw.line, "Amt", what);
                return None;
            }
        };
        if amount.is_negative() {
            report.money(raw.line, "Amt", format!("{} is negative: the sign belongs in CdtDbtInd", raw.text));
        }
        if let Some(account) = report.context.currency.filter(|account| *account != amount.currency()) {
            let what = format!("the entry is in {}, the account in {account}", amount.currency());
            report.money(raw.line, "Amt", what);
        }
        let Some(credit) = self.sign.as_ref().and_then(|sign| sign_of(&sign.text)) else {
            let (line, what) = match &self.sign {
                Some(sign) => (sign.line, format!("{} is neither CRDT nor DBIT", shown(&sign.text))),
                None => (self.line, "the entry does not say whether it is a credit or a debit".to_owned()),
            };
            report.money(line, "CdtDbtInd", what);
            return None;
        };
        if credit { Some(amount) } else { amount.checked_neg().ok() }
    }

    fn status(&self, report: &mut Report<'_>) -> LineStatus {
        let Some(status) = &self.status else {
            // In an end-of-day statement the balances prove whether it was booked; elsewhere nothing does.
            let what = "the entry has no status; it is taken as booked".to_owned();
            if report.context.kind == StatementKind::EndOfDay {
                report.odd(self.line, "Sts", what);
            } else {
                report.money(self.line, "Sts", what);
            }
            return LineStatus::Booked;
        };
        match status.text.as_str() {
            "BOOK" => LineStatus::Booked,
            "PDNG" | "FUTR" => LineStatus::Pending,
            "INFO" => LineStatus::Information,
            other => {
                report.odd(status.line, "Sts", format!("{} is a status of the bank's own", shown(other)));
                LineStatus::Other(other.to_owned())
            }
        }
    }

    fn bank_code(&self, own: &Transaction) -> BankCode {
        let code = self.code.finish();
        BankCode {
            domain: code.domain.or_else(|| own.bank_code.domain.clone()),
            own: code.own.or_else(|| own.bank_code.own.clone()),
        }
    }
}

impl RawBatch {
    fn leaf(&mut self, path: &[&'static str], leaf: Leaf<'_>) {
        match path {
            ["MsgId"] => self.message = reference(leaf.text),
            ["PmtInfId"] => self.payment_information = reference(leaf.text),
            ["NbOfTxs"] => self.transactions = number(leaf.text),
            ["TtlAmt"] => self.total = Some(RawAmount::new(leaf)),
            _ => {}
        }
    }

    fn finish(self, currency: Currency) -> Batch {
        Batch {
            message: self.message,
            payment_information: self.payment_information,
            transactions: self.transactions,
            total: self.total.and_then(|raw| raw.money(Some(currency)).ok()),
        }
    }
}

/// Collects the problems of one entry.
pub(super) struct Report<'a> {
    context: &'a Context<'a>,
    ordinal: u64,
    line: u64,
    problems: Vec<Problem>,
}

impl Report<'_> {
    /// One entry may hold thousands of details; its first problems tell enough.
    const PROBLEMS_MAX: usize = 20;

    pub(super) fn odd(&mut self, line: u64, element: &str, what: String) {
        self.push(line, element, what, false);
    }

    pub(super) fn money(&mut self, line: u64, element: &str, what: String) {
        self.push(line, element, what, true);
    }

    fn push(&mut self, line: u64, element: &str, what: String, touches_money: bool) {
        if self.problems.len() < Self::PROBLEMS_MAX {
            let place = format!("line {line}, {}/Ntry[{}]/{element}", self.context.statement, self.ordinal);
            self.problems.push(Problem { place, what, touches_money });
        }
    }

    fn day(&mut self, element: &str, word: Option<Word>) -> Option<Day> {
        let word = word?;
        let day = stamp(&word.text).day;
        if day.is_none() {
            self.odd(word.line, element, format!("{} is not a date", shown(&word.text)));
        }
        day
    }

    /// The entry's own amount is the money; details that do not add up to it are only told.
    fn compare_details(&mut self, amount: Money, details: &[Transaction]) {
        let mut sum = Money::zero(amount.currency());
        for details in details {
            match details.amount.map(|part| sum.checked_add(part)) {
                Some(Ok(next)) => sum = next,
                Some(Err(_)) | None => return,
            }
        }
        if !details.is_empty() && sum != amount {
            let what = format!("the details add up to {}, the entry is {}", sum.amount(), amount.amount());
            self.odd(self.line, "NtryDtls", what);
        }
    }
}
