//! The one way in: a source of bytes becomes an iterator of events.

use std::collections::VecDeque;
use std::io::{BufRead, Read};

use super::bounds;
use super::camt::Camt;
use super::detect::{Detected, detect};
use super::model::{Problem, Refused, Statement, StatementLine};
use super::mt940::Mt;
use super::source::Utf8;

/// Caps that keep a hostile file from filling memory. The defaults are far above any real file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The whole file, as UTF-8.
    pub file_bytes: u64,
    /// One entry with all its details.
    pub entry_bytes: u64,
    /// One tag, text, comment or MT field.
    pub token_bytes: usize,
    pub depth: usize,
    pub attributes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { file_bytes: 4 << 30, entry_bytes: 64 << 20, token_bytes: 256 << 10, depth: 64, attributes: 32 }
    }
}

/// What reading a file comes upon, in order. Between `Opened` and `Closed` of a statement stand its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// What stood before the first line: header, and usually the balances.
    Opened(Box<Statement>),
    Line(Box<StatementLine>),
    Problem(Problem),
    /// The same statement complete, with its sums: now [`Statement::closes`] tells the truth.
    Closed(Box<Statement>),
}

/// Reads one file in constant memory. After an `Err` the iterator ends, and everything read before is void.
#[derive(Debug)]
pub struct Reader<R> {
    front: Front<R>,
    /// Judged events that wait behind the problems found in them.
    ready: VecDeque<Event>,
    statements: u64,
    failed: bool,
}

enum Front<R> {
    Camt(Box<Camt<R>>),
    Mt(Box<Mt<R>>),
}

impl<R> std::fmt::Debug for Front<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Camt(_) => "Camt",
            Self::Mt(_) => "Mt",
        })
    }
}

/// Begins to read. Encoding and format are found out by content; the name of a file plays no part.
///
/// # Errors
/// The file is in no format that is known here.
pub fn open<R: Read>(source: R, limits: Limits) -> Result<Reader<R>, Refused> {
    let mut source = Utf8::new(source);
    let unreadable = |error: std::io::Error| Refused { place: "line 1".to_owned(), cause: error.to_string() };
    let head = source.fill_buf().map_err(unreadable)?;
    let cause = if head.is_empty() { "the file is empty" } else { "neither camt XML nor MT940/MT942" };
    let front = match detect(head) {
        Some(Detected::Xml) => Front::Camt(Box::new(Camt::new(source, limits))),
        Some(Detected::Mt) => Front::Mt(Box::new(Mt::new(source, limits))),
        None => return Err(Refused { place: "line 1".to_owned(), cause: cause.to_owned() }),
    };
    Ok(Reader { front, ready: VecDeque::new(), statements: 0, failed: false })
}

impl<R: Read> Reader<R> {
    /// `camt.053.001.08`, `MT940`; final when everything was read.
    pub fn format(&self) -> String {
        match &self.front {
            Front::Camt(camt) => camt.format(),
            Front::Mt(mt) => mt.format().to_owned(),
        }
    }

    /// As the encoding standard names it: `UTF-8`, `windows-1256`, `ISO-8859-1`; final when everything was read.
    pub fn encoding(&self) -> &'static str {
        match &self.front {
            Front::Camt(camt) => camt.encoding(),
            Front::Mt(mt) => mt.encoding(),
        }
    }

    /// Whatever the format: references are ones, and problems can be shown.
    fn judge(&mut self, event: Event) {
        let (problems, event) = match event {
            // The statement is told of when it closes: by then its whole head was read.
            Event::Opened(mut head) => {
                self.statements += 1;
                bounds::of_statement(&mut head, self.statements);
                (Vec::new(), Event::Opened(head))
            }
            Event::Line(mut line) => (bounds::of_line(&mut line), Event::Line(line)),
            Event::Problem(problem) => (Vec::new(), Event::Problem(bounds::shown(problem))),
            Event::Closed(mut whole) => {
                (bounds::of_statement(&mut whole, self.statements), Event::Closed(whole))
            }
        };
        self.ready.extend(problems.into_iter().map(Event::Problem));
        self.ready.push_back(event);
    }
}

impl<R: Read> Iterator for Reader<R> {
    type Item = Result<Event, Refused>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ready.is_empty() && !self.failed {
            let event = match &mut self.front {
                Front::Camt(camt) => camt.event(),
                Front::Mt(mt) => mt.event(),
            };
            match event {
                Ok(Some(event)) => self.judge(event),
                Ok(None) => return None,
                Err(refused) => {
                    self.failed = true;
                    return Some(Err(refused));
                }
            }
        }
        self.ready.pop_front().map(Ok)
    }
}

/// A statement with its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub statement: Statement,
    pub lines: Vec<StatementLine>,
}

/// A whole file in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadFile {
    pub format: String,
    pub encoding: &'static str,
    pub statements: Vec<Listed>,
    pub problems: Vec<Problem>,
}

/// Reads everything at once: for tests and small files.
///
/// # Errors
/// As [`open`], and when the file turns out not to be understandable on the way.
pub fn read_all(source: impl Read) -> Result<ReadFile, Refused> {
    let mut reader = open(source, Limits::default())?;
    let (mut statements, mut lines, mut problems) = (Vec::new(), Vec::new(), Vec::new());
    for event in reader.by_ref() {
        match event? {
            Event::Opened(_) => {}
            Event::Line(line) => lines.push(*line),
            Event::Problem(problem) => problems.push(problem),
            Event::Closed(statement) => {
                statements.push(Listed { statement: *statement, lines: std::mem::take(&mut lines) });
            }
        }
    }
    Ok(ReadFile { format: reader.format(), encoding: reader.encoding(), statements, problems })
}
