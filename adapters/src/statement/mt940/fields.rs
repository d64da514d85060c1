//! From lines to fields: `:61:...` and the lines that continue it. Blocks and message ends are told apart here.

use std::collections::VecDeque;
use std::io::{BufRead, Read};

use super::super::model::{Refused, StatementKind};
use super::super::reader::Limits;
use super::super::source::Utf8;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Field {
    /// The message's type: block 2, or a line `:940:` of its own.
    Header(StatementKind),
    /// `text` holds the lines of the field, joined by `\n`, trailing blanks taken off.
    Tag {
        tag: &'static str,
        text: String,
        line: u64,
    },
    MessageEnd,
    /// Words before the first field.
    Stray {
        line: u64,
    },
}

pub(super) struct Fields<R> {
    source: Utf8<R>,
    limits: Limits,
    line: u64,
    file_bytes: u64,
    inside_block: bool,
    stray_told: bool,
    /// The last line was a lone dash: the next one tells whether it ended the message or stands in its text.
    dash: bool,
    current: Option<(&'static str, String, u64)>,
    ready: VecDeque<Field>,
    ended: bool,
}

impl<R: Read> Fields<R> {
    pub(super) fn new(source: Utf8<R>, limits: Limits) -> Self {
        Self {
            source,
            limits,
            line: 0,
            file_bytes: 0,
            inside_block: false,
            stray_told: false,
            dash: false,
            current: None,
            ready: VecDeque::new(),
            ended: false,
        }
    }

    pub(super) fn source(&self) -> &Utf8<R> {
        &self.source
    }

    pub(super) fn line(&self) -> u64 {
        self.line.max(1)
    }

    /// Between `{4:` and its `-}`.
    pub(super) fn inside_block(&self) -> bool {
        self.inside_block
    }

    pub(super) fn next(&mut self) -> Result<Option<Field>, Refused> {
        loop {
            if let Some(field) = self.ready.pop_front() {
                return Ok(Some(field));
            }
            if self.ended {
                return Ok(None);
            }
            match self.read_line()? {
                Some(line) => self.take_line(&line)?,
                None => {
                    self.ended = true;
                    if std::mem::take(&mut self.dash) {
                        self.end_message();
                    }
                    self.complete();
                }
            }
        }
    }

    fn take_line(&mut self, line: &str) -> Result<(), Refused> {
        // STX, ETX and SOH of a line protocol are no part of the text.
        let bare = line.trim_matches(|character: char| character.is_control() && character != '\t');
        if !bare.trim().is_empty() && std::mem::take(&mut self.dash) {
            if self.begins_message(bare) {
                self.end_message();
            } else {
                self.continue_field("-")?;
            }
        }
        if bare.trim() == "-" {
            self.dash = true;
            return Ok(());
        }
        if let Some(trailer) = bare.strip_prefix("-}") {
            self.end_message();
            let next = trailer.trim_start_matches(|character: char| character != '{');
            return if next.contains("{1:") { self.take_line(next) } else { Ok(()) };
        }
        if ["{1:", "{2:", "{3:", "{4:", "{5:"].iter().any(|block| bare.starts_with(block)) {
            return self.take_blocks(bare);
        }
        if let Some((tag, text)) = self.tag_of(bare) {
            self.complete();
            match tag {
                "940" => self.ready.push_back(Field::Header(StatementKind::EndOfDay)),
                "942" => self.ready.push_back(Field::Header(StatementKind::Intraday)),
                _ => self.current = Some((tag, text.trim_end().to_owned(), self.line)),
            }
            return Ok(());
        }
        self.continue_field(bare)
    }

    fn begins_message(&self, line: &str) -> bool {
        const FIRST: &[&str] = &["20", "25", "25P", "28", "28C", "60F", "60M", "940", "942"];
        ["{", "-}"].iter().any(|block| line.starts_with(block))
            || self.tag_of(line).is_some_and(|(tag, _)| FIRST.contains(&tag))
    }

    fn continue_field(&mut self, text: &str) -> Result<(), Refused> {
        let Some((_, field, _)) = &mut self.current else {
            if !text.trim().is_empty() && !self.stray_told {
                self.stray_told = true;
                self.ready.push_back(Field::Stray { line: self.line });
            }
            return Ok(());
        };
        field.push('\n');
        field.push_str(text.trim_end());
        if field.len() > self.limits.token_bytes {
            return Err(self.refuse(format!("a field is longer than {} bytes", self.limits.token_bytes)));
        }
        Ok(())
    }

    /// `{1:F01...}{2:I940...N}{3:...}{4:` and perhaps the first field on the same line.
    fn take_blocks(&mut self, line: &str) -> Result<(), Refused> {
        self.complete();
        if let Some((_, application)) = line.split_once("{2:") {
            match application.get(1..4) {
                Some("940") => self.ready.push_back(Field::Header(StatementKind::EndOfDay)),
                Some("942") => self.ready.push_back(Field::Header(StatementKind::Intraday)),
                _ => {}
            }
        }
        if let Some((_, text)) = line.split_once("{4:") {
            self.inside_block = true;
            if !text.trim().is_empty() && !text.starts_with('{') {
                return self.take_line(text);
            }
        }
        Ok(())
    }

    /// A field begins at the start of a line only. Inside free text a line may begin with a colon, so there only
    /// the fields of these two messages count.
    fn tag_of<'a>(&self, line: &'a str) -> Option<(&'static str, &'a str)> {
        const TAGS: &[&str] = &[
            "20", "21", "25", "25P", "28", "28C", "60F", "60M", "61", "86", "62F", "62M", "64", "65", "34F",
            "13", "13D", "90C", "90D", "NS", "940", "942",
        ];
        let (name, text) = line.strip_prefix(':')?.split_once(':')?;
        if let Some(tag) = TAGS.iter().find(|tag| **tag == name) {
            return Some((tag, text));
        }
        let shaped =
            matches!(name.as_bytes(), [b'0'..=b'9', b'0'..=b'9'] | [b'0'..=b'9', b'0'..=b'9', b'A'..=b'Z']);
        let in_text = matches!(self.current, Some(("86" | "61", ..)));
        (shaped && !in_text).then_some(("", text))
    }

    fn complete(&mut self) {
        if let Some((tag, text, line)) = self.current.take()
            && !tag.is_empty()
        {
            self.ready.push_back(Field::Tag { tag, text, line });
        }
    }

    fn end_message(&mut self) {
        self.complete();
        self.inside_block = false;
        self.ready.push_back(Field::MessageEnd);
    }

    fn read_line(&mut self) -> Result<Option<String>, Refused> {
        let mut bytes = Vec::new();
        let limit = u64::try_from(self.limits.token_bytes).unwrap_or(u64::MAX);
        self.line += 1;
        let read = (&mut self.source)
            .take(limit.saturating_add(1))
            .read_until(b'\n', &mut bytes)
            .map_err(|error| self.refuse(error.to_string()))?;
        self.file_bytes = self.file_bytes.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        if bytes.len() > self.limits.token_bytes {
            return Err(self.refuse(format!("a line is longer than {limit} bytes")));
        }
        if self.file_bytes > self.limits.file_bytes {
            return Err(self.refuse(format!("the file is longer than {} bytes", self.limits.file_bytes)));
        }
        if read == 0 {
            self.line -= 1;
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&bytes).into_owned();
        Ok(Some(line.trim_end_matches(['\r', '\n']).to_owned()))
    }

    fn refuse(&self, cause: String) -> Refused {
        Refused { place: format!("line {}", self.line()), cause }
    }
}
