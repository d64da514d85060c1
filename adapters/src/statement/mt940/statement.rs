//! One statement (one page) being read.

use mizan_ledger::{Currency, Money};

use super::super::closing::{Balance, BalanceKind};
use super::super::model::{
    BankCode, Evidence, LineStatus, Page, Problem, Stamp, Statement, StatementKind, StatementLine,
    Transaction,
};
use super::super::reader::Event;
use super::super::values::{number, reference, shown, swift_decimal};
use super::{line, narrative};

pub(super) struct RawStatement {
    statement: Statement,
    ordinal: u64,
    opened: bool,
    opening_seen: bool,
    closing_seen: bool,
    lines: u64,
    last_line: u64,
    /// The last `:61:`, until it is clear that no `:86:` follows.
    pending: Option<StatementLine>,
}

/// What a further statement of the same message takes over.
pub(super) struct Heading {
    id: Option<String>,
    account: Option<String>,
}

impl RawStatement {
    pub(super) fn new(kind: StatementKind, ordinal: u64, heading: Heading) -> Self {
        let mut statement = Statement::new(kind);
        statement.id = heading.id;
        statement.account = heading.account;
        Self {
            statement,
            ordinal,
            opened: false,
            opening_seen: false,
            closing_seen: false,
            lines: 0,
            last_line: 0,
            pending: None,
        }
    }

    pub(super) fn heading(&self) -> Heading {
        Heading { id: self.statement.id.clone(), account: self.statement.account.clone() }
    }

    pub(super) fn no_heading() -> Heading {
        Heading { id: None, account: None }
    }

    pub(super) fn kind(&self) -> StatementKind {
        self.statement.kind
    }

    /// Whether `tag` begins another statement although no `:20:` stands between.
    pub(super) fn ends_before(&self, tag: &str) -> bool {
        match tag {
            "25" | "25P" | "28" | "28C" => self.closing_seen,
            "60F" | "60M" => self.closing_seen || self.opening_seen,
            _ => false,
        }
    }

    pub(super) fn is_filled(&self) -> bool {
        self.lines > 0 || !self.statement.balances.is_empty()
    }

    /// A message with an opening balance must have a closing one.
    pub(super) fn is_unfinished(&self) -> bool {
        !self.closing_seen && self.statement.kind == StatementKind::EndOfDay
    }

    pub(super) fn take(&mut self, tag: &'static str, text: &str, line: u64) -> Vec<Event> {
        self.last_line = line;
        let mut events = if tag == "86" { Vec::new() } else { self.flush() };
        let first = text.lines().next().unwrap_or_default().trim();
        match tag {
            "20" => self.statement.id = reference(first),
            "25" => self.statement.account = reference(first),
            "25P" => {
                self.statement.account = reference(first);
                self.statement.servicer = text.lines().nth(1).and_then(reference);
            }
            "28" | "28C" => self.number(first),
            "60F" => events.extend(self.balance(tag, BalanceKind::Opening, first, line)),
            "60M" | "62M" => events.extend(self.balance(tag, BalanceKind::Interim, first, line)),
            "62F" => events.extend(self.balance(tag, BalanceKind::Closing, first, line)),
            "64" | "65" => events.extend(self.balance(tag, BalanceKind::Available, first, line)),
            "34F" => {
                self.statement.kind = StatementKind::Intraday;
                let currency = first.get(..3).and_then(|code| code.parse().ok());
                self.statement.currency = self.statement.currency.or(currency);
            }
            "13" | "13D" => {
                self.statement.kind = StatementKind::Intraday;
                let day = first.get(..6).and_then(line::day);
                self.statement.created = Some(Stamp { text: first.to_owned(), day, instant: None });
            }
            "61" => events.extend(self.line(text, line)),
            "86" => self.narrative(text),
            "90C" | "90D" => events.extend(self.compare_sum(tag, first, line)),
            _ => {}
        }
        self.opening_seen |= tag.starts_with("60");
        self.closing_seen |= tag.starts_with("62");
        events
    }

    /// `00004/00001`: statement and page.
    fn number(&mut self, text: &str) {
        let (sequence, page) = text.split_once('/').unwrap_or((text, ""));
        self.statement.sequence = number(sequence);
        self.statement.page = number(page).map(|number| Page { number, last: None });
    }

    fn balance(&mut self, tag: &str, kind: BalanceKind, text: &str, line: u64) -> Vec<Event> {
        let parsed = match parse_balance(text) {
            Ok(parsed) => parsed,
            Err(what) => return vec![self.problem(line, tag, what, true)],
        };
        let mut events: Vec<Event> =
            parsed.oddities.into_iter().map(|(what, money)| self.problem(line, tag, what, money)).collect();
        let currency = parsed.amount.currency();
        let own = *self.statement.currency.get_or_insert(currency);
        if own != currency && kind != BalanceKind::Available {
            events.push(self.problem(
                line,
                tag,
                format!("the balance is in {currency}, the others in {own}"),
                true,
            ));
        }
        if self.statement.balances.len() < Statement::BALANCES_MAX {
            let code = format!(":{tag}:");
            self.statement.balances.push(Balance { kind, code, amount: parsed.amount, day: parsed.day });
        }
        events
    }

    fn line(&mut self, text: &str, line: u64) -> Vec<Event> {
        let mut events = self.open_once();
        self.lines += 1;
        let parsed = match self.statement.currency {
            Some(currency) => line::parse(text, currency),
            None => Err("no balance before this line tells its currency".to_owned()),
        };
        let parsed = match parsed {
            Ok(parsed) => parsed,
            Err(what) => {
                self.statement.totals.unread += 1;
                events.push(self.problem(line, "61", what, true));
                return events;
            }
        };
        events.extend(parsed.oddities.iter().map(|what| self.problem(line, "61", what.clone(), false)));
        let mut transaction = Transaction { free_texts: parsed.supplementary, ..Transaction::default() };
        transaction.references.customer = parsed.customer;
        self.pending = Some(StatementLine {
            ordinal: self.lines,
            amount: parsed.amount,
            status: if parsed.expected { LineStatus::Pending } else { LineStatus::Booked },
            reversal: parsed.reversal,
            booking_day: parsed.booking_day,
            value_day: parsed.value_day,
            entry_reference: None,
            bank_reference: parsed.bank,
            bank_code: BankCode { domain: None, own: parsed.code },
            transaction,
            batch: None,
            details: Vec::new(),
            evidence: Evidence::Text { text: format!(":61:{text}"), line },
        });
        events
    }

    /// `:86:` belongs to the line before it; behind the closing balance, or before any line, to the statement.
    /// Several in a row continue each other.
    fn narrative(&mut self, text: &str) {
        let Some(pending) = &mut self.pending else {
            let information = self.statement.information.get_or_insert_default();
            if !information.is_empty() {
                information.push('\n');
            }
            information.push_str(text);
            return;
        };
        narrative::apply(text, &mut pending.transaction);
        if let Evidence::Text { text: evidence, .. } = &mut pending.evidence {
            evidence.push_str("\n:86:");
            evidence.push_str(text);
        }
    }

    fn flush(&mut self) -> Vec<Event> {
        let Some(line) = self.pending.take() else { return Vec::new() };
        self.statement.count(&line);
        vec![Event::Line(Box::new(line))]
    }

    fn open_once(&mut self) -> Vec<Event> {
        if std::mem::replace(&mut self.opened, true) {
            return Vec::new();
        }
        vec![Event::Opened(Box::new(self.statement.clone()))]
    }

    /// `:90C:3PLN0,03`: how many credits the bank says it listed, and their sum.
    fn compare_sum(&mut self, tag: &str, text: &str, line: u64) -> Option<Event> {
        let digits = text.find(|character: char| !character.is_ascii_digit())?;
        let currency: Currency = text.get(digits..digits + 3)?.parse().ok()?;
        self.statement.currency.get_or_insert(currency);
        let said = swift_decimal(text.get(digits + 3..)?.trim(), currency).ok();
        let totals = &self.statement.totals;
        let found = if tag == "90C" { totals.credits } else { totals.debits };
        let found = found.unwrap_or(Money::zero(currency));
        (said != Some(found)).then(|| {
            let what = format!("the bank says {}, the statement lists {}", shown(text), found.amount());
            self.problem(line, tag, what, false)
        })
    }

    pub(super) fn end(mut self) -> Vec<Event> {
        let line = self.last_line;
        let mut events = self.flush();
        if !self.is_filled() {
            events.push(self.problem(
                line,
                "20",
                "the message holds no balance and no line".to_owned(),
                false,
            ));
            return events;
        }
        // The first line opens a statement, so this comes before nothing else.
        events.extend(self.open_once());
        if self.opening_seen && self.is_unfinished() {
            events.push(self.problem(line, "62F", "the closing balance is missing".to_owned(), false));
        }
        let place = format!("line {line}, statement {}", self.ordinal);
        events.extend(self.statement.gap(place).map(Event::Problem));
        events.push(Event::Closed(Box::new(self.statement)));
        events
    }

    fn problem(&self, line: u64, tag: &str, what: String, touches_money: bool) -> Event {
        let place = format!("line {line}, statement {}, :{tag}:", self.ordinal);
        Event::Problem(Problem { place, what, touches_money })
    }
}

struct ParsedBalance {
    amount: Money,
    day: Option<mizan_ledger::Day>,
    /// With whether they touch money.
    oddities: Vec<(String, bool)>,
}

/// `C240312USD17376,67`.
fn parse_balance(text: &str) -> Result<ParsedBalance, String> {
    let wrong = || format!("{} is not a balance: mark, date, currency and amount are expected", shown(text));
    let credit = match text.get(..1) {
        Some("C") => true,
        Some("D") => false,
        _ => return Err(wrong()),
    };
    let date =
        text.get(1..7).filter(|date| date.bytes().all(|byte| byte.is_ascii_digit())).ok_or_else(wrong)?;
    let currency: Currency =
        text.get(7..10).ok_or_else(wrong)?.parse().map_err(|error| format!("{error}"))?;
    let printed = text.get(10..).unwrap_or_default().trim();
    let mut oddities = Vec::new();
    let compact: String = printed.split_whitespace().collect();
    if compact != printed {
        oddities.push((format!("there is a blank inside the amount {}", shown(printed)), true));
    }
    let amount = swift_decimal(&compact, currency)?;
    let day = line::day(date);
    if day.is_none() {
        oddities.push((format!("the date {date} is no day of the calendar"), false));
    }
    let amount = if credit { Ok(amount) } else { amount.checked_neg() };
    Ok(ParsedBalance { amount: amount.map_err(|error| error.to_string())?, day, oddities })
}
