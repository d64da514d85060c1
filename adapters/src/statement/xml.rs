//! A walk over XML from outside: local names only, every size capped, no DTD, no entities beyond the five of XML.
//!
//! Namespaces, prefixes and wrappers are not looked at; the one thing taken from them is the name of the ISO 20022
//! message (`camt.053.001.08`), wherever a namespace declaration tells it.

use std::fmt::Display;
use std::io::{self, BufRead, Read};

use quick_xml::XmlVersion;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::model::Refused;
use super::reader::Limits;
use super::source::Utf8;

/// What the walk came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// An element begins; it is the last of [`Walker::path`].
    Open,
    /// It ends, and is still the last of the path. [`Walker::leaf`] holds its text if it had no child.
    Close,
    End,
}

pub(crate) struct Walker<R> {
    reader: quick_xml::Reader<Gate<R>>,
    buffer: Vec<u8>,
    known: fn(&str) -> &'static str,
    limits: Limits,
    path: Vec<&'static str>,
    text: String,
    currency: Option<String>,
    text_line: u64,
    leaf: bool,
    closing: bool,
    start: u64,
    message_name: Option<String>,
    elements: u64,
    stray_text: Option<u64>,
}

impl<R: Read> Walker<R> {
    /// `known` gives the constant of an element name the caller looks at, and `"*"` for every other.
    pub(crate) fn new(source: Utf8<R>, limits: Limits, known: fn(&str) -> &'static str) -> Self {
        let mut reader = quick_xml::Reader::from_reader(Gate::new(source, limits));
        let config = reader.config_mut();
        config.expand_empty_elements = true;
        // "A & B" as banks write it; a reference that does look like one is still resolved or refused.
        config.allow_dangling_amp = true;
        Self {
            reader,
            buffer: Vec::new(),
            known,
            limits,
            path: Vec::new(),
            text: String::new(),
            currency: None,
            text_line: 1,
            leaf: false,
            closing: false,
            start: 0,
            message_name: None,
            elements: 0,
            stray_text: None,
        }
    }

    /// Local names from the root down.
    pub(crate) fn path(&self) -> &[&'static str] {
        &self.path
    }

    /// Text and `Ccy` attribute of the element that just closed, if it held no other element.
    pub(crate) fn leaf(&self) -> Option<Leaf<'_>> {
        let text = self.text.trim();
        (self.leaf && self.closing).then_some(Leaf {
            text,
            currency: self.currency.as_deref(),
            line: self.text_line,
        })
    }

    /// Offset of the `<` of the element that just opened.
    pub(crate) fn start(&self) -> u64 {
        self.start
    }

    /// Offset behind the last thing read.
    pub(crate) fn position(&self) -> u64 {
        self.reader.buffer_position().saturating_add(self.reader.get_ref().inner.mark_bytes())
    }

    pub(crate) fn line(&self) -> u64 {
        self.reader.get_ref().line
    }

    /// The ISO 20022 message named by a namespace on the way here.
    pub(crate) fn message_name(&self) -> Option<&str> {
        self.message_name.as_deref()
    }

    pub(crate) fn source(&self) -> &Utf8<R> {
        &self.reader.get_ref().inner
    }

    /// The line of text that stood outside the root element, if there was any.
    pub(crate) fn stray_text(&self) -> Option<u64> {
        self.stray_text
    }

    pub(crate) fn refuse(&self, cause: impl Display) -> Refused {
        let path = self.path.join("/");
        let place = if path.is_empty() { String::new() } else { format!(", {path}") };
        Refused { place: format!("line {}{place}", self.line()), cause: cause.to_string() }
    }

    pub(crate) fn step(&mut self) -> Result<Step, Refused> {
        if self.closing {
            self.closing = false;
            self.leaf = false;
            self.path.pop();
            self.text.clear();
        }
        loop {
            let start = self.position();
            let mut buffer = std::mem::take(&mut self.buffer);
            buffer.clear();
            self.reader.get_mut().begin_token();
            let step = match self.reader.read_event_into(&mut buffer) {
                Ok(event) => self.take_event(event, start),
                Err(error) => Err(self.broken(&error)),
            };
            self.buffer = buffer;
            if let Some(step) = step? {
                return Ok(step);
            }
        }
    }

    fn take_event(&mut self, event: Event<'_>, start: u64) -> Result<Option<Step>, Refused> {
        match event {
            Event::Start(element) => {
                self.start = start;
                self.open(&element)?;
                Ok(Some(Step::Open))
            }
            Event::End(_) => {
                self.closing = true;
                Ok(Some(Step::Close))
            }
            Event::Text(text) => self.append(&text.xml10_content()).map(|()| None),
            Event::CData(text) => self.append(&text.xml10_content()).map(|()| None),
            Event::GeneralRef(reference) => self.append_reference(&reference).map(|()| None),
            Event::DocType(_) => Err(self.refuse("a document type definition (DTD) is not accepted")),
            Event::Eof if !self.path.is_empty() => {
                Err(self.refuse("the file ends here, inside this element: it is cut off"))
            }
            Event::Eof => Ok(Some(Step::End)),
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => Ok(None),
        }
    }

    fn open(&mut self, element: &BytesStart<'_>) -> Result<(), Refused> {
        if self.path.len() >= self.limits.depth {
            return Err(self.refuse(format_args!("elements are nested more than {} deep", self.limits.depth)));
        }
        self.elements += 1;
        self.path.push((self.known)(element.local_name().as_ref()));
        self.text.clear();
        self.currency = None;
        self.leaf = true;
        self.text_line = self.line();
        for (index, attribute) in element.attributes().enumerate() {
            if index >= self.limits.attributes {
                return Err(self
                    .refuse(format_args!("an element has more than {} attributes", self.limits.attributes)));
            }
            let attribute = attribute.map_err(|error| self.refuse(error))?;
            let name = attribute.key.as_ref();
            if name == "xmlns" || name.starts_with("xmlns:") {
                self.learn_message(&attribute.value);
            } else if attribute.key.local_name().as_ref() == "Ccy" {
                let value = attribute
                    .normalized_value(XmlVersion::Implicit1_0)
                    .map_err(|error| self.refuse(error))?;
                self.currency = Some(value.trim().to_owned());
            }
        }
        Ok(())
    }

    /// `urn:iso:std:iso:20022:tech:xsd:camt.053.001.02` names the message; the innermost wins, so that a wrapper's
    /// business header (head.001) does not hide the message.
    fn learn_message(&mut self, namespace: &str) {
        let name = namespace.rsplit([':', '/']).next().unwrap_or_default().trim();
        let mut parts = name.split('.');
        let family = parts.next().is_some_and(|part| part.len() == 4 && part.is_ascii());
        let numbers = parts.by_ref().take(3).filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
        if family && numbers.count() == 3 && parts.next().is_none() && !name.starts_with("head.") {
            self.message_name = Some(name.to_owned());
        }
    }

    fn append(&mut self, text: &str) -> Result<(), Refused> {
        if self.path.is_empty() {
            if !text.trim_matches(|c: char| c.is_whitespace() || c.is_control()).is_empty() {
                self.stray_text.get_or_insert(self.line());
            }
            return Ok(());
        }
        if text.contains('\0') {
            return Err(self.refuse("the text holds the character U+0000, which no XML may"));
        }
        if self.text.len().saturating_add(text.len()) > self.limits.token_bytes {
            return Err(self.refuse(format_args!("a text is longer than {} bytes", self.limits.token_bytes)));
        }
        self.text.push_str(text);
        Ok(())
    }

    fn append_reference(&mut self, reference: &BytesRef<'_>) -> Result<(), Refused> {
        let name: &str = reference;
        let resolved = match name {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => reference.resolve_char_ref().map_err(|error| self.refuse(error))?,
        };
        match resolved {
            Some(character) => self.append(character.encode_utf8(&mut [0; 4])),
            None => Err(self.refuse(format_args!("the entity &{name}; is not defined"))),
        }
    }

    fn broken(&self, error: &quick_xml::Error) -> Refused {
        if let quick_xml::Error::Io(io) = error {
            return self.refuse(io);
        }
        if self.elements == 0 {
            return self.refuse("this is not XML");
        }
        self.refuse(format_args!("the XML is broken: {error}"))
    }
}

/// The text of one element.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Leaf<'a> {
    pub(crate) text: &'a str,
    pub(crate) currency: Option<&'a str>,
    pub(crate) line: u64,
}

/// Counts lines, and stops a file or a single token that grows without end before it fills the memory.
struct Gate<R> {
    inner: Utf8<R>,
    limits: Limits,
    token_bytes: usize,
    file_bytes: u64,
    line: u64,
}

impl<R: Read> Gate<R> {
    fn new(inner: Utf8<R>, limits: Limits) -> Self {
        Self { inner, limits, token_bytes: 0, file_bytes: 0, line: 1 }
    }

    fn begin_token(&mut self) {
        self.token_bytes = 0;
    }
}

impl<R: Read> Read for Gate<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: Read> BufRead for Gate<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.token_bytes > self.limits.token_bytes {
            let limit = self.limits.token_bytes;
            return Err(io::Error::other(format!("a tag, text or comment is longer than {limit} bytes")));
        }
        if self.file_bytes > self.limits.file_bytes {
            let limit = self.limits.file_bytes;
            return Err(io::Error::other(format!("the file is longer than {limit} bytes")));
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        let lines = self.inner.buffered().iter().take(amount).filter(|byte| **byte == b'\n').count();
        self.line = self.line.saturating_add(u64::try_from(lines).unwrap_or(0));
        self.token_bytes = self.token_bytes.saturating_add(amount);
        self.file_bytes = self.file_bytes.saturating_add(u64::try_from(amount).unwrap_or(0));
        self.inner.consume(amount);
    }
}
