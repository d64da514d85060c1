//! A parsed file and the way back from each value to its line.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;

use mizan_ledger::{Currency, Day, Money};
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::super::quantity::Quantity;
use super::super::tariff::Tariff;
use super::super::words::Bilingual;
use super::Problem;

pub(super) type Value<'a> = Spanned<DeValue<'a>>;

/// A file: where its lines begin, and what was found wrong in it so far.
pub(super) struct Source<'a> {
    name: &'a str,
    line_starts: Vec<usize>,
    /// By line, each said once.
    problems: RefCell<BTreeSet<(usize, String)>>,
}

impl<'a> Source<'a> {
    pub(super) fn new(name: &'a str, text: &str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self { name, line_starts: std::iter::once(0).chain(breaks).collect(), problems: RefCell::default() }
    }

    fn line(&self, at: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= at)
    }

    pub(super) fn report(&self, at: usize, what: impl Into<String>) {
        self.problems.borrow_mut().insert((self.line(at), what.into()));
    }

    /// As `report`, but silent on a line already found unreadable: what follows from that is no news.
    fn report_consequence(&self, at: usize, what: impl Into<String>, unreadable: &BTreeSet<usize>) {
        if !unreadable.contains(&self.line(at)) {
            self.report(at, what);
        }
    }

    fn lines_with_problems(&self) -> BTreeSet<usize> {
        self.problems.borrow().iter().map(|(line, _)| *line).collect()
    }

    /// In the order of their lines.
    pub(super) fn problems(&self) -> Vec<Problem> {
        let problem = |(line, what): (usize, String)| Problem { file: self.name.to_owned(), line, what };
        self.problems.take().into_iter().map(problem).collect()
    }
}

/// Where a table stood, kept for problems that show later.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    source: &'a Source<'a>,
    table: &'a DeTable<'a>,
    at: usize,
}

impl Place<'_> {
    /// Reports at the value a JSON pointer leads to, or at the last one on the way that is there.
    pub(super) fn report(&self, pointer: &str, what: impl Into<String>) {
        self.source.report(self.find(pointer), what);
    }

    /// Reports what a version says of itself, line by line, where reading found no fault already.
    pub(super) fn report_defects(&self, defects: Vec<super::super::Defect>) {
        let unreadable = self.source.lines_with_problems();
        for defect in defects {
            self.source.report_consequence(self.find(&defect.at), defect.what, &unreadable);
        }
    }

    fn find(&self, pointer: &str) -> usize {
        let mut at = self.at;
        let mut value: Option<&Value<'_>> = None;
        for step in pointer.split('/').skip(1) {
            let next = match value.map(Spanned::get_ref) {
                None => self.table.get(step),
                Some(DeValue::Table(table)) => table.get(step),
                Some(DeValue::Array(items)) => step.parse::<usize>().ok().and_then(|index| items.get(index)),
                Some(_) => None,
            };
            let Some(found) = next else { break };
            at = found.span().start;
            value = Some(found);
        }
        at
    }
}

/// The keys of one table. What was never asked for is reported as unknown by `finish`.
pub(super) struct Fields<'a> {
    place: Place<'a>,
    asked: RefCell<BTreeSet<&'static str>>,
}

impl<'a> Fields<'a> {
    pub(super) fn root(source: &'a Source<'a>, table: &'a DeTable<'a>) -> Self {
        Self::new(source, table, 0)
    }

    fn new(source: &'a Source<'a>, table: &'a DeTable<'a>, at: usize) -> Self {
        Self { place: Place { source, table, at }, asked: RefCell::default() }
    }

    /// The table a value is, or a report.
    fn of(source: &'a Source<'a>, value: &'a Value<'a>) -> Option<Self> {
        if let DeValue::Table(table) = value.get_ref() {
            return Some(Self::new(source, table, value.span().start));
        }
        source.report(value.span().start, "a table is expected");
        None
    }

    pub(super) fn place(&self) -> Place<'a> {
        self.place
    }

    fn source(&self) -> &'a Source<'a> {
        self.place.source
    }

    /// Every key of the table that was not asked for is a mistake.
    pub(super) fn finish(self) {
        let asked = self.asked.borrow();
        for key in self.place.table.keys() {
            let name: &str = key.get_ref();
            if !asked.contains(name) {
                self.source().report(key.span().start, format!("unknown key `{name}`"));
            }
        }
    }

    pub(super) fn optional_value(&self, key: &'static str) -> Option<&'a Value<'a>> {
        self.asked.borrow_mut().insert(key);
        self.place.table.get(key)
    }

    fn required(&self, key: &'static str) -> Option<&'a Value<'a>> {
        let value = self.optional_value(key);
        if value.is_none() {
            self.source().report(self.place.at, format!("`{key}` is missing"));
        }
        value
    }

    fn refuse<T>(&self, value: &Value<'_>, what: impl Display) -> Option<T> {
        self.source().report(value.span().start, what.to_string());
        None
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.place.table.contains_key(key)
    }

    pub(super) fn flag(&self, key: &'static str) -> bool {
        match self.optional_value(key) {
            None => false,
            Some(value) => value
                .get_ref()
                .as_bool()
                .or_else(|| self.refuse(value, format!("`{key}` is true or false")))
                .unwrap_or(false),
        }
    }

    fn text_of(&self, key: &str, value: &'a Value<'a>) -> Option<&'a str> {
        value.get_ref().as_str().or_else(|| self.refuse(value, format!("`{key}` is a text in quotes")))
    }

    pub(super) fn text(&self, key: &'static str) -> Option<String> {
        let value = self.required(key)?;
        self.text_of(key, value).map(str::to_owned)
    }

    pub(super) fn optional_text(&self, key: &'static str) -> Option<String> {
        let value = self.optional_value(key)?;
        self.text_of(key, value).map(str::to_owned)
    }

    fn parse_value<T: FromStr<Err: Display>>(&self, key: &str, value: &'a Value<'a>) -> Option<T> {
        self.text_of(key, value)?.parse().map_err(|error| self.refuse::<()>(value, error)).ok()
    }

    pub(super) fn parsed<T: FromStr<Err: Display>>(&self, key: &'static str) -> Option<T> {
        let value = self.required(key)?;
        self.parse_value(key, value)
    }

    pub(super) fn optional_parsed<T: FromStr<Err: Display>>(&self, key: &'static str) -> Option<T> {
        let value = self.optional_value(key)?;
        self.parse_value(key, value)
    }

    pub(super) fn integer<T: TryFrom<i64>>(&self, key: &'static str) -> Option<T> {
        let value = self.required(key)?;
        whole_number(value)
            .and_then(|number| T::try_from(number).ok())
            .or_else(|| self.refuse(value, format!("`{key}` is a whole number within range, without quotes")))
    }

    /// A whole number, or a text such as "120.5": TOML's floats are refused.
    pub(super) fn quantity(&self, key: &'static str) -> Option<Quantity> {
        let value = self.required(key)?;
        if matches!(value.get_ref(), DeValue::String(_)) {
            return self.parse_value(key, value);
        }
        whole_number(value).and_then(Quantity::whole).or_else(|| {
            self.refuse(value, format!("`{key}` is a whole number, or decimals in quotes as in \"120.5\""))
        })
    }

    pub(super) fn optional_quantity(&self, key: &'static str) -> Option<Quantity> {
        if self.has(key) { self.quantity(key) } else { None }
    }

    pub(super) fn day(&self, key: &'static str) -> Option<Day> {
        let value = self.required(key)?;
        self.day_of(key, value)
    }

    pub(super) fn optional_day(&self, key: &'static str) -> Option<Day> {
        let value = self.optional_value(key)?;
        self.day_of(key, value)
    }

    fn day_of(&self, key: &str, value: &Value<'_>) -> Option<Day> {
        let day = match value.get_ref() {
            DeValue::Datetime(moment) if moment.time.is_none() => moment.date,
            _ => None,
        };
        day.and_then(|date| date.to_string().parse().ok())
            .or_else(|| self.refuse(value, format!("`{key}` is a day without quotes, as in 2026-01-31")))
    }

    /// A small value read by its own serde form: a word of a closed list, or a word with an argument.
    pub(super) fn word<T: DeserializeOwned>(&self, key: &'static str) -> Option<T> {
        let value = self.required(key)?;
        self.word_of(value)
    }

    pub(super) fn optional_word<T: DeserializeOwned>(&self, key: &'static str) -> Option<T> {
        let value = self.optional_value(key)?;
        self.word_of(value)
    }

    fn word_of<T: DeserializeOwned>(&self, value: &'a Value<'a>) -> Option<T> {
        T::deserialize(ValueDeserializer::from(value.clone()))
            .map_err(|error| self.refuse::<()>(value, error.message()))
            .ok()
    }

    fn items(&self, key: &'static str, value: &'a Value<'a>) -> &'a [Value<'a>] {
        if let DeValue::Array(items) = value.get_ref() {
            return items.as_ref();
        }
        self.refuse::<()>(value, format!("`{key}` is a list"));
        &[]
    }

    /// A list of words; without the key an empty one.
    pub(super) fn words<T: DeserializeOwned>(&self, key: &'static str) -> Option<Vec<T>> {
        let Some(value) = self.optional_value(key) else { return Some(Vec::new()) };
        let read: Vec<Option<T>> = self.items(key, value).iter().map(|item| self.word_of(item)).collect();
        read.into_iter().collect()
    }

    /// As `words`, for a list that may not be empty.
    pub(super) fn some_words<T: DeserializeOwned>(&self, key: &'static str) -> Option<Vec<T>> {
        let value = self.required(key)?;
        let words = self.words(key)?;
        if words.is_empty() { self.refuse(value, format!("`{key}` is empty")) } else { Some(words) }
    }

    pub(super) fn tables(&self, key: &'static str) -> Vec<Self> {
        let Some(value) = self.optional_value(key) else { return Vec::new() };
        self.items(key, value).iter().filter_map(|item| Self::of(self.source(), item)).collect()
    }

    pub(super) fn table(&self, key: &'static str) -> Option<Self> {
        let value = self.required(key)?;
        Self::of(self.source(), value)
    }

    pub(super) fn optional_table(&self, key: &'static str) -> Option<Self> {
        if self.has(key) { self.table(key) } else { None }
    }

    /// Text in both languages. A language that cannot be read is reported and left empty.
    pub(super) fn bilingual(&self, key: &'static str) -> Option<Bilingual> {
        self.table(key).map(Self::into_bilingual)
    }

    pub(super) fn into_bilingual(self) -> Bilingual {
        let text =
            Bilingual { ar: self.text("ar").unwrap_or_default(), en: self.text("en").unwrap_or_default() };
        self.finish();
        text
    }

    /// An amount per currency. An amount that cannot be read is reported and counts as zero meanwhile.
    pub(super) fn tariff(&self, key: &'static str) -> Option<Tariff> {
        self.required(key).and_then(|value| self.tariff_of(value))
    }

    pub(super) fn optional_tariff(&self, key: &'static str) -> Option<Tariff> {
        self.optional_value(key).and_then(|value| self.tariff_of(value))
    }

    pub(super) fn tariff_of(&self, value: &'a Value<'a>) -> Option<Tariff> {
        let amounts = self.by_currency(value, |currency, amount| match amount.get_ref().as_str() {
            Some(text) => Money::parse(text, currency)
                .or_else(|error| self.refuse(amount, error).ok_or(()))
                .unwrap_or(Money::zero(currency)),
            None => self
                .refuse(amount, format!("the amount in {currency} is a text, as in \"12.50\""))
                .unwrap_or(Money::zero(currency)),
        })?;
        Some(Tariff::new(amounts.into_iter().map(|(_, amount)| amount)))
    }

    /// A table whose keys are currencies.
    pub(super) fn by_currency<T>(
        &self,
        value: &'a Value<'a>,
        read: impl Fn(Currency, &'a Value<'a>) -> T,
    ) -> Option<Vec<(Currency, T)>> {
        let DeValue::Table(table) = value.get_ref() else {
            return self.refuse(value, "a table by currency is expected, as in { ILS = \"12.50\" }");
        };
        let mut entries = Vec::new();
        for (key, value) in table {
            match key.get_ref().parse::<Currency>() {
                Ok(currency) => entries.push((currency, read(currency, value))),
                Err(error) => self.source().report(key.span().start, error.to_string()),
            }
        }
        Some(entries)
    }

    /// The entries of a table whose keys are not fixed.
    pub(super) fn entries(
        &self,
        key: &'static str,
    ) -> Option<impl Iterator<Item = (&'a str, &'a Value<'a>)>> {
        let value = self.required(key)?;
        let DeValue::Table(table) = value.get_ref() else {
            return self.refuse(value, format!("`{key}` is a table"));
        };
        Some(table.iter().map(|(key, value)| (key.get_ref().as_ref(), value)))
    }

    /// Reports at the table's own line.
    pub(super) fn report(&self, what: impl Into<String>) {
        self.source().report(self.place.at, what);
    }

    pub(super) fn report_at(&self, value: &Value<'_>, what: impl Into<String>) {
        self.source().report(value.span().start, what);
    }
}

pub(super) fn whole_number(value: &Value<'_>) -> Option<i64> {
    let integer = value.get_ref().as_integer()?;
    i64::from_str_radix(integer.as_str(), integer.radix()).ok()
}
