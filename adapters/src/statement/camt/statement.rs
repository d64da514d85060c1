//! One `Stmt`, `Rpt` or `Ntfctn` being read.

use mizan_ledger::Money;

use super::super::closing::{Balance, BalanceKind};
use super::super::model::{Page, Problem, Statement, StatementKind};
use super::super::reader::Event;
use super::super::values::{number, reference, shown, stamp};
use super::super::xml::Leaf;
use super::entry::{Context, RawEntry};
use super::message::statement_name;
use super::{RawAmount, Word, sign_of};

pub(super) struct RawStatement {
    statement: Statement,
    /// `Stmt[1]`.
    place: String,
    /// Length of the path to the statement's own element.
    depth: usize,
    opened: bool,
    balance: Option<RawBalance>,
    entries: u64,
    summary: Summary,
}

struct RawBalance {
    line: u64,
    code: Option<String>,
    amount: Option<RawAmount>,
    sign: Option<Word>,
    day: Option<Word>,
}

/// `TxsSummry`: what the bank says it listed. Banks fill it carelessly, so it is compared and told, no more.
#[derive(Default)]
struct Summary {
    entries: Option<Word>,
    credits: Option<Word>,
    debits: Option<Word>,
}

impl RawStatement {
    pub(super) fn new(kind: StatementKind, ordinal: u64, depth: usize, message_id: Option<String>) -> Self {
        let mut statement = Statement::new(kind);
        statement.message_id = message_id;
        Self {
            statement,
            place: format!("{}[{ordinal}]", statement_name(kind)),
            depth,
            opened: false,
            balance: None,
            entries: 0,
            summary: Summary::default(),
        }
    }

    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    pub(super) fn next_ordinal(&mut self) -> u64 {
        self.entries += 1;
        self.entries
    }

    pub(super) fn open_once(&mut self) -> Option<Event> {
        if std::mem::replace(&mut self.opened, true) {
            return None;
        }
        Some(Event::Opened(Box::new(self.statement.clone())))
    }

    pub(super) fn begin_balance(&mut self, line: u64) {
        self.balance = Some(RawBalance { line, code: None, amount: None, sign: None, day: None });
    }

    /// Takes a text in that stands outside entries; `path` is relative to the statement.
    pub(super) fn leaf(&mut self, path: &[&'static str], leaf: Leaf<'_>) -> Option<Event> {
        let statement = &mut self.statement;
        let text = leaf.text;
        match path {
            ["Id"] => statement.id = reference(text),
            ["ElctrncSeqNb"] => statement.sequence = number(text),
            ["LglSeqNb"] => statement.legal_sequence = number(text),
            ["CreDtTm"] => statement.created = Some(stamp(text)),
            ["FrToDt", "FrDtTm"] => statement.period_from = Some(stamp(text)),
            ["FrToDt", "ToDtTm"] => statement.period_to = Some(stamp(text)),
            ["CpyDplctInd"] => statement.copy_duplicate = reference(text),
            ["StmtPgntn" | "RptPgntn" | "NtfctnPgntn", name] => self.page(name, text),
            ["Acct", "Id", "IBAN"] | ["Acct", "Id", "Othr" | "PrtryAcct", "Id"] => {
                statement.account = reference(text);
            }
            ["Acct", "Ccy"] => match text.parse() {
                Ok(currency) => statement.currency = Some(currency),
                Err(_) => {
                    let what = format!("{} is not an ISO 4217 currency", shown(text));
                    return Some(self.problem(leaf.line, "Acct/Ccy", what, true));
                }
            },
            ["Acct", "Nm"] => statement.account_name = reference(text),
            ["Acct", "Ownr", "Nm"] => {
                statement.account_name.get_or_insert_with(|| text.to_owned());
            }
            ["Acct", "Svcr", "FinInstnId", "BIC" | "BICFI"] => statement.servicer = reference(text),
            ["AddtlStmtInf" | "AddtlRptInf" | "AddtlNtfctnInf"] => statement.information = reference(text),
            ["TxsSummry", "TtlNtries", "NbOfNtries"] => self.summary.entries = Some(Word::new(leaf)),
            ["TxsSummry", "TtlCdtNtries", "Sum"] => self.summary.credits = Some(Word::new(leaf)),
            ["TxsSummry", "TtlDbtNtries", "Sum"] => self.summary.debits = Some(Word::new(leaf)),
            ["Bal", rest @ ..] => {
                if let Some(balance) = &mut self.balance {
                    balance.leaf(rest, leaf);
                }
            }
            _ => {}
        }
        None
    }

    fn page(&mut self, name: &str, text: &str) {
        let page = self.statement.page.get_or_insert(Page { number: 0, last: None });
        match name {
            "PgNb" => page.number = number(text).unwrap_or(0),
            "LastPgInd" => page.last = Some(matches!(text, "true" | "1")),
            _ => {}
        }
    }

    pub(super) fn end_balance(&mut self) -> Option<Event> {
        let raw = self.balance.take()?;
        let line = raw.line;
        match raw.finish(&self.statement) {
            Ok(balance) => {
                let currency = balance.amount.currency();
                let own = *self.statement.currency.get_or_insert(currency);
                let sums = matches!(balance.kind, BalanceKind::Opening | BalanceKind::Closing);
                if sums && currency != own {
                    let what = format!("the balance is in {currency}, the account in {own}");
                    return Some(self.problem(line, "Bal", what, true));
                }
                if self.statement.balances.len() < Statement::BALANCES_MAX {
                    self.statement.balances.push(balance);
                }
                None
            }
            Err(what) => Some(self.problem(line, "Bal", what, true)),
        }
    }

    pub(super) fn take_entry(&mut self, entry: RawEntry, end: u64) -> Vec<Event> {
        let context =
            Context { statement: &self.place, kind: self.statement.kind, currency: self.statement.currency };
        let judged = entry.judge(&context, end);
        let mut events: Vec<Event> = judged.problems.into_iter().map(Event::Problem).collect();
        match judged.line {
            Some(line) => {
                self.statement.count(&line);
                events.push(Event::Line(Box::new(line)));
            }
            None => self.statement.totals.unread += 1,
        }
        events
    }

    pub(super) fn end(mut self, line: u64) -> Vec<Event> {
        let mut events = Vec::from_iter(self.open_once());
        events.extend(self.compare_summary());
        events.extend(self.statement.gap(format!("line {line}, {}", self.place)).map(Event::Problem));
        events.push(Event::Closed(Box::new(self.statement)));
        events
    }

    fn compare_summary(&self) -> Vec<Event> {
        let mut events = Vec::new();
        let mut tell = |word: &Word, element: &str, found: String| {
            let what = format!("the summary says {}, the statement lists {found}", shown(&word.text));
            events.push(self.problem(word.line, &format!("TxsSummry/{element}"), what, false));
        };
        if let Some(word) = &self.summary.entries
            && number(&word.text) != Some(self.entries)
        {
            tell(word, "TtlNtries/NbOfNtries", self.entries.to_string());
        }
        // Sums cover the entries of every status; only a statement of booked ones can be compared.
        let (Some(currency), 0) = (self.statement.currency, self.statement.totals.unbooked) else {
            return events;
        };
        let totals = &self.statement.totals;
        for (word, element, found) in [
            (&self.summary.credits, "TtlCdtNtries/Sum", totals.credits),
            (&self.summary.debits, "TtlDbtNtries/Sum", totals.debits),
        ] {
            let found = found.unwrap_or(Money::zero(currency));
            if let Some(word) = word {
                let unsigned = word.text.strip_prefix('-').unwrap_or(&word.text);
                if super::super::values::decimal(unsigned, currency) != Ok(found) {
                    tell(word, element, found.amount());
                }
            }
        }
        events
    }

    fn problem(&self, line: u64, element: &str, what: String, touches_money: bool) -> Event {
        let place = format!("line {line}, {}/{element}", self.place);
        Event::Problem(Problem { place, what, touches_money })
    }
}

impl RawBalance {
    fn leaf(&mut self, path: &[&'static str], leaf: Leaf<'_>) {
        match path {
            ["Tp", "CdOrPrtry", "Cd" | "Prtry"] | ["Tp", "Cd"] => self.code = Some(leaf.text.to_owned()),
            ["Amt"] => self.amount = Some(RawAmount::new(leaf)),
            ["CdtDbtInd"] => self.sign = Some(Word::new(leaf)),
            ["Dt"] | ["Dt", "Dt" | "DtTm"] => self.day = Some(Word::new(leaf)),
            _ => {}
        }
    }

    fn finish(self, statement: &Statement) -> Result<Balance, String> {
        let code = self.code.ok_or("the balance has no type")?;
        let amount = self.amount.ok_or_else(|| format!("the balance {code} has no amount"))?;
        let amount = amount.money(statement.currency).map_err(|what| format!("balance {code}: {what}"))?;
        let credit = match self.sign.as_ref().map(|sign| sign_of(&sign.text)) {
            Some(Some(credit)) => credit,
            // A balance of nothing has no side.
            _ if amount.is_zero() => true,
            _ => return Err(format!("the balance {code} does not say whether it is a credit or a debit")),
        };
        let amount = if credit { Ok(amount) } else { amount.checked_neg() };
        Ok(Balance {
            kind: kind_of(&code),
            amount: amount.map_err(|error| error.to_string())?,
            day: self.day.and_then(|word| stamp(&word.text).day),
            code,
        })
    }
}

fn kind_of(code: &str) -> BalanceKind {
    match code {
        "OPBD" => BalanceKind::Opening,
        "PRCD" => BalanceKind::PreviousClosing,
        "CLBD" => BalanceKind::Closing,
        "ITBD" => BalanceKind::Interim,
        "CLAV" | "OPAV" | "ITAV" | "FWAV" => BalanceKind::Available,
        _ => BalanceKind::Other,
    }
}
