//! The message: its header, its statements, and the walk that feeds them.

use std::collections::VecDeque;
use std::io::Read;

use super::super::model::{Problem, Refused, StatementKind};
use super::super::reader::{Event, Limits};
use super::super::source::Utf8;
use super::super::xml::{Step, Walker};
use super::entry::RawEntry;
use super::names::known;
use super::statement::RawStatement;

/// Reads a camt file event by event.
pub(in super::super) struct Camt<R> {
    walker: Walker<R>,
    limits: Limits,
    queue: VecDeque<Event>,
    message: Option<Message>,
    statement: Option<RawStatement>,
    entry: Option<RawEntry>,
    /// The first message of the file; wrappers may hold several.
    first_kind: Option<StatementKind>,
    format: Option<String>,
    statements: u64,
    ended: bool,
}

struct Message {
    kind: StatementKind,
    depth: usize,
    id: Option<String>,
    statements: u64,
}

impl<R: Read> Camt<R> {
    pub(in super::super) fn new(source: Utf8<R>, limits: Limits) -> Self {
        Self {
            walker: Walker::new(source, limits, known),
            limits,
            queue: VecDeque::new(),
            message: None,
            statement: None,
            entry: None,
            first_kind: None,
            format: None,
            statements: 0,
            ended: false,
        }
    }

    pub(in super::super) fn format(&self) -> String {
        match (&self.format, self.first_kind) {
            (Some(format), _) => format.clone(),
            (None, Some(kind)) => family(kind).to_owned(),
            (None, None) => self.walker.message_name().unwrap_or("XML").to_owned(),
        }
    }

    pub(in super::super) fn encoding(&self) -> &'static str {
        self.walker.source().encoding()
    }

    pub(in super::super) fn event(&mut self) -> Result<Option<Event>, Refused> {
        loop {
            if let Some(event) = self.queue.pop_front() {
                return Ok(Some(event));
            }
            if self.ended {
                return Ok(None);
            }
            match self.walker.step()? {
                Step::Open => self.open(),
                Step::Close => self.close()?,
                Step::End => self.end()?,
            }
        }
    }

    fn open(&mut self) {
        let path = self.walker.path();
        let Some(name) = path.last() else { return };
        let Some(message) = &self.message else {
            if let Some(kind) = message_kind(name) {
                self.begin_message(kind);
            }
            return;
        };
        let Some(statement) = &mut self.statement else {
            if path.len() == message.depth + 1 && *name == statement_name(message.kind) {
                self.statements += 1;
                let id = message.id.clone();
                self.statement = Some(RawStatement::new(message.kind, self.statements, path.len(), id));
            }
            return;
        };
        match path.get(statement.depth()..).unwrap_or_default() {
            ["Ntry"] => {
                self.queue.extend(statement.open_once());
                let ordinal = statement.next_ordinal();
                self.entry = Some(RawEntry::new(ordinal, self.walker.start(), self.walker.line()));
            }
            ["Ntry", "NtryDtls", "TxDtls"] => {
                if let Some(entry) = &mut self.entry {
                    entry.begin_details();
                }
            }
            ["Bal"] => statement.begin_balance(self.walker.line()),
            _ => {}
        }
    }

    fn begin_message(&mut self, kind: StatementKind) {
        let named = self.walker.message_name().filter(|name| name.starts_with(family(kind)));
        if self.format.is_none() {
            self.format = named.map(str::to_owned);
        }
        self.first_kind.get_or_insert(kind);
        let depth = self.walker.path().len();
        self.message = Some(Message { kind, depth, id: None, statements: self.statements });
    }

    fn close(&mut self) -> Result<(), Refused> {
        let path = self.walker.path();
        let Some(message) = &mut self.message else { return Ok(()) };
        if path.len() == message.depth {
            if self.statements == message.statements {
                let name = statement_name(message.kind);
                return Err(self.walker.refuse(format_args!("the message holds no statement ({name})")));
            }
            self.message = None;
            return Ok(());
        }
        let leaf = self.walker.leaf();
        let Some(statement) = &mut self.statement else {
            if let (["GrpHdr", "MsgId"], Some(leaf)) = (path.get(message.depth..).unwrap_or_default(), leaf) {
                message.id = super::super::values::reference(leaf.text);
            }
            return Ok(());
        };
        let inner = path.get(statement.depth()..).unwrap_or_default();
        if let Some(entry) = &mut self.entry {
            if let (["Ntry", rest @ ..], Some(leaf)) = (inner, leaf) {
                entry.leaf(rest, leaf);
            }
            let end = self.walker.position();
            if end.saturating_sub(entry.start()) > self.limits.entry_bytes {
                let limit = self.limits.entry_bytes;
                return Err(self.walker.refuse(format_args!("one entry is longer than {limit} bytes")));
            }
            if inner == ["Ntry"]
                && let Some(entry) = self.entry.take()
            {
                self.queue.extend(statement.take_entry(entry, end));
            }
            return Ok(());
        }
        if let Some(leaf) = leaf {
            self.queue.extend(statement.leaf(inner, leaf));
        }
        if inner == ["Bal"] {
            self.queue.extend(statement.end_balance());
        }
        if inner.is_empty()
            && let Some(statement) = self.statement.take()
        {
            self.queue.extend(statement.end(self.walker.line()));
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Refused> {
        self.ended = true;
        if self.first_kind.is_none() {
            return Err(Refused { place: format!("line {}", self.walker.line()), cause: self.no_message() });
        }
        if let Some(line) = self.walker.stray_text() {
            let what = "there is text outside the XML".to_owned();
            self.queue.push_back(Event::Problem(Problem {
                place: format!("line {line}"),
                what,
                touches_money: false,
            }));
        }
        self.queue.extend(self.walker.source().replaced_problem().map(Event::Problem));
        Ok(())
    }

    fn no_message(&self) -> String {
        match self.walker.message_name() {
            Some(name) => format!("the message is {name}, no bank statement (camt.052, camt.053, camt.054)"),
            None => "the XML holds no bank statement (camt.052, camt.053, camt.054)".to_owned(),
        }
    }
}

fn message_kind(name: &str) -> Option<StatementKind> {
    match name {
        "BkToCstmrStmt" | "BkToCstmrStmtV01" => Some(StatementKind::EndOfDay),
        "BkToCstmrAcctRpt" | "BkToCstmrAcctRptV01" => Some(StatementKind::Intraday),
        "BkToCstmrDbtCdtNtfctn" | "BkToCstmrDbtCdtNtfctnV01" => Some(StatementKind::Notification),
        _ => None,
    }
}

/// The element of one statement inside its message.
pub(super) fn statement_name(kind: StatementKind) -> &'static str {
    match kind {
        StatementKind::EndOfDay => "Stmt",
        StatementKind::Intraday => "Rpt",
        StatementKind::Notification => "Ntfctn",
    }
}

fn family(kind: StatementKind) -> &'static str {
    match kind {
        StatementKind::EndOfDay => "camt.053",
        StatementKind::Intraday => "camt.052",
        StatementKind::Notification => "camt.054",
    }
}
