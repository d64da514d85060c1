//! MT940 and MT942, with or without the SWIFT blocks around them.
//!
//! ```text
//! {1:..}{2:I940..}{4:        blocks are optional; `-}` ends a message, or a lone `-` that no text follows
//! :20: :25: :28C:            id, account, number/page
//! :60F: or :60M:             opening, or interim balance of a further page   (none in MT942)
//! :61: [:86:]  ...           one line, and what the bank says about it
//! :62F: or :62M:             closing, or interim balance
//! :64: :65: :86:             available balances, words about the whole statement
//! ```
//!
//! Each page is a statement of its own: a chain 60F..62M, 60M..62M, 60M..62F closes page by page, and
//! [`sequence`](super::Statement::sequence) with [`page`](super::Statement::page) joins it.

mod fields;
mod line;
mod narrative;
mod statement;

use std::collections::VecDeque;
use std::io::Read;

use self::fields::{Field, Fields};
use self::statement::RawStatement;
use super::model::{Problem, Refused, StatementKind};
use super::reader::{Event, Limits};
use super::source::Utf8;

/// Reads an MT file event by event.
pub(super) struct Mt<R> {
    fields: Fields<R>,
    queue: VecDeque<Event>,
    statement: Option<RawStatement>,
    /// What the application header (block 2) or a `:940:` line says.
    message_kind: Option<StatementKind>,
    first_kind: Option<StatementKind>,
    statements: u64,
    filled: u64,
    ended: bool,
}

impl<R: Read> Mt<R> {
    pub(super) fn new(source: Utf8<R>, limits: Limits) -> Self {
        Self {
            fields: Fields::new(source, limits),
            queue: VecDeque::new(),
            statement: None,
            message_kind: None,
            first_kind: None,
            statements: 0,
            filled: 0,
            ended: false,
        }
    }

    pub(super) fn format(&self) -> &'static str {
        match self.first_kind.or(self.message_kind) {
            Some(StatementKind::Intraday) => "MT942",
            _ => "MT940",
        }
    }

    pub(super) fn encoding(&self) -> &'static str {
        self.fields.source().encoding()
    }

    pub(super) fn event(&mut self) -> Result<Option<Event>, Refused> {
        loop {
            if let Some(event) = self.queue.pop_front() {
                return Ok(Some(event));
            }
            if self.ended {
                return Ok(None);
            }
            match self.fields.next()? {
                Some(field) => self.take(field),
                None => self.end()?,
            }
        }
    }

    fn take(&mut self, field: Field) {
        match field {
            Field::Header(kind) => self.message_kind = Some(kind),
            Field::MessageEnd => {
                self.finish();
                self.message_kind = None;
            }
            Field::Stray { line } => self.queue.push_back(Event::Problem(Problem {
                place: format!("line {line}"),
                what: "there is text outside any field".to_owned(),
                touches_money: false,
            })),
            Field::Tag { tag, text, line } => self.take_tag(tag, &text, line),
        }
    }

    fn take_tag(&mut self, tag: &'static str, text: &str, line: u64) {
        if tag == "20" {
            self.finish();
        }
        let inherited = match &self.statement {
            Some(statement) if statement.ends_before(tag) => Some(statement.heading()),
            Some(_) => None,
            None => Some(RawStatement::no_heading()),
        };
        if let Some(heading) = inherited {
            self.finish();
            self.statements += 1;
            let kind = self.message_kind.unwrap_or(StatementKind::EndOfDay);
            self.statement = Some(RawStatement::new(kind, self.statements, heading));
        }
        if let Some(statement) = &mut self.statement {
            self.queue.extend(statement.take(tag, text, line));
        }
    }

    fn finish(&mut self) {
        let Some(statement) = self.statement.take() else { return };
        if statement.is_filled() {
            self.filled += 1;
            self.first_kind.get_or_insert(statement.kind());
        }
        self.queue.extend(statement.end());
    }

    fn end(&mut self) -> Result<(), Refused> {
        self.ended = true;
        let place = format!("line {}", self.fields.line());
        let unfinished = self.statement.as_ref().is_some_and(RawStatement::is_unfinished);
        if self.fields.inside_block() && unfinished {
            let cause = "the file ends inside a message: it is cut off".to_owned();
            return Err(Refused { place, cause });
        }
        self.finish();
        if self.filled == 0 {
            return Err(Refused { place, cause: "there is no balance and no line in it".to_owned() });
        }
        self.queue.extend(self.fields.source().replaced_problem().map(Event::Problem));
        Ok(())
    }
}
